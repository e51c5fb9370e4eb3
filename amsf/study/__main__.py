"""Score methods on many class splits.

    python -m amsf.study BENCHMARK [--splits 40]

writes ``metrics/many_splits/BENCHMARK/``: ``scores.csv``, a row for each split, method and seed,
and ``summary.json``, means with standard errors and paired differences. Both are small; committed,
they are in the report and can be compared (``python -m amsf.compare --splits``). The benchmark's
texts are those of its stage encode; the methods are ``model.aligner`` and ``evaluate.baselines``.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import amsf.stage.pinned  # noqa: F401  (before anything loads NumPy or torch)
from amsf.base.artifacts import METRICS, Artifacts
from amsf.base.command import command
from amsf.base.display import say
from amsf.base.errors import InputError
from amsf.base.project import add_project, inside_project
from amsf.settings.params import load_params
from amsf.study.run import clear, study
from amsf.study.summary import as_text
from amsf.text.features import load_other_texts, load_text_features


def parser(prog: str = "python -m amsf.study") -> argparse.ArgumentParser:
    """What the command takes."""
    own = argparse.ArgumentParser(prog=prog, description=__doc__.split("\n")[0])
    own.add_argument("benchmark", help="a name in params.yaml")
    own.add_argument(
        "--splits", type=int, help="how many class splits (default: the benchmark's own `splits`)"
    )
    add_project(own)
    return own


def main(arguments: Sequence[str] | None = None, prog: str = "python -m amsf.study") -> None:
    """Run the study of one benchmark and print what each method scores."""
    given = parser(prog).parse_args(arguments)
    with command(), inside_project(given):
        run(given.benchmark, given.splits)


def run(key: str, splits: int | None) -> None:
    """Write ``metrics/many_splits/<benchmark>/``.

    Raises:
        InputError: no split is asked for, the texts are not encoded yet, or see
            :func:`amsf.study.run.study`.
    """
    params, artifacts = load_params(), Artifacts(key)
    entry, settings = params.benchmark(key), params.for_benchmark(key)
    if splits is not None:
        entry = entry.model_copy(update={"splits": splits})
    if entry.splits < 1:
        raise InputError(
            f"benchmarks.{key}.splits is {entry.splits}; give the benchmark `splits: 40` in "
            "params.yaml, or --splits 40 here"
        )
    if not artifacts.text_features.is_dir():
        raise InputError(
            f"{artifacts.text_features}: no such folder; the texts of {key} are not encoded yet: "
            f"run `dvc repro`, or for them alone `dvc repro encode@{key}`"
        )
    views = settings.model.views
    text = load_text_features(artifacts.text_features).select(views)
    vectors = {
        name: features.select(views)
        for name, features in load_other_texts(artifacts.text_features).items()
    }
    scratch = artifacts.splits_scratch
    found = study(key, entry, settings, text, METRICS.many_splits / key, scratch, vectors)
    also = f", trained also on {', '.join(entry.also)}" if entry.also else ""
    for method, scores in found.summary().items():
        shown = ", ".join(
            f"{name} {as_text(scores[score])}"
            for score, name in (("zsl", "ZSL"), ("H", "H"))
            if score in scores
        )
        say(f"{key}, class splits: {entry.splits}{also}, {method}: {shown}")
    chance = 100 / entry.unseen
    say(f"{key}: percent, mean ± standard error over splits; chance of ZSL {chance:.1f}")
    clear(scratch)


if __name__ == "__main__":
    main()
