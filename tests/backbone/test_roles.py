"""The roles of recordings: no unseen class and no test recording where it must not be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amsf.backbone.roles import assign_roles, hold_out
from amsf.base.errors import InputError
from amsf.dataset.splits import Split, make_split
from amsf.skeleton.recordings import Recording, SkeletonSet

SPLIT = make_split("demo", 6, [1, 4], [0, 3], kind="listed", where="test")


def make_set(label: list[int], subject: list[int], dataset: str = "demo") -> SkeletonSet:
    joints = np.zeros((1, 1, 25, 3), np.float32)
    recordings = [
        Recording(joints, f"r{i}", c, s)
        for i, (c, s) in enumerate(zip(label, subject, strict=True))
    ]
    return SkeletonSet.from_recordings(recordings, layout="kinect25", dataset=dataset)


def full_set(subjects: int) -> SkeletonSet:
    return make_set([c for c in range(6) for _ in range(subjects)], list(range(subjects)) * 6)


def test_each_role_has_its_partition_and_classes() -> None:
    recordings = full_set(16)
    training = recordings.subject % 2 == 1
    roles = assign_roles(recordings, training, SPLIT, 0)
    expected = {
        ("test", "train"): (True, {0, 2, 3, 5}),
        ("test", "gtest"): (False, {0, 1, 2, 3, 4, 5}),
        ("val", "train"): (True, {2, 5}),
        ("val", "val"): (True, {2, 5}),
        ("val", "ztest"): (True, {0, 3}),
    }
    assert {(p, r) for p in roles for r in roles[p]} == set(expected)
    for (phase, role), (partition, classes) in expected.items():
        rows = roles[phase][role]
        assert (training[rows] == partition).all()
        assert set(recordings.label[rows]) == classes
        assert (np.diff(rows) > 0).all()
    train, held = roles["val"]["train"], roles["val"]["val"]
    assert not set(recordings.subject[train]) & set(recordings.subject[held])
    assert len(held) == 4  # 2 of 8 training subjects, 2 classes
    wanted = np.flatnonzero(training & np.isin(recordings.label, SPLIT.val_seen))
    assert sorted([*train, *held]) == wanted.tolist()


@given(
    label=st.lists(st.integers(0, 3), min_size=1, max_size=60),
    subjects=st.integers(1, 9),
    seed=st.integers(0, 5),
)
def test_every_class_keeps_something_to_train_on(
    label: list[int], subjects: int, seed: int
) -> None:
    labels = np.array(label)
    people = np.arange(len(label)) % subjects
    held = hold_out(labels, people, seed)
    assert set(labels[~held]) == set(labels)
    np.testing.assert_array_equal(held, hold_out(labels, people, seed))


@pytest.mark.parametrize("subjects", [1, 3])
def test_with_few_subjects_a_quarter_of_each_class_is_held_out(subjects: int) -> None:
    labels = np.repeat([0, 1, 2], 12)
    held = hold_out(labels, np.arange(36) % subjects, 0)
    np.testing.assert_array_equal(np.bincount(labels[held]), [3, 3, 3])


def test_without_validation_classes_there_is_no_validation_phase() -> None:
    split = Split("demo", 6, (0, 2, 3, 5), (1, 4), (), (), "listed")
    recordings = full_set(4)
    assert set(assign_roles(recordings, recordings.subject > 1, split, 0)) == {"test"}


def test_wrong_recordings_are_told() -> None:
    recordings = full_set(4)
    with pytest.raises(InputError, match="'utd27', the split is of 'demo'"):
        assign_roles(make_set([0], [1], "utd27"), np.array([True]), SPLIT, 0)
    with pytest.raises(InputError, match="1 of 2 recordings have no label, such as 'r1'"):
        assign_roles(make_set([0, -1], [1, 1]), np.array([True, True]), SPLIT, 0)
    with pytest.raises(InputError, match="label 6"):
        assign_roles(make_set([0, 6], [1, 1]), np.array([True, True]), SPLIT, 0)
    training = ~np.isin(recordings.label, (2, 5))
    with pytest.raises(InputError, match="seen classes 2, 5 have no recording"):
        assign_roles(recordings, training, SPLIT, 0)


def test_one_training_recording_a_class_cannot_be_validated_with() -> None:
    recordings = full_set(2)
    with pytest.raises(InputError, match="2 validation-seen classes has a single training"):
        assign_roles(recordings, recordings.subject % 2 == 1, SPLIT, 0)
