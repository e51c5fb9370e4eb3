"""Prototypes at test time: cases worked by hand, and clouds that a shifted guess gets right."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from amsf.evaluation.transductive import refine, sharpen


def test_by_hand() -> None:
    """Class 0 keeps its two surest samples of three, class 1 its two, class 2 has none."""
    scores = np.array([[9.0, 0.0], [8.0, 0.0], [0.51, 0.5], [0.0, 5.0], [0.0, 7.0]])
    scores = np.concatenate([scores, [[4.0], [3.0], [0.0], [1.0], [2.0]]], axis=1)
    embedding = np.array([[1.0, 0.0], [1.0, 0.2], [0.1, 1.0], [0.0, 1.0], [0.2, 1.0]])
    found = refine(scores, embedding)
    assert found.shape == (5, 3)
    assert found.argmax(1).tolist() == [0, 0, 1, 1, 1]  # the third changes sides
    assert found[:, 2].tolist() == [-1.0] * 5
    unit = embedding / np.linalg.norm(embedding, axis=1, keepdims=True)
    prototype = unit[3:].mean(0)
    expected = unit @ (prototype / np.linalg.norm(prototype))
    np.testing.assert_allclose(found[:, 1], expected)


def test_the_only_sample_of_a_class_is_its_prototype() -> None:
    """What is alone cannot be told by others: the first look stands."""
    scores = np.array([[0.1, 0.7, 0.2], [0.6, 0.3, 0.1]])
    found = refine(scores, np.array([[1.0, 0.0], [0.6, 0.8]]))
    np.testing.assert_allclose(found, [[0.6, 1.0, -1.0], [1.0, 0.6, -1.0]])
    assert refine(np.array([[0.2, 0.8]]), np.ones((1, 3))).argmax(1).tolist() == [1]


def test_sharpen_by_hand() -> None:
    """A row with the values a, b, b has the z-scores √2, -1/√2, -1/√2, whatever a > b are."""
    odds = np.exp(3 * 1.5 * np.sqrt(2))
    for row in ([0.9, 0.05, 0.05], [-3.0, -7.0, -7.0]):
        np.testing.assert_allclose(sharpen(np.array([row]))[0, 0], odds / (odds + 2), rtol=1e-6)


def test_a_guess_that_is_off_is_mended() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat(range(4), 50)
    centres = 5 * np.eye(4)
    x = centres[labels] + rng.normal(size=(200, 4))
    guess = (
        x @ (centres + rng.normal(size=(4, 4)) * 2.5).T
    )  # prototypes that lie beside the classes
    before = (guess.argmax(1) == labels).mean()
    after = (refine(guess, x).argmax(1) == labels).mean()
    assert before < 0.95 < after


@given(arrays(np.float64, (7, 3), elements=st.floats(-1e3, 1e3)))
def test_any_scores_give_finite_cosines(scores: np.ndarray) -> None:
    found = refine(scores, np.random.default_rng(0).normal(size=(7, 5)))
    assert np.isfinite(found).all()
    assert (np.abs(found) <= 1 + 1e-9).all()


def test_the_order_of_samples_does_not_matter() -> None:
    rng = np.random.default_rng(1)
    scores, x, order = rng.normal(size=(30, 4)), rng.normal(size=(30, 6)), rng.permutation(30)
    np.testing.assert_allclose(refine(scores[order], x[order]), refine(scores, x)[order])
