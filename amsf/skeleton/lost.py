"""Joints and poses that a sensor lost: which they are, and how they are filled.

A lost joint is written as NaN or as (0, 0, 0), a lost pose as a joint set of them. Recordings that
are centred on a joint have that one at (0, 0, 0), too, which is its place.

K = frames of a track, J = joints.
"""

from __future__ import annotations

import numpy as np

from amsf.base.errors import InputError, first_ten
from amsf.skeleton.joints import Layout

# A joint at (0, 0, 0) is there if its bones have their usual length up to this part of it.
_MISFIT = 0.5


def lost_joints(joints: np.ndarray, layout: Layout) -> np.ndarray:
    """Find the joints that were lost.

    A joint with a NaN is. So is one at (0, 0, 0), unless its bones are there about as long as
    they are elsewhere; of several joints at (0, 0, 0) in one frame, at most one is in its place.

    Args:
        joints: (K, J, 3), in any unit.
        layout: the layout of the J joints.

    Returns:
        (K, J) bool.
    """
    lost = np.isnan(joints).any(-1)
    zero = (joints == 0).all(-1)
    some = zero.any(1) & ~(zero | lost).all(1)
    if not some.any():
        return lost | zero
    misfit = _misfits(joints, ~(lost | zero), layout)
    misfit[~zero] = np.inf
    best = misfit.argmin(1)
    rows = np.flatnonzero(some & (misfit.min(1) <= _MISFIT))
    zero[rows, best[rows]] = False
    return lost | zero


def _misfits(joints: np.ndarray, seen: np.ndarray, layout: Layout) -> np.ndarray:
    """(K, J): how far each joint's bones to seen joints are from their usual length, relatively.

    A bone that is nowhere seen whole may be as long as the longest of those that are.
    """
    child, parent = np.array(layout.edges).T
    lengths = np.linalg.norm(joints[:, child] - joints[:, parent], axis=-1)  # (K, bones)
    whole = seen[:, child] & seen[:, parent]
    usual = np.array(
        [
            np.median(lengths[w, b]) if (w := whole[:, b]).any() else np.nan
            for b in range(len(child))
        ]
    )
    known = ~np.isnan(usual)
    longest = usual[known].max() if known.any() else 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        off = np.where(known, np.abs(lengths / usual - 1), (lengths / longest - 1).clip(min=0))
    off = np.nan_to_num(off, nan=np.inf)
    misfit = np.full(joints.shape[:2], np.inf)
    for joint in range(len(layout)):
        at = np.flatnonzero((child == joint) | (parent == joint))
        other = np.where(child[at] == joint, parent[at], child[at])
        near = np.where(seen[:, other], off[:, at], np.inf)
        misfit[:, joint] = near.min(1)
    return misfit


def fill_joints(
    frames: np.ndarray, joints: np.ndarray, lost: np.ndarray, layout: Layout
) -> np.ndarray:
    """Put lost joints where they probably were.

    From the root outwards a joint's offset from its parent (the root's place itself) is filled
    linearly in time between the frames in which it was seen, and held at the ends.

    Args:
        frames: (K,) rising frame indices.
        joints: (K, J, 3), in any unit.
        lost: (K, J) bool.
        layout: the layout of the J joints.

    Returns:
        (K, J, 3); what was not lost is untouched.

    Raises:
        InputError: a joint is lost in every frame.
    """
    never = np.flatnonzero(lost.all(0))
    if len(never):
        names = first_ten(layout.joints[j] for j in never)
        raise InputError(
            f"{names}: lost (zeros or NaN) in every frame; expected a place in some of them: leave "
            "out the recording, or use a layout without these joints"
        )
    filled = joints.copy()
    for joint in _outwards(layout):
        gone = lost[:, joint]
        if not gone.any():
            continue
        parent = layout.parents[joint]
        base = filled[:, parent] if parent != joint else np.zeros_like(filled[:, joint])
        offset = joints[~gone, joint] - base[~gone]
        for axis in range(3):
            filled[gone, joint, axis] = base[gone, axis] + np.interp(
                frames[gone], frames[~gone], offset[:, axis]
            )
    return filled


def _outwards(layout: Layout) -> list[int]:
    """The joints, each after its parent."""
    order = [layout.root]
    for joint in order:
        order += [child for child, parent in layout.edges if parent == joint]
    return order
