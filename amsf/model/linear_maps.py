"""Linear maps between features and texts with a closed form, and how their penalties are chosen.

N = samples · S = seen classes · U = unseen classes · E = width of the texts side by side ·
F = skeleton feature width · R = rank of the features · G = groups of classes that are left out ·
P, H, K = penalties of the features, penalties of the texts and sharpnesses that are tried.
"""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize, one_hot

from amsf.model.aligner import Config
from amsf.model.closed_form import DRAWS, StandardisedAligner, centre_views, left_out_groups


class LinearAligner(StandardisedAligner):
    """A linear map from standardised features to texts, with penalties chosen on left-out classes.

    With X (N, F) the samples, Y (N, S) their classes in the method's code and g the penalty of the
    features, the map is ``(X'X + g N I)^-1 X'Y B``; B (S, E) is the method's, made of the texts.
    Each of a dozen random groups of the dataset's seen classes, as large as the group of unseen ones, is left out
    once; the map that is learnt from the others then names its samples. The penalties with the best
    mean accuracy are taken (of equals those with the better likelihood), and the sharpness with the
    best mean likelihood. Nothing of the unseen classes is looked at but how many they are.

    Attributes:
        CODE: what Y holds at a sample's own class and at all others.
        FEATURE_PENALTIES: tried for g, in variances of a standardised feature.
        TEXT_PENALTIES: tried for what B depends on; one where it depends on nothing.
        SHARPNESS: tried.
        START: penalties and sharpness where there are too few seen classes to leave some out.
        map: (E, F).
        penalties: (2,) the chosen ones.
        accuracy: (DRAWS,) on each group of left-out classes, by penalties that were chosen on the
            other groups; zeros where there are too few classes.
    """

    CODE: tuple[float, float]
    FEATURE_PENALTIES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
    TEXT_PENALTIES: tuple[float, ...]
    SHARPNESS = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0)
    START = (1.0, 1.0, 10.0)
    map: Tensor
    penalties: Tensor
    accuracy: Tensor

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.register_buffer("map", torch.zeros(self.width, config.feature_width))
        self.register_buffer("penalties", torch.zeros(2))
        self.register_buffer("accuracy", torch.zeros(DRAWS))

    @abstractmethod
    def text_side(self, texts: Tensor, penalty: float) -> Tensor:
        """B: centred texts (S, E) and the penalty of the texts -> (S, E)."""

    def left_out_accuracy(self, features: Tensor, classes: Tensor, text: Tensor) -> Tensor:
        """:attr:`accuracy`: the fit has left classes out already."""
        return self.accuracy

    @torch.no_grad()
    def embed(self, features: Tensor) -> Tensor:
        """Where the map puts skeletons: (N, F) -> (N, E), rows of length 1."""
        return normalize(self.standardised(features) @ self.map.T, dim=1)

    def solve(self, x: Tensor, classes: Tensor, texts: Tensor, g: float, h: float) -> Tensor:
        """The map for given penalties, from centred texts: (N, F), (N,), (S, E) -> (E, F)."""
        basis, values, target = self._spectrum(x, classes, len(texts))
        feature_side = basis @ (target / (values + g * len(x))[:, None])
        return (feature_side @ self.text_side(texts, h)).T

    def _learn(self, x: Tensor, classes: Tensor, texts: Tensor) -> dict[str, Tensor]:
        g, h, sharpness, accuracy = self._choose(x, classes, texts)
        centred = centre_views(texts, texts.mean(dim=0), len(self.config.model.views))
        return {
            "map": self.solve(x, classes, centred, g, h),
            "penalties": torch.tensor([g, h]),
            "accuracy": torch.from_numpy(accuracy),
            "log_sharpness": torch.tensor(sharpness).log(),
        }

    def _spectrum(self, x: Tensor, classes: Tensor, count: int) -> tuple[Tensor, Tensor, Tensor]:
        """Eigenvectors (F, R) and eigenvalues (R,) of X'X, and X'Y in that basis (R, count).

        X'X is never made where XX' is smaller: both have the same eigenvalues but for zeros, where
        X'Y has nothing.
        """
        own, other = self.CODE
        y = other + (own - other) * one_hot(classes, count).to(x)
        gram = x.T @ x if x.shape[1] <= len(x) else x @ x.T
        # NumPy's LAPACK takes half the time of torch's here.
        values, basis = (torch.from_numpy(part) for part in np.linalg.eigh(gram.numpy()))
        if x.shape[1] > len(x):
            basis = x.T @ basis
        kept = values > 1e-10 * values[-1]
        basis = normalize(basis[:, kept], dim=0)
        return basis, values[kept], basis.T @ (x.T @ y)

    def _choose(
        self, x: Tensor, classes: Tensor, texts: Tensor
    ) -> tuple[float, float, float, np.ndarray]:
        """Both penalties, the sharpness, and the accuracy on each group of left-out classes."""
        own = texts[: len(self.config.seen)]
        groups = left_out_groups(own, len(self.config.unseen), self.config.seed)
        if not groups:
            return *self.START, np.zeros(DRAWS)
        tried = [self._try_group(x, classes, texts, group) for group in groups]
        # Rounded, so that what is equal but for the order of a sum counts as equal.
        each = np.stack([accuracy for accuracy, _ in tried]).round(9)  # (G, P, H)
        likelihood = np.mean([likely for _, likely in tried], axis=0)  # (P, H, K)

        def best(accuracy: np.ndarray) -> tuple[int, ...]:
            """Of equals those with the better likelihood."""
            mean = accuracy.mean(0).round(9)
            return max(np.ndindex(mean.shape), key=lambda at: (mean[at], likelihood[at].max()))

        i, j = best(each)
        # What was chosen on the other groups, so that choosing does not flatter the accuracy.
        fair = [each[n][best(np.delete(each, n, axis=0))] for n in range(len(groups))]
        sharpness = self.SHARPNESS[likelihood[i, j].argmax()]
        return self.FEATURE_PENALTIES[i], self.TEXT_PENALTIES[j], sharpness, np.array(fair)

    def _try_group(
        self, x: Tensor, classes: Tensor, texts: Tensor, group: Tensor
    ) -> tuple[np.ndarray, np.ndarray]:
        """Leave a group of classes out: its samples' accuracy (P, H) and likelihood (P, H, K)."""
        out = torch.isin(classes, group)
        rest = torch.tensor([c for c in range(len(texts)) if c not in group])
        centred = centre_views(texts, texts[rest].mean(dim=0), len(self.config.model.views))
        renumbered = torch.searchsorted(rest, classes[~out])
        basis, values, target = self._spectrum(x[~out], renumbered, len(rest))
        penalties = torch.tensor(self.FEATURE_PENALTIES, dtype=x.dtype) * len(renumbered)
        inner = target / (values + penalties[:, None])[:, :, None]
        given = (x[out] @ basis) @ inner  # (P, left-out samples, classes of the rest)
        truth = torch.searchsorted(group, classes[out])
        accuracy, likelihood = [], []
        for h in self.TEXT_PENALTIES:
            side = self.text_side(centred[rest], h)
            lengths = ((given @ (side @ side.T)) * given).sum(dim=2, keepdim=True)
            cosines = given @ (side @ centred[group].T) / lengths.clamp_min(1e-24).sqrt()
            accuracy.append((cosines.argmax(dim=2) == truth).double().mean(dim=1))
            own = truth.expand(len(penalties), -1)[:, :, None]
            chances = [(k * cosines).log_softmax(dim=2).gather(2, own) for k in self.SHARPNESS]
            likelihood.append(torch.stack([c.mean(dim=(1, 2)) for c in chances], dim=1))
        return torch.stack(accuracy, 1).numpy(), torch.stack(likelihood, 1).numpy()


