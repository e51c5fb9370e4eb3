"""One class split from recordings to scores: its features, its methods, all evaluated alike.

C = classes · V = text views · D = text width · N = recordings. A split has validation classes of
its own. Encoder, classifiers, texts and every choice see the training partition's recordings of the
seen classes alone; ZSL is scored on the test partition's recordings of the unseen classes, GZSL on
all of the test partition.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from amsf.backbone.joined import Motions, folder_of, load_recorded, material_of
from amsf.backbone.phase_features import make_features
from amsf.backbone.roles import assign_roles
from amsf.base.artifacts import phase_file, seed_folder
from amsf.base.errors import InputError
from amsf.base.storage import read_json, write_json
from amsf.dataset.splits import Split, random_split
from amsf.evaluation.baselines import evaluate_beside, evaluate_closed_form
from amsf.evaluation.evaluate import Result, Scores, evaluate, load_seed
from amsf.features.checks import ImportedSamples
from amsf.features.phases import load_phase, save_phase
from amsf.machine.device import set_up
from amsf.machine.snapshots import code_digest
from amsf.model.aligner import ClosedFormAligner, aligner_class
from amsf.settings.params import Settings
from amsf.settings.protocol import GATES
from amsf.skeleton.partition import training_mask
from amsf.study.summary import TRANSDUCTIVE
from amsf.training.runs import Inputs, train_benchmark

# Rooms that studies import, this one included: scores are gone on from with equal code alone.
ROOMS = (
    "backbone", "base", "dataset", "evaluation", "features", "machine", "model", "settings",
    "skeleton", "stage", "study", "training",
)  # fmt: skip
CODE = code_digest(ROOMS)

Row = dict[str, Any]


@dataclass(frozen=True)
class Source:
    """What every split of a benchmark is made from.

    Attributes:
        folder: its source folder.
        features: ``backbone``, ``motion``, ``backbone+motion`` or ``table``.
        motions: dataset -> (N, ·) motion summaries of all recordings; None where they are not used.
        text: (C, V, D) text vectors in the order of ``settings.model.views``; those of other
            datasets that train too stand behind.
        encoders: where trained encoders are kept, each by all that it depends on.
    """

    folder: Path
    features: str
    motions: Motions
    text: np.ndarray
    encoders: Path


def score_split(
    number: int,
    split: Split,
    source: Source,
    settings: Settings,
    features: Path,
    scratch: Path,
    code: str,
) -> list[Row]:
    """Score every method on one class split; a split that was scored before is read.

    Args:
        number: the split's number.
        split: its classes.
        source: what it is made from.
        settings: the benchmark's settings.
        features: the folder of this split's features, named by all that they depend on.
        scratch: a folder of this split's own, named by all that its scores depend on.
        code: :data:`CODE` of the process that asks.

    Returns:
        A row for each method and seed: :data:`amsf.study.summary.ABOUT` (``seed`` is empty for a
        closed form and for the ensemble of all seeds), and scores as fractions, every sample alike.
        Transductive scores are rows of their own.

    Raises:
        InputError: this process has other code than the one that asks; or see
            :func:`export_phases`, :func:`amsf.training.runs.train_benchmark` and
            :func:`amsf.evaluation.evaluate.evaluate`.
    """
    if code != CODE:
        raise InputError(
            "this worker has another version of amsf than the process that asks; restart the "
            "workers in the repository's folder"
        )
    path = scratch / "scores.json"
    if not path.is_file():
        try:
            write_json(path, _scored(number, split, source, settings, features, scratch))
        except InputError:
            # Another process that scores the split may end first, and remove what both train.
            if not path.is_file():
                raise
    for trained in ("models", "runs"):  # some 150 MB a seed, which nothing reads any more
        shutil.rmtree(scratch / trained, ignore_errors=True)
    rows: list[Row] = read_json(path)
    return rows


def _scored(
    number: int, split: Split, source: Source, settings: Settings, features: Path, scratch: Path
) -> list[Row]:
    """Train and score every method on a split, as :func:`score_split` says."""
    export_phases(split, source, settings, features)
    phases = settings.evaluate.phases
    loaded = {phase: load_phase(phase_file(features, phase)) for phase in phases}
    test, val = loaded["test"], loaded.get("val")
    models = []
    rows: list[Row] = []
    method = settings.model.aligner
    if issubclass(aligner_class(method), ClosedFormAligner):
        result = evaluate_closed_form(method, test, val, source.text, split, settings, GATES)
        rows += _rows(number, split, method, None, result)
    else:
        alone = settings.model_copy(
            update={"compute": settings.compute.model_copy(update={"jobs": 1, "scheduler": ""})}
        )
        inputs = Inputs(alone, split, source.text, features)
        train_benchmark(inputs, scratch / "models", scratch / "runs")
        for seed in settings.train.seeds:
            folder = seed_folder(scratch / "models", seed)
            models.append(load_seed(folder, validated=val is not None))
            result = evaluate(*models[-1], test, val, source.text, settings)
            rows += _rows(number, split, method, seed, result)
    beside = evaluate_beside(models, test, val, source.text, split, settings, GATES)
    for name, result in beside.items():
        rows += _rows(number, split, name, None, result)
    return rows


def draw_split(dataset: str, classes: int, unseen: int, seed: int) -> Split:
    """Draw the unseen classes uniformly, then the validation-unseen ones from the seen.

    There are as many of these, but at most half of the seen ones, so that as many are left to train
    on.

    Raises:
        InputError: half of the classes or more are unseen.
    """
    split = random_split(dataset, classes, unseen, seed)
    held = min(unseen, len(split.seen) // 2)
    drawn = np.random.default_rng(seed).permutation(split.val_unseen)[:held]
    val_unseen = tuple(sorted(int(c) for c in drawn))
    val_seen = tuple(c for c in split.seen if c not in val_unseen)
    return replace(split, val_seen=val_seen, val_unseen=val_unseen)


def export_phases(split: Split, source: Source, settings: Settings, out: Path) -> None:
    """Write both phases' features of a split, each as one file, as the features stage does."""
    missing = [p for p in settings.evaluate.phases if not phase_file(out, p).is_file()]
    if not missing:  # made for other methods, or by a run that was interrupted
        return
    device = set_up(settings.compute)
    recordings = load_recorded(source.folder, split.dataset, source.features)
    folder = folder_of(source.folder, split.dataset, source.features)
    training = training_mask(recordings, settings.backbone.partition, folder)
    roles = assign_roles(recordings, training, split, settings.backbone.seed)
    for phase in missing:
        seen, unseen = split.of_phase(phase)
        made = make_features(
            material_of(phase, split, source.folder, recordings, source.features, source.motions),
            roles[phase],
            seen,
            split.classes,
            settings.backbone,
            device,
            f"encoder of the {phase} phase",
            source.encoders,
        )
        samples = {
            role: ImportedSamples(
                features,
                recordings.label[roles[phase][role]],
                logits,
                recordings.subject[roles[phase][role]] if source.features == "motion" else None,
            )
            for role, (features, logits) in made.roles.items()
        }
        sets = _sets(phase, samples, unseen)
        if made.joined is not None:
            sets["also"] = ImportedSamples(*made.joined, None)
        save_phase(phase_file(out, phase), sets)


