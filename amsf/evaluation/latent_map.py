"""A map of the latent space: test samples and class prototypes in two dimensions.

N = samples · K = shown classes · C = all classes · V = text views · D = text width ·
L = latent width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.decomposition import PCA

from amsf.features.phases import SampleSet
from amsf.model.checkpoints import TrainedModel

MOST_SAMPLES = 40  # of a class; more hide each other


@dataclass(frozen=True)
class LatentMap:
    """Points of the plane.

    Attributes:
        samples: (N, 2), latent means of skeleton features.
        labels: (N,) their classes.
        prototypes: (K, 2), latent means of the classes' semantic prototypes.
        classes: (K,) which classes these are.
        explained: the share of the samples' variance that the plane shows.
    """

    samples: np.ndarray
    labels: np.ndarray
    prototypes: np.ndarray
    classes: np.ndarray
    explained: float


def latent_map(
    model: TrainedModel, samples: SampleSet, text: np.ndarray, classes: Sequence[int]
) -> LatentMap:
    """Project test samples and prototypes of some classes onto one plane.

    It is the plane of the first two principal components of the class means and the prototypes,
    for those are where classes differ; samples differ within a class too. A projection keeps what
    a t-SNE would hide: how far a prototype lies from the samples of its class.

    Args:
        model: of the test phase.
        samples: test samples; at most 40 of a class are taken, evenly over their order.
        text: (C, V, D) text vectors of all classes, in the order of the model's views.
        classes: the K classes to show.
    """
    labels = samples.labels.numpy()
    rows = np.concatenate([_spread(np.flatnonzero(labels == c)) for c in classes])
    labels = labels[rows]
    with torch.no_grad():
        means = model.embed(samples.features[torch.from_numpy(rows)]).numpy()
        fused = model.vae.prototypes(torch.from_numpy(text[list(classes)]))
        prototypes = model.vae.text_encoder(fused)[0].numpy()
    centres = [means[labels == c].mean(axis=0) for c in np.unique(labels)]
    plane = PCA(n_components=2, svd_solver="full").fit(np.concatenate([centres, prototypes]))
    shown = plane.transform(means)
    whole = float(means.var(axis=0).sum())
    explained = float(shown.var(axis=0).sum()) / whole if whole else 1.0
    return LatentMap(shown, labels, plane.transform(prototypes), np.array(classes), explained)


def _spread(rows: np.ndarray) -> np.ndarray:
    """At most ``MOST_SAMPLES`` of the rows, evenly spaced, the first and last among them."""
    if len(rows) <= MOST_SAMPLES:
        return rows
    return rows[np.linspace(0, len(rows) - 1, MOST_SAMPLES).round().astype(int)]
