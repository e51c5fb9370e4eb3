"""Recordings of other datasets that train in a phase too.

They lie in the benchmark's source folder, each set in a folder of its dataset's name: so whatever
a benchmark is made of is below one folder, which its stages depend on. All of a set's recordings
train but those of the classes that are left out; none of them is tested.

N = recordings of a role · R = recordings of a set · F = feature width.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from amsf.backbone.motion import motion_features
from amsf.backbone.table import TABLE_NAME, FeatureTable
from amsf.base.errors import InputError
from amsf.dataset.classes import origin_of
from amsf.dataset.splits import OtherSet, Split
from amsf.skeleton.correspondence import converted
from amsf.skeleton.recordings import FILE_NAME, SkeletonSet

RecordedSet = SkeletonSet | FeatureTable
Motions = Mapping[str, np.ndarray | None]


@dataclass(frozen=True)
class Joined:
    """The recordings of another dataset that train in a phase.

    Attributes:
        recorded: R recordings, or rows of a table.
        rows: (N,) those that train.
        label: (N,) their classes, by their ids behind the benchmark's own.
        motion: (R, ·) motion summaries of all; None where they are not used.
    """

    recorded: RecordedSet
    rows: np.ndarray
    label: np.ndarray
    motion: np.ndarray | None


@dataclass(frozen=True)
class Material:
    """What the features of a phase are made of.

    Attributes:
        kind: the benchmark's ``features``, any but ``published``.
        recorded: its own R recordings, or rows of a table.
        motion: (R, ·) motion summaries of all; None where they are not used.
        joined: the recordings of other datasets that train.
    """

    kind: str
    recorded: RecordedSet
    motion: np.ndarray | None
    joined: Sequence[Joined] = ()


def folder_of(source: Path, dataset: str, kind: str) -> Path:
    """Where a benchmark's own set lies: in the source folder, or below it as the others do."""
    below = source / dataset
    return below if (below / file_of(kind)).is_file() else source


def file_of(kind: str) -> str:
    """The name of the file that features of a kind are made of."""
    return TABLE_NAME if kind == "table" else FILE_NAME


def motion_of(kind: str, recorded: RecordedSet) -> np.ndarray | None:
    """The motion summaries of all recordings (R, ·), where a kind of features uses them."""
    if kind == "backbone" or isinstance(recorded, FeatureTable):
        return None
    return motion_features(recorded)


def load_recorded(source: Path, dataset: str, kind: str) -> RecordedSet:
    """Open what a benchmark's features are made of: its skeleton set, or its table of features.

    Args:
        source: the benchmark's source folder.
        dataset: its dataset's name.
        kind: its ``features``.

    Raises:
        InputError: there is none; the message says where it comes from.
    """
    return _open(folder_of(source, dataset, kind), dataset, kind)


def load_others(
    source: Path, own: RecordedSet, others: Sequence[str], kind: str
) -> dict[str, RecordedSet]:
    """Open the sets of other datasets that train too.

    Where the encoder is trained, they get the joints of the benchmark's own set.

    Args:
        source: the benchmark's source folder.
        own: its own set.
        others: the datasets' names.
        kind: the benchmark's ``features``.

    Raises:
        InputError: a set is missing; it lacks joints of ``own`` and the encoder is to be trained
            on both; its features are of another width; or a recording is in both.
    """
    found: dict[str, RecordedSet] = {}
    for dataset in others:
        folder = source / dataset
        if not (folder / file_of(kind)).is_file():
            raise InputError(
                f"{folder / file_of(kind)}: no such file. `also` has {dataset}, and a set that "
                "trains too lies in the benchmark's source folder, in a folder of its name: pack "
                "or copy it there, or take it out of `also`"
            )
        other = _open(folder, dataset, kind)
        _refuse_shared(own, other)
        found[dataset] = _alike(own, other, folder / file_of(kind), kind)
    return found


def material_of(
    phase: str, split: Split, source: Path, recorded: RecordedSet, kind: str, motions: Motions
) -> Material:
    """What the features of a phase are made of.

    Args:
        phase: ``test`` or ``val``.
        split: the class split, with the datasets that train too.
        source: the benchmark's source folder.
        recorded: its own set.
        kind: its ``features``.
        motions: dataset -> motion summaries of all its recordings.

    Raises:
        InputError: see :func:`load_others`; or a class that is to be learnt has no recording.
    """
    others = load_others(source, recorded, [other.dataset for other in split.also], kind)
    joined = [
        _joined(split, other, phase, others[other.dataset], motions[other.dataset])
        for other in split.also
    ]
    return Material(kind, recorded, motions[split.dataset], joined)


def _joined(
    split: Split, other: OtherSet, phase: str, recorded: RecordedSet, motion: np.ndarray | None
) -> Joined:
    recorded.validate(other.classes)
    wanted = np.setdiff1d(np.arange(other.classes), split.left_out(other, phase))
    empty = np.setdiff1d(wanted, recorded.label)
    if len(empty):
        raise InputError(
            f"classes {', '.join(map(str, empty))} of {other.dataset}, which `also` has, have no "
            "recording there: add some, or take the dataset out of `also`"
        )
    rows = np.flatnonzero(np.isin(recorded.label, wanted))
    return Joined(recorded, rows, other.first + recorded.label[rows], motion)


def _open(folder: Path, dataset: str, kind: str) -> RecordedSet:
    if kind == "table":
        return FeatureTable.load(folder / file_of(kind), dataset)
    return load_recordings(folder, dataset)


def load_recordings(source: Path, dataset: str) -> SkeletonSet:
    """Open the skeleton set of a folder.

    Raises:
        InputError: there is none; the message says where recordings come from and how to pack them.
    """
    path = source / FILE_NAME
    if not path.is_file():
        origin = origin_of(dataset, "your own recordings")
        raise InputError(
            f"{path}: no such file, so there are no recordings to make the features of "
            f"'{dataset}' from. They come from {origin}. Pack them with `python -m amsf.pack` (see "
            f"its --help) into {source}, or set the benchmark's `features: published`"
        )
    return SkeletonSet.load(path)


def _alike(own: RecordedSet, other: RecordedSet, path: Path, kind: str) -> RecordedSet:
    """Another set with features as wide, or joints the same, as those of the benchmark's own."""
    if isinstance(own, FeatureTable) or isinstance(other, FeatureTable):
        assert isinstance(own, FeatureTable)
        assert isinstance(other, FeatureTable)
        if own.features.shape[1] != other.features.shape[1]:
            raise InputError(
                f"{path}: features are {other.features.shape[1]} wide, those of {own.path} "
                f"{own.features.shape[1]}; expected features of one encoder"
            )
        return other
    if kind == "motion" or own.layout == other.layout:
        return other
    try:
        joints = converted(other.joints, other.layout, own.layout)
    except InputError as error:
        raise InputError(
            f"{path}: {error}; `features: motion` looks at joints that every layout has, or take "
            "the set out of `also`"
        ) from error
    return replace(other, joints=joints, layout=own.layout)


def _refuse_shared(own: RecordedSet, other: RecordedSet) -> None:
    digests = {hashlib.sha256(own[i].tobytes()).digest(): i for i in range(len(own))}
    for i in range(len(other)):
        at = digests.get(hashlib.sha256(other[i].tobytes()).digest())
        if at is not None and other[i].any():
            raise InputError(
                f"recording '{other.names[i]}' of {other.dataset}, which `also` has, is "
                f"'{own.names[at]}' of {own.dataset}: it would train under another name than it is "
                "tested under: leave it out of one of them, or take the dataset out of `also`"
            )
