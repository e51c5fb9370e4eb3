"""NTU RGB+D and NTU RGB+D 120: ``SsssCcccPpppRrrrAaaa.skeleton`` text files of Kinect v2.

A file holds the number of frames; per frame the number of bodies; per body a line of ten values
(the tracking id first), the number of joints (25), and per joint a line of twelve: x y z in
metres, then its place in the depth and colour images, its rotation and its state.

K = frames of a track, J = joints (25).
"""

from __future__ import annotations

import re
import warnings
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from amsf.base.errors import InputError, counted
from amsf.base.plain_text import read_plain_text
from amsf.pack.base import LeftOut, Reading, Task, plan_by_name
from amsf.skeleton.bodies import Track
from amsf.skeleton.cleaning import RawRecording

SUFFIX = ".skeleton"
FORM = "SsssCcccPpppRrrrAaaa.skeleton"
LAYOUT = "kinect25"
_NAME = re.compile(r"S(\d{3})C(\d{3})P(\d{3})R(\d{3})A(\d{3})")
_JOINTS = 25
_VALUES = 12
_DIGITS = 9  # of a count; Python refuses to read thousands of them


def parse_name(stem: str) -> dict[str, int] | None:
    """``label`` (0-based), ``subject``, ``camera`` and ``setup`` of a file's name, or None."""
    match = _NAME.fullmatch(stem)
    if match is None:
        return None
    setup, camera, subject, _, action = map(int, match.groups())
    return {"label": action - 1, "subject": subject, "camera": camera, "setup": setup}


def read_bodies(path: Path) -> list[Track]:
    """Read the bodies of one ``.skeleton`` file, each with its (K, 25, 3) joints.

    Raises:
        InputError: the file is empty, cut short or too long, a count is wrong, or something is not
            a number.
    """
    text = read_plain_text(path)
    try:
        return _tracks(text.split("\n"))
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def plan(files: Sequence[Path], classes: int | None) -> tuple[list[Task], list[LeftOut]]:
    """The files that are recordings by their names, and the others."""
    return plan_by_name(files, SUFFIX, FORM, parse_name, classes)


def read(task: Task) -> Reading:
    """Read one file with what its name says; numbers are -1 where the name has another form.

    Raises:
        InputError: as :func:`read_bodies`.
    """
    (path,) = task
    numbers = parse_name(path.stem) or {}
    return Reading(LAYOUT, [RawRecording(read_bodies(path), path.stem, numbers)])


def _tracks(lines: list[str]) -> list[Track]:
    """The bodies of a file by their tracking ids.

    Ids stay text: they are near 2^56, where doubles no longer distinguish neighbours.
    """
    if not any(line.strip() for line in lines):
        raise InputError("the file is empty")
    frames = _count(lines, 0, "frames")
    at = 1
    first_lines: list[int] = []  # of each body's joints
    places: dict[tuple[str, int], list[tuple[int, int]]] = defaultdict(list)  # -> (frame, body)
    for frame in range(frames):
        bodies = _count(lines, at, "bodies", f" in frame {frame} of {frames}")
        at += 1
        seen: Counter[str] = Counter()
        for _ in range(bodies):
            where = f" in frame {frame} of {frames}"
            joints = _count(lines, at + 1, "joints", where)
            if joints != _JOINTS:
                raise InputError(f"line {at + 2} says {joints} joints{where}; expected {_JOINTS}")
            identity = lines[at].split(None, 1)[0] if lines[at].strip() else ""
            seen[identity] += 1
            # Two bodies of one frame are two, whatever their ids.
            places[identity, seen[identity]].append((frame, len(first_lines)))
            first_lines.append(at + 2)
            at += 2 + _JOINTS
            if at > len(lines):
                raise InputError(f"cut short: the file ends{where}")
    if any(line.strip() for line in lines[at:]):
        raise InputError(f"line {at + 1}: more text after the last of {frames} frames")
    xyz = _positions(lines, first_lines)
    return [
        Track(np.array([frame for frame, _ in track]), xyz[[body for _, body in track]])
        for track in places.values()
    ]


def _count(lines: list[str], at: int, what: str, where: str = "") -> int:
    text = lines[at].strip() if at < len(lines) else ""
    if not text and not any(line.strip() for line in lines[at:]):
        raise InputError(f"cut short: the file ends{where or f' before the number of {what}'}")
    if not text.isdecimal() or len(text) > _DIGITS:
        raise InputError(f"line {at + 1} is '{text[:40]}'{where}; expected a number of {what}")
    return int(text)


def _positions(lines: list[str], first_lines: list[int]) -> np.ndarray:
    """The (bodies, 25, 3) positions of the joint lines that start at ``first_lines``."""
    rows = [line for at in first_lines for line in lines[at : at + _JOINTS]]
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # how numpy reports text that is not a number
        try:
            values = np.fromstring(" ".join(rows), sep=" ")
        except (DeprecationWarning, ValueError):
            return _positions_checked(rows, first_lines)
    if values.size == _VALUES * len(rows):
        table = values.reshape(-1, _VALUES)
        # The last of a joint's values is its state; another number there means shifted lines.
        if np.isin(table[:, -1], (0, 1, 2)).all() and np.isfinite(table[:, :3]).all():
            return table[:, :3].reshape(-1, _JOINTS, 3)
    return _positions_checked(rows, first_lines)


def _positions_checked(rows: list[str], first_lines: list[int]) -> np.ndarray:
    """The same, slowly: to say which line is wrong, or that only unused values are unusual."""
    values = np.empty((len(rows), 3))
    for i, row in enumerate(rows):
        line = first_lines[i // _JOINTS] + i % _JOINTS + 1
        parts = row.split()
        if len(parts) != _VALUES:
            found = counted(len(parts), "value")
            raise InputError(f"line {line} has {found}; expected {_VALUES}")
        for k, part in enumerate(parts[:3]):
            try:
                values[i, k] = float(part)
            except ValueError:
                raise InputError(f"line {line}: '{part[:40]}' is not a number") from None
            if np.isinf(values[i, k]):
                raise InputError(f"line {line}: '{part[:40]}' is not a finite number")
    return values.reshape(-1, _JOINTS, 3)
