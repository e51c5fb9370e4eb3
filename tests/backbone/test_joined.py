"""Other datasets that train too: what each kind of features learns of them, and what it must not.

The sets are tables and simulated recordings. Which classes train is in
``tests/dataset/test_others.py``.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from amsf.backbone.export import export_features
from amsf.backbone.extractors import load_extractor
from amsf.backbone.motion import motion_features
from amsf.base.errors import InputError
from amsf.base.storage import read_json
from amsf.dataset.layout import phase_folder
from amsf.dataset.others import join
from amsf.dataset.splits import Split, make_split
from amsf.demo.simulation import simulate
from amsf.features.phases import import_phase
from amsf.settings.params import Settings
from amsf.skeleton.correspondence import converted
from amsf.skeleton.joints import layout_of
from amsf.skeleton.recordings import FILE_NAME, Recording, SkeletonSet
from tests.support.raw_files import walk
from tests.support.small_table import CLASSES, table_arrays, write_table

SETTINGS = Settings.model_validate(
    {
        "backbone": {"epochs": 1, "frames": 16},
        "compute": {"device": "cpu", "jobs": 1},
    }
)
OWN = make_split("ours", CLASSES, [1], [4], kind="random", where="test")
RNG = np.random.default_rng(3)
TEXT = RNG.normal(size=(CLASSES, 1, 60))
OTHER_TEXT = RNG.normal(size=(CLASSES, 1, 60))
OTHER_TEXT[2] = TEXT[1]  # class 2 there is our unseen class


def split_of(*, keep: bool = False) -> Split:
    return join(OWN, TEXT, {"theirs": OTHER_TEXT}, keep=keep)


@pytest.fixture(autouse=True)
def classes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("data/classes").mkdir(parents=True)
    rows = "".join(f"{i},action {i},1\n" for i in range(CLASSES))
    for name in ("ours", "theirs"):
        Path(f"data/classes/{name}.csv").write_text(f"id,label,persons\n{rows}")


def write_tables(**theirs: np.ndarray) -> None:
    write_table(Path("source"))
    features = table_arrays(7)["features"] + 40  # an encoder may see another sensor elsewhere
    write_table(Path("source/theirs"), **{"features": features, **theirs})


def exported(out: str, split: Split, kind: str = "table") -> dict[str, dict[str, Any]]:
    export_features(Path("source"), split, SETTINGS, Path(out), None, kind)
    return {
        phase: import_phase(phase_folder(Path(out), split, phase), split, phase, gated=True)
        for phase in ("test", "val")
    }


def test_their_rows_train_centred_by_their_own_mean() -> None:
    write_tables()
    made = exported("out", split_of())["test"]
    theirs, arrays = made["also"], table_arrays(7)
    assert sorted(set(theirs.labels.tolist())) == [6, 7, 9, 10, 11]  # not their class 2
    rows = arrays["label"] != 2
    np.testing.assert_array_equal(theirs.labels, arrays["label"][rows] + CLASSES)
    expected = arrays["features"][rows] - arrays["features"][rows].mean(0)
    own = made["train"].features.mean(0)
    np.testing.assert_allclose(theirs.features, expected + own, atol=1e-4)
    note = read_json(Path("out/encoder_test.json"))
    assert note["trained_also_on"] == {"theirs": int(rows.sum())}


def test_what_means_the_same_as_an_unseen_class_reaches_nothing() -> None:
    write_tables()
    plain = exported("plain", split_of())
    features = table_arrays(7)["features"] + 40
    features[table_arrays(7)["label"] == 2] += 9 * RNG.normal(size=5)
    write_tables(features=features)
    other = exported("other", split_of())
    for phase in ("test", "val"):
        for name in ("train", "also"):
            same = (made[phase][name].features for made in (plain, other))
            np.testing.assert_array_equal(*same)
        np.testing.assert_array_equal(*(m[phase]["gzsl"].logits for m in (plain, other)))
    kept = exported("kept", split_of(keep=True))["test"]["also"]
    assert set(kept.labels.tolist()) == set(range(CLASSES, 2 * CLASSES))


def test_a_label_of_a_class_that_is_left_out_is_refused() -> None:
    write_tables()
    split = split_of()
    exported("out", split)
    path = phase_folder(Path("out"), split, "test") / "also_label.npy"
    labels = np.load(path)
    labels[0] = CLASSES + 2
    np.save(path, labels)
    with pytest.raises(InputError, match=r"also_label\.npy: 1 TRAINING SAMPLES OF UNSEEN CLASSES"):
        import_phase(path.parent, split, "test", gated=True)


def test_test_rows_and_logits_are_of_ones_own_set_alone() -> None:
    write_tables()
    alone, joint = exported("alone", OWN)["test"], exported("joint", split_of())["test"]
    assert "also" not in alone
    for name in ("train", "zsl", "gzsl"):
        np.testing.assert_array_equal(alone[name].features, joint[name].features)
        np.testing.assert_array_equal(alone[name].labels, joint[name].labels)
    assert joint["gzsl"].logits.shape == (len(joint["gzsl"].labels), CLASSES)
    assert not np.array_equal(alone["gzsl"].logits, joint["gzsl"].logits)  # they taught it too


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda: Path("source/theirs/features.npz").unlink(), "theirs/features.npz: no such file"),
        (lambda: write_tables(features=np.ones((144, 4))), "are 4 wide, those of source"),
        (
            lambda: write_tables(features=table_arrays()["features"]),
            "'s1_a0_0' of theirs, which `also` has, is 's1_a0_0' of ours",
        ),
        (
            lambda: write_tables(label=np.where(table_arrays()["label"] == 5, 0, 3)),
            "classes 1, 4, 5 of theirs, which `also` has, have no recording",
        ),
        (lambda: write_tables(label=table_arrays()["label"] + 1), "theirs has classes 0 to 5"),
    ],
)
def test_what_cannot_join(spoil: Any, told: str) -> None:
    write_tables()
    spoil()
    with pytest.raises(InputError) as error:
        exported("out", split_of())
    assert told in str(error.value)


# --- of recordings -------------------------------------------------------------------------------


def write_recordings() -> SkeletonSet:
    """Six classes of the simulation as ours, six others as theirs, which come back."""
    recordings = simulate(subjects=4, repetitions=1)
    for dataset, first, folder in (("ours", 0, "source"), ("theirs", 6, "source/theirs")):
        rows = np.flatnonzero((recordings.label >= first) & (recordings.label < first + CLASSES))
        found = [recordings.recording(int(i)) for i in rows]
        found = [replace(one, label=one.label - first) for one in found]
        made = SkeletonSet.from_recordings(found, layout=recordings.layout, dataset=dataset)
        made.save(Path(folder) / FILE_NAME)
    Path("source/train_subjects.txt").write_text("1 3\n")
    return made


@pytest.mark.parametrize("kind", ["motion", "backbone", "backbone+motion"])
def test_an_extractor_learns_from_both_and_reads_ones_own(kind: str) -> None:
    theirs = write_recordings()
    alone, joint = exported("alone", OWN, kind), exported("joint", split_of(), kind)
    also = joint["test"]["also"]
    assert len(also.labels) == (theirs.label != 2).sum()
    assert also.features.shape[1] == joint["test"]["train"].features.shape[1]
    mean = joint["test"]["train"].features.mean(0)
    if kind == "backbone":
        np.testing.assert_allclose(also.features.mean(0), mean, atol=1e-5)
    if kind == "motion":
        summary = motion_features(theirs, np.flatnonzero(theirs.label != 2))
        scaled = (summary - summary.mean(0)) / np.maximum(summary.std(0), 1e-6)
        np.testing.assert_allclose(also.features, scaled.clip(-5, 5), atol=1e-4)
        own = (made["test"]["train"].features for made in (alone, joint))
        np.testing.assert_array_equal(*own)  # the scaling is of one's own recordings
    assert not np.array_equal(alone["test"]["gzsl"].logits, joint["test"]["gzsl"].logits)
    extractor, note = load_extractor(Path("joint"), "encoder_test")
    assert note["classes"] == list(OWN.seen)
    recordings = SkeletonSet.load(Path("source") / FILE_NAME)
    rows = np.flatnonzero(~np.isin(recordings.subject, (1, 3)))
    features, logits = extractor.compute(recordings, rows, torch.device("cpu"))
    np.testing.assert_allclose(features, joint["test"]["gzsl"].features, atol=1e-5)
    np.testing.assert_allclose(logits, joint["test"]["gzsl"].logits, atol=1e-4)
    assert logits.shape[1] == CLASSES


def write_of_other_joints(layout: str) -> None:
    write_recordings()
    joints = len(layout_of(layout))
    found = [Recording(walk(20, joints, seed=i)[None], f"r{i}", i % CLASSES) for i in range(18)]
    theirs = SkeletonSet.from_recordings(found, layout=layout, dataset="theirs")
    theirs.save(Path("source/theirs") / FILE_NAME)


def test_other_joints_join_by_their_motion() -> None:
    write_of_other_joints("openni15")
    assert len(exported("out", split_of(), "motion")["val"]["also"].labels) == 15
    missing = "theirs/skeletons.safetensors: the joints of openni15 lack"
    with pytest.raises(InputError, match=missing):
        exported("out", split_of(), "backbone")


def test_for_the_encoder_other_joints_become_those_of_ones_own() -> None:
    write_of_other_joints("smpl22")
    own = SkeletonSet.load(Path("source") / FILE_NAME)
    joints = converted(own.joints, own.layout, "openni15")
    own = replace(own, joints=joints, layout="openni15")
    own.save(Path("source") / FILE_NAME)
    also = exported("out", split_of(), "backbone")["test"]["also"]
    theirs = SkeletonSet.load(Path("source/theirs") / FILE_NAME)
    recordings = [
        replace(one, joints=converted(one.joints, "smpl22", own.layout))
        for one in (theirs.recording(i) for i in range(len(theirs)))
        if one.label != 2
    ]
    alike = SkeletonSet.from_recordings(recordings, layout=own.layout, dataset="theirs")
    extractor, _ = load_extractor(Path("out"), "encoder_test")
    expected, _ = extractor.compute(alike, range(len(alike)), torch.device("cpu"))
    centred = also.features - also.features.mean(0)
    np.testing.assert_allclose(centred, expected - expected.mean(0), atol=1e-4)
