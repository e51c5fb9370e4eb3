"""Which body of a frame is which of those before, where a detector does not say it.

J = joints, C = coordinates (2 or 3).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

from amsf.skeleton.bodies import MAX_GAP

# More than all distances that count together, so that as many bodies as can be are continued.
_NEVER = 1e6
# How far a body gets from one frame to the next, in heights of the body: a runner at 10 frames a
# second. So one who is hidden by another, and comes out again, is not taken for the other.
_STEP = 0.25


def link(
    bodies: Sequence[Sequence[np.ndarray]], frames: Sequence[int]
) -> list[list[tuple[int, int]]]:
    """Link the bodies of each frame to those of the frames before.

    A body continues the one that was last seen nearest, by the mean distance of the joints that
    both have, a second ago at most, and at most a quarter of the body's height away for each frame
    since then, up to the whole. Of several bodies those pairs are taken whose distances are the
    smallest together.

    Args:
        bodies: for each frame the (J, C) joints of each body, NaN where one was not found, not
            throughout.
        frames: the frames' indices, rising.

    Returns:
        For each body through time (t, k), the k-th body of the t-th frame, with t rising.
    """
    chains: list[list[tuple[int, int]]] = []
    for t, present in enumerate(bodies):
        recent = [c for c in chains if frames[t] - frames[c[-1][0]] <= MAX_GAP]
        costs = np.array(
            [
                [_distance(bodies[at][k], joints, frames[t] - frames[at]) for joints in present]
                for at, k in (chain[-1] for chain in recent)
            ]
        )
        taken = set()
        for row, k in zip(*linear_sum_assignment(costs)) if costs.size else ():
            if costs[row, k] < _NEVER:
                recent[row].append((t, int(k)))
                taken.add(int(k))
        chains += [[(t, k)] for k in range(len(present)) if k not in taken]
    return chains


def _distance(before: np.ndarray, after: np.ndarray, elapsed: int) -> float:
    """The mean distance of joints that both poses have, in heights of the body.

    Args:
        before, after: (J, C).
        elapsed: frames between the two.
    """
    both = ~(np.isnan(before).any(1) | np.isnan(after).any(1))
    if not both.any():
        return _NEVER
    height = max(float(np.ptp(pose[both], axis=0).max()) for pose in (before, after))
    away = float(np.linalg.norm(before[both] - after[both], axis=1).mean())
    farthest = min(1.0, _STEP * elapsed) * height
    return away / height if height > 0 and away <= farthest else _NEVER
