"""The motion summary: 318 numbers that say how a body moves, and that know no classes.

Nothing here is learnt, so no class can leak: a recording's numbers depend on that recording alone.
They were chosen among many sets of statistics on UTKinect, Florence 3D and the training subjects
of UTD-MHAD, by semantic ridge on classes left out.

Each person is read in their own frame (:func:`amsf.backbone.preprocessing.separate_persons`):
centred, facing the sensor at the start, in spine lengths, x to the person's right, y up, z
backwards; resampled to 64 frames. The numbers of two persons are averaged, so that their order does
not matter, as it does not to the skeleton encoder; how they stand to each other is left out.

Axis letters: N recordings, P persons, T = 64 frames, J joints of the layout, F = 318 numbers.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from amsf.backbone.preprocessing import prepare, separate_persons
from amsf.skeleton.joints import PARTS, Layout, layout_of
from amsf.skeleton.recordings import SkeletonSet

FRAMES = 64
LAGS = (4, 8, 12, 16, 24, 32)  # frames
_LIMBS = (
    *(("left_hand", "right_hand"), ("left_foot", "right_foot"), ("left_knee", "right_knee")),
    *(("left_hand", "right_foot"), ("right_hand", "left_foot"), ("left_elbow", "right_elbow")),
)
_HANDS = ("left_hand", "right_hand")
_PLANES = {"xy": (0, 1), "yz": (1, 2), "xz": (0, 2)}
_SMOOTHED = 5  # frames of the moving mean that takes the sensor's jitter away
_STILL = 0.01  # spine lengths a frame: along an axis, slower than this counts as standing
_BLOCK = 1024  # recordings summarised at once, so that the memory does not grow with their number


def motion_names() -> tuple[str, ...]:
    """The F names, such as ``left_hand top speed``, in the order of the numbers."""
    still = np.zeros((1, FRAMES, len(PARTS), 3))
    return tuple(_columns({part: still[:, :, i] for i, part in enumerate(PARTS)}))


def motion_summary(joints: np.ndarray, layout: Layout) -> np.ndarray:
    """How each of 13 parts of the body moves.

    The parts are placed relative to the root, the root in the person's own frame. Lengths are in
    spine lengths. A small constant in each denominator keeps the ratios of a body that hardly
    moves near zero.

    - Of each part: its share of all parts' path length, log of the path length, top speed (a
      frame), distance from the first to the last place, that distance over the path length
      (``directness``), extent along x, y and z, shares of x and y in the extent; mean, deviation
      and log-entropy of the time (0 to 1) at which its path is covered; correlation with itself
      4 to 32 frames later (``recurrence``); changes of direction along x, y and z.
    - Of each of six pairs of limbs: correlation of their velocities along x, y and z, and the
      difference of their path lengths over the sum (``imbalance``).
    - Of each hand: twice the area that it goes round in the planes xy, yz and xz, positive from
      the first axis towards the second (``turning``); mean cosine of the directions of successive
      steps (``straightness``): 1 on a straight way, whose steps are long against 0.01.

    Args:
        joints: (P, 64, J, 3), each person in their own frame.
        layout: of the joints.

    Returns:
        (P, F) float64, columns as :func:`motion_names` has them; finite for finite float32 input.
    """
    joints = np.asarray(joints, np.float64)
    at = layout.parts
    root = joints[:, :, at["root"]]
    own = {part: joints[:, :, at[part]] - (0 if part == "root" else root) for part in PARTS}
    return np.stack(list(_columns({part: _smooth(x) for part, x in own.items()}).values()), 1)


def motion_features(
    recordings: SkeletonSet, rows: Sequence[int] | np.ndarray | None = None
) -> np.ndarray:
    """The motion summaries of recordings, averaged over the persons of each.

    Args:
        recordings: of any layout.
        rows: which of them, N; None for all. The others are not touched.

    Returns:
        (N, F) float64.

    Raises:
        InputError: there is no room for the normalised recordings on the disk.
    """
    rows = np.arange(len(recordings)) if rows is None else np.asarray(rows, np.int64)
    layout = layout_of(recordings.layout)
    samples = prepare(recordings, rows, layout, FRAMES)
    features = np.zeros((len(rows), len(motion_names())))
    for block in torch.arange(len(rows)).split(_BLOCK):
        views = separate_persons(samples[block], layout)
        found = np.zeros((len(block), 2, features.shape[1]))
        found[views.sample, views.person] = motion_summary(views.own.numpy(), layout)
        features[block] = found.sum(1) / samples.present[block].sum(1, keepdim=True).numpy()
    return features


def _columns(place: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Name -> (P,), from part -> (P, T, 3) places."""
    velocity = {part: np.diff(x, axis=1) for part, x in place.items()}
    speed = {part: np.linalg.norm(v, axis=-1) for part, v in velocity.items()}  # (P, T - 1)
    path = {part: s.sum(1) for part, s in speed.items()}
    total = sum(path.values()) + 1e-3
    columns: dict[str, np.ndarray] = {}
    for part in PARTS:
        found = _extents(place[part], path[part])
        found |= _times(speed[part], path[part])
        found |= _rhythm(place[part], velocity[part])
        columns[f"{part} path share"] = path[part] / total
        columns |= {f"{part} {name}": values for name, values in found.items()}
    for a, b in _LIMBS:
        found = _together(velocity[a], velocity[b], path[a], path[b])
        columns |= {f"{a} {b} {name}": values for name, values in found.items()}
    for hand in _HANDS:
        found = _turning(place[hand], velocity[hand])
        columns |= {f"{hand} {name}": values for name, values in found.items()}
    return columns


