"""A table of features: every role has the table's own rows, and what is fitted sees training ones.

What is wrong in a table is in ``tests/bad_input/features.py``.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from amsf.backbone.export import export_features
from amsf.backbone.table import FeatureTable
from amsf.base.errors import InputError
from amsf.dataset.splits import make_split
from amsf.features.phases import find_folder, import_phase, load_phase
from amsf.settings.params import Benchmark, Settings
from amsf.study.class_split import draw_split
from amsf.study.run import study
from tests.support.small_table import CLASSES, table_arrays, write_table

SPLIT = make_split("six", CLASSES, [1], [4], kind="random", where="test")
SETTINGS = Settings.model_validate(
    {
        "model": {"aligner": "ridge", "views": ["lb"]},
        "evaluate": {"baselines": ["prototypes"]},
        "compute": {"device": "cpu", "jobs": 1},
    }
)
ARRAYS = table_arrays()
TRAINING = ARRAYS["subject"] % 2 == 1


@pytest.fixture(autouse=True)
def classes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("data/classes").mkdir(parents=True)
    rows = "".join(f"{i},action {i},1\n" for i in range(CLASSES))
    Path("data/classes/six.csv").write_text(f"id,label,persons\n{rows}")


def export(out: str, **changes: np.ndarray) -> dict[str, Path]:
    write_table(Path("source"), **changes)
    results = export_features(Path("source"), SPLIT, SETTINGS, Path(out), None, "table")
    assert [r.phase for r in results] == ["test", "val"]
    return {phase: find_folder(Path(out), SPLIT, phase) for phase in ("test", "val")}


def test_each_role_has_its_rows_of_the_table() -> None:
    logits = np.random.default_rng(1).normal(size=(len(ARRAYS["label"]), CLASSES))
    folders = export("out", logits=logits)
    row_of = {str(name): i for i, name in enumerate(ARRAYS["names"])}
    for phase, folder in folders.items():
        import_phase(folder, SPLIT, phase, gated=True)  # the features stage takes it
        for role, names in json.loads((folder / "names.json").read_text()).items():
            rows = [row_of[name] for name in names]
            found = np.load(folder / f"{role}.npy")
            np.testing.assert_array_equal(found, ARRAYS["features"][rows].astype(np.float32))
            if (folder / f"{role}_out.npy").is_file():
                given = np.load(folder / f"{role}_out.npy")
                np.testing.assert_array_equal(given, logits[rows].astype(np.float32))
    label, train = ARRAYS["label"], np.load(folders["test"] / "train_label.npy")
    assert len(train) == (TRAINING & (label != 1)).sum()
    assert (np.load(folders["test"] / "g_label.npy") == 1).sum() == (~TRAINING & (label == 1)).sum()
    assert not list(Path("out").glob("*.safetensors"))  # there is no encoder to keep


def test_without_logits_a_classifier_is_fitted_on_training_rows() -> None:
    folder = export("out")["test"]
    rows = TRAINING & (ARRAYS["label"] != 1)
    scaler = StandardScaler().fit(ARRAYS["features"][rows])
    reference = LogisticRegression(C=0.3, max_iter=5000).fit(
        scaler.transform(ARRAYS["features"][rows]), ARRAYS["label"][rows]
    )
    logits = np.load(folder / "gtest_out.npy")[:, list(SPLIT.seen)]
    found = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    expected = reference.predict_proba(scaler.transform(ARRAYS["features"][~TRAINING]))
    np.testing.assert_allclose(found, expected, atol=2e-3)


def test_test_rows_reach_no_training_row_and_no_classifier() -> None:
    noise = np.random.default_rng(2).normal(size=ARRAYS["features"].shape)
    spoiled = np.where(TRAINING[:, None], ARRAYS["features"], noise)
    plain, other = export("plain"), export("other", features=spoiled)
    for phase, name in (("test", "train"), ("val", "train"), ("val", "val_out")):
        same = (np.load(f[phase] / f"{name}.npy") for f in (plain, other))
        np.testing.assert_array_equal(*same)
    assert not np.array_equal(
        np.load(plain["test"] / "gtest.npy"), np.load(other["test"] / "gtest.npy")
    )


def test_many_splits_need_no_published_layout(tmp_path: Path) -> None:
    write_table(tmp_path / "source")
    entry = Benchmark(
        dataset="six", unseen=2, source=str(tmp_path / "source"), features="table", splits=3
    )
    # Texts that tell all: each class's code in the features.
    arrays = table_arrays()
    text = np.stack([arrays["features"][arrays["label"] == c].mean(0) for c in range(CLASSES)])
    vectors = text[:, None].astype(np.float32)
    found = study("six", entry, SETTINGS, vectors, tmp_path / "out", tmp_path / "scratch")
    summary = found.summary()
    assert set(summary) == {"ridge", "prototypes"}
    table = pd.read_csv(tmp_path / "out/scores.csv")
    assert table.groupby("method")["split"].apply(list).tolist() == [[0, 1, 2]] * 2
    assert summary["ridge"]["zsl"]["mean"] > 70  # chance is 50


def test_many_splits_with_another_table(tmp_path: Path) -> None:
    """Its rows train, its texts join; which classes are left out differs from split to split."""
    write_table(tmp_path / "source/six")
    theirs = table_arrays(9)
    write_table(tmp_path / "source/more", **theirs)
    Path("data/classes/more.csv").write_text(Path("data/classes/six.csv").read_text())
    entry = Benchmark(
        dataset="six",
        unseen=2,
        source=str(tmp_path / "source"),
        features="table",
        splits=2,
        also=("more",),
    )
    rng = np.random.default_rng(0)
    text, other = rng.normal(size=(2, CLASSES, 1, 300)).astype(np.float32)
    other[3] = text[2]
    found = study(
        *("six", entry, SETTINGS, text, tmp_path / "out", tmp_path / "scratch"), {"more": other}
    )
    assert found.methods == ["ridge", "prototypes"]
    for number in (0, 1):
        (made,) = (tmp_path / "scratch").glob(f"features-*/split{number}")
        split = draw_split("six", CLASSES, 2, SETTINGS.split.seed + number)
        learnt = load_phase(made / "test.safetensors").also
        assert learnt is not None
        present = set(learnt.labels.tolist())
        assert (CLASSES + 3 in present) == (2 not in split.unseen)
        assert present | {CLASSES + 3} == set(range(CLASSES, 2 * CLASSES))


def test_a_row_in_both_partitions_is_refused_but_rows_of_zeros() -> None:
    features = ARRAYS["features"].copy()
    features[0] = features[24] = 0  # subjects 1 and 2
    export("out", features=features)
    features[0] = features[24] = 1
    with pytest.raises(InputError, match="'s1_a0_0' and 's2_a0_24' are one and the same"):
        export("out", features=features)


def test_a_table_with_few_numbers_is_read() -> None:
    path = write_table(Path("source"), subject=None, features=np.arange(288).reshape(144, 2))
    table = FeatureTable.load(path, "six")
    assert len(table) == 144
    assert table.features.dtype == np.float32
    assert set(table.subject.tolist()) == set(table.camera.tolist()) == {-1}
    assert table.logits is None
    assert table[5].tolist() == [10, 11]
