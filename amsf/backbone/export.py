"""The backbone stage: recordings and a split -> both phases' features in the published layout.

N = samples · C = classes. Beside the published files each folder has ``names.json``, the
recording behind each row, with ``features: motion`` also ``train_people.npy``, whose recording it
is; and the output's top folder holds the two extractors.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from amsf.backbone.joined import (
    Motions,
    folder_of,
    load_others,
    load_recorded,
    material_of,
    motion_of,
)
from amsf.backbone.phase_features import make_features
from amsf.backbone.roles import Roles, assign_roles, refuse_copies
from amsf.base.artifacts import encoder_name
from amsf.base.storage import write_array, write_json
from amsf.dataset.layout import ALSO, FILES, NAMES, PEOPLE, array_file, phase_folder
from amsf.dataset.splits import Split
from amsf.machine.device import find_device, set_up
from amsf.machine.parallel import side_by_side
from amsf.settings.params import Settings
from amsf.skeleton.partition import training_mask
from amsf.skeleton.poses import Poses
from amsf.skeleton.recordings import SkeletonSet


@dataclass(frozen=True)
class PhaseResult:
    """The result of training a phase's encoder.

    Attributes:
        phase: ``test`` or ``val``.
        trained: the number of training samples.
        accuracy: the share of right answers (0 to 1) among the seen classes, on recordings that
            were not trained on.
        tested: the number of those recordings.
    """

    phase: str
    trained: int
    accuracy: float
    tested: int


def export_features(
    source: Path,
    split: Split,
    settings: Settings,
    out: Path,
    snapshots: Path | None = None,
    kind: str = "backbone",
) -> list[PhaseResult]:
    """Fit the extractor of each phase and write its features below ``out``.

    The phases run side by side: on the CPU ``compute.jobs`` at a time with ``compute.threads``
    each, or on the workers of a Dask cluster. Where nothing but a linear classifier is fitted, both
    are done here, in seconds. The motion summaries, which know no classes, are made once for both.

    Args:
        source: the folder of the skeleton set, or of the table of features.
        split: the benchmark's class split.
        settings: the benchmark's settings; ``backbone`` and ``compute`` are read.
        out: the folder to fill: the published layout (:mod:`amsf.dataset.layout`) and
            what :mod:`amsf.backbone.extractors` saves as ``encoder_{test|val}``, and the poses of
            :mod:`amsf.skeleton.poses`.
        snapshots: folder where interrupted training goes on from; remove it when ``out`` is safe.
        kind: the benchmark's ``features``, any but ``published``.

    Raises:
        InputError: there are no recordings, or they do not fit the split or the partition.
    """
    recordings = load_recorded(source, split.dataset, kind)
    folder = folder_of(source, split.dataset, kind)
    training = training_mask(recordings, settings.backbone.partition, folder)
    refuse_copies(recordings, training)
    roles = assign_roles(recordings, training, split, settings.backbone.seed)
    out.mkdir(parents=True, exist_ok=True)
    compute = settings.compute
    if kind in ("motion", "table"):
        compute = compute.model_copy(update={"jobs": 1, "scheduler": ""})
    elif not compute.scheduler and find_device(compute.device).type != "cpu":
        compute = compute.model_copy(update={"jobs": 1})
    out, snapshots = out.resolve(), snapshots and snapshots.resolve()
    others = load_others(source, recordings, [other.dataset for other in split.also], kind)
    sets = {split.dataset: recordings, **others}
    motions = {name: motion_of(kind, recorded) for name, recorded in sets.items()}
    shared = (source.resolve(), split, settings, roles, out, snapshots, kind, motions)
    tasks = [(phase, *shared) for phase in roles]
    if isinstance(recordings, SkeletonSet):  # for the report, which has no recordings
        Poses.of(recordings, split.unseen, roles["test"]["gtest"]).save(out)
    return side_by_side(export_phase, tasks, compute, "encoders trained")


def export_phase(
    phase: str,
    source: Path,
    split: Split,
    settings: Settings,
    roles: Roles,
    out: Path,
    snapshots: Path | None,
    kind: str,
    motions: Motions,
) -> PhaseResult:
    """Fit one phase's extractor, write its folder, and save it."""
    device = set_up(settings.compute)
    recordings = load_recorded(source, split.dataset, kind)
    params, (seen, unseen) = settings.backbone, split.of_phase(phase)
    material = material_of(phase, split, source, recordings, kind, motions)
    made = make_features(
        material,
        roles[phase],
        seen,
        split.classes,
        params,
        device,
        f"encoder of the {phase} phase",
        snapshots,
    )
    folder = phase_folder(out, split, phase)
    names: dict[str, list[str]] = {}
    hits: list[np.ndarray] = []

    def write(role: str, rows: np.ndarray, features: np.ndarray, logits: np.ndarray) -> None:
        files = FILES[phase][role]
        write_array(array_file(folder, files.features), features)
        write_array(array_file(folder, files.labels), recordings.label[rows])
        if files.logits:
            write_array(array_file(folder, files.logits), logits)
        names[role] = [recordings.names[i] for i in rows]

    for role, rows in roles[phase].items():
        features, logits = made.roles[role]
        write(role, rows, features, logits)
        label = recordings.label[rows]
        if role == "train" and kind == "motion":
            write_array(array_file(folder, PEOPLE), recordings.subject[rows])
        if role == "gtest":
            new = np.isin(label, unseen)
            write("ztest", rows[new], features[new], logits[new])
        if role in ("gtest", "val"):
            known = np.isin(label, seen)
            best = np.asarray(seen)[logits[known][:, seen].argmax(1)]
            hits.append(best == label[known])
    if made.joined is not None:
        write_array(array_file(folder, ALSO.features), made.joined[0])
        write_array(array_file(folder, ALSO.labels), made.joined[1])
    write_json(folder / NAMES, names)
    note = {
        "dataset": split.dataset,
        "simulated": isinstance(recordings, SkeletonSet) and recordings.simulated,
        "phase": phase,
        "classes": list(seen),
        "trained_on": len(roles[phase]["train"]),
        "trained_also_on": {
            other.dataset: len(j.rows) for other, j in zip(split.also, material.joined)
        },
        "settings": params.model_dump(),
    }
    if made.extractor is None:
        write_json(out / f"{encoder_name(phase)}.json", {**note, "features": kind})
    else:
        made.extractor.save(out, encoder_name(phase), note)
    hit = np.concatenate(hits)
    return PhaseResult(phase, len(roles[phase]["train"]), float(hit.mean()), len(hit))
