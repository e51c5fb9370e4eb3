"""How far a sample lies from the seen classes: cosines to their means in a whitened space.

N = samples · F = feature width · S = seen classes · d = dimensions that are kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.covariance import ledoit_wolf

from amsf.base.storage import read_tensors, write_tensors

MOST_DIMENSIONS = 100
CLIP = 5.0  # deviations
PRIOR = 100  # samples; chosen on UTKinect and Florence


@dataclass(frozen=True)
class SeenSpace:
    """Features, standardised and whitened by the covariance that the seen classes share.

    The metric is that of linear discriminant analysis, with the covariance of Ledoit and Wolf
    (2004) in the principal components of the training features.

    Attributes:
        mean, deviation: (F,) of the training features.
        projection: (F, d), from standardised features to the whitened space.
        origin: (d,) the mean of the class means, in the whitened space.
        means: (S, d) of the seen classes, in the whitened space.
    """

    mean: np.ndarray
    deviation: np.ndarray
    projection: np.ndarray
    origin: np.ndarray
    means: np.ndarray

    @classmethod
    def fit(
        cls,
        features: np.ndarray,
        labels: np.ndarray,
        *,
        standardised: bool = False,
        joined: tuple[np.ndarray, np.ndarray] | None = None,
    ) -> SeenSpace:
        """Fit on training features (N, F) and their labels (N,).

        Args:
            features: as they are, or ``standardised`` and clipped already.
            labels: the S distinct ones, sorted, are the classes in the order of ``means``.
            standardised: whether to leave the features as they are.
            joined: features and labels of other datasets, standardised; their scatter within
                classes is a prior of the covariance that weighs :data:`PRIOR` samples.
        """
        x = np.asarray(features, np.float64)
        mean, deviation = np.zeros(x.shape[1]), np.ones(x.shape[1])
        if not standardised:
            mean, deviation = x.mean(0), x.std(0)
            deviation = np.where(deviation < 1e-6, 1.0, deviation)
        z = np.clip((x - mean) / deviation, -CLIP, CLIP)
        # Principal components by the smaller of the two Gram matrices.
        kept = min(MOST_DIMENSIONS, len(z) - 1, z.shape[1])
        values, vectors = np.linalg.eigh(z.T @ z if z.shape[1] <= len(z) else z @ z.T)
        kept = max(1, min(kept, int((values > 1e-9 * values[-1]).sum())))
        vectors = vectors[:, ::-1][:, :kept]
        if z.shape[1] > len(z):
            vectors = z.T @ vectors / np.sqrt(values[::-1][:kept])
        z = z @ vectors
        means, covariance = _scatter(z, labels)
        if joined is not None:
            share = PRIOR / (PRIOR + len(z))
            other = _scatter(joined[0] @ vectors, joined[1])[1]
            covariance = (1 - share) * covariance + share * other
        values, axes = np.linalg.eigh(covariance)
        if values[-1] < 1e-12:  # one sample a class: nothing is known of how samples scatter
            values = np.ones_like(values)
        whiten = axes / np.sqrt(np.maximum(values, 1e-9 * values[-1]))
        means = means @ whiten
        return cls(mean, deviation, vectors @ whiten, means.mean(0), means)

    def whitened(self, features: np.ndarray) -> np.ndarray:
        """Samples in the whitened space, from its origin: (N, F) -> (N, d)."""
        z = np.clip((np.asarray(features, np.float64) - self.mean) / self.deviation, -CLIP, CLIP)
        return z @ self.projection - self.origin

    def distance(self, features: np.ndarray) -> np.ndarray:
        """1 less the largest cosine to a seen class's mean: (N, F) -> (N,), 0 to 2."""
        centres = _unit(self.means - self.origin)
        return 1 - (_unit(self.whitened(features)) @ centres.T).max(1)

    def save(self, path: Path) -> None:
        """Write it as safetensors."""
        write_tensors(path, vars(self))

    @classmethod
    def load(cls, path: Path) -> SeenSpace:
        """Read what :meth:`save` wrote.

        Raises:
            InputError: the file is missing, cut short or not safetensors.
        """
        return cls(**read_tensors(path))


def class_means(z: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Means of samples (N, d) of each distinct label (N,), in ascending order: (S, d)."""
    return np.stack([z[labels == label].mean(0) for label in np.unique(labels)])


def _scatter(z: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Class means (S, d) and the covariance (d, d) within classes."""
    means = class_means(z, labels)
    which = np.unique(labels, return_inverse=True)[1]
    covariance: np.ndarray = ledoit_wolf(z - means[which], assume_centered=True)[0]
    return means, covariance


def _unit(x: np.ndarray) -> np.ndarray:
    return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)
