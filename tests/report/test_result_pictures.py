"""Pictures of results: each is drawn from what it says, also with many classes or hostile names."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image
from sklearn.calibration import calibration_curve

from amsf.report import result_pictures
from amsf.report.data import BenchmarkData, gather, unseen_confusion
from amsf.report.result_pictures import (
    draw_classes,
    draw_confusion,
    draw_curve,
    draw_map,
    draw_reliability,
    draw_texts,
)
from amsf.settings.params import load_params
from tests.support.drawn_figures import keep_figures, words_inside
from tests.support.small_report import found_in, small_report

ROOT = Path(__file__).parents[2]
DRAWERS = (draw_curve, draw_confusion, draw_classes, draw_map, draw_reliability, draw_texts)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> BenchmarkData:
    return found_in(tmp_path_factory, "two-u3")


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> BenchmarkData:
    """120 classes, 24 of them unseen."""
    folder = tmp_path_factory.mktemp("many")
    labels = pd.read_csv(ROOT / "data/classes/ntu120.csv")["label"].tolist()
    small_report(folder, "many-u24", labels, 24)
    return gather("many-u24", load_params(folder / "params.yaml"), folder / "data")


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """The figures that the test draws."""
    return keep_figures(result_pictures, monkeypatch)


@pytest.mark.parametrize("draw", DRAWERS)
@pytest.mark.parametrize("size", ["two", "many"])
def test_nothing_is_cut_or_tiny(
    draw: Callable[[BenchmarkData, Path], None],
    size: str,
    drawn: list[Figure],
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    draw(request.getfixturevalue(size), tmp_path / "a.png")
    image = Image.open(tmp_path / "a.png")
    assert image.format == "PNG"
    assert image.convert("L").getextrema() != (255, 255)
    words_inside(drawn[0])


@pytest.mark.parametrize("size", ["two", "many"])
def test_names_do_not_overlap(
    size: str, drawn: list[Figure], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    draw_confusion(request.getfixturevalue(size), tmp_path / "a.png")
    renderer = drawn[0].canvas.get_renderer()  # type: ignore[attr-defined]
    for labels, low, high in (
        (drawn[0].axes[0].get_yticklabels(), "y0", "y1"),
        (drawn[0].axes[0].get_xticklabels(), "x0", "x1"),
    ):
        boxes = [label.get_window_extent(renderer) for label in labels]
        spans = sorted((getattr(b, low), getattr(b, high)) for b in boxes)
        assert all(a[1] <= b[0] for a, b in pairwise(spans))


def test_the_curve_goes_through_the_gates_points(
    two: BenchmarkData, drawn: list[Figure], tmp_path: Path
) -> None:
    draw_curve(two, tmp_path / "a.png")
    dots = [line.get_xydata()[0] for line in drawn[0].axes[0].lines if line.get_marker() == "o"]
    expected = [
        [100 * s["seen"]["overall"], 100 * s["unseen"]["overall"]]
        for s in two.metrics["seeds"].values()
    ]
    np.testing.assert_allclose(dots, expected)


def test_the_reliability_curve_is_scikit_learns(
    two: BenchmarkData, drawn: list[Figure], tmp_path: Path
) -> None:
    draw_reliability(two, tmp_path / "a.png")
    right, confidence = two.zsl["label"] == two.zsl["prediction"], two.zsl["confidence"]
    accuracy, mean = calibration_curve(right, confidence, n_bins=15)
    (line,) = [one for one in drawn[0].axes[0].lines if one.get_marker() == "o"]
    np.testing.assert_allclose(np.asarray(line.get_xydata()), 100 * np.stack([mean, accuracy], 1))
    heights = [bar.get_height() for bar in drawn[0].axes[1].patches]  # type: ignore[attr-defined]
    assert sum(heights) == pytest.approx(100)


def test_equal_score_lines_are_where_they_say(
    two: BenchmarkData, drawn: list[Figure], tmp_path: Path
) -> None:
    draw_curve(two, tmp_path / "a.png")
    lines = [line for line in drawn[0].axes[0].lines if line.get_linestyle() == ":"]
    for H, line in zip((20, 40, 60, 80), lines, strict=True):
        S, U = np.asarray(line.get_xydata()).T
        kept = np.isfinite(U)
        np.testing.assert_allclose(2 * S[kept] * U[kept] / (S + U)[kept], H)


def test_confusion_shows_shares_of_the_true_class(
    two: BenchmarkData, drawn: list[Figure], tmp_path: Path
) -> None:
    draw_confusion(two, tmp_path / "a.png")
    shown = np.asarray(drawn[0].axes[0].images[0].get_array())
    np.testing.assert_allclose(shown, 100 * unseen_confusion(two) / 12)
    names = [label.get_text() for label in drawn[0].axes[0].get_xticklabels()]
    assert names[-1] == "A SEEN CLASS"
    assert [label.get_text() for label in drawn[0].axes[0].get_yticklabels()] == names[:-1]


def test_the_map_names_every_class(
    many: BenchmarkData, drawn: list[Figure], tmp_path: Path
) -> None:
    draw_map(many, tmp_path / "a.png")
    [legend] = drawn[0].legends
    names = [text.get_text() for text in legend.get_texts()]
    assert [int(name.split()[0]) for name in names] == many.latent.classes.tolist()
    numbers = {text.get_text() for text in drawn[0].axes[0].texts}
    assert numbers == {str(c) for c in many.latent.classes}


def test_zsl_alone_has_one_dot_a_class(
    tmp_path_factory: pytest.TempPathFactory, drawn: list[Figure], tmp_path: Path
) -> None:
    one = found_in(tmp_path_factory, "one-u3")
    draw_classes(one, tmp_path / "a.png")
    assert len(drawn[0].axes[0].lines) == 1
    assert drawn[0].axes[0].get_xlabel() == "accuracy (%)"


def test_equal_data_gives_equal_bytes(two: BenchmarkData, tmp_path: Path) -> None:
    for name in ("a", "b"):
        draw_map(two, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
