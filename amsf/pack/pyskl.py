"""The ``.pkl`` of pyskl and MMAction2: all recordings of a dataset in one pickle.

It is a dict of ``split`` (name -> the recordings in it) and ``annotations``, a list of dicts with
``frame_dir`` (the recording's name), ``label`` (0-based), ``keypoint`` (M, T, J, C) and, for 2-D
poses, ``keypoint_score`` (M, T, J); an older form is the list alone. A score of 0 marks a joint
that was not found.

M = persons, T = frames, J = joints, C = coordinates (2 or 3).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from amsf.base.errors import InputError, OtherContentError
from amsf.base.pickles import read_pickle
from amsf.pack.base import LeftOut, Reading, Task, plan_by_suffix, tracks_of
from amsf.pack.ntu import parse_name
from amsf.skeleton.cleaning import RawRecording

SUFFIX = ".pkl"
FORM = "NAME.pkl of pyskl or MMAction2"


def plan(files: Sequence[Path], classes: int | None) -> tuple[list[Task], list[LeftOut]]:
    """The ``.pkl`` files, and the others."""
    return plan_by_suffix(files, SUFFIX, FORM)


def read(task: Task) -> Reading:
    """Read one file.

    Raises:
        OtherContentError: it is no list of annotations, or the pickle names what is not admitted.
        InputError: as :func:`amsf.base.pickles.read_pickle`.
    """
    (path,) = task
    content = read_pickle(path)
    items: Any = content.get("annotations") if isinstance(content, dict) else content
    whole = isinstance(items, list) and all(isinstance(item, dict) for item in items)
    if not whole or not any("keypoint" in item for item in items):
        raise OtherContentError(
            f"{path}: no list of annotations; expected a pickle as pyskl writes it"
        )
    reading = Reading("", [], train=_training(content))
    for at, item in enumerate(items):
        name = str(item.get("frame_dir", item.get("filename", f"{path.stem}_{at}")))
        try:
            reading.recordings.append(_recording(item, name))
        except InputError as error:
            reading.left_out.append(LeftOut(path, f"recording {name!r}: {error}", name))
    return reading


def _recording(item: Mapping[str, Any], name: str) -> RawRecording:
    keypoint, score = item.get("keypoint"), item.get("keypoint_score")
    if (
        not isinstance(keypoint, np.ndarray)
        or keypoint.ndim != 4
        or keypoint.dtype.kind not in "fiu"
    ):
        raise InputError("no array keypoint of (persons, frames, joints, 2 or 3) numbers")
    joints = keypoint.astype(np.float64)
    if score is not None:
        if not isinstance(score, np.ndarray) or score.shape != joints.shape[:3]:
            raise InputError(f"keypoint_score does not fit keypoint {joints.shape}")
        joints[score <= 0] = 0
    short = name.replace("\\", "/").rsplit("/", 1)[-1]
    numbers = dict(parse_name(short) or {})
    label = item.get("label", -1)
    if not isinstance(label, int | np.integer):
        raise InputError(f"label is {label!r}; expected a 0-based number")
    return RawRecording(tracks_of(joints), short, numbers | {"label": int(label)})


def _training(content: Any) -> tuple[str, ...]:
    """The recordings of the first split that is one to train on."""
    splits = content.get("split") if isinstance(content, dict) else None
    names = next((v for k, v in (splits or {}).items() if "train" in str(k)), ())
    return tuple(str(name).rsplit("/", 1)[-1] for name in names)
