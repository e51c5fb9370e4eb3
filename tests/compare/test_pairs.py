"""Experiments and seeds against a base, on evaluations with planted differences."""

from __future__ import annotations

from dataclasses import replace

import pytest

from amsf.base.errors import InputError
from amsf.compare.pairs import METRICS, compare_experiments, compare_seeds
from amsf.compare.statistics import holm
from tests.compare.test_checks import evaluation
from tests.support.small_evaluation import answers, scores

SEEDS = (0, 1, 2)
LOW, HIGH = evaluation("low", 0.55, SEEDS), evaluation("high", 0.85, SEEDS)


def test_means_and_differences_are_those_of_the_definitions() -> None:
    (found,) = compare_experiments(LOW, [HIGH], list(METRICS), per_class=False)
    assert (found.base, found.other, found.seeds) == ("low", "high", SEEDS)
    for row in found.rows:
        base = [scores(*answers(seed, 0.55))[row.metric] for seed in SEEDS]
        other = [scores(*answers(seed, 0.85))[row.metric] for seed in SEEDS]
        assert row.base == pytest.approx(sum(base) / 3)
        assert row.other == pytest.approx(sum(other) / 3)
        assert row.difference.mean == pytest.approx(row.other - row.base)


def test_a_planted_improvement_is_found_and_its_reverse_is_the_mirror() -> None:
    (better,) = compare_experiments(LOW, [HIGH], ["zsl", "H"], per_class=False)
    (worse,) = compare_experiments(HIGH, [LOW], ["zsl", "H"], per_class=False)
    for one, two in zip(better.rows, worse.rows, strict=True):
        assert one.difference.interval.low > 0
        assert two.difference.interval.high == pytest.approx(-one.difference.interval.low)
        assert two.difference.mean == pytest.approx(-one.difference.mean)
        assert two.adjusted == pytest.approx(one.adjusted)


def test_equal_experiments_differ_by_nothing() -> None:
    (found,) = compare_experiments(LOW, [evaluation("twin", 0.55, SEEDS)], ["H"], per_class=True)
    d = found.rows[0].difference
    assert (d.mean, d.interval.low, d.interval.high) == (0, 0, 0)


def test_only_common_seeds_count() -> None:
    other = evaluation("high", 0.85, (1, 2, 5))
    (found,) = compare_experiments(LOW, [other], ["H"], per_class=False)
    assert found.seeds == (1, 2)
    assert found.rows[0].difference.seeds == 2
    assert "seed 0, 5" in found.notes[0]


def test_several_comparisons_are_adjusted_metric_by_metric() -> None:
    others = [HIGH, evaluation("middle", 0.6, SEEDS), evaluation("twin", 0.56, SEEDS)]
    found = compare_experiments(LOW, others, ["zsl", "ausuc"], per_class=False)
    for place in (0, 1):
        rows = [comparison.rows[place] for comparison in found]
        assert [r.adjusted for r in rows] == pytest.approx(holm([r.difference.p for r in rows]))


def test_zsl_alone_where_one_has_no_gzsl() -> None:
    (found,) = compare_experiments(LOW, [replace(HIGH, gzsl={})], list(METRICS), per_class=False)
    assert [row.metric for row in found.rows] == ["zsl"]


def test_seeds_of_one_experiment_against_its_first() -> None:
    found = compare_seeds(LOW, ["zsl"], per_class=False)
    assert [(c.base, c.other) for c in found] == [("seed 0", "seed 1"), ("seed 0", "seed 2")]
    values = [scores(*answers(seed, 0.55))["zsl"] for seed in SEEDS]
    assert found[1].rows[0].difference.mean == pytest.approx(values[2] - values[0])
    assert found[1].rows[0].difference.over_seeds is None


def test_one_seed_has_nothing_to_compare_with() -> None:
    with pytest.raises(InputError, match="lonely: tiny has one seed"):
        compare_seeds(evaluation("lonely", 0.5, (4,)), ["zsl"], per_class=False)
