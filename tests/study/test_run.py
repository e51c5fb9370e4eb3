"""Many class splits of simulated recordings: by single pieces, side by side, interrupted."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score

from amsf.backbone import training as backbone_training
from amsf.backbone.motion import motion_features, motion_names
from amsf.backbone.preprocessing import augment
from amsf.base.errors import InputError
from amsf.demo.simulation import simulate
from amsf.evaluation.baselines import fit_closed_form
from amsf.features.phases import load_phase
from amsf.settings.params import Backbone, Benchmark, Settings
from amsf.skeleton.recordings import FILE_NAME, Recording, SkeletonSet
from amsf.study import class_split
from amsf.study import run as study_run
from amsf.study.run import clear, study
from amsf.study.summary import Study
from tests.support.imports import ROOT, closure

CLASSES = 59
ENTRY = {"dataset": "demo", "unseen": 6, "features": "motion", "splits": 2}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recordings")
    simulate(subjects=4, repetitions=1).save(folder / FILE_NAME)
    return folder


def entry(source: Path, **changes: object) -> Benchmark:
    return Benchmark.model_validate({**ENTRY, "source": str(source), **changes})


def settings(aligner: str = "ridge", jobs: int = 1) -> Settings:
    return Settings.model_validate(
        {
            "model": {"aligner": aligner, "views": ["lb"], "latent": 8, "heads": 2},
            "train": {
                "seeds": [0, 1],
                "cycles": 1,
                "steps_per_cycle": 5,
                "classifier_samples": 5,
                "classifier_steps": 5,
            },
            "evaluate": {"baselines": ["prototypes"]},
            "compute": {"device": "cpu", "jobs": jobs},
        }
    )


TEXT = np.random.default_rng(0).normal(size=(CLASSES, 1, 8)).astype(np.float32)


def test_scores_are_those_of_the_single_pieces(source: Path, tmp_path: Path) -> None:
    made = study("demo", entry(source), settings(), TEXT, tmp_path / "out", tmp_path / "scratch")
    table = pd.read_csv(tmp_path / "out/scores.csv")
    assert set(table["method"]) == {"ridge", "prototypes"} == set(made.summary())
    assert table.groupby("method")["split"].apply(list).tolist() == [[0, 1]] * 2
    (scratch,) = (tmp_path / "scratch").glob("features-*/split1")
    test = load_phase(scratch / "test.safetensors")
    assert set(test.train.labels.tolist()).isdisjoint(test.zsl.labels.tolist())
    split = class_split.draw_split("demo", CLASSES, 6, settings().split.seed + 1)
    model = fit_closed_form("ridge", settings(), split, "test", test, TEXT)
    said = np.array(split.unseen)[model.probabilities(test.zsl.features).argmax(1)]
    found = table[(table["method"] == "ridge") & (table["split"] == 1)]["zsl"].item()
    assert found == pytest.approx(accuracy_score(test.zsl.labels, said))
    recordings = SkeletonSet.load(source / FILE_NAME)
    unseen_rows = np.isin(recordings.label, split.unseen) & (recordings.subject % 2 == 0)
    assert len(test.zsl.labels) == unseen_rows.sum()


def test_side_by_side_and_interrupted_give_the_same_bytes(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two at a time, and one that stops after its first split: all end with one file's bytes."""
    whole, pair, again = (tmp_path / name for name in ("whole", "pair", "again"))
    study("demo", entry(source), settings("vae"), TEXT, whole, tmp_path / "a")
    study("demo", entry(source), settings("vae", jobs=2), TEXT, pair, tmp_path / "b")
    real = class_split.score_split

    def stop_at_the_second(number: int, *rest: object) -> object:
        if number == 1:
            raise KeyboardInterrupt
        return real(number, *rest)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(study_run, "score_split", stop_at_the_second)
        with pytest.raises(KeyboardInterrupt):
            study("demo", entry(source), settings("vae"), TEXT, again, tmp_path / "c")
    assert not again.exists()
    (kept,) = (tmp_path / "c").glob("*/split0/scores.json")
    assert [*kept.parent.iterdir()] == [kept]  # of what was trained nothing stays
    written = kept.stat().st_mtime_ns
    study("demo", entry(source), settings("vae"), TEXT, again, tmp_path / "c")
    assert kept.stat().st_mtime_ns == written
    for folder in (pair, again):
        for name in ("scores.csv", "summary.json"):
            assert (folder / name).read_bytes() == (whole / name).read_bytes()
    table = pd.read_csv(whole / "scores.csv")
    assert set(table["method"]) == {"vae", "ensemble", "prototypes"}
    assert (
        table[table["method"] == "vae"].groupby("split")["seed"].apply(list).tolist()
        == [[0, 1]] * 2
    )
    summary = json.loads((whole / "summary.json").read_text())["methods"]
    assert {"mean", "se", "difference", "difference_se"} == set(summary["prototypes"]["zsl"])
    found = Study.load(whole)
    drawn = [class_split.draw_split("demo", CLASSES, 6, seed).unseen for seed in (0, 1)]
    said = found.scores.groupby("split")["classes"].first()
    assert [tuple(map(int, ids.split())) for ids in said] == drawn
    assert (found.about["method"], found.about["simulated"]) == ("vae", True)
    assert found.changes(entry(source).model_dump(), settings("vae").model_dump(mode="json")) == []


