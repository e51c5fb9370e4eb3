"""What each switch of ``clean`` brings AMSF: ``python -m benchmarks.switches DATA [--splits 40]``.

Each switch that makes the model fit for small data is put back to what the published code does, the
others staying as they are; ZSL with it less ZSL without it, on the same class splits, is what it
costs to leave it out. DATA, splits and what is trained on are those of ``benchmarks.results``.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence
from pathlib import Path

import amsf.stage.pinned  # noqa: F401  (before anything loads NumPy or torch)

# ruff: isort: split
import numpy as np

from amsf.settings.protocol import PROTOCOLS
from amsf.study.summary import as_text, mean_and_error
from benchmarks.results import SETS, Table, run

SWITCHES = (
    "standardise", "centre_texts", "fusion_start", "decoder", "discriminative_weight", "read_out",
    "schedule", "patience",
)  # fmt: skip
# As published, the schedule is in steps and never aligns in a short cycle.
INSTEAD = {**PROTOCOLS["reference"], "schedule": "fraction"}


def zsl(one: Table, data: Path, scratch: Path) -> np.ndarray:
    """ZSL accuracy of each class split, in percent: (splits,)."""
    scores = run(one, data, scratch).over_splits().loc[one.aligner]["zsl"]
    return 100 * scores.sort_index().to_numpy()


def as_cell(values: np.ndarray, sign: str = "") -> str:
    """Mean and standard error over splits."""
    mean, error = mean_and_error(values)
    return as_text({"mean": mean, "se": error}, sign)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a Markdown table: sets in columns, switches in rows."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.switches", description=__doc__)
    parser.add_argument("data", type=Path, help="the folder of the real sets")
    parser.add_argument("--scratch", type=Path, default=Path("data/training/results"))
    parser.add_argument("--splits", type=int, default=40, help="class splits")
    given = parser.parse_args(arguments)
    rows: dict[str, list[str]] = {f"`{name}`": [] for name in ("clean", *SWITCHES)}
    for dataset, unseen in zip(SETS, (5, 3, 3), strict=True):
        plain = Table(dataset, unseen, "motion", "vae", (), given.splits)
        clean = zsl(plain, given.data, given.scratch)
        rows["`clean`"].append(as_cell(clean))
        for switch in SWITCHES:
            other = dataclasses.replace(plain, protocol=((switch, INSTEAD[switch]),))
            without = zsl(other, given.data, given.scratch)
            rows[f"`{switch}`"].append(as_cell(clean - without, "+"))
    print(f"| | {' | '.join(SETS)} |")
    print("|---" * (1 + len(SETS)) + "|")
    for name, cells in rows.items():
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
