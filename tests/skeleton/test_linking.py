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
    """The nearest one first would leave the other a way of 21."""
    first, second = np.array([[0.0, 0.0], [10.0, 0.0]]), np.array([[11.0, 0.0], [21.0, 0.0]])
    assert link([bodies_of(first), bodies_of(second)], [0, 1]) == [
        [(0, 0), (1, 0)],
        [(0, 1), (1, 1)],
    ]


def test_far_away_or_long_after_is_another_body() -> None:
    here, near, far = BODY, *bodies_of(np.array([[29.0, 0.0], [31.0, 0.0]]))
    assert len(link([[here], [near]], [0, 1])) == 1
    assert len(link([[here], [far]], [0, 1])) == 2
    assert len(link([[here], [here]], [0, MAX_GAP])) == 1
    assert len(link([[here], [here]], [0, MAX_GAP + 1])) == 2


def test_joints_that_both_have_are_compared() -> None:
    half = np.where(np.arange(3)[:, None] == 2, np.nan, BODY)
    assert len(link([[BODY], [half]], [0, 1])) == 1
    other = np.where(np.arange(3)[:, None] == 2, BODY, np.nan)
    assert len(link([[half], [other]], [0, 1])) == 2  # nothing in common
    assert link([], []) == []
    assert link([[], [BODY]], [0, 1]) == [[(1, 0)]]
