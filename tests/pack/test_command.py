"""Packing raw recordings from the command line."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from amsf.base.errors import InputError
from amsf.pack.__main__ import main, pack
from amsf.skeleton.cleaning import Stated
from amsf.skeleton.recordings import SkeletonSet
from tests.pack.test_npz import arrays, save
from tests.support.raw_files import ntu_lines, one_body, walk, write_ntu, write_pku


def report(folder: Path, outcome: str = "left out") -> dict[str, str]:
    with (folder / "skeletons.report.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["outcome"] == outcome]
    return {row["file"]: row["reason"] for row in rows}


def ntu_folder(folder: Path) -> Path:
    """Three good files, one with three bodies, and one of each fault."""
    name = "S001C{:03d}P001R001A{:03d}.skeleton"
    for camera in (1, 2, 3):
        write_ntu(folder / name.format(camera, 1), one_body(walk(5, 25, seed=camera)))
    bodies = {str(i): walk(5, 25, seed=i) for i in range(3)}
    three = [{key: joints[i] for key, joints in bodies.items()} for i in range(5)]
    write_ntu(folder / name.format(1, 2), three)
    write_ntu(folder / name.format(1, 3), [{}, {}])
    lines = ntu_lines(one_body(walk(5, 25)))
    faults = {4: lines[:-20], 5: [*lines[:3], "20", *lines[4:]], 6: [*lines[:9], "a b c"], 7: []}
    for action, text in faults.items():
        (folder / name.format(1, action)).write_text("\n".join(text))
    (folder / "mine.skeleton").write_text("")
    return folder


def test_good_files_are_packed_and_all_others_told(tmp_path: Path) -> None:
    source = ntu_folder(tmp_path / "raw")
    packed = pack(source, tmp_path / "out", "ntu60", jobs=1)
    loaded = SkeletonSet.load(packed.skeletons)
    assert packed.recordings == len(loaded) == 4
    assert (loaded.dataset, loaded.layout, loaded.simulated) == ("ntu60", "kinect25", False)
    assert loaded.names == [
        f"S001C00{c}P001R001A00{a}" for c, a in ((1, 1), (1, 2), (2, 1), (3, 1))
    ]
    assert loaded.label.tolist() == [0, 1, 0, 0]
    assert loaded.camera.tolist() == [1, 1, 2, 3]
    assert loaded.persons.tolist() == [1, 2, 1, 1]
    np.testing.assert_array_equal(loaded[2], walk(5, 25, seed=2)[None])
    reasons = report(tmp_path / "out")
    assert reasons.keys() == {p.name for p in source.iterdir()} - {
        f"{n}.skeleton" for n in loaded.names
    }
    by_action = {name[17:20]: reason for name, reason in reasons.items()}
    assert by_action["003"] == "no body in any frame"
    assert by_action["004"] == "cut short: the file ends in frame 4 of 5"
    assert by_action["005"] == "line 4 says 20 joints in frame 0 of 5; expected 25"
    assert by_action["006"].startswith("cut short")
    assert by_action["007"] == "the file is empty"
    assert "SsssCcccPpppRrrrAaaa" in reasons["mine.skeleton"]


def test_processes_and_repetition_change_no_byte(tmp_path: Path) -> None:
    source = ntu_folder(tmp_path / "raw")
    for name, jobs in (("a", 1), ("b", 2), ("b", 2)):
        pack(source, tmp_path / name, "ntu60", jobs=jobs)
    for file in ("skeletons.safetensors", "skeletons.report.csv"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_listed_samples_and_repeated_names_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = ntu_folder(tmp_path / "raw")
    (source / "more").mkdir()
    write_ntu(source / "more" / "S001C002P001R001A001.skeleton", one_body(walk(5, 25)))
    listing = tmp_path / "missing.txt"
    broken = "S001C001P001R001A007"  # is found, although it could not be read anyway
    listing.write_text(f"missing samples\nS001C001P001R001A001\nS009C001P001R001A001\n{broken}\n")
    main(["--format", "ntu60", str(source), "--out", str(tmp_path / "out"), "--jobs", "1",
          "--missing", str(listing)])  # fmt: skip
    told = capsys.readouterr()
    assert "3 recordings" in told.out
    assert "missing.txt: found and left out: 2 of 3 names; not found: S009" in told.err
    reasons = report(tmp_path / "out")
    assert "in the list of recordings to leave out" in reasons["S001C001P001R001A001.skeleton"]
    assert "has this name already" in reasons["more/S001C002P001R001A001.skeleton"]


def test_a_list_of_other_names_stops_before_anything_is_read(tmp_path: Path, monkeypatch) -> None:
    source = ntu_folder(tmp_path / "raw")
    listing = tmp_path / "missing.txt"
    listing.write_text("S009C001P001R001A001\n")
    monkeypatch.setattr("amsf.pack.__main__.read_source", None)
    with pytest.raises(InputError, match=r"missing.txt: none of its names \(S009"):
        pack(source, tmp_path / "out", "ntu60", jobs=1, missing=listing)


def test_a_list_for_an_npz_is_compared_with_the_names_in_it(tmp_path: Path) -> None:
    path = save(tmp_path / "a.npz", arrays())
    listing = tmp_path / "missing.txt"
    listing.write_text("Wave\n")
    assert pack(path, tmp_path / "mine", "npz", jobs=1, missing=listing).recordings == 1
    listing.write_text("waves\n")
    with pytest.raises(InputError, match="none of its names"):
        pack(path, tmp_path / "other", "npz", jobs=1, missing=listing)
    assert not (tmp_path / "other").exists()


def test_nothing_readable_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    source = tmp_path / "raw"
    source.mkdir()
    (source / "S001C001P001R001A001.skeleton").write_text("")
    with pytest.raises(
        InputError,
        match=r"no recording of format ntu60 there can be used; 1 tried .*A001.skeleton: the file",
    ):
        pack(source, tmp_path / "out", "ntu60", jobs=1)
    assert not (tmp_path / "out").exists()


def test_pku_intervals(tmp_path: Path) -> None:
    bodies = np.stack([walk(30, 25), np.zeros((30, 25, 3), np.float32)])
    lines = ["51,0,10,1", "52,10,20,1", "1,25,31,1"]
    write_pku(tmp_path / "raw", "0001-L", bodies, lines)
    packed = pack(tmp_path / "raw", tmp_path / "out", "pku51", jobs=1)
    assert SkeletonSet.load(packed.skeletons).names == ["0001-L_001"]
    reasons = [item.reason for item in packed.left_out]
    assert reasons == [
        "recording '0001-L_002': label 51; expected 0 to 50",
        "recording '0001-L_003': line 3 of the label file: frames 25 to 31 of a video of 30",
    ]


def test_a_users_npz(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = save(tmp_path / "a.npz", arrays() | {"label": np.array([2, -1])})
    main(["--format", "npz", str(path), "--out", str(tmp_path / "mine"), "--jobs", "1"])
    assert ": 1 recording in " in capsys.readouterr().out
    loaded = SkeletonSet.load(tmp_path / "mine" / "skeletons.safetensors")
    assert (loaded.dataset, loaded.layout, loaded.names) == ("mine", "kinect20", ["wave"])
    assert report(tmp_path / "mine") == {
        "a.npz": "recording 'böw': its class is unknown (label -1); expected a folder above it "
        "with the name or id of a class of data/classes/mine.csv, or --names FORM with a {label} "
        "in it"
    }


def classes(folder: Path, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = "".join(f"{i},label {i},1\n" for i in range(count))
    (folder / "mine.csv").write_text(f"id,label,persons\n{rows}")
    monkeypatch.setattr("amsf.pack.__main__.CLASSES", folder)


def test_labels_are_held_against_the_class_list(tmp_path: Path, monkeypatch) -> None:
    classes(tmp_path, 1, monkeypatch)
    path = save(tmp_path / "a.npz", arrays())  # labels 3 and 0
    packed = pack(path, tmp_path / "out", "npz", dataset="mine", jobs=1)
    assert [item.reason for item in packed.left_out] == [
        "recording 'wave': label 3; expected 0 to 0"
    ]


@pytest.mark.parametrize("labels", [[1, 2], [2, 2]])
def test_labels_from_1_are_an_error(tmp_path: Path, monkeypatch, labels: list[int]) -> None:
    classes(tmp_path, 2, monkeypatch)
    path = save(tmp_path / "a.npz", arrays() | {"label": np.array(labels)})
    with pytest.raises(
        InputError, match="labels seem to count from 1: label 2 is there, label 0 i"
    ):
        pack(path, tmp_path / "out", "npz", dataset="mine", jobs=1)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("count", [None, 5])
def test_labels_that_may_count_from_1_are_told(
    tmp_path: Path, monkeypatch, capsys: pytest.CaptureFixture[str], count: int | None
) -> None:
    if count is not None:
        classes(tmp_path, count, monkeypatch)
    path = save(tmp_path / "a.npz", arrays() | {"label": np.array([1, 2])})
    main(["--format", "npz", str(path), "--out", str(tmp_path / "mine"), "--jobs", "1"])
    assert "note: no recording has label 0, the lowest is 1; labels count from 0" in (
        capsys.readouterr().err
    )


def test_what_was_mended_is_counted_and_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = arrays()
    content["joints"][1] = 0
    content["joints"][4:] *= 1000
    content["joints"][5] = np.nan
    path = save(tmp_path / "a.npz", content)
    main(["--format", "npz", str(path), "--out", str(tmp_path / "own"), "--jobs", "1"])
    told = capsys.readouterr().out
    assert "mended in 2 recordings: frames in which a person was lost filled\n" in told
    assert "mended in 1 recording: millimetres turned into metres\n" in told
    with (tmp_path / "own/skeletons.report.csv").open(newline="") as file:
        rows = [tuple(row.values()) for row in csv.DictReader(file)]
    assert rows == [
        ("a.npz", "mended", "recording 'wave': frames in which a person was lost filled"),
        ("a.npz", "mended", "recording 'böw': millimetres turned into metres"),
        ("a.npz", "mended", "recording 'böw': frames in which a person was lost filled"),
    ]


def test_the_axis_that_is_up_can_be_given(tmp_path: Path) -> None:
    content = arrays()
    content["joints"] = content["joints"] @ np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]], "f").T
    path = save(tmp_path / "a.npz", content)
    with pytest.raises(InputError, match=r"z is up, or the person lies.*pack with --up=z"):
        pack(path, tmp_path / "own", "npz", jobs=1)
    packed = pack(path, tmp_path / "own", "npz", jobs=1, stated=Stated(up="z"))
    assert [item.what for item in packed.mended] == ["z up turned to y up"] * 2
    found = SkeletonSet.load(packed.skeletons).joints
    np.testing.assert_allclose(found, arrays()["joints"], atol=1e-6)
    lying = pack(path, tmp_path / "lying", "npz", jobs=1, stated=Stated(up="y"))
    np.testing.assert_array_equal(SkeletonSet.load(lying.skeletons).joints, content["joints"])


def test_what_cannot_be_written_is_one_message(tmp_path: Path) -> None:
    path = save(tmp_path / "a.npz", arrays())
    (tmp_path / "file").touch()
    for out in ("file", "file/deep/down"):
        with pytest.raises(InputError, match="could not be written: a file is where a folder"):
            pack(path, tmp_path / out, "npz", dataset="mine", jobs=1)
    limit = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000));"
        "from amsf.pack.__main__ import main;"
        "main(['--format', 'npz', 'a.npz', '--out', 'own', '--jobs', '1'])"
    )
    python = [sys.executable, "-c", limit]
    paths = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    ended = subprocess.run(python, capture_output=True, text=True, cwd=tmp_path, env=paths)
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert (
        "own/skeletons.safetensors: could not be written: the file is larger than" in ended.stderr
    )
    assert not (tmp_path / "own").exists()


def test_recordings_of_another_layout_are_told(tmp_path: Path) -> None:
    save(tmp_path / "a.npz", arrays())
    order = [0, 1, 2, 4, 5, 7, 8, 9, 11, 12, 13, 15, 16, 17, 19]
    names = "head neck torso left_shoulder left_elbow left_hand right_shoulder right_elbow \
right_hand left_hip left_knee left_foot right_hip right_knee right_foot"
    other = {"joints": arrays()["joints"][:, order], "names": np.array(["c", "d"])}
    save(tmp_path / "b.npz", arrays() | other | {"joint_names": np.array(names.split())})
    packed = pack(tmp_path, tmp_path / "out", "npz", jobs=1)
    assert packed.recordings == 2
    assert all("its joints are openni15; those" in item.reason for item in packed.left_out)
    assert len(packed.left_out) == 2


def test_errors_end_the_command_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--format", "utd27", str(tmp_path / "none"), "--out", str(tmp_path)])
    assert ended.value.code == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    with pytest.raises(InputError, match="a dataset's name is for recordings of your own"):
        pack(tmp_path, tmp_path, "utd27", dataset="mine")


def test_the_real_utd_recordings(data_dir: Path, tmp_path: Path) -> None:
    packed = pack(data_dir / "utd-mhad/Skeleton", tmp_path, "utd27", jobs=1)
    loaded = SkeletonSet.load(packed.skeletons)
    loaded.validate(27)
    assert len(loaded) == 861
    assert np.unique(loaded.label).tolist() == list(range(27))
    assert np.unique(loaded.subject).tolist() == list(range(1, 9))
    assert (loaded.persons == 1).all()
    assert (loaded.frames.min(), loaded.frames.max()) == (41, 125)
    assert report(tmp_path).keys() == {"Skeleton_joint_order.txt"}
