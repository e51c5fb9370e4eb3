"""Means, standard errors and paired differences over class splits, worked by hand and by scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from amsf.study.summary import as_text, mean_and_error, over_splits, summarise_splits

ROWS = [
    {"split": 0, "method": "vae", "seed": 0, "zsl": 0.2, "H": 0.1},
    {"split": 0, "method": "vae", "seed": 1, "zsl": 0.4, "H": 0.1},
    {"split": 0, "method": "ridge", "seed": None, "zsl": 0.5, "H": 0.3},
    {"split": 1, "method": "vae", "seed": 0, "zsl": 0.6, "H": 0.4},
    {"split": 1, "method": "vae", "seed": 1, "zsl": 0.8, "H": 0.2},
    {"split": 1, "method": "ridge", "seed": None, "zsl": 0.6, "H": 0.5},
]


def test_seeds_are_averaged_within_a_split() -> None:
    table = over_splits(ROWS)
    assert table.loc[("vae", 0), "zsl"] == pytest.approx(0.3)
    assert table.loc[("vae", 1), "H"] == pytest.approx(0.3)
    assert list(table.loc["ridge"].index) == [0, 1]


def test_by_hand() -> None:
    found = summarise_splits(ROWS, "vae")
    assert found["vae"]["zsl"] == {"mean": 50.0, "se": 20.0}  # 30 and 70
    # Differences: 50 - 30 = 20 and 60 - 70 = -10; their deviation is 21.21, by the root of 2: 15.
    assert found["ridge"]["zsl"] == {
        "mean": 55.0,
        "se": 5.0,
        "difference": 5.0,
        "difference_se": 15.0,
    }


def test_one_split_has_no_error() -> None:
    found = summarise_splits(ROWS[:3], "vae")
    assert found["vae"]["zsl"] == {"mean": 30.0}
    assert found["ridge"]["zsl"] == {"mean": 50.0, "difference": 20.0}


def test_a_base_that_was_not_scored() -> None:
    assert summarise_splits(ROWS, "eszsl")["ridge"]["zsl"] == {"mean": 55.0, "se": 5.0}


def test_the_error_is_scipys() -> None:
    values = np.random.default_rng(0).normal(size=40)
    mean, error = mean_and_error(values)
    assert mean == pytest.approx(values.mean())
    assert error == pytest.approx(stats.sem(values))


def test_as_text() -> None:
    assert as_text({"mean": 71.04, "se": 2.46}) == "71.0 ± 2.5"
    assert as_text({"mean": -1.0}, "+") == "-1.0"
    assert as_text({"mean": 2.0, "se": 0.5}, "+") == "+2.0 ± 0.5"
    assert as_text({}) == ""
