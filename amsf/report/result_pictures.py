"""Pictures of a benchmark's results: curve, confusion, classes, latent space, texts.

U = unseen classes.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from amsf.evaluation.confidence.reliability import BINS, reliability_curve
from amsf.report.data import SEEN, BenchmarkData, class_accuracy, unseen_confusion
from amsf.report.figures import BLUE, GREY, ORANGE, SCALE, mark, picture, whole, write_cells

_MANY = 12  # classes; with more, small numbers are left out of the cells


def draw_curve(benchmark: BenchmarkData, path: Path) -> None:
    """Seen against unseen accuracy over all thresholds, a line a seed, with what the gate chose."""
    assert benchmark.curve is not None
    with picture(path, 5.6, 5.2) as figure:
        axes = figure.add_subplot()
        _equal_scores(axes)
        for _, line in benchmark.curve.groupby("seed"):
            axes.plot(100 * line["seen"], 100 * line["unseen"], color=BLUE, linewidth=1.3)
        for scores in benchmark.metrics["seeds"].values():
            seen, unseen = (100 * scores[side]["overall"] for side in ("seen", "unseen"))
            axes.plot(seen, unseen, "o", color=ORANGE, markeredgecolor="white", markersize=8)
        axes.set(xlim=(0, 102), ylim=(0, 102), aspect="equal")
        axes.set_xlabel("S: accuracy on seen classes (%)")
        axes.set_ylabel("U: accuracy on unseen classes (%)")
        handles = [
            Line2D([], [], color=BLUE, label="every threshold, a line a seed"),
            Line2D([], [], color=ORANGE, marker="o", linestyle="", label="the gate's threshold"),
            Line2D([], [], color=GREY, linestyle=":", label="equal H"),
        ]
        figure.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False)


def _equal_scores(axes: Axes) -> None:
    """Where H = 2SU/(S+U) is 20, 40, 60 and 80 %."""
    for H in (20, 40, 60, 80):
        S = np.linspace(H / 2 + 0.2, 102, 300)
        U = H * S / (2 * S - H)
        axes.plot(S, np.where(U <= 102, U, np.nan), ":", color=GREY, linewidth=0.9)
        axes.text(
            *(H, H, f"H {H}"), color="#555555", fontsize=8, ha="center", va="center",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
        )  # fmt: skip


def draw_confusion(benchmark: BenchmarkData, path: Path) -> None:
    """What samples of each unseen class are taken for, in percent of them, over all seeds."""
    counts = unseen_confusion(benchmark)
    U, columns = counts.shape
    values = counts.to_numpy(float)
    shares = 100 * values / np.maximum(values.sum(axis=1, keepdims=True), 1)
    names = [f"{whole(benchmark.labels[c])} {c}" for c in benchmark.split.unseen]
    cell = 0.5 if U <= _MANY else 0.34  # inches
    with picture(path, 3.1 + cell * columns, 2.9 + cell * U) as figure:
        axes = figure.add_subplot()
        image = axes.imshow(shares, cmap=SCALE, vmin=0, vmax=100, interpolation="nearest")
        axes.set_yticks(range(U), names)
        others = [SEEN.upper() if c == SEEN else names[i] for i, c in enumerate(counts.columns)]
        axes.set_xticks(range(columns), others, rotation=90)
        axes.set_ylabel("true class")
        axes.set_xlabel("recognised as")
        if SEEN in counts.columns:
            axes.axvline(U - 0.5, color="white", linewidth=4)
        shown = np.where(shares >= (0.5 if U <= _MANY else 9.5), shares, np.nan)
        write_cells(axes, shown, "{:.0f}", 9 if U <= _MANY else 8)
        axes.spines[:].set_visible(False)
        label = "% of the true class's samples"
        figure.colorbar(image, ax=axes, label=label, location="bottom", shrink=0.7, aspect=40)


def draw_reliability(benchmark: BenchmarkData, path: Path) -> None:
    """Accuracy against confidence of answers among the unseen classes, over all seeds.

    Below, how many samples are in each bin.
    """
    table = benchmark.zsl
    right = (table["label"] == table["prediction"]).to_numpy()
    curve = reliability_curve(table["confidence"].to_numpy(), right)
    with picture(path, 5.6, 5.8) as figure:
        axes, below = figure.subplots(2, height_ratios=(4, 1), sharex=True)
        axes.plot([0, 100], [0, 100], ":", color=GREY, label="as sure as it is right")
        axes.plot(
            *(100 * curve.confidence, 100 * curve.accuracy), "o-", color=BLUE, linewidth=1.3,
            label="answers of all seeds",
        )  # fmt: skip
        chance = 100 / len(benchmark.split.unseen)
        axes.axvline(chance, color=GREY, linewidth=0.9, label="chance")
        axes.set(xlim=(0, 102), ylim=(0, 102))
        axes.set_ylabel("accuracy (%)")
        figure.legend(loc="outside upper center", ncols=3, frameon=False)
        below.bar(100 * curve.confidence, 100 * curve.weight, 80 / BINS, color=ORANGE)
        below.set_ylabel("samples (%)")
        below.set_xlabel("confidence: probability of the answer (%)")


def draw_classes(benchmark: BenchmarkData, path: Path) -> None:
    """The accuracy of each unseen class: mean over seeds, and the range where there are several."""
    tasks = [("zsl", "ZSL: among unseen classes", ORANGE, -0.16, "s")]
    if benchmark.gzsl is not None:
        tasks.append(("gzsl", "GZSL: among all classes", BLUE, 0.16, "o"))
    unseen = np.array(benchmark.split.unseen)
    order = unseen[np.argsort(class_accuracy(benchmark, tasks[-1][0])[:, unseen].mean(0))]
    with picture(path, 5.6, 1.6 + 0.36 * len(unseen)) as figure:
        axes = figure.add_subplot()
        for task, label, colour, shift, shape in tasks:
            percent = 100 * class_accuracy(benchmark, task)[:, order]
            rows = np.arange(len(order)) - shift
            axes.hlines(rows, percent.min(0), percent.max(0), color=colour, linewidth=2, alpha=0.5)
            axes.plot(percent.mean(0), rows, shape, color=colour, label=label, markersize=6)
        axes.set_yticks(range(len(order)), [f"{whole(benchmark.labels[c])} {c}" for c in order])
        axes.set(xlim=(-2, 102), ylim=(-0.6, len(order) - 0.4))
        axes.set_xlabel(
            "accuracy (%)" + ("; lines span the seeds" if len(benchmark.seeds) > 1 else "")
        )
        axes.grid(axis="x")
        figure.legend(loc="outside upper center", ncols=2, frameon=False)


def draw_map(benchmark: BenchmarkData, path: Path) -> None:
    """Test samples as dots, tied to their class's prototype, a number that the legend names."""
    latent = benchmark.latent
    unseen = set(benchmark.split.unseen)
    K = len(latent.classes)
    with picture(path, 5.7, 5.4 + 0.21 * -(-K // 2)) as figure:
        axes = figure.add_subplot()
        for index, label in enumerate(latent.classes):
            colour, shape = _map_mark(index, label in unseen)
            points = latent.samples[latent.labels == label]
            axes.scatter(
                points[:, 0],
                points[:, 1],
                s=18,
                color=colour,
                marker=shape,
                linewidths=0,
                alpha=0.7,
            )
            if len(points):
                ends = np.stack([points.mean(axis=0), latent.prototypes[index]])
                axes.plot(*ends.T, color=colour, linewidth=0.8, alpha=0.6)
        for label, point in zip(latent.classes, latent.prototypes):
            colour = "white" if label in unseen else "#D0D0D0"
            box = {"boxstyle": "round,pad=0.2", "facecolor": colour, "edgecolor": "black"}
            axes.annotate(str(label), point, ha="center", va="center", fontsize=8, bbox=box)
        axes.set(xticks=[], yticks=[], aspect="equal", adjustable="datalim")
        axes.margins(0.06)
        axes.spines[:].set_visible(True)
        axes.spines[:].set_color("#BBBBBB")
        figure.legend(
            handles=_map_legend(benchmark), loc="outside lower left", ncols=2, frameon=False,
            handletextpad=0.3, columnspacing=1.0, labelspacing=0.35,
        )  # fmt: skip


def _map_mark(index: int, unseen: bool) -> tuple[str, str]:
    return mark(index) if unseen else ("#B5B5B5", "X")


def _map_legend(benchmark: BenchmarkData) -> list[Line2D]:
    handles = []
    for index, label in enumerate(benchmark.latent.classes):
        unseen = label in benchmark.split.unseen
        colour, shape = _map_mark(index, unseen)
        name = f"{label} {whole(benchmark.labels[label], 25)}" + ("" if unseen else " (seen)")
        style = {"color": colour, "marker": shape, "linestyle": "", "markersize": 6}
        handles.append(Line2D([], [], label=name, **style))  # type: ignore[arg-type]
    return handles


def draw_texts(benchmark: BenchmarkData, path: Path) -> None:
    """Cosines between the texts of the unseen classes, averaged over the model's views."""
    unseen = list(benchmark.split.unseen)
    cosines = benchmark.text_similarity[np.ix_(unseen, unseen)].copy()
    np.fill_diagonal(cosines, np.nan)  # always 1
    U = len(unseen)
    names = [f"{whole(benchmark.labels[c])} {c}" for c in unseen]
    cell = 0.5 if U <= _MANY else 0.34
    with picture(path, 3.1 + cell * U, 2.9 + cell * U) as figure:
        axes = figure.add_subplot()
        image = axes.imshow(cosines, cmap=SCALE, interpolation="nearest")
        axes.set_yticks(range(U), names)
        axes.set_xticks(range(U), names, rotation=90)
        if U <= _MANY:
            write_cells(axes, cosines, "{:.2f}", 8)
        axes.spines[:].set_visible(False)
        label = "cosine between the texts"
        figure.colorbar(image, ax=axes, label=label, location="bottom", shrink=0.7, aspect=40)
