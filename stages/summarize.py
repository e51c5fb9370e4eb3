"""Gather and report the benchmarks' results: ``python -m stages.summarize``."""

from __future__ import annotations

from amsf.base.artifacts import METRICS
from amsf.base.storage import write_json
from amsf.evaluation.headline import headline
from amsf.report.closing import closing_table
from amsf.report.data import gather
from amsf.report.provenance import collect_provenance
from amsf.report.published_results import load_published
from amsf.report.write import write_report
from amsf.settings.params import load_params
from stages import run


def main() -> None:
    """Write metrics/: gzsl.json (percent), report.html, run.html, pictures/ and plots/."""
    params = load_params()
    published = load_published()
    benchmarks = [gather(key, params) for key in params.benchmarks]
    rows = {}
    for benchmark in benchmarks:
        row = rows[benchmark.key] = headline(benchmark.metrics)
        if benchmark.study is not None:
            row["class_splits"] = benchmark.study.headline()
        if benchmark.split.also:
            row["trained_also_on"] = ", ".join(benchmark.conditions.also)
    write_report(benchmarks, published, collect_provenance(list(params.benchmarks)), METRICS)
    write_json(METRICS.scores, rows)
    print(closing_table(benchmarks, METRICS.report))


if __name__ == "__main__":
    run(main)
