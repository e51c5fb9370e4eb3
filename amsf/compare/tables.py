"""Comparisons as text for a terminal, as Markdown and as CSV. Percent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from amsf.base.tables import csv_text
from amsf.compare.evaluations import Evaluation
from amsf.compare.pairs import METRICS, Comparison, Row
from amsf.compare.statistics import Interval, verdict

FEW_SEEDS = 5


@dataclass(frozen=True)
class Report:
    """All comparisons of one benchmark.

    Attributes:
        benchmark: its key.
        base: the evaluation that the others are held against.
        weighting: ``overall`` or ``per_class``.
        comparisons: one or more.
    """

    benchmark: str
    base: Evaluation
    weighting: str
    comparisons: Sequence[Comparison]


def as_text(report: Report) -> str:
    """Tables of aligned columns with the verdict in words, and what to keep in mind."""
    lines = _heading(report)
    for comparison in report.comparisons:
        table = _cells(comparison)
        widths = [max(len(cell) for cell in column) for column in zip(*table)]
        lines += ["", f"{comparison.other} against {comparison.base}{_seeds(comparison)}"]
        lines += [f"  differs in {change}" for change in comparison.changes]
        lines += [f"  note: {note}" for note in comparison.notes]
        for row in table:
            last = len(row) - 1
            cells = [
                cell.ljust(width) if place in (0, last) else cell.rjust(width)
                for place, (cell, width) in enumerate(zip(row, widths))
            ]
            lines.append(("  " + "  ".join(cells)).rstrip())
    return "\n".join([*lines, "", *_footnotes(report)])


def as_markdown(report: Report) -> str:
    """The same as Markdown."""
    title, *rest = _heading(report)
    lines = [f"## {title}", "", *rest]
    for comparison in report.comparisons:
        lines += ["", f"**{comparison.other}** against {comparison.base}{_seeds(comparison)}", ""]
        lines += [f"- differs in {change}" for change in comparison.changes]
        lines += [f"- note: {note}" for note in comparison.notes]
        head, *rows = _cells(comparison)
        lines += ["", f"| {' | '.join(head)} |", "|---" + "|---:" * (len(head) - 2) + "|---|"]
        lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([*lines, "", *_footnotes(report)]) + "\n"


def as_csv(reports: Sequence[Report]) -> str:
    """One line a benchmark, comparison and metric, with every interval."""
    rows = [
        _record(report, comparison, row)
        for report in reports
        for comparison in report.comparisons
        for row in comparison.rows
    ]
    return csv_text(pd.DataFrame(rows), float_format="%.6g")


def _heading(report: Report) -> list[str]:
    base = report.base
    simulated = "SIMULATED recordings · " if base.simulated else ""
    gzsl = next(iter(base.gzsl.values()), None)
    counts = f"{len(next(iter(base.zsl.values())))} samples for ZSL"
    if gzsl is not None:
        counts += f", {len(gzsl)} for S, U, H and AUSUC"
    return [
        f"{report.benchmark} · {simulated}percent, {report.weighting} · {counts}",
        f"base {base.experiment}: protocol {base.switches['name']}, selection "
        f"{base.switches['selection']}, seeds {', '.join(map(str, base.seeds))}",
    ]


def _seeds(comparison: Comparison) -> str:
    if not comparison.seeds:
        return ""
    return f", paired by seed ({', '.join(map(str, comparison.seeds))}) and sample"


def _cells(comparison: Comparison) -> list[list[str]]:
    """Header and rows of the table; the columns that say nothing here are left out."""
    several = any(row.difference.over_seeds for row in comparison.rows)
    head = ["metric", comparison.base, comparison.other, "difference", "95 % interval"]
    head += ["other seeds alone", "other samples alone"] if several else []
    rows = []
    for row in comparison.rows:
        d = row.difference
        cells = [METRICS[row.metric], f"{100 * row.base:.1f}", f"{100 * row.other:.1f}"]
        cells += [f"{100 * d.mean:+.1f}", _interval(d.interval)]
        if d.over_seeds:
            cells += [_interval(d.over_seeds), _interval(d.over_samples)]
        rows.append([*cells, f"{row.adjusted:.2g}", verdict(d, row.adjusted)])
    return [[*head, "p", "in words"], *rows]


def _interval(interval: Interval) -> str:
    return f"[{100 * interval.low:.1f}, {100 * interval.high:.1f}]"


def _footnotes(report: Report) -> list[str]:
    first = report.comparisons[0]
    lines = []
    if not first.seeds:
        lines.append(
            "The interval is for other samples of the same classes; a seed is compared with a seed."
        )
    elif len(first.seeds) == 1:
        lines.append(
            "One seed: the interval is for other samples alone. Whether it would hold with other "
            "seeds is not known; run more train.seeds."
        )
    else:
        lines.append(
            "The 95 % interval and p are for other seeds and other samples of the same classes at "
            "once (docs/experiments.md)."
        )
        if len(first.seeds) < FEW_SEEDS:
            lines.append(
                f"{len(first.seeds)} seeds make wide intervals: 'no difference shown' is not 'no "
                "difference'. More train.seeds narrow them."
            )
    if len(report.comparisons) > 1:
        lines.append(
            f"p is adjusted for {len(report.comparisons)} comparisons (Holm), the intervals are "
            "not."
        )
    return lines


def _record(report: Report, comparison: Comparison, row: Row) -> dict[str, Any]:
    d = row.difference
    record: dict[str, Any] = {
        "benchmark": report.benchmark,
        "simulated": report.base.simulated,
        "weighting": report.weighting,
        "base": comparison.base,
        "other": comparison.other,
        "metric": METRICS[row.metric],
        "seeds": d.seeds,
        "base_mean": 100 * row.base,
        "other_mean": 100 * row.other,
        "difference": 100 * d.mean,
    }
    for name, interval in (
        ("", d.interval),
        ("seeds_", d.over_seeds),
        ("samples_", d.over_samples),
    ):
        record[f"{name}low"] = None if interval is None else 100 * interval.low
        record[f"{name}high"] = None if interval is None else 100 * interval.high
    return record | {
        "standard_error": 100 * d.standard_error,
        "df": d.df,
        "p": d.p,
        "p_holm": row.adjusted,
        "verdict": verdict(d, row.adjusted),
    }
