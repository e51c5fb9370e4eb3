"""The backbone's output: published layout, and no leak from unseen classes or test recordings."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import yaml

from amsf.backbone.export import export_features
from amsf.backbone.joined import load_recordings
from amsf.backbone.roles import assign_roles
from amsf.base.errors import InputError
from amsf.dataset.splits import Split, make_split
from amsf.demo.simulation import simulate
from amsf.features.phases import find_folder, import_phase
from amsf.settings.params import Settings
from amsf.skeleton.recordings import FILE_NAME, SkeletonSet
from stages import backbone

SPLIT = make_split("demo", 59, range(1, 59, 4), range(2, 59, 4), kind="random", where="test")
SETTINGS = Settings.model_validate(
    {
        "backbone": {"epochs": 1, "frames": 16, "batch_size": 64},
        "compute": {"device": "cpu", "jobs": 1},
    }
)
WEIGHTS = "encoder_{}.safetensors"


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("source")
    simulate(subjects=4, repetitions=1).save(folder / FILE_NAME)
    return folder


@pytest.fixture(scope="module")
def output(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out")
    results = export_features(source, SPLIT, SETTINGS, out)
    assert [r.phase for r in results] == ["test", "val"]
    return out


def test_the_features_stage_imports_what_was_exported(source: Path, output: Path) -> None:
    recordings = load_recordings(source, "demo")
    roles = assign_roles(recordings, recordings.subject % 2 == 1, SPLIT, 0)
    for phase in ("test", "val"):
        sets = import_phase(find_folder(output, SPLIT, phase), SPLIT, phase, gated=True)
        assert len(sets["train"].labels) == len(roles[phase]["train"])
        assert sets["gzsl"].features.shape[1] == 512
        assert sets["gzsl"].logits is not None
        assert sets["gzsl"].logits.shape[1] == 59
    assert len(sets["gzsl"].labels) == len(roles["val"]["ztest"]) + len(roles["val"]["val"])


def test_motion_says_whose_recordings_it_has_and_an_encoder_does_not(
    source: Path, output: Path, tmp_path: Path
) -> None:
    export_features(source, SPLIT, SETTINGS, tmp_path, kind="motion")
    recordings = load_recordings(source, "demo")
    roles = assign_roles(recordings, recordings.subject % 2 == 1, SPLIT, 0)
    for phase in ("test", "val"):
        folder = find_folder(tmp_path, SPLIT, phase)
        train = import_phase(folder, SPLIT, phase, gated=True)["train"]
        assert train.people is not None
        expected = recordings.subject[roles[phase]["train"]]
        np.testing.assert_array_equal(train.people, expected)
        folder = find_folder(output, SPLIT, phase)
        assert import_phase(folder, SPLIT, phase, gated=True)["train"].people is None


def test_rows_names_and_labels_belong_together(source: Path, output: Path) -> None:
    recordings = load_recordings(source, "demo")
    label_of = dict(zip(recordings.names, recordings.label.tolist()))
    labels = {"train": "train_label", "ztest": "z_label", "gtest": "g_label", "val": "val_label"}
    for phase in ("test", "val"):
        folder = find_folder(output, SPLIT, phase)
        names = json.loads((folder / "names.json").read_text())
        for part, rows in names.items():
            found = np.load(folder / f"{labels[part]}.npy")
            assert found.dtype == np.int64
            assert found.tolist() == [label_of[name] for name in rows]
            features = np.load(folder / f"{part}.npy")
            assert features.dtype == np.float32
            assert features.shape == (len(rows), 512)
    test = find_folder(output, SPLIT, "test")
    names = json.loads((test / "names.json").read_text())
    new = np.isin(np.load(test / "g_label.npy"), SPLIT.unseen)
    np.testing.assert_array_equal(np.load(test / "gtest.npy")[new], np.load(test / "ztest.npy"))
    assert [n for n, is_new in zip(names["gtest"], new) if is_new] == names["ztest"]


@pytest.mark.parametrize("phase", ["test", "val"])
def test_only_the_training_recordings_shape_an_encoder(
    source: Path, output: Path, tmp_path: Path, phase: str
) -> None:
    recordings = load_recordings(source, "demo")
    roles = assign_roles(recordings, recordings.subject % 2 == 1, SPLIT, 0)
    trained_on = set(roles[phase]["train"].tolist())
    joints = recordings.joints.copy()
    noise = np.random.default_rng(0)
    for row in range(len(recordings)):
        if row not in trained_on:
            rows = slice(recordings.offset[row], recordings.offset[row + 1])
            joints[rows] = noise.normal(0, 100, joints[rows].shape)
    SkeletonSet(**{**vars(recordings), "joints": joints}).save(tmp_path / FILE_NAME)
    export_features(tmp_path, SPLIT, SETTINGS, tmp_path / "out")
    name = WEIGHTS.format(phase)
    assert (tmp_path / "out" / name).read_bytes() == (output / name).read_bytes()
    spoiled, clean = (
        np.load(find_folder(o, SPLIT, phase) / "ztest.npy") for o in (tmp_path / "out", output)
    )
    assert not np.allclose(spoiled, clean)
    # The other way round: a training recording that changes does change the weights.
    joints[recordings.offset[min(trained_on)]] += 1.0
    SkeletonSet(**{**vars(recordings), "joints": joints}).save(tmp_path / FILE_NAME)
    export_features(tmp_path, SPLIT, SETTINGS, tmp_path / "out")
    assert (tmp_path / "out" / name).read_bytes() != (output / name).read_bytes()


def test_a_split_without_validation_classes_has_no_validation_folder(
    source: Path, tmp_path: Path
) -> None:
    split = Split("demo", 59, SPLIT.seen, SPLIT.unseen, (), (), "hard")
    export_features(source, split, SETTINGS, tmp_path)
    assert [p.name for p in (tmp_path / "sk_feats/h").iterdir()] == ["shift_15_h"]


def test_missing_recordings_are_told_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        load_recordings(tmp_path / "external", "ntu60")
    text = str(error.value)
    for part in (str(tmp_path / "external" / FILE_NAME), "Nanyang", "python -m amsf.pack"):
        assert part in text


def test_the_stage_writes_a_note_where_published_features_are_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    entry = {"dataset": "demo", "unseen": 15, "source": "data/mine", "features": "published"}
    Path("params.yaml").write_text(yaml.safe_dump({"benchmarks": {"mine": entry}}))
    SPLIT.save(Path("data/split/mine.json"))
    backbone.main("mine")
    assert [p.name for p in Path("data/backbone/mine").iterdir()] == ["note.json"]
    note = json.loads(Path("data/backbone/mine/note.json").read_text())
    assert note == {"features": "published", "source": "data/mine"}
    assert "published features of data/mine are used" in capsys.readouterr().out


def test_a_stage_that_fails_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    entry = {"dataset": "demo", "unseen": 15, "source": "data/mine", "features": "backbone"}
    Path("params.yaml").write_text(yaml.safe_dump({"benchmarks": {"mine": entry}}))
    SPLIT.save(Path("data/split/mine.json"))
    with pytest.raises(InputError, match="no such file"):
        backbone.main("mine")
    assert not list(Path("data/backbone").iterdir())
