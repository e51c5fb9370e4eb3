"""What the report shows of a benchmark, gathered from the artifacts of its stages.

N = samples · C = classes · U = unseen classes · V = text views. Fractions here,
percent on the page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from amsf.base.artifacts import DATA, DESCRIPTIONS, METRICS, Artifacts, encoder_name, seed_folder
from amsf.base.cosines import cosine_matrix
from amsf.base.errors import InputError
from amsf.base.storage import read_json
from amsf.dataset.classes import load_classes
from amsf.dataset.splits import Split
from amsf.evaluation.latent_map import LatentMap
from amsf.evaluation.metrics import class_accuracies
from amsf.report.published_results import Conditions
from amsf.settings.params import Benchmark, Params, Settings
from amsf.skeleton.poses import Poses
from amsf.study.summary import Study
from amsf.text.features import MANIFEST, TextFeatures, load_text_features

SEEN = "a seen class"
LOSS, WEIGHT = "loss_", "weight_"  # beginnings of columns in a training curve


@dataclass(frozen=True, eq=False)
class BenchmarkData:
    """One benchmark's results and how they came about.

    Attributes:
        key: its name in params.yaml.
        entry, settings: its parameters, the latter with its ``set`` laid over all others.
        split: its classes.
        labels: C class names.
        simulated: whether the recordings are made, not measured.
        metrics: ``metrics.json`` of the evaluation.
        zsl: one row a sample and seed: seed, label, prediction.
        gzsl: likewise for all test samples; None where only ZSL was evaluated.
        curve: seed, threshold, seen, unseen; None likewise.
        cycles: phase, seed, cycle, zsl_accuracy, classes_loss.
        losses: phase, seed, cycle, step (through all cycles), and of each loss term of the
            alignment method its mean, ``loss_*``, and its weight, ``weight_*``; no row where the
            method learns without steps.
        chosen: (phase, seed) -> the chosen cycle, counted from 1.
        text_similarity: (C, C) cosines between class texts, averaged over the model's views.
        text: manifest of the text features.
        features: manifest of the skeleton features.
        latent: the map of the first seed's shared space.
        texts: view in use -> C texts; empty where text vectors were imported.
        poses: of one recording of each unseen class; None where features were imported.
        study: its methods over many class splits; None where nobody asked for it.
        other_labels: class names of each other dataset that trains too.
    """

    key: str
    entry: Benchmark
    settings: Settings
    split: Split
    labels: tuple[str, ...]
    simulated: bool
    metrics: dict[str, Any]
    zsl: pd.DataFrame
    gzsl: pd.DataFrame | None
    curve: pd.DataFrame | None
    cycles: pd.DataFrame
    losses: pd.DataFrame
    chosen: dict[tuple[str, int], int]
    text_similarity: np.ndarray
    text: dict[str, Any]
    features: dict[str, Any]
    latent: LatentMap
    texts: dict[str, tuple[str, ...]]
    poses: Poses | None
    study: Study | None
    other_labels: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds that were evaluated."""
        return tuple(sorted(int(seed) for seed in self.metrics["seeds"]))

    @property
    def conditions(self) -> Conditions:
        """What decides whether published results compare."""
        return Conditions(
            dataset=self.split.dataset,
            seen=len(self.split.seen),
            unseen=len(self.split.unseen),
            simulated=self.simulated,
            features=self.entry.features,
            text_encoder=self.text["encoder"],
            split=self.split.kind,
            selection=self.metrics["selection"],
            also=tuple(other.dataset for other in self.split.also),
        )


def gather(
    key: str, params: Params, data: Path = DATA, studies: Path = METRICS.many_splits
) -> BenchmarkData:
    """Read what the stages left of a benchmark, and what a study of class splits found.

    Raises:
        InputError: an artifact is missing or damaged.
    """
    entry, settings = params.benchmark(key), params.for_benchmark(key)
    made = Artifacts(key, data)
    split, evaluation, models = Split.load(made.split), made.evaluation_files, made.models
    metrics = read_json(evaluation.metrics)
    seeds = sorted(int(seed) for seed in metrics["seeds"])
    gzsl = curve = None
    if "H" in metrics["mean"]:
        gzsl = _of_seeds(evaluation.predictions, seeds)
        curve = _read(evaluation.curve)
    zsl = _of_seeds(evaluation.zsl_predictions, seeds)
    text = load_text_features(made.text_features)
    return BenchmarkData(
        key=key,
        entry=entry,
        settings=settings,
        split=split,
        labels=tuple(load_classes(split.dataset, made.classes)["label"].astype(str)),
        other_labels={
            other.dataset: tuple(load_classes(other.dataset, made.classes)["label"].astype(str))
            for other in split.also
        },
        simulated=_is_simulated(made, entry),
        metrics=metrics,
        zsl=zsl,
        gzsl=gzsl,
        curve=curve,
        cycles=_of_phases(models, "cycles.csv", seeds),
        losses=_through_cycles(_of_phases(models, "curve.csv", seeds)),
        chosen={
            (phase, seed): read_json(folder / "config.json")["cycle"] + 1
            for phase, seed, folder in _phases(models, seeds)
        },
        text_similarity=_similarity(text, settings.model.views),
        text=read_json(made.text_features / MANIFEST),
        features=read_json(made.features / "manifest.json"),
        latent=LatentMap.load(evaluation.latent_map),
        texts=_texts(data / DESCRIPTIONS.name / split.dataset, settings),
        poses=Poses.load(made.backbone) if entry.reads_recordings else None,
        study=Study.load(studies / key) if (studies / key).is_dir() else None,
    )


