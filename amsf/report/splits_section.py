"""The part of a benchmark's section on its methods over many class splits."""

from __future__ import annotations

from typing import Any

from amsf.evaluation.headline import ENSEMBLE
from amsf.report.data import BenchmarkData
from amsf.report.render import Table
from amsf.report.words import SCORES
from amsf.study.summary import as_text, paired_difference

_COLUMNS = {**SCORES, "ausuc": "AUSUC", "ece": "ECE"}


def splits_section(benchmark: BenchmarkData) -> dict[str, Any]:
    """Values of the template: ``count``, a ``table`` of the methods, and ``changes`` since."""
    study = benchmark.study
    assert study is not None
    about, summary = study.about, study.summary()
    base = about["method"]
    names = {n: label for n, label in _COLUMNS.items() if n in summary[base]}
    rows = [
        [
            name.replace(ENSEMBLE, "ensemble of all seeds"),
            *(as_text(summary[name].get(score, {})) or "–" for score in names),
            paired_difference(summary[name], "zsl") or "–",
        ]
        for name in study.methods
    ]
    header = ["Method", *names.values(), f"ZSL less that of {base}"]
    caption = f"Over {about['splits']} class splits, in percent, every sample alike"
    settings = benchmark.settings.model_dump(mode="json")
    return {
        "count": about["splits"],
        "table": Table(caption, header, rows, range(1, len(header)), [study.methods.index(base)]),
        "changes": study.changes(benchmark.entry.model_dump(), settings),
    }
