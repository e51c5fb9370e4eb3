"""The joint sets of the recordings, described as graphs: names, parents, left and right.

Everything that depends on which joints a recording has (the encoder's graph, centring and
scaling, mirroring, drawing) asks a :class:`Layout`. A layout is a file: ``layouts/<name>.yaml``
beside this module for those that come with AMSF, ``data/layouts/<name>.yaml`` in the project for a
user's own. docs/skeletons.md says what stands in it.

K = poses, J = joints of a layout.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from amsf.base.artifacts import LAYOUTS as OWN
from amsf.base.errors import InputError
from amsf.base.yaml import read_yaml

AXES = ("x", "y", "z", "-x", "-y", "-z")
PARTS = (
    *("head", "neck", "root", "left_shoulder", "right_shoulder", "left_elbow", "right_elbow"),
    *("left_hand", "right_hand", "left_knee", "right_knee", "left_foot", "right_foot"),
)

# Joints of a leg from below to above.
_LEG = ("foot", "big_toe", "foot_index", "toe", "ankle", "heel", "knee", "hip")
# Feet point to the front and forearms mostly do. Knees would too, but Kinect v1 sees them behind.
_FRONTS = (
    ("{}_ankle", ("{}_foot", "{}_big_toe", "{}_foot_index", "{}_toe")),
    ("{}_elbow", ("{}_hand", "{}_wrist")),
    ("{}_ear", ("nose",)),
)


@dataclass(frozen=True)
class Layout:
    """A joint set as a tree.

    Attributes:
        joints: the J names in the order of the arrays; ``left_`` and ``right_`` are the person's.
        parents: the J indices of each joint's next one towards the root; the root's is itself.
        spine: (lower, upper) joints whose distance measures the size of a person.
        source: where the order comes from.
        middles: joint -> the joints in whose middle it lies where nothing measured it.
        stand_ins: ``head``, ``hand``, ``hip``, ... -> the joint that serves as it.
        dimensions: 3, or 2 where such recordings usually have no depth; for people.
        unit: the usual unit, for people, or the unit's length in metres, which is believed.
        up: the axis that usually is up, such as ``y`` or ``-y``.
    """

    joints: tuple[str, ...]
    parents: tuple[int, ...]
    spine: tuple[int, int]
    source: str
    middles: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    stand_ins: Mapping[str, str] = field(default_factory=dict)
    dimensions: int = 3
    unit: str | float = "metres"
    up: str = "y"

    def __len__(self) -> int:
        return len(self.joints)

    def index(self, joint: str) -> int:
        """The index of a joint's name."""
        return self.joints.index(joint)

    @property
    def root(self) -> int:
        """The joint that has no parent: the middle of the body, for centring."""
        return next(i for i, parent in enumerate(self.parents) if i == parent)

    @property
    def edges(self) -> tuple[tuple[int, int], ...]:
        """The J - 1 bones as (child, parent)."""
        return tuple((i, parent) for i, parent in enumerate(self.parents) if i != parent)

    @property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """(left, right) of each joint that exists on both sides."""
        return tuple(
            (i, self.index(name.replace("left_", "right_", 1)))
            for i, name in enumerate(self.joints)
            if name.startswith("left_")
        )

    def _first(self, names: Sequence[str]) -> int | None:
        """The index of the first of some joints, or what stands in for it, that the layout has."""
        found = (name for part in names for name in (part, self._standing_in(part)))
        return next((self.index(name) for name in found if name in self.joints), None)

    def _standing_in(self, part: str) -> str:
        """The name of the joint that serves as a part, whether or not it is there."""
        side, _, limb = part.rpartition("_")
        joint = self.stand_ins.get(limb, limb)
        return f"{side}_{joint}" if side else joint

    @property
    def top(self) -> int:
        """The joint that is uppermost in a person who stands: of the head, else of the spine."""
        top = self._first(("head", "nose", "jaw"))
        return self.spine[1] if top is None else top

    @property
    def bottom(self) -> tuple[int, ...]:
        """The lowest joint of each leg: of the foot, or as far down as the layout goes."""
        lowest = (self._first([f"{side}_{name}" for name in _LEG]) for side in ("left", "right"))
        return tuple(joint for joint in lowest if joint is not None)

    @property
    def fronts(self) -> tuple[tuple[int, int], ...]:
        """Pairs (back, front) of joints of which one mostly lies before the other in a person."""
        found = [
            (self._first([back.format(side)]), self._first([name.format(side) for name in front]))
            for side in ("left", "right")
            for back, front in _FRONTS
        ]
        return tuple(
            (back, tip)
            for back, tip in found
            if back is not None and tip is not None and back != tip
        )

    def path(self, start: int, end: int) -> list[int]:
        """The joints along the bones from one to another, both included."""
        up, down = [start], [end]
        while up[-1] != self.root:
            up.append(self.parents[up[-1]])
        while down[-1] not in up:
            down.append(self.parents[down[-1]])
        return up[: up.index(down[-1]) + 1] + down[-2::-1]

    @property
    def hips(self) -> tuple[int, int]:
        """The (left, right) hip."""
        return self._part("left_hip"), self._part("right_hip")

    @property
    def shoulders(self) -> tuple[int, int]:
        """The (left, right) shoulder."""
        return self._part("left_shoulder"), self._part("right_shoulder")

    @property
    def parts(self) -> dict[str, int]:
        """Part of the body -> its joint, for the 13 parts of :data:`PARTS` that every layout has.

        The neck is the upper end of the spine, the root the joint that has no parent; another
        joint may stand in for a head, hand or foot.
        """
        middle = {"neck": self.spine[1], "root": self.root}
        return {part: middle[part] if part in middle else self._part(part) for part in PARTS}

    def _part(self, part: str) -> int:
        return self.index(self._standing_in(part))

    @property
    def measured(self) -> tuple[int, ...]:
        """The joints that are in recordings; the others may be worked out as middles."""
        return tuple(i for i in range(len(self)) if i not in self.middles)

    def with_middles(self, poses: np.ndarray, lost: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Work out the joints that were nowhere measured and lie in the middle of others.

        Args:
            poses: (K, J, 3).
            lost: (K, J) bool, what was not measured.

        Returns:
            Both with these joints; they are lost where one of the others is.
        """
        absent = [joint for joint in self.middles if lost[:, joint].all()]
        if absent:
            poses, lost = poses.copy(), lost.copy()
        for joint in absent:
            around = list(self.middles[joint])
            poses[:, joint] = poses[:, around].mean(1)
            lost[:, joint] = lost[:, around].any(1)
        return poses, lost


_HERE = Path(__file__).parent / "layouts"
_KEYS = ("source", "dimensions", "unit", "up", "spine", "joints", "middles", "stand_ins")


def read_layout(path: Path) -> Layout:
    """Read a layout file; docs/skeletons.md describes it.

    Raises:
        InputError: the file is not such a description, or the joints are no tree with the parts
            of a body.
    """
    content = read_yaml(path)
    try:
        return _layout(content)
    except InputError as error:
        raise InputError(f"{path}: {error}; see docs/skeletons.md") from error


def _layout(content: Any) -> Layout:
    if not isinstance(content, dict) or not {"joints", "spine"} <= set(content) <= set(_KEYS):
        found = (
            ", ".join(map(str, content)) if isinstance(content, dict) else type(content).__name__
        )
        raise InputError(
            f"it has {found}; expected joints, spine and, of your choice, "
            "source, dimensions, unit, up, middles and stand_ins"
        )
    tree = content["joints"]
    if not isinstance(tree, dict) or not all(isinstance(joint, str) for joint in tree):
        raise InputError("joints is no mapping; expected a line `joint: parent` for each joint")
    joints = tuple(tree)

    def at(joint: Any, where: str) -> int:
        if joint not in joints:
            raise InputError(f"{where} names '{joint}', which is not one of the joints")
        return joints.index(joint)

    def several(joints: Any, where: str) -> tuple[int, ...]:
        if not isinstance(joints, list) or len(joints) < 2:
            raise InputError(f"{where} is {joints}; expected a list of joints")
        return tuple(at(joint, where) for joint in joints)

    parents = tuple(at(tree[joint] or joint, joint) for joint in joints)
    _refuse_no_tree(joints, parents)
    spine = several(content["spine"], "spine")
    middles = content.get("middles") or {}
    stand_ins = content.get("stand_ins") or {}
    if not isinstance(middles, dict) or not isinstance(stand_ins, dict) or len(spine) != 2:
        raise InputError("spine must be two joints, middles and stand_ins mappings")
    layout = Layout(
        joints,
        parents,
        (spine[0], spine[1]),
        str(content.get("source", "a user's own")),
        {at(joint, "middles"): several(m, f"middles of {joint}") for joint, m in middles.items()},
        {str(part): str(joint) for part, joint in stand_ins.items()},
        content.get("dimensions", 3),
        content.get("unit", "metres"),
        content.get("up", "y"),
    )
    unit = layout.unit
    named = ("metres", "centimetres", "millimetres", "pixels")
    lengths = (unit,) if isinstance(unit, int | float) and 0 < unit < np.inf else ()
    units = (*named, *lengths)
    for name, allowed in (("dimensions", (2, 3)), ("unit", units), ("up", AXES)):
        if getattr(layout, name) not in allowed:
            choice = ", ".join(map(str, named if name == "unit" else allowed))
            raise InputError(f"{name} is {getattr(layout, name)}; expected one of {choice}")
    _refuse_no_body(layout)
    return layout


def _refuse_no_tree(joints: Sequence[str], parents: Sequence[int]) -> None:
    roots = [joint for i, joint in enumerate(joints) if parents[i] == i]
    if len(roots) != 1:
        raise InputError(
            f"{len(roots)} joints have no parent ({', '.join(roots)}); expected one, the middle "
            "of the body"
        )
    for start in range(len(joints)):
        at = start
        for _ in joints:
            at = parents[at]
        if joints[at] != roots[0]:
            raise InputError(f"the parents of '{joints[start]}' go round; expected a tree")


def _refuse_no_body(layout: Layout) -> None:
    """Refuse a layout in which a part of the body has no joint, or a left one no right one."""
    parts = [part for part in PARTS if part not in ("neck", "root")]
    for part in (*parts, "left_hip", "right_hip"):
        try:
            layout._part(part)
        except ValueError:
            limb = part.rpartition("_")[2]
            raise InputError(
                f"no joint '{part}'; add it, or say under stand_ins which joint serves as {limb}, "
                f"such as {{hand: wrist}} for left_wrist and right_wrist"
            ) from None
    mirror = {"left": "right", "right": "left"}
    for joint in layout.joints:
        side, _, rest = joint.partition("_")
        if side in mirror and f"{mirror[side]}_{rest}" not in layout.joints:
            raise InputError(f"'{joint}' has no counterpart '{mirror[side]}_{rest}'")


LAYOUTS: dict[str, Layout] = {
    path.stem: read_layout(path)
    for path in sorted(
        _HERE.glob("*.yaml"), key=lambda p: (not p.stem.startswith("kinect"), p.stem)
    )
}


def known_layouts() -> dict[str, Layout]:
    """All layouts by name: those of AMSF, then a user's own in ``data/layouts``.

    Raises:
        InputError: a file there is no layout, or has the name of one of AMSF's.
    """
    own = {}
    for path in sorted(OWN.glob("*.yaml")):
        if path.stem in LAYOUTS:
            raise InputError(f"{path}: AMSF has a layout of that name; give yours another")
        own[path.stem] = _read_once(path.resolve(), path.stat().st_mtime_ns)
    return LAYOUTS | own


@cache
def _read_once(path: Path, changed: int) -> Layout:
    return read_layout(path)


def layout_of(name: str) -> Layout:
    """Look up a layout by its name.

    Raises:
        InputError: no layout has that name, or the file of a user's own is wrong.
    """
    known = LAYOUTS if name in LAYOUTS else known_layouts()
    if name not in known:
        raise InputError(
            f"joint layout '{name}' is not known; there are {', '.join(known)}; one of your own is "
            f"a file {OWN}/{name}.yaml"
        )
    return known[name]
