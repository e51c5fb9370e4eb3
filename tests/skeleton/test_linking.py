"""Bodies through time, whatever the order in which a detector names them."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from amsf.skeleton.bodies import MAX_GAP
from amsf.skeleton.linking import link

BODY = np.array([[0.0, 0.0], [10.0, 0.0], [5.0, 30.0]])  # 30 high


def bodies_of(places: np.ndarray) -> list[np.ndarray]:
    """A body at each of (B, 2) places."""
    return [BODY + place for place in places]


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_bodies_keep_their_track_in_any_order(count: int, seed: int) -> None:
    """They start 40 apart and wander by less than half of that; some frames miss some of them."""
    rng = np.random.default_rng(seed)
    frames = 12
    wander = np.cumsum(rng.uniform(-1, 1, (frames, count, 2)), 0)
    places = wander + np.stack([40.0 * np.arange(count), np.zeros(count)], 1)
    there = rng.random((frames, count)) < 0.8
    orders = [rng.permutation(np.flatnonzero(seen)) for seen in there]
    found = link([bodies_of(places[t][o]) for t, o in enumerate(orders)], range(frames))
    tracks = sorted([(t, int(orders[t][k])) for t, k in chain] for chain in found)
    every = [[(t, b) for t in range(frames) if there[t, b]] for b in range(count)]
    assert tracks == sorted(track for track in every if track)


def test_the_distances_are_the_smallest_together() -> None:
    """The nearest one first would leave the other a way of 9, which is too far for one frame."""
    first, second = np.array([[0.0, 0.0], [4.0, 0.0]]), np.array([[5.0, 0.0], [9.0, 0.0]])
    assert link([bodies_of(first), bodies_of(second)], [0, 1]) == [
        [(0, 0), (1, 0)],
        [(0, 1), (1, 1)],
    ]


def test_far_away_or_long_after_is_another_body() -> None:
    places = np.array([[7.0, 0.0], [8.0, 0.0], [29.0, 0.0], [31.0, 0.0]])
    step, leap, far, farther = bodies_of(places)
    assert len(link([[BODY], [step]], [0, 1])) == 1
    assert len(link([[BODY], [leap]], [0, 1])) == 2
    assert len(link([[BODY], [far]], [0, 4])) == 1
    assert len(link([[BODY], [farther]], [0, 9])) == 2
    assert len(link([[BODY], [BODY]], [0, MAX_GAP])) == 1
    assert len(link([[BODY], [BODY]], [0, MAX_GAP + 1])) == 2


def test_who_passes_behind_another_comes_out_as_they_went_in() -> None:
    """A goes to the right behind B, who goes to the left; while they overlap only B is seen."""
    a = [BODY + 3.0 * t * np.eye(2)[0] for t in range(20)]
    b = [BODY + (60 - 3.0 * t) * np.eye(2)[0] for t in range(20)]
    frames = [[b[t]] if 8 <= t <= 12 else [b[t], a[t]] for t in range(13)]
    frames += [[a[t]] for t in range(13, 20)]  # and then only A
    first, second = link(frames, range(20))
    assert first == [(t, 0) for t in range(13)]
    assert second == [(t, 1) for t in range(8)] + [(t, 0) for t in range(13, 20)]


def test_joints_that_both_have_are_compared() -> None:
    half = np.where(np.arange(3)[:, None] == 2, np.nan, BODY)
    assert len(link([[BODY], [half]], [0, 1])) == 1
    other = np.where(np.arange(3)[:, None] == 2, BODY, np.nan)
    assert len(link([[half], [other]], [0, 1])) == 2  # nothing in common
    assert link([], []) == []
    assert link([[], [BODY]], [0, 1]) == [[(1, 0)]]
