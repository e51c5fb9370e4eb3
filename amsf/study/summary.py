"""What many class splits say: means with standard errors, and paired differences of methods.

The split is the unit: seeds within a split are averaged first, so a difference is that of two
methods on the same classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

SCORES = ("zsl", "zsl_transductive", "seen", "unseen", "H", "ausuc")


def over_splits(rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Scores of each method on each split: index (method, split), columns scores, fractions."""
    return _of_splits(pd.DataFrame(rows))


def read_scores(folder: Path) -> pd.DataFrame:
    """:func:`over_splits` of what :func:`amsf.study.run.study` wrote into a folder."""
    return _of_splits(pd.read_csv(folder / "scores.csv"))


def _of_splits(table: pd.DataFrame) -> pd.DataFrame:
    return table.drop(columns="seed").groupby(["method", "split"], sort=False).mean()


def mean_and_error(values: np.ndarray) -> tuple[float, float]:
    """Mean and standard error over splits: (n,) -> two numbers; one split has an error of NaN."""
    values = np.asarray(values, float)
    error = values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else np.nan
    return float(values.mean()), float(error)


def as_text(value: dict[str, float], sign: str = "") -> str:
    """``71.0 ± 2.5`` of a mean and its error; one split has no error; nothing of nothing."""
    if not value:
        return ""
    error = f" ± {value['se']:.1f}" if "se" in value else ""
    return f"{value['mean']:{sign}.1f}{error}"


def summarise_splits(rows: Sequence[dict[str, Any]], base: str) -> dict[str, Any]:
    """Percent: method -> score -> mean, standard error, and the paired difference from ``base``.

    Args:
        rows: of all splits, see :func:`amsf.study.class_split.score_split`.
        base: the method that the others are held against.

    Returns:
        ``{method: {score: {mean, se, difference, difference_se}}}``; the base has no difference,
        and one split no standard error.
    """
    table = over_splits(rows)
    found: dict[str, Any] = {}
    for method in table.index.get_level_values("method").unique():
        own = table.loc[method]
        found[method] = {}
        for score in (s for s in table.columns if own[s].notna().all()):
            mean, error = mean_and_error(100 * own[score].to_numpy())
            entry = {"mean": mean, "se": error}
            if method != base and base in table.index.get_level_values("method"):
                paired = (own[score] - table.loc[base][score]).to_numpy()
                entry["difference"], entry["difference_se"] = mean_and_error(100 * paired)
            found[method][score] = {k: round(v, 2) for k, v in entry.items() if np.isfinite(v)}
    return found
