"""Paired differences: against scipy, hand-worked numbers, and their coverage in simulations."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from amsf.compare.statistics import (
    Difference,
    holm,
    paired_difference,
    sampling_covariance,
    verdict,
)

finite = st.floats(-1, 1, allow_nan=False)


def from_effects(effects: np.ndarray) -> Difference:
    """Of an (S, N) array: what each sample adds to each seed's difference, times N."""
    N = effects.shape[1]
    covariance = sampling_covariance(effects / N, np.zeros(N, dtype=int))
    return paired_difference(effects.mean(axis=1), covariance)


def test_covariance_is_that_of_means() -> None:
    values = np.random.default_rng(0).normal(size=(3, 40))
    found = sampling_covariance(values / 40, np.zeros(40, dtype=int))
    assert np.allclose(found, np.cov(values) / 40)


def test_covariance_within_strata_leaves_out_what_lies_between_them() -> None:
    # Two classes of 3 samples; the first seed's effect is all between them.
    components = np.array([[0.0, 0, 0, 1, 1, 1], [0, 1, 2, 0, 1, 2]])
    found = sampling_covariance(components, np.array([0, 0, 0, 1, 1, 1]))
    # Within a class 0, 1, 2 varies by 1 around its mean, times n for the sum, in two classes.
    assert np.allclose(found, [[0, 0], [0, 2 * 3 * 1]])


def test_a_stratum_of_one_sample_adds_nothing() -> None:
    assert np.array_equal(sampling_covariance(np.ones((2, 1)), np.array([5])), np.zeros((2, 2)))


def test_without_common_luck_of_the_samples_it_is_the_paired_t_test() -> None:
    base, other = np.array([0.50, 0.61, 0.55]), np.array([0.58, 0.64, 0.66])
    found = paired_difference(other - base, np.zeros((3, 3)))
    known = stats.ttest_rel(other, base)
    low, high = known.confidence_interval(0.95)
    assert found.p == pytest.approx(known.pvalue)
    assert (found.interval.low, found.interval.high) == (pytest.approx(low), pytest.approx(high))
    assert found.over_seeds == found.interval
    assert found.df == 2


def test_seeds_and_samples_together_worked_by_hand() -> None:
    # d = 1, 2, 3: var(d) / S = 1/3. Off its diagonal C is 2/3 everywhere, so the variance is 1 and
    # the degrees of freedom are 2 (1 / (1/3))^2 = 18.
    covariance = np.full((3, 3), 2 / 3) + np.diag([1.0, 1, 1])
    found = paired_difference([1, 2, 3], covariance)
    assert found.standard_error == pytest.approx(1)
    assert found.df == pytest.approx(18)
    assert found.interval.high == pytest.approx(2 + stats.t.ppf(0.975, 18))
    assert found.p == pytest.approx(2 * stats.t.sf(2, 18))
    # For these seeds alone: the mean of all nine entries is 1.
    assert found.over_samples.high == pytest.approx(2 + stats.norm.ppf(0.975))


def test_negative_common_luck_never_narrows_the_interval() -> None:
    found = paired_difference([1, 2, 3], np.full((3, 3), -0.3) + np.eye(3))
    assert found.standard_error == pytest.approx(math.sqrt(1 / 3))


def test_seeds_that_happen_to_agree_are_no_proof() -> None:
    """Each of two seeds gets one sample more right, another one: the samples may be luck."""
    effects = np.zeros((2, 40))
    effects[0, 3] = effects[1, 7] = 1
    found = from_effects(effects)
    # For these seeds: effects of a sample are (0.5, 0.5, 0, ...) on average, so 2 of 40 are 0.5.
    values = np.zeros(40)
    values[[3, 7]] = 0.5
    known = stats.norm.ppf(0.975) * values.std(ddof=1) / math.sqrt(40)
    assert found.mean == pytest.approx(1 / 40)
    assert found.interval.high - found.mean == pytest.approx(known)
    assert verdict(found, found.p) == "no difference shown"


@pytest.mark.parametrize("seeds", [2, 3])
def test_equal_accuracies_of_different_answers_are_no_difference(seeds: int) -> None:
    """Every model has 20 of 60 wrong, others each time: rounding is all that differs."""
    rng = np.random.default_rng(1)
    for _ in range(200):
        right = np.ones((2, seeds, 60))
        for answers in right.reshape(-1, 60):
            answers[rng.choice(60, 20, replace=False)] = 0
        found = from_effects(right[1] - right[0])
        assert verdict(found, found.p).startswith("no difference")


