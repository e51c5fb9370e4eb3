"""Cosines between vectors, against scikit-learn."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics.pairwise import cosine_similarity

from amsf.base.cosines import cosine_matrix


@given(st.integers(1, 12), st.integers(1, 6), st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_against_scikit_learn(C: int, D: int, seed: int) -> None:
    rows = np.random.default_rng(seed).normal(size=(C, D)).astype(np.float32)
    before = rows.copy()
    found = cosine_matrix(rows)
    np.testing.assert_allclose(found, cosine_similarity(rows.astype(float)), atol=1e-9)
    assert np.array_equal(found, found.T)
    assert np.array_equal(np.diag(found), np.ones(C))
    assert np.abs(found).max() <= 1
    assert np.array_equal(rows, before), "the vectors stay as they are"


def test_lengths_do_not_matter() -> None:
    found = cosine_matrix(np.array([[2.0, 0.0], [5.0, 5.0], [-1e-20, 0.0]]))
    half = np.sqrt(0.5)
    np.testing.assert_allclose(found, [[1, half, -1], [half, 1, -half], [-1, -half, 1]])
