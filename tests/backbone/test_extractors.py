"""Each kind of features: what is written, that nothing leaks, and that it is read back."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

from amsf.backbone.export import PhaseResult, export_features
from amsf.backbone.extractors import load_extractor
from amsf.backbone.motion import motion_features, motion_names
from amsf.backbone.roles import assign_roles
from amsf.backbone.seen_classifier import UNLEARNT
from amsf.base.errors import InputError
from amsf.base.storage import read_tensors, write_tensors
from amsf.dataset.splits import make_split
from amsf.demo.simulation import simulate
from amsf.features.phases import find_folder, import_phase
from amsf.settings.params import Settings
from amsf.skeleton.recordings import FILE_NAME, SkeletonSet

SPLIT = make_split("demo", 59, range(1, 59, 4), range(2, 59, 4), kind="random", where="test")
SETTINGS = Settings.model_validate(
    {
        "backbone": {"epochs": 1, "frames": 16, "batch_size": 64},
        "compute": {"device": "cpu", "jobs": 1},
    }
)
MOTION = len(motion_names())
ENCODED = 512
WIDTHS = {"motion": MOTION, "backbone+motion": ENCODED + MOTION}
CPU = torch.device("cpu")
Made = Callable[[str], Path]


@pytest.fixture(scope="module")
def recordings() -> SkeletonSet:
    return simulate(subjects=4, repetitions=1)


@pytest.fixture(scope="module")
def source(recordings: SkeletonSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("source")
    recordings.save(folder / FILE_NAME)
    return folder


def export(source: Path, out: Path, kind: str) -> list[PhaseResult]:
    return export_features(source, SPLIT, SETTINGS, out, kind=kind)


@pytest.fixture(scope="module")
def made(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Made:
    @cache
    def of_kind(kind: str) -> Path:
        out = tmp_path_factory.mktemp("out")
        export(source, out, kind)
        return out

    return of_kind


def arrays_of(out: Path, phase: str) -> dict[str, np.ndarray]:
    return {p.stem: np.load(p) for p in find_folder(out, SPLIT, phase).glob("*.npy")}


@pytest.mark.parametrize("kind", WIDTHS)
@pytest.mark.parametrize("phase", ["test", "val"])
def test_the_published_layout_is_written(
    recordings: SkeletonSet, made: Made, kind: str, phase: str
) -> None:
    folder = find_folder(made(kind), SPLIT, phase)
    sets = import_phase(folder, SPLIT, phase, gated=True)
    roles = assign_roles(recordings, recordings.subject % 2 == 1, SPLIT, 0)[phase]
    assert len(sets["train"].labels) == len(roles["train"])
    assert sets["gzsl"].features.shape == (len(sets["gzsl"].labels), WIDTHS[kind])
    names = json.loads((folder / "names.json").read_text())
    assert {r: [recordings.names[i] for i in rows] for r, rows in roles.items()} == {
        role: names[role] for role in roles
    }
    # Standardised by the training samples; a channel that few of them use is cut at 5.
    train = np.asarray(sets["train"].features, np.float64)
    np.testing.assert_allclose(train.mean(0), 0, atol=0.2)
    deviation = train.std(0)
    assert deviation.max() < 1 + 1e-5
    assert np.median(deviation) == pytest.approx(1, abs=0.05)
    assert np.abs(train).max() <= 5


def test_motion_features_are_the_summaries_and_the_logits_name_new_people(
    recordings: SkeletonSet, source: Path, tmp_path: Path
) -> None:
    results = export(source, tmp_path, "motion")
    assert [(r.phase, r.accuracy > 0.4) for r in results] == [("test", True), ("val", True)]
    raw = motion_features(recordings)
    roles = assign_roles(recordings, recordings.subject % 2 == 1, SPLIT, 0)["test"]
    train = raw[roles["train"]]
    deviation = train.std(0)
    scaled = (raw - train.mean(0)) / np.where(deviation < 1e-6, 1, deviation)
    found = arrays_of(tmp_path, "test")
    for role in ("train", "gtest"):
        expected = scaled[roles[role]].clip(-5, 5)
        np.testing.assert_allclose(found[role], expected, atol=1e-5)
    logits = found["gtest_out"]
    assert logits.shape[1] == 59
    assert (logits[:, list(SPLIT.unseen)] == UNLEARNT).all()
    assert np.abs(logits[:, list(SPLIT.seen)]).max() < 50
    known = np.isin(found["g_label"], SPLIT.seen)
    right = logits[known].argmax(1) == found["g_label"][known]
    assert right.mean() == pytest.approx(results[0].accuracy)


def test_combined_features_are_both_and_the_logits_are_the_encoders(
    source: Path, made: Made
) -> None:
    both = arrays_of(made("backbone+motion"), "val")
    motion, encoder = arrays_of(made("motion"), "val"), arrays_of(made("backbone"), "val")
    np.testing.assert_array_equal(both["val"][:, ENCODED:], motion["val"])
    np.testing.assert_array_equal(both["val_out"], encoder["val_out"])
    mean, deviation = encoder["train"].mean(0), encoder["train"].std(0)
    expected = ((encoder["val"] - mean) / np.where(deviation < 1e-6, 1, deviation)).clip(-5, 5)
    np.testing.assert_allclose(both["val"][:, :ENCODED], expected, atol=1e-3)


@pytest.mark.parametrize("kind", WIDTHS)
def test_the_same_bytes_twice(source: Path, made: Made, tmp_path: Path, kind: str) -> None:
    export(source, tmp_path, kind)
    paths = sorted(p.relative_to(tmp_path) for p in tmp_path.rglob("*") if p.is_file())
    assert len(paths) > 12
    for path in paths:
        assert (tmp_path / path).read_bytes() == (made(kind) / path).read_bytes(), path


@pytest.mark.parametrize("kind", WIDTHS)
def test_only_the_training_recordings_shape_an_extractor(
    recordings: SkeletonSet, made: Made, tmp_path: Path, kind: str
) -> None:
    roles = assign_roles(recordings, recordings.subject % 2 == 1, SPLIT, 0)
    for phase in ("test", "val"):
        # What the gate is fitted and tested on is none of it, so its logits are out of sample.
        held = {row for role in ("gtest", "val", "ztest") for row in roles[phase].get(role, ())}
        assert not held & set(roles[phase]["train"])
        folder = tmp_path / phase
        folder.mkdir()
        joints, noise = recordings.joints.copy(), np.random.default_rng(0)
        for row in set(range(len(recordings))) - set(roles[phase]["train"].tolist()):
            rows = slice(recordings.offset[row], recordings.offset[row + 1])
            joints[rows] = noise.normal(0, 100, joints[rows].shape)
        SkeletonSet(**{**vars(recordings), "joints": joints}).save(folder / FILE_NAME)
        export(folder, folder / "out", kind)
        saved = sorted(p.name for p in made(kind).glob(f"encoder_{phase}*"))
        assert len(saved) == (2 if kind == "motion" else 3)
        for name in saved:
            assert (folder / "out" / name).read_bytes() == (made(kind) / name).read_bytes()
        spoiled, clean = arrays_of(folder / "out", phase), arrays_of(made(kind), phase)
        np.testing.assert_array_equal(spoiled["train"], clean["train"])
        assert not np.allclose(spoiled["ztest"], clean["ztest"])
    # The other way round: a training recording that changes does change it.
    joints = recordings.joints.copy()
    first = int(roles["test"]["train"][0])
    joints[recordings.offset[first] : recordings.offset[first + 1] : 2] += 1.0
    SkeletonSet(**{**vars(recordings), "joints": joints}).save(tmp_path / FILE_NAME)
    export(tmp_path, tmp_path / "out", kind)
    weights = "encoder_test.safetensors"
    assert (tmp_path / "out" / weights).read_bytes() != (made(kind) / weights).read_bytes()


@pytest.mark.parametrize("kind", [*WIDTHS, "backbone"])
def test_a_saved_extractor_gives_the_same(recordings: SkeletonSet, made: Made, kind: str) -> None:
    extractor, note = load_extractor(made(kind), "encoder_test")
    assert (extractor.layout, extractor.width) == ("kinect25", WIDTHS.get(kind, ENCODED))
    assert (note["features"], note["classes"]) == (kind, list(SPLIT.seen))
    assert note["simulated"] is True
    rows = np.flatnonzero(recordings.subject % 2 == 0)
    features, logits = extractor.compute(recordings, rows, CPU)
    found = arrays_of(made(kind), "test")
    np.testing.assert_array_equal(features, found["gtest"])
    np.testing.assert_array_equal(logits, found["gtest_out"])


def damaged(out: Path, folder: Path, **tensors: np.ndarray | None) -> Path:
    for path in out.glob("encoder_test*"):
        (folder / path.name).write_bytes(path.read_bytes())
    path = folder / ("encoder_test_scaling.safetensors" if "backbone.mean" in tensors else "")
    path = path if path.is_file() else folder / "encoder_test.safetensors"
    saved = {**read_tensors(path), **tensors}
    write_tensors(path, {name: value for name, value in saved.items() if value is not None})
    return folder


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("bias", None, "'bias'"),
        ("weight", np.zeros((3, 3)), r"weight is \(3, 3\); \(44, 318\) fits"),
        ("columns", np.array([0, 59]), "expected some of 59 classes"),
        ("motion.deviation", np.zeros(MOTION), "not positive"),
        ("motion.mean", np.full(MOTION, np.nan), "of finite numbers"),
    ],
)
def test_a_damaged_motion_extractor_is_told(
    made: Made, tmp_path: Path, name: str, value: np.ndarray | None, told: str
) -> None:
    folder = damaged(made("motion"), tmp_path, **{name: value})
    with pytest.raises(InputError, match=f"not a motion extractor of this version .*{told}"):
        load_extractor(folder, "encoder_test")


@pytest.mark.parametrize("shape", [None, {"layout": "kinect3", "classes": 59}, {"layout": 3}])
def test_a_motion_extractor_of_another_shape_is_told(
    made: Made, tmp_path: Path, shape: object
) -> None:
    path = damaged(made("motion"), tmp_path) / "encoder_test.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "shape": shape}))
    with pytest.raises(InputError, match="not a motion extractor of this version"):
        load_extractor(tmp_path, "encoder_test")


def test_damaged_scalings_are_told(made: Made, tmp_path: Path) -> None:
    folder = damaged(made("backbone+motion"), tmp_path, **{"backbone.mean": np.zeros(3)})
    with pytest.raises(InputError, match="not the scalings of this version"):
        load_extractor(folder, "encoder_test")
    (folder / "encoder_test_scaling.safetensors").unlink()
    with pytest.raises(InputError, match=r"encoder_test_scaling\.safetensors: no such file"):
        load_extractor(folder, "encoder_test")
