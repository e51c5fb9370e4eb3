"""Writers of raw recordings, after the published descriptions of the formats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

REST = "277.4 191.8 1036.2 519.1 -0.2 0.05 0.96 -0.12 2"  # of a joint's line, after x y z


def walk(frames: int, joints: int, *, seed: int = 0, size: float = 0.01) -> np.ndarray:
    """(T, J, 3) float32 joints about 3 m away that drift by ``size`` metres a frame."""
    rng = np.random.default_rng(seed)
    start = rng.normal(scale=0.3, size=(1, joints, 3)) + np.array([0, 0, 3])
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
