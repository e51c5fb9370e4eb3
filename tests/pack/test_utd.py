"""UTD-MHAD files: built ones and the real ones."""

from __future__ import annotations

import struct
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from amsf.base.errors import InputError
from amsf.pack.utd import parse_name, plan, read, read_joints
from amsf.skeleton.joints import LAYOUTS
from tests.support.raw_files import walk


def write(path: Path, joints: np.ndarray) -> Path:
    scipy.io.savemat(path, {"d_skel": joints.transpose(1, 2, 0).astype(np.float64)})
    return path


def test_a_recording_with_its_numbers(tmp_path: Path) -> None:
    joints = walk(6, 20)
    reading = read((write(tmp_path / "a27_s8_t4_skeleton.mat", joints),))
    (recording,) = reading.recordings
    assert (reading.layout, recording.name) == ("kinect20", "a27_s8_t4")
    assert recording.numbers == {"label": 26, "subject": 8}
    (body,) = recording.bodies
    np.testing.assert_array_equal(body.joints, joints)


def test_a_single_frame(tmp_path: Path) -> None:
    joints = walk(1, 20)
    np.testing.assert_array_equal(read_joints(write(tmp_path / "a.mat", joints)), joints)


def test_names() -> None:
    assert parse_name("a1_s2_t3_skeleton") == {"label": 0, "subject": 2}
    assert parse_name("a1_s2_t3_inertial") is None
    tasks, left_out = plan([Path("a28_s1_t1_skeleton.mat"), Path("a1_s1_t1_skeleton.txt")], 27)
    assert tasks == []
    assert [item.reason for item in left_out] == [
        "action 28 is not one of the dataset's 1 to 27",
        "the name is not of the form aA_sS_tT_skeleton.mat",
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"other": np.zeros(3)}, "no array 'd_skel'"),
        ({"d_skel": np.ones((25, 3, 4))}, r"\(25, 3, 4\); expected \(20, 3, frames\)"),
        ({"d_skel": np.ones((20, 3, 0))}, r"expected \(20, 3, frames\)"),
        ({"d_skel": np.full((20, 3, 4), "x")}, "d_skel"),
        ({"d_skel": np.ones((20, 3, 4)) * 1j}, "complex128; expected real numbers"),
    ],
)
def test_a_broken_array_is_told(tmp_path: Path, content: dict, message: str) -> None:
    path = tmp_path / "a1_s1_t1_skeleton.mat"
    scipy.io.savemat(path, content)
    with pytest.raises(InputError, match=f"{path.name}: .*{message}"):
        read_joints(path)


@pytest.mark.parametrize("keep", [0, 3, 100, 700])
def test_a_cut_file_is_told(tmp_path: Path, keep: int) -> None:
    path = write(tmp_path / "a1_s1_t1_skeleton.mat", walk(6, 20))
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(InputError, match=path.name):
        read_joints(path)


def test_real_recordings_stand_upright_and_measure_metres(data_dir: Path) -> None:
    folder = data_dir / "utd-mhad/Skeleton"
    layout = LAYOUTS["kinect20"]
    for path in sorted(folder.glob("a22_*.mat"))[:8]:
        joints = read_joints(path)
        middle = joints.mean(0)
        height = middle[layout.index("head"), 1] - middle[layout.index("left_foot"), 1]
        assert 1.2 < height < 1.9
        assert middle[layout.index("right_shoulder"), 0] > middle[layout.index("left_shoulder"), 0]
        expected = scipy.io.loadmat(path)["d_skel"].transpose(2, 0, 1)
        np.testing.assert_array_equal(joints, expected)


def bomb(path: Path, order: str, content: int, repeated: int = 1) -> Path:
    """A level 5 file whose ``d_skel`` is so many zeros, compressed; (20, 3, frames) doubles."""
    frames = content // (20 * 3 * 8)
    header = b"MATLAB 5.0 MAT-file".ljust(124) + {"<": b"\x00\x01IM", ">": b"\x01\x00MI"}[order]
    words = [6, 8, 6, 0, 5, 12, 20, 3, frames, 0, 1, 6]
    array = struct.pack(f"{order}12I", *words) + b"d_skel\0\0"
    array += struct.pack(f"{order}II", 9, frames * 480)
    packed = zlib.compressobj(9)
    parts = [packed.compress(struct.pack(f"{order}II", 14, len(array) + frames * 480) + array)]
    parts += [packed.compress(bytes(480 * 1000)) for _ in range(frames // 1000)]
    element = b"".join([*parts, packed.flush()])
    path.write_bytes(header + repeated * (struct.pack(f"{order}II", 15, len(element)) + element))
    return path


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("content", "repeated"), [(1 << 26, 1), (1 << 24, 4)])
def test_what_grows_without_measure_is_refused_before_it_does(
    tmp_path: Path, order: str, content: int, repeated: int
) -> None:
    path = bomb(tmp_path / "a1_s1_t1_skeleton.mat", order, content, repeated)
    tracemalloc.start()
    with pytest.raises(InputError, match=r"more than 32 MiB, out of a file of 0\.\d MiB"):
        read_joints(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 << 20


def test_an_honest_compressed_file_is_read(tmp_path: Path) -> None:
    joints = walk(40, 20)
    scipy.io.savemat(
        tmp_path / "a.mat",
        {"d_skel": joints.transpose(1, 2, 0).astype(np.float64)},
        do_compression=True,
    )
    np.testing.assert_array_equal(read_joints(tmp_path / "a.mat"), joints)
