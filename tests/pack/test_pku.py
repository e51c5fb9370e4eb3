"""PKU-MMD files, built to the published description."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from amsf.base.errors import InputError
from amsf.pack.base import Task, cleaned
from amsf.pack.pku import plan, read
from tests.support.raw_files import walk, write_pku


def video(folder: Path, intervals: list[str], name: str = "0002-L") -> tuple[np.ndarray, Task]:
    """Two bodies of 40 frames, the second there in frames 20 to 39, as a task."""
    bodies = np.stack([walk(40, 25, size=0.1), walk(40, 25, seed=1)])
    bodies[1, :20] = 0
    write_pku(folder, name, bodies, intervals)
    tasks, left_out = plan(sorted(folder.rglob("*.txt")), 51)
    assert left_out == []
    return bodies, tasks[-1]


def test_intervals_become_recordings(tmp_path: Path) -> None:
    bodies, task = video(tmp_path, ["10,3,15,2", "51,20,40,1"], "0007-R")
    reading = read(task)
    assert reading.left_out == []
    assert reading.layout == "kinect25"
    single, double = reading.recordings
    assert (single.name, single.numbers) == ("0007-R_001", {"label": 9, "camera": 3})
    (body,) = single.bodies
    np.testing.assert_array_equal(body.frames, np.arange(12))
    np.testing.assert_array_equal(body.joints.astype("f"), bodies[0, 3:15])
    assert (double.name, double.numbers["label"]) == ("0007-R_002", 50)
    for body, joints in zip(double.bodies, bodies, strict=True):
        np.testing.assert_array_equal(body.joints.astype("f"), joints[20:])


def test_a_broken_interval_does_not_stop_the_others(tmp_path: Path) -> None:
    lines = ["1,0,41,1", "2,5,5,1", "3,-1,5,1", "0,0,5,1", "4,0.5,5,1", "5,0,5,1"]
    _, task = video(tmp_path, lines)
    reading = read(task)
    assert [recording.name for recording in reading.recordings] == ["0002-L_006"]
    reasons = [item.reason for item in reading.left_out]
    assert reasons == [
        "recording '0002-L_001': line 1 of the label file: frames 0 to 41 of a video of 40",
        "recording '0002-L_002': line 2 of the label file: frames 5 to 5 of a video of 40",
        "recording '0002-L_003': line 3 of the label file: frames -1 to 5 of a video of 40",
        "recording '0002-L_004': line 4 of the label file: action 0; they start at 1",
        "recording '0002-L_005': line 5 of the label file: action and frames must be whole",
    ]


def test_an_interval_without_a_body_is_told(tmp_path: Path) -> None:
    bodies = np.stack([walk(10, 25), np.zeros((10, 25, 3), np.float32)])
    bodies[0, :5] = 0
    write_pku(tmp_path, "0001-M", bodies, ["1,0,5,1", "2,5,10,1"])
    (task,), _ = plan(sorted(tmp_path.rglob("*.txt")), 51)
    outcome = cleaned(read(task), task[0])
    assert [item.reason for item in outcome.left_out] == [
        "recording '0001-M_001': no body in any frame"
    ]
    assert [recording.joints.shape for recording in outcome.recordings] == [(1, 5, 25, 3)]


def test_a_video_without_labels_is_one_recording(tmp_path: Path) -> None:
    bodies, task = video(tmp_path, ["1,0,5,1"])
    (recording,) = read(task[:1]).recordings
    assert (recording.name, recording.numbers) == ("0002-L", {"camera": 1})
    np.testing.assert_array_equal(recording.bodies[0].joints.astype("f"), bodies[0])
    np.testing.assert_array_equal(recording.bodies[1].frames, np.arange(20, 40))


@pytest.mark.parametrize(
    ("folder", "text", "message"),
    [
        ("skeletons", "", "the file is empty"),
        ("skeletons", "1 2 3\n", "it has 3 values in each line; expected 150"),
        ("skeletons", " ".join(["1"] * 149 + ["x"]), "could not convert string 'x'"),
        ("skeletons", " ".join(["1"] * 150) + "\n1 2\n", "columns"),
        ("labels", "", "the file is empty"),
        ("labels", "1,2,3\n", "it has 3 values in each line; expected 4"),
        ("labels", "1,a,3,1\n", "could not convert string 'a'"),
    ],
)
def test_a_broken_file_is_told(tmp_path: Path, folder: str, text: str, message: str) -> None:
    _, task = video(tmp_path, ["1,0,5,1"])
    (tmp_path / folder / "0002-L.txt").write_text(text)
    with pytest.raises(InputError, match=f"{folder}/0002-L.txt: .*{message}"):
        read(task)


def test_a_coordinate_that_is_no_place_spoils_its_interval_alone(tmp_path: Path) -> None:
    bodies = np.stack([walk(10, 25), walk(10, 25, seed=1)])
    bodies[0, 7, 3, 1] = 1e30
    write_pku(tmp_path, "0001-M", bodies, ["1,0,5,1", "2,5,10,1"])
    (task,), _ = plan(sorted(tmp_path.rglob("*.txt")), 51)
    outcome = cleaned(read(task), task[0])
    assert [recording.name for recording in outcome.recordings] == ["0001-M_001"]
    assert [item.reason for item in outcome.left_out] == [
        "recording '0001-M_002': frame 2, joint 3: a coordinate is 1e+30; expected metres, a "
        "finite number up to 1000: correct or leave out the recording"
    ]


def test_files_without_their_other_half_are_told() -> None:
    names = ["s/0001-L.txt", "s/0002-L.txt", "Train_Label_PKU/0002-L.txt", "label/0003-L.txt"]
    names += ["s/cross-subject.txt", "t/0002-L.txt"]
    tasks, left_out = plan([Path(name) for name in names], 51)
    assert tasks == [(Path("s/0002-L.txt"), Path("Train_Label_PKU/0002-L.txt"))]
    reasons = {item.file.as_posix(): item.reason for item in left_out}
    assert reasons.keys() == set(names) - {"s/0002-L.txt", "Train_Label_PKU/0002-L.txt"}
    assert "no label file" in reasons["s/0001-L.txt"]
    assert "no video file" in reasons["label/0003-L.txt"]
    assert "not of the form" in reasons["s/cross-subject.txt"]
    assert "the same video as s/0002-L.txt" in reasons["t/0002-L.txt"]
