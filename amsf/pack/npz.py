"""The generic format: one ``.npz`` with a user's own recordings, read and written.

| array | shape | |
|---|---|---|
| ``joints`` | (R, J, 3) | a recording's rows after another's; zeros or NaN where lost |
| ``offset`` | (N + 1,) | recording i has the rows ``offset[i]:offset[i + 1]`` |
| ``names`` | (N,) | unique, unicode |
| ``joint_names`` | (J,) | those of a layout of :mod:`amsf.skeleton.joints`, in any order |
| ``label`` | (N,) | 0-based class ids |
| ``subject``, ``camera``, ``setup`` | (N,) | optional |
| ``persons`` | (N,) | optional, 1 or 2: all rows of the first person, then of the second |

R = rows, N = recordings, J = joints.
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from amsf.base.archives import expect_integers, expect_texts, read_archive
from amsf.base.errors import InputError, OtherContentError, counted
from amsf.base.storage import atomic_path
from amsf.pack.base import LeftOut, Reading, Task
from amsf.skeleton.bodies import Track
from amsf.skeleton.cleaning import RawRecording
from amsf.skeleton.joint_names import arranged, match_layout
from amsf.skeleton.joints import layout_of
from amsf.skeleton.recordings import UNKNOWN, SkeletonSet

SUFFIX = ".npz"
FORM = "NAME.npz"
_NUMBERS = ("label", "subject", "camera", "setup")
_LARGEST = 2**31 - 1  # of a label or another number


def plan(files: Sequence[Path], classes: int | None) -> tuple[list[Task], list[LeftOut]]:
    """The ``.npz`` files, and the others; ``classes`` is checked after reading."""
    tasks: list[Task] = [(file,) for file in files if file.suffix.lower() == SUFFIX]
    reason = f"the name is not of the form {FORM}"
    return tasks, [LeftOut(file, reason) for file in files if file.suffix.lower() != SUFFIX]


def read(task: Task) -> Reading:
    """Read one file.

    Raises:
        OtherContentError: neither joints nor their names are in the archive.
        InputError: the file is not readable, an array is missing or has another shape or type,
            or no layout has the joint names.
    """
    (path,) = task
    try:
        return _read(path)
    except InputError as error:
        members = _members(path)
        other = members and not {"joints.npy", "joint_names.npy"} & set(members)
        raise (OtherContentError if other else InputError)(f"{path}: {error}") from error


def _read(path: Path) -> Reading:
    arrays = _arrays(path)
    layout, order = match_layout([str(name) for name in arrays["joint_names"]])
    joints, offset = arrays["joints"], arrays["offset"]
    count = len(arrays["joint_names"])
    if (
        joints.ndim != 3
        or joints.shape[1:] != (len(arrays["joint_names"]), 3)
        or joints.dtype.kind not in "fiu"
    ):
        raise InputError(
            f"joints is {joints.dtype} {joints.shape}; expected numbers (rows, {count}, 3)"
        )
    names = [str(name) for name in arrays["names"]]
    expect_integers("offset", offset, len(names) + 1)
    if offset[0] != 0 or offset[-1] != len(joints) or (np.diff(offset) < 0).any():
        raise InputError(
            f"offset must rise from 0 to the {len(joints)} rows of joints; it runs from "
            f"{offset[0]} to {offset[-1]}"
        )
    numbers: dict[str, np.ndarray] = {}
    for key in (*_NUMBERS, "persons"):
        default = 1 if key == "persons" else UNKNOWN
        numbers[key] = arrays.get(key, np.full(len(names), default))
        expect_integers(key, numbers[key], len(names))
    joints = arranged(joints, order)
    reading = Reading(layout, [])
    for i, name in enumerate(names):
        try:
            rows, persons = joints[offset[i] : offset[i + 1]], int(numbers["persons"][i])
            if persons not in (1, 2) or len(rows) == 0 or len(rows) % persons:
                found = counted(len(rows), "row")
                raise InputError(f"it has {found} for {counted(persons, 'person')}")
            blocks = rows.reshape(persons, -1, len(order), 3)
            own = {key: int(numbers[key][i]) for key in _NUMBERS}
            odd = [key for key, value in own.items() if not UNKNOWN <= value <= _LARGEST]
            if odd:
                raise InputError(f"{odd[0]} is {own[odd[0]]}; expected 0 or more (-1: unknown)")
            if not name.strip() or not name.isprintable():
                raise InputError(f"the name of recording {i} is {name!r}; expected printable text")
            bodies = [Track(np.arange(len(block)), block) for block in blocks]
            reading.recordings.append(RawRecording(bodies, name, own, main_first=True))
        except InputError as error:
            reading.left_out.append(LeftOut(path, f"recording {name!r}: {error}", name))
    return reading


def fits(path: Path) -> bool:
    """Whether an ``.npz`` has the array of this format's joints."""
    return "joints.npy" in _members(path)


def _members(path: Path) -> list[str]:
    """The names of an archive's members; none where it is no readable archive."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return []


def _arrays(path: Path) -> dict[str, np.ndarray]:
    required = ("joints", "offset", "names", "joint_names")
    arrays = read_archive(path, required, (*_NUMBERS, "persons"), "docs/skeletons.md")
    for key in ("names", "joint_names"):
        expect_texts(key, arrays[key])
    return arrays


def write(path: str | Path, skeletons: SkeletonSet) -> None:
    """Write a set as a generic ``.npz``, atomically; reading it gives the same recordings."""
    arrays = {key: getattr(skeletons, key) for key in ("joints", "offset", "persons", *_NUMBERS)}
    arrays["names"] = np.array(skeletons.names, dtype=np.str_)
    arrays["joint_names"] = np.array(layout_of(skeletons.layout).joints)
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)
