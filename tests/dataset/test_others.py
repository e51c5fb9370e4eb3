"""Other datasets that train too: which of their classes do, and under which ids."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from amsf.dataset.classes import load_classes
from amsf.dataset.others import SAME, alikeness, compared_views, describe_other, join
from amsf.dataset.splits import Split, make_split
from amsf.settings.params import WHOLE_VIEWS, Text
from amsf.text.descriptions import load_texts, only
from amsf.text.encode import encode_texts

OURS = make_split("ours", 6, [1], [4], kind="listed", where="test")
RNG = np.random.default_rng(0)
OWN = RNG.normal(size=(6, 2, 40))
A = np.stack([OWN[4] + 0.1 * RNG.normal(size=(2, 40)), *RNG.normal(size=(2, 2, 40))])  # 0 is our 4
B = np.stack([RNG.normal(size=(2, 40)), 3 * OWN[1], OWN[2]])  # 1 is our 1, 2 is our 2


def test_ids_stand_behind_and_what_means_the_same_is_left_out(tmp_path: Path) -> None:
    split = join(OURS, OWN, {"b": B, "a": A}, keep=False)
    assert [(o.dataset, o.classes, o.first, o.alike) for o in split.also] == [
        ("a", 3, 6, ((0, 4),)),
        ("b", 3, 9, ((1, 1), (2, 2))),
    ]
    assert split.total == 12
    assert split.joined("test") == (6, 7, 8, 9, 11)
    # What is unseen in the test stays out of the validation, where 4 is unseen too.
    assert split.joined("val") == (7, 8, 9, 11)
    assert describe_other(split, split.also[0])["left_out"] == {"test": [], "val": [0]}
    assert (split.seen, split.unseen) == (OURS.seen, OURS.unseen)
    split.save(tmp_path / "split.json")
    assert Split.load(tmp_path / "split.json") == split


def test_they_can_be_kept(tmp_path: Path) -> None:
    split = join(OURS, OWN, {"a": A, "b": B}, keep=True)
    assert split.joined("test") == split.joined("val") == tuple(range(6, 12))
    assert split.also[1].alike == ((1, 1), (2, 2))


def test_alikeness_does_not_depend_on_what_all_texts_share() -> None:
    """An encoder that puts all texts into one narrow cone finds the same classes alike."""
    plain = alikeness(A, OWN)
    assert plain[0, 4] > 0.9
    assert np.abs(np.delete(plain.ravel(), 4)).max() < SAME
    unit = [x / np.linalg.norm(x, axis=-1, keepdims=True) for x in (A, OWN)]
    shared = np.concatenate([np.zeros((2, 40)), np.full((2, 1), 2.0)], axis=1)
    cone = [np.concatenate([x, np.zeros((*x.shape[:2], 1))], axis=2) + shared for x in unit]
    np.testing.assert_allclose(alikeness(*cone), plain, atol=1e-9)


# By hand: which classes of one shipped set are those of another.
SAME_BY_HAND = {
    ("utkinect10", "utd27"): {
        "walk": {"walking in place"}, "sit down": {"stand to sit"}, "stand up": {"sit to stand"},
        "pick up": {"right hand pick up and throw"}, "push": {"two hand push"},
        "throw": {"right arm throw", "right hand pick up and throw"},
        "wave hands": {"right hand wave"}, "clap hands": {"two hand front clap"},
    },
    ("florence9", "utd27"): {
        "wave": {"right hand wave"}, "clap": {"two hand front clap"},
        "sit down": {"stand to sit"}, "stand up": {"sit to stand"},
    },
    ("utkinect10", "florence9"): {
        "sit down": {"sit down"}, "stand up": {"stand up"}, "wave hands": {"wave"},
        "clap hands": {"clap"},
    },
}  # fmt: skip


@cache
def encoded(dataset: str) -> np.ndarray:
    """(C, V, D) of a shipped set's texts, by MiniLM."""
    texts = only(load_texts(dataset), WHOLE_VIEWS)
    return encode_texts(texts, Text(), dataset)[0].features


@pytest.mark.parametrize("pair", SAME_BY_HAND, ids="/".join)
def test_classes_of_shipped_sets_that_mean_the_same_are_found(pair: tuple[str, str]) -> None:
    """All of them, and beside them opposites alone: sitting and standing, pulling and pushing."""
    vectors = {d: encoded(d) for d in pair}
    labels = {d: load_classes(d)["label"].tolist() for d in pair}
    found: dict[str, set[str]] = {}
    for a, b in np.argwhere(alikeness(*(vectors[d] for d in pair)) >= SAME):
        found.setdefault(labels[pair[0]][a], set()).add(labels[pair[1]][b])
    for label, same in SAME_BY_HAND[pair].items():
        assert same <= found[label], label
    extra = {(a, b) for a, many in found.items() for b in many - SAME_BY_HAND[pair].get(a, set())}
    sitting = {"sit down", "stand up", "sit to stand", "stand to sit"}
    assert all({a, b} <= sitting or {a, b} == {"pull", "two hand push"} for a, b in extra)


def test_parts_of_the_body_do_not_say_that_classes_are_the_same() -> None:
    assert compared_views(["arms", "lb", "end", "MAmd"]) == ["lb", "MAmd"]
    assert compared_views(["arms", "end"]) == ["arms", "end"]
