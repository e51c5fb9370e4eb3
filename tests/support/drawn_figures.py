"""Looking at figures while they are drawn, for tests of pictures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import pytest
from matplotlib.figure import Figure

from amsf.report import figures


def keep_figures(module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """The list that every figure drawn by ``module`` is put into."""
    kept: list[Figure] = []

    @contextmanager
    def keep(path: Path, width: float, height: float) -> Iterator[Figure]:
        with figures.picture(path, width, height) as figure:
            yield figure
            kept.append(figure)

    monkeypatch.setattr(module, "picture", keep)
    return kept


def words_inside(figure: Figure) -> None:
    """Nothing is cut by the figure's edge, and no letters are tiny."""
    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    for part in [*figure.axes, *figure.legends]:
        box = part.get_tightbbox(renderer)
        assert box is not None
        assert min(box.x0, box.y0) >= -1, part
        assert box.x1 <= figure.bbox.width + 1, part
        assert box.y1 <= figure.bbox.height + 1, part
    for axes in figure.axes:
        for text in [*axes.get_xticklabels(), *axes.get_yticklabels(), *axes.texts, axes.title]:
            assert text.get_fontsize() >= 8, text
