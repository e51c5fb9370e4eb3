"""The fixed map between joint layouts: which joint of one is which of another.

A joint of the wanted layout is taken from the other one by the first of these that holds:

1. it is one of the 13 parts of the body (:data:`amsf.skeleton.joints.PARTS`) or a hip, and named
   so: the joint that is that part there, or stands in for it. Of the middle of the body this holds
   for the neck alone, since the root is not the same place in every layout;
2. a joint of the same name, however spelled, unless that is a part and the wanted one is not;
3. it stands in for a part: the joint that is that part there, or stands in for it;
4. it lies in the middle of joints that are there, as the wanted layout's file says.

J = joints of the layout that is there, K = of the one wanted.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from amsf.base.errors import InputError, first_ten
from amsf.skeleton.joint_names import words_of
from amsf.skeleton.joints import Layout, layout_of

_HIPS = ("left_hip", "right_hip")


def correspondence(given: str, wanted: str, needed: Collection[int] | None = None) -> np.ndarray:
    """The (K, J) weights that make the joints of a layout out of those of another.

    Args:
        given: the layout that is there, J joints.
        wanted: the layout that is asked for, K joints.
        needed: those of the K that will be looked at, None for all; another that has no
            counterpart is put where its parent is.

    Returns:
        Rows sum to 1: a joint is another one, or the mean of some.

    Raises:
        InputError: a layout is not known, or joints have no counterpart; they are named.
    """
    there, asked = layout_of(given), layout_of(wanted)
    rows: dict[int, np.ndarray] = {}
    for joint in range(len(asked)):
        same = _same(there, asked, joint)
        if same is not None:
            rows[joint] = np.eye(len(there))[same]
    for joint, around in asked.middles.items():
        if joint not in rows and all(other in rows for other in around):
            rows[joint] = np.mean([rows[other] for other in around], axis=0)
    absent = [joint for joint in range(len(asked)) if joint not in rows]
    missing = [asked.joints[joint] for joint in absent if needed is None or joint in needed]
    if missing:
        raise InputError(
            f"the joints of {given} lack {first_ten(missing)} of {wanted}; use recordings that "
            f"have them, or a benchmark that takes {given}"
        )
    for joint in absent:
        parents = asked.path(joint, asked.root)
        rows[joint] = next(rows[parent] for parent in parents if parent in rows)
    return np.stack([rows[joint] for joint in range(len(asked))])


def converted(
    joints: np.ndarray, given: str, wanted: str, needed: Collection[int] | None = None
) -> np.ndarray:
    """Joints of one layout (..., J, 3) as those of another (..., K, 3), float32.

    Raises:
        InputError: as :func:`correspondence`.
    """
    if given == wanted:
        return joints
    weights = correspondence(given, wanted, needed)
    return np.einsum("kj,...jc->...kc", weights, joints).astype(np.float32)


def _same(there: Layout, asked: Layout, joint: int) -> int | None:
    """The joint of ``there`` that is a joint of ``asked`` by part or by name."""
    parts, part = _limbs(there), {at: part for part, at in _limbs(asked).items()}.get(joint)
    if part is not None and part in (asked.joints[joint], "neck"):
        return parts[part]
    words = words_of(asked.joints[joint])
    proper = {there.spine[1], *(at for part, at in parts.items() if there.joints[at] == part)}
    for at, name in enumerate(there.joints):
        if words_of(name) == words and at not in proper:
            return at
    return None if part is None else parts[part]


def _limbs(layout: Layout) -> dict[str, int]:
    limbs = {part: joint for part, joint in layout.parts.items() if part != "root"}
    return limbs | dict(zip(_HIPS, layout.hips))
