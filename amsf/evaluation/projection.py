"""A map of the space that skeletons and texts share: test samples and classes in two dimensions.

N = samples · K = shown classes · C = all classes · V = text views · D = text width ·
E = width of the shared space.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from sklearn.decomposition import PCA

from amsf.evaluation.latent_map import LatentMap
from amsf.features.phases import SampleSet
from amsf.model.aligner import Aligner, Config

MOST_SAMPLES = 40  # of a class; more hide each other
MOST_SEEN = 6


def shown_classes(
    config: Config, samples: SampleSet, taken_for: np.ndarray | None
) -> tuple[int, ...]:
    """The classes that a map is worth drawing for.

    Args:
        config: the model's config.
        samples: N test samples.
        taken_for: (N,) the classes that they are taken for; None where ZSL alone was evaluated.

    Returns:
        The unseen classes, then the seen ones that most of their samples are taken for.
    """
    if taken_for is None:
        return config.unseen
    lost = taken_for[np.isin(samples.labels.numpy(), config.unseen)]
    lost = lost[np.isin(lost, config.seen)]
    found, counts = np.unique(lost, return_counts=True)
    most = found[np.argsort(-counts, kind="stable")][:MOST_SEEN]
    return (*config.unseen, *sorted(most.tolist()))


def latent_map(
    model: Aligner, samples: SampleSet, text: np.ndarray, classes: Sequence[int]
) -> LatentMap:
    """Project test samples and prototypes of some classes onto one plane.

    It is the plane of the first two principal components of the class means and the prototypes,
    for those are where classes differ; samples differ within a class too. A projection keeps what
    a t-SNE would hide: how far a prototype lies from the samples of its class.

    Args:
        model: the test phase's model.
        samples: test samples; at most 40 of a class are taken, evenly over their order.
        text: (C, V, D) text vectors of all classes, in the order of the model's views.
        classes: the K classes to show.
    """
    labels = samples.labels.numpy()
    rows = np.concatenate([_spread(np.flatnonzero(labels == c)) for c in classes])
    labels = labels[rows]
    with torch.no_grad():
        means = model.embed(samples.features[torch.from_numpy(rows)]).numpy()
        prototypes = model.embed_text(torch.from_numpy(text[list(classes)])).numpy()
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