def _extents(place: np.ndarray, path: np.ndarray) -> dict[str, np.ndarray]:
    """How far a part gets: (P, T, 3), (P,) -> name -> (P,)."""
    net = np.linalg.norm(place[:, -1] - place[:, 0], axis=-1)
    extent = place.max(1) - place.min(1)
    share = extent / (extent.sum(1, keepdims=True) + 0.1)
    steps = np.linalg.norm(np.diff(place, axis=1), axis=-1)
    return {
        "log path": np.log(path + 0.05),
        "top speed": steps.max(1),
        "displacement": net,
        "directness": net / (path + 0.1),
        **{f"extent {axis}": extent[:, k] for k, axis in enumerate("xyz")},
        **{f"extent share {axis}": share[:, k] for k, axis in enumerate("xy")},
    }


def _times(speed: np.ndarray, path: np.ndarray) -> dict[str, np.ndarray]:
    """When a part covers its path: (P, T - 1), (P,) -> name -> (P,)."""
    when = speed / (path[:, None] + 1e-3)
    time = np.linspace(0, 1, speed.shape[1])
    mean = (when * time).sum(1)  # not @, whose last bits depend on how many are given
    spread = (when * (time - mean[:, None]) ** 2).sum(1)
    entropy = -(when * np.log(when + 1e-9)).sum(1)
    return {
        "time mean": mean,
        "time deviation": np.sqrt(np.maximum(spread, 0)),
        "time entropy": np.log(np.maximum(entropy, 0) + 0.1),
    }


def _rhythm(place: np.ndarray, velocity: np.ndarray) -> dict[str, np.ndarray]:
    """How a part repeats itself and turns back: (P, T, 3), (P, T - 1, 3) -> name -> (P,)."""
    away = place - place.mean(1, keepdims=True)
    power = np.square(away).sum((1, 2)) + 0.05
    sign = np.sign(np.where(np.abs(velocity) < _STILL, 0, velocity))
    turns = (np.diff(sign, axis=1) != 0).sum(1)  # (P, 3)
    return {
        **{
            f"recurrence {lag}": (away[:, lag:] * away[:, :-lag]).sum((1, 2)) / power
            for lag in LAGS
        },
        **{f"reversals {axis}": turns[:, k] for k, axis in enumerate("xyz")},
    }


def _together(
    v: np.ndarray, w: np.ndarray, path_v: np.ndarray, path_w: np.ndarray
) -> dict[str, np.ndarray]:
    """How two limbs go together: their (P, T - 1, 3) velocities and (P,) paths -> name -> (P,)."""
    power = np.sqrt(np.square(v).sum((1, 2)) * np.square(w).sum((1, 2))) + 0.02
    alike = (v * w).sum(1) / power[:, None]
    return {
        **{f"correlation {axis}": alike[:, k] for k, axis in enumerate("xyz")},
        "imbalance": (path_v - path_w) / (path_v + path_w + 0.1),
    }


def _turning(place: np.ndarray, velocity: np.ndarray) -> dict[str, np.ndarray]:
    """The sense in which a hand goes round, and how straight: -> name -> (P,)."""
    away = (place - place.mean(1, keepdims=True))[:, :-1]
    heading = velocity / (np.linalg.norm(velocity, axis=-1, keepdims=True) + _STILL)
    return {
        **{
            f"turning {plane}": (
                away[..., a] * velocity[..., b] - away[..., b] * velocity[..., a]
            ).sum(1)
            for plane, (a, b) in _PLANES.items()
        },
        "straightness": (heading[:, 1:] * heading[:, :-1]).sum(-1).mean(1),
    }


def _smooth(x: np.ndarray) -> np.ndarray:
    """Moving mean of (P, T, 3) along time, ends repeated."""
    half = _SMOOTHED // 2
    padded = np.concatenate([x[:, :1]] * half + [x] + [x[:, -1:]] * half, axis=1)
    return np.stack([padded[:, k : k + x.shape[1]] for k in range(_SMOOTHED)]).mean(0)
