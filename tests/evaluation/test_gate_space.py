"""What gates measure by themselves: against the alignment methods, scikit-learn and by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge

from amsf.base.errors import InputError
from amsf.evaluation.gate_space import GateSpace, classifier_scores
from amsf.model.closed_form import centre_views, side_by_side
from amsf.model.seen_space import SeenSpace
from tests.support.small_aligners import config_of, drawn, fitted

SEEN, UNSEEN = 6, 3


@pytest.fixture(scope="module")
def given() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Training features and labels of seen classes, new features, and texts of all classes."""
    x, labels, text = (part.numpy() for part in drawn(180, 10, SEEN + UNSEEN, 7))
    known = labels < SEEN
    return x[known], labels[known], x[~known], text


def test_the_margin_of_prototypes_is_that_of_the_method(
    given: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
) -> None:
    x, labels, new, text = given
    space = GateSpace.fit(x, labels, text[:SEEN])
    found = space.scores(new, text[:SEEN], text[SEEN:])
    model = fitted(
        config_of("prototypes", SEEN, UNSEEN, 10, 7),
        *(torch.from_numpy(part) for part in (x, labels, text[:SEEN])),
    )
    seen, unseen = torch.from_numpy(text[:SEEN]), torch.from_numpy(text[SEEN:])
    expected = model.margins(torch.from_numpy(new), unseen, seen).numpy()
    np.testing.assert_allclose(found["prototypes"], expected, atol=1e-4)
    np.testing.assert_array_equal(found["distance"], SeenSpace.fit(x, labels).distance(new))


def test_the_margin_of_ridge_is_scikit_learns(
    given: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
) -> None:
    x, labels, new, text = given
    space = GateSpace.fit(x, labels, text[:SEEN])
    flat = side_by_side(torch.from_numpy(text).double())
    texts = centre_views(flat, flat[:SEEN].mean(0), text.shape[1]).numpy()
    z = space.space.whitened(x)
    ridge = Ridge(alpha=3 * (z**2).sum(1).mean(), fit_intercept=False).fit(z, texts[labels])
    said = ridge.predict(space.space.whitened(new))
    cosines = said @ texts.T / np.linalg.norm(said, axis=1, keepdims=True)
    expected = cosines[:, SEEN:].max(1) - cosines[:, :SEEN].max(1)
    found = space.scores(new, text[:SEEN], text[SEEN:])["ridge"]
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_it_is_read_as_it_was_written(
    given: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray], tmp_path: Path
) -> None:
    x, labels, new, text = given
    space = GateSpace.fit(x, labels, text[:SEEN])
    space.save(tmp_path / "space.safetensors")
    again = GateSpace.load(tmp_path / "space.safetensors")
    for name, scores in space.scores(new, text[:SEEN], text[SEEN:]).items():
        np.testing.assert_array_equal(again.scores(new, text[:SEEN], text[SEEN:])[name], scores)
    space.space.save(tmp_path / "other.safetensors")
    with pytest.raises(InputError, match=r"other\.safetensors.*run `dvc repro`"):
        GateSpace.load(tmp_path / "other.safetensors")


def test_scores_of_logits_by_hand() -> None:
    found = classifier_scores(np.array([[2.0, 0.0]]), 2.0)
    e = np.exp(1.0)
    np.testing.assert_allclose(found["probability"], -e / (e + 1))
    np.testing.assert_allclose(found["energy"], -np.log(e + 1))
