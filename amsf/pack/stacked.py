"""Arrays that training scripts of CTR-GCN and ST-GCN make: all recordings of a dataset in one.

- CTR-GCN's ``.npz``: ``x_train``, ``x_test`` (N, T, M x J x 3), 300 frames and 150 values for two
  persons of 25 joints, zeros where nobody is; ``y_train``, ``y_test`` (N, classes) one-hot, or
  (N,) class ids.
- ST-GCN's ``NAME_data.npy`` (N, C, T, J, M) with ``NAME_label.pkl`` or ``.json`` beside it: a list
  of names and a list of class ids. Its 2-D poses have a score in place of the depth.

N = recordings, M = persons, T = frames, J = joints, C = coordinates (3).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

import numpy as np

from amsf.base.archives import read_archive
from amsf.base.errors import InputError, OtherContentError, counted
from amsf.base.pickles import read_pickle
from amsf.base.storage import read_json
from amsf.pack.base import LeftOut, Reading, Task, plan_by_suffix, tracks_of
from amsf.pack.ntu import parse_name
from amsf.skeleton.cleaning import RawRecording

CTRGCN_SUFFIX, STGCN_SUFFIX = ".npz", ".npy"
CTRGCN_FORM = "NAME.npz of CTR-GCN, with the arrays x_train and y_train"
STGCN_FORM = "NAME_data.npy of ST-GCN, with NAME_label.pkl or NAME_label.json beside it"
_PARTS = ("train", "test")
_VALUES = {150: (2, 25), 75: (1, 25), 60: (1, 20)}  # of a frame -> persons, joints
_SCORED = 18  # joints of OpenPose, whose third number is a score


def fits_ctrgcn(path: Path) -> bool:
    """Whether an ``.npz`` has the arrays of CTR-GCN's scripts."""
    try:
        with ZipFile(path) as archive:
            return any(name.startswith("x_t") for name in archive.namelist())
    except (OSError, BadZipFile):
        return False


def plan_ctrgcn(files: Sequence[Path], classes: int | None) -> tuple[list[Task], list[LeftOut]]:
    """The ``.npz`` files with such arrays, and the others."""
    return plan_by_suffix(files, CTRGCN_SUFFIX, CTRGCN_FORM, fits_ctrgcn)


def read_ctrgcn(task: Task) -> Reading:
    """Read one file; recordings are named ``train_000000``.

    Raises:
        OtherContentError: ``x_train`` or ``x_test`` has another shape.
        InputError: the file is not readable, or the labels do not fit.
    """
    (path,) = task
    reading = Reading("", [], train=())
    wanted = [f"{k}_{part}" for k in "xy" for part in _PARTS]
    try:
        arrays = read_archive(path, (), wanted, "docs/skeletons.md")
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    names = []
    for part in _PARTS:
        if f"x_{part}" not in arrays:
            continue
        x, y = arrays[f"x_{part}"], arrays.get(f"y_{part}")
        if x.ndim != 3 or x.shape[2] not in _VALUES or x.dtype.kind != "f":
            raise OtherContentError(
                f"{path}: x_{part} is {x.dtype} {x.shape}; expected (recordings, frames, 150), or "
                "75 or 60 values for one person"
            )
        if y is None or len(y) != len(x) or y.ndim > 2:
            found = "missing" if y is None else f"{y.shape}"
            raise InputError(f"{path}: y_{part} is {found}; expected the classes of {len(x)}")
        labels = y.argmax(1) if y.ndim == 2 else y.astype(np.int64)
        persons, joints = _VALUES[x.shape[2]]
        for i, values in enumerate(x):
            bodies = values.reshape(len(values), persons, joints, 3).transpose(1, 0, 2, 3)
            name = f"{part}_{i:06d}"
            names.append(name)
            numbers = {"label": int(labels[i])}
            reading.recordings.append(RawRecording(tracks_of(bodies), name, numbers))
    trained = tuple(name for name in names if name.startswith("train"))
    return Reading("", reading.recordings, train=trained if len(trained) < len(names) else ())


def plan_stgcn(files: Sequence[Path], classes: int | None) -> tuple[list[Task], list[LeftOut]]:
    """Pair the arrays with their labels."""
    tasks: list[Task] = []
    left_out = []
    there = set(files)
    for file in files:
        if file.suffix.lower() != STGCN_SUFFIX:
            if "_label" not in file.stem:
                left_out.append(LeftOut(file, f"the name is not of the form {STGCN_FORM}"))
            continue
        stem = file.stem.split("_data")[0]
        beside = [file.with_name(f"{stem}_label{end}") for end in (".pkl", ".json")]
        label = next((path for path in beside if path in there), None)
        if "_data" not in file.stem or label is None:
            left_out.append(LeftOut(file, f"no {stem}_label.pkl or .json beside it"))
        else:
            tasks.append((file, label))
    return tasks, left_out


def read_stgcn(task: Task) -> Reading:
    """Read an array with its labels, or an array alone.

    Raises:
        OtherContentError: the array has another shape.
        InputError: a file is not readable, or the two do not fit each other.
    """
    path = task[0]
    try:
        data = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not a readable .npy file ({error}); write it again") from error
    if not isinstance(data, np.ndarray) or data.ndim != 5 or data.shape[1] not in (2, 3):
        raise OtherContentError(
            f"{path}: it is {getattr(data, 'shape', 'several arrays')}; expected (recordings, 3, "
            "frames, joints, persons)"
        )
    part = path.stem.split("_data")[0]
    names, labels = [f"{part}_{i:06d}" for i in range(len(data))], [-1] * len(data)
    if len(task) > 1:
        names, labels = _labels(task[1], len(data))
    reading = Reading("", [], train=tuple(names) if part.endswith("train") else ())
    for i, name in enumerate(names):
        bodies = np.asarray(data[i], np.float64).transpose(3, 1, 2, 0)
        if data.shape[1] == 3 and data.shape[3] == _SCORED:
            bodies = np.where(bodies[..., 2:] > 0, bodies[..., :2], 0.0)
        numbers = dict(parse_name(name) or {}) | {"label": labels[i]}
        reading.recordings.append(RawRecording(tracks_of(bodies), name, numbers))
    return reading


def _labels(path: Path, count: int) -> tuple[list[str], list[int]]:
    content: Any = read_pickle(path) if path.suffix.lower() == ".pkl" else read_json(path)
    try:
        names, labels = content[:2]
        names = [Path(str(name)).stem for name in names]
        labels = [int(label) for label in labels]
    except (TypeError, ValueError, KeyError) as error:
        raise InputError(f"{path}: expected a list of names and a list of class ids") from error
    if not len(names) == len(labels) == count:
        raise InputError(
            f"{path}: {counted(len(names), 'name')} and {counted(len(labels), 'label')}; expected "
            f"{count} of each, as there are recordings"
        )
    return names, labels
