"""Persons from tracked bodies."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amsf.base.errors import InputError
from amsf.skeleton.bodies import Track, main_persons
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
    persons = main_persons([track(away(still, 9)), track(calm), track(away(lively, 3))])
    np.testing.assert_array_equal(persons, np.stack([away(lively, 3), calm]))


def test_missing_frames_are_filled_between_and_held_at_the_ends() -> None:
    main = walk(6, 25, size=0.5)
    partner = np.full((6, 25, 3), 7.0)
    partner += np.arange(6)[:, None, None] / 10  # so that a straight line fills a gap exactly
    seen = np.array([1, 2, 4])
    persons = main_persons([track(main), Track(seen, partner[seen])])
    expected = partner[[1, 1, 2, 3, 4, 4]]
    np.testing.assert_array_equal(persons[0], main)
    np.testing.assert_allclose(persons[1], expected, rtol=1e-6)


def test_zero_poses_count_as_lost_and_frames_without_anyone_go() -> None:
    joints = walk(10, 25)
    lost = joints.copy()
    lost[[0, 3]] = 0
    other = np.zeros_like(joints)
    other[3] = away(joints, 5)[3]  # one frame of a ghost: below a fifth, so it is no person
    persons = main_persons([track(lost), track(other)])
    np.testing.assert_array_equal(persons, joints[None, [1, 2, *range(4, 10)]])


def test_a_person_found_again_under_a_new_number_is_one_person() -> None:
    joints = walk(20, 25)
    other = away(walk(20, 25, seed=1, size=0.001), 4)
    parts = [track(joints[:8]), track(joints[10:], 10), track(other)]
    persons = main_persons(parts)
    assert persons.shape == (2, 20, 25, 3)
    np.testing.assert_array_equal(persons[0, :8], joints[:8])
    np.testing.assert_array_equal(persons[0, 10:], joints[10:])
    np.testing.assert_array_equal(persons[1], other)
    far = main_persons([track(joints[:8]), track(away(joints, 2)[10:], 10)])
    assert len(far) == 2


def test_no_body_is_an_error() -> None:
    for tracks in ([], [track(np.zeros((5, 25, 3)))]):
        with pytest.raises(InputError, match="no body in any frame"):
            main_persons(tracks)


@given(
    st.lists(
        st.tuples(st.integers(0, 9), st.integers(1, 9), st.floats(0, 6), st.integers(0, 99)),
        min_size=1,
        max_size=5,
    )
)
def test_persons_are_whole_whatever_the_tracks(tracks) -> None:
    made = [track(away(walk(n, 3, seed=seed), x), start) for start, n, x, seed in tracks]
    persons = main_persons(made)
    assert persons.dtype == np.float32
    assert len(persons) <= min(2, len(made))
    assert 1 <= persons.shape[1] <= len({int(t) for m in made for t in m.frames})
    everything = np.concatenate([m.joints for m in made])
    assert (persons >= everything.min() - 1e-4).all()
    assert (persons <= everything.max() + 1e-4).all()