def unseen_confusion(benchmark: BenchmarkData) -> pd.DataFrame:
    """What test samples of unseen classes are taken for: (U, U [+ 1]) counts over all seeds.

    Rows are true, columns predicted class ids; where GZSL was evaluated, a last column ``SEEN``
    counts those taken for any seen class.
    """
    table = benchmark.zsl if benchmark.gzsl is None else benchmark.gzsl
    unseen = list(benchmark.split.unseen)
    table = table[table["label"].isin(unseen)]
    predicted = table["prediction"].where(table["prediction"].isin(unseen), SEEN)
    columns = [*unseen, *([] if benchmark.gzsl is None else [SEEN])]
    counts = pd.crosstab(table["label"], predicted)
    return counts.reindex(index=unseen, columns=columns, fill_value=0)


def confused_pairs(benchmark: BenchmarkData, side: str, count: int) -> list[tuple[int, int, float]]:
    """The likeliest mistakes: (true class, what it is taken for, share of its samples).

    Args:
        benchmark: its data.
        side: ``unseen`` or ``seen``: which true classes.
        count: how many pairs, likeliest first.
    """
    table = benchmark.zsl if benchmark.gzsl is None else benchmark.gzsl
    table = table[table["label"].isin(getattr(benchmark.split, side))]
    totals = table["label"].value_counts()
    wrong = table[table["label"] != table["prediction"]]
    counts = wrong.groupby(["label", "prediction"]).size()
    pairs = zip(*(counts.index.get_level_values(level) for level in (0, 1)), counts)
    shares = [(int(a), int(b), float(n / totals[a])) for a, b, n in pairs]
    return sorted(shares, key=lambda pair: (-pair[2], pair))[:count]


def class_accuracy(benchmark: BenchmarkData, task: str) -> np.ndarray:
    """Accuracies of the classes, a row a seed: (seeds, C), NaN for classes without samples.

    Args:
        benchmark: its data.
        task: ``zsl`` or ``gzsl``.
    """
    table = benchmark.zsl if task == "zsl" else benchmark.gzsl
    assert table is not None
    return np.stack(
        [
            class_accuracies(
                part["label"].to_numpy(), part["prediction"].to_numpy(), benchmark.split.classes
            )
            for part in (table[table["seed"] == seed] for seed in benchmark.seeds)
        ]
    )


def loss_terms(benchmark: BenchmarkData) -> dict[str, str]:
    """Names of the method's loss terms: as columns of ``losses`` -> as they are shown."""
    columns = [c for c in benchmark.losses.columns if c.startswith(LOSS)]
    return {column: column.removeprefix(LOSS).replace("_", " ") for column in columns}


def term_weights(benchmark: BenchmarkData) -> dict[str, str]:
    """Columns of ``losses`` with a weight that is not always 1 -> the terms that it weighs.

    Terms that share their weights at every step are one entry.
    """
    shown: dict[str, str] = {}
    for column in (c for c in benchmark.losses.columns if c.startswith(WEIGHT)):
        values = benchmark.losses[column]
        if (values == 1).all():
            continue
        name = column.removeprefix(WEIGHT).replace("_", " ")
        same = next((other for other in shown if benchmark.losses[other].equals(values)), None)
        if same is None:
            shown[column] = name
        else:
            shown[same] += f" and {name}"
    return shown


def _texts(folder: Path, settings: Settings) -> dict[str, tuple[str, ...]]:
    """The texts as they were encoded; of several samples the first."""
    if settings.text.encoder == "published":
        return {}
    found: dict[str, tuple[str, ...]] = {}
    for view in settings.model.views:
        table = _read(folder / f"{view}.csv", dtype={"text": str}, keep_default_na=False)
        found[view] = tuple(table.groupby("id")["text"].first())
    return found


def _is_simulated(made: Artifacts, entry: Benchmark) -> bool:
    """The demo's recordings are; those that features were made from say so themselves."""
    if entry.dataset == "demo":
        return True
    if not entry.knows_all:
        return False
    note = read_json(made.backbone / f"{encoder_name('test')}.json")
    return bool(note.get("simulated"))


def _read(path: Path, **options: Any) -> pd.DataFrame:
    if not path.is_file():
        raise InputError(f"{path}: no such file; run `dvc repro`")
    try:
        return pd.read_csv(path, **options)
    except ValueError as error:
        raise InputError(f"{path}: not a readable CSV file ({error}); run `dvc repro`") from error


def _of_seeds(path_of: Callable[[int], Path], seeds: Sequence[int]) -> pd.DataFrame:
    tables = [_read(path_of(seed)).assign(seed=seed) for seed in seeds]
    # The evaluation calls the true class of a GZSL sample `labels`.
    return pd.concat(tables, ignore_index=True).rename(columns={"labels": "label"})


def _of_phases(models: Path, name: str, seeds: Sequence[int]) -> pd.DataFrame:
    parts = [
        _read(folder / name).assign(phase=phase, seed=seed)
        for phase, seed, folder in _phases(models, seeds)
    ]
    return pd.concat(parts, ignore_index=True)


def _phases(models: Path, seeds: Sequence[int]) -> Iterator[tuple[str, int, Path]]:
    """(phase, seed, folder) of each trained model; ZSL alone has no validation phase."""
    for seed in seeds:
        for phase in ("test", "val"):
            folder = seed_folder(models, seed) / phase
            if phase == "test" or folder.is_dir():
                yield phase, seed, folder


def _through_cycles(losses: pd.DataFrame) -> pd.DataFrame:
    """Count ``step`` through all cycles instead of within each."""
    if losses.empty:  # the method learns without steps
        return losses
    length = int(losses["step"].max())
    return losses.assign(step=losses["step"] + losses["cycle"] * length)


def _similarity(text: TextFeatures, views: Sequence[str]) -> np.ndarray:
    return np.mean([cosine_matrix(text.select([view])[:, 0]) for view in views], axis=0)
