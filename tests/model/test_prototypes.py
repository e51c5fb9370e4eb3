"""Prototypes predicted from texts, against scikit-learn's parts put together plainly."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.covariance import LedoitWolf
from sklearn.kernel_ridge import KernelRidge
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.preprocessing import StandardScaler

from amsf.model.prototypes import PENALTY, PrototypesAligner
from amsf.model.seen_space import PRIOR
from tests.model.test_ridge import centred
from tests.support.small_aligners import config_of, drawn, fitted


@pytest.mark.parametrize(("samples", "features"), [(120, 8), (48, 90)])
def test_it_is_kernel_ridge_to_whitened_means(samples: int, features: int) -> None:
    x, labels, text = drawn(samples, features, 12, 5)
    model = fitted(config_of("prototypes", 12, 3, features, 5), x, labels, text)
    assert isinstance(model, PrototypesAligner)
    z = StandardScaler().fit_transform(x.double().numpy()).clip(-5, 5)
    # The principal axes that carry anything: all of few features, as many as samples allow of many.
    _, values, axes = np.linalg.svd(z, full_matrices=False)
    kept = axes[: min(100, samples - 1, features)][values[: min(100, samples - 1, features)] > 1e-4]
    z = z @ kept.T
    y = labels.numpy()
    means = np.stack([z[y == c].mean(0) for c in range(12)])
    covariance = LedoitWolf(assume_centered=True).fit(z - means[y]).covariance_
    root = np.linalg.cholesky(np.linalg.inv(covariance))  # any root gives the same cosines
    seen = centred(text.double().numpy())
    alpha = PENALTY * np.trace(seen @ seen.T) / 12
    targets = (means - means.mean(0)) @ root
    ridge = KernelRidge(alpha=alpha).fit(seen, targets)
    new = np.random.default_rng(0).normal(size=(9, features)).astype(np.float32)
    scaled = StandardScaler().fit(x.double().numpy()).transform(new).clip(-5, 5) @ kept.T
    expected = cosine_similarity((scaled - means.mean(0)) @ root, ridge.predict(seen))
    embedded = model.embed(x.new_tensor(new)).numpy()
    found = embedded @ model.embed_text(text).numpy().T
    np.testing.assert_allclose(found, expected, atol=2e-3)


def test_texts_that_are_all_alike_say_nothing() -> None:
    x, labels, text = drawn(48, 8, 6, 5)
    model = fitted(config_of("prototypes", 6, 2, 8, 5), x, labels, text[:1].expand_as(text))
    assert torch.isfinite(model.embed_text(text)).all()
    assert torch.allclose(model.scores(x).sum(1), torch.ones(len(x)))


def test_other_datasets_are_a_prior_of_the_scatter_and_give_directions() -> None:
    """Of 12 classes, the last five are another dataset's."""
    x, labels, text = drawn(96, 6, 12, 5)
    config = replace(config_of("prototypes", 7, 3, 6, 5), joined=tuple(range(20, 25)))
    model = fitted(config, x, labels, text)
    y, own = labels.numpy(), labels.numpy() < 7
    scaler = StandardScaler().fit(x.double().numpy()[own])
    z = scaler.transform(x.double().numpy()).clip(-5, 5)
    means = np.stack([z[y == c].mean(0) for c in range(12)])
    scatters = [
        LedoitWolf(assume_centered=True).fit(z[part] - means[y[part]]).covariance_
        for part in (own, ~own)
    ]
    covariance = (own.sum() * scatters[0] + PRIOR * scatters[1]) / (own.sum() + PRIOR)
    root = np.linalg.cholesky(np.linalg.inv(covariance))
    origin = means[:7].mean(0)
    targets = np.concatenate([means[:7] - origin, means[7:] - means[7:].mean(0)]) @ root
    seen = centred(text.double().numpy())
    ridge = KernelRidge(alpha=PENALTY * np.trace(seen @ seen.T) / 12).fit(seen, targets)
    expected = cosine_similarity((z - origin) @ root, ridge.predict(seen))
    found = model.embed(x).numpy() @ model.embed_text(text).numpy().T
    np.testing.assert_allclose(found, expected, atol=2e-3)
