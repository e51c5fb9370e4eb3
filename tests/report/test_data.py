"""What the report gathers, against the evaluation's own tables and plain counting."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from amsf.base.artifacts import Artifacts
from amsf.base.errors import InputError
from amsf.report.data import (
    SEEN,
    BenchmarkData,
    _is_simulated,
    class_accuracy,
    confused_pairs,
    gather,
    unseen_confusion,
)
from amsf.settings.params import Benchmark, load_params
from tests.support.small_report import LABELS, STEPS, found_in, small_report, small_reports


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> BenchmarkData:
    return found_in(tmp_path_factory, "two-u3")


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> BenchmarkData:
    return found_in(tmp_path_factory, "one-u3")


@pytest.fixture
def copied(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    shutil.copytree(small_reports(tmp_path_factory), tmp_path / "copy")
    return tmp_path / "copy"


def test_gathered_of_gzsl(two: BenchmarkData) -> None:
    assert two.seeds == (0, 1)
    assert two.labels == LABELS
    assert two.gzsl is not None
    assert two.curve is not None
    assert set(two.gzsl) >= {"seed", "label", "prediction", "probability"}
    assert len(two.gzsl) == 2 * 9 * 6
    assert two.chosen == {("test", 0): 2, ("val", 0): 2, ("test", 1): 2, ("val", 1): 2}
    assert set(two.cycles["phase"]) == {"test", "val"}
    assert two.losses["step"].max() == 3 * STEPS
    assert two.losses.groupby(["phase", "seed"])["step"].is_monotonic_increasing.all()
    assert not two.simulated
    assert (two.conditions.seen, two.conditions.unseen, two.conditions.selection) == (6, 3, "val")


def test_gathered_of_zsl_alone(one: BenchmarkData) -> None:
    assert one.seeds == (4,)
    assert one.gzsl is None
    assert one.curve is None
    assert set(one.cycles["phase"]) == {"test"}
    assert one.cycles["zsl_accuracy"].isna().all()


def test_class_accuracies_are_those_of_the_evaluation(
    two: BenchmarkData, tmp_path_factory: pytest.TempPathFactory
) -> None:
    table = pd.read_csv(small_reports(tmp_path_factory) / "data/evaluation/two-u3/per_class.csv")
    np.testing.assert_allclose(
        class_accuracy(two, "gzsl").mean(0), table["gzsl_accuracy"], rtol=1e-4
    )
    np.testing.assert_allclose(class_accuracy(two, "zsl").mean(0), table["zsl_accuracy"], rtol=1e-4)


def test_confusion_is_that_of_the_evaluation(
    two: BenchmarkData, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = small_reports(tmp_path_factory) / "data/evaluation/two-u3/confusion.csv"
    whole = pd.read_csv(path, index_col="true").to_numpy()
    found = unseen_confusion(two)
    assert found.columns.tolist() == [6, 7, 8, SEEN]
    np.testing.assert_array_equal(found[[6, 7, 8]], whole[6:, 6:])
    np.testing.assert_array_equal(found[SEEN], whole[6:, :6].sum(1))


def test_confusion_of_zsl_alone_has_no_seen_column(one: BenchmarkData) -> None:
    found = unseen_confusion(one)
    assert found.columns.tolist() == [6, 7, 8]
    assert found.to_numpy().sum() == 3 * 6


def test_confused_pairs_by_plain_counting(two: BenchmarkData) -> None:
    assert two.gzsl is not None
    pairs = list(zip(two.gzsl["label"], two.gzsl["prediction"]))
    expected = sorted(
        {(a, b): pairs.count((a, b)) / 12 for a, b in pairs if a != b and a >= 6}.items(),
        key=lambda item: (-item[1], item[0]),
    )
    assert confused_pairs(two, "unseen", 4) == [(a, b, share) for (a, b), share in expected[:4]]
    assert all(a < 6 for a, _, _ in confused_pairs(two, "seen", 5))


def test_similarity_is_the_mean_over_views(
    two: BenchmarkData, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = small_reports(tmp_path_factory) / "data/text_features/two-u3/features.npy"
    vectors = np.load(path).astype(float)
    vectors /= np.linalg.norm(vectors, axis=2, keepdims=True)
    expected = (vectors[2, 0] @ vectors[5, 0] + vectors[2, 1] @ vectors[5, 1]) / 2
    assert two.text_similarity[2, 5] == pytest.approx(expected)


def entry(**changes: str) -> Benchmark:
    raw = {"dataset": "mine", "unseen": 3, "source": "x", "features": "published", **changes}
    return Benchmark.model_validate(raw)


def test_what_is_simulated(tmp_path: Path) -> None:
    made = Artifacts("b", tmp_path)
    assert _is_simulated(made, entry(dataset="demo"))
    assert not _is_simulated(made, entry())
    (tmp_path / "backbone/b").mkdir(parents=True)
    for kind in ("backbone", "motion", "backbone+motion"):
        for simulated in (True, False):
            note = json.dumps({"simulated": simulated})
            (tmp_path / "backbone/b/encoder_test.json").write_text(note)
            assert _is_simulated(made, entry(features=kind)) is simulated


def without(name: str) -> Callable[[Path], object]:
    return lambda data: (data / name).unlink()


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (without("evaluation/two-u3/metrics.json"), "metrics.json: no such file"),
        (without("evaluation/two-u3/curve.csv"), "curve.csv: no such file; run `dvc repro`"),
        (without("models/two-u3/seed1/val/cycles.csv"), "cycles.csv: no such file"),
        (without("features/two-u3/manifest.json"), "manifest.json: no such file"),
        (lambda d: (d / "evaluation/two-u3/curve.csv").write_text(""), "not a readable CSV"),
        (lambda d: shutil.rmtree(d / "models/two-u3/seed1"), "no such file"),
    ],
)
def test_a_missing_or_damaged_artifact_is_told(
    copied: Path, damage: Callable[[Path], object], told: str
) -> None:
    damage(copied / "data")
    with pytest.raises(InputError, match=told.replace("`", ".")):
        gather("two-u3", load_params(copied / "params.yaml"), copied / "data")


def test_a_test_selected_run_looks_at_both_phases(tmp_path: Path) -> None:
    small_report(tmp_path, "ref-u2", LABELS, 2, seeds=(0,), switches={"name": "reference"})
    benchmark = gather("ref-u2", load_params(tmp_path / "params.yaml"), tmp_path / "data")
    assert benchmark.cycles["zsl_accuracy"].notna().all()
    assert benchmark.conditions.selection == "test"
