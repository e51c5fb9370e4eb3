"""Joint names as sensors, papers and programs spell them, and the layouts that have them.

J = joints of a layout.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from amsf.base.artifacts import LAYOUTS as OWN
from amsf.base.errors import InputError
from amsf.skeleton.joints import Layout, known_layouts

# Names that another release of the same sensor, or a dataset's paper, gives to a joint, as sorted
# words.
_SYNONYMS = {
    "base spine": "center hip",
    "centre hip": "center hip",
    "hip": "center hip",
    "hip mid": "center hip",
    "hip middle": "center hip",
    "pelvis": "center hip",
    "torso": "spine",
    "mid spine": "spine",
    "middle spine": "spine",
    "shoulder spine": "center shoulder",
    "centre shoulder": "center shoulder",
}
# What sensors' libraries put before a joint's name (JointType_Head, XN_SKEL_HEAD), and small words.
_IDLE = {"joint", "jointtype", "type", "nui", "xn", "skel", "skeleton", "position", "of", "the"}
# Words that some write together.
_COMPOUND = {
    "handtip": "hand tip", "bigtoe": "big toe", "smalltoe": "small toe", "eyeinner": "eye inner",
    "eyeouter": "eye outer", "footindex": "foot index",
}  # fmt: skip
# The parts of a body that have an L or R before or behind their name: LShoulder, l_hip, knee.R.
_SIDED = "|".join(
    (*_COMPOUND, "shoulder", "elbow", "wrist", "hand", "thumb", "pinky", "index", "hip", "knee",
     "ankle", "foot", "heel", "toe", "eye", "ear", "mouth", "collar")
)  # fmt: skip


def match_layout(joint_names: Sequence[str]) -> tuple[str, list[int]]:
    """Find the layout that has the given joints, in whatever order and spelling they come.

    ``SpineBase``, ``spine base`` and ``hip_center`` are the same joint, and so are
    ``ShoulderLeft``, ``left_shoulder``, ``JointType_ShoulderLeft``, ``LShoulder`` and
    ``shoulder.L``. The names in the paper of NTU RGB+D ("base of the spine") are known, too.

    Joints that a layout can work out, as middles of others, may be missing.

    Args:
        joint_names: the names of an array's joint axis.

    Returns:
        The layout's name, and for each of its joints the index in ``joint_names``, -1 for a
        missing one: see :func:`arranged`.

    Raises:
        InputError: no layout has exactly these joints.
    """
    given = [words_of(name) for name in joint_names]
    # "Base", "middle of the spine" and, for its upper end, "spine" alone.
    if given.count("spine") == 2 and "center shoulder" not in given:
        upper = [words_of(name, synonyms=False) for name in joint_names].index("spine")
        given[upper] = "center shoulder"
    known = known_layouts()
    fitting: list[tuple[int, str]] = []  # by the number of missing joints
    differences: dict[str, int] = {}
    for key, layout in known.items():
        wanted = [words_of(name) for name in layout.joints]
        measured = {wanted[i] for i in layout.measured}
        if measured <= set(given) <= set(wanted) and len(set(given)) == len(given):
            fitting.append((len(wanted) - len(given), key))
        differences[key] = len(set(wanted) ^ set(given))
    if fitting:
        _, key = min(fitting, key=lambda item: item[0])
        wanted = [words_of(name) for name in known[key].joints]
        return key, [given.index(words) if words in given else -1 for words in wanted]
    nearest = min(differences, key=lambda key: differences[key])
    raise InputError(_differences(nearest, known[nearest], joint_names, given, list(known)))


def arranged(joints: np.ndarray, order: Sequence[int]) -> np.ndarray:
    """Put joints (..., n, C) into the order of a layout, (..., J, C), NaN for a missing one."""
    found = joints[..., list(order), :]
    if min(order) < 0:
        found = found.astype(np.float64)
        found[..., np.array(order) < 0, :] = np.nan
    return found


def _differences(
    nearest: str, layout: Layout, names: Sequence[str], given: Sequence[str], known: Sequence[str]
) -> str:
    wanted = [words_of(name) for name in layout.joints]
    missing = [layout.joints[i] for i in layout.measured if wanted[i] not in given]
    extra = list(dict.fromkeys(n for n, w in zip(names, given) if w not in wanted))
    repeated = list(dict.fromkeys(n for i, n in enumerate(names) if given[i] in given[:i]))
    return (
        f"no known layout has these {len(given)} joint names; of the nearest, {nearest}, "
        f"{_listed(missing)} missing, {_listed(extra)} unknown, {_listed(repeated)} repeated; "
        f"rename the joints or describe yours in {OWN}/NAME.yaml (known: {', '.join(known)})"
    )


def words_of(name: str, *, synonyms: bool = True) -> str:
    """A joint's name as sorted lower-case words, synonyms replaced."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    words = re.findall(r"[a-z]+\d*", spaced.lower())
    words = [word for word in words if word.rstrip("0123456789") not in _IDLE]
    words = re.sub(rf"\b([lr])({_SIDED})\b", r"\1 \2", " ".join(words)).split()
    words = [{"l": "left", "r": "right"}.get(word, _COMPOUND.get(word, word)) for word in words]
    joined = " ".join(sorted(" ".join(words).split()))
    return _SYNONYMS.get(joined, joined) if synonyms else joined


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names)} {'is' if len(names) == 1 else 'are'}" if names else "none is"