class RidgeAligner(LinearAligner):
    """``(X'X + g N I)^-1 X'Y T``, with Y one-hot and T the centred texts.

    The linear map W from features to texts with the least squared error: ``argmin sum_i
    |W x_i - t(y_i)|^2 + g N |W|^2``. The formula that any other method has to beat. Regression to
    semantic vectors is that of Palatucci et al. (Zero-Shot Learning with Semantic Output Codes,
    NIPS 2009).
    """

    CODE = (1.0, 0.0)
    TEXT_PENALTIES = (0.0,)

    def text_side(self, texts: Tensor, penalty: float) -> Tensor:
        """The texts themselves: (S, E) -> (S, E)."""
        return texts


class EszslAligner(LinearAligner):
    """``V = (X'X + g N I)^-1 X'Y T (T'T + h I)^-1``, with Y in {-1, 1}.

    The bilinear map between features and texts that minimises ``|X V T' - Y|^2 + a |V T'|^2 +
    h |X V|^2 + a h |V|^2``, a = g N. The score of a class with text t is x' V t; texts have length
    1, so the class with the largest score is that of the largest cosine between V' x and t. Source:
    Romera-Paredes and Torr, An embarrassingly simple approach to zero-shot learning, ICML 2015.
    """

    CODE = (1.0, -1.0)
    # Texts have length 1: the eigenvalues of T T' are around 1.
    TEXT_PENALTIES = (0.01, 0.1, 1.0, 10.0)

    def text_side(self, texts: Tensor, penalty: float) -> Tensor:
        """``T (T'T + h I)^-1 = (T T' + h I)^-1 T``, the smaller of the two: (S, E) -> (S, E)."""
        gram = texts @ texts.T
        return torch.linalg.solve(gram + penalty * torch.eye(len(texts)).to(gram), texts)
