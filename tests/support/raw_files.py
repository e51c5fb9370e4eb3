"""Writers of raw recordings, after the published descriptions of the formats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from amsf.skeleton.joints import LAYOUTS

REST = "277.4 191.8 1036.2 519.1 -0.2 0.05 0.96 -0.12 2"  # of a joint's line, after x y z


# Where the joints of a person are who stands and faces the sensor: x, y, z from the hips in metres.
_STANDING = {
    "head": (0, 0.65, 0), "neck": (0, 0.5, 0), "spine_shoulder": (0, 0.44, 0),
    "shoulder_center": (0, 0.44, 0), "spine": (0, 0.2, 0), "spine_mid": (0, 0.2, 0),
    "torso": (0, 0.2, 0), "hip_center": (0, 0, 0), "spine_base": (0, 0, 0),
    "shoulder": (0.18, 0.4, 0), "elbow": (0.22, 0.14, 0.02), "wrist": (0.24, -0.06, -0.12),
    "hand": (0.24, -0.1, -0.18), "hand_tip": (0.24, -0.12, -0.24), "thumb": (0.21, -0.1, -0.16),
    "hip": (0.1, -0.05, 0), "knee": (0.11, -0.45, 0), "ankle": (0.11, -0.85, 0.02),
    "foot": (0.12, -0.9, -0.1),
    "pelvis": (0, 0, 0), "mid_hip": (0, 0, 0), "spine1": (0, 0.1, 0),
    "spine2": (0, 0.2, 0), "spine3": (0, 0.33, 0), "thorax": (0, 0.44, 0), "neck_base": (0, 0.5, 0),
    "collar": (0.07, 0.42, 0), "nose": (0, 0.62, -0.1), "eye": (0.03, 0.66, -0.08),
    "eye_inner": (0.02, 0.66, -0.08), "eye_outer": (0.04, 0.66, -0.07), "ear": (0.07, 0.64, 0),
    "mouth": (0.02, 0.58, -0.09), "pinky": (0.25, -0.13, -0.2), "index": (0.23, -0.13, -0.22),
    "big_toe": (0.11, -0.9, -0.12), "small_toe": (0.15, -0.9, -0.1), "heel": (0.11, -0.9, 0.06),
    "foot_index": (0.12, -0.9, -0.11),
}  # fmt: skip


def standing(layout: str) -> np.ndarray:
    """(J, 3) joints of someone who stands at the origin; the right side is at larger x."""
    places = []
    for name in LAYOUTS[layout].joints:
        side, _, part = name.partition("_")
        if name == "hip":  # of Halpe, in the middle
            places.append(np.array(_STANDING["pelvis"]))
        elif side in ("left", "right"):
            places.append(np.array(_STANDING[part]) * [1 if side == "right" else -1, 1, 1])
        else:
            places.append(np.array(_STANDING[name]))
    return np.stack(places)


def walk(frames: int, joints: int, *, seed: int = 0, size: float = 0.01) -> np.ndarray:
    """(T, J, 3) float32 joints of someone about 3 m away who drifts by ``size`` metres a frame.

    Joint sets that no layout has are any points of a cloud.
    """
    rng = np.random.default_rng(seed)
    layout = next((name for name, graph in LAYOUTS.items() if len(graph) == joints), None)
    spread = 0.3 if layout is None else 0.02
    start = rng.normal(scale=spread, size=(1, joints, 3)) + np.array([0, 0, 3])
    if layout is not None:
        start += standing(layout)
    return (start + np.cumsum(rng.normal(scale=size, size=(frames, 1, 3)), 0)).astype(np.float32)


def ntu_lines(frames: Sequence[Mapping[str, np.ndarray]]) -> list[str]:
    """The lines of a ``.skeleton`` file; each frame maps tracking ids to (J, 3) joints."""
    lines = [str(len(frames))]
    for bodies in frames:
        lines.append(str(len(bodies)))
        for identity, joints in bodies.items():
            lines += [f"{identity} 0 1 1 1 1 0 0.0276 0.0574 2", str(len(joints))]
            lines += [" ".join(f"{value:.9g}" for value in row) + f" {REST}" for row in joints]
    return lines


def write_ntu(path: Path, frames: Sequence[Mapping[str, np.ndarray]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(ntu_lines(frames)) + "\n")
    return path


def one_body(joints: np.ndarray) -> list[dict[str, np.ndarray]]:
    """The frames of a recording with one body."""
    return [{"72057594037931101": pose} for pose in joints]


def write_pku(folder: Path, video: str, bodies: np.ndarray, intervals: Sequence[str]) -> None:
    """(2, T, 25, 3) joints as a video file, and its label file."""
    (folder / "skeletons").mkdir(parents=True, exist_ok=True)
    (folder / "labels").mkdir(exist_ok=True)
    rows = bodies.transpose(1, 0, 2, 3).reshape(bodies.shape[1], 150)
    np.savetxt(folder / "skeletons" / f"{video}.txt", rows, fmt="%.9g")
    (folder / "labels" / f"{video}.txt").write_text("\n".join(intervals) + "\n")


def moving(layout: str, frames: int = 24, seed: int = 0) -> np.ndarray:
    """(T, J, 3) float32 joints of a person 3 m away who moves arms and legs, in any layout.

    Joints that the layout can work out are where it would put them.
    """
    rng = np.random.default_rng(seed)
    graph, place = LAYOUTS[layout], standing(layout)
    phase = np.linspace(0, 6, frames)[:, None, None] + rng.uniform(0, 6, (1, len(place), 3))
    size = np.where(np.abs(place[:, :1]) > 0.05, 0.06, 0.02)
    moved = place + size * np.sin(phase) + rng.normal(scale=0.002, size=phase.shape)
    for joint, around in graph.middles.items():
        moved[:, joint] = moved[:, list(around)].mean(1)
    return (moved + np.array([0.3 * seed, -0.2, 3])).astype(np.float32)
