"""Landmarks of MediaPipe's pose as programs write them down: CSV or JSON, a row or entry a frame.

MediaPipe has no file format of its own. Read are

- CSV: a line a frame with the 33 landmarks in their order, three numbers each (x, y, z) or four
  (and visibility, or presence), behind at most a few other columns such as the frame's number or
  name; with or without a header;
- JSON: a list of frames (or a dict with one under ``frames``), each a list of 33 landmarks or a
  dict with them under ``pose_world_landmarks``, ``world_landmarks``, ``pose_landmarks`` or
  ``landmarks``, maybe in a list of persons; a landmark is a dict of ``x``, ``y``, ``z`` or a list.

World landmarks are metres; the others are shares of the picture, whose z is as wide as x.

T = frames, J = joints (33).
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from amsf.base.errors import InputError, OtherContentError
from amsf.base.plain_text import read_plain_text
from amsf.base.storage import read_json
from amsf.pack.base import LeftOut, Reading, Task, start_of
from amsf.pack.openpose import linked
from amsf.skeleton.bodies import Track
from amsf.skeleton.cleaning import RawRecording

SUFFIX, JSON_SUFFIX = ".csv", ".json"
FORM = "NAME.csv or NAME.json of 33 landmarks a frame"
LAYOUT = "mediapipe33"
_LANDMARKS = 33
_KEYS = ("pose_world_landmarks", "world_landmarks", "pose_landmarks", "landmarks", "poseLandmarks")


def fits(path: Path) -> bool:
    """Whether a file holds landmarks, by its beginning."""
    start = start_of(path)
    if path.suffix.lower() == SUFFIX:
        return start.split("\n")[0].count(",") + 1 >= 3 * _LANDMARKS
    return start.lstrip().startswith("[") or any(f'"{key}"' in start for key in _KEYS)


def plan(files: Sequence[Path], classes: int | None) -> tuple[list[Task], list[LeftOut]]:
    """The files of landmarks, and the others."""
    tasks: list[Task] = []
    left_out = []
    for file in files:
        if file.suffix.lower() in (SUFFIX, JSON_SUFFIX) and fits(file):
            tasks.append((file,))
        else:
            left_out.append(LeftOut(file, f"it is not {FORM}"))
    return tasks, left_out


def read(task: Task) -> Reading:
    """Read one file.

    Raises:
        OtherContentError: a list in JSON is not of frames.
        InputError: a frame has another number of landmarks, or something is no number.
    """
    (path,) = task
    if path.suffix.lower() == SUFFIX:
        joints = _table(path)
        tracks = [Track(np.arange(len(joints)), joints)]
    else:
        content = read_json(path)
        content = content.get("frames", content) if isinstance(content, dict) else content
        if not isinstance(content, list):
            raise InputError(f"{path}: no list of frames; expected {FORM}")
        if not any(_may_be_one(frame) for frame in content):
            raise OtherContentError(f"{path}: no frame in it has landmarks; expected {FORM}")
        bodies = [[(-1, body) for body in _persons(frame, path)] for frame in content]
        tracks = linked(bodies, range(len(bodies)))
    return Reading(LAYOUT, [RawRecording(tracks, path.stem)])


def _table(path: Path) -> np.ndarray:
    """The (T, 33, 3) landmarks of a CSV file; a row without numbers is a lost pose."""
    rows = [row for row in csv.reader(read_plain_text(path).splitlines()) if row]
    if rows and not _is_number(rows[0][-1]):
        rows = rows[1:]  # the header
    if not rows:
        raise InputError(f"{path}: no frame in it; expected {FORM}")
    width = 4 if len(rows[0]) >= 4 * _LANDMARKS else 3
    before = len(rows[0]) - width * _LANDMARKS
    if before < 0 or any(len(row) != len(rows[0]) for row in rows):
        raise InputError(
            f"{path}: rows of {min(map(len, rows))} to {max(map(len, rows))} cells; expected "
            f"{_LANDMARKS} landmarks of 3 or 4 numbers in each"
        )
    try:
        cells = [[float(cell) if cell.strip() else np.nan for cell in row[before:]] for row in rows]
    except ValueError as error:
        raise InputError(f"{path}: a landmark is no number ({error})") from error
    return np.array(cells).reshape(len(rows), _LANDMARKS, width)[..., :3]


def _may_be_one(frame: Any) -> bool:
    """Whether an entry has the form of a frame."""
    return isinstance(frame, list) or (isinstance(frame, dict) and any(k in frame for k in _KEYS))


def _persons(frame: Any, path: Path) -> list[np.ndarray]:
    """The (33, 3) landmarks of each person of a frame."""
    if isinstance(frame, dict):
        frame = next((frame[key] for key in _KEYS if frame.get(key)), [])
    if isinstance(frame, dict):  # as protocol buffers are written: {"landmark": [...]}
        frame = frame.get("landmark", frame.get("landmarks", []))
    if not frame:
        return []
    several = isinstance(frame, list) and isinstance(frame[0], list) and len(frame) != _LANDMARKS
    try:
        return [
            np.array(
                [[p[axis] for axis in "xyz"] if isinstance(p, dict) else p[:3] for p in person],
                np.float64,
            ).reshape(_LANDMARKS, 3)
            for person in (frame if several else [frame])
        ]
    except (TypeError, KeyError, ValueError) as error:
        raise InputError(
            f"{path}: a frame is not {_LANDMARKS} landmarks of x, y and z ({error})"
        ) from error


def _is_number(cell: str) -> bool:
    try:
        float(cell or "nan")
    except ValueError:
        return False
    return True
