"""Tidy tables of the report's curves, for `dvc plots`: percent, one row a point.

Templates in ``.dvc/plots`` draw them (docs/report.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from amsf.base.storage import write_text
from amsf.base.tables import csv_text
from amsf.report.data import LOSS, SEEN, WEIGHT, BenchmarkData, loss_terms, term_weights

COLUMNS = {
    "curve": ("benchmark", "seed", "point", "threshold", "seen", "unseen"),
    "confusion": ("benchmark", "seed", "true", "predicted", "samples"),
    "accuracy": ("benchmark", "phase", "seed", "cycle", "accuracy"),
    "losses": ("benchmark", "phase", "seed", "cycle", "step", "term", "loss"),
    "weights": ("benchmark", "step", "term", "weight"),
}


def write_plot_tables(benchmarks: Sequence[BenchmarkData], folder: Path) -> None:
    """Write ``curve.csv``, ``confusion.csv``, ``accuracy.csv``, ``losses.csv`` and ``weights.csv``.

    A table without a row is not written: DVC cannot draw an empty one.

    Args:
        benchmarks: what the tables are made from.
        folder: where to; it exists.
    """
    makers = {
        "curve": curve_rows,
        "confusion": confusion_rows,
        "accuracy": accuracy_rows,
        "losses": loss_rows,
        "weights": weight_rows,
    }
    for name, rows_of in makers.items():
        parts = [rows_of(benchmark).assign(benchmark=benchmark.key) for benchmark in benchmarks]
        table = pd.concat(parts, ignore_index=True)
        if len(table):
            text = csv_text(table[list(COLUMNS[name])], float_format="%.6g")
            write_text(folder / f"{name}.csv", text)


def curve_rows(benchmark: BenchmarkData) -> pd.DataFrame:
    """The seen-unseen curve, and each seed's point at the gate's own threshold."""
    if benchmark.curve is None:
        return pd.DataFrame(columns=list(COLUMNS["curve"]))
    curve = benchmark.curve.assign(
        point="any threshold",
        seen=100 * benchmark.curve["seen"],
        unseen=100 * benchmark.curve["unseen"],
    )
    chosen = [
        {
            "seed": int(seed),
            "point": "the gate's threshold",
            "seen": 100 * scores["seen"]["overall"],
            "unseen": 100 * scores["unseen"]["overall"],
        }
        for seed, scores in benchmark.metrics["seeds"].items()
    ]
    return pd.concat([curve, pd.DataFrame(chosen)], ignore_index=True)


def confusion_rows(benchmark: BenchmarkData) -> pd.DataFrame:
    """Samples of each unseen class by what they are taken for; pairs that never occur are 0."""
    table = benchmark.zsl if benchmark.gzsl is None else benchmark.gzsl
    unseen = list(benchmark.split.unseen)
    names: dict[Any, str] = {c: f"{benchmark.labels[c]} {c}" for c in unseen}
    names[SEEN] = SEEN
    columns = [*unseen, *([] if benchmark.gzsl is None else [SEEN])]
    table = table[table["label"].isin(unseen)]
    predicted = table["prediction"].where(table["prediction"].isin(unseen), SEEN)
    counts = table.assign(predicted=predicted).groupby(["seed", "label", "predicted"]).size()
    every = pd.MultiIndex.from_product(
        [benchmark.seeds, unseen, columns], names=["seed", "label", "predicted"]
    )
    rows = counts.reindex(every, fill_value=0).rename("samples").reset_index()
    return rows.assign(
        true=rows["label"].map(names),
        predicted=rows["predicted"].map(names),
    )


def accuracy_rows(benchmark: BenchmarkData) -> pd.DataFrame:
    """Accuracy on a phase's own unseen classes after each cycle, where the protocol looks."""
    measured = benchmark.cycles[benchmark.cycles["zsl_accuracy"].notna()]
    return measured.assign(cycle=measured["cycle"] + 1, accuracy=100 * measured["zsl_accuracy"])


def loss_rows(benchmark: BenchmarkData) -> pd.DataFrame:
    """Each loss term, where it was computed: a term without weight may be left out, as 0."""
    columns = ["phase", "seed", "cycle", "step"]
    parts = [
        benchmark.losses[[*columns, loss, loss.replace(LOSS, WEIGHT, 1)]]
        .set_axis([*columns, "loss", "weight"], axis=1)
        .assign(term=name)
        for loss, name in loss_terms(benchmark).items()
    ]
    if not parts:
        return pd.DataFrame(columns=[*columns, "term", "loss"])
    rows = pd.concat(parts)
    rows = rows[rows["loss"].notna() & ((rows["weight"] > 0) | (rows["loss"] != 0))]
    return rows.assign(cycle=rows["cycle"] + 1)[[*columns, "term", "loss"]]


def weight_rows(benchmark: BenchmarkData) -> pd.DataFrame:
    """The weights that change, which are the same for every seed and phase."""
    shown = term_weights(benchmark)
    if not shown:
        return pd.DataFrame(columns=["step", "term", "weight"])
    one = max((run for _, run in benchmark.losses.groupby(["phase", "seed"])), key=len)
    rows = one.melt(["step"], list(shown), "term", "weight")
    return rows.assign(term=rows["term"].map(shown))
