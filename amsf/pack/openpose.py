"""JSON of OpenPose, a file a frame, and of Kinetics-skeleton, a file a recording. Both are 2-D.

- OpenPose writes ``VIDEO_000000000012_keypoints.json`` for each frame: ``people``, each with
  ``pose_keypoints_2d`` (x, y, score of 25 or 18 joints) and maybe ``person_id``. The frames of one
  video in one folder are a recording.
- Kinetics-skeleton: ``data``, a list of ``frame_index`` and ``skeleton``, a list of ``pose`` (x, y
  as shares of a picture of 340 x 256) and ``score`` for 18 joints; ``label_index``.

Frames do not say which body is which of those before, so they are linked here. A score of 0 marks
a joint that was not found.

K = frames of a track, J = joints.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from amsf.base.errors import InputError
from amsf.base.storage import read_json
from amsf.pack.base import LeftOut, Reading, Task, plan_by_suffix, start_of
from amsf.skeleton.bodies import Track
from amsf.skeleton.cleaning import RawRecording
from amsf.skeleton.linking import link

SUFFIX = ".json"
FORM = "VIDEO_000000000000_keypoints.json, a file a frame"
KINETICS_FORM = "NAME.json of Kinetics-skeleton, with data and skeleton in it"
_FRAME = re.compile(r"(.*?)_?(\d+)_keypoints")
_PICTURE = (340, 256)  # pixels, to which the videos of Kinetics-skeleton were scaled


def fits(path: Path) -> bool:
    """Whether a file is a frame of OpenPose's."""
    return _FRAME.fullmatch(path.stem) is not None


def fits_kinetics(path: Path) -> bool:
    """Whether a file is one of Kinetics-skeleton."""
    start = start_of(path)
    return '"data"' in start and ('"skeleton"' in start or '"frame_index"' in start)


def plan(files: Sequence[Path], classes: int | None) -> tuple[list[Task], list[LeftOut]]:
    """Gather the frames of each video in each folder."""
    frames, left_out = plan_by_suffix(files, SUFFIX, FORM, fits)
    videos: dict[tuple[Path, str], list[Path]] = {}
    for (file,) in frames:
        videos.setdefault((file.parent, _video(file)), []).append(file)
    return [tuple(sorted(files, key=_number)) for files in videos.values()], left_out


def read(task: Task) -> Reading:
    """Read the frames of one recording, which is named after the video, or else the folder.

    Raises:
        InputError: a file is not JSON, or not OpenPose's.
    """
    bodies: list[list[tuple[int, np.ndarray]]] = []
    for path in task:
        content = read_json(path)
        people = content.get("people") if isinstance(content, dict) else None
        if not isinstance(people, list):
            raise InputError(f"{path}: no list of people; expected a frame of OpenPose's")
        bodies.append([_person(person, path) for person in people])
    first = _number(task[0])
    tracks = linked(bodies, [_number(path) - first for path in task])
    return Reading("", [RawRecording(tracks, _video(task[0]) or task[0].parent.name)])


def plan_kinetics(files: Sequence[Path], classes: int | None) -> tuple[list[Task], list[LeftOut]]:
    """The files of Kinetics-skeleton, and the others."""
    return plan_by_suffix(files, SUFFIX, KINETICS_FORM, fits_kinetics)


def read_kinetics(task: Task) -> Reading:
    """Read one file.

    Raises:
        InputError: the file is not JSON, or has another form.
    """
    (path,) = task
    content = read_json(path)
    try:
        frames = [int(frame["frame_index"]) for frame in content["data"]]
        bodies = [
            [(-1, _pose(one["pose"], one["score"])) for one in frame["skeleton"]]
            for frame in content["data"]
        ]
        label = int(content.get("label_index", -1))
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise InputError(
            f"{path}: not a recording of Kinetics-skeleton ({type(error).__name__}: {error}); "
            "expected data with frame_index and skeleton, each with pose and score"
        ) from error
    return Reading("", [RawRecording(linked(bodies, frames), path.stem, {"label": label})])


def linked(
    bodies: Sequence[Sequence[tuple[int, np.ndarray]]], frames: Sequence[int]
) -> list[Track]:
    """Bodies through time out of the bodies of each frame.

    A body whose number is 0 or more keeps it. Others are told apart by where they are
    (:func:`amsf.skeleton.linking.link`).

    Args:
        bodies: for each frame (number or -1, (J, C) joints) of each body.
        frames: the frames' indices, rising.
    """
    numbered: dict[int, list[tuple[int, np.ndarray]]] = {}
    loose: list[list[np.ndarray]] = []
    for frame, present in zip(frames, bodies):
        there = [(number, joints) for number, joints in present if not np.isnan(joints).all()]
        loose.append([joints for number, joints in there if number < 0])
        for number, joints in there:
            if number >= 0:
                numbered.setdefault(number, []).append((frame, joints))
    tracks = [[(frames[t], loose[t][k]) for t, k in chain] for chain in link(loose, frames)]
    return [
        Track(np.array([frame for frame, _ in track]), np.stack([joints for _, joints in track]))
        for track in (*numbered.values(), *tracks)
    ]


def _person(person: Any, path: Path) -> tuple[int, np.ndarray]:
    """The number and the joints of one of a frame's people."""
    try:
        values = np.array(person["pose_keypoints_2d"], np.float64).reshape(-1, 3)
        number = np.ravel(person.get("person_id", -1))
        joints = np.where(values[:, 2:] > 0, values[:, :2], np.nan)
        return (int(number[0]) if len(number) else -1), joints
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise InputError(
            f"{path}: a person without pose_keypoints_2d of x, y and score for each joint "
            f"({error}); expected a frame of OpenPose's"
        ) from error


def _pose(pose: Any, score: Any) -> np.ndarray:
    places = np.array(pose, np.float64).reshape(-1, 2) * _PICTURE
    scores = np.array(score, np.float64)
    return np.where(scores[:, None] > 0, places, np.nan)


def _video(path: Path) -> str:
    match = _FRAME.fullmatch(path.stem)
    return match[1] if match else path.stem


def _number(path: Path) -> int:
    match = _FRAME.fullmatch(path.stem)
    return int(match[2]) if match else 0
