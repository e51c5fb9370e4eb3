"""Half of the people train, so that classes are on both sides where they can be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amsf.skeleton.people import divide, half_of
from amsf.skeleton.recordings import UNKNOWN, Recording, SkeletonSet


@pytest.mark.parametrize(
    ("subject", "expected"),
    [([4, 2, 9, 7, 4], (2, 7)), ([3, 1, 2], (1, 3)), ([5, 5], ()), ([1, UNKNOWN, 2], ())],
)
def test_every_other_person(subject: list[int], expected: tuple[int, ...]) -> None:
    assert half_of(np.array(subject), np.zeros(len(subject), int)) == expected


def test_classes_that_not_everyone_did() -> None:
    """Only 1 and 3 did class 0, only 2 and 4 class 1: every other person would part neither."""
    half = half_of(np.array([1, 2, 3, 4]), np.array([0, 1, 0, 1]))
    assert half in {(1, 2), (1, 4), (2, 3), (3, 4)}


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 3)), min_size=1, max_size=30))
def test_it_is_half_and_never_worse_than_every_other(did: list[tuple[int, int]]) -> None:
    subject, label = np.array(did).T
    people = sorted(set(subject.tolist()))
    half = half_of(subject, label)
    if len(people) < 2:
        assert half == ()
        return
    assert len(half) == (len(people) + 1) // 2

    def parted(training: list[int]) -> int:
        train = {c for s, c in did if s in training}
        return len(train & {c for s, c in did if s not in training})

    assert parted(list(half)) >= parted(people[::2])


def test_a_class_of_one_person_alone_is_told(tmp_path: Path) -> None:
    pose = np.ones((1, 1, 25, 3), np.float32)
    items = [Recording(pose, f"r{i}", c, s) for i, (c, s) in enumerate([(0, 1), (0, 2), (1, 2)])]
    made = SkeletonSet.from_recordings(items, layout="kinect25", dataset="mine")
    half, note = divide(made, tmp_path / "train_subjects.txt", {})
    assert half.endswith("train_subjects.txt: recordings of 1 train, those of 2 test")
    assert note.startswith("class 1: recordings of people on one side of train_subjects.txt alone")
    half, note = divide(made, tmp_path / "other.txt", {"anna": 1, "ben": 2}, ["walk", "kick"])
    assert half.endswith("other.txt: recordings of anna train, those of ben test")
    assert note.startswith("kick: recordings of people on one side ")
