"""The report's page, results first, then each benchmark: ``page.html``; and that of the run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from amsf.report.benchmark_section import FEATURES, benchmark_section
from amsf.report.data import BenchmarkData
from amsf.report.provenance import Provenance
from amsf.report.render import render
from amsf.report.run_section import run_section
from amsf.report.words import SCORES, beside_in_order, beside_name, doubts, in_percent, spread


def build_page(benchmarks: Sequence[BenchmarkData], published: pd.DataFrame, pictures: Path) -> str:
    """The whole page, which is the same from run to run.

    Args:
        benchmarks: at least one.
        published: the table of published results.
        pictures: folder with a folder of PNG files a benchmark.
    """
    return render(
        "page.html",
        summary=[summary_row(benchmark) for benchmark in benchmarks],
        benchmarks=[
            benchmark_section(benchmark, published, pictures / benchmark.key)
            for benchmark in benchmarks
        ],
    )


def build_run_page(provenance: Provenance) -> str:
    """The page on what was run."""
    return render("run_page.html", run=run_section(provenance))


def summary_row(benchmark: BenchmarkData) -> dict[str, Any]:
    """A benchmark in the table that the page starts with, and what stands beside its result."""
    split = benchmark.split
    return {
        "key": benchmark.key,
        "dataset": split.dataset,
        "simulated": benchmark.simulated,
        "doubtful": bool(doubts(benchmark.metrics, len(split.seen), len(split.unseen))),
        "scores": [spread(benchmark.metrics, score) for score in SCORES],
        "beside": [
            {
                "name": beside_name(name, len(benchmark.seeds)),
                "scores": [in_percent(scores, score) for score in SCORES],
            }
            for name, scores in beside_in_order(benchmark.metrics["beside"])
        ],
        "seeds": len(benchmark.seeds),
        "protocol": benchmark.metrics["protocol"],
        "selection": benchmark.metrics["selection"],
        "seen": len(split.seen),
        "unseen": len(split.unseen),
        "chance": f"{100 / len(split.unseen):.1f}",
        "features": FEATURES[benchmark.entry.features],
        "texts": benchmark.text["encoder"],
    }
