"""Clips as a user has them, of simulated people: a folder of BVH files, or a pickle of pyskl.

T = frames · J = 25 joints of Kinect v2.
"""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from amsf.demo.programs import PROGRAMS
from amsf.demo.simulation import LAYOUT, make_subjects, simulate_class
from amsf.skeleton.joints import layout_of
from amsf.skeleton.recordings import Recording
from tests.pack.test_bvh import RIG, bvh, written_order

PEOPLE = ("anna", "ben", "cleo", "dan")
# Joint of the rig -> where its bone goes: from one joint of Kinect v2 to another.
_BONES = {
    f"{side.title()}{bone}": (f"{side}_{start}", f"{side}_{end}")
    for side in ("left", "right")
    for bone, start, end in (
        ("Arm", "shoulder", "elbow"), ("ForeArm", "elbow", "wrist"), ("UpLeg", "hip", "knee"),
        ("Leg", "knee", "ankle"), ("Foot", "ankle", "foot"))
} | {"Neck": ("neck", "head")}  # fmt: skip


def performances(labels: Sequence[str], takes: int = 2) -> list[Recording]:
    """Each class of the demo by each of four people, ``takes`` times, in this order."""
    people = make_subjects(len(PEOPLE), 2)
    programs = {program.label: program for program in PROGRAMS}
    return [
        recording
        for number, label in enumerate(labels)
        for recording in simulate_class(
            number, programs[label], people, takes, np.random.default_rng([2, number])
        )
    ]


def motion_of(joints: np.ndarray) -> np.ndarray:
    """The channels (T, 3 + 3 x bones) that bring the rig into the pose of (T, J, 3) joints."""
    at = dict(zip(layout_of(LAYOUT).joints, joints.transpose(1, 0, 2).astype(float)))
    rest = {joint: np.array(offset) for joint, _, offset in RIG}
    parents = {joint: parent for joint, parent, _ in RIG}
    across = at["left_hip"] - at["right_hip"]
    turns = {"Hips": _facing(across, at["spine_mid"] - at["spine_base"])}
    columns = []
    for joint in written_order():
        if joint != "Hips":
            turns[joint] = turns[str(parents[joint])]
        if joint == "Spine1":
            across = at["left_shoulder"] - at["right_shoulder"]
            turns[joint] = _facing(across, at["spine_shoulder"] - at["spine_mid"])
        if joint in _BONES:
            start, end = _BONES[joint]
            (child,) = (name for name, parent in parents.items() if parent == joint)
            turns[joint] = _aimed(turns[joint], rest[child], at[end] - at[start])
        above = turns[str(parents[joint])].inv() if joint != "Hips" else Rotation.identity()
        columns.append((above * turns[joint]).as_euler("ZXY", degrees=True))
    return np.concatenate([at["spine_base"], *columns], axis=1)


def _facing(left: np.ndarray, up: np.ndarray) -> Rotation:
    """(T, 3) directions to a person's left and up as the turn of a body that faces z."""
    y = up / np.linalg.norm(up, axis=1, keepdims=True)
    z = np.cross(left, y)
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    return Rotation.from_matrix(np.stack([np.cross(y, z), y, z], axis=2))


def _aimed(turn: Rotation, offset: np.ndarray, goal: np.ndarray) -> Rotation:
    """A turn changed by the least that brings a bone's offset to a (T, 3) direction."""
    now, goal = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in (turn.apply(offset), goal))
    axis = np.cross(now, goal)
    sine = np.linalg.norm(axis, axis=1, keepdims=True)
    angle = np.arctan2(sine, (now * goal).sum(1, keepdims=True))
    return Rotation.from_rotvec(axis / np.maximum(sine, 1e-9) * angle) * turn


def write_bvh(folder: Path, labels: Sequence[str]) -> None:
    """``anna/wave_01.bvh`` and so on: a folder a person, the class in the name."""
    for i, recording in enumerate(performances(labels)):
        person, label = PEOPLE[recording.subject - 1], labels[recording.label]
        path = folder / person / f"{label.replace(' ', '_')}_{i % 2 + 1:02d}.bvh"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(bvh(motion_of(recording.joints[0])))


def write_pyskl(path: Path, labels: Sequence[str]) -> None:
    """3-D poses as in pyskl's pickles of NTU RGB+D; the file says which recordings train."""
    made = [replace(r, name=f"clip{i:03d}") for i, r in enumerate(performances(labels))]
    annotations = [
        {"frame_dir": r.name, "label": r.label, "keypoint": r.joints.astype(np.float16),
         "total_frames": r.joints.shape[1]}
        for r in made
    ]  # fmt: skip
    train = [r.name for r in made if r.subject % 2]
    tested = [r.name for r in made if not r.subject % 2]
    split = {"xsub_train": train, "xsub_val": tested}
    path.write_bytes(pickle.dumps({"split": split, "annotations": annotations}))
