"""A picture of one recording of each unseen class, as a row of poses.

K = recordings · M = persons · P = poses · J = joints.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from amsf.report.data import BenchmarkData
from amsf.report.figures import BLUE, GREY, ORANGE, picture, whole
from amsf.skeleton.joints import layout_of
from amsf.skeleton.poses import Poses

_COLOURS = {"left": BLUE, "right": ORANGE}
_MIDDLE, _PALE = "#444444", "#B5B5B5"
_GAP = 0.25  # metres between two poses


def draw_poses(benchmark: BenchmarkData, path: Path) -> None:
    """A row a class: its poses from left to right in the order of time, one scale for all."""
    poses = benchmark.poses
    assert poses is not None
    K = len(poses.labels)
    with picture(path, 5.6, 0.5 + 1.35 * K) as figure:
        for axes, row in zip(np.atleast_1d(figure.subplots(K)), range(K)):
            draw_row(axes, poses, row)
            label = int(poses.labels[row])
            name = whole(benchmark.labels[label], 60)
            axes.set_title(f"{name} {label}", fontsize=9, loc="left")
        figure.supxlabel(
            "from left to right: time. Orange: right side, blue: left; pale: a second person",
            fontsize=8,
            color=GREY,
        )


def draw_row(axes: Axes, poses: Poses, row: int) -> None:
    """The poses of one recording, from left to right."""
    graph = layout_of(poses.layout)
    # The right hand of who faces the sensor is on the picture's left.
    flat = poses.joints[row, : poses.persons[row]][..., :2] * np.array([-1.0, 1.0])  # (M, P, J, 2)
    left = 0.0
    for time in range(flat.shape[1]):
        at = flat[:, time]
        shift = left - at[..., 0].min()
        for person in reversed(range(len(at))):
            body = at[person] + np.array([shift, 0.0])
            sides = [graph.joints[child].partition("_")[0] for child, _ in graph.edges]
            colours = [_PALE if person else _COLOURS.get(side, _MIDDLE) for side in sides]
            bones = LineCollection(
                list(body[np.array(graph.edges)]), colors=colours, linewidths=1.6
            )
            axes.add_collection(bones)
            head = body[graph.index("head")]
            axes.plot(*head, "o", color=_PALE if person else _MIDDLE, markersize=4)
        left += np.ptp(at[..., 0]) + _GAP
    axes.autoscale_view()
    axes.set_aspect("equal")
    axes.set_anchor("W")
    axes.set_axis_off()
