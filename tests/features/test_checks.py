"""What is checked and what is reported of imported skeleton features."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

from amsf.base.errors import InputError
from amsf.dataset.splits import make_split
from amsf.features import checks as feature_checks
from amsf.features.checks import (
    ImportedSamples,
    check_features,
    check_labels,
    check_logits,
    check_rows,
    report_overlap,
    report_zero_rows,
)

PATH = Path("folder/file.npy")
SPLIT = make_split("tiny", 7, [1, 4], [0, 5], kind="listed", where="")


def rows(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


# --- features and logits ------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["<f2", "<f4", "<f8", ">f4", "i2", "u1"])
def test_numbers_of_any_kind_become_float32(dtype: str) -> None:
    array = np.array([[1, 2, 3], [4, 5, 6]], dtype)
    for found in (check_features(array, PATH), check_logits(array, PATH, 3)):
        assert found.dtype == np.float32
        assert found.dtype.isnative
        assert np.array_equal(found, array)


def test_float32_is_not_copied() -> None:
    array = rows(4, 3)
    assert check_features(array, PATH) is array


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("row", [0, 3, 4, 9])
def test_the_first_value_that_is_not_finite_is_found_in_any_block(
    monkeypatch: pytest.MonkeyPatch, value: float, row: int
) -> None:
    monkeypatch.setattr(feature_checks, "ROWS_AT_ONCE", 4)
    array = rows(10, 3)
    array[row, 2] = array[9, 2] = value
    message = rf"folder/file\.npy: row {row}, column 2 is {value}; every value must be finite"
    for check in (check_features, lambda a, p: check_logits(a, p, 3)):
        with pytest.raises(InputError, match=message):
            check(array, PATH)


def test_a_number_too_large_for_float32_is_not_made_infinite() -> None:
    array = rows(3, 2).astype(np.float64)
    array[1, 0] = 1e300
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(InputError, match=r"file\.npy: row 1, column 0 is (1e\+300|inf)"):
            check_features(array, PATH)


# --- labels -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "labels",
    [
        np.array([1, 4, 1], np.uint8),
        np.array([1, 4, 1], ">i4"),
        np.array([1.0, 4.0, 1.0]),
        np.array([[1], [4], [1]]),
        np.array([[1, 4, 1]]),
    ],
    ids=["uint8", "big-endian", "float", "column", "row"],
)
def test_labels_of_any_kind_become_a_list_of_int64(labels: np.ndarray) -> None:
    found = check_labels(labels, PATH, SPLIT, [1, 4])
    assert found.dtype == np.int64
    assert found.dtype.isnative
    assert found.tolist() == [1, 4, 1]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1.5])
def test_labels_that_are_no_whole_numbers(value: float) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(InputError, match="expected whole-number class ids"):
            check_labels(np.array([1.0, 4.0, value]), PATH, SPLIT, [1, 4])


def test_a_leak_is_told_before_anything_else_of_the_split() -> None:
    labels = np.array([0, 2, 3, 5, 4, 4, 1])  # 6 is absent, too
    message = r"3 TRAINING SAMPLES OF UNSEEN CLASSES \(1, 4\)"
    with pytest.raises(InputError, match=message):
        check_labels(labels, PATH, SPLIT, SPLIT.seen, SPLIT.unseen)


def test_many_classes_are_cut() -> None:
    split = make_split("x", 40, [39], [38], kind="listed", where="")
    with pytest.raises(InputError, match=r"no sample of classes 1, 2, .*, 10 and 28 more; each"):
        check_labels(np.array([0]), PATH, split, split.seen)


def test_rows() -> None:
    check_rows(Path("a"), 3, Path("b"), 3)
    with pytest.raises(InputError, match="a has 3 rows and b has 4; they must describe the same"):
        check_rows(Path("a"), 3, Path("b"), 4)


# --- reports ------------------------------------------------------------------------------------


def samples(labels: list[int], seed: int, *, logits: bool = False) -> ImportedSamples:
    N = len(labels)
    return ImportedSamples(rows(N, 3, seed=seed), np.array(labels), rows(N, 7) if logits else None)


def test_stacking_keeps_the_order() -> None:
    a, b = samples([1, 2], 0, logits=True), samples([3], 1, logits=True)
    both = ImportedSamples.stack([a, b])
    assert both.labels.tolist() == [1, 2, 3]
    assert both.features[2] == pytest.approx(b.features[0])
    assert both.logits is not None
    assert both.logits.shape == (3, 7)
    assert ImportedSamples.stack([samples([1], 0), samples([2], 1)]).logits is None


def test_zero_rows_are_reported_set_by_set() -> None:
    sets = {name: samples([1, 2, 3], seed) for seed, name in enumerate(("train", "zsl", "gzsl"))}
    assert report_zero_rows(sets, "test") == []
    sets["train"].features[1] = 0
    sets["gzsl"].features[:2] = 0
    sets["zsl"].features[:, 0] = 0  # a zero among others is no zero row
    first, second = report_zero_rows(sets, "test")
    assert first.startswith("test.train: 1 of 3 feature rows are all zero")
    assert second.startswith("test.gzsl: 2 of 3 feature rows are all zero")


def phases(
    train: list[int], gzsl: list[int], val: list[int]
) -> tuple[dict[str, ImportedSamples], dict[str, ImportedSamples]]:
    """Both phases: training and test samples, and validation-unseen samples, by their labels."""
    test = {"train": samples(train, 1), "gzsl": samples(gzsl, 2)}
    unseen = samples(val, 3)
    return test, {"zsl": unseen, "gzsl": ImportedSamples.stack([unseen, samples([2, 3, 3], 4)])}


FLAW = "the validation-unseen samples are, class by class, as many as the GZSL test samples"
UNTOLD = "whether the validation-unseen samples are also GZSL test samples cannot be known"


@pytest.mark.parametrize(
    ("train", "gzsl", "finding"),
    [
        ([0, 0, 0, 5, 2], [0, 0, 5, 2, 1], FLAW),
        ([0, 0, 5, 2, 2], [0, 0, 0, 5, 2, 1], None),
        ([0, 0, 5, 2], [0, 0, 5, 3, 1], UNTOLD),
        ([0, 5, 2], [0, 5, 5, 1], None),
    ],
    ids=["from test", "from training", "either", "neither"],
)
def test_overlap_by_counts(train: list[int], gzsl: list[int], finding: str | None) -> None:
    # Two validation-unseen samples of class 0 and one of class 5.
    found = report_overlap(*phases(train, gzsl, [0, 0, 5]))
    assert len(found) == (finding is not None)
    assert all(line.startswith(str(finding)) for line in found)


def test_overlap_by_identical_rows() -> None:
    test, val = phases([0, 5, 2], [0, 5, 5, 1], [0, 0, 5])
    val["gzsl"].features[[1, 4]] = test["gzsl"].features[[0, 3]]
    assert report_overlap(test, val) == ["2 validation rows are identical to GZSL test rows"]


def test_both_signs_of_overlap_are_reported() -> None:
    test, val = phases([0, 0, 0, 5], [0, 0, 5, 1], [0, 0, 5])
    val["gzsl"].features[0] = test["gzsl"].features[0]
    first, second = report_overlap(test, val)
    assert first.startswith("1 validation rows are identical")
    assert second.startswith(FLAW)


def test_names_settle_what_counts_cannot_tell() -> None:
    test, val = phases([0, 0, 5, 2], [0, 0, 5, 3, 1], [0, 0, 5])
    assert report_overlap(test, val, ({"a", "b"}, {"c"})) == []
    (finding,) = report_overlap(test, val, ({"a", "b"}, {"b", "c"}))
    assert finding.startswith("1 recordings are both validation and GZSL test samples (b is one)")


def test_zero_rows_are_no_overlap() -> None:
    # An encoder that saw no body gives zeros whatever the recording.
    test, val = phases([0, 5, 2], [0, 5, 5, 1], [0, 0, 5])
    val["gzsl"].features[1] = test["gzsl"].features[0] = 0
    assert report_overlap(test, val) == []


@pytest.mark.parametrize("scale", [1e20, 1e-13, 1e-40])
def test_lengths_that_float32_cannot_square_are_refused(scale: float) -> None:
    good = rows(4, 3)
    for fine in (good, good * 1e15, good * 1e-9, good * [[1], [0], [1], [1]]):
        check_features(fine.astype(np.float32), PATH)
    spoilt = good.copy()
    spoilt[2] *= np.float32(scale)
    with pytest.raises(
        InputError, match=r"row 2 has length \(L2 norm\) .*; expected 1e-12 to 1e\+18"
    ):
        check_features(spoilt, PATH)
