"""An experiment's evaluation of one benchmark: answers of each seed, and what they came from.

N = test samples · C = classes.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pandas as pd

from amsf.base.artifacts import Artifacts
from amsf.base.errors import InputError
from amsf.base.yaml import parse_yaml
from amsf.compare.revisions import Snapshot
from amsf.compare.scores import Score, gzsl_scores, zsl_score
from amsf.dataset.layout import NAMES, phase_of

# Probabilities are written with 6 digits: enough to break a tie between two samples.
TOLERANCE = 1e-3


@dataclass(frozen=True)
class Origin:
    """What dvc.lock keeps of the stages behind an evaluation.

    Attributes:
        params: parameter with its section -> value, as it held for the benchmark.
        code: Python file -> checksum.
        source: checksum of the benchmark's recordings or published features; empty if unknown.
    """

    params: Mapping[str, Any]
    code: Mapping[str, str]
    source: str


@dataclass(frozen=True, eq=False)
class Evaluation:
    """One benchmark's evaluation in one experiment.

    Attributes:
        experiment: its name.
        benchmark: its key.
        switches: the protocol's, with its name and the selection.
        labels: the C class names.
        unseen: (C,) bool.
        val_unseen: ids of the validation-unseen classes.
        zsl: seed -> frame of ``label``, ``prediction``.
        gzsl: seed -> frame with the columns of ``predictions_seed*.csv``; empty for ZSL alone.
        recordings: the names of the test recordings by sample set; empty where they have none.
        origin: what it came from.
    """

    experiment: str
    benchmark: str
    switches: Mapping[str, Any]
    labels: tuple[str, ...]
    unseen: np.ndarray
    val_unseen: tuple[int, ...]
    zsl: Mapping[int, pd.DataFrame]
    gzsl: Mapping[int, pd.DataFrame]
    recordings: Mapping[str, tuple[str, ...]]
    origin: Origin

    @property
    def seeds(self) -> tuple[int, ...]:
        """Their numbers, rising."""
        return tuple(self.zsl)

    @property
    def simulated(self) -> bool:
        """Whether the recordings are simulated."""
        return self.origin.params.get(f"benchmarks.{self.benchmark}.dataset") == "demo"

    def scores(self, seed: int, *, per_class: bool = False) -> dict[str, Score]:
        """The scores of a seed, ``zsl`` and, for GZSL, ``seen``, ``unseen``, ``H``, ``ausuc``."""
        zsl = self.zsl[seed]
        label, prediction = zsl["label"].to_numpy(), zsl["prediction"].to_numpy()
        scores = {"zsl": zsl_score(label, prediction, per_class=per_class)}
        if seed in self.gzsl:
            table = self.gzsl[seed]
            is_unseen = self.unseen[table["labels"].to_numpy()]
            scores |= gzsl_scores(table, is_unseen, per_class=per_class)
        return scores


def benchmarks_of(snapshot: Snapshot) -> list[str]:
    """The benchmarks that are switched on in a revision.

    Raises:
        InputError: it has no params.yaml, or none that is YAML and lists benchmarks.
    """
    try:
        raw = parse_yaml(snapshot.read("params.yaml"), f"{snapshot.name}: params.yaml")
    except FileNotFoundError:
        raise InputError(f"{snapshot.name}: has no params.yaml") from None
    if not isinstance(raw, dict) or not isinstance(raw.get("benchmarks"), dict):
        raise InputError(f"{snapshot.name}: params.yaml has no benchmarks")
    return list(raw["benchmarks"])


def read_evaluation(snapshot: Snapshot, benchmark: str) -> Evaluation:
    """Read one benchmark's evaluation.

    Raises:
        InputError: there is none, its content is not at hand, or its predictions do not give the
            scores that it states.
    """
    files = Artifacts(benchmark).evaluation_files
    try:
        metrics = json.loads(snapshot.read(str(files.metrics)))
        classes = _table(snapshot, files.per_class)
        seeds = sorted(int(seed) for seed in metrics["seeds"])
        zsl = {s: _table(snapshot, files.zsl_predictions(s)) for s in seeds}
        has_gzsl = "H" in metrics["mean"]
        gzsl = {s: _table(snapshot, files.predictions(s)) for s in seeds if has_gzsl}
        evaluation = Evaluation(
            experiment=snapshot.name,
            benchmark=benchmark,
            switches=metrics["switches"],
            labels=tuple(classes["label"].astype(str)),
            unseen=(classes["side"] == "unseen").to_numpy(),
            val_unseen=_val_unseen(snapshot, benchmark),
            zsl=zsl,
            gzsl=gzsl,
            recordings=_recordings(snapshot, benchmark),
            origin=_origin(snapshot, benchmark),
        )
    except FileNotFoundError as error:
        path = str(error.filename or error)
        raise InputError(
            f"{snapshot.name}: has no results of {benchmark} ({path} is missing); run it with "
            "`dvc repro` or `dvc exp run` first"
        ) from None
    except InputError:
        raise
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{snapshot.name}: {files.folder} is not an evaluation that this version can read "
            f"({type(error).__name__}: {error}); run the `evaluate` stage again"
        ) from None
    _check_scores(evaluation, metrics["seeds"])
    return evaluation


def _check_scores(evaluation: Evaluation, stated: Mapping[str, Any]) -> None:
    for seed in evaluation.seeds:
        for name, score in evaluation.scores(seed).items():
            stated_score = float(stated[str(seed)][name]["overall"])
            if abs(score.value - stated_score) > TOLERANCE:
                raise InputError(
                    f"{evaluation.experiment}: the predictions of {evaluation.benchmark} seed "
                    f"{seed} give {name} {score.value:.4f}, but its metrics.json says "
                    f"{stated_score:.4f}; "
                    "the files do not belong together: run the `evaluate` stage again"
                )


def _table(snapshot: Snapshot, path: Path) -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(snapshot.read(str(path))), keep_default_na=False)


def _val_unseen(snapshot: Snapshot, benchmark: str) -> tuple[int, ...]:
    return tuple(json.loads(snapshot.read(str(Artifacts(benchmark).split)))["val_unseen"])


def _recordings(snapshot: Snapshot, benchmark: str) -> dict[str, tuple[str, ...]]:
    """The names behind the test phase's samples, which our encoder writes beside its features."""
    for path in map(PurePosixPath, snapshot.find(str(Artifacts(benchmark).backbone))):
        if path.name == NAMES and phase_of(path.parent.name) == "test":
            names = json.loads(snapshot.read(str(path).lstrip("/")))
            return {kind: tuple(names[kind]) for kind in ("ztest", "gtest") if kind in names}
    return {}


