"""One class split from recordings to scores: its features, its methods, all evaluated alike.

C = classes · V = text views · D = text width · N = recordings. A split has validation classes of
its own. Encoder, classifiers, texts and every choice see the training partition's recordings of the
seen classes alone; ZSL is scored on the test partition's recordings of the unseen classes, GZSL on
all of the test partition.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from amsf.backbone.joined import Motions, folder_of, load_recorded, material_of
from amsf.backbone.phase_features import make_features
from amsf.backbone.roles import assign_roles
from amsf.base.artifacts import phase_file, seed_folder
from amsf.base.storage import read_json, write_json
from amsf.dataset.splits import Split, random_split
from amsf.evaluation.baselines import evaluate_beside, evaluate_closed_form
from amsf.evaluation.evaluate import Result, evaluate, load_seed
from amsf.features.checks import ImportedSamples
from amsf.features.phases import load_phase, save_phase
from amsf.machine.device import set_up
from amsf.model.aligner import ClosedFormAligner, aligner_class
from amsf.settings.params import Settings
from amsf.settings.protocol import GATES
from amsf.skeleton.partition import training_mask
from amsf.training.runs import Inputs, train_benchmark

Row = dict[str, Any]


@dataclass(frozen=True)
class Source:
    """What every split of a benchmark is made from.

    Attributes:
        folder: the folder of its recordings, or of its table.
        features: ``backbone``, ``motion``, ``backbone+motion`` or ``table``.
        motions: dataset -> (N, ·) motion summaries of all recordings; None where they are not used.
        text: (C, V, D) text vectors in the order of ``settings.model.views``; those of other
            datasets that train too stand behind.
    """

    folder: Path
    features: str
    motions: Motions
    text: np.ndarray


def score_split(
    number: int, split: Split, source: Source, settings: Settings, scratch: Path
) -> list[Row]:
    """Score every method on one class split; a split that was scored before is read.

    Args:
        number: the split's number.
        split: its classes.
        source: what it is made from.
        settings: the benchmark's settings.
        scratch: a folder of this split's own, named by all that its scores depend on.

    Returns:
        A row for each method and seed: ``split``, ``method``, ``seed`` (empty for a closed form and
        for the ensemble of all seeds), and scores as fractions, every sample alike.
    """
    path = scratch / "scores.json"
    if path.is_file():
        rows: list[Row] = read_json(path)
        return rows
    export_phases(split, source, settings, scratch)
    phases = settings.evaluate.phases
    loaded = {phase: load_phase(phase_file(scratch, phase)) for phase in phases}
    test, val = loaded["test"], loaded.get("val")
    models = []
    rows = []
    method = settings.model.aligner
    if issubclass(aligner_class(method), ClosedFormAligner):
        result = evaluate_closed_form(method, test, val, source.text, split, settings, GATES)
        rows.append(_row(number, method, None, result))
    else:
        alone = settings.model_copy(
            update={"compute": settings.compute.model_copy(update={"jobs": 1, "scheduler": ""})}
        )
        inputs = Inputs(alone, split, source.text, scratch)
        train_benchmark(inputs, scratch / "models", scratch / "runs")
        for seed in settings.train.seeds:
            folder = seed_folder(scratch / "models", seed)
            models.append(load_seed(folder, validated=val is not None))
            result = evaluate(*models[-1], test, val, source.text, settings)
            rows.append(_row(number, method, seed, result))
    beside = evaluate_beside(models, test, val, source.text, split, settings, GATES)
    rows += [_row(number, name, None, result) for name, result in beside.items()]
    write_json(path, rows)
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
    device = set_up(settings.compute)
    recordings = load_recorded(source.folder, split.dataset, source.features)
    folder = folder_of(source.folder, split.dataset, source.features)
    training = training_mask(recordings, settings.backbone.partition, folder)
    roles = assign_roles(recordings, training, split, settings.backbone.seed)
    for phase in settings.evaluate.phases:
        if phase_file(out, phase).is_file():  # of a run that was interrupted
            continue
        seen, unseen = split.of_phase(phase)
        made = make_features(
            material_of(phase, split, source.folder, recordings, source.features, source.motions),
            roles[phase],
            seen,
            split.classes,
            settings.backbone,
            device,
            f"encoder of the {phase} phase",
            out / "snapshots",
        )
        samples = {
            role: ImportedSamples(features, recordings.label[roles[phase][role]], logits)
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
        "train": ImportedSamples(train.features, train.labels, None),
        "zsl": ImportedSamples(gated.features[new], gated.labels[new], None),
        "gzsl": gated,
    }


def _row(number: int, method: str, seed: int | None, result: Result) -> Row:
    scores = {name: by["overall"] for name, by in result.scores.items()}
    best = {f"H_best_{name}": worth["H_best"] for name, worth in result.gates.items()}
    chosen = {f"H_{name}": worth["H"] for name, worth in result.gates.items()}
    return {"split": number, "method": method, "seed": seed, **scores, **chosen, **best}
