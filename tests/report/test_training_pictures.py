"""Pictures of training: what the curves show is what the tables hold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from amsf.report import training_pictures
from amsf.report.data import BenchmarkData, gather, loss_terms
from amsf.report.training_pictures import draw_losses, draw_schedule
from amsf.settings.params import load_params
from tests.support.drawn_figures import keep_figures, words_inside
from tests.support.small_report import LABELS, found_in, small_report


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    return keep_figures(training_pictures, monkeypatch)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> BenchmarkData:
    return found_in(tmp_path_factory, "two-u3")


def test_losses_are_means_over_seeds(
    two: BenchmarkData, drawn: list[Figure], tmp_path: Path
) -> None:
    draw_losses(two, tmp_path / "a.png")
    words_inside(drawn[0])
    assert [axes.get_title() for axes in drawn[0].axes] == list(loss_terms(two).values())
    losses = two.losses[two.losses["phase"] == "test"]
    first, second = (losses[losses["seed"] == s]["loss_text_kl"].to_numpy() for s in (0, 1))
    shown = np.asarray(drawn[0].axes[3].lines[0].get_ydata())
    np.testing.assert_allclose(shown, (first + second) / 2)


def test_accuracy_lines_and_chosen_cycles(
    two: BenchmarkData, drawn: list[Figure], tmp_path: Path
) -> None:
    draw_schedule(two, tmp_path / "a.png")
    words_inside(drawn[0])
    lines = drawn[0].axes[1].lines
    val = two.cycles[(two.cycles["phase"] == "val") & (two.cycles["seed"] == 0)]
    np.testing.assert_allclose(lines[0].get_ydata(), 100 * val["zsl_accuracy"])
    assert [tuple(line.get_xdata()) for line in lines if line.get_marker() == "o"] == [(2,), (2,)]
    assert len(lines) == 4


def test_a_protocol_that_does_not_look_says_so(
    tmp_path_factory: pytest.TempPathFactory, drawn: list[Figure], tmp_path: Path
) -> None:
    draw_schedule(found_in(tmp_path_factory, "one-u3"), tmp_path / "a.png")
    assert [text.get_text() for text in drawn[0].axes[1].texts] == ["not measured by this protocol"]


def test_reference_runs_show_both_phases(drawn: list[Figure], tmp_path: Path) -> None:
    small_report(tmp_path, "ref-u2", LABELS, 2, seeds=(0,), switches={"name": "reference"})
    benchmark = gather("ref-u2", load_params(tmp_path / "params.yaml"), tmp_path / "data")
    draw_schedule(benchmark, tmp_path / "a.png")
    labels = [text.get_text() for text in drawn[0].legends[0].get_texts()]
    assert labels == ["test phase", "validation phase", "chosen cycle"]
