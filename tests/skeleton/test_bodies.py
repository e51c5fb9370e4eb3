"""Persons from tracked bodies."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amsf.base.errors import InputError
from amsf.skeleton.bodies import FILLED, JOINED, STILL, Track, main_persons
from tests.support.raw_files import walk


def track(joints: np.ndarray, start: int = 0) -> Track:
    return Track(np.arange(start, start + len(joints)), joints)


def away(joints: np.ndarray, metres: float) -> np.ndarray:
    """The same motion, further along x."""
    return joints + np.array([metres, 0, 0], np.float32)


def test_motion_is_the_squared_distance_from_the_mean_position() -> None:
    joints = np.zeros((2, 1, 3))
    joints[:, 0, 0] = 1, 3  # one metre to either side of x = 2
    assert track(joints).motion() == 2.0


def test_the_two_persons_who_move_most_are_kept_in_that_order() -> None:
    calm, lively, still = (walk(30, 25, seed=i, size=s) for i, s in enumerate((0.02, 0.1, 0.001)))
    persons, _ = main_persons([track(away(still, 9)), track(calm), track(away(lively, 3))])
    np.testing.assert_array_equal(persons, np.stack([away(lively, 3), calm]))


def test_missing_frames_are_filled_between_and_held_at_the_ends() -> None:
    main = walk(6, 25, size=0.5)
    partner = np.full((6, 25, 3), 7.0)
    partner += np.arange(6)[:, None, None] / 10  # so that a straight line fills a gap exactly
    seen = np.array([1, 2, 4])
    persons, _ = main_persons([track(main), Track(seen, partner[seen])])
    expected = partner[[1, 1, 2, 3, 4, 4]]
    np.testing.assert_array_equal(persons[0], main)
    np.testing.assert_allclose(persons[1], expected, rtol=1e-6)


def test_short_gaps_are_filled_and_long_ones_left_out() -> None:
    joints = walk(100, 25)
    for gap, frames in ((30, 100), (31, 69)):
        seen = np.r_[:20, 20 + gap : 100]
        persons, notes = main_persons([Track(seen, joints[seen])])
        assert persons.shape[1] == frames
        assert (FILLED in notes) == (gap == 30)
        np.testing.assert_array_equal(persons[0, :20], joints[:20])
    seen = np.array([3, 4, 6])
    persons, _ = main_persons([Track(seen, joints[seen])])
    np.testing.assert_allclose(persons[0, 2], (joints[4] + joints[6]) / 2, rtol=1e-6)


def test_bodies_that_are_never_there_together_are_one_person() -> None:
    joints = walk(20, 25)
    other = away(walk(20, 25, seed=1, size=0.05), 4)
    for metres in (0.0, 2.0, 40.0):
        parts = [track(joints[:8]), track(away(joints, metres)[10:], 10)]
        (alone,), notes = main_persons(parts)
        np.testing.assert_array_equal(alone[:8], joints[:8])
        np.testing.assert_array_equal(alone[10:], away(joints, metres)[10:])
        assert notes == [JOINED, FILLED]
        persons, _ = main_persons([*parts, track(other)])
        np.testing.assert_array_equal(persons[0], other)  # moves most
        np.testing.assert_array_equal(persons[1], alone)


def test_of_two_who_were_lost_each_is_found_where_they_were() -> None:
    first, second = walk(30, 25, size=0.02), away(walk(30, 25, seed=1, size=0.02), 1.5)
    parts = [track(j[:12]) for j in (first, second)]
    parts += [track(j[14:], 14) for j in (second, first)]
    persons, _ = main_persons(parts, main_first=True)
    for person, joints in zip(persons, (first, second)):
        np.testing.assert_array_equal(person[14:], joints[14:])


@pytest.mark.parametrize(("together", "count"), [(1, 1), (5, 1), (6, 2), (12, 2)])
def test_an_overlap_of_a_few_frames_is_one_person(together: int, count: int) -> None:
    joints = walk(40, 25, size=0.05)
    parts = [track(joints[: 20 + together]), track(away(joints, 1)[20:], 20)]
    persons, _ = main_persons(parts)
    assert len(persons) == count
    if count == 1:
        np.testing.assert_array_equal(persons[0, :20], joints[:20])
        np.testing.assert_array_equal(persons[0, 20:], away(joints, 1)[20:])


def test_most_of_a_short_track_is_no_overlap() -> None:
    joints = walk(6, 25, size=0.1)
    assert len(main_persons([track(joints), track(away(joints, 1), 2)])[0]) == 2


@pytest.mark.parametrize("noise", [0.0, 0.002, 0.02])
@pytest.mark.parametrize("seen", [5, 20])
def test_a_body_that_does_not_move_is_no_person(noise: float, seen: int) -> None:
    main = walk(20, 25, size=0.02)
    rng = np.random.default_rng(0)
    chair = away(walk(1, 25, seed=1), 1.2) + rng.normal(scale=noise, size=(seen, 25, 3))
    persons, notes = main_persons([track(chair), track(main)])
    np.testing.assert_array_equal(persons, main[None])
    assert notes == [STILL]


def test_a_chair_where_someone_was_lost_is_not_taken_for_them() -> None:
    main, partner = walk(60, 25, size=0.02), away(walk(60, 25, seed=2, size=0.02), 1)
    chair = np.repeat(away(walk(1, 25, seed=1), -2), 6, 0)
    parts = [track(main), track(partner[:25]), track(chair, 28), track(partner[40:], 40)]
    persons, _ = main_persons(parts, main_first=True)
    np.testing.assert_array_equal(persons[1, 40:], partner[40:])
    middle = partner[24] + (partner[40] - partner[24]) * (30 - 24) / 16
    np.testing.assert_allclose(persons[1, 30], middle, rtol=1e-5)


def test_one_who_never_moves_stays_when_alone() -> None:
    still = np.repeat(walk(1, 25), 10, 0)
    np.testing.assert_array_equal(main_persons([track(still)])[0], still[None])
    persons, _ = main_persons([track(still), track(away(still, 1))])
    np.testing.assert_array_equal(persons, still[None])


def test_no_body_is_an_error() -> None:
    with pytest.raises(InputError, match="no body in any frame"):
        main_persons([])


@given(
    st.lists(
        st.tuples(st.integers(0, 9), st.integers(1, 9), st.floats(0, 6), st.integers(0, 99)),
        min_size=1,
        max_size=5,
    )
)
def test_persons_are_whole_whatever_the_tracks(tracks) -> None:
    made = [track(away(walk(n, 3, seed=seed), x), start) for start, n, x, seed in tracks]
    persons, _ = main_persons(made)
    assert persons.dtype == np.float32
    assert len(persons) <= min(2, len(made))
    seen = {int(t) for m in made for t in m.frames}
    assert 1 <= persons.shape[1] <= max(seen) - min(seen) + 1
    everything = np.concatenate([m.joints for m in made])
    assert (persons >= everything.min() - 1e-4).all()
    assert (persons <= everything.max() + 1e-4).all()
