"""The classifier of the seen classes, against scikit-learn; standardisation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from amsf.backbone.seen_classifier import UNLEARNT, Scaling, SeenClassifier


def samples(classes: tuple[int, ...], count: int = 12) -> tuple[np.ndarray, np.ndarray]:
    """Features (N, 6) and labels (N,), the classes near to each other."""
    rng = np.random.default_rng(len(classes))
    labels = np.repeat(classes, count)
    centres = rng.normal(size=(max(classes) + 1, 6))
    return centres[labels] + rng.normal(size=(len(labels), 6)), labels


@pytest.mark.parametrize("seen", [(1, 4), (0, 3, 4, 7)])
def test_probabilities_are_those_of_scikit_learn(seen: tuple[int, ...]) -> None:
    x, y = samples(seen)
    found = softmax(SeenClassifier.fit(x, y, seen[::-1], 9).logits(x), axis=1)
    theirs = LogisticRegression(C=0.3, max_iter=1000).fit(x, y).predict_proba(x)
    np.testing.assert_allclose(found[:, seen], theirs, atol=1e-4)
    assert (found.argmax(1) == y).mean() > 0.7
    others = [c for c in range(9) if c not in seen]
    assert not found[:, others].any()


def test_columns_that_were_not_learnt_are_constant_and_weigh_nothing() -> None:
    x, y = samples((2, 5, 6))
    logits = SeenClassifier.fit(x, y, (2, 5, 6), 8).logits(10 * x)
    assert logits.dtype == np.float32
    assert (logits[:, [0, 1, 3, 4, 7]] == UNLEARNT).all()
    assert np.isfinite(logits).all()
    for temperature in (1.0, 2.0, 50.0):
        share = softmax(logits / temperature, axis=1)[:, [0, 1, 3, 4, 7]]
        assert share.max() < 1e-7


def test_a_single_class_is_the_answer_to_all() -> None:
    x, y = samples((3,))
    assert (SeenClassifier.fit(x, y, (3,), 5).logits(x).argmax(1) == 3).all()


def test_standardisation_is_that_of_scikit_learn_within_five_deviations() -> None:
    x, _ = samples((0, 1, 2))
    x[:, 2] = 7.0
    new = np.vstack([x[:3] + 0.5, 1000 * np.ones((1, 6)), -1000 * np.ones((1, 6))])
    found = Scaling.fit(x)(new)
    assert found.dtype == np.float32
    theirs = StandardScaler().fit(x).transform(new).clip(-5, 5)
    np.testing.assert_allclose(found, theirs, atol=1e-6)
    assert found[3].max() == 5
    assert found[4].min() == -5


@given(arrays(np.float64, (4, 3), elements=st.floats(-1e100, 1e100)))
def test_standardised_values_are_finite(x: np.ndarray) -> None:
    found = Scaling.fit(x)(x)
    assert np.isfinite(found).all()
    assert np.abs(found).max() <= 5
