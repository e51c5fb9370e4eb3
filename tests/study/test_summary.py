"""Means, standard errors and paired differences over class splits, worked by hand and by scipy."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from amsf.base.errors import InputError
from amsf.study.summary import SCORES, SUMMARY, Study, as_text, mean_and_error
from tests.support.small_study import small_study

ROWS: list[dict[str, Any]] = [
    {"split": 0, "classes": "3 9", "method": "vae", "seed": 0, "zsl": 0.2, "H": 0.1},
    {"split": 0, "classes": "3 9", "method": "vae", "seed": 1, "zsl": 0.4, "H": 0.1},
    {"split": 0, "classes": "3 9", "method": "ridge", "seed": None, "zsl": 0.5, "H": 0.3},
    {"split": 1, "classes": "2 4", "method": "vae", "seed": 0, "zsl": 0.6, "H": 0.4},
    {"split": 1, "classes": "2 4", "method": "vae", "seed": 1, "zsl": 0.8, "H": 0.2},
    {"split": 1, "classes": "2 4", "method": "ridge", "seed": None, "zsl": 0.6, "H": 0.5},
]


def study_of(rows: list[dict[str, Any]]) -> Study:
    about = small_study({"vae": [0.5] * (rows[-1]["split"] + 1)}).about
    return Study(about, pd.DataFrame(rows))


def test_seeds_are_averaged_within_a_split() -> None:
    table = study_of(ROWS).over_splits()
    assert table.loc[("vae", 0), "zsl"] == pytest.approx(0.3)
    assert table.loc[("vae", 1), "H"] == pytest.approx(0.3)
    assert list(table.loc["ridge"].index) == [0, 1]


def test_by_hand() -> None:
    found = study_of(ROWS).summary()
    assert found["vae"]["zsl"] == {"mean": 50.0, "se": 20.0}  # 30 and 70
    # Differences: 50 - 30 = 20 and 60 - 70 = -10; their deviation is 21.21, by the root of 2: 15.
    assert found["ridge"]["zsl"] == {
        "mean": 55.0,
        "se": 5.0,
        "difference": 5.0,
        "difference_se": 15.0,
    }


def test_one_split_has_no_error() -> None:
    found = study_of(ROWS[:3]).summary()
    assert found["vae"]["zsl"] == {"mean": 30.0}
    assert found["ridge"]["zsl"] == {"mean": 50.0, "difference": 20.0}


def test_headline() -> None:
    found = study_of(ROWS).headline()
    assert found["splits"] == 2
    assert found["ridge"]["zsl"] == {"mean": 55.0, "se": 5.0}


def test_a_study_is_read_as_it_was_written(tmp_path: Path) -> None:
    study = study_of(ROWS)
    study.save(tmp_path / "mine")
    again = Study.load(tmp_path / "mine")
    assert again.about == study.about
    pd.testing.assert_frame_equal(again.scores, study.scores, check_dtype=False)
    assert json.loads((tmp_path / "mine" / SUMMARY).read_text())["methods"] == study.summary()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (SUMMARY, "{}", r"mine: not a study .*'about'.*run `python -m amsf\.study` again"),
        (SUMMARY, "{", "mine: not a study"),
        (SCORES, "split,method,zsl\n0,vae,0.5\n", "columns split, method, zsl"),
        (SCORES, None, r"scores\.csv: no such file"),
    ],
)
def test_a_damaged_study(tmp_path: Path, name: str, content: str | None, message: str) -> None:
    study_of(ROWS).save(tmp_path / "mine")
    path = tmp_path / "mine" / name
    path.unlink() if content is None else path.write_text(content)
    with pytest.raises(InputError, match=message):
        Study.load(tmp_path / "mine")


def test_splits_that_are_missing(tmp_path: Path) -> None:
    replace(study_of(ROWS), scores=pd.DataFrame(ROWS[:3])).save(tmp_path / "mine")
    with pytest.raises(InputError, match="1 splits of 2"):
        Study.load(tmp_path / "mine")


def test_changes_since() -> None:
    study = small_study({"ridge": [0.5, 0.6]})
    entry = {"dataset": "mine", "features": "motion", "unseen": 3, "source": "elsewhere"}
    entry["also"] = ("theirs",)
    now = {"model": {"latent": 7, "heads": 4}, "evaluate": {"task": "zsl"}}
    assert study.changes(entry, now) == [
        "evaluate.task gzsl -> zsl",
        "features published -> motion",
        "also [] -> ['theirs']",
    ]


def test_the_error_is_scipys() -> None:
    values = np.random.default_rng(0).normal(size=40)
    mean, error = mean_and_error(values)
    assert mean == pytest.approx(values.mean())
    assert error == pytest.approx(stats.sem(values))


def test_as_text() -> None:
    assert as_text({"mean": 71.04, "se": 2.46}) == "71.0 ± 2.5"
    assert as_text({"mean": -1.0}, "+") == "-1.0"
    assert as_text({"mean": 2.0, "se": 0.5}, "+") == "+2.0 ± 0.5"
    assert as_text({"mean": -0.04}) == "0.0"
    assert as_text({}) == ""
