"""The unseen classifier against the published weights and scikit-learn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from amsf.model.classifier import UnseenClassifier, fit_classifier
from amsf.model.eager_adam import EagerAdam


def fit(
    classifier: UnseenClassifier, x: torch.Tensor, y: torch.Tensor, steps: int, lr: float
) -> float:
    optimiser = EagerAdam(classifier.parameters(), lr)
    return fit_classifier(classifier, optimiser, x, y, steps)


def test_weights_of_the_published_implementation(golden_dir: Path) -> None:
    golden = np.load(golden_dir / "unseen_classifier.npz")
    classifier = UnseenClassifier(10, 4, relu=True)
    classifier.load_state_dict(
        {
            "linear.weight": torch.from_numpy(golden["init.model.0.weight"]),
            "linear.bias": torch.from_numpy(golden["init.model.0.bias"]),
        }
    )
    x, y = torch.from_numpy(golden["x"]), torch.from_numpy(golden["y"])
    fit(classifier, x, y, int(golden["steps"]), float(golden["lr"]))
    for ours, theirs in (
        (classifier.linear.weight, golden["final.model.0.weight"]),
        (classifier.linear.bias, golden["final.model.0.bias"]),
        (classifier(torch.from_numpy(golden["test_x"])).softmax(1), golden["test_prob"]),
    ):
        difference = np.linalg.norm(ours.detach().numpy() - theirs)
        assert difference < 1e-5 * np.linalg.norm(theirs)


def test_converges_to_multinomial_regression() -> None:
    torch.manual_seed(0)
    y = torch.arange(3).repeat(60)
    x = torch.randn(180, 4) + 1.5 * torch.eye(4)[y]
    classifier = UnseenClassifier(4, 3, relu=False)
    loss = fit(classifier, x, y, 3000, 0.02)
    expected = LogisticRegression(C=1e6, max_iter=5000, tol=1e-10).fit(x, y)
    ours = classifier(x).softmax(1).detach().numpy()
    np.testing.assert_allclose(ours, expected.predict_proba(x), atol=2e-3)
    assert loss == pytest.approx(-np.log(ours[np.arange(180), y]).mean(), rel=1e-3)


def test_relu_ties_go_to_the_lowest_id() -> None:
    classifier = UnseenClassifier(2, 3, relu=True)
    classifier.linear.weight.data.fill_(-1.0)
    assert classifier(torch.ones(1, 2)).argmax(1).item() == 0
    assert (classifier(torch.ones(1, 2)) == 0).all()
    assert (UnseenClassifier(2, 3, relu=False)(torch.ones(4, 2)) < 0).any()
