"""BVH: motion capture as a tree of joints and the rotations of each in each frame.

``HIERARCHY`` gives each joint an ``OFFSET`` from its parent and the order of its ``CHANNELS``;
``MOTION`` has a line of channel values a frame, degrees and lengths. A joint is placed by forward
kinematics: its rotation is the product of its rotations in the order of the channels, after its
parent's.

BVH says neither which joints there are nor their names. Those of the usual rigs (Mixamo, CMU,
MotionBuilder, LAFAN1, and rigs with plain names such as LeftKnee) are brought into the layout
``smpl22``; another rig's are read if a layout of the user's own names them.

T = frames, J = joints of the file, C = channels.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from amsf.base.artifacts import LAYOUTS as OWN
from amsf.base.errors import InputError, first_ten
from amsf.base.plain_text import read_plain_text
from amsf.pack.base import LeftOut, Reading, Task, plan_by_suffix
from amsf.skeleton.bodies import Track
from amsf.skeleton.cleaning import RawRecording
from amsf.skeleton.joint_names import words_of
from amsf.skeleton.joints import LAYOUTS, known_layouts, layout_of
from amsf.skeleton.stature import up_of

SUFFIX = ".bvh"
FORM = "NAME.bvh"
LAYOUT = "smpl22"
# Names of joints, without capitals and prefixes, for each joint of the layout. In rigs of the first
# kind a joint has the name of the bone that it moves: LeftArm is at the shoulder.
_BONES = {
    "hip": ("upleg",), "knee": ("leg",), "ankle": ("foot",), "foot": ("toebase", "toe", "foot end"),
    "collar": ("shoulder",), "shoulder": ("arm",), "elbow": ("forearm",), "wrist": ("hand",),
}  # fmt: skip
_PLACES = {
    "hip": ("hip", "thigh", "upperleg"), "knee": ("knee", "shin", "lowerleg"),
    "ankle": ("ankle", "foot"), "foot": ("toe", "toes", "toebase", "ankle end", "foot end"),
    "collar": ("collar", "clavicle"), "shoulder": ("shoulder", "shldr", "upperarm"),
    "elbow": ("elbow", "forearm", "lowerarm"), "wrist": ("wrist", "hand"),
}  # fmt: skip
_MIDDLE = {"pelvis": ("hips", "hip", "pelvis", "root"), "neck": ("neck",), "head": ("head",)}


@dataclass
class _Joint:
    name: str
    parent: int
    offset: np.ndarray
    channels: list[str] = field(default_factory=list)


def plan(files: Sequence[Path], classes: int | None) -> tuple[list[Task], list[LeftOut]]:
    """The ``.bvh`` files, and the others."""
    return plan_by_suffix(files, SUFFIX, FORM)


def read(task: Task) -> Reading:
    """Read one file.

    Raises:
        InputError: the file is no BVH, is cut short, or its joints are those of no known rig.
    """
    (path,) = task
    text = read_plain_text(path)
    try:
        joints, motion = _parse(text)
        layout, chosen = _chosen(joints)
        places = _laid_out(forward(joints, motion), chosen)
        rest = _laid_out(forward(joints, np.zeros((1, motion.shape[1]))), chosen)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    known = layout_of(layout)
    upright, _ = known.with_middles(rest, np.isnan(rest).any(-1))
    body = Track(np.arange(len(places)), places)
    return Reading(layout, [RawRecording([body], path.stem, up=up_of(upright, known))])


def _parse(text: str) -> tuple[list[_Joint], np.ndarray]:
    """The joints in the order of the channels, and the (T, C) values."""
    head, found, motion = text.partition("MOTION")
    if not found or not head.lstrip().upper().startswith("HIERARCHY"):
        raise InputError("no HIERARCHY with a MOTION behind it; expected a BVH file")
    joints = _hierarchy(head.split()[1:])
    match = re.match(r"\s*Frames:\s*(\d+)\s+Frame Time:\s*\S+\s*", motion, re.IGNORECASE)
    if match is None:
        raise InputError("MOTION is not followed by Frames and Frame Time; expected a BVH file")
    columns, frames = sum(len(joint.channels) for joint in joints), int(match[1][:9])
    try:
        values = np.array(motion[match.end() :].split(), np.float64)
    except ValueError as error:
        raise InputError(f"MOTION holds something that is no number ({error})") from error
    if frames == 0 or values.size != frames * columns:
        raise InputError(
            f"MOTION holds {values.size} numbers; expected {frames} frames of {columns} channels: "
            "the file is cut short or damaged"
        )
    if not np.isfinite(values).all():
        raise InputError("MOTION holds a number that is not finite; expected degrees and lengths")
    return joints, values.reshape(frames, columns)


def _hierarchy(words: list[str]) -> list[_Joint]:
    joints: list[_Joint] = []
    above: list[int] = []  # the joints whose braces are open
    at = 0
    try:
        while at < len(words):
            word = words[at].upper()
            if word in ("ROOT", "JOINT", "END"):
                brace = words.index("{", at)
                parent = above[-1] if above else -1
                name = " ".join(words[at + 1 : brace])
                if word == "END":
                    name = f"{joints[parent].name} end"
                joints.append(_Joint(name, parent, np.zeros(3)))
                above.append(len(joints) - 1)
                at = brace + 1
            elif word == "OFFSET":
                joints[above[-1]].offset = np.array(words[at + 1 : at + 4], np.float64)
                at += 4
            elif word == "CHANNELS":
                count = int(words[at + 1])
                named = [channel.lower() for channel in words[at + 2 : at + 2 + count]]
                if not all(re.fullmatch(r"[xyz](position|rotation)", channel) for channel in named):
                    raise ValueError(f"channels {' '.join(named)}")
                joints[above[-1]].channels = named
                at += 2 + count
            elif word == "}":
                above.pop()
                at += 1
            else:
                raise ValueError(f"'{words[at][:40]}'")
    except (ValueError, IndexError) as error:
        raise InputError(f"the HIERARCHY cannot be read ({error}); expected a BVH file") from error
    if above or not joints:
        raise InputError("the braces of the HIERARCHY do not match; expected a BVH file")
    return joints


def forward(joints: Sequence[_Joint], motion: np.ndarray) -> dict[str, np.ndarray]:
    """Forward kinematics.

    Args:
        joints: the joints, each after its parent.
        motion: (T, C) channel values.

    Returns:
        Name -> (T, 3) places, in the file's axes and unit.
    """
    places: list[np.ndarray] = []
    turns: list[Rotation] = []
    column = 0
    for joint in joints:
        values = motion[:, column : column + len(joint.channels)]
        column += len(joint.channels)
        offset = np.tile(joint.offset, (len(motion), 1))
        order, angles = "", []
        for channel, value in zip(joint.channels, values.T):
            if channel.endswith("position"):
                # A root's is added to its offset; another joint's takes the place of it.
                base = offset[:, "xyz".index(channel[0])] if joint.parent < 0 else 0.0
                offset[:, "xyz".index(channel[0])] = base + value
            else:
                order += channel[0].upper()
                angles.append(value)
        turn = Rotation.identity(len(motion))
        for axis, angle in zip(order, angles):
            turn = turn * Rotation.from_euler(axis, angle[:, None], degrees=True)
        if joint.parent < 0:
            places.append(offset)
            turns.append(turn)
        else:
            places.append(places[joint.parent] + turns[joint.parent].apply(offset))
            turns.append(turns[joint.parent] * turn)
    return {joint.name: place for joint, place in zip(joints, places)}


def _chosen(joints: Sequence[_Joint]) -> tuple[str, list[str | None]]:
    """The layout, and for each of its joints the one of the file; None for one to work out."""
    names = [joint.name for joint in joints]
    by_words = {words_of(_bare(name)): name for name in reversed(names)}
    for key, layout in known_layouts().items():
        wanted = [words_of(joint) for joint in layout.joints]
        if key not in LAYOUTS and all(wanted[i] in by_words for i in layout.measured):
            return key, [by_words.get(word) for word in wanted]
    layout = layout_of(LAYOUT)
    short = {re.sub(r"[^a-z0-9 ]", "", _bare(name).lower()): name for name in reversed(names)}
    limbs = _BONES if {"leftarm", "leftupleg"} <= set(short) else _PLACES
    chosen: dict[str, str] = {}
    for joint in layout.joints:
        side, _, part = joint.rpartition("_")
        if side:
            spelled = [f"{s}{name}" for name in limbs[part] for s in (side, side[0])]
        else:
            spelled = list(_MIDDLE.get(joint, ()))
        found = next((short[name] for name in spelled if name in short), None)
        if found is not None:
            chosen[joint] = found
    chosen |= _spine(joints, chosen)
    missing = [layout.joints[i] for i in layout.measured if layout.joints[i] not in chosen]
    if missing:
        raise InputError(
            f"its joints ({first_ten(names)}) are those of no known rig: no {first_ten(missing)}; "
            f"rename them as Mixamo does, or describe them in {OWN}/NAME.yaml"
        )
    return LAYOUT, [chosen.get(joint) for joint in layout.joints]


def _bare(name: str) -> str:
    """A joint's name without the character's, such as ``mixamorig:``."""
    return re.sub(r"^.*[:|]|^mixamorig\d*_?", "", name)


def _spine(joints: Sequence[_Joint], chosen: dict[str, str]) -> dict[str, str]:
    """spine1 to spine3 out of the joints between the hips and the neck."""
    index = {joint.name: at for at, joint in enumerate(joints)}
    upper = chosen.get("neck", chosen.get("head"))
    if upper is None or "pelvis" not in chosen:
        return {}
    at, between = joints[index[upper]].parent, list[str]()
    while at >= 0 and joints[at].name != chosen["pelvis"]:
        between.insert(0, joints[at].name)
        at = joints[at].parent
    if len(between) == 1:
        return {"spine2": between[0]}
    if len(between) == 2:
        return {"spine1": between[0], "spine3": between[1]}
    middle = between[len(between) // 2] if between else ""
    return {"spine1": between[0], "spine2": middle, "spine3": between[-1]} if between else {}


def _laid_out(places: dict[str, np.ndarray], chosen: Sequence[str | None]) -> np.ndarray:
    """(T, J, 3) in the layout's order, NaN where the file has no such joint."""
    frames = len(next(iter(places.values())))
    nowhere = np.full((frames, 3), np.nan)
    return np.stack([nowhere if name is None else places[name] for name in chosen], axis=1)
