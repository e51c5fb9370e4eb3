"""Temperature: against a grid, torch's optimum, and what must not change."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax

from amsf.evaluation.confidence.temperature import SPREAD, fit_temperature, temper


def drawn(sharpness: float, count: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities that are ``sharpness`` times too sharp in the logarithm, and truth."""
    rng = np.random.default_rng(0)
    logits = 2 * rng.normal(size=(count, 5))
    honest = softmax(logits, axis=1)
    truth = (rng.random((count, 1)) > honest.cumsum(1)).sum(1)
    return softmax(sharpness * logits, axis=1), truth


@pytest.mark.parametrize("sharpness", [0.5, 1.0, 2.0])
def test_it_minimises_the_penalised_likelihood(sharpness: float) -> None:
    p, truth = drawn(sharpness, 300)
    tried = np.exp(np.linspace(-2, 2, 2001))
    tempered = p ** (1 / tried[:, None, None])  # (tried, samples, classes)
    of_truth = tempered[:, np.arange(len(p)), truth] / tempered.sum(2)
    losses = -5 * np.log(of_truth).mean(1) + np.log(tried) ** 2 / (2 * SPREAD**2)
    assert fit_temperature(p, truth) == pytest.approx(tried[np.argmin(losses)], rel=5e-3)


def test_too_sure_and_too_unsure_ones_are_moved_towards_the_truth() -> None:
    found = {s: fit_temperature(*drawn(s)) for s in (0.5, 1.0, 3.0)}
    assert 0.5 < found[0.5] < 0.9
    assert found[1.0] == pytest.approx(1, abs=0.05)
    assert 1.3 < found[3.0] < 3


@given(
    st.lists(st.lists(st.floats(0, 1), min_size=3, max_size=3).filter(sum), min_size=1),
    st.floats(0.2, 5),
)
def test_no_answer_changes(rows: list[list[float]], temperature: float) -> None:
    p = np.array(rows) / np.sum(rows, axis=1, keepdims=True)
    tempered = temper(p, temperature)
    np.testing.assert_allclose(tempered.sum(1), 1)
    at = np.arange(len(p)), p.argmax(1)
    assert (tempered[at] == tempered.max(1)).all()


def test_one_leaves_probabilities_and_zeros_stay() -> None:
    p = np.array([[0.0, 0.25, 0.75]])
    np.testing.assert_allclose(temper(p, 1.0), p, atol=1e-12)
    np.testing.assert_allclose(temper(p, 0.5), [[0, 0.1, 0.9]], atol=1e-12)
    assert np.isfinite(fit_temperature(p, np.array([0])))