def _origin(snapshot: Snapshot, benchmark: str) -> Origin:
    stages = parse_yaml(snapshot.read("dvc.lock"), f"{snapshot.name}: dvc.lock")["stages"]
    params: dict[str, Any] = {}
    code: dict[str, str] = {}
    data: dict[str, str] = {}
    for name, stage in stages.items():
        if name not in ("check", "describe") and not name.endswith(f"@{benchmark}"):
            continue
        for key, value in stage.get("params", {}).get("params.yaml", {}).items():
            params |= _leaves(key, value)
        for dep in stage.get("deps", []):
            kind = code if dep["path"].endswith(".py") else data
            kind[dep["path"]] = dep.get("md5", "")
    own = f"benchmarks.{benchmark}."
    params = {
        k: v for k, v in params.items() if k.startswith(own) or not k.startswith("benchmarks.")
    }
    # As they held: what the benchmark sets for itself lies over the sections.
    for name in [name for name in params if name.startswith(f"{own}set.")]:
        params[name.removeprefix(f"{own}set.")] = params.pop(name)
    return Origin(params, code, data.get(str(params.get(f"{own}source")), ""))


def _leaves(key: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        return {key: value}
    found: dict[str, Any] = {}
    for name, inner in value.items():
        found |= _leaves(f"{key}.{name}", inner)
    return found
