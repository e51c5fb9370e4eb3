"""Scores against scikit-learn, and the seen-unseen curve against a plain sweep."""

from __future__ import annotations

import warnings
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, balanced_accuracy_score, confusion_matrix

from amsf.evaluation.metrics import (
    accuracy,
    class_accuracies,
    harmonic_mean,
    sample_weights,
    seen_unseen_curve,
)

C = 6
UNSEEN = (1, 4)
quick = settings(max_examples=40, deadline=None)
both_weightings = pytest.mark.parametrize("per_class", [False, True])


@st.composite
def predictions(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Labels of some of the classes and predictions of any."""
    count = draw(st.integers(1, 40))
    ids = st.lists(st.integers(0, C - 1), min_size=count, max_size=count)
    return np.array(draw(ids)), np.array(draw(ids))


@given(predictions())
@quick
def test_accuracies_are_those_of_scikit_learn(pair: tuple[np.ndarray, np.ndarray]) -> None:
    labels, predicted = pair
    assert accuracy(labels, predicted) == pytest.approx(accuracy_score(labels, predicted))
    with warnings.catch_warnings():  # of a predicted class without samples
        warnings.simplefilter("ignore", UserWarning)
        balanced = balanced_accuracy_score(labels, predicted)
    assert accuracy(labels, predicted, per_class=True) == pytest.approx(balanced)
    table = confusion_matrix(labels, predicted, labels=range(C))
    count = table.sum(axis=1)
    found = class_accuracies(labels, predicted, C)
    assert found.shape == (C,)
    assert np.array_equal(np.isnan(found), count == 0)
    assert found[count > 0] == pytest.approx(np.diag(table)[count > 0] / count[count > 0])
    assert np.nanmean(found) == pytest.approx(balanced)


@given(predictions())
@quick
def test_weights_sum_to_one_overall_and_alike_for_each_class(
    pair: tuple[np.ndarray, np.ndarray],
) -> None:
    labels = pair[0]
    assert sample_weights(labels, per_class=False) == pytest.approx(1 / len(labels))
    weights = sample_weights(labels, per_class=True)
    present = np.unique(labels)
    for c in present:
        assert weights[labels == c].sum() == pytest.approx(1 / len(present))


@pytest.mark.parametrize(
    ("seen", "unseen", "expected"),
    [(0.5, 0.5, 0.5), (0.9, 0.3, 0.45), (1.0, 0.0, 0.0), (0.0, 0.0, 0.0), (0.2, 0.6, 0.3)],
)
def test_harmonic_mean(seen: float, unseen: float, expected: float) -> None:
    assert harmonic_mean(seen, unseen) == pytest.approx(expected)


# --- the curve ----------------------------------------------------------------------------------


@st.composite
def gated(draw: st.DrawFn) -> dict[str, np.ndarray]:
    """Arguments of the curve, with samples of both sides and many equal probabilities."""
    count = draw(st.integers(2, 25))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    seen = np.setdiff1d(np.arange(C), UNSEEN)
    labels = rng.integers(0, C, count)
    labels[:2] = seen[0], UNSEEN[0]
    return {
        "labels": labels,
        "seen_prediction": rng.choice(seen, count),
        "unseen_prediction": rng.choice(UNSEEN, count),
        "probability": rng.integers(1, draw(st.sampled_from([3, 8, 1000])), count) / 1000,
        "is_unseen": np.isin(labels, UNSEEN),
    }


def swept(case: dict[str, np.ndarray], *, per_class: bool) -> list[tuple[float, float, float]]:
    """(threshold, S, U) at zero and at each probability, by scoring every sample anew."""
    points = []
    for threshold in (0.0, *np.unique(case["probability"])):
        above = case["probability"] > threshold
        predicted = np.where(above, case["unseen_prediction"], case["seen_prediction"])
        scores = []
        for side in (~case["is_unseen"], case["is_unseen"]):
            labels, right = case["labels"][side], (predicted == case["labels"])[side]
            per = [right[labels == c].mean() for c in np.unique(labels)]
            scores.append(float(np.mean(per) if per_class else right.mean()))
        points.append((float(threshold), scores[0], scores[1]))
    return points


@both_weightings
@given(case=gated())
@quick
def test_curve_is_that_of_a_plain_sweep(case: dict[str, np.ndarray], per_class: bool) -> None:
    curve = seen_unseen_curve(**case, per_class=per_class)
    points = swept(case, per_class=per_class)
    found = np.stack([curve.threshold, curve.seen, curve.unseen], axis=1)
    assert found == pytest.approx(np.array(points), abs=1e-12)
    assert (np.diff(curve.threshold) > 0).all()
    assert (np.diff(curve.seen) >= 0).all()
    assert (np.diff(curve.unseen) <= 0).all()
    assert curve.unseen.min() >= 0
    # Area by trapezoids, written out.
    area = sum((s1 - s0) * (u0 + u1) / 2 for (_, s0, u0), (_, s1, u1) in pairwise(points))
    assert curve.area == pytest.approx(area, abs=1e-12)


@both_weightings
@given(case=gated(), seed=st.integers(0, 99))
@quick
def test_permuting_the_samples_changes_nothing(
    case: dict[str, np.ndarray], seed: int, per_class: bool
) -> None:
    order = np.random.default_rng(seed).permutation(len(case["labels"]))
    curve = seen_unseen_curve(**case, per_class=per_class)
    other = seen_unseen_curve(**{k: v[order] for k, v in case.items()}, per_class=per_class)
    for name in ("threshold", "seen", "unseen"):
        assert getattr(other, name) == pytest.approx(getattr(curve, name), abs=1e-12)
    assert other.area == pytest.approx(curve.area, abs=1e-12)


# Labels 0 0 1 1, of which 1 is unseen. Both classifiers are right on their own side.
# Thresholds 0, .2, .4, .6, .8: S = 0, 1/2, 1/2, 1, 1 and U = 1, 1, 1/2, 1/2, 0 in the mixed case.
@pytest.mark.parametrize(
    ("probability", "area"),
    [
        ((0.1, 0.2, 0.8, 0.9), 1.0),  # the gate separates
        ((0.8, 0.9, 0.1, 0.2), 0.0),  # it is wrong throughout
        ((0.2, 0.6, 0.4, 0.8), 0.75),  # 1/2 * 1 + 1/2 * 1/2
        ((0.5, 0.5, 0.5, 0.5), 0.5),  # it knows nothing: the diagonal
    ],
)
def test_area_by_hand(probability: tuple[float, ...], area: float) -> None:
    labels = np.array([0, 0, 1, 1])
    case: dict[str, Any] = {
        "labels": labels,
        "seen_prediction": np.zeros(4, int),
        "unseen_prediction": np.ones(4, int),
        "probability": np.array(probability),
        "is_unseen": labels == 1,
    }
    assert seen_unseen_curve(**case).area == pytest.approx(area)


def test_area_is_bounded_by_the_two_classifiers() -> None:
    # One of two seen samples and one of two unseen samples can ever be right.
    labels = np.array([0, 2, 1, 4])
    curve = seen_unseen_curve(
        labels,
        np.array([0, 0, 0, 0]),
        np.array([1, 1, 1, 1]),
        np.array([0.1, 0.2, 0.8, 0.9]),
        np.isin(labels, UNSEEN),
    )
    assert curve.seen.max() == pytest.approx(0.5)
    assert curve.unseen.max() == pytest.approx(0.5)
    assert curve.area == pytest.approx(0.25)
