"""The report of all benchmarks that ran: pictures, tables for `dvc plots`, and one page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from amsf.base.artifacts import Metrics
from amsf.base.progress import track
from amsf.base.storage import atomic_path, write_text
from amsf.report import pose_pictures, result_pictures, training_pictures
from amsf.report.data import BenchmarkData, loss_terms
from amsf.report.page import build_page, build_run_page
from amsf.report.plot_tables import write_plot_tables
from amsf.report.provenance import Provenance


def write_report(
    benchmarks: Sequence[BenchmarkData],
    published: pd.DataFrame,
    provenance: Provenance,
    out: Metrics,
) -> None:
    """Write ``pictures/<benchmark>/*``, ``plots/*.csv``, ``report.html``, which holds all, and
    ``run.html`` on what was run: times and machines, which never repeat, stand there alone.

    Args:
        benchmarks: at least one.
        published: the table of published results.
        provenance: what was run.
        out: where to.
    """
    with atomic_path(out.pictures) as temporary:
        for benchmark in track(benchmarks, "benchmarks drawn"):
            draw_pictures(benchmark, temporary / benchmark.key)
    with atomic_path(out.plots) as temporary:
        temporary.mkdir()
        write_plot_tables(benchmarks, temporary)
    write_text(out.report, build_page(benchmarks, published, out.pictures))
    write_text(out.run, build_run_page(provenance))


def draw_pictures(benchmark: BenchmarkData, folder: Path) -> None:
    """Every picture of one benchmark.

    There is no curve where only ZSL was evaluated, and none of training where it has no steps.
    """
    if benchmark.curve is not None:
        result_pictures.draw_curve(benchmark, folder / "curve.png")
    result_pictures.draw_confusion(benchmark, folder / "confusion.png")
    result_pictures.draw_reliability(benchmark, folder / "reliability.png")
    result_pictures.draw_classes(benchmark, folder / "classes.png")
    result_pictures.draw_map(benchmark, folder / "map.png")
    result_pictures.draw_texts(benchmark, folder / "texts.png")
    if benchmark.poses is not None and len(benchmark.poses.labels):
        pose_pictures.draw_poses(benchmark, folder / "poses.png")
    if loss_terms(benchmark):
        training_pictures.draw_losses(benchmark, folder / "losses.png")
        training_pictures.draw_schedule(benchmark, folder / "schedule.png")
