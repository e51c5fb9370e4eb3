"""Does a change help? Paired differences with intervals over seeds and test samples.

S = seeds · N = test samples.

Two experiments are scored on the same S seeds and the same N test samples. Their difference varies
for two reasons: other seeds would train other models, and other recordings of the same classes
would be other test samples. Every model answers every sample, so the two are crossed, as readers
and cases are in a reader study, and the analysis is the one of reader studies: Obuchowski and
Rockette, Communications in Statistics 24 (1995), with the degrees of freedom of Hillis, Statistics
in Medicine 26 (2007). With d_s the difference of seed s and C the covariance of the d_s over other
draws of the samples,

    variance of the mean = var(d_s) / S + max(0, mean of C off its diagonal)
    degrees of freedom   = (S - 1) (that variance / (var(d_s) / S))^2

The first term holds the seeds and what a sample means to one seed alone; the second is the part of
the samples' luck that all seeds share, which no number of seeds averages out. Two or three d_s
that happen to be equal would make the sum 0; it is therefore never taken below the mean of all of
C, which is what the sum is expected to be if the seeds themselves make no difference. A bootstrap
over three seeds would make intervals far too short; a t interval does not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """A confidence interval."""

    low: float
    high: float


@dataclass(frozen=True)
class Difference:
    """The mean paired difference of a metric, other minus base.

    Attributes:
        mean: over the seeds, or over class splits.
        interval: for other seeds and other samples; with one seed for other samples alone; over
            class splits for other such splits.
        over_seeds: for other seeds on these samples; None with one seed, and over class splits.
        over_samples: for these seeds on other samples; None over class splits.
        standard_error: the error of ``mean``, from which ``interval`` is made.
        df: degrees of freedom of ``interval``; infinite where the samples alone count.
        p: two-sided probability of a mean this far from 0 if the true one were 0.
        seeds: S, or the number of class splits.
    """

    mean: float
    interval: Interval
    over_seeds: Interval | None
    over_samples: Interval | None
    standard_error: float
    df: float
    p: float
    seeds: int


def sampling_covariance(components: np.ndarray, strata: np.ndarray) -> np.ndarray:
    """How scores vary together over other draws of the test samples: (S, N), (N,) -> (S, S).

    Args:
        components: what each sample adds to each score, to first order (the infinitesimal
            jackknife; for an area under a curve DeLong's structural components, Biometrics 44,
            1988).
        strata: samples are drawn anew within each: the class, so that class counts stay as they
            are. A stratum of one sample does not show how others would do and adds 0.
    """
    total = np.zeros((len(components), len(components)))
    for stratum in np.unique(strata):
        part = components[:, strata == stratum]
        n = part.shape[1]
        if n > 1:
            part = part - part.mean(axis=1, keepdims=True)
            total += n / (n - 1) * part @ part.T
    return total


def paired_difference(differences: Sequence[float], covariance: np.ndarray) -> Difference:
    """The mean of S paired differences and its intervals; see the module for the formula.

    Args:
        differences: (S,) other minus base, a seed each.
        covariance: (S, S) of the differences over other draws of the samples.
    """
    d = np.asarray(differences, dtype=np.float64)
    S, mean = len(d), float(d.mean())
    samples = max(0.0, float(covariance.mean()))  # rounding may leave it below 0
    if S == 1:
        variance, df, over_seeds = samples, math.inf, None
    else:
        seeds = float(d.var(ddof=1)) / S
        shared = (float(covariance.sum()) - float(np.trace(covariance))) / (S * (S - 1))
        variance = max(seeds + max(0.0, shared), samples)
        ratio = variance / seeds if seeds > 0 else math.inf
        df = (S - 1) * ratio * ratio
        over_seeds = _interval(mean, seeds, S - 1)
    error = math.sqrt(variance)
    p = 1.0 if mean == 0 else 0.0
    if error > 0:
        p = float(2 * t.sf(abs(mean) / error, df))
    return Difference(
        mean=mean,
        interval=_interval(mean, variance, df),
        over_seeds=over_seeds,
        over_samples=_interval(mean, samples, math.inf),
        standard_error=error,
        df=df,
        p=p,
        seeds=S,
    )


def paired_over_splits(differences: np.ndarray) -> Difference:
    """The mean of paired differences over class splits drawn at random, with a t interval.

    Args:
        differences: (n,) other minus base, one of each split, n at least 2.
    """
    d = np.asarray(differences, dtype=np.float64)
    n, mean = len(d), float(d.mean())
    variance = float(d.var(ddof=1)) / n
    error = math.sqrt(variance)
    p = 1.0 if mean == 0 else 0.0
    if error > 0:
        p = float(2 * t.sf(abs(mean) / error, n - 1))
    return Difference(mean, _interval(mean, variance, n - 1), None, None, error, n - 1, p, n)


def _interval(mean: float, variance: float, df: float) -> Interval:
    half = float(t.ppf((1 + CONFIDENCE) / 2, df)) * math.sqrt(variance)
    return Interval(mean - half, mean + half)


def holm(p: Sequence[float]) -> list[float]:
    """Adjust the probabilities of several comparisons (Holm, Scand. J. of Statistics 6, 1979).

    Whoever calls a difference shown where the adjusted value is below 0.05 errs in one or more of
    the comparisons with a probability of at most 0.05.
    """
    adjusted, highest = [0.0] * len(p), 0.0
    for rank, index in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
        highest = max(highest, min(1.0, (len(p) - rank) * p[index]))
        adjusted[index] = highest
    return adjusted


def verdict(difference: Difference, adjusted: float, unit: str = "seed") -> str:
    """The difference in words.

    Args:
        difference: other minus base of a metric of which more is better.
        adjusted: its probability, adjusted for the comparisons made beside it.
        unit: what the differences are of.
    """
    if difference.mean == 0 and difference.standard_error == 0:
        return f"no difference: equal in every {unit}"
    level = 1 - CONFIDENCE
    if adjusted < level:
        word = "better" if difference.mean > 0 else "worse"
        return word if difference.seeds > 1 else f"{word}, as far as other samples go"
    if difference.p < level:
        return "no difference shown, given how many comparisons were made"
    return "no difference shown"
