"""From clips in folders to a packed set, as typed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from amsf.pack.__main__ import main as pack
from amsf.predict.__main__ import main as predict
from amsf.skeleton.recordings import SkeletonSet
from tests.support.pose_model import scene, write_clip


@pytest.fixture
def clips(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two clips of a person, in folders of two classes, one of nobody, and what is no video."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "clips"
    for label, step in ((0, 8), (1, -8)):
        (folder / f"{label}").mkdir(parents=True)
        frames = [scene((150 + step * i, 90, 0.9)) for i in range(3)]
        write_clip(folder / f"{label}/one.mp4", frames)
    write_clip(folder / "0/empty.avi", [scene()] * 2)
    (folder / "1/notes.txt").write_text("two takes")
    (folder / "1/broken.MOV").write_bytes(b"junk")
    return folder


def test_pack_takes_clips_in_folders(
    clips: Path, pose_model: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    words = ["--format", "video", str(clips), "--out", "mine", "--pose-model", str(pose_model)]
    pack([*words, "--jobs", "1"])
    found = SkeletonSet.load("mine/skeletons.safetensors")
    assert (found.layout, found.dataset) == ("mediapipe33", "mine")
    assert sorted(zip(found.names, found.label)) == [("1_one", 1), ("one", 0)]
    report = pd.read_csv("mine/skeletons.report.csv")
    out = report[report["outcome"] == "left out"].set_index("file")["reason"]
    assert set(out.index) == {"0/empty.avi", "1/broken.MOV", "1/notes.txt"}
    assert "no person found in its 2 frames" in out["0/empty.avi"]
    assert "it cannot be opened as a video" in out["1/broken.MOV"]
    printed = capfd.readouterr()
    assert "2 recordings in" in printed.out
    assert "TensorFlow" not in printed.err + printed.out
    np.testing.assert_array_less(0, found[0][..., 2])


def test_pack_without_a_model_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    clips = tmp_path / "clips"
    (clips / "0").mkdir(parents=True)
    (clips / "0/one.mp4").write_bytes(b"never opened")
    with pytest.raises(SystemExit):
        pack(["--format", "video", str(clips), "--out", "mine", "--jobs", "1"])
    error = capsys.readouterr().err
    assert error.startswith("error: --format video: to find people in video takes")
    assert error.count("\n") == 1
    assert not Path("mine").exists()


def test_predict_lists_who_is_in_a_clip(
    clips: Path, pose_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    predict([str(clips / "0/one.mp4"), "--list", "--pose-model", str(pose_model)])
    assert "one  (3 frames, 1 person)" in capsys.readouterr().out
