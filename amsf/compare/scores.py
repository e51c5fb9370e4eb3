"""Scores of one seed, with what each test sample adds to them.

N = test samples. A score's components are its derivatives by the samples' weights, times those
weights: what drawing other samples changes, to first order (see :mod:`amsf.compare.statistics`).
Fractions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from amsf.evaluation.metrics import harmonic_mean, sample_weights


@dataclass(frozen=True)
class Score:
    """A score and the (N,) components of it."""

    value: float
    components: np.ndarray


def zsl_score(labels: np.ndarray, prediction: np.ndarray, *, per_class: bool) -> Score:
    """ZSL accuracy: (N,), (N,)."""
    return _accuracy(labels, prediction, np.ones(len(labels), dtype=bool), per_class)


def gzsl_scores(gzsl: pd.DataFrame, is_unseen: np.ndarray, *, per_class: bool) -> dict[str, Score]:
    """S, U, H and the area under the seen-unseen curve.

    Args:
        gzsl: one seed's answers for the N test samples, with the columns of
            ``predictions_seed*.csv`` (see :class:`amsf.evaluation.evaluate.GzslPredictions`).
        is_unseen: (N,) bool, whether a sample's class is unseen.
        per_class: weigh classes alike instead of samples.

    H = 2SU/(S+U) has dH/dS = 2U²/(S+U)² and dH/dU = 2S²/(S+U)². The area is a sum over pairs of a
    seen sample i and an unseen sample j, each with its weight where its own classifier is right,
    that counts a pair if P(unseen) of j is above that of i, and half of a tie: the weighted
    Mann-Whitney form of the trapezoidal rule. A sample's component is its part of that sum
    (DeLong et al., Biometrics 44, 1988).
    """
    labels, prediction = gzsl["labels"].to_numpy(), gzsl["prediction"].to_numpy()
    seen = _accuracy(labels, prediction, ~is_unseen, per_class)
    unseen = _accuracy(labels, prediction, is_unseen, per_class)
    S, U = seen.value, unseen.value
    slopes = (2 * U**2 / (S + U) ** 2, 2 * S**2 / (S + U) ** 2) if S + U > 0 else (0.0, 0.0)
    return {
        "seen": seen,
        "unseen": unseen,
        "H": Score(
            harmonic_mean(S, U), slopes[0] * seen.components + slopes[1] * unseen.components
        ),
        "ausuc": _area(gzsl, is_unseen, per_class),
    }


def _accuracy(
    labels: np.ndarray, prediction: np.ndarray, side: np.ndarray, per_class: bool
) -> Score:
    components = np.zeros(len(labels))
    right = labels[side] == prediction[side]
    components[side] = sample_weights(labels[side], per_class=per_class) * right
    return Score(float(components.sum()), components)


def _area(gzsl: pd.DataFrame, is_unseen: np.ndarray, per_class: bool) -> Score:
    labels, p = gzsl["labels"].to_numpy(), gzsl["probability"].to_numpy()
    sides = (~is_unseen, is_unseen)
    seen, unseen = (
        _accuracy(labels, gzsl[f"{name}_prediction"].to_numpy(), side, per_class).components[side]
        for name, side in zip(("seen", "unseen"), sides)
    )
    components = np.zeros(len(p))
    components[~is_unseen] = seen * _weight_above(p[~is_unseen], p[is_unseen], unseen)
    components[is_unseen] = unseen * _weight_above(-p[is_unseen], -p[~is_unseen], seen)
    return Score(float(components[is_unseen].sum()), components)


def _weight_above(at: np.ndarray, others: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """For each of ``at``, the weight of the others above it and half of those equal to it."""
    order = np.argsort(others, kind="stable")
    sums = np.concatenate([[0.0], np.cumsum(weights[order])])
    below, up_to = (np.searchsorted(others[order], at, side=s) for s in ("left", "right"))
    return sums[-1] - (sums[below] + sums[up_to]) / 2
