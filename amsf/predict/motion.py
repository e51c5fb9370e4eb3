"""A recording in motion as a few numbers and lines that a page can draw.

M persons · T frames · J joints · K = frames that are kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from amsf.predict.animation import fitted
from amsf.skeleton.joints import Layout

MOST_FRAMES = 64  # of a recording: 13 kB a person
WIDTH, HEIGHT = 900, 1000
_MARGIN = 50
_FRAME_MS = 1000 / 30  # of a Kinect

# Kind of line -> the pairs of joints that it joins.
Lines = Mapping[str, Sequence[tuple[int, int]]]


@dataclass(frozen=True)
class Line:
    """The lines of one kind of one person, as they first stand there.

    Attributes:
        kind: a key of :func:`lines_of`.
        person: counted from 0.
        path: what SVG draws.
    """

    kind: str
    person: int
    path: str


@dataclass(frozen=True)
class Motion:
    """What a page needs to show a recording.

    Attributes:
        frames: the places of all joints, whole numbers with commas, frames set apart by spaces.
        count: the number of frames that are kept, K.
        of: the number of frames of the recording.
        first: the frame that stands there until the motion starts: the middle one.
        milliseconds: from frame to frame.
        lines: that frame, the main person last, on top.
    """

    frames: str
    count: int
    of: int
    first: int
    milliseconds: int
    lines: tuple[Line, ...]


def lines_of(layout: Layout) -> Lines:
    """What is drawn of a body: its sides and its middle, and the head as a point."""
    kinds: dict[str, list[tuple[int, int]]] = {"middle": [], "left": [], "right": []}
    for child, parent in layout.edges:
        side = layout.joints[child].partition("_")[0]
        kinds[side if side in kinds else "middle"].append((child, parent))
    return {**kinds, "head": [(layout.top, layout.top)]}


def motion_of(joints: np.ndarray, layout: Layout) -> Motion:
    """What a page needs to show joints (M, T, J, 3) in metres; at most 64 frames are kept."""
    of = joints.shape[1]
    step = -(-of // MOST_FRAMES)
    room = (WIDTH - 2 * _MARGIN, HEIGHT - 2 * _MARGIN)
    places = fitted(joints, room, (WIDTH / 2, HEIGHT / 2))[:, ::step].round().astype(int)
    first = places.shape[1] // 2
    frames = [",".join(map(str, frame.ravel().tolist())) for frame in places.swapaxes(0, 1)]
    lines = tuple(
        Line(kind, person, _path(places[person, first], pairs))
        for person in reversed(range(len(places)))
        for kind, pairs in lines_of(layout).items()
    )
    return Motion(" ".join(frames), len(frames), of, first, round(step * _FRAME_MS), lines)


def _path(points: np.ndarray, pairs: Sequence[tuple[int, int]]) -> str:
    """The lines between pairs of (J, 2) points, as ``motion.js`` writes them too."""
    return "".join(
        f"M{points[a, 0]} {points[a, 1]}L{points[b, 0]} {points[b, 1]}" for a, b in pairs
    )
