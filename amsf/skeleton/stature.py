"""How a recorded body stands: which axis is up, what the unit is, which side is the right one.

Everything is measured against the body's own size, so that no unit need be known.

K = poses, J = joints.
"""

from __future__ import annotations

import numpy as np

from amsf.skeleton.joints import Layout

# What a median torso can measure in metres, from children to tall adults.
SPINE_M = (0.15, 1.5)
UNITS = {"metres": 1.0, "centimetres": 0.01, "millimetres": 0.001}

_UP = 0.35  # of the body's height that the head is above the feet: a person who sits has 0.5
_FIRM = 0.6  # the same along an axis that is not expected to be up
_ALWAYS = 0.9  # of the frames
_FLAT = 0.002  # depth over height; a person has a tenth or more, one seen by a noisy sensor, too


def spine_length(poses: np.ndarray, layout: Layout) -> float:
    """The median distance of the ends of the spine, in the unit of ``poses`` (K, J, 3)."""
    lower, upper = layout.spine
    return float(np.median(np.linalg.norm(poses[:, upper] - poses[:, lower], axis=-1)))


def unit_of(poses: np.ndarray, layout: Layout) -> str | None:
    """The unit in which the spine is that of a person, a key of :data:`UNITS`; None if no one."""
    spine = spine_length(poses, layout)
    fits = [name for name, size in UNITS.items() if SPINE_M[0] <= spine * size < SPINE_M[1]]
    return fits[0] if fits else None


def is_flat(poses: np.ndarray) -> bool:
    """Whether the poses (K, J, 3), some ten of them, lie in a plane each, as 2-D poses do."""
    some = poses[:: max(1, len(poses) // 10)]
    centred = some - some.mean(1, keepdims=True)
    depth, _, height = np.linalg.svd(centred, compute_uv=False).T[::-1]
    return bool((depth <= _FLAT * height).all())


def up_of(poses: np.ndarray, layout: Layout) -> str | None:
    """The axis along which the body stands up, one of :data:`AXES`.

    Measured is the way from the lower ends of the legs to the head, over the length of the
    bones between them. y is up where that is clear in the median frame; another axis must be
    clearer, and in nine tenths of the frames, because persons bend, sit and lie down.

    Args:
        poses: (K, J, 3), in any unit.
        layout: the layout of the J joints.

    Returns:
        The axis, or None where none is up clearly.
    """
    way = poses[:, layout.top] - poses[:, layout.bottom].mean(1)  # (K, 3)
    bones = [_path_length(poses, layout.path(end, layout.top)) for end in layout.bottom]
    height = float(np.median(np.mean(bones, axis=0)))
    if height == 0:
        return None
    share = way / height
    middle = np.median(share, axis=0)
    if middle[1] >= _UP:
        return "y"
    axis = int(np.abs(middle).argmax())
    sign = np.sign(middle[axis])
    steady = np.quantile(sign * share[:, axis], 1 - _ALWAYS)
    if axis == 1 and middle[1] <= -_UP and steady > 0:
        return "-y"
    if axis != 1 and abs(middle[axis]) >= _FIRM and steady >= _UP:
        return ("-" if sign < 0 else "") + "xyz"[axis]
    return None


def _path_length(poses: np.ndarray, path: list[int]) -> np.ndarray:
    return np.linalg.norm(np.diff(poses[:, path], axis=1), axis=-1).sum(1)


def handedness(poses: np.ndarray, layout: Layout, up: str) -> float:
    """Whether the axes are right-handed, from the body: 1 they are, -1 they are mirrored.

    In right-handed axes a person's up, right and front are so too; feet point to the front, and
    forearms mostly do.

    Args:
        poses: (K, J, 3), in any unit.
        layout: the layout of the J joints.
        up: the axis that is up, one of :data:`AXES`.

    Returns:
        From -1 to 1; near 0 the body does not show it.
    """
    (left_hip, right_hip), (left_arm, right_arm) = layout.hips, layout.shoulders
    right = poses[:, right_hip] - poses[:, left_hip] + poses[:, right_arm] - poses[:, left_arm]
    front = np.zeros_like(right)
    for back, tip in layout.fronts:
        front += poses[:, tip] - poses[:, back]
    vertical = np.zeros(3)
    vertical["xyz".index(up[-1])] = -1.0 if up.startswith("-") else 1.0
    right = right - np.outer(right @ vertical, vertical)
    front = front - np.outer(front @ vertical, vertical)
    along = (np.cross(vertical, right) * front).sum(-1)
    whole = np.linalg.norm(right, axis=-1) * np.linalg.norm(front, axis=-1)
    return float(along.sum() / whole.sum()) if whole.sum() > 0 else 0.0


def turn(up: str, *, mirrored: bool = False) -> np.ndarray:
    """The (3, 3) matrix that takes axes with ``up`` up to axes with y up.

    A rotation; from mirrored axes it is a reflection, so that the result is right-handed.
    """
    axis, sign = "xyz".index(up[-1]), -1.0 if up.startswith("-") else 1.0
    matrix = np.eye(3)
    if axis == 1:  # a half turn about x, or nothing
        matrix[1, 1] = sign
        matrix[2, 2] = -sign if mirrored else sign
    else:  # a quarter turn about the axis that is neither
        matrix[:, [1, axis]] = 0.0
        matrix[1, axis] = sign
        matrix[axis, 1] = sign if mirrored else -sign
    return matrix
