"""The motion summary: cases worked by hand, what must not matter, and real recordings."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from amsf.backbone.motion import FRAMES, motion_features, motion_names, motion_summary
from amsf.demo.simulation import simulate
from amsf.pack.formats import find_source, read_source
from amsf.skeleton.joints import LAYOUTS, Layout
from amsf.skeleton.recordings import FARTHEST_M, Recording, SkeletonSet

NAMES = motion_names()
F = 318
LAYOUT = LAYOUTS["kinect25"]
TIME = np.linspace(0, 1, FRAMES)


def standing(layout: Layout, frames: int = FRAMES) -> np.ndarray:
    """(T, J, 3) metres: a still body that faces the sensor, y up."""
    heights = {"head": 1.65, "neck": 1.5, "spine": 1.1, "torso": 1.0, "hip": 0.95, "knee": 0.5}
    heights |= {"shoulder": 1.4, "elbow": 1.15, "wrist": 0.95, "hand": 0.9, "thumb": 0.88}
    heights |= {"ankle": 0.1, "foot": 0.05, "toe": 0.03}
    out = {"shoulder": 0.2, "elbow": 0.25, "wrist": 0.28, "hand": 0.3, "thumb": 0.25}
    pose = np.zeros((len(layout), 3))
    for i, joint in enumerate(layout.joints):
        word = next((word for word in joint.split("_") if word in heights), "head")
        side = joint.startswith("right_") - float(joint.startswith("left_"))
        pose[i] = side * out.get(word, 0.12), heights[word], 3.0
    pose[layout.spine[0]] = 0.0, 0.9, 3.0
    pose[layout.spine[1]] = 0.0, 1.45, 3.0
    return np.repeat(pose[None], frames, axis=0)


def body(**moves: np.ndarray) -> dict[str, float]:
    """The summary of a body whose parts go the given (64, 3) ways in its own frame."""
    joints = np.zeros((1, FRAMES, len(LAYOUT), 3))
    for part, way in moves.items():
        joints[0, :, LAYOUT.parts[part]] = way
    return dict(zip(NAMES, motion_summary(joints, LAYOUT)[0]))


def line(*end: float) -> np.ndarray:
    """(64, 3), at one speed from the origin to ``end``."""
    return TIME[:, None] * np.array(end)


def circle(radius: float, first: int, second: int, rounds: float = 1.0) -> np.ndarray:
    """(64, 3), from the first axis towards the second."""
    way = np.zeros((FRAMES, 3))
    angle = 2 * np.pi * rounds * TIME
    way[:, first], way[:, second] = radius * np.cos(angle), radius * np.sin(angle)
    return way


def gathered(*joints: np.ndarray, layout: str = "kinect25") -> SkeletonSet:
    """A set of (M, T, J, 3) recordings."""
    recordings = [Recording(j.astype(np.float32), f"r{i}") for i, j in enumerate(joints)]
    return SkeletonSet.from_recordings(recordings, layout=layout, dataset="mine")


def test_names_are_distinct_and_as_many_as_numbers() -> None:
    assert len(NAMES) == len(set(NAMES)) == F
    assert motion_summary(np.zeros((2, FRAMES, 25, 3)), LAYOUT).shape == (2, F)


@pytest.mark.parametrize("name", sorted(LAYOUTS))
def test_a_still_body_has_no_motion(name: str) -> None:
    layout = LAYOUTS[name]
    found = dict(zip(NAMES, motion_features(gathered(standing(layout)[None], layout=name))[0]))
    # In float32 a body that stands still does so to the bit, but its mean may be a bit off.
    for column, value in found.items():
        constant = {"log path": np.log(0.05), "time entropy": np.log(0.1)}
        expected = next((v for end, v in constant.items() if column.endswith(end)), 0.0)
        assert value == pytest.approx(expected, abs=1e-4), column


@pytest.mark.parametrize(("first", "second", "plane"), [(0, 1, "xy"), (1, 2, "yz"), (0, 2, "xz")])
@pytest.mark.parametrize("radius", [0.5, 2.0])
def test_a_circle_of_the_hand_has_twice_its_area_and_a_sense(
    first: int, second: int, plane: str, radius: float
) -> None:
    found = body(left_hand=circle(radius, first, second))
    name = f"left_hand turning {plane}"
    # The moving mean over 5 frames shrinks the circle by a hundredth, and rounds its ends off.
    assert found[name] == pytest.approx(2 * np.pi * radius**2, rel=0.05)
    others = [f"left_hand turning {p}" for p in ("xy", "yz", "xz") if p != plane]
    assert [found[other] for other in others] == pytest.approx([0, 0], abs=1e-9)
    back = body(left_hand=circle(radius, second, first))
    assert back[name] == pytest.approx(-found[name], rel=0.05)
    twice = body(left_hand=circle(radius, first, second, rounds=2))
    assert twice[name] == pytest.approx(2 * found[name], rel=0.08)
    assert found[f"right_hand turning {plane}"] == 0
    assert found[f"left_hand extent {'xyz'[first]}"] == pytest.approx(2 * radius, rel=0.03)
    assert found["left_hand log path"] == pytest.approx(np.log(2 * np.pi * radius + 0.05), abs=0.05)
    # It comes back to its start.
    assert found["left_hand directness"] < 0.1
    # After half a round (32 of 63 frames) it is on the other side.
    assert found["left_hand recurrence 32"] < -0.3
    assert twice["left_hand recurrence 32"] > 0.3


def test_a_straight_way() -> None:
    found = body(right_hand=line(300, 0, 400))
    # Steps of 8 spine lengths: 1 but for the 0.01 in the denominator.
    assert found["right_hand straightness"] == pytest.approx(1, abs=0.01)
    assert found["right_hand directness"] == pytest.approx(1, abs=0.01)
    assert found["right_hand path share"] == pytest.approx(1, abs=0.01)
    # The moving mean takes 2.5 steps' worth off the ends: 500 - 2 * (1 + 2) / 5 * 500 / 63.
    assert found["right_hand displacement"] == pytest.approx(500 - 1.2 * 500 / 63)
    assert found["right_hand top speed"] == pytest.approx(500 / 63)
    assert found["right_hand extent share x"] == pytest.approx(300 / 700, abs=0.01)
    assert found["right_hand extent y"] == 0
    assert found["right_hand time mean"] == pytest.approx(0.5, abs=1e-3)
    # Even over time: deviation 1/sqrt(12), entropy near log 63.
    assert found["right_hand time deviation"] == pytest.approx(12**-0.5, abs=0.01)
    assert found["right_hand time entropy"] == pytest.approx(np.log(np.log(63) + 0.1), abs=0.01)
    assert [found[f"right_hand reversals {a}"] for a in "xyz"] == [0, 0, 0]
    assert found["left_hand straightness"] == 0


def test_two_hands_together_and_against_each_other() -> None:
    up = np.sin(4 * np.pi * TIME)[:, None] * np.array([0, 3, 0])
    alike, against = body(left_hand=up, right_hand=up), body(left_hand=up, right_hand=-up)
    one = body(left_hand=up)
    assert alike["left_hand right_hand correlation y"] == pytest.approx(1, abs=0.01)
    assert against["left_hand right_hand correlation y"] == pytest.approx(-1, abs=0.01)
    assert alike["left_hand right_hand imbalance"] == 0
    assert one["left_hand right_hand imbalance"] == pytest.approx(1, abs=0.01)
    # Two periods of a sine turn back four times; on its way the sign passes no standstill.
    assert 4 <= one["left_hand reversals y"] <= 8
    assert one["left_hand reversals x"] == 0


def mirrored(name: str) -> tuple[str, float]:
    """What a number is called, and its sign, of the body in a mirror."""
    other = re.sub("left_|right_", lambda m: {"left_": "right_", "right_": "left_"}[m[0]], name)
    if other in NAMES:
        return other, -1.0 if "turning x" in name else 1.0
    return name, -1.0 if "imbalance" in name else 1.0  # of the two hands, say


def test_a_mirrored_body_swaps_left_and_right() -> None:
    rng = np.random.default_rng(0)
    joints = np.cumsum(rng.normal(0, 0.3, (3, FRAMES, len(LAYOUT), 3)), axis=1)
    order = np.arange(len(LAYOUT))
    for left, right in LAYOUT.pairs:
        order[[left, right]] = right, left
    there = motion_summary(joints[:, :, order] * np.array([-1.0, 1, 1]), LAYOUT)
    here = motion_summary(joints, LAYOUT)
    assert sorted(mirrored(name)[0] for name in NAMES) == sorted(NAMES)
    for i, (other, sign) in enumerate(map(mirrored, NAMES)):
        np.testing.assert_allclose(there[:, NAMES.index(other)], sign * here[:, i], atol=1e-9)


def turned(joints: np.ndarray, angle: float) -> np.ndarray:
    """(M, T, J, 3) about the vertical."""
    c, s = np.cos(angle), np.sin(angle)
    return joints @ np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]])


CHANGES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "another place": lambda joints: joints + np.array([1.5, -0.25, 2.0]),
    "turned": lambda joints: turned(joints, 0.8),
    "turned about": lambda joints: turned(joints, np.pi),
    "a larger person": lambda joints: 1.25 * joints,
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", sorted(LAYOUTS))
def test_place_heading_and_stature_do_not_matter(name: str, change: str) -> None:
    layout = LAYOUTS[name]
    joints = standing(layout)[None]
    wave = circle(0.3, 0, 1, rounds=3)
    joints[0, :, layout.parts["right_hand"]] += wave
    joints[0, :, layout.parts["left_knee"]] += line(0, 0.2, -0.3)
    here = motion_features(gathered(joints, layout=name))[0]
    there = motion_features(gathered(CHANGES[change](joints), layout=name))[0]
    counted = np.array(["reversals" in n for n in NAMES])
    np.testing.assert_allclose(there[~counted], here[~counted], atol=2e-4)
    # A step that is just as fast as the threshold may count on either side of it.
    assert np.abs(there - here)[counted].max() <= 2


def test_the_same_motion_of_two_layouts_tells_the_same() -> None:
    """So that sets of other sensors can be put together."""
    found = []
    for name, layout in LAYOUTS.items():
        joints = standing(layout)[None]
        joints[0, :, layout.parts["right_hand"]] += circle(0.4, 0, 1)
        found.append(motion_features(gathered(joints, layout=name))[0])
    for other in found[1:]:
        np.testing.assert_allclose(other, found[0], atol=1e-3)


def test_of_two_persons_it_is_the_mean_in_any_order() -> None:
    still, waving = standing(LAYOUT), standing(LAYOUT) + np.array([1.0, 0, 0])
    waving[:, LAYOUT.parts["left_hand"]] += circle(0.4, 0, 1)
    pairs = [np.stack([still, waving]), np.stack([waving, still])]
    one, other, alone, by_itself = motion_features(gathered(*pairs, still[None], waving[None]))
    np.testing.assert_allclose(one, (alone + by_itself) / 2, atol=1e-4)
    np.testing.assert_allclose(other, one, atol=1e-4)


def test_a_recording_counts_alone() -> None:
    recordings = simulate(subjects=4, repetitions=1)
    every = motion_features(recordings)
    assert every.shape == (len(recordings), F)
    assert np.isfinite(every).all()
    rows = [7, 3, len(recordings) - 1]
    np.testing.assert_array_equal(motion_features(recordings, rows), every[rows])
    joints = recordings.joints.copy()
    joints[recordings.offset[4] :] += 5.0
    spoiled = SkeletonSet(**{**vars(recordings), "joints": joints})
    np.testing.assert_array_equal(motion_features(spoiled, [3]), every[[3]])


FINITE32 = st.floats(width=32, allow_nan=False, allow_infinity=False)


@settings(max_examples=50, deadline=None)
@given(arrays(np.float32, (1, FRAMES, 15, 3), elements=FINITE32, fill=FINITE32))
def test_it_is_finite_for_any_finite_body(joints: np.ndarray) -> None:
    assert np.isfinite(motion_summary(joints, LAYOUTS["openni15"])).all()


METRES = st.floats(-FARTHEST_M, FARTHEST_M, width=32)


@settings(max_examples=50, deadline=None)
@given(
    st.tuples(st.integers(1, 2), st.integers(1, 5)).flatmap(
        lambda shape: arrays(np.float32, (*shape, 15, 3), elements=METRES, fill=METRES)
    )
)
def test_it_is_finite_for_any_recording(joints: np.ndarray) -> None:
    assert np.isfinite(motion_features(gathered(joints, layout="openni15"))).all()


def test_the_recordings_of_utd_take_seconds(
    data_dir: Path, record_property: Callable[[str, object], None]
) -> None:
    tasks, _ = find_source(data_dir / "utd-mhad/Skeleton", "utd27")
    recordings = [r for _, found in read_source(tasks, "utd27", 1) for r in found.recordings]
    skeletons = SkeletonSet.from_recordings(recordings, layout="kinect20", dataset="utd27")
    start = time.perf_counter()
    found = motion_features(skeletons)
    seconds = time.perf_counter() - start
    record_property("seconds", seconds)
    print(f"motion summaries of {len(found)} recordings: {seconds:.2f} s")
    assert found.shape == (861, F)
    assert np.isfinite(found).all()
    assert seconds < 30  # about 1 on a quiet core
    # They tell people's motions apart: a third person's recording is nearest to one of its class.
    z = (found - found.mean(0)) / found.std(0).clip(1e-6)
    odd = skeletons.subject % 2 == 1
    nearest = np.square(z[~odd, None] - z[None, odd]).sum(-1).argmin(1)
    assert (skeletons.label[odd][nearest] == skeletons.label[~odd]).mean() > 0.6
