"""Compare experiments: did a change help?

    python -m amsf.compare BASE OTHER... [--benchmark KEY] [--metric H ZSL]
    python -m amsf.compare BASE OTHER... --splits [--method M...]

with DVC experiments, branches, tags, commits or ``workspace``. With BASE alone its seeds are
compared. With ``--splits`` it is over the class splits of ``python -m amsf.study``; with BASE alone
its methods are compared then. Nothing is checked out. See docs/experiments.md.
"""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Sequence
from pathlib import Path

from amsf.base.command import command
from amsf.base.display import say
from amsf.base.errors import InputError
from amsf.base.progress import track
from amsf.base.project import add_project, inside_project
from amsf.base.storage import write_text
from amsf.compare.evaluations import benchmarks_of, read_evaluation
from amsf.compare.pairs import METRICS, compare_experiments, compare_seeds
from amsf.compare.revisions import Revisions, Snapshot
from amsf.compare.studies import compare_methods, compare_studies, read_study, studied
from amsf.compare.tables import Report, as_csv, as_markdown, as_text, of_evaluations, of_studies


def compare(
    snapshots: Sequence[Snapshot],
    benchmark: str | None,
    metrics: Sequence[str],
    *,
    per_class: bool = False,
) -> list[Report]:
    """Compare the first with the others, or its seeds if it is alone.

    Args:
        snapshots: the experiments, without repetition.
        benchmark: a key of params.yaml; None for all that the experiments have in common.
        metrics: keys of :data:`amsf.compare.pairs.METRICS`.
        per_class: weigh classes alike instead of samples.

    Raises:
        InputError: an experiment has no such benchmark or no results of it, or two of them
            cannot be compared.
    """
    switched_on = {s.name: benchmarks_of(s) for s in snapshots}
    first = switched_on[snapshots[0].name]
    if benchmark is None:
        keys = [key for key in first if all(key in own for own in switched_on.values())]
        if not keys:
            lists = "; ".join(f"{name}: {', '.join(own)}" for name, own in switched_on.items())
            raise InputError(f"the experiments have no benchmark in common ({lists})")
    else:
        for name, own in switched_on.items():
            if benchmark not in own:
                close = difflib.get_close_matches(benchmark, own, n=1)
                hint = f"; did you mean {close[0]}?" if close else ""
                raise InputError(
                    f"{name}: benchmark {benchmark} is not switched on; it has "
                    f"{', '.join(own)}{hint}"
                )
        keys = [benchmark]
    reports = []
    for key in track(keys, "benchmarks compared"):
        base, *others = [read_evaluation(snapshot, key) for snapshot in snapshots]
        found = (
            compare_experiments(base, others, metrics, per_class=per_class)
            if others
            else compare_seeds(base, metrics, per_class=per_class)
        )
        if not found[0].rows:
            raise InputError(
                f"{base.experiment}: {key} has none of {', '.join(METRICS[m] for m in metrics)}; "
                "evaluate.task is zsl"
            )
        weighting = "per class" if per_class else "overall"
        reports.append(of_evaluations(key, base, weighting, found))
    return reports


def compare_over_splits(
    snapshots: Sequence[Snapshot],
    benchmark: str | None,
    metrics: Sequence[str],
    methods: Sequence[str],
) -> list[Report]:
    """Compare over class splits: the first with the others, or its methods if it is alone.

    Args:
        snapshots: the experiments, without repetition.
        benchmark: one that all have a study of; None for all such.
        metrics: keys of :data:`amsf.compare.pairs.METRICS`.
        methods: of one experiment the base and those to hold against it, of several the one to
            compare; none for ``model.aligner``.

    Raises:
        InputError: a study is missing, or two of them cannot be compared.
    """
    if len(snapshots) > 1 and len(methods) > 1:
        raise InputError("--method names several; of several experiments one method is compared")
    keys = [benchmark] if benchmark else studied(snapshots[0])
    if not benchmark:
        keys = [key for key in keys if all(key in studied(one) for one in snapshots[1:])]
    if not keys:
        names = ", ".join(one.name for one in snapshots)
        raise InputError(
            f"{names}: no study of class splits that all have; run `python -m amsf.study BENCHMARK "
            "--splits 40`, and commit what it writes to compare revisions"
        )
    reports = []
    for key in keys:
        base, *others = [(one.name, read_study(one, key)) for one in snapshots]
        method = methods[0] if methods else None
        found = (
            compare_studies(base, others, method, metrics)
            if others
            else compare_methods(base[1], methods, metrics)
        )
        if not found[0].rows:
            raise InputError(
                f"{base[0]}: the study of {key} has none of "
                f"{', '.join(METRICS[m] for m in metrics)} for both; leave out --metric"
            )
        reports.append(of_studies(key, base[1], found))
    return reports


def parser(prog: str = "python -m amsf.compare") -> argparse.ArgumentParser:
    """What the command takes."""
    own = argparse.ArgumentParser(prog=prog, description=__doc__.split("\n")[0])
    own.add_argument("base", help="experiment, branch, tag, commit or `workspace`")
    own.add_argument(
        "other", nargs="*", help="compared with base; none: the seeds, or methods, of base"
    )
    own.add_argument(
        "--splits", action="store_true", help="over the class splits of `python -m amsf.study`"
    )
    own.add_argument(
        "--method", nargs="+", default=[], help="with --splits (default: model.aligner)"
    )
    own.add_argument("--benchmark", help="one of params.yaml (default: all in common)")
    own.add_argument("--metric", nargs="+", choices=list(METRICS.values()), help="(default: all)")
    own.add_argument("--per-class", action="store_true", help="weigh classes alike")
    own.add_argument("--csv", type=Path, help="write the numbers as CSV")
    own.add_argument("--markdown", type=Path, help="write the tables as Markdown")
    add_project(own)
    return own


def main(arguments: Sequence[str] | None = None, prog: str = "python -m amsf.compare") -> None:
    """The command line."""
    given = parser(prog).parse_args(arguments)
    with command(), inside_project(given):
        _run(given)


def _run(given: argparse.Namespace) -> None:
    names = [given.base, *given.other]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise InputError(f"{twice[0]} is named twice; name the experiments to compare once each")
    for path in (given.csv, given.markdown):
        if path is not None and not path.parent.is_dir():
            raise InputError(f"{path}: its folder does not exist; make it, or name another")
    if given.method and not given.splits:
        raise InputError("--method is for studies of class splits; add --splits")
    if given.splits and given.per_class:
        raise InputError("a study has no scores per class; leave out --per-class")
    metrics = [m for m, shown in METRICS.items() if not given.metric or shown in given.metric]
    with Revisions() as revisions:
        snapshots = [revisions.open(name) for name in names]
        if given.splits:
            reports = compare_over_splits(snapshots, given.benchmark, metrics, given.method)
        else:
            reports = compare(snapshots, given.benchmark, metrics, per_class=given.per_class)
    say("\n\n".join(as_text(report) for report in reports))
    if given.csv is not None:
        write_text(given.csv, as_csv(reports))
    if given.markdown is not None:
        write_text(given.markdown, "\n".join(as_markdown(report) for report in reports))


if __name__ == "__main__":
    main()
