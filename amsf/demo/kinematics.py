"""The simulated body: control signals -> positions of 25 joints by forward kinematics.

Joints are those of Kinect v2 in its order. World axes are those of a Kinect: x to the sensor's
left, y up, z away from it, metres. A person with heading 0 faces the sensor (-z), right side to +x.
Axis letters: N recordings, T frames, J = 25 joints. Shapes broadcast, so a segment length is
(N, 1) and a control (N, T).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

J = 25
SIDES = ("left", "right")
# Columns of the joints that a limb fills: (wrist, hand, tip, thumb), (ankle, foot) and so on.
_ARM = {"left": (4, 5, 6, 7, 21, 22), "right": (8, 9, 10, 11, 23, 24)}
_LEG = {"left": (12, 13, 14, 15), "right": (16, 17, 18, 19)}


@dataclass(frozen=True)
class Body:
    """Segment lengths in metres, each of shape (N, 1)."""

    lower_spine: Array  # pelvis to the middle of the spine
    upper_spine: Array  # from there to between the shoulders
    neck: Array
    head: Array
    shoulder: Array  # half the breadth
    upper_arm: Array
    forearm: Array
    hand: Array
    hip: Array  # half the breadth
    thigh: Array
    shin: Array
    foot: Array
    scale: Array  # stature as a fraction of 1.70 m; offsets of places grow with it

    @property
    def standing(self) -> Array:
        """Height of the pelvis above the floor with straight legs."""
        return 0.99 * (self.thigh + self.shin) + 0.14 * self.scale


# Lengths on a body of 1.70 m, from common anthropometric proportions.
SEGMENTS: dict[str, float] = {
    "lower_spine": 0.27,
    "upper_spine": 0.23,
    "neck": 0.08,
    "head": 0.13,
    "shoulder": 0.18,
    "upper_arm": 0.28,
    "forearm": 0.25,
    "hand": 0.08,
    "hip": 0.09,
    "thigh": 0.40,
    "shin": 0.38,
    "foot": 0.14,
}


@dataclass
class Hand:
    """Where a hand is pulled: pairs of a weight (N, T) and a target's name, and a sway."""

    pulls: list[tuple[Array, str]] = field(default_factory=list)
    sway: list[tuple[Array, tuple[float, float, float]]] = field(default_factory=list)


@dataclass
class Controls:
    """The signals that drive one person; scalars are (N, T).

    Attributes:
        heading: turn about the vertical, radians, to the person's left.
        pitch: forward bend of the trunk, radians.
        crouch: how far the pelvis sinks, metres.
        back: how far the pelvis moves backward over planted feet, metres.
        height: how far the whole body is off the floor, metres.
        travel: how far the whole body has gone forward, metres.
        gait: amplitude of stepping, 0 (none) to 1.
        phase: phase of the steps, radians.
        nod, shake: pitch and turn of the head, radians.
        hands, feet: the signals of each side; feet hold weights (N, T) with (outward, up, forward).
    """

    heading: Array
    pitch: Array
    crouch: Array
    back: Array
    height: Array
    travel: Array
    gait: Array
    phase: Array
    nod: Array
    shake: Array
    hands: dict[str, Hand]
    feet: dict[str, list[tuple[Array, tuple[float, float, float]]]]
    places: dict[str, tuple[str, Array]]  # name -> anchor, jittered offset (N, 1, 3)


def turn_y(angle: Array) -> Array:
    """Rotation matrices (..., 3, 3) about the vertical; positive turns a person to the left."""
    c, s = np.cos(angle), np.sin(angle)
    zero, one = np.zeros_like(c), np.ones_like(c)
    return _stack([[c, zero, s], [zero, one, zero], [-s, zero, c]])


def turn_x(angle: Array) -> Array:
    """Rotation matrices (..., 3, 3) about x; positive bends a person at heading 0 forward."""
    c, s = np.cos(angle), np.sin(angle)
    zero, one = np.zeros_like(c), np.ones_like(c)
    return _stack([[one, zero, zero], [zero, c, s], [zero, -s, c]])


