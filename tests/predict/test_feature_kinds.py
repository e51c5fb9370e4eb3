"""Benchmarks of motion features: from recordings to evaluation, report and prediction."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from amsf.base.errors import InputError
from amsf.features.phases import load_phase
from amsf.predict.__main__ import main
from amsf.predict.predictor import Predictor
from amsf.report.benchmark_section import _facts
from amsf.report.data import gather
from amsf.settings.params import load_params
from amsf.skeleton.correspondence import converted
from amsf.skeleton.recordings import SkeletonSet
from tests.support.pose_model import scene, write_clip
from tests.support.small_project import KEY, small_project

SKELETONS = "data/simulated/demo/skeletons.safetensors"
WIDTHS = {"motion": 318, "backbone+motion": 512 + 318}


@pytest.fixture(params=WIDTHS)
def kind(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The kind of features; the test runs in the folder of a benchmark that has them."""
    folder = small_project(tmp_path_factory, request.param)
    before = Path.cwd()
    os.chdir(folder)
    yield request.param
    os.chdir(before)


def test_every_stage_takes_the_features(kind: str) -> None:
    for phase in ("test", "val"):
        features = load_phase(Path(f"data/features/{KEY}/{phase}.safetensors"))
        assert features.width == WIDTHS[kind]
        assert features.gzsl is not None
    manifest = json.loads(Path(f"data/features/{KEY}/manifest.json").read_text())
    assert manifest["features"] == kind
    assert manifest["findings"] == []
    scores = json.loads(Path(f"data/evaluation/{KEY}/metrics.json").read_text())["mean"]
    # Chance is an eighth.
    assert scores["zsl"]["overall"] > 0.25
    assert scores["seen"]["overall"] > 0.25


def test_answers_are_those_of_the_evaluation(kind: str) -> None:
    table = pd.read_csv(f"data/evaluation/{KEY}/predictions_seed0.csv")
    names = json.loads(Path(f"data/backbone/{KEY}/sk_feats/r/shift_8_r/names.json").read_text())
    predictor = Predictor.load(KEY)
    assert predictor.extractor.width == WIDTHS[kind]
    said = {p.recording: p for p in predictor.predict(SKELETONS)}
    answers = [said[name].answer for name in names["gtest"]]
    assert [answer.id for answer in answers] == table["prediction"].tolist()
    assert {answer.seen for answer in answers} == {True, False}
    assert predictor.simulated


def test_one_recording_alone_and_among_others(kind: str) -> None:
    predictor = Predictor.load(KEY)
    recordings = [SkeletonSet.load(SKELETONS).recording(i) for i in (5, 100, 230)]
    for recording, among in zip(recordings, predictor.predict_recordings(recordings)):
        (alone,) = predictor.predict_recordings([recording])
        assert alone.answer.id == among.answer.id
        assert alone.unseen_probability == pytest.approx(among.unseen_probability, abs=1e-4)


def test_a_recording_that_stands_still_gets_finite_numbers(kind: str) -> None:
    still = SkeletonSet.load(SKELETONS).recording(0)
    still = replace(still, joints=np.repeat(still.joints[:, :1], 3, axis=1))
    (found,) = Predictor.load(KEY).predict_recordings([still])
    assert np.isfinite([score.probability for score in found.classes]).all()


def test_recordings_of_another_layout(kind: str) -> None:
    """Kinect v1 lacks thumbs, which the motion summary does not look at."""
    predictor = Predictor.load(KEY)
    own = [SkeletonSet.load(SKELETONS).recording(i) for i in (5, 100)]
    other = [replace(r, joints=converted(r.joints, "kinect25", "kinect20")) for r in own]
    if kind != "motion":
        with pytest.raises(InputError, match=r"clip: the 20 joints .* kinect20 lack left_hand_tip"):
            predictor.with_own_joints(other, "kinect20", "clip")
        return
    found = predictor.predict_recordings(predictor.with_own_joints(other, "kinect20", "clip"))
    for prediction, expected in zip(found, predictor.predict_recordings(own)):
        assert prediction.answer.id == expected.answer.id
        assert prediction.unseen_probability == pytest.approx(expected.unseen_probability, abs=1e-3)


def test_the_report_names_the_features(kind: str) -> None:
    told = {
        "motion": "motion statistics",
        "backbone+motion": "our encoder and motion statistics",
    }
    found = gather(KEY, load_params())
    assert found.simulated
    assert _facts(found)["Skeleton features"] == told[kind]


def test_the_command_draws_and_adds_classes(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = tmp_path / "own.csv"
    words.write_text("label,lb,MAmd\nmoonwalk,moonwalk,You glide backwards.\n")
    SkeletonSet.load(SKELETONS).subset([3]).save(tmp_path / "one.safetensors")
    given = [str(tmp_path / "one.safetensors"), "--benchmark", KEY, "--json"]
    main([*given, "--classes", str(words), "--gif", str(tmp_path / "out.gif")])
    labels = [c["label"] for c in json.loads(capsys.readouterr().out)["predictions"][0]["classes"]]
    assert "moonwalk" in labels
    assert len(labels) == 60
    assert (tmp_path / "out.gif").is_file()


def test_a_clip_of_a_person_gets_an_answer(
    kind: str, tmp_path: Path, pose_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The motion summary looks at parts of the body, which a pose model finds; the encoder not."""
    frames = [scene((60 + 8 * i, 90, 0.9)) for i in range(3)]
    path = write_clip(tmp_path / "hopper.mp4", frames)
    words = [str(path), "--benchmark", KEY, "--pose-model", str(pose_model), "--json"]
    if kind != "motion":
        with pytest.raises(SystemExit):
            main(words)
        assert "the benchmark takes the 25 joints of kinect25" in capsys.readouterr().err
        return
    main(words)
    (prediction,) = json.loads(capsys.readouterr().out)["predictions"]
    assert prediction["recording"] == "hopper"
    assert sum(score["probability"] for score in prediction["classes"]) == pytest.approx(1)
