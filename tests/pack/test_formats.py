"""Finding and reading raw recordings of every format."""

from __future__ import annotations

import errno
import os
import warnings
from pathlib import Path

import numpy as np
import pytest

from amsf.base.errors import InputError
from amsf.pack.base import LeftOut, Outcome, Reading
from amsf.pack.formats import FORMATS, find_source, read_file, read_source
from amsf.skeleton.recordings import Recording, SkeletonSet
from tests.pack.test_npz import arrays
from tests.support.raw_files import one_body, walk, write_ntu, write_pku


def ntu_name(i: int) -> str:
    return f"S001C001P{i + 1:03d}R001A{i + 1:03d}.skeleton"


@pytest.mark.parametrize("jobs", [1, 2])
def test_outcomes_come_in_order_and_a_broken_file_stops_nothing(tmp_path: Path, jobs: int) -> None:
    joints = [walk(3 + i, 25, seed=i) for i in range(12)]
    for i in range(12):
        write_ntu(tmp_path / f"{i % 2}" / ntu_name(i), one_body(joints[i]))
    (tmp_path / "1" / ntu_name(5)).write_text("")
    (tmp_path / "1" / ntu_name(7)).write_bytes(bytes(range(256)))
    (tmp_path / "notes.md").write_text("mine")
    (tmp_path / "skeletons.report.csv").write_text("of an earlier run")
    tasks, left_out = find_source(tmp_path, "ntu60")
    assert [item.file.name for item in left_out] == ["notes.md"]
    outcomes = list(read_source(tasks, "ntu60", jobs))
    assert [task for task, _ in outcomes] == tasks == sorted(tasks)
    broken = {}
    for (file,), outcome in outcomes:
        if isinstance(outcome, LeftOut):
            assert outcome.file == file
            broken[file.name] = outcome.reason
            continue
        (recording,) = outcome.recordings
        assert recording.name == file.stem
        np.testing.assert_array_equal(recording.joints, joints[recording.label][None])
    assert broken.keys() == {ntu_name(5), ntu_name(7)}
    assert broken[ntu_name(5)] == "the file is empty"
    assert broken[ntu_name(7)].startswith("line 1 is ")


def test_an_unforeseen_error_is_a_reason_too(tmp_path: Path, monkeypatch) -> None:
    path = write_ntu(tmp_path / ntu_name(0), one_body(walk(3, 25)))

    def fails(task: tuple[Path, ...]) -> Reading:
        raise MemoryError("no room")

    monkeypatch.setattr("amsf.pack.formats.FORMATS", {"ntu60": _with_read(fails)})
    assert list(read_source([(path,)], "ntu60", jobs=1)) == [
        ((path,), LeftOut(path, "MemoryError: no room"))
    ]


def _with_read(read):
    entry = FORMATS["ntu60"]
    return type(entry)(entry.suffix, entry.form, entry.classes, entry.plan, read)


def test_a_source_without_recordings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere: no such folder or file"):
        find_source(tmp_path / "nowhere", "ntu60")
    with pytest.raises(InputError, match="there are no files"):
        find_source(tmp_path, "ntu60")
    (tmp_path / "a.txt").write_text("")
    with pytest.raises(
        InputError,
        match=r"SsssCcccPpppRrrrAaaa\.skeleton; there are only others, such as a\.txt: the name is",
    ):
        find_source(tmp_path, "ntu60")
    with pytest.raises(InputError, match="a label file of the same name in a folder with 'label'"):
        find_source(tmp_path, "pku51")
    with pytest.raises(InputError, match="format 'ntu' is not known; there are ntu60"):
        find_source(tmp_path, "ntu")


def test_classes_beyond_the_dataset_are_told(tmp_path: Path) -> None:
    for action in (60, 61, 120, 121):
        write_ntu(tmp_path / f"S001C001P001R001A{action:03d}.skeleton", one_body(walk(2, 25)))
    counts = {"ntu60": 1, "ntu120": 3}
    for name, count in counts.items():
        tasks, left_out = find_source(tmp_path, name)
        assert (len(tasks), len(left_out)) == (count, 4 - count)
    assert left_out[0].reason == "action 121 is not one of the dataset's 1 to 120"


