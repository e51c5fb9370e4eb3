"""The backbone stage: recordings and a split -> both phases' features in the published layout.

N = samples · C = classes. Beside the published files each folder has ``names.json``, the
recording behind each row, and the output's top folder holds the two encoders.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from amsf.backbone.network import EncoderShape
from amsf.backbone.preprocessing import prepare
from amsf.backbone.roles import Roles, assign_roles, refuse_copies
from amsf.backbone.training import encode, save_encoder, train_encoder
from amsf.base.artifacts import encoder_name
from amsf.base.errors import InputError
from amsf.base.storage import write_array, write_json
from amsf.dataset.classes import origin_of
from amsf.dataset.layout import FILES, NAMES, array_file, phase_folder
from amsf.dataset.splits import Split
from amsf.machine.device import find_device, set_up
from amsf.machine.parallel import side_by_side
from amsf.settings.params import Settings
from amsf.skeleton.joints import layout_of
from amsf.skeleton.partition import training_mask
from amsf.skeleton.recordings import FILE_NAME, SkeletonSet


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


def load_recordings(source: Path, dataset: str) -> SkeletonSet:
    """Open the skeleton set of a benchmark's source folder.

    Raises:
        InputError: there is none; the message says where recordings come from and how to pack them.
    """
    path = source / FILE_NAME
    if not path.is_file():
        origin = origin_of(dataset, "your own recordings")
        raise InputError(
            f"{path}: no such file, so there are no recordings to train the skeleton encoder of "
            f"'{dataset}' on. They come from {origin}. Pack them with `python -m amsf.pack` (see "
            f"its --help) into {source}, or set the benchmark's `features: published`"
        )
    return SkeletonSet.load(path)


def export_features(
    source: Path, split: Split, settings: Settings, out: Path, snapshots: Path | None = None
) -> list[PhaseResult]:
    """Train the encoder of each phase and write its features below ``out``.

    The phases run side by side: on the CPU ``compute.jobs`` at a time with ``compute.threads``
    each, or on the workers of a Dask cluster.

    Args:
        source: the folder of the skeleton set.
        split: the benchmark's class split.
        settings: the benchmark's settings; ``backbone`` and ``compute`` are read.
        out: the folder to fill with the published layout (:mod:`amsf.dataset.layout`) and
            ``encoder_{test|val}.{safetensors,json}``.
        snapshots: folder where interrupted training goes on from; remove it when ``out`` is safe.

    Raises:
        InputError: there are no recordings, or they do not fit the split or the partition.
    """
    recordings = load_recordings(source, split.dataset)
    training = training_mask(recordings, settings.backbone.partition, source)
    refuse_copies(recordings, training)
    roles = assign_roles(recordings, training, split, settings.backbone.seed)
    out.mkdir(parents=True, exist_ok=True)
    compute = settings.compute
    if not compute.scheduler and find_device(compute.device).type != "cpu":
        compute = compute.model_copy(update={"jobs": 1})
    out, snapshots = out.resolve(), snapshots and snapshots.resolve()
    tasks = [(source.resolve(), split, settings, phase, roles, out, snapshots) for phase in roles]
    return side_by_side(export_phase, tasks, compute, "encoders trained")


def export_phase(
    source: Path,
    split: Split,
    settings: Settings,
    phase: str,
    roles: Roles,
    out: Path,
    snapshots: Path | None,
) -> PhaseResult:
    """Train one phase's encoder and write its folder and checkpoint."""
    device = set_up(settings.compute)
    recordings = load_recordings(source, split.dataset)
    layout, params = layout_of(recordings.layout), settings.backbone
    seen, unseen = split.of_phase(phase)
    shape = EncoderShape(recordings.layout, split.classes, params.frames)
    rows = roles[phase]["train"]
    samples = prepare(recordings, rows, layout, params.frames)
    name = f"encoder of the {phase} phase"
    label = recordings.label[rows]
    encoder = train_encoder(samples, label, seen, shape, params, device, name, snapshots)
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
        if role != "train":
            samples = prepare(recordings, rows, layout, params.frames)
        features, logits = (part.numpy() for part in encode(encoder, samples, device))
        write(role, rows, features, logits)
        label = recordings.label[rows]
        if role == "gtest":
            new = np.isin(label, unseen)
            write("ztest", rows[new], features[new], logits[new])
        if role in ("gtest", "val"):
            known = np.isin(label, seen)
            best = np.asarray(seen)[logits[known][:, seen].argmax(1)]
            hits.append(best == label[known])
    write_json(folder / NAMES, names)
    note = {
        "dataset": split.dataset,
        "simulated": recordings.simulated,
        "phase": phase,
        "classes": list(seen),
        "trained_on": len(roles[phase]["train"]),
        "settings": params.model_dump(),
    }
    save_encoder(out, encoder_name(phase), encoder, note)
    hit = np.concatenate(hits)
    return PhaseResult(phase, len(roles[phase]["train"]), float(hit.mean()), len(hit))
