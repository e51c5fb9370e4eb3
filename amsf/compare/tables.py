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
from amsf.study.summary import Study

FEW_SEEDS, FEW_SPLITS = 5, 10


@dataclass(frozen=True)
class Report:
    """All comparisons of one benchmark.

    Attributes:
        benchmark: its key.
        simulated: whether the recordings are simulated.
        weighting: ``overall`` or ``per_class``.
        comparisons: one or more.
        heading: what was compared, a line each.
        footnotes: how to read the intervals, a line each.
    """

    benchmark: str
    simulated: bool
    weighting: str
    comparisons: Sequence[Comparison]
    heading: Sequence[str]
    footnotes: Sequence[str]


def of_evaluations(
    benchmark: str, base: Evaluation, weighting: str, comparisons: Sequence[Comparison]
) -> Report:
    """A report on evaluations of one split, or on seeds, against ``base``."""
    heading, footnotes = _heading(benchmark, base, weighting), _footnotes(comparisons)
    return Report(benchmark, base.simulated, weighting, comparisons, heading, footnotes)


def of_studies(benchmark: str, base: Study, comparisons: Sequence[Comparison]) -> Report:
    """A report on methods or experiments over many class splits against ``base``."""
    about = base.about
    simulated = "SIMULATED recordings · " if about["simulated"] else ""
    heading = [
        f"{benchmark} · {simulated}percent, overall · means over class splits of {about['unseen']} "
        f"unseen classes, features: {about['features']}"
        + (f", trained also on {', '.join(about['also'])}" if about.get("also") else "")
    ]
    footnotes = [
        "The 95 % interval and p are for other class splits drawn at random from these classes, on "
        "the same recordings (paired t; docs/experiments.md).",
    ]
    if min(comparison.splits for comparison in comparisons) < FEW_SPLITS:
        footnotes.append("Few splits make wide intervals: run `python -m amsf.study` with more.")
    footnotes += _adjusting(comparisons)
    return Report(benchmark, about["simulated"], "overall", comparisons, heading, footnotes)


def as_text(report: Report) -> str:
    """Tables of aligned columns with the verdict in words, and what to keep in mind."""
    lines = [*report.heading]
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
    return "\n".join([*lines, "", *report.footnotes])


def as_markdown(report: Report) -> str:
    """The same as Markdown."""
    title, *rest = report.heading
    lines = [f"## {title}", "", *rest]
    for comparison in report.comparisons:
        lines += ["", f"**{comparison.other}** against {comparison.base}{_seeds(comparison)}", ""]
        lines += [f"- differs in {change}" for change in comparison.changes]
        lines += [f"- note: {note}" for note in comparison.notes]
        head, *rows = _cells(comparison)
        lines += ["", f"| {' | '.join(head)} |", "|---" + "|---:" * (len(head) - 2) + "|---|"]
        lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([*lines, "", *report.footnotes]) + "\n"


def as_csv(reports: Sequence[Report]) -> str:
    """One line a benchmark, comparison and metric, with every interval."""
    rows = [
        _record(report, comparison, row)
        for report in reports
        for comparison in report.comparisons
        for row in comparison.rows
    ]
    return csv_text(pd.DataFrame(rows), float_format="%.6g")


def _heading(benchmark: str, base: Evaluation, weighting: str) -> list[str]:
    simulated = "SIMULATED recordings · " if base.simulated else ""
    gzsl = next(iter(base.gzsl.values()), None)
    counts = f"{len(next(iter(base.zsl.values())))} samples for ZSL"
    if gzsl is not None:
        counts += f", {len(gzsl)} for S, U, H and AUSUC"
    return [
        f"{benchmark} · {simulated}percent, {weighting} · {counts}",
        f"base {base.experiment}: protocol {base.switches['name']}, selection "
        f"{base.switches['selection']}, seeds {', '.join(map(str, base.seeds))}",
    ]


def _seeds(comparison: Comparison) -> str:
    if comparison.splits:
        return f", paired by class split ({comparison.splits})"
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
        if d.over_seeds and d.over_samples:
            cells += [_interval(d.over_seeds), _interval(d.over_samples)]
        rows.append([*cells, f"{row.adjusted:.2g}", _verdict(comparison, row)])
    return [[*head, "p", "in words"], *rows]


def _verdict(comparison: Comparison, row: Row) -> str:
    return verdict(row.difference, row.adjusted, "split" if comparison.splits else "seed")


def _interval(interval: Interval) -> str:
    return f"[{100 * interval.low:.1f}, {100 * interval.high:.1f}]"


def _footnotes(comparisons: Sequence[Comparison]) -> list[str]:
    first = comparisons[0]
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
    return lines + _adjusting(comparisons)


def _adjusting(comparisons: Sequence[Comparison]) -> list[str]:
    if len(comparisons) == 1:
        return []
    return [f"p is adjusted for {len(comparisons)} comparisons (Holm), the intervals are not."]


def _record(report: Report, comparison: Comparison, row: Row) -> dict[str, Any]:
    d = row.difference
    record: dict[str, Any] = {
        "benchmark": report.benchmark,
        "simulated": report.simulated,
        "weighting": report.weighting,
        "base": comparison.base,
        "other": comparison.other,
        "metric": METRICS[row.metric],
        "splits" if comparison.splits else "seeds": d.seeds,
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
        "verdict": _verdict(comparison, row),
    }