@pytest.mark.parametrize("seeds", [2, 3, 5])
def test_few_disagreements_seldom_show_a_difference_that_is_not_there(seeds: int) -> None:
    rng = np.random.default_rng(0)
    effects = rng.choice([-1.0, 0, 1], p=[0.025, 0.95, 0.025], size=(1000, seeds, 50))
    assert np.mean([from_effects(e).p < 0.05 for e in effects]) < 0.07


def test_one_seed_tells_of_other_samples_alone() -> None:
    found = paired_difference([0.1], np.array([[0.04**2]]))
    assert found.over_seeds is None
    assert found.interval == found.over_samples
    assert found.interval.low == pytest.approx(0.1 - 1.959964 * 0.04, abs=1e-6)
    assert verdict(found, found.p) == "better, as far as other samples go"


def test_equal_experiments_differ_by_exactly_nothing() -> None:
    found = from_effects(np.zeros((3, 50)))
    assert (found.mean, found.interval.low, found.interval.high, found.p) == (0, 0, 0, 1)
    assert verdict(found, 1.0) == "no difference: equal in every seed"


@given(
    st.integers(1, 5).flatmap(
        lambda s: st.lists(st.lists(finite, min_size=8, max_size=8), min_size=s, max_size=s)
    )
)
def test_swapping_the_sides_flips_the_signs(effects: list[list[float]]) -> None:
    one, two = from_effects(np.array(effects)), from_effects(-np.array(effects))
    assert two.mean == -one.mean
    assert (two.interval.low, two.interval.high) == (-one.interval.high, -one.interval.low)
    assert two.p == one.p
    assert one.interval.low <= one.mean <= one.interval.high


def simulate(seeds: float, samples: float, own: float, shift: float = 0) -> list[Difference]:
    """400 experiments with 3 seeds and 100 samples: deviations of a seed, a sample, and of both."""
    rng = np.random.default_rng(7)
    return [
        from_effects(
            shift
            + seeds * rng.normal(size=(3, 1))
            + samples * rng.normal(size=(1, 100))
            + own * rng.normal(size=(3, 100))
        )
        for _ in range(400)
    ]


@pytest.mark.parametrize(
    ("seeds", "samples", "own"), [(0, 1, 1), (0.05, 1, 1), (0.2, 1, 1), (1, 1, 1), (0.1, 0.3, 1)]
)
def test_95_percent_intervals_hold_the_truth_as_often(
    seeds: float, samples: float, own: float
) -> None:
    found = simulate(seeds, samples, own)
    held = np.mean([d.interval.low <= 0 <= d.interval.high for d in found])
    assert 0.91 <= held <= 0.98  # 0.95 within the error of 400 runs, and the method's own


def test_either_source_alone_is_too_sure_of_itself() -> None:
    found = simulate(1, 1, 1)
    assert np.mean([d.over_samples.low <= 0 <= d.over_samples.high for d in found]) < 0.5
    found = simulate(0.02, 1, 0.3)
    assert (
        np.mean([bool(d.over_seeds and d.over_seeds.low <= 0 <= d.over_seeds.high) for d in found])
        < 0.7
    )


def test_a_planted_improvement_is_found() -> None:
    found = simulate(0.05, 0.5, 0.5, shift=0.5)
    assert np.mean([verdict(d, d.p) == "better" for d in found]) > 0.95
    assert np.mean([d.interval.low <= 0.5 <= d.interval.high for d in found]) > 0.9


def test_holm_worked_by_hand() -> None:
    # Sorted 0.01, 0.03, 0.04 times 3, 2, 1 is 0.03, 0.06, 0.04; none below the one before it.
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([0.2]) == [0.2]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_lies_between_the_raw_and_the_bonferroni_values(p: list[float]) -> None:
    for raw, adjusted in zip(p, holm(p), strict=True):
        assert raw <= adjusted <= min(1, len(p) * raw) + 1e-12


def test_verdicts_in_words() -> None:
    clear = paired_difference([0.10, 0.11, 0.09], np.zeros((3, 3)))
    assert verdict(clear, clear.p) == "better"
    assert verdict(paired_difference([-0.10, -0.11, -0.09], np.zeros((3, 3))), 0.01) == "worse"
    assert verdict(clear, 0.2) == "no difference shown, given how many comparisons were made"
    vague = paired_difference([0.3, -0.1, 0.1], np.zeros((3, 3)))
    assert verdict(vague, vague.p) == "no difference shown"
