"""How far confidence is from accuracy: the reliability curve and its expected calibration error.

N = samples · B = bins. Confidence is the probability of the answered class. Source: Guo et al., On
calibration of modern neural networks, ICML 2017. Nothing here imports torch: the report reads it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

BINS = 15
_DRAWS = 200


@dataclass(frozen=True)
class ReliabilityCurve:
    """The bins that have samples, by rising confidence.

    Attributes:
        confidence: (B,) mean confidence of each bin's samples.
        accuracy: (B,) share of them that is answered rightly.
        weight: (B,) share of all samples; sums to 1.
    """

    confidence: np.ndarray
    accuracy: np.ndarray
    weight: np.ndarray

    @property
    def error(self) -> float:
        """The expected calibration error: the mean of |accuracy - confidence| over samples."""
        return float(self.weight @ np.abs(self.accuracy - self.confidence))


def reliability_curve(
    confidence: np.ndarray,
    right: np.ndarray,
    weights: np.ndarray | None = None,
    *,
    equal_mass: bool = False,
) -> ReliabilityCurve:
    """Sort samples by their confidence into :data:`BINS` bins of equal width.

    Args:
        confidence: (N,) from 0 to 1, N at least 1.
        right: (N,) bool.
        weights: (N,) that sum to 1; None where samples weigh alike.
        equal_mass: bins of as many samples each instead.
    """
    count = len(confidence)
    if weights is None:
        weights = np.full(count, 1 / count)
    if equal_mass:
        place = np.argsort(np.argsort(confidence, kind="stable")) * BINS // count
    else:  # a bin has its upper edge, as scikit-learn's and Guo's have
        place = np.clip(np.ceil(np.asarray(confidence) * BINS).astype(int) - 1, 0, BINS - 1)
    total, sure, correct = (
        np.bincount(place, weights * values, BINS) for values in (np.ones(count), confidence, right)
    )
    kept = total > 0
    return ReliabilityCurve(sure[kept] / total[kept], correct[kept] / total[kept], total[kept])


def error_of_chance(confidence: np.ndarray) -> float:
    """The mean error that a perfectly calibrated predictor would show on as few samples.

    Each of (N,) answers is right with the probability that it claims, :data:`_DRAWS` times.
    """
    drawn = np.random.default_rng(0).random((_DRAWS, len(confidence))) < confidence
    return float(np.mean([reliability_curve(confidence, right).error for right in drawn]))
