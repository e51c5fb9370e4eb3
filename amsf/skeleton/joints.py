"""The joint sets of the recordings, described as graphs: names, parents, left and right.

Everything that depends on which joints a recording has (the encoder's graph, centring and
scaling, mirroring, drawing) asks a :class:`Layout`; adding a joint set means adding one entry to
:data:`LAYOUTS`.

J = joints of a layout.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from amsf.base.errors import InputError

# Names that another release of the same sensor, or a dataset's paper, gives to a joint, as sorted
# words.
_SYNONYMS = {
    "base spine": "center hip",
    "centre hip": "center hip",
    "hip": "center hip",
    "mid spine": "spine",
    "middle spine": "spine",
    "shoulder spine": "center shoulder",
    "centre shoulder": "center shoulder",
    "handtip left": "hand left tip",
    "handtip right": "hand right tip",
}
# What sensors' libraries put before a joint's name (JointType_Head, XN_SKEL_HEAD), and small words.
_IDLE = {"joint", "jointtype", "type", "nui", "xn", "skel", "skeleton", "position", "of", "the"}
# The parts of a body that have an L or R before or behind their name: LShoulder, l_hip, knee.R.
_SIDED = "shoulder|elbow|wrist|handtip|hand|thumb|hip|knee|ankle|foot|heel|toe|eye|ear"

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
    """

    joints: tuple[str, ...]
    parents: tuple[int, ...]
    spine: tuple[int, int]
    source: str

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
        """The index of the first of some joints that the layout has."""
        return next((self.index(name) for name in names if name in self.joints), None)

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
        return tuple((back, tip) for back, tip in found if back is not None and tip is not None)

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
        return self.index("left_hip"), self.index("right_hip")

    @property
    def shoulders(self) -> tuple[int, int]:
        """The (left, right) shoulder."""
        return self.index("left_shoulder"), self.index("right_shoulder")

    @property
    def parts(self) -> dict[str, int]:
        """Part of the body -> its joint, for the 13 parts of :data:`PARTS` that every layout has.

        The neck is the upper end of the spine, the root the joint that has no parent.
        """
        middle = {"neck": self.spine[1], "root": self.root}
        return {part: middle[part] if part in middle else self.index(part) for part in PARTS}


def _layout(tree: str, spine: tuple[str, str], source: str) -> Layout:
    """Build a layout from words ``joint<parent`` in array order; the root has no ``<``."""
    words = [word.partition("<") for word in tree.split()]
    joints = tuple(word[0] for word in words)
    parents = tuple(joints.index(parent or joint) for joint, _, parent in words)
    return Layout(joints, parents, (joints.index(spine[0]), joints.index(spine[1])), source)


LAYOUTS: dict[str, Layout] = {
    "kinect25": _layout(
        """
        spine_base spine_mid<spine_base neck<spine_shoulder head<neck
        left_shoulder<spine_shoulder left_elbow<left_shoulder
        left_wrist<left_elbow left_hand<left_wrist
        right_shoulder<spine_shoulder right_elbow<right_shoulder
        right_wrist<right_elbow right_hand<right_wrist
        left_hip<spine_base left_knee<left_hip left_ankle<left_knee left_foot<left_ankle
        right_hip<spine_base right_knee<right_hip right_ankle<right_knee right_foot<right_ankle
        spine_shoulder<spine_mid
        left_hand_tip<left_hand left_thumb<left_wrist
        right_hand_tip<right_hand right_thumb<right_wrist
        """,
        ("spine_base", "spine_shoulder"),
        "Kinect v2: NTU RGB+D, PKU-MMD",
    ),
    "kinect20": _layout(
        """
        head<shoulder_center shoulder_center<spine spine<hip_center hip_center
        left_shoulder<shoulder_center left_elbow<left_shoulder
        left_wrist<left_elbow left_hand<left_wrist
        right_shoulder<shoulder_center right_elbow<right_shoulder
        right_wrist<right_elbow right_hand<right_wrist
        left_hip<hip_center left_knee<left_hip left_ankle<left_knee left_foot<left_ankle
        right_hip<hip_center right_knee<right_hip right_ankle<right_knee right_foot<right_ankle
        """,
        ("hip_center", "shoulder_center"),
        "Kinect v1 in the order of UTD-MHAD",
    ),
    "openni15": _layout(
        """
        head<neck neck<torso torso
        left_shoulder<neck left_elbow<left_shoulder left_hand<left_elbow
        right_shoulder<neck right_elbow<right_shoulder right_hand<right_elbow
        left_hip<torso left_knee<left_hip left_foot<left_knee
        right_hip<torso right_knee<right_hip right_foot<right_knee
        """,
        ("torso", "neck"),
        "the 15 joints that OpenNI tracks",
    ),
}


