"""The reliability curve: against scikit-learn, and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from amsf.evaluation.confidence.reliability import BINS, error_of_chance, reliability_curve


@pytest.mark.parametrize(("equal_mass", "strategy"), [(False, "uniform"), (True, "quantile")])
def test_it_is_scikit_learns(equal_mass: bool, strategy: str) -> None:
    rng = np.random.default_rng(0)
    confidence = rng.random(15 * 20)
    right = rng.random(len(confidence)) < confidence**2
    found = reliability_curve(confidence, right, equal_mass=equal_mass)
    accuracy, mean = calibration_curve(right, confidence, n_bins=BINS, strategy=strategy)
    if equal_mass:  # whose edges lie between samples by interpolation
        np.testing.assert_allclose(found.confidence, mean, atol=0.01)
        np.testing.assert_allclose(found.weight, 1 / BINS)
    else:
        np.testing.assert_allclose(found.confidence, mean)
        np.testing.assert_allclose(found.accuracy, accuracy)
    assert found.weight.sum() == pytest.approx(1)


def test_the_error_by_hand() -> None:
    # Two bins: 0.9 and 0.9, one of them right; 0.4, right. |0.5 - 0.9| 2/3 + |1 - 0.4| 1/3.
    confidence, right = np.array([0.9, 0.4, 0.9]), np.array([True, True, False])
    assert reliability_curve(confidence, right).error == pytest.approx(0.4 * 2 / 3 + 0.6 / 3)
    # The wrong one alone has all the weight but what makes the rest nothing.
    weights = np.array([0.0, 0.0, 1.0])
    assert reliability_curve(confidence, right, weights).error == pytest.approx(0.9)


def test_all_sure_and_right_is_no_error() -> None:
    found = reliability_curve(np.ones(7), np.ones(7, bool))
    assert (found.error, len(found.weight)) == (0, 1)


def test_few_samples_of_a_perfect_predictor_show_an_error() -> None:
    confidence = np.linspace(0.2, 1, 4000)
    assert error_of_chance(confidence[::50]) > 0.05
    assert error_of_chance(confidence) < 0.03
    assert error_of_chance(np.ones(30)) == 0  # nothing is left to chance
