"""What a reader of one format takes and gives; the readers are the modules beside it.

Each of them has

- ``plan(files, classes)``: which files are recordings of the format, and why the others are not;
- ``read(task)``: the recordings of one of them, as they are in the file; what every recording
  needs, from lost joints to axes and persons, is done by :func:`amsf.skeleton.cleaning.clean`;
- ``SUFFIX`` and ``FORM``: the suffix of its files, and the form of a file's name, for people;
- ``fits(path)``, where other formats have files of the suffix, too: whether one is of this format.

M = bodies, T = frames, J = joints, C = coordinates (2 or 3).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from amsf.base.display import escaped
from amsf.base.errors import InputError, counted
from amsf.base.plain_text import read_plain_text
from amsf.skeleton.bodies import Track
from amsf.skeleton.cleaning import NOTHING, RawRecording, Stated, clean
from amsf.skeleton.joints import layout_of
from amsf.skeleton.recordings import Recording

# The recording's file first, then what belongs to it (PKU-MMD: its label file).
Task = tuple[Path, ...]


@dataclass(frozen=True)
class LeftOut:
    """A file, or a part of one, that does not enter the set, and why.

    ``recording`` is the name of the part, empty where it is the file as a whole.
    """

    file: Path
    reason: str
    recording: str = ""


@dataclass(frozen=True)
class Reading:
    """What a reader found: recordings of one joint layout, and the parts left out.

    The layout is empty where the file does not name its joints: then it is told by their number.
    ``train`` has the names of the recordings to train on, where the file says which these are.
    """

    layout: str
    recordings: list[RawRecording]
    left_out: list[LeftOut] = field(default_factory=list)
    train: tuple[str, ...] = ()


@dataclass(frozen=True)
class Mended:
    """A recording that enters the set otherwise than it is in its file, and how."""

    file: Path
    recording: str
    what: str


@dataclass(frozen=True)
class Outcome:
    """What came of one file: recordings of one joint layout, what was mended and left out."""

    layout: str
    recordings: list[Recording]
    left_out: list[LeftOut]
    mended: list[Mended]
    train: tuple[str, ...] = ()


_ARM, _LEG = ("shoulder", "elbow", "wrist", "hand"), ("hip", "knee", "ankle", "foot")
# What arrays without joint names hold: (joints, coordinates) -> layout, in the order of its makers.
_BY_COUNT = {
    (15, 3): "openni15", (17, 2): "coco17", (17, 3): "h36m17", (18, 2): "openpose18",
    (20, 3): "kinect20", (22, 3): "smpl22", (24, 3): "smpl24",
    (25, 2): "body25", (25, 3): "kinect25", (26, 2): "halpe26", (33, 2): "mediapipe33",
    (33, 3): "mediapipe33",
}  # fmt: skip


# Kinect v1's own order, in which arrays of 20 joints without names come.
SDK_ORDER = (
    *("hip_center", "spine", "shoulder_center", "head"),
    *(f"{side}_{part}" for side in ("left", "right") for part in _ARM),
    *(f"{side}_{part}" for side in ("left", "right") for part in _LEG),
)


def _told_by_number(reading: Reading) -> Reading:
    """Give a reading the layout that is usual for its number of joints.

    Raises:
        InputError: none is.
    """
    bodies = [body for recording in reading.recordings for body in recording.bodies]
    joints, width = bodies[0].joints.shape[1:] if bodies else (25, 3)
    layout = _BY_COUNT.get((joints, width))
    if layout is None:
        raise InputError(
            f"{joints} joints of {width} coordinates without names; none of the known layouts is "
            "usual for that: name one with --layout"
        )
    recordings = reading.recordings
    if joints == len(SDK_ORDER):
        order = [SDK_ORDER.index(joint) for joint in layout_of(layout).joints]
        recordings = [
            replace(r, bodies=[Track(b.frames, b.joints[:, order]) for b in r.bodies])
            for r in recordings
        ]
    return replace(reading, layout=layout, recordings=recordings)


def cleaned(reading: Reading, file: Path, stated: Stated = NOTHING) -> Outcome:
    """Take what a reader found in a file through the clean-up.

    Args:
        reading: what the reader found.
        file: the recordings' file.
        stated: what the user says of the files.

    Raises:
        InputError: the file does not name its joints, and no layout is known for their number.
    """
    if not reading.layout and stated.layout is not None:
        reading = replace(reading, layout=stated.layout)
    elif not reading.layout:
        reading = _told_by_number(reading)
    done = clean(reading.recordings, reading.layout, stated)
    left_out = [*reading.left_out]
    for name, reason in done.left_out:
        whole = len(reading.recordings) == 1 and file.stem.startswith(name)
        what = reason if whole else f"recording {name!r}: {reason}"
        left_out.append(LeftOut(file, what, name))
    mended = [Mended(file, name, what) for name, what in done.mended]
    return Outcome(reading.layout, done.recordings, left_out, mended, reading.train)


def plan_by_name(
    files: Sequence[Path],
    suffix: str,
    form: str,
    parse_name: Callable[[str], dict[str, int] | None],
    classes: int | None,
) -> tuple[list[Task], list[LeftOut]]:
    """Sort files into tasks and left-out ones by what their names say.

    Args:
        files: the paths to sort.
        suffix: the format's suffix, with the dot, in small letters; capitals are the same.
        form: the form that a name must have, for the reason.
        parse_name: a function that returns a stem's numbers, among them the 0-based ``label``, or
            None for another form.
        classes: the number of the dataset's classes; None where that is not known.
    """
    tasks: list[Task] = []
    left_out: list[LeftOut] = []
    for file in files:
        numbers = parse_name(file.stem) if file.suffix.lower() == suffix else None
        if numbers is None:
            left_out.append(LeftOut(file, f"the name is not of the form {form}"))
        elif numbers["label"] < 0 or (classes is not None and numbers["label"] >= classes):
            reason = f"action {numbers['label'] + 1} is not one of the dataset's 1 to {classes}"
            left_out.append(LeftOut(file, reason))
        else:
            tasks.append((file,))
    return tasks, left_out


def reason_of(error: Exception, file: Path) -> str:
    """An error as a reason in the report, which names the file in a column of its own."""
    if isinstance(error, InputError):
        return str(error).removeprefix(f"{escaped(file)}: ")
    return f"{type(error).__name__}: {error}"


def plan_by_suffix(
    files: Sequence[Path],
    suffix: str | tuple[str, ...],
    form: str,
    fits: Callable[[Path], bool] | None = None,
) -> tuple[list[Task], list[LeftOut]]:
    """Sort files into tasks, those of a suffix (or of several) that ``fits``, and left-out ones."""
    tasks: list[Task] = []
    left_out: list[LeftOut] = []
    for file in files:
        if not file.suffix.lower().endswith(suffix):
            left_out.append(LeftOut(file, f"the name is not of the form {form}"))
        elif fits is not None and not fits(file):
            left_out.append(LeftOut(file, f"what is in it is not {form}"))
        else:
            tasks.append((file,))
    return tasks, left_out


def tracks_of(joints: np.ndarray) -> list[Track]:
    """The bodies of (M, T, J, C) joints where they are there: zeros are how none is written.

    Frames are as in the array.
    """
    there = np.asarray((joints != 0).any((2, 3)))
    return [
        Track(np.flatnonzero(seen), body[seen]) for body, seen in zip(joints, there) if seen.any()
    ]


def start_of(path: Path, length: int = 4096) -> str:
    """The first characters of a text file, to tell formats apart; empty if it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(length).decode("utf-8-sig", "replace")
    except OSError:
        return ""


def number_table(path: Path, columns: int, delimiter: str | None = None) -> np.ndarray:
    """A text file of numbers as (lines, columns) float64.

    Raises:
        InputError: it is empty, has another number of columns, or something is no number.
    """
    lines = read_plain_text(path).splitlines()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", UserWarning
            )  # about an empty file, which is reported below
            table = np.loadtxt(lines, delimiter=delimiter, ndmin=2)
    except ValueError as error:
        reason = str(error).rstrip(".")
        raise InputError(f"{path}: {reason}; expected {columns} numbers in each line") from error
    if not table.size:
        raise InputError(f"{path}: the file is empty; expected {columns} numbers in each line")
    if table.shape[1] != columns:
        raise InputError(
            f"{path}: it has {counted(table.shape[1], 'value')} in each line; expected {columns} "
            "numbers"
        )
    return table