def test_a_split_that_another_process_scores_first_is_read(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one removes what both have trained, between this one's training and its scores."""
    shared = entry(source, splits=1), settings("vae"), TEXT
    real = class_split.load_seed

    def load_after_the_other(folder: Path, *, validated: bool) -> object:
        monkeypatch.setattr(class_split, "load_seed", real)
        study("demo", *shared, tmp_path / "other", tmp_path / "scratch")
        assert not folder.exists()
        return real(folder, validated=validated)

    monkeypatch.setattr(class_split, "load_seed", load_after_the_other)
    study("demo", *shared, tmp_path / "out", tmp_path / "scratch")
    said, expected = (tmp_path / name / "scores.csv" for name in ("out", "other"))
    assert said.read_bytes() == expected.read_bytes()


def test_what_a_killed_run_left_of_a_scored_split_is_removed(source: Path, tmp_path: Path) -> None:
    for out in ("first", "again"):
        study("demo", entry(source, splits=1), settings(), TEXT, tmp_path / out, tmp_path / "s")
        (scores,) = (tmp_path / "s").glob("*/split0/scores.json")
        assert [*scores.parent.iterdir()] == [scores]
        (scores.parent / "runs").mkdir()  # as if it had been killed just then


def test_transductive_scores_are_rows_of_their_own(source: Path, tmp_path: Path) -> None:
    asked = settings()
    asked = asked.model_copy(
        update={"evaluate": asked.evaluate.model_copy(update={"transductive": True})}
    )
    found = study(
        "demo", entry(source, splits=1), asked, TEXT, tmp_path / "out", tmp_path / "scratch"
    )
    assert set(found.methods) == {
        f"{name}{more}" for name in ("ridge", "prototypes") for more in ("", ", transductive")
    }
    plain = study(
        "demo", entry(source, splits=1), settings(), TEXT, tmp_path / "plain", tmp_path / "scratch"
    )
    for name in ("ridge", "prototypes"):
        for metric, score in found.summary()[name].items():
            assert score == plain.summary()[name][metric]
    looked = found.over_splits().loc["ridge, transductive"].dropna(axis=1)
    assert set(looked.columns) == {"zsl", "seen", "unseen", "H"}


def test_more_splits_keep_those_that_were_scored(source: Path, tmp_path: Path) -> None:
    study("demo", entry(source, splits=1), settings(), TEXT, tmp_path / "one", tmp_path / "s")
    (first,) = (tmp_path / "s").glob("*/split0/scores.json")
    before = first.stat().st_mtime_ns
    study("demo", entry(source, splits=2), settings(), TEXT, tmp_path / "two", tmp_path / "s")
    assert first.stat().st_mtime_ns == before
    study("demo", entry(source, splits=1), settings(), TEXT + 1, tmp_path / "x", tmp_path / "s")
    # Other texts are another study, of the same features.
    assert len(list((tmp_path / "s").glob("*/split0/scores.json"))) == 2
    assert len(list((tmp_path / "s").glob("features-*"))) == 1


def test_an_encoder_is_trained_once_a_split(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other methods take over its features, and ``backbone+motion`` the encoder itself."""
    steps = []

    def counted(*arguments: Any) -> Any:
        steps.append(1)
        return augment(*arguments)

    monkeypatch.setattr(backbone_training, "augment", counted)
    asked = settings().model_copy(update={"backbone": Backbone(epochs=1, frames=16)})
    scratch, encoded = tmp_path / "scratch", entry(source, features="backbone", splits=1)
    first = study("demo", encoded, asked, TEXT, tmp_path / "a", scratch)
    assert steps
    steps.clear()
    asked = asked.model_copy(update={"model": asked.model.model_copy(update={"aligner": "conse"})})
    second = study("demo", encoded, asked, TEXT, tmp_path / "b", scratch)
    shared = [one.over_splits().loc["prototypes"] for one in (first, second)]
    pd.testing.assert_frame_equal(*shared)
    both = entry(source, features="backbone+motion", splits=1)
    study("demo", both, asked, TEXT, tmp_path / "c", scratch)
    assert not steps
    clear(scratch)
    (left,) = scratch.iterdir()
    assert left.name.startswith("features-")
    phases = left / "split0/test.safetensors"
    assert load_phase(phases).width == 512 + len(motion_names())


def test_whatever_features_depend_on_names_them(source: Path, tmp_path: Path) -> None:
    made = class_split.Source(source, "motion", {}, TEXT, tmp_path)
    training = np.array([True, False])

    def names(s: Settings, mask: np.ndarray = training) -> tuple[str, str]:
        return study_run._fingerprints(entry(source), s, made, mask, [source / FILE_NAME])

    features, scores = names(settings())
    assert names(settings("conse"))[0] == features
    assert names(settings("conse"))[1] != scores
    longer = settings().model_copy(update={"backbone": Backbone(epochs=3)})
    for other in (names(longer), names(settings(), ~training)):
        assert features != other[0]
        assert scores != other[1]


def test_test_recordings_reach_no_choice(source: Path, tmp_path: Path) -> None:
    """Other joints in the test recordings change no training feature, logit or alignment."""
    recordings = SkeletonSet.load(source / FILE_NAME)
    rng = np.random.default_rng(0)

    def moved(one: Recording) -> Recording:
        if one.subject % 2:
            return one
        return replace(one, joints=one.joints + rng.normal(scale=0.02, size=one.joints.shape))

    changed = [moved(recordings.recording(i)) for i in range(len(recordings))]
    other = tmp_path / "other"
    other.mkdir()
    SkeletonSet.from_recordings(
        changed, layout=recordings.layout, dataset="demo", simulated=True
    ).save(other / FILE_NAME)
    split = class_split.draw_split("demo", CLASSES, 6, 0)
    phases = []
    for folder, out in ((source, tmp_path / "p"), (other, tmp_path / "q")):
        motion = motion_features(SkeletonSet.load(folder / FILE_NAME))
        made = class_split.Source(folder, "motion", {"demo": motion}, TEXT, tmp_path / "encoders")
        class_split.export_phases(split, made, settings(), out)
        phases.append([load_phase(out / f"{name}.safetensors") for name in ("test", "val")])
    for one, two in zip(*phases):
        assert np.array_equal(one.train.features, two.train.features)
    assert not np.array_equal(phases[0][0].zsl.features, phases[1][0].zsl.features)
    assert np.array_equal(phases[0][1].gzsl.logits, phases[1][1].gzsl.logits)


def test_published_features_know_one_split(source: Path, tmp_path: Path) -> None:
    published = entry(source, features="published")
    with pytest.raises(InputError, match=r"benchmarks\.mine\.splits is 2.*published for one class"):
        study("mine", published, settings(), TEXT, tmp_path / "out", tmp_path / "scratch")


def test_rooms_of_the_code_digest() -> None:
    modules = {
        p.relative_to(ROOT / "amsf").parts[0]
        for p in closure(ROOT / "amsf/study/run.py")
        if p.name != "__init__.py"
    }
    assert modules == set(class_split.ROOMS)


def test_a_worker_with_other_code_is_refused(source: Path, tmp_path: Path) -> None:
    made = class_split.Source(source, "motion", None, TEXT, tmp_path)
    split = class_split.draw_split("demo", CLASSES, 6, 0)
    with pytest.raises(InputError, match=r"another version of amsf.*restart the workers"):
        class_split.score_split(0, split, made, settings(), tmp_path, tmp_path, "old")


def test_splits_leave_half_of_the_seen_classes_to_train_on() -> None:
    few, many = class_split.draw_split("x", 27, 5, 3), class_split.draw_split("x", 27, 13, 3)
    assert (len(few.val_unseen), len(few.val_seen)) == (5, 17)
    assert (len(many.val_unseen), len(many.val_seen)) == (7, 7)
    for split in (few, many):
        assert set(split.val_seen) | set(split.val_unseen) == set(split.seen)
        assert set(split.seen).isdisjoint(split.unseen)
