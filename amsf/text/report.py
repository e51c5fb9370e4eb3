"""A look at the text features of a dataset: which classes are alike, in which view.

C = classes, V = views, D = text width.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from amsf.base.cosines import cosine_matrix
from amsf.base.display import literal
from amsf.base.storage import atomic_path, write_json, write_text
from amsf.base.tables import csv_text
from amsf.text.features import TextFeatures, duplicate_rows

NEAREST = 3

# Cosines of one encoder are all near 0.8, of another near 0.3. So a pair is called nearly a
# duplicate by the encoder's own measure: closer than this part of what is usual between a class
# and its nearest one.
NEAR = 0.25

# Cosines that differ by less are equal but for rounding.
_SAME = 1e-9

# A perceptually even scale that reads the same with colour-blind eyes and in grey.
COLOURS = "cividis"


def nearest_classes(cosines: np.ndarray, count: int = NEAREST) -> np.ndarray:
    """The ids of the ``count`` classes most like each one, nearest first: (C, min(count, C-1))."""
    others = cosines.copy()
    np.fill_diagonal(others, -np.inf)
    return np.argsort(-others, axis=1, kind="stable")[:, : min(count, len(cosines) - 1)]


def near_duplicates(cosines: np.ndarray) -> list[tuple[int, int, float]]:
    """Pairs of classes that are much closer than neighbours usually are, closest first.

    A pair (a, b), a < b, is one if 1 - cosine is below ``NEAR`` times the median over the classes
    of 1 - cosine to the nearest other class.
    """
    others = cosines.copy()
    np.fill_diagonal(others, -np.inf)
    usual = float(np.median(1 - others.max(axis=1)))
    first, second = np.nonzero(np.triu(1 - cosines < NEAR * usual, k=1))
    pairs = [(int(a), int(b), float(cosines[a, b])) for a, b in zip(first, second)]
    return sorted(pairs, key=lambda pair: (-pair[2], pair))


def view_correlations(cosines: Sequence[np.ndarray]) -> np.ndarray:
    """Whether the same classes are alike in two views: (V, V) Spearman correlations.

    NaN where one of the two does not tell classes apart: all its texts are alike, or there are but
    two classes. They compare the upper triangles of the C x C matrices, as in representational
    similarity analysis (Kriegeskorte et al. 2008), and by order, so that the scale of a view or an
    encoder does not matter.
    """
    upper = np.triu_indices(len(cosines[0]), k=1)
    pairs = pd.DataFrame({v: matrix[upper] for v, matrix in enumerate(cosines)})
    pairs.loc[:, np.ptp(pairs.to_numpy(), axis=0) <= _SAME] = np.nan
    # Not scipy.stats: its import takes longer than all else here.
    correlations = pairs.corr(method="spearman").to_numpy(copy=True)
    np.fill_diagonal(correlations, 1)
    return correlations


def write_report(features: TextFeatures, labels: Sequence[str], folder: Path) -> dict[str, Any]:
    """Write the report's folder and return what ``report.json`` holds.

    Files: ``similarity_<view>.png``, ``views.png``, ``nearest.csv`` (view, id, label, rank,
    nearest_id, nearest_label, cosine), ``report.json`` (per view: cosines' mean and largest,
    duplicates, near-duplicates; correlation between views or null).

    Args:
        features: the text features, (C, V, D).
        labels: the labels of the C classes.
        folder: the folder to write; one that is there is replaced.
    """
    cosines = {view: cosine_matrix(features.select([view])[:, 0]) for view in features.views}
    correlation = view_correlations(list(cosines.values()))
    report: dict[str, Any] = {
        "dataset": features.dataset,
        "encoder": features.encoder,
        "view_correlation": {
            a: {b: _rounded(correlation[i, j]) for j, b in enumerate(cosines)}
            for i, a in enumerate(cosines)
        },
        "views": {},
    }
    rows = []
    for view, matrix in cosines.items():
        upper = matrix[np.triu_indices(len(matrix), k=1)]
        report["views"][view] = {
            "duplicates": duplicate_rows(features.select([view])[:, 0]),
            "largest_cosine": round(float(upper.max()), 6),
            "mean_cosine": round(float(upper.mean()), 6),
            "near_duplicates": [
                {"classes": [a, b], "cosine": round(c, 6), "labels": [labels[a], labels[b]]}
                for a, b, c in near_duplicates(matrix)
            ],
        }
        for label, others in enumerate(nearest_classes(matrix)):
            for rank, other in enumerate(others, start=1):
                cosine = f"{matrix[label, other]:.4f}"
                rows.append((view, label, labels[label], rank, other, labels[other], cosine))
    columns = ["view", "id", "label", "rank", "nearest_id", "nearest_label", "cosine"]
    table = pd.DataFrame(rows, columns=columns)
    with atomic_path(folder) as temporary:
        temporary.mkdir()
        write_json(temporary / "report.json", report)
        write_text(temporary / "nearest.csv", csv_text(table))
        title = literal(f"{features.dataset}, {features.encoder}")
        picture = _ClassPicture(labels)
        for view, matrix in cosines.items():
            picture.save(matrix, f"{title}, {view}", temporary / f"similarity_{view}.png")
        _draw_views(correlation, features.views, title).savefig(
            temporary / "views.png", metadata={"Software": None}
        )
    return report


def _rounded(value: float) -> float | None:
    """Four digits; None, as JSON has no NaN, where there is no number."""
    return round(float(value), 4) if np.isfinite(value) else None


class _ClassPicture:
    """The C x C matrix with every class named; the scale spans what differs, off the diagonal.

    One figure for all views: most of the time goes into its names and their place.
    """

    def __init__(self, labels: Sequence[str]) -> None:
        C = len(labels)
        height = max(3.8, 1.0 + 0.125 * C)  # inches: 9 points a class
        self._figure = _figure(height + 3.0, height)  # and room for the names
        self._axes = self._figure.add_subplot()
        self._image = self._axes.imshow(np.zeros((C, C)), cmap=COLOURS, interpolation="nearest")
        names = [literal(f"{label} {i}") for i, label in enumerate(labels)]
        self._axes.set_yticks(range(C), names, fontsize=6)
        self._axes.set_xticks(range(C), [str(i) for i in range(C)], fontsize=5, rotation=90)
        bar = self._figure.colorbar(self._image, ax=self._axes, shrink=0.5, pad=0.02)
        bar.ax.tick_params(labelsize=7)

    def save(self, cosines: np.ndarray, title: str, path: Path) -> None:
        shown = cosines.copy()
        np.fill_diagonal(shown, np.nan)  # always 1: left white
        self._image.set_data(shown)
        self._image.autoscale()
        self._axes.set_title(f"Cosine between class texts: {title}", fontsize=10)
        self._figure.savefig(path, metadata={"Software": None})
        self._figure.set_layout_engine(None)  # all stays in its place


def _draw_views(correlation: np.ndarray, views: Sequence[str], title: str) -> Figure:
    """The V x V matrix with its numbers."""
    figure = _figure(5, 4.2)
    axes = figure.add_subplot()
    lowest = min(0.0, float(np.nanmin(correlation)))
    image = axes.imshow(correlation, cmap=COLOURS, vmin=lowest, vmax=1)
    axes.set_xticks(range(len(views)), views)
    axes.set_yticks(range(len(views)), views)
    for a, row in enumerate(correlation):
        for b, value in enumerate(row):
            dark = value <= (lowest + 1) / 2  # a cell without a number stays white
            colour, shown = "white" if dark else "black", "–" if np.isnan(value) else f"{value:.2f}"
            axes.text(b, a, shown, ha="center", va="center", color=colour)
    axes.set_title(f"Are the same classes alike in two views?\n{title}", fontsize=10)
    figure.colorbar(image, ax=axes, label="Spearman correlation")
    return figure


def _figure(width: float, height: float) -> Figure:
    figure = Figure(figsize=(width, height), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    return figure
