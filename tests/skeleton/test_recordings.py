"""The skeleton set and its file."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from amsf.base.errors import InputError
from amsf.skeleton.recordings import Recording, SkeletonSet, recordings_to_file
from tests.support.raw_files import walk


def recordings(sizes: list[tuple[int, int]]) -> list[Recording]:
    """Recordings of the given (persons, frames)."""
    return [
        Recording(
            np.stack([walk(frames, 20, seed=10 * i + m) for m in range(persons)]),
            f"r{i}",
            i % 3,
            subject=i,
        )
        for i, (persons, frames) in enumerate(sizes)
    ]


def gathered(items: list[Recording]) -> SkeletonSet:
    return SkeletonSet.from_recordings(items, layout="kinect20", dataset="mine")


@given(st.lists(st.tuples(st.integers(1, 2), st.integers(1, 6)), min_size=1, max_size=5))
def test_what_goes_in_comes_out(tmp_path_factory, sizes) -> None:
    folder = tmp_path_factory.mktemp("set")
    items = recordings(sizes)
    gathered(items).save(folder / "a.safetensors")
    with recordings_to_file(folder / "b.safetensors", layout="kinect20", dataset="mine") as add:
        for item in items:
            add(item)
    assert (folder / "a.safetensors").read_bytes() == (folder / "b.safetensors").read_bytes()
    loaded = SkeletonSet.load(folder / "a.safetensors")
    assert len(loaded) == len(items)
    assert [path.name for path in folder.iterdir() if path.name.startswith(".")] == []
    assert loaded.frames.tolist() == [frames for _, frames in sizes]
    for i, item in enumerate(items):
        np.testing.assert_array_equal(loaded[i], item.joints)
        found = loaded.recording(i)
        assert (found.name, found.label, found.subject, found.camera) == (f"r{i}", i % 3, i, -1)


def test_rows_are_mapped_and_agree_with_the_library(tmp_path: Path) -> None:
    path = tmp_path / "skeletons.safetensors"
    gathered(recordings([(1, 4), (2, 3)])).save(path)
    loaded = SkeletonSet.load(path)
    base = loaded.joints
    while isinstance(base, np.ndarray) and not isinstance(base, np.memmap):
        base = base.base
    assert isinstance(base, np.memmap)
    assert not loaded.joints.flags.writeable
    np.testing.assert_array_equal(loaded.joints, load_file(path)["joints"])
    assert np.shares_memory(loaded[1], loaded.joints)
    np.testing.assert_array_equal(loaded[-1][1], loaded.joints[7:10])  # the second person


def test_subset() -> None:
    whole = gathered(recordings([(1, 4), (2, 3), (1, 2)]))
    part = whole.subset([2, 1])
    assert part.names == ["r2", "r1"]
    assert part.label.tolist() == [2, 1]
    np.testing.assert_array_equal(part[1], whole[1])
    assert whole.subset(whole.label == 0).names == ["r0"]
    assert len(whole.subset([])) == 0
    assert [len(joints) for joints in whole] == [1, 2, 1]
    with pytest.raises(IndexError):
        whole[3]


def test_equal_sets_give_equal_bytes(tmp_path: Path) -> None:
    for name in "ab":
        gathered(recordings([(2, 5), (1, 3)])).save(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"names": ["a", "a"]}, "the same name"),
        ({"layout": "kinect25"}, r"expected \(rows, 25, 3\)"),
        ({"offset": np.array([0, 4, 9])}, "expected 0 to 10"),
        ({"offset": np.array([0, 5, 10])}, "'r1' has 5 rows for 2 persons"),
        ({"persons": np.array([1, 3], np.int8)}, "1 or 2"),
        ({"label": np.array([0, -2])}, "label"),
        ({"subject": np.array([0, 1], np.int32)}, "subject is int32"),
        ({"joints": np.zeros((10, 20, 3))}, "float64"),
    ],
)
def test_parts_that_disagree_are_refused(change: dict, message: str) -> None:
    good = gathered(recordings([(1, 4), (2, 3)]))
    with pytest.raises(InputError, match=message):
        dataclasses.replace(good, **change)


def test_values_are_checked(tmp_path: Path) -> None:
    good = gathered(recordings([(1, 4), (2, 3)]))
    good.validate(2)
    with pytest.raises(InputError, match="'r1' has label 1; expected 0 to 0"):
        good.validate(1)
    good.joints[6, 3, 1] = np.inf
    with pytest.raises(InputError, match="'r1' has a coordinate that is not finite"):
        good.save(tmp_path / "bad")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("shape", [(1, 4, 20), (3, 4, 20, 3), (1, 0, 20, 3), (1, 4, 20, 2)])
def test_a_recording_has_its_shape(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="expected \\(persons, frames, joints, 3\\)"):
        Recording(np.zeros(shape, np.float32), "r")


def test_a_recording_is_finite_and_has_the_sets_joints() -> None:
    joints = np.zeros((1, 4, 20, 3), np.float32)
    with pytest.raises(InputError, match="r: it has 20 joints; expected 25"):
        SkeletonSet.from_recordings([Recording(joints, "r")], layout="kinect25", dataset="mine")
    joints[0, 2, 5, 1] = np.nan
    with pytest.raises(InputError, match="r: a coordinate in frame 2"):
        Recording(joints, "r")


def test_a_failure_while_writing_leaves_nothing(tmp_path: Path) -> None:
    def interrupted() -> None:
        with recordings_to_file(tmp_path / "s", layout="kinect20", dataset="mine") as add:
            add(recordings([(1, 4)])[0])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "skeletons.safetensors"
    with pytest.raises(InputError, match="no such file"):
        SkeletonSet.load(path)
    save_file({"a": np.zeros(2)}, path)
    with pytest.raises(InputError, match="not a skeleton set"):
        SkeletonSet.load(path)
    gathered(recordings([(1, 4)])).save(path)
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(InputError, match="not a readable safetensors file"):
        SkeletonSet.load(path)
