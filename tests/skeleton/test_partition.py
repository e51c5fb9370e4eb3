"""Training and test recordings by subject, setup and view."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amsf.base.errors import InputError
from amsf.skeleton.partition import LIST_NAME, NTU60_SUBJECTS, NTU120_SUBJECTS, training_mask
from amsf.skeleton.recordings import Recording, SkeletonSet


def recordings(dataset: str, numbers: list[tuple[int, int, int]], names=None) -> SkeletonSet:
    """One-frame recordings of the given (subject, camera, setup)."""
    pose = np.ones((1, 1, 25, 3), np.float32)
    made = [
        Recording(pose, names[i] if names else f"r{i}", 0, *own) for i, own in enumerate(numbers)
    ]
    return SkeletonSet.from_recordings(made, layout="kinect25", dataset=dataset)


def test_the_official_lists_have_their_published_sizes() -> None:
    # 20 of 40 and 53 of 106 performers, none twice.
    assert len(set(NTU60_SUBJECTS)) == len(NTU60_SUBJECTS) == 20
    assert len(set(NTU120_SUBJECTS)) == len(NTU120_SUBJECTS) == 53
    assert max(NTU60_SUBJECTS) <= 40
    assert max(NTU120_SUBJECTS) <= 106
    # Every NTU-60 training performer keeps the role in NTU-120, and no test performer gains it.
    assert {s for s in NTU120_SUBJECTS if s <= 40} == set(NTU60_SUBJECTS)


@pytest.mark.parametrize(
    ("dataset", "partition", "trains", "tests"),
    [
        ("ntu60", "subject", [(1, 1, 1), (38, 3, 9)], [(3, 1, 1), (40, 2, 2)]),
        ("ntu60", "view", [(3, 2, 1), (1, 3, 1)], [(1, 1, 1), (3, 1, 2)]),
        ("ntu120", "subject", [(103, 1, 1), (45, 1, 1)], [(106, 1, 1), (44, 1, 2)]),
        ("ntu120", "setup", [(3, 1, 2), (1, 1, 32)], [(1, 1, 1), (1, 1, 31)]),
        ("pku51", "view", [(-1, 2, -1), (-1, 3, -1)], [(-1, 1, -1)]),
        ("utd27", "subject", [(1, -1, -1), (7, -1, -1)], [(2, -1, -1), (8, -1, -1)]),
        ("demo", "subject", [(5, -1, -1)], [(6, -1, -1)]),
    ],
)
def test_official_partitions(dataset: str, partition: str, trains: list, tests: list) -> None:
    mask = training_mask(recordings(dataset, trains + tests), partition)
    assert mask.dtype == bool
    assert mask.tolist() == [True] * len(trains) + [False] * len(tests)


PART = pytest.mark.filterwarnings("ignore:.*entries are found")


@PART
@given(st.sets(st.integers(1, 20), min_size=1), st.lists(st.integers(1, 20), min_size=2))
def test_a_users_list_of_subjects(tmp_path_factory, listed: set[int], subjects: list[int]) -> None:
    folder = tmp_path_factory.mktemp("source")
    (folder / LIST_NAME).write_text("# training\n" + ", ".join(map(str, listed)) + "  # all\n")
    skeletons = recordings("mine", [(s, -1, -1) for s in subjects])
    expected = [s in listed for s in subjects]
    if len(set(expected)) == 1:
        with pytest.raises(InputError, match="expected some in both: change the list"):
            training_mask(skeletons, "subject", folder)
    else:
        assert training_mask(skeletons, "subject", folder).tolist() == expected


@PART
def test_the_video_list_of_pku(tmp_path: Path) -> None:
    names = ["0002-L_001", "0002-M_001", "0291-L_001", "0002-L_002"]
    skeletons = recordings("pku51", [(-1, 1, -1)] * 4, names)
    text = "Training videos:\n0002-L, 0003-L,\n0004-L\n\nValidation videos:\n0002-M, 0291-L\n"
    (tmp_path / LIST_NAME).write_text(text)
    assert training_mask(skeletons, "subject", tmp_path).tolist() == [True, False, False, True]


def test_a_users_list_takes_the_place_of_the_official_one(tmp_path: Path) -> None:
    skeletons = recordings("utd27", [(1, -1, -1), (2, -1, -1)])
    assert training_mask(skeletons, "subject", tmp_path).tolist() == [True, False]
    (tmp_path / LIST_NAME).write_text("2\n")
    assert training_mask(skeletons, "subject", tmp_path).tolist() == [False, True]


def test_wrong_requests_are_told(tmp_path: Path) -> None:
    utd = recordings("utd27", [(1, -1, -1), (2, -1, -1)])
    with pytest.raises(InputError, match="'fold' is not known; there are subject, setup, view, r"):
        training_mask(utd, "fold")
    with pytest.raises(InputError, match=r"no official partition 'view'; use 'subject', or write"):
        training_mask(utd, "view")
    with pytest.raises(InputError, match=rf"dataset 'mine' has .* into .*{LIST_NAME} and use"):
        training_mask(recordings("mine", [(1, 1, 1)] * 2), "subject", tmp_path)
    with pytest.raises(
        InputError, match=r"depends on the subject, which is unknown for 1 of 2 .* 'r1'"
    ):
        training_mask(recordings("utd27", [(1, -1, -1), (-1, -1, -1)]), "subject")
    with pytest.raises(InputError, match="puts 2 of 2 recordings into training and 0 into test"):
        training_mask(recordings("utd27", [(1, -1, -1), (3, -1, -1)]), "subject")
    for text, message in (("# nobody\n", "is empty"), ("1, two", "'two' stands among numbers")):
        (tmp_path / LIST_NAME).write_text(text)
        with pytest.raises(InputError, match=message):
            training_mask(utd, "subject", tmp_path)


def test_a_list_that_is_found_in_part_says_how_much(tmp_path: Path) -> None:
    skeletons = recordings("mine", [(1, 1, 1), (2, 1, 1)], ["0001-L_001", "0002-L_001"])
    for content, absent in (("1 7 09\n", "7, 9"), ("0001-L 0003-L 0004-L\n", "0003-L, 0004-L")):
        (tmp_path / LIST_NAME).write_text(f"\ufeff{content}", encoding="utf-8")
        with pytest.warns(UserWarning, match=f"1 of its 3 entries are found; not found: {absent}"):
            mask = training_mask(skeletons, "subject", tmp_path)
        assert mask.tolist() == [True, False]
    (tmp_path / LIST_NAME).write_text("1\n", encoding="utf-16")
    with pytest.raises(InputError, match=r"train_subjects.txt: the text is UTF-16"):
        training_mask(skeletons, "subject", tmp_path)


def test_a_name_that_begins_another_is_no_video_of_it(tmp_path: Path) -> None:
    skeletons = recordings("mine", [(-1, -1, -1)] * 3, ["kick", "kick_2", "bow_1"])
    (tmp_path / LIST_NAME).write_text("kick bow\n")
    assert training_mask(skeletons, "subject", tmp_path).tolist() == [True, False, True]


def test_recordings_of_each_class_in_turn(tmp_path: Path) -> None:
    pose = np.ones((1, 1, 25, 3), np.float32)
    made = [Recording(pose, f"r{i}", label) for i, label in enumerate([0, 1, 0, 0, 1, 2])]
    skeletons = SkeletonSet.from_recordings(made, layout="kinect25", dataset="mine")
    (tmp_path / LIST_NAME).write_text("r1\n")  # of another partition
    mask = training_mask(skeletons, "recording", tmp_path)
    assert mask.tolist() == [True, True, False, True, False, True]
