"""Folders as recordings: which files are read, together or alone, and what is said of the rest."""

from __future__ import annotations

import json
import os
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from amsf.base.errors import InputError
from amsf.base.storage import write_tensors
from amsf.pack.base import LeftOut
from amsf.pack.npz import write
from amsf.predict.batch import Batch, chosen
from amsf.predict.reading import read_all
from amsf.skeleton.cleaning import NOTHING, Stated
from amsf.skeleton.recordings import Recording, SkeletonSet
from tests.support.raw_files import moving, one_body, walk, write_ntu, write_pku

FLAT = Stated(flat=True)


def packed(*names: str) -> SkeletonSet:
    recordings = [
        Recording(walk(6, 25, seed=i)[None], name, label=0) for i, name in enumerate(names)
    ]
    return SkeletonSet.from_recordings(recordings, layout="kinect25", dataset="own")


def write_frames(folder: Path, video: str) -> None:
    """A video of 4 frames as OpenPose writes it."""
    folder.mkdir(parents=True, exist_ok=True)
    for t, pose in enumerate(moving("body25", 4)):
        row = np.column_stack([500 + 200 * pose[:, 0], 400 - 200 * pose[:, 1], np.ones(25)])
        people = {"people": [{"pose_keypoints_2d": row.ravel().tolist()}]}
        (folder / f"{video}_{t:012d}_keypoints.json").write_text(json.dumps(people))


def names_of(paths: list[Path], stated: Stated = NOTHING) -> list[tuple[str, str]]:
    batch = read_all(paths, stated=stated)
    assert batch.failed == []
    return [(item.file.name, item.recording.name) for item in batch.found]


def test_a_folder_of_all_kinds_of_files(tmp_path: Path) -> None:
    write(tmp_path / "b.npz", packed("one", "two"))
    packed("three").save(tmp_path / "deeper/skeletons.safetensors")
    write_ntu(tmp_path / "deeper/a clip.skeleton", one_body(walk(5, 25)))  # any name will do
    # An earlier report, words, labels, what a system leaves there; and what is broken.
    (tmp_path / "deeper/skeletons.report.csv").write_text("file,outcome,reason\n")
    (tmp_path / "README.md").write_text("mine")
    (tmp_path / "README.txt").write_text("taken in May")
    (tmp_path / "classes.txt").write_text("")
    (tmp_path / "labels.csv").write_text("file,label\nb.npz,3\n")
    (tmp_path / "labels.json").write_text('{"b": 3}')
    (tmp_path / "._b.npz").write_bytes(b"\0\5\x16\7")
    (tmp_path / "a.npz").write_text("no archive")
    (tmp_path / "c.skeleton").symlink_to(tmp_path / "gone.skeleton")
    batch = read_all([tmp_path])
    assert [(i.file.relative_to(tmp_path).as_posix(), i.recording.name) for i in batch.found] == [
        ("b.npz", "one"),
        ("b.npz", "two"),
        ("deeper/a clip.skeleton", "a clip"),
        ("deeper/skeletons.safetensors", "three"),
    ]
    ((file, reason),) = ((item.file, item.reason) for item in batch.failed)
    assert file == tmp_path / "a.npz"
    assert "not a readable .npz" in reason
    others = "._b.npz, README.md, README.txt, classes.txt, labels.csv, labels.json"
    assert batch.notes == [
        f"{tmp_path}: left out, being no recordings: {others}",
        f"{tmp_path / 'c.skeleton'}: a link to {tmp_path / 'gone.skeleton'}, which is not there",
    ]


def write_others(folder: Path) -> list[str]:
    """Files of kinds that recordings come in, none of which is one; their names."""
    np.savez(folder / "calibration.npz", K=np.eye(3))
    np.savez(folder / "digits.npz", x_train=np.zeros((5, 784)), y_train=np.zeros(5))
    scipy.io.savemat(folder / "camera.mat", {"K": np.eye(3)})
    np.save(folder / "depth.npy", np.zeros((4, 5)))
    (folder / "facts.pkl").write_bytes(pickle.dumps([{"a": 1}, {"a": 2}]))
    (folder / "program.pkl").write_bytes(pickle.dumps(Path("x")))
    (folder / "boxes.json").write_text('[{"id": 1, "box": [1, 2]}]')
    (folder / "numbers.json").write_text("[1, 2]")
    (folder / "times.txt").write_text("0.0\n0.1\n")
    write_tensors(folder / "weights.safetensors", {"w": np.zeros(3)})
    return sorted(path.name for path in folder.iterdir())


