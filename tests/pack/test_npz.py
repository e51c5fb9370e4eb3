"""The generic .npz."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amsf.base.errors import InputError
from amsf.pack.base import cleaned
from amsf.pack.npz import plan, read, write
from amsf.skeleton.joints import LAYOUTS
from amsf.skeleton.recordings import Recording, SkeletonSet
from tests.support.raw_files import walk


def arrays() -> dict[str, np.ndarray]:
    """Two recordings as FORMATS describes them: the required arrays and subjects."""
    joints = np.concatenate([walk(4, 20), walk(6, 20, seed=1)])
    return {
        "joints": joints,
        "offset": np.array([0, 4, 10]),
        "label": np.array([3, 0]),
        "subject": np.array([1, 2]),
        "names": np.array(["wave", "böw"]),
        "joint_names": np.array(LAYOUTS["kinect20"].joints),
    }


def save(path: Path, content: dict[str, np.ndarray]) -> Path:
    np.savez(path, **content)
    return path


def test_a_users_file(tmp_path: Path) -> None:
    content = arrays()
    order = np.random.default_rng(0).permutation(20)
    shuffled = content | {
        "joints": content["joints"][:, order].astype(np.float64),
        "joint_names": content["joint_names"][order],
    }
    reading = read((save(tmp_path / "mine.npz", shuffled),))
    assert (reading.layout, reading.left_out) == ("kinect20", [])
    first, second = reading.recordings
    assert (first.name, first.main_first) == ("wave", True)
    assert first.numbers == {"label": 3, "subject": 1, "camera": -1, "setup": -1}
    assert second.name == "böw"
    np.testing.assert_array_equal(first.bodies[0].joints, content["joints"][:4])
    np.testing.assert_array_equal(second.bodies[0].joints, content["joints"][4:])


@given(
    layout=st.sampled_from(["kinect20", "kinect25", "openni15"]),
    sizes=st.lists(
        st.tuples(st.integers(1, 2), st.integers(12, 14), st.integers(-1, 9)),
        min_size=1,
        max_size=4,
    ),
)
def test_what_is_written_is_read(tmp_path_factory, layout: str, sizes: list) -> None:
    made = [
        Recording(
            np.stack(
                [walk(frames, len(LAYOUTS[layout]), seed=i + m, size=0.1) for m in range(persons)]
            ),
            f"r{i}",
            *(label, i, i - 1, 3),
        )
        for i, (persons, frames, label) in enumerate(sizes)
    ]
    path = tmp_path_factory.mktemp("npz") / "set.npz"
    write(path, SkeletonSet.from_recordings(made, layout=layout, dataset="mine"))
    outcome = cleaned(read((path,)), path)
    assert outcome.layout == layout
    assert len(outcome.recordings) == len(made)
    for found, expected in zip(outcome.recordings, made):
        np.testing.assert_array_equal(found.joints, expected.joints)
        assert vars(found) | {"joints": 0} == vars(expected) | {"joints": 0}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"joints": None}, "no array joints; the file has offset"),
        ({"names": np.array(["a", 3], object)}, "not a readable .npz"),
        ({"names": np.array([1, 2])}, "names is int64; expected one axis of unicode"),
        ({"offset": np.array([0, 4, 11])}, "10 rows of joints; it runs from 0 to 11"),
        ({"offset": np.array([0, 10])}, "expected 3 integers"),
        ({"offset": np.array([0.0, 4, 10])}, "offset is float64"),
        ({"label": np.array([1.0, 2.0])}, "label is float64"),
        ({"subject": np.array([1])}, r"subject is int64 \(1,\); expected 2"),
        ({"joints": np.zeros((10, 19, 3))}, r"expected numbers \(rows, 20, 3\)"),
        ({"joints": np.full((10, 20, 3), "x")}, "expected numbers"),
        ({"joint_names": np.array(["nose"] * 20)}, "no known layout has these"),
    ],
)
def test_a_wrong_array_is_told(tmp_path: Path, change: dict, message: str) -> None:
    content = {k: v for k, v in (arrays() | change).items() if v is not None}
    path = save(tmp_path / "mine.npz", content)
    with pytest.raises(InputError, match=f"mine.npz: .*{message}"):
        read((path,))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"offset": np.array([0, 0, 10])}, "it has 0 rows for 1 person"),
        ({"persons": np.array([3, 1])}, "it has 4 rows for 3 persons"),
        ({"label": np.array([-2, 0])}, "label is -2; expected 0 or more (-1: unknown)"),
    ],
)  # fmt: skip
def test_a_wrong_recording_does_not_stop_the_others(
    tmp_path: Path, change: dict, reason: str
) -> None:
    path = save(tmp_path / "mine.npz", arrays() | change)
    reading = read((path,))
    assert [item.reason for item in reading.left_out] == [f"recording 'wave': {reason}"]
    assert [recording.name for recording in reading.recordings] == ["böw"]


@pytest.mark.parametrize("keep", [0, 10, 2000])
def test_a_cut_file_is_told(tmp_path: Path, keep: int) -> None:
    path = save(tmp_path / "mine.npz", arrays())
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(InputError, match=r"mine\.npz: not a readable \.npz"):
        read((path,))


def test_other_files(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros(3))
    (tmp_path / "a.npy").rename(tmp_path / "a.npz")
    with pytest.raises(InputError, match=r"expected an \.npz of several"):
        read((tmp_path / "a.npz",))
    tasks, left_out = plan([Path("a.npz"), Path("b.txt")], None)
    assert tasks == [(Path("a.npz"),)]
    assert [item.file for item in left_out] == [Path("b.txt")]