def _stack(rows: list[list[Array]]) -> Array:
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def rotate(matrix: Array, vector: Array) -> Array:
    """``matrix`` (..., 3, 3) times ``vector`` (..., 3)."""
    return np.einsum("...ij,...j->...i", matrix, vector)


def two_bones(
    start: Array, target: Array, upper: Array, lower: Array, pole: Array
) -> tuple[Array, Array]:
    """The middle and end joint of a limb that reaches for ``target``, by the law of cosines.

    Args:
        start: (..., 3) metres, where the limb begins.
        target: (..., 3); one out of reach is approached as far as the limb goes.
        upper, lower: the lengths of the two segments in metres, broadcastable to (...).
        pole: (..., 3), the direction in which the middle joint bends.

    Returns:
        Middle and end joint, (..., 3) each; both segments keep their lengths exactly.
    """
    reach = target - start
    distance = np.linalg.norm(reach, axis=-1)
    direction = reach / np.maximum(distance, 1e-9)[..., None]
    length = np.clip(distance, np.abs(upper - lower) + 1e-3, 0.999 * (upper + lower))
    along = (length**2 + upper**2 - lower**2) / (2 * length)
    aside = np.sqrt(np.maximum(upper**2 - along**2, 0.0))
    bend = pole - (pole * direction).sum(-1, keepdims=True) * direction
    bend = bend / np.maximum(np.linalg.norm(bend, axis=-1, keepdims=True), 1e-9)
    middle = start + along[..., None] * direction + aside[..., None] * bend
    return middle, start + length[..., None] * direction


def forward_kinematics(body: Body, controls: Controls, root: Array) -> Array:
    """The joints of one person in each recording.

    Args:
        body: the segment lengths, (N, 1) metres each.
        controls: the driving signals, (N, T) each.
        root: (N, 1, 3), the point of the floor below the pelvis at the start.

    Returns:
        (N, T, 25, 3) metres.
    """
    start = turn_y(controls.heading[:, :1])
    facing = turn_y(controls.heading)
    floor = root + rotate(start, _local(0.0, controls.height, controls.travel))
    pelvis = floor + rotate(start, _local(0.0, body.standing - controls.crouch, -controls.back))
    bob = 0.025 * controls.gait * np.abs(np.sin(controls.phase))
    pelvis = pelvis + _local(0.0, bob, 0.0)
    half = facing @ turn_x(0.5 * controls.pitch)
    trunk = facing @ turn_x(controls.pitch)
    joints = np.zeros((*controls.pitch.shape, J, 3))
    joints[:, :, 0] = pelvis
    joints[:, :, 1] = middle = pelvis + rotate(half, _local(0.0, body.lower_spine, 0.0))
    joints[:, :, 20] = chest = middle + rotate(trunk, _local(0.0, body.upper_spine, 0.0))
    joints[:, :, 2] = neck = chest + rotate(trunk, _local(0.0, body.neck, 0.0))
    # The head gives back part of the trunk's bend, as people look where they go.
    gaze = facing @ turn_x(0.7 * controls.pitch + controls.nod) @ turn_y(controls.shake)
    joints[:, :, 3] = head = neck + rotate(gaze, _local(0.0, body.head, 0.25 * body.head))
    for side in SIDES:
        out = 1.0 if side == "right" else -1.0
        shoulder = chest + rotate(trunk, _local(out * body.shoulder, -0.03 * body.scale, 0.0))
        anchors = {"head": (head, gaze), "chest": (chest, trunk), "shoulder": (shoulder, trunk)}
        anchors["floor"] = (floor, facing)
        target = _hand_target(body, controls, side, anchors)
        pole = rotate(trunk, _local(0.55 * out, -0.8, -0.35))
        elbow, wrist = two_bones(shoulder, target, body.upper_arm, body.forearm, pole)
        forearm = (wrist - elbow) / body.forearm[..., None]
        palm = wrist + forearm * body.hand[..., None]
        tip = palm + forearm * (0.9 * body.hand)[..., None]
        inward = rotate(trunk, _local(-out, 0.0, 0.4)) * (0.5 * body.hand)[..., None]
        for column, joint in zip(_ARM[side], (shoulder, elbow, wrist, palm, tip, palm + inward)):
            joints[:, :, column] = joint
        hip = pelvis + rotate(facing, _local(out * body.hip, -0.06 * body.scale, 0.0))
        ankle_target = _foot_target(body, controls, side, floor, start, facing)
        forward = rotate(facing, _local(0.12 * out, 0.0, 1.0))
        knee, ankle = two_bones(hip, ankle_target, body.thigh, body.shin, forward)
        toe = ankle + rotate(facing, _local(0.2 * out, -0.35, 1.0)) * body.foot[..., None]
        for column, joint in zip(_LEG[side], (hip, knee, ankle, toe)):
            joints[:, :, column] = joint
    return joints


