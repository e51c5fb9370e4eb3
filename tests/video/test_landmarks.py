"""What is missing or wrong is told before anything is read; timestamps; MediaPipe's talk."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from amsf.base.errors import InputError
from amsf.pack.formats import read_source
from amsf.skeleton.cleaning import Stated
from amsf.video.extra import mediapipe, opencv
from amsf.video.landmarks import MOST_PEOPLE, check_model, check_video, landmarks
from tests.support.pose_model import scene


@pytest.mark.parametrize(
    ("load", "module", "package"),
    [(mediapipe, "mediapipe", "mediapipe"), (opencv, "cv2", "opencv-python-headless")],
)
def test_without_the_extra(load, module: str, package: str, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(InputError, match=rf"video needs {package}.* no module {module}; run `pip"):
        load()


def test_a_library_of_the_system_that_is_missing(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "cv2.py").write_text("raise ImportError('libGL.so.1: cannot open it')")
    monkeypatch.delitem(sys.modules, "cv2", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(InputError, match=r"which does not load: libGL\.so\.1: cannot open it"):
        opencv()


def test_the_model_is_named_and_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a\.mp4: to find people .* name it with --pose-model"):
        check_model(None, "a.mp4")
    with pytest.raises(InputError, match=r"none\.task: no such file; expected a pose landmarker"):
        check_model(tmp_path / "none.task", "a.mp4")
    model = tmp_path / "some.task"
    model.touch()
    assert check_model(model, "a.mp4") == model


def test_a_folder_of_videos_is_refused_as_a_whole(tmp_path: Path) -> None:
    """Rather than each of a thousand for the same reason."""
    tasks = [(tmp_path / f"{i}.mp4",) for i in range(3)]
    with pytest.raises(InputError, match="--format video: to find people in video takes"):
        list(read_source(tasks, "video", 1, Stated()))


@pytest.mark.usefixtures("pose_model")
def test_files_that_are_no_pose_model(tmp_path: Path) -> None:
    model = tmp_path / "model.task"
    with zipfile.ZipFile(tmp_path / "hands.task", "w") as archive:
        archive.writestr("hand_detector.tflite", b"TFL3")
    for content in (b"", b"junk", bytes(100_000), (tmp_path / "hands.task").read_bytes()):
        model.write_bytes(content)
        with pytest.raises(InputError, match=r"model\.task: MediaPipe cannot read it \(.+\); exp"):
            check_video(model)


def test_two_people_in_a_frame_and_nobody(pose_model: Path) -> None:
    frames = [scene(), scene((20, 40, 0.75), (500, 160, 0.5), height=490), scene(height=490)]
    none, two, gone = landmarks(frames, pose_model, 30.0)
    assert (len(none.picture), len(two.picture), len(gone.picture)) == (0, 2, 0)
    assert MOST_PEOPLE >= 2
    assert (two.picture.shape, two.world.shape) == ((2, 33, 2), (2, 33, 3))
    assert two.size == (800, 490)
    # Their noses, by eye at (268, 225) of the portrait.
    noses = two.picture[np.argsort(two.picture[:, 0, 0]), 0]
    expected = [[20 + 0.75 * 268, 40 + 0.75 * 225], [500 + 0.5 * 268, 160 + 0.5 * 225]]
    np.testing.assert_allclose(noses, expected, atol=30)
    assert (two.presence[:, 0] > 0.9).all()
    assert (two.presence[:, 27] < 0.1).all()  # an ankle


def test_more_frames_a_second_than_milliseconds(pose_model: Path) -> None:
    """MediaPipe wants timestamps that rise."""
    assert len(list(landmarks([scene()] * 3, pose_model, 5000.0))) == 3


def test_mediapipe_is_not_heard(pose_model: Path, capfd: pytest.CaptureFixture[str]) -> None:
    list(landmarks([scene((60, 90, 0.9))], pose_model, 30.0))
    print("heard", file=sys.stderr)
    assert capfd.readouterr() == ("", "heard\n")
