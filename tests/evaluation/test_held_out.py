"""Leaving people and classes out: who is scored by whom, and what has no part in it."""

from __future__ import annotations

import numpy as np

from amsf.evaluation.gate_space import GateSpace
from amsf.evaluation.held_out import GROUPS, HeldOut, leave_out

SEEN, UNSEEN, PEOPLE = 6, 2, 5


def recordings(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Features, labels and people, every person with two samples of every seen class; texts."""
    rng = np.random.default_rng(seed)
    labels = np.tile(np.repeat(np.arange(SEEN), 2), PEOPLE)
    people = np.repeat(np.arange(PEOPLE) + 10, 2 * SEEN)
    codes = rng.normal(size=(SEEN + UNSEEN, 4))
    features = codes[labels] @ rng.normal(size=(4, 9)) + 0.3 * rng.normal(size=(len(labels), 9))
    text = np.einsum("ck,vkd->cvd", codes, rng.normal(size=(2, 4, 5)))
    return features, labels, people, text


def test_every_draw_is_of_people_and_classes_that_its_models_do_not_know() -> None:
    x, y, people, text = recordings()
    unseen = np.arange(SEEN, SEEN + UNSEEN)
    found = leave_out(x, y, people, text, unseen, 2.0)
    assert len(found.draws) == GROUPS
    for draw in found.draws:  # everybody once: two of six classes count as unseen
        assert len(draw.is_unseen) == len(x)
        assert draw.is_unseen.mean() == UNSEEN / SEEN
    own = {"distance", "prototypes", "ridge", "unseen_distance"}
    assert set(found.draws[0].scores) == own
    assert {len(scores) for scores in found.known.values()} == {len(x)}
    assert set(found.known) == {*own, "probability", "energy"}
    # A classifier that other datasets have taught is not the one that would be fitted here.
    joint = leave_out(x, y, people, text, unseen, 2.0, classified=True, joined=True)
    assert set(joint.known) == set(joint.draws[0].scores) == own
    # The same with a loop of its own: the first part is that of the first and the last person.
    out = np.isin(people, [10, 14])
    space = GateSpace.fit(x[~out], y[~out], text[:SEEN])
    expected = space.scores(x[out], text[:SEEN], text[SEEN:])
    for name, scores in expected.items():
        np.testing.assert_array_equal(found.known[name][: out.sum()], scores)


def test_features_of_a_left_out_person_do_not_change_how_others_are_scored() -> None:
    x, y, people, text = recordings()
    unseen = np.arange(SEEN, SEEN + UNSEEN)

    def known(features: np.ndarray) -> np.ndarray:
        return np.asarray(leave_out(features, y, people, text, unseen, 2.0).known["distance"])

    moved = x.copy()
    moved[people == 10] += 100  # alone with person 14 in the first part
    before, after = known(x), known(moved)
    mine = np.isin(people, [10, 14])
    mates = people[mine] == 14
    np.testing.assert_array_equal(before[: mine.sum()][mates], after[: mine.sum()][mates])
    assert not np.array_equal(before[mine.sum() :], after[mine.sum() :])


def test_where_nothing_can_be_left_out_there_is_nothing() -> None:
    x, y, people, text = recordings()
    unseen = np.arange(SEEN, SEEN + UNSEEN)
    assert leave_out(x, y, np.zeros_like(people), text, unseen, 2.0) == HeldOut((), {})
    one = y == 0
    assert leave_out(x[one], y[one], people[one], text, unseen, 2.0).draws == ()
    # Each class has a person of its own: whoever is left out takes a class along.
    assert leave_out(x, y, y, text, unseen, 2.0) == HeldOut((), {})
