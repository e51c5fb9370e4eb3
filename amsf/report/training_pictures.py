"""Pictures of a benchmark's training: the loss terms, their weights, the validation accuracy."""

from __future__ import annotations

from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from amsf.report.data import BenchmarkData, loss_terms, term_weights
from amsf.report.figures import AMBER, BLUE, GREEN, GREY, ORANGE, picture

_PHASES: dict[str, tuple[str, Any]] = {"test": (BLUE, "-"), "val": (ORANGE, "--")}
_COLOURS, _DASHES = (GREEN, AMBER, GREY, BLUE, ORANGE), ("-", "--", ":")
_PHASE_NAMES = {"test": "test phase", "val": "validation phase"}


def draw_losses(benchmark: BenchmarkData, path: Path) -> None:
    """Each loss term over the steps: mean over seeds, and their range as a band."""
    terms = loss_terms(benchmark)
    rows = -(-len(terms) // 2)
    with picture(path, 5.6, 0.6 + 2.2 * rows) as figure:
        grid = figure.subplots(rows, 2, sharex=True, squeeze=False)
        for axes in grid.flat[len(terms) :]:
            axes.set_visible(False)
        for axes, (term, name) in zip(grid.flat, terms.items()):
            for phase, losses in benchmark.losses.groupby("phase"):
                colour, dashes = _PHASES[str(phase)]
                steps = losses.groupby("step")[term]
                x = steps.mean().index.to_numpy()
                # Where a term is not computed it is 0 or NaN, which a logarithmic axis leaves out.
                low, mean, high = (
                    np.where(v > 0, v, np.nan) for v in (steps.min(), steps.mean(), steps.max())
                )
                axes.fill_between(x, low, high, color=colour, alpha=0.25, linewidth=0)
                axes.plot(x, mean, dashes, color=colour, linewidth=1.3)
            axes.set_title(name)
            if (benchmark.losses[term] > 0).any():
                axes.set_yscale("log")
            axes.grid()
        for axes in grid[-1]:
            axes.set_xlabel("step")
            axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        _phase_legend(figure, benchmark.losses)


def draw_schedule(benchmark: BenchmarkData, path: Path) -> None:
    """The weights of the loss terms, and the unseen classes' accuracy after each cycle."""
    with picture(path, 5.6, 6.4) as figure:
        upper, lower = figure.subplots(2, 1)
        _draw_weights(upper, benchmark)
        for (phase, seed), cycles in benchmark.cycles.groupby(["phase", "seed"]):
            colour, dashes = _PHASES[str(phase)]
            x, y = cycles["cycle"] + 1, 100 * pd.to_numeric(cycles["zsl_accuracy"])
            if not y.notna().any():  # not looked at, by the protocol
                continue
            lower.plot(x, y, dashes, color=colour, marker=".", linewidth=1.2)
            chosen = benchmark.chosen[str(phase), int(str(seed))]
            if chosen in set(x):
                lower.plot(chosen, y[x == chosen], "o", color="none", markeredgecolor="black")
        lower.set_title("Accuracy on the phase's own unseen classes (%)")
        lower.set(xlabel="cycle", ylim=(0, 102))
        if not lower.lines:
            lower.text(
                0.5, 0.5, "not measured by this protocol", ha="center", transform=lower.transAxes
            )
        lower.xaxis.set_major_locator(MaxNLocator(integer=True))
        lower.grid()
        chosen_mark = Line2D(
            [], [], marker="o", color="none", markeredgecolor="black", label="chosen cycle"
        )
        measured = benchmark.cycles[benchmark.cycles["zsl_accuracy"].notna()]
        _phase_legend(figure, measured, *([chosen_mark] if lower.lines else []))


def _draw_weights(axes: Axes, benchmark: BenchmarkData) -> None:
    """The schedule, which is the same for all seeds and phases; each weight in parts of its top."""
    axes.set_title("Weights of the loss terms, over the largest of each")
    shown = term_weights(benchmark)
    if not shown:
        axes.text(0.5, 0.5, "no weight changes", ha="center", transform=axes.transAxes)
        return
    # A phase may stop early, at the chosen cycle.
    one = max((run for _, run in benchmark.losses.groupby(["phase", "seed"])), key=len)
    for (weight, name), colour, dashes in zip(shown.items(), cycle(_COLOURS), cycle(_DASHES)):
        top = one[weight].max()
        label = f"{name}, at most {top:.2g}" if top else f"{name}, never on"
        axes.plot(one["step"], one[weight] / (top or 1), dashes, color=colour, label=label)
    axes.set(xlabel="step", ylim=(-0.05, 1.1 + 0.2 * len(shown)))
    axes.set_yticks([0, 0.5, 1])
    axes.grid()
    axes.legend(loc="upper left", frameon=False)


def _phase_legend(figure: Figure, table: pd.DataFrame, *more: Line2D) -> None:
    handles = [
        Line2D([], [], color=colour, linestyle=dashes, label=_PHASE_NAMES[phase])
        for phase, (colour, dashes) in _PHASES.items()
        if (table["phase"] == phase).any()
    ]
    figure.legend(handles=[*handles, *more], loc="outside lower center", ncols=3, frameon=False)