def test_files_of_other_content_are_one_note_and_hide_nothing(tmp_path: Path) -> None:
    others = write_others(tmp_path)
    write(tmp_path / "mine.npz", packed("one"))
    shutil.copy(tmp_path / "mine.npz", tmp_path / "cut.npz")
    os.truncate(tmp_path / "cut.npz", 500)
    batch = read_all([tmp_path])
    assert [item.recording.name for item in batch.found] == ["one"]
    # What is damaged was meant as a recording.
    assert [item.file.name for item in batch.failed] == ["cut.npz"]
    assert batch.notes == [f"{tmp_path}: left out, being no recordings: {', '.join(others)}"]


def test_a_folder_of_other_content_alone_is_one_failure_that_says_why(tmp_path: Path) -> None:
    others = write_others(tmp_path)
    batch = read_all([tmp_path])
    assert batch.found == batch.notes == []
    ((file, reason),) = ((item.file, item.reason) for item in batch.failed)
    assert file == tmp_path
    assert f"there are only others: {', '.join(others)}; boxes.json: no frame in it" in reason
    # Who names such files hears of each.
    named = [tmp_path / name for name in others]
    assert [item.file for item in read_all(named).failed] == named


def test_frames_are_one_recording_a_video(tmp_path: Path) -> None:
    write_frames(tmp_path / "wave", "wave")
    assert names_of([tmp_path / "wave"], FLAT) == [("wave", "wave")]
    write_frames(tmp_path / "both", "first")
    write_frames(tmp_path / "both", "second")
    assert names_of([tmp_path], FLAT) == [
        ("both", "first"),
        ("both", "second"),
        ("wave", "wave"),
    ]


def test_a_video_of_pku_comes_with_its_intervals(tmp_path: Path) -> None:
    bodies = np.zeros((2, 30, 25, 3))
    bodies[0] = walk(30, 25)
    write_pku(tmp_path, "0002-L", bodies, ["7,0,10,1", "8,12,30,1"])
    assert names_of([tmp_path]) == [("0002-L.txt", "0002-L_001"), ("0002-L.txt", "0002-L_002")]
    # Without labels, or under a name of one's own, it is one recording.
    (tmp_path / "labels/0002-L.txt").unlink()
    assert names_of([tmp_path]) == [("0002-L.txt", "0002-L")]
    (tmp_path / "skeletons/0002-L.txt").rename(tmp_path / "skeletons/mine.txt")
    assert names_of([tmp_path]) == [("mine.txt", "mine")]


def test_labels_beside_an_array_are_no_recording(tmp_path: Path) -> None:
    data = walk(5, 25).transpose(2, 0, 1)[None, ..., None]  # (1, 3, T, 25, 1)
    np.save(tmp_path / "val_data.npy", data)
    (tmp_path / "val_label.json").write_text(json.dumps([["clip"], [0]]))
    assert names_of([tmp_path]) == [("val_data.npy", "clip")]


@pytest.mark.parametrize(
    ("files", "there"), [((), "no files"), (("a.md", "b.pdf"), "only others: a.md, b.pdf")]
)
def test_a_folder_without_recordings_is_one_failure(
    tmp_path: Path, files: tuple[str, ...], there: str
) -> None:
    for name in files:
        (tmp_path / name).write_text("")
    batch = read_all([tmp_path])
    assert batch.found == batch.notes == []
    ((file, reason),) = ((item.file, item.reason) for item in batch.failed)
    assert file == tmp_path
    assert reason == (
        f"no recording in it; expected files that `amsf pack` reads; there are {there}"
    )


def test_no_failure_concerns_an_empty_name() -> None:
    batch = Batch(failed=[LeftOut(Path("cut.npz"), "no zip file")])
    assert chosen(batch, ["cut"]).failed == batch.failed
    with pytest.raises(InputError, match=r"^--only : no recording has this name\nIt may be in"):
        chosen(batch, [""])