def _sets(
    phase: str, roles: Mapping[str, ImportedSamples], unseen: tuple[int, ...]
) -> dict[str, ImportedSamples]:
    """The sets of a phase (:mod:`amsf.features.phases`) from the roles of its recordings."""
    train = roles["train"]
    gated = (
        roles["gtest"] if phase == "test" else ImportedSamples.stack([roles["ztest"], roles["val"]])
    )
    assert gated.logits is not None
    new = np.isin(gated.labels, unseen)
    return {
        "train": ImportedSamples(train.features, train.labels, None, train.people),
        "zsl": ImportedSamples(gated.features[new], gated.labels[new], None),
        "gzsl": gated,
    }


def _rows(number: int, split: Split, method: str, seed: int | None, result: Result) -> list[Row]:
    """A method's scores on a split, and apart from them what a second look gives."""
    about = {"split": number, "classes": " ".join(map(str, split.unseen)), "seed": seed}
    best = {f"H_best_{name}": worth["H_best"] for name, worth in result.gates.items()}
    chosen = {f"H_{name}": worth["H"] for name, worth in result.gates.items()}
    if result.gate_name is not None:
        best["H_best"] = result.gates[result.gate_name]["H_best"]
    rows = [{**about, "method": method, **_overall(result.scores), **chosen, **best}]
    if result.transductive:
        name = f"{method}{TRANSDUCTIVE}"
        rows.append({**about, "method": name, **_overall(result.transductive)})
    return rows


def _overall(scores: Scores) -> dict[str, float]:
    return {name: by["overall"] for name, by in scores.items()}
