"""The simulated body: segments keep their lengths and limbs go where they are sent."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from amsf.demo.kinematics import (
    SEGMENTS,
    Body,
    Controls,
    Hand,
    forward_kinematics,
    rotate,
    turn_x,
    turn_y,
    two_bones,
)
from amsf.skeleton.joints import LAYOUTS

LAYOUT = LAYOUTS["kinect25"]
point = st.tuples(*[st.floats(-2, 2, allow_subnormal=False)] * 3)


def standing(frames: int = 3) -> tuple[Body, Controls]:
    body = Body(**{n: np.array([[v]]) for n, v in SEGMENTS.items()}, scale=np.ones((1, 1)))
    names = [
        "heading",
        "pitch",
        "crouch",
        "back",
        "height",
        "travel",
        "gait",
        "phase",
        "nod",
        "shake",
    ]
    controls = Controls(
        **{name: np.zeros((1, frames)) for name in [*names, "shake"]},
        hands={"left": Hand(), "right": Hand()},
        feet={"left": [], "right": []},
        places={"up": ("shoulder", np.array([[[0.0, 0.45, 0.0]]]))},
    )
    return body, controls


def pose(body: Body, controls: Controls) -> np.ndarray:
    return forward_kinematics(body, controls, np.zeros((1, 1, 3)))[0]


@given(start=point, target=point, upper=st.floats(0.1, 0.5), lower=st.floats(0.1, 0.5))
def test_two_bones_keep_their_lengths_and_reach(
    start: tuple[float, ...], target: tuple[float, ...], upper: float, lower: float
) -> None:
    a, b = np.array(start), np.array(target)
    pole = np.array([0.3, -1.0, 0.2])
    middle, end = two_bones(a, b, np.array(upper), np.array(lower), pole)
    distance = np.linalg.norm(b - a)
    within = abs(upper - lower) + 2e-3 < distance < 0.998 * (upper + lower)
    if within:
        np.testing.assert_allclose(end, b, atol=1e-9)
    if distance > 1e-6 and np.linalg.norm(np.cross(pole, b - a)) > 1e-6:
        np.testing.assert_allclose(np.linalg.norm(middle - a), upper, rtol=1e-6)
        np.testing.assert_allclose(np.linalg.norm(end - middle), lower, rtol=1e-6)


def test_rotations_turn_left_and_bend_forward() -> None:
    forward, up, left = np.array([0, 0, -1.0]), np.array([0, 1.0, 0]), np.array([-1.0, 0, 0])
    quarter = np.array(np.pi / 2)
    np.testing.assert_allclose(rotate(turn_y(quarter), forward), left, atol=1e-12)
    np.testing.assert_allclose(rotate(turn_x(quarter), up), forward, atol=1e-12)


def test_a_person_stands_upright_on_the_floor_with_the_right_side_at_plus_x() -> None:
    joints = pose(*standing())
    height = joints[0, LAYOUT.index("head"), 1]
    assert 1.4 < height < 1.75
    assert np.abs(joints[0, [LAYOUT.index("left_foot"), LAYOUT.index("right_foot")], 1]).max() < 0.1
    for left, right in LAYOUT.pairs:
        assert joints[0, right, 0] > joints[0, left, 0]
        np.testing.assert_allclose(joints[0, right] * [-1, 1, 1], joints[0, left], atol=1e-9)
    # The feet point forward, to the sensor.
    assert joints[0, LAYOUT.index("left_foot"), 2] < joints[0, LAYOUT.index("left_ankle"), 2]


def test_bones_keep_their_lengths_in_every_pose() -> None:
    body, controls = standing(40)
    course = np.linspace(0, 1, 40)[None]
    controls.heading, controls.pitch, controls.phase = 3 * course, course, 20 * course
    controls.crouch, controls.gait, controls.travel = 0.4 * course, 0.5 + course * 0, course
    controls.hands["right"].pulls.append((course, "up"))
    controls.feet["left"].append((course, (0.1, 0.4, 0.5)))
    joints = pose(body, controls)
    for child, parent in LAYOUT.edges:
        bone = np.linalg.norm(joints[:, child] - joints[:, parent], axis=-1)
        if LAYOUT.joints[child] in ("spine_mid", "left_thumb", "right_thumb"):
            continue
        np.testing.assert_allclose(bone, bone[0], rtol=1e-6)


def test_a_hand_goes_to_its_place_and_the_other_does_not() -> None:
    body, controls = standing()
    controls.hands["left"].pulls.append((np.ones((1, 3)), "up"))
    joints, still = pose(body, controls), pose(*standing())
    shoulder, wrist = LAYOUT.index("left_shoulder"), LAYOUT.index("left_wrist")
    np.testing.assert_allclose(joints[:, wrist], joints[:, shoulder] + [0, 0.45, 0], atol=1e-9)
    right = LAYOUT.index("right_wrist")
    np.testing.assert_array_equal(joints[:, right], still[:, right])


def test_a_heading_turns_the_whole_body() -> None:
    body, controls = standing()
    controls.heading += 1.1
    turned = rotate(turn_y(np.array(1.1)), pose(*standing()))
    np.testing.assert_allclose(pose(body, controls), turned, atol=1e-9)
