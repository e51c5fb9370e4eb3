"""What a run ends with on the terminal: the scores, what to distrust in them, where the page is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from amsf.report.data import BenchmarkData
from amsf.report.words import SCORES, beside_in_order, beside_name, doubts, in_percent, spread

_HEADER = ("", *SCORES.values(), "chance of ZSL")


def closing_table(benchmarks: Sequence[BenchmarkData], page: Path) -> str:
    """The table and what belongs to it, in lines.

    Args:
        benchmarks: those that were evaluated.
        page: the report.
    """
    rows: list[Sequence[str]] = [_HEADER]
    notes = []
    several = False
    for one in benchmarks:
        found = doubts(one.metrics, len(one.split.seen), len(one.split.unseen))
        notes += [f"! {one.key}: {line}" for line in found]
        several |= len(one.seeds) > 1
        name = f"{one.key}{' !' if found else ''}{' (SIMULATED)' if one.simulated else ''}"
        chance = f"{100 / len(one.split.unseen):.1f}"
        rows.append([name, *(spread(one.metrics, score) for score in SCORES), chance])
        for other, scores in beside_in_order(one.metrics["beside"]):
            shown = [in_percent(scores, score) for score in SCORES]
            rows.append([f"  {beside_name(other, len(one.seeds))}", *shown, chance])
    widths = [max(len(row[i]) for row in rows) for i in range(len(_HEADER))]
    lines = [
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in rows
    ]
    unit = "Percent" + ("; ± is the standard deviation over seeds." if several else ".")
    return "\n".join([*lines, unit, *notes, f"Report: {page}"])
