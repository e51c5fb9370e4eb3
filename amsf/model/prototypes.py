"""Prototypes: where in feature space the texts say that a class lies.

N = samples · n = classes whose texts are given · S = seen classes · U = unseen classes · V = text
views · D = text width · E = V·D, width of the texts side by side · F = skeleton feature width ·
d = width of the whitened space.

Kernel ridge from texts to the seen classes' means, in the space that is whitened by the covariance
within classes; a sample is of the class with the nearest prototype by cosine. To regress from texts
to features rather than back makes fewer hubs (Shigeto et al., Ridge regression, hubness and
zero-shot learning, ECML PKDD 2015); prototypes predicted from semantics are those of Changpinyo et
al. (Predicting visual exemplars of unseen classes, ICCV 2017); the metric is that of linear
discriminant analysis.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from amsf.model.aligner import Config
from amsf.model.closed_form import StandardisedAligner, centre_views
from amsf.model.seen_space import MOST_DIMENSIONS, SeenSpace, class_means

PENALTY = 1.0  # of the text kernel, in its mean eigenvalue; chosen on UTKinect, Florence and UTD's
SHARPNESS = 10.0  # training subjects, as the sharpness of probabilities


class PrototypesAligner(StandardisedAligner):
    """``m(t) = k(t, T) (T T' + PENALTY tr(T T')/S I)^-1 M``, M (S, d) the seen classes' means.

    Attributes:
        projection: (F, d), from standardised features to the whitened space; columns of zeros
            where the space is narrower.
        origin: (d,) the mean of the seen classes' means there.
        seen_texts: (S, E) centred texts of the seen classes.
        weights: (S, d), the kernel's weights.
    """

    projection: Tensor
    origin: Tensor
    seen_texts: Tensor
    weights: Tensor

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        seen, unseen = len(config.learnt), len(config.unseen)
        width = min(MOST_DIMENSIONS, config.feature_width)
        self.register_buffer("projection", torch.zeros(config.feature_width, width))
        self.register_buffer("origin", torch.zeros(width))
        self.register_buffer("seen_texts", torch.zeros(seen, self.width))
        self.register_buffer("weights", torch.zeros(seen, width))
        self.register_buffer("prototypes", torch.zeros(unseen, width))

    def _learn(self, x: Tensor, classes: Tensor, texts: Tensor) -> dict[str, Tensor]:
        own = self.own(classes)
        other = (x[~own].numpy(), classes[~own].numpy()) if not own.all() else None
        space = SeenSpace.fit(x[own].numpy(), classes[own].numpy(), standardised=True, joined=other)
        directions = space.means - space.origin
        if other is not None:  # from the mean of their own classes, as those of the dataset
            means = class_means(other[0] @ space.projection, other[1])
            directions = np.concatenate([directions, means - means.mean(0)])
        centred = centre_views(texts, texts.mean(dim=0), len(self.config.model.views))
        kernel = centred @ centred.T
        # Texts that are all alike, as those on legs that stay still, have a kernel of zeros.
        mean = (kernel.trace() / len(kernel)).clamp_min(1e-12)
        ridge = PENALTY * mean * torch.eye(len(kernel)).to(kernel)
        weights = torch.linalg.solve(kernel + ridge, torch.from_numpy(directions))
        return {
            "projection": self._wide(space.projection),
            "origin": self._wide(space.origin),
            "seen_texts": centred,
            "weights": self._wide(weights.numpy()),
            "log_sharpness": torch.tensor(SHARPNESS).log(),
        }

    def _wide(self, array: np.ndarray) -> Tensor:
        """Zeros behind the last axis, where few samples leave fewer dimensions."""
        lacking = self.origin.shape[0] - array.shape[-1]
        return torch.from_numpy(np.pad(array, [(0, 0)] * (array.ndim - 1) + [(0, lacking)]))

    @torch.no_grad()
    def embed(self, features: Tensor) -> Tensor:
        """Directions from the seen classes' mean: (N, F) -> (N, d), rows of length 1."""
        return normalize(self.standardised(features) @ self.projection - self.origin, dim=1)

    def embed_text(self, text: Tensor) -> Tensor:
        """Predicted prototypes: (n, V, D) -> (n, d), rows of length 1."""
        return normalize(super().embed_text(text) @ self.seen_texts.T @ self.weights, dim=1)
