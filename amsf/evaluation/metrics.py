"""Scores of zero-shot and generalized zero-shot recognition.

N = samples · C = classes. S = accuracy over samples of seen classes, U = over samples of unseen
classes, H = 2SU/(S+U). ``overall`` weighs every sample alike, ``per_class`` every class alike
(the mean of the classes' accuracies). All values are fractions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


def harmonic_mean(seen: float, unseen: float) -> float:
    """H = 2SU/(S+U); 0 where both are 0."""
    return 2 * seen * unseen / (seen + unseen) if seen + unseen > 0 else 0.0


def sample_weights(labels: np.ndarray, *, per_class: bool) -> np.ndarray:
    """What each sample adds to an accuracy: (N,), summing to 1.

    1/N for ``overall``; 1/(classes present x samples of its class) for ``per_class``.
    """
    labels = np.asarray(labels)
    if not per_class:
        return np.full(len(labels), 1 / len(labels))
    present, inverse, counts = np.unique(labels, return_inverse=True, return_counts=True)
    return 1 / (len(present) * counts[inverse])


def accuracy(labels: np.ndarray, predicted: np.ndarray, *, per_class: bool = False) -> float:
    """The fraction of right predictions: (N,), (N,) -> scalar."""
    right = np.asarray(labels) == np.asarray(predicted)
    return float(sample_weights(labels, per_class=per_class) @ right)


def class_accuracies(labels: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Accuracy of each class: (N,), (N,) -> (C,), NaN for a class without samples."""
    labels = np.asarray(labels)
    right = np.bincount(labels, weights=labels == np.asarray(predicted), minlength=classes)
    count = np.bincount(labels, minlength=classes)
    return np.divide(right, count, out=np.full(classes, np.nan), where=count > 0)


@dataclass(frozen=True)
class SeenUnseenCurve:
    """S and U at every threshold at which the gate's decisions change.

    Attributes:
        threshold: (K,) rising; a sample with P(unseen) above it counts as unseen.
        seen: (K,) S at that threshold, rising.
        unseen: (K,) U at that threshold, falling.
    """

    threshold: np.ndarray
    seen: np.ndarray
    unseen: np.ndarray

    @property
    def area(self) -> float:
        """Area under U as a function of S (AUSUC), by the trapezoidal rule.

        Source: Chao et al., "An empirical study and analysis of generalized zero-shot learning
        for object recognition in the wild", ECCV 2016.
        """
        return float(np.trapezoid(self.unseen, self.seen)) if len(self.seen) > 1 else 0.0


def seen_unseen_curve(
    labels: np.ndarray,
    seen_prediction: np.ndarray,
    unseen_prediction: np.ndarray,
    probability: np.ndarray,
    is_unseen: np.ndarray,
    *,
    per_class: bool = False,
) -> SeenUnseenCurve:
    """Sweep the gate's threshold over every value that changes a decision.

    Args:
        labels: (N,) true classes.
        seen_prediction: (N,) class if the gate says seen.
        unseen_prediction: (N,) class if the gate says unseen.
        probability: (N,) P(unseen).
        is_unseen: (N,) bool, whether the true class is unseen.
        per_class: weigh classes alike instead of samples.
    """
    order = np.argsort(probability, kind="stable")
    probability = np.asarray(probability)[order]
    # The last sample of each run of equal probabilities: a threshold there sends the run to seen.
    ends = np.flatnonzero(np.append(np.diff(probability) > 0, True))
    gained, lost = np.zeros(len(labels)), np.zeros(len(labels))
    for side, prediction, out in (
        (~is_unseen, seen_prediction, gained),
        (is_unseen, unseen_prediction, lost),
    ):
        right = np.asarray(prediction)[side] == np.asarray(labels)[side]
        out[side] = sample_weights(np.asarray(labels)[side], per_class=per_class) * right
    seen = np.concatenate([[0.0], np.cumsum(gained[order])[ends]])
    kept = np.cumsum(lost[order])[ends]
    total = lost.sum()
    return SeenUnseenCurve(
        threshold=np.concatenate([[0.0], probability[ends]]),
        seen=seen,
        unseen=np.concatenate([[total], np.maximum(total - kept, 0.0)]),
    )
