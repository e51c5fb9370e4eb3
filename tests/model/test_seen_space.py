"""The whitened space of the seen classes, against scikit-learn's discriminant analysis."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.covariance import LedoitWolf
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from amsf.base.errors import InputError
from amsf.model.seen_space import SeenSpace


def clouds(rng: np.random.Generator, classes: int, each: int, width: int) -> tuple[np.ndarray, ...]:
    centres = 4 * rng.normal(size=(classes, width))
    labels = np.repeat(np.arange(classes), each)
    mix = rng.normal(size=(width, width))
    return centres[labels] + rng.normal(size=(len(labels), width)) @ mix, labels, centres


def test_distances_in_the_space_are_those_of_discriminant_analysis() -> None:
    """Squared distances between class means, whitened, equal LDA's with the same covariance."""
    x, labels, _ = clouds(np.random.default_rng(0), 5, 400, 6)
    space = SeenSpace.fit(x, labels)
    z = (x - space.mean) / space.deviation
    assert np.abs(z).max() < 5  # nothing is clipped here
    within = np.concatenate([z[labels == c] - z[labels == c].mean(0) for c in range(5)])
    means = np.stack([z[labels == c].mean(0) for c in range(5)])
    # The shrunk covariance does not depend on the axes: in principal components it is the same.
    covariance = LedoitWolf(assume_centered=True).fit(within).covariance_
    expected = cdist(means, means, "mahalanobis", VI=np.linalg.inv(covariance))
    found = cdist(means @ space.projection, means @ space.projection)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    lda = LinearDiscriminantAnalysis(solver="lsqr").fit(z, labels)
    nearest = cdist(z @ space.projection, means @ space.projection).argmin(1)
    assert (nearest == lda.predict(z)).mean() > 0.99


@pytest.mark.parametrize("width", [8, 300])
def test_samples_of_seen_classes_lie_near_and_others_far(width: int) -> None:
    rng = np.random.default_rng(1)
    x, labels, _ = clouds(rng, 12, 20, width)
    known = labels < 9
    space = SeenSpace.fit(x[known & (np.arange(len(x)) % 2 == 0)], labels[known][::2])
    distance = space.distance(x)
    assert ((distance >= 0) & (distance <= 2)).all()
    held_out = known & (np.arange(len(x)) % 2 == 1)
    assert distance[held_out].mean() < distance[~known].mean()


def test_scale_and_shift_of_features_change_nothing() -> None:
    rng = np.random.default_rng(2)
    x, labels, _ = clouds(rng, 4, 30, 5)
    scale, shift = rng.uniform(0.1, 10, 5), rng.normal(size=5)
    first = SeenSpace.fit(x, labels).distance(x)
    np.testing.assert_allclose(
        SeenSpace.fit(x * scale + shift, labels).distance(x * scale + shift), first, atol=1e-8
    )


def test_few_samples_and_constant_features() -> None:
    x = np.zeros((4, 3))
    x[:, 0] = [0, 1, 5, 6]
    space = SeenSpace.fit(x, np.array([0, 0, 1, 1]))
    assert np.isfinite(space.distance(np.array([[0.5, 0, 0], [5.5, 7, 0]]))).all()
    alone = SeenSpace.fit(x, np.arange(4))
    assert np.isfinite(alone.distance(x)).all()


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    x, labels, _ = clouds(np.random.default_rng(3), 4, 9, 5)
    space = SeenSpace.fit(x, labels)
    space.save(tmp_path / "s.safetensors")
    again = SeenSpace.load(tmp_path / "s.safetensors")
    np.testing.assert_array_equal(again.distance(x), space.distance(x))
    (tmp_path / "s.safetensors").write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"s\.safetensors: not a readable safetensors"):
        SeenSpace.load(tmp_path / "s.safetensors")


def test_a_single_sample_a_class_leaves_distances_finite() -> None:
    features = np.random.default_rng(0).normal(size=(5, 12))
    found = SeenSpace.fit(features, np.arange(5)).distance(features)
    np.testing.assert_allclose(found, 0, atol=1e-9)