def test_one_file_of_any_format(tmp_path: Path) -> None:
    joints = walk(4, 25)
    path = write_ntu(tmp_path / "wave.skeleton", one_body(joints))
    layout, (recording,) = read_file(path)
    assert (layout, recording.name, recording.label) == ("kinect25", "wave", -1)
    np.testing.assert_array_equal(recording.joints, joints[None])

    write_pku(tmp_path, "0001-M", np.stack([joints, joints * 0]), ["1,0,2,1"])
    layout, (recording,) = read_file(tmp_path / "skeletons" / "0001-M.txt")
    np.testing.assert_array_equal(recording.joints, joints[None])

    packed = SkeletonSet.from_recordings([recording], layout=layout, dataset="mine")
    packed.save(tmp_path / "set.safetensors")
    layout, (again,) = read_file(tmp_path / "set.safetensors")
    assert isinstance(again, Recording)
    np.testing.assert_array_equal(again.joints, joints[None])

    (tmp_path / "a.c3d").touch()
    with pytest.raises(InputError, match=r"no reader for '\.c3d' files; there are \.skeleton, "):
        read_file(tmp_path / "a.c3d")
    with pytest.raises(InputError, match="no such file"):
        read_file(tmp_path / "b.csv")


def test_capitals_in_suffixes_and_marks_before_text(tmp_path: Path) -> None:
    joints = walk(4, 25)
    path = write_ntu(tmp_path / ntu_name(0), one_body(joints))
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    path = path.rename(path.with_suffix(".SKELETON"))
    write_pku(tmp_path, "0001-M", np.stack([joints, joints * 0]), ["1,0,2,1"])
    for file in list(tmp_path.glob("*/*.txt")):
        file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
        file.rename(file.with_suffix(".Txt"))
    np.savez(tmp_path / "mine", **arrays())
    (tmp_path / "mine.npz").rename(tmp_path / "mine.NPZ")
    for name, file in (("ntu60", path.name), ("pku51", "0001-M.Txt"), ("npz", "mine.NPZ")):
        tasks, _ = find_source(tmp_path, name)
        assert [task[0].name for task in tasks] == [file]
        ((_, outcome),) = read_source(tasks, name, jobs=1)
        assert isinstance(outcome, Outcome)
        assert outcome.left_out == []
        assert read_file(tasks[0][0])[0] == outcome.layout


def test_text_of_two_bytes_a_character_is_named(tmp_path: Path) -> None:
    path = write_ntu(tmp_path / ntu_name(0), one_body(walk(4, 25)))
    path.write_text(path.read_text(), encoding="utf-16")
    with pytest.raises(InputError, match=r"skeleton: the text is UTF-16; expected UTF-8"):
        read_file(path)


def test_linked_folders_are_entered_each_once(tmp_path: Path) -> None:
    source, other = tmp_path / "ntu", tmp_path / "disk2/skeletons"
    write_ntu(source / "part1" / ntu_name(0), one_body(walk(3, 25)))
    write_ntu(other / ntu_name(1), one_body(walk(3, 25)))
    (source / "part2").symlink_to(other)
    (source / "part3").symlink_to(other.parent)  # the same once more, a folder higher
    (source / "part1/round").symlink_to(source)
    (source / "part4").symlink_to(tmp_path / "gone")
    write_ntu(other / ntu_name(2), one_body(walk(3, 25)))
    (source / ntu_name(2)).symlink_to(other / ntu_name(2))
    tasks, left_out = find_source(source, "ntu60")
    found = [task[0].relative_to(source).as_posix() for task in tasks]
    assert found == [ntu_name(2), f"part1/{ntu_name(0)}", f"part2/{ntu_name(1)}",
                     f"part2/{ntu_name(2)}"]  # fmt: skip
    reasons = {item.file.relative_to(source).as_posix(): item.reason for item in left_out}
    assert reasons == {
        "part1/round": "the same folder as .",
        "part3/skeletons": "the same folder as part2",
        "part4": f"a link to {tmp_path / 'gone'}, which is not there",
    }


def test_who_stops_early_hears_nothing_of_what_was_under_way(tmp_path: Path) -> None:
    for index in range(8):
        write_ntu(tmp_path / ntu_name(index), one_body(walk(3, 25)))
    tasks, _ = find_source(tmp_path, "ntu60")
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        outcomes = read_source(tasks, "ntu60", jobs=2)
        next(outcomes)
        outcomes.close()
    assert told == []


def test_what_cannot_be_entered_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_ntu(tmp_path / "a" / ntu_name(0), one_body(walk(3, 25)))
    write_ntu(tmp_path / "b" / ntu_name(1), one_body(walk(3, 25)))
    scandir = os.scandir

    def refusing(path):  # root may enter every folder
        if str(path).endswith("b"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr("os.scandir", refusing)
    tasks, left_out = find_source(tmp_path, "ntu60")
    assert [task[0].name for task in tasks] == [ntu_name(0)]
    assert left_out == [LeftOut(tmp_path / "b", "cannot be entered: Permission denied")]


def test_one_real_utd_recording(data_dir: Path) -> None:
    layout, (recording,) = read_file(data_dir / "utd-mhad/Skeleton/a3_s2_t1_skeleton.mat")
    assert (layout, recording.label, recording.subject) == ("kinect20", 2, 2)
