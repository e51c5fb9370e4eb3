"""PKU-MMD (phase 1): one text file a video of Kinect v2, cut into recordings by label intervals.

A video ``VVVV-L.txt`` (``-M``, ``-R``: the left, middle and right camera) has a line a frame with
150 values: 2 bodies x 25 joints x 3 metres, zeros where a body is absent. The label file of the
same name, in a folder with "label" in its name, has lines ``action,start,end,confidence`` with
1-based actions; frames ``start`` up to, not including, ``end`` are taken.

The camera is 1 for L, 2 for M, 3 for R. The subject is not in these files: it stays -1, and the
cross-subject partition follows a list of videos (see :mod:`amsf.skeleton.partition`).

T = frames, J = joints (25).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from amsf.base.errors import InputError
from amsf.pack.base import LeftOut, Reading, Task, number_table, tracks_of
from amsf.skeleton.cleaning import RawRecording

SUFFIX = ".txt"
FORM = (
    "VVVV-L.txt (or -M, -R): a video, and a label file of the same name in a folder with 'label' "
    "in its name"
)
LAYOUT = "kinect25"
_NAME = re.compile(r"\d{4}-([LMR])")
_CAMERAS = {"L": 1, "M": 2, "R": 3}
_BODIES, _JOINTS = 2, 25
WIDTH = _BODIES * _JOINTS * 3  # numbers in a line


def plan(files: Sequence[Path], classes: int | None) -> tuple[list[Task], list[LeftOut]]:
    """Pair videos with their label files; ``classes`` is checked per interval, after reading."""
    videos: dict[str, Path] = {}
    labels: dict[str, Path] = {}
    left_out = []
    for file in files:
        if file.suffix.lower() != SUFFIX or not _NAME.fullmatch(file.stem):
            left_out.append(LeftOut(file, f"the name is not of the form {FORM}"))
            continue
        kind = labels if "label" in file.parent.name.lower() else videos
        if file.stem in kind:
            left_out.append(LeftOut(file, f"the same video as {kind[file.stem]}"))
        else:
            kind[file.stem] = file
    left_out += [
        LeftOut(file, "no label file of the same name in a folder with 'label' in its name")
        for stem, file in videos.items()
        if stem not in labels
    ]
    left_out += [
        LeftOut(file, "no video file of the same name")
        for stem, file in labels.items()
        if stem not in videos
    ]
    return [(videos[stem], labels[stem]) for stem in videos if stem in labels], left_out


def read(task: Task) -> Reading:
    """Read one video: a recording an interval, or all of it where no label file is given.

    Raises:
        InputError: the video or its label file is empty, has another number of columns or
            something that is not a number.
    """
    path = task[0]
    joints = number_table(path, WIDTH).reshape(-1, _BODIES, _JOINTS, 3)
    joints = joints.transpose(1, 0, 2, 3)  # bodies, frames
    match = _NAME.fullmatch(path.stem)
    camera = {"camera": _CAMERAS[match[1]]} if match else {}
    if len(task) == 1:
        return Reading(LAYOUT, [RawRecording(tracks_of(joints), path.stem, camera)])
    reading = Reading(LAYOUT, [])
    for row, (action, start, end, _) in enumerate(number_table(task[1], 4, ","), start=1):
        name = f"{path.stem}_{row:03d}"
        try:
            if not (action.is_integer() and start.is_integer() and end.is_integer()):
                raise InputError(f"line {row} of the label file: action and frames must be whole")
            if not 0 <= start < end <= joints.shape[1]:
                raise InputError(
                    f"line {row} of the label file: frames {start:.0f} to {end:.0f} of a video of "
                    f"{joints.shape[1]}"
                )
            if action < 1:
                raise InputError(
                    f"line {row} of the label file: action {action:.0f}; they start at 1"
                )
            part = tracks_of(joints[:, int(start) : int(end)])
            numbers = {"label": int(action) - 1, **camera}
            reading.recordings.append(RawRecording(part, name, numbers))
        except InputError as error:
            reading.left_out.append(LeftOut(path, f"recording '{name}': {error}", name))
    return reading
