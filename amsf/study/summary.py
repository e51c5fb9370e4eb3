"""What many class splits say: means with standard errors, and paired differences of methods.

The split is the unit: seeds within a split are averaged first, so a difference is that of two
methods on the same classes. Read by the report and by ``amsf.compare`` too, which load no model: so
nothing here imports torch.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd

from amsf.base.errors import InputError
from amsf.base.storage import atomic_path, write_json, write_text

SCORES, SUMMARY = "scores.csv", "summary.json"  # of a study's folder
# Columns of the scores that are none; `classes` are the ids of the unseen ones.
ABOUT = ("split", "classes", "method", "seed")
# Behind a method's name: its scores after a second look at all test samples at once.
TRANSDUCTIVE = ", transductive"


@dataclass(frozen=True, eq=False)
class Study:
    """Methods scored on the same class splits.

    Attributes:
        about: how the scores came about: ``benchmark``, its ``dataset`` and ``features``, numbers
            of ``unseen`` classes and of ``splits``, the ``method`` that the others are held
            against, ``settings``, whether the recordings are ``simulated``, and checksums of
            ``recordings``, ``texts`` and ``code``.
        scores: a row for each split, method and seed: the columns :data:`ABOUT`, and fractions.
    """

    about: dict[str, Any]
    scores: pd.DataFrame

    @property
    def methods(self) -> list[str]:
        """Their names, in the order of the scores."""
        return list(self.scores["method"].unique())

    def over_splits(self) -> pd.DataFrame:
        """Scores of each method on each split: index (method, split), columns scores, fractions."""
        table = self.scores.drop(columns=["seed", "classes"])
        return table.groupby(["method", "split"], sort=False).mean()

    def summary(self) -> dict[str, dict[str, dict[str, float]]]:
        """Percent: method -> score -> ``mean``, ``se``, ``difference`` and ``difference_se``.

        The difference is paired, from ``about["method"]``, which has none; one split has no
        standard error.
        """
        return summarise_splits(self.over_splits(), self.about["method"])

    def headline(self) -> dict[str, Any]:
        """What `dvc metrics` shows: the number of splits, and ZSL and H of each method, percent."""
        return {
            "splits": self.about["splits"],
            **{
                method: {
                    score: {
                        part: round(scores[score][part], 2)
                        for part in ("mean", "se")
                        if part in scores[score]
                    }
                    for score in ("zsl", "H")
                    if score in scores
                }
                for method, scores in self.summary().items()
            },
        }

    def save(self, folder: Path) -> None:
        """Write ``scores.csv`` and ``summary.json``, replacing an older study as a whole."""
        with atomic_path(folder) as temporary:
            table = self.scores.to_csv(index=False, lineterminator="\n")
            write_text(temporary / SCORES, table)
            write_json(temporary / SUMMARY, {"about": self.about, "methods": self.summary()})

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what :meth:`save` wrote.

        Raises:
            InputError: a file is missing or something else.
        """
        paths = [folder / name for name in (SCORES, SUMMARY)]
        for path in paths:
            if not path.is_file():
                raise InputError(f"{path}: no such file; run `python -m amsf.study` again")
        scores, summary = (path.read_bytes() for path in paths)
        return cls.of(scores, summary, str(folder))

    @classmethod
    def of(cls, scores: bytes, summary: bytes, where: str) -> Self:
        """A study from the bytes of its two files.

        Raises:
            InputError: they are something else; the message names ``where``.
        """
        try:
            table = pd.read_csv(io.BytesIO(scores))
            about = dict(json.loads(summary)["about"])
            study = cls(about, table)
            if about["method"] not in study.methods or {*ABOUT} - {*table.columns}:
                raise ValueError(f"columns {', '.join(map(str, table.columns))}")
            if about["splits"] != table["split"].nunique():
                raise ValueError(f"{table['split'].nunique()} splits of {about['splits']}")
            study.summary()
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"{where}: not a study that this version can read ({error!r}); run `python -m "
                "amsf.study` again"
            ) from error
        return study

    def changes(self, entry: Mapping[str, Any], settings: Mapping[str, Any]) -> list[str]:
        """In what it differs from a benchmark as it is now, as ``model.heads 4 -> 8``.

        Args:
            entry: has ``dataset``, ``features``, ``unseen`` and ``also``.
            settings: sections of parameters; those that the study does not keep are not compared.
        """
        kept = parameters(self.about)
        now = parameters({**self.about, **entry, "settings": settings})
        return [
            f"{name} {kept[name]} -> {now.get(name)}"
            for name in kept
            if kept[name] != now.get(name)
        ]


def parameters(about: Mapping[str, Any]) -> dict[str, Any]:
    """What a study's scores were made with, each parameter with its section."""
    leaves = {
        f"{section}.{name}": value
        for section, values in about["settings"].items()
        for name, value in values.items()
    }
    also = {"also": list(about.get("also", ()))}  # which a study of old has not
    return {**leaves, **{name: about[name] for name in ("dataset", "features", "unseen")}, **also}


def summarise_splits(table: pd.DataFrame, base: str) -> dict[str, dict[str, dict[str, float]]]:
    """See :meth:`Study.summary`; ``table`` is of :meth:`Study.over_splits`."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for method in table.index.get_level_values("method").unique():
        own = table.loc[method]
        found[method] = {}
        for score in (s for s in table.columns if own[s].notna().all()):
            mean, error = mean_and_error(100 * own[score].to_numpy())
            entry = {"mean": mean, "se": error}
            if method != base:
                paired = (own[score] - table.loc[base][score]).to_numpy()
                entry["difference"], entry["difference_se"] = mean_and_error(100 * paired)
            found[method][score] = {k: round(v, 4) for k, v in entry.items() if np.isfinite(v)}
    return found


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
    mean = round(value["mean"], 1) + 0.0  # no -0.0
    return f"{mean:{sign}.1f}{error}"


def paired_difference(scores: dict[str, dict[str, float]], score: str) -> str:
    """A method's paired difference in a score, as :func:`as_text`; nothing of the base."""
    entry = scores.get(score, {})
    if "difference" not in entry:
        return ""
    parts = {"mean": entry["difference"]}
    if "difference_se" in entry:
        parts["se"] = entry["difference_se"]
    return as_text(parts, "+")