def _local(right: Array | float, up: Array | float, forward: Array | float) -> Array:
    """A vector of a person's own frame: (right, up, forward) -> (..., 3) with forward = -z."""
    parts = np.broadcast_arrays(right, up, -np.asarray(forward))
    return np.stack(parts, axis=-1).astype(np.float64)


def _sided(side: str, offset: Array) -> Array:
    """(..., 3) of (outward, up, forward) -> the person's own frame."""
    out = 1.0 if side == "right" else -1.0
    return _local(out * offset[..., 0], offset[..., 1], offset[..., 2])


def _hand_target(
    body: Body, controls: Controls, side: str, anchors: dict[str, tuple[Array, Array]]
) -> Array:
    """(N, T, 3): the hanging hand, drawn to each place by its weight, plus the sway."""
    shoulder, trunk = anchors["shoulder"]
    facing = anchors["floor"][1]
    # The arm hangs by gravity, so its rest follows the heading and not the trunk's bend; it
    # swings against the leg of the same side.
    out = 1.0 if side == "right" else -1.0
    swing = 0.16 * controls.gait * np.sin(controls.phase) * -out
    length = 0.985 * (body.upper_arm + body.forearm)
    rest = shoulder + rotate(facing, _local(0.16 * out * length, -0.98 * length, 0.08 + swing))
    hand = controls.hands[side]
    target = rest
    total = sum((weight for weight, _ in hand.pulls), np.zeros_like(controls.pitch))
    share = 1.0 / np.maximum(total, 1.0)
    for weight, place in hand.pulls:
        anchor, offset = controls.places[place]
        point, frame = anchors[anchor]
        goal = point + rotate(frame, _sided(side, offset * body.scale[..., None]))
        target = target + (weight * share)[..., None] * (goal - rest)
    for weight, amount in hand.sway:
        shift = weight[..., None] * np.asarray(amount) * body.scale[..., None]
        target = target + rotate(trunk, _sided(side, shift))
    return target


def _foot_target(
    body: Body, controls: Controls, side: str, floor: Array, start: Array, facing: Array
) -> Array:
    """(N, T, 3): the ankle under its hip on the floor, moved by steps and kicks."""
    out = 1.0 if side == "right" else -1.0
    step = np.sin(controls.phase) * out
    lift = 0.17 * controls.gait * np.maximum(step, 0.0)
    stride = 0.10 * controls.gait * step
    ankle = 0.08 * body.scale
    target = floor + rotate(facing, _local(out * 1.25 * body.hip, ankle + lift, stride))
    for weight, amount in controls.feet[side]:
        shift = weight[..., None] * np.asarray(amount) * body.scale[..., None]
        target = target + rotate(start, _sided(side, shift))
    return target
