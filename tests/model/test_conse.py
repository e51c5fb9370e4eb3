"""ConSE worked out sample by sample from scikit-learn's probabilities."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.model.test_ridge import centred
from tests.support.small_aligners import config_of, drawn, fitted


@pytest.mark.parametrize("seen", [2, 7, 14])
def test_by_hand_from_scikit_learns_probabilities(seen: int) -> None:
    """With fewer and more seen classes than the ten that are mixed."""
    x, labels, text = drawn(70, 6, seen + 3, 5)
    known = labels < seen
    model = fitted(config_of("conse", seen, 3, 6, 5), x[known], labels[known], text[:seen])
    model.learn_classes(text[seen:], torch.Generator(), again=False)
    sklearn = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    chances = sklearn.fit(x[known].double(), labels[known]).predict_proba(x.double())
    texts = centred(text.numpy(), list(range(seen)))
    scores = model.scores(x).numpy()
    for row, score in zip(chances, scores):
        best = np.argsort(row)[::-1][:10]
        mixed = sum(row[s] * texts[s] for s in best)
        cosines = texts[seen:] @ mixed / np.linalg.norm(mixed)
        wanted = np.exp(10 * cosines) / np.exp(10 * cosines).sum()
        np.testing.assert_allclose(score, wanted, atol=1e-3)


def test_one_seen_class_leaves_its_text() -> None:
    x, _, text = drawn(10, 4, 1, 5)
    model = fitted(config_of("conse", 1, 2, 4, 5), x, torch.zeros(10, dtype=torch.int64), text)
    assert model.scores(x).isfinite().all()