def layout_of(name: str) -> Layout:
    """Look up a layout by its name.

    Raises:
        InputError: no layout has that name.
    """
    if name not in LAYOUTS:
        raise InputError(f"joint layout '{name}' is not known; there are {', '.join(LAYOUTS)}")
    return LAYOUTS[name]


def match_layout(joint_names: Sequence[str]) -> tuple[str, list[int]]:
    """Find the layout that has the given joints, in whatever order and spelling they come.

    ``SpineBase``, ``spine base`` and ``hip_center`` are the same joint, and so are
    ``ShoulderLeft``, ``left_shoulder``, ``JointType_ShoulderLeft``, ``LShoulder`` and
    ``shoulder.L``. The names in the paper of NTU RGB+D ("base of the spine") are known, too.

    Args:
        joint_names: the J names of an array's joint axis.

    Returns:
        The layout's name, and for each of its joints the index in ``joint_names``, so that
        ``array[..., order, :]`` is in the layout's order.

    Raises:
        InputError: no layout has exactly these joints.
    """
    given = [_words(name) for name in joint_names]
    # "Base", "middle of the spine" and, for its upper end, "spine" alone.
    if given.count("spine") == 2 and "center shoulder" not in given:
        upper = [_words(name, synonyms=False) for name in joint_names].index("spine")
        given[upper] = "center shoulder"
    nearest, differences = "", len(given) + 100
    for key, layout in LAYOUTS.items():
        wanted = [_words(name) for name in layout.joints]
        if sorted(wanted) == sorted(given):
            return key, [given.index(words) for words in wanted]
        difference = len(set(wanted) ^ set(given))
        if difference < differences:
            nearest, differences = key, difference
    wanted = [_words(name) for name in LAYOUTS[nearest].joints]
    missing = [n for n, w in zip(LAYOUTS[nearest].joints, wanted) if w not in given]
    extra = list(dict.fromkeys(n for n, w in zip(joint_names, given) if w not in wanted))
    repeated = list(dict.fromkeys(n for i, n in enumerate(joint_names) if given[i] in given[:i]))
    raise InputError(
        f"no known layout has these {len(given)} joint names; of the nearest, {nearest}, "
        f"{_listed(missing)} missing, {_listed(extra)} unknown, {_listed(repeated)} repeated; "
        f"rename the joints or add a layout to amsf/skeleton/joints.py (known: "
        f"{', '.join(LAYOUTS)})"
    )


def _words(name: str, *, synonyms: bool = True) -> str:
    """A joint's name as sorted lower-case words, synonyms replaced."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    words = [word for word in re.findall(r"[a-z]+", spaced.lower()) if word not in _IDLE]
    words = re.sub(rf"\b([lr])({_SIDED})\b", r"\1 \2", " ".join(words)).split()
    words = [{"l": "left", "r": "right"}.get(word, word) for word in words]
    joined = " ".join(sorted(words))
    return _SYNONYMS.get(joined, joined) if synonyms else joined


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names)} {'is' if len(names) == 1 else 'are'}" if names else "none is"
