"""The simulated recordings: reproducible, varied, and true to what their labels say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from amsf.demo.programs import PROGRAMS
from amsf.demo.simulation import simulate
from amsf.skeleton.joints import LAYOUTS
from amsf.skeleton.recordings import SkeletonSet

LAYOUT = LAYOUTS["kinect25"]


@pytest.fixture(scope="module")
def recordings() -> SkeletonSet:
    return simulate(subjects=4, repetitions=3)


def of_class(recordings: SkeletonSet, label: str) -> list[np.ndarray]:
    """Recordings (M, T, J, 3) of a class from the middle camera."""
    ids = [p.label for p in PROGRAMS]
    mask = (recordings.label == ids.index(label)) & (recordings.camera == 2)
    return [recordings[int(i)] for i in np.flatnonzero(mask)]


def height_over(joints: np.ndarray, joint: str, other: str) -> np.ndarray:
    """(T,) metres of the main person's one joint above another."""
    return joints[0, :, LAYOUT.index(joint), 1] - joints[0, :, LAYOUT.index(other), 1]


def test_every_class_by_every_subject(recordings: SkeletonSet) -> None:
    assert len(recordings) == len(PROGRAMS) * 4 * 3
    assert recordings.simulated
    assert recordings.dataset == "demo"
    assert all(name.startswith("SIM-") for name in recordings.names)
    np.testing.assert_array_equal(np.bincount(recordings.label), 12)
    assert set(recordings.subject) == {1, 2, 3, 4}
    assert set(recordings.camera) == {1, 2, 3}
    recordings.validate(len(PROGRAMS))
    persons = [PROGRAMS[c].persons for c in recordings.label]
    assert recordings.persons.tolist() == persons


def test_equal_seeds_give_equal_bytes(tmp_path: Path) -> None:
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        simulate(subjects=4, repetitions=1, seed=seed).save(tmp_path / name)
    first, second, other = ((tmp_path / name).read_bytes() for name in "abc")
    assert first == second
    assert first != other


@pytest.mark.parametrize("side", ["right", "left"])
def test_the_named_arm_is_raised_and_the_other_hangs(recordings: SkeletonSet, side: str) -> None:
    other = "left" if side == "right" else "right"
    for joints in of_class(recordings, f"raise the {side} arm overhead"):
        assert height_over(joints, f"{side}_wrist", "head").max() > 0.1
        assert height_over(joints, f"{other}_wrist", "spine_mid").max() < 0.1


def test_seats_sink_and_rise(recordings: SkeletonSet) -> None:
    for label, sign in (("sit down", -1), ("stand up", 1)):
        for joints in of_class(recordings, label):
            pelvis = joints[0, :, LAYOUT.root, 1]
            assert sign * (pelvis[-3:].mean() - pelvis[:3].mean()) > 0.25


def test_jumps_leave_the_floor_and_squats_do_not(recordings: SkeletonSet) -> None:
    for label, leaves in (("jump up and down", True), ("squat", False)):
        for joints in of_class(recordings, label):
            ankles = joints[0][:, [LAYOUT.index("left_ankle"), LAYOUT.index("right_ankle")], 1]
            lowest = ankles.min(1) - np.median(ankles[:3])
            assert (np.median(np.sort(lowest)[-5:]) > 0.1) == leaves


def test_a_turn_ends_with_sides_exchanged(recordings: SkeletonSet) -> None:
    left, right = LAYOUT.shoulders
    for joints in of_class(recordings, "turn around"):
        across = joints[0, :, right] - joints[0, :, left]
        assert across[0] @ across[-1] < -0.05


@pytest.mark.parametrize(
    ("label", "closer"), [("walk towards each other", True), ("walk away from each other", False)]
)
def test_two_people_meet_or_part(recordings: SkeletonSet, label: str, closer: bool) -> None:
    for joints in of_class(recordings, label):
        root = joints[:, :, LAYOUT.root]
        distance = np.linalg.norm(root[0] - root[1], axis=-1)
        assert (distance[-1] < distance[0] - 0.5) == closer


def test_one_person_kicks_the_other(recordings: SkeletonSet) -> None:
    for joints in of_class(recordings, "kick the other person with the right foot"):
        lift = np.sort(np.ptp(joints[:, :, LAYOUT.index("right_ankle"), 1], axis=1))
        assert lift[0] < 0.35 < lift[1]


def test_the_more_active_person_comes_first(recordings: SkeletonSet) -> None:
    for row in np.flatnonzero(recordings.persons == 2):
        first, second = recordings[int(row)].var(axis=1, dtype=np.float64).sum((1, 2))
        assert first >= second


def test_subjects_differ_in_size_and_tempo(recordings: SkeletonSet) -> None:
    lower, upper = LAYOUT.spine
    spine = [
        np.linalg.norm(r[0, 0, upper] - r[0, 0, lower])
        for r in map(recordings.__getitem__, range(12))
    ]
    by_subject = np.array(spine).reshape(4, 3).mean(1)
    assert np.ptp(by_subject) > 0.02
    assert np.ptp(recordings.frames) > 5
