"""The look at the texts: what is alike, against plain loops."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from amsf.base.cosines import cosine_matrix
from amsf.base.storage import read_json
from amsf.text.features import TextFeatures
from amsf.text.report import (
    near_duplicates,
    nearest_classes,
    view_correlations,
    write_report,
)


@given(st.integers(2, 12), st.integers(1, 6), st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_nearest_against_plain_ways(C: int, D: int, seed: int) -> None:
    rows = np.random.default_rng(seed).normal(size=(C, D)).astype(np.float32)
    cosines = cosine_matrix(rows)
    nearest = nearest_classes(cosines)
    assert nearest.shape == (C, min(3, C - 1))
    for label in range(C):
        others = sorted((i for i in range(C) if i != label), key=lambda i: (-cosines[label, i], i))
        assert nearest[label].tolist() == others[:3]


def test_near_duplicates_by_hand() -> None:
    # Angles in degrees; 1 - cos: 0/1 are 1.5e-4 apart, all others have a neighbour at 10 degrees
    # (0.0152), so the usual distance is 0.0152 and a quarter of it lies between.
    angles = np.deg2rad([0, 1, 40, 50, 100, 110, 120])
    cosines = cosine_matrix(np.stack([np.cos(angles), np.sin(angles)], axis=1))
    pairs = near_duplicates(cosines)
    assert [(a, b) for a, b, _ in pairs] == [(0, 1)]
    assert abs(pairs[0][2] - np.cos(np.deg2rad(1))) < 1e-12


def test_view_correlation_is_of_ranks_and_off_the_diagonal() -> None:
    rng = np.random.default_rng(0)
    one, other = (cosine_matrix(rng.normal(size=(9, 5))) for _ in range(2))
    # Any growing function of the cosines leaves the order as it is; its diagonal does not matter.
    found = view_correlations([one, np.exp(3 * one) + 7 * np.eye(9), other])
    upper = np.triu_indices(9, k=1)
    expected = pd.Series(one[upper]).corr(pd.Series(other[upper]), method="spearman")
    np.testing.assert_allclose(
        found, [[1, 1, expected], [1, 1, expected], [expected, expected, 1]], atol=1e-12
    )


def test_report_folder_holds_what_it_says(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(size=(6, 2, 8)).astype(np.float32)
    values[4, 0] = values[1, 0]
    features = TextFeatures(values, ("lb", "LLMmd"), "minilm", "mine")
    labels = [f"act {i}" for i in range(6)]
    report = write_report(features, labels, tmp_path / "r")
    write_report(features, labels, tmp_path / "again")
    names = ["nearest.csv", "report.json", "similarity_LLMmd.png", "similarity_lb.png", "views.png"]
    assert sorted(p.name for p in (tmp_path / "r").iterdir()) == names
    for name in names:
        assert (tmp_path / "r" / name).read_bytes() == (tmp_path / "again" / name).read_bytes()
    assert read_json(tmp_path / "r" / "report.json") == report
    assert report["views"]["lb"]["duplicates"] == [[1, 4]]
    assert report["views"]["LLMmd"]["duplicates"] == []
    near = report["views"]["lb"]["near_duplicates"][0]
    assert (near["classes"], near["labels"]) == ([1, 4], ["act 1", "act 4"])
    nearest = pd.read_csv(tmp_path / "r" / "nearest.csv")
    assert len(nearest) == 2 * 6 * 3
    first = nearest[(nearest["view"] == "lb") & (nearest["rank"] == 1)].set_index("id")
    assert (first.loc[1, "nearest_id"], first.loc[1, "nearest_label"]) == (4, "act 4")


def test_picture_shows_the_alike_pair_brightest(tmp_path: Path) -> None:
    values = np.eye(5, dtype=np.float32)[:, None]
    values[3, 0, 1] = 2  # classes 1 and 3 are alike, the others at right angles
    write_report(TextFeatures(values, ("lb",), "e", "d"), list("abcde"), tmp_path / "r")
    pixels = np.asarray(Image.open(tmp_path / "r" / "similarity_lb.png").convert("RGB")).astype(int)
    red_over_blue = pixels[:, :, 0] - pixels[:, :, 2]
    yellow, blue = (red_over_blue > 120).sum(), (red_over_blue < -60).sum()
    # 2 of the 20 cells are at the scale's yellow end and 18 at its blue one; the scale adds a few.
    assert 0.1 < yellow / blue < 0.13


@pytest.mark.parametrize(
    "label", ["$$", "50% & $x^$", r"$\undefined{x}$", "pay $5 or $10", "007", "喝水"]
)
@pytest.mark.filterwarnings("ignore:Glyph")
def test_any_label_is_drawn(tmp_path: Path, label: str) -> None:
    values = np.random.default_rng(0).normal(size=(3, 1, 4)).astype(np.float32)
    features = TextFeatures(values, ("lb",), "weights/$x_$", "mine")
    report = write_report(features, [label, "sit", "stand"], tmp_path / "r")
    assert report["views"]["lb"]["duplicates"] == []


@pytest.mark.parametrize("scale", [1.0, 0.3])
def test_a_view_whose_texts_are_all_alike_is_told_from_the_others(
    tmp_path: Path, scale: float
) -> None:
    values = np.random.default_rng(0).normal(size=(5, 3, 4)).astype(np.float32)
    values[:, 1] = scale * values[0, 1]
    report = write_report(
        TextFeatures(values, ("lb", "MAad", "MAmd"), "e", "d"), list("abcde"), tmp_path / "r"
    )
    assert report["view_correlation"]["MAad"] == {"lb": None, "MAad": 1.0, "MAmd": None}
    assert report["view_correlation"]["lb"]["MAmd"] is not None
    assert report["views"]["MAad"]["duplicates"] == [[0, 1, 2, 3, 4]]
    assert read_json(tmp_path / "r" / "report.json") == report


def test_two_classes_have_no_order_to_compare(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(2, 2, 4)).astype(np.float32)
    features = TextFeatures(values, ("lb", "MAad"), "e", "d")
    report = write_report(features, ["a", "b"], tmp_path / "r")
    assert report["view_correlation"]["lb"]["MAad"] is None


def test_labels_that_spreadsheets_would_run_are_quoted(tmp_path: Path) -> None:
    values = np.eye(3, dtype=np.float32)[:, None]
    write_report(TextFeatures(values, ("lb",), "e", "d"), ["=1+1", "@a", "sit"], tmp_path / "r")
    table = pd.read_csv(tmp_path / "r" / "nearest.csv")
    assert set(table["label"]) == {"'=1+1", "'@a", "sit"}
