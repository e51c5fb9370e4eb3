"""Experiments or seeds held against a base: a row for each metric.

S = seeds · N = test samples.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from amsf.base.errors import InputError
from amsf.compare.checks import changes, check_pair
from amsf.compare.evaluations import Evaluation
from amsf.compare.scores import Score
from amsf.compare.statistics import Difference, holm, paired_difference, sampling_covariance

# A score's name in the files -> as it is shown. More is better in all of them.
METRICS = {"zsl": "ZSL", "seen": "S", "unseen": "U", "H": "H", "ausuc": "AUSUC"}


@dataclass(frozen=True)
class Row:
    """One metric: the means of both sides as fractions, their difference, and its adjusted p."""

    metric: str
    base: float
    other: float
    difference: Difference
    adjusted: float


@dataclass(frozen=True)
class Comparison:
    """One experiment, or seed, against the base.

    Attributes:
        base: its name.
        other: its name.
        seeds: the seeds that both have; empty where two seeds are compared, or class splits.
        rows: a metric each.
        notes: what to keep in mind.
        changes: in what the two differ.
        splits: the number of class splits that are compared; 0 where there is one, the benchmark's.
    """

    base: str
    other: str
    seeds: tuple[int, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    splits: int = 0

    def with_adjusted(self, adjusted: Mapping[str, float]) -> Comparison:
        """The same with these adjusted probabilities, by metric."""
        return replace(
            self, rows=tuple(replace(row, adjusted=adjusted[row.metric]) for row in self.rows)
        )


def compare_experiments(
    base: Evaluation, others: Sequence[Evaluation], metrics: Sequence[str], *, per_class: bool
) -> list[Comparison]:
    """Each of the others against the base, over the seeds that both have.

    Args:
        base: what the others are held against.
        others: one or more.
        metrics: keys of :data:`METRICS`.
        per_class: weigh classes alike instead of samples.

    Raises:
        InputError: two of them cannot be compared (:func:`amsf.compare.checks.check_pair`).
    """
    found = []
    for other in others:
        warnings = check_pair(base, other)
        seeds = [seed for seed in base.seeds if seed in other.zsl]
        one = [base.scores(seed, per_class=per_class) for seed in seeds]
        two = [other.scores(seed, per_class=per_class) for seed in seeds]
        found.append(
            Comparison(
                base=base.experiment,
                other=other.experiment,
                seeds=tuple(seeds),
                rows=_rows(base, one, two, metrics),
                notes=tuple(warnings),
                changes=tuple(changes(base, other)),
            )
        )
    return adjust(found)


def compare_seeds(
    evaluation: Evaluation, metrics: Sequence[str], *, per_class: bool
) -> list[Comparison]:
    """Each further seed of an experiment against its first, over other draws of the samples.

    Raises:
        InputError: it has one seed.
    """
    first, *rest = evaluation.seeds
    if not rest:
        raise InputError(
            f"{evaluation.experiment}: {evaluation.benchmark} has one seed; name a second "
            "experiment to compare with, or run several train.seeds"
        )
    scores = {seed: evaluation.scores(seed, per_class=per_class) for seed in evaluation.seeds}
    found = [
        Comparison(
            base=f"seed {first}",
            other=f"seed {seed}",
            seeds=(),
            rows=_rows(evaluation, [scores[first]], [scores[seed]], metrics),
        )
        for seed in rest
    ]
    return adjust(found)


def _rows(
    evaluation: Evaluation,
    one: Sequence[dict[str, Score]],
    two: Sequence[dict[str, Score]],
    metrics: Sequence[str],
) -> tuple[Row, ...]:
    """A row for each metric that both have; ``one`` and ``two`` hold the scores of each seed."""
    seed = evaluation.seeds[0]
    rows = []
    for metric in metrics:
        if metric not in one[0] or metric not in two[0]:
            continue
        strata = evaluation.zsl[seed]["label"]
        if metric != "zsl":
            strata = evaluation.gzsl[seed]["labels"]
        values = np.array([[scores[metric].value for scores in side] for side in (one, two)])
        components = np.stack(
            [b[metric].components - a[metric].components for a, b in zip(one, two, strict=True)]
        )
        difference = paired_difference(
            values[1] - values[0], sampling_covariance(components, strata.to_numpy())
        )
        base, other = values.mean(axis=1)
        rows.append(Row(metric, float(base), float(other), difference, difference.p))
    return tuple(rows)


def adjust(found: Sequence[Comparison]) -> list[Comparison]:
    """The same with probabilities adjusted over the comparisons, metric by metric."""
    adjusted: dict[tuple[int, str], float] = {}
    for metric in METRICS:
        p = {
            (place, metric): row.difference.p
            for place, comparison in enumerate(found)
            for row in comparison.rows
            if row.metric == metric
        }
        adjusted |= dict(zip(p, holm(list(p.values()))))
    return [
        comparison.with_adjusted(
            {row.metric: adjusted[place, row.metric] for row in comparison.rows}
        )
        for place, comparison in enumerate(found)
    ]
