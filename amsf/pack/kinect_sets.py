"""Three datasets of Kinect v1: MSR-Action3D, UTKinect-Action3D and Northwestern-UCLA.

- MSR-Action3D: ``aAA_sSS_eEE_skeleton3D.txt``, 20 lines of x y z confidence a frame, zeros where a
  joint was lost. The files without ``3D`` hold places in the picture and are left out.
- UTKinect: ``joints_sSS_eEE.txt``, a line a frame: its number and 20 x 3 metres; and
  ``actionLabel.txt``, for each ``sSS_eEE`` ten lines ``action: first last``, frames by number.
- NW-UCLA, as CTR-GCN has it: ``aAA_sSS_eEE_vVV.json`` with ``skeletons`` (T, 20, 3) and ``label``
  from 1 to 10; V is the camera.

T = frames, J = joints (20).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from amsf.base.errors import InputError, counted
from amsf.base.plain_text import read_plain_text
from amsf.base.storage import read_json
from amsf.pack.base import (
    SDK_ORDER,
    LeftOut,
    Reading,
    Task,
    number_table,
    plan_by_name,
    plan_by_suffix,
)
from amsf.skeleton.bodies import Track
from amsf.skeleton.cleaning import RawRecording
from amsf.skeleton.joints import layout_of

SUFFIX, UCLA_SUFFIX = ".txt", ".json"
MSR_FORM = "aAA_sSS_eEE_skeleton3D.txt"
UTK_FORM = "joints_sSS_eEE.txt, with actionLabel.txt"
UCLA_FORM = "aAA_sSS_eEE_vVV.json"
LAYOUT = "kinect20"
_MSR = re.compile(r"a(\d+)_s(\d+)_e(\d+)_skeleton3D", re.IGNORECASE)
_UTK = re.compile(r"joints_s(\d+)_e(\d+)", re.IGNORECASE)
_UCLA = re.compile(r"a(\d+)_s(\d+)_e(\d+)_v(\d+)", re.IGNORECASE)
_UTK_LABELS = "actionlabel.txt"
_UTK_ACTIONS = (
    *("walk", "sitDown", "standUp", "pickUp", "carry"),
    *("throw", "push", "pull", "waveHands", "clapHands"),
)
_MSR_ORDER = (
    *("right_shoulder", "left_shoulder", "shoulder_center", "spine", "right_hip", "left_hip"),
    *("hip_center", "right_elbow", "left_elbow", "right_wrist", "left_wrist", "right_hand"),
    *("left_hand", "right_knee", "left_knee", "right_ankle", "left_ankle", "right_foot"),
    *("left_foot", "head"),
)


def fits_msr(path: Path) -> bool:
    """Whether a file has the name of one of MSR-Action3D."""
    return _MSR.fullmatch(path.stem) is not None


def plan_msr(files: Sequence[Path], classes: int | None) -> tuple[list[Task], list[LeftOut]]:
    """The files that are recordings by their names, and the others."""
    return plan_by_name(files, SUFFIX, MSR_FORM, _msr_name, classes)


def read_msr(task: Task) -> Reading:
    """Read one file of MSR-Action3D.

    Raises:
        InputError: it is empty, or not 20 lines of four numbers a frame.
    """
    (path,) = task
    table = number_table(path, 4)
    if len(table) % 20:
        lines = counted(len(table), "line")
        raise InputError(f"{path}: {lines}; expected 20 a frame: it is cut short")
    joints = table[:, :3].reshape(-1, 20, 3)
    numbers = _msr_name(path.stem) or {}
    return _one(joints, _MSR_ORDER, path.stem.replace("_skeleton3D", ""), numbers)


def fits_utk(path: Path) -> bool:
    """Whether a file has the name of one of UTKinect."""
    return _UTK.fullmatch(path.stem) is not None


def plan_utk(files: Sequence[Path], classes: int | None) -> tuple[list[Task], list[LeftOut]]:
    """The files of joints, each with the one file of labels."""
    labels = [file for file in files if file.name.lower() == _UTK_LABELS]
    joints, left_out = plan_by_suffix(
        [file for file in files if file not in labels], SUFFIX, UTK_FORM, fits_utk
    )
    if not labels:
        left_out += [LeftOut(task[0], "no actionLabel.txt in the folder") for task in joints]
        joints = []
    return [(task[0], labels[0]) for task in joints], left_out


def read_utk(task: Task) -> Reading:
    """Read one file of UTKinect: a recording an action, or all of it without the labels.

    Raises:
        InputError: a file is empty or has another form.
    """
    path = task[0]
    table = number_table(path, 61)
    _, last = np.unique(table[::-1, 0], return_index=True)  # frames may stand there twice
    table = table[len(table) - 1 - last]
    frames, joints = table[:, 0], table[:, 1:].reshape(-1, 20, 3)
    match = _UTK.fullmatch(path.stem)
    numbers = {"subject": int(match[1])} if match else {}
    if len(task) == 1:
        return _one(joints, SDK_ORDER, path.stem, numbers)
    reading = Reading(LAYOUT, [])
    stem = path.stem.lower().removeprefix("joints_")
    for action, span in _intervals(task[1], stem).items():
        name = f"{action}_{stem}"
        inside = (frames >= span[0]) & (frames <= span[1])
        if not inside.any():
            found = f"frames {span[0]:g} to {span[1]:g} are not in the file"
            reading.left_out.append(LeftOut(path, f"recording {name!r}: {found}", name))
            continue
        label = {"label": _UTK_ACTIONS.index(action)}
        reading.recordings.extend(_one(joints[inside], SDK_ORDER, name, numbers | label).recordings)
    return reading


def fits_ucla(path: Path) -> bool:
    """Whether a file has the name of one of NW-UCLA."""
    return _UCLA.fullmatch(path.stem) is not None


def plan_ucla(files: Sequence[Path], classes: int | None) -> tuple[list[Task], list[LeftOut]]:
    """The files that are recordings by their names, and the others."""
    return plan_by_suffix(files, UCLA_SUFFIX, UCLA_FORM, fits_ucla)


def read_ucla(task: Task) -> Reading:
    """Read one file of NW-UCLA.

    Raises:
        InputError: it is not JSON, or has no skeletons or label.
    """
    (path,) = task
    content = read_json(path)
    try:
        joints = np.array(content["skeletons"], np.float64)
        label = int(content["label"]) - 1
    except (TypeError, KeyError, ValueError) as error:
        raise InputError(
            f"{path}: no skeletons and label as numbers ({type(error).__name__}: {error}); "
            "expected (frames, 20, 3), and a label from 1 to 10"
        ) from error
    if joints.ndim != 3 or joints.shape[1:] != (20, 3) or not len(joints) or label < 0:
        raise InputError(
            f"{path}: skeletons are {joints.shape}, the label is {label + 1}; expected (frames, "
            "20, 3) and a label from 1 to 10"
        )
    match = _UCLA.fullmatch(path.stem)
    numbers = {"subject": int(match[2]), "camera": int(match[4])} if match else {}
    return _one(joints, SDK_ORDER, path.stem, numbers | {"label": label})


def _one(joints: np.ndarray, order: Sequence[str], name: str, numbers: dict[str, int]) -> Reading:
    """(T, 20, 3) joints in some order as the one recording of a reading."""
    at = [order.index(joint) for joint in layout_of(LAYOUT).joints]
    body = Track(np.arange(len(joints)), joints[:, at])
    return Reading(LAYOUT, [RawRecording([body], name, numbers)])


def _msr_name(stem: str) -> dict[str, int] | None:
    match = _MSR.fullmatch(stem)
    return match and {"label": int(match[1]) - 1, "subject": int(match[2])}


def _intervals(path: Path, stem: str) -> dict[str, tuple[float, float]]:
    """Action -> (first, last) frame of one recording of UTKinect; those that are not there aside.

    Raises:
        InputError: the recording is not in the file, or a line is none.
    """
    found: dict[str, tuple[float, float]] = {}
    inside = seen = False
    for at, line in enumerate(read_plain_text(path).splitlines(), start=1):
        action, colon, span = line.partition(":")
        if not colon:
            if line.strip():
                inside = line.strip().lower() == stem
                seen |= inside
            continue
        if not inside:
            continue
        try:
            first, last = map(float, span.split())
            known = {name.lower(): name for name in _UTK_ACTIONS}[action.strip().lower()]
        except (ValueError, KeyError) as error:
            raise InputError(
                f"{path}: line {at} is '{line.strip()[:40]}'; expected `action: first last`"
            ) from error
        if not np.isnan(first):  # how the authors write that an action is missing
            found[known] = (first, last)
    if not seen:
        raise InputError(f"{path}: nothing about '{stem}'; expected a line with that name")
    return found
