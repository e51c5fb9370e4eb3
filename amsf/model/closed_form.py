"""What the methods share that put skeletons among texts, and how penalties are chosen.

N = samples · n = classes whose texts are given · S = seen classes · U = unseen classes · V = text
views · D = text width · E = V·D, width of the texts side by side · F = skeleton feature width ·
R = rank of the features.

A class lies where its texts say: each view L2-normalised, less its mean over the seen classes, and
L2-normalised again; then the views side by side. Sentence vectors of one field share one large
direction, which says nothing of the class; without the mean taken away it outweighs what does.
"""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize, one_hot

from amsf.model.aligner import Aligner, ClosedFormAligner, Config

CLIP = 5.0  # deviations from the mean beyond which a standardised feature is cut off
DRAWS = 12  # groups of seen classes that are left out, each once
FEWEST = 2  # classes of a group: among fewer there is nothing to distinguish


def side_by_side(text: Tensor) -> Tensor:
    """The views of each class, L2-normalised one by one: (n, V, D) -> (n, E)."""
    return normalize(text, dim=2).flatten(1)


def scale_of(features: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and deviation of training features (N, F), each (F,); a constant one stays at 0."""
    deviation, mean = torch.std_mean(features, dim=0, correction=0)
    return mean, torch.where(deviation < 1e-6, 1.0, deviation)


def standardise(features: Tensor, mean: Tensor, deviation: Tensor) -> Tensor:
    """(N, F) -> (N, F), cut off at five deviations."""
    return ((features - mean) / deviation).clamp(-CLIP, CLIP)


def centre_views(texts: Tensor, centre: Tensor, views: int) -> Tensor:
    """Texts less the mean text, each view L2-normalised again: (n, E), (E,) -> (n, E).

    Rows have length 1, of which each of the V views has an equal share.
    """
    centred = (texts - centre).unflatten(1, (views, -1))
    return normalize(centred, dim=2).flatten(1) / views**0.5


class TextSpaceAligner(Aligner):
    """A method whose shared space is that of the centred texts; the largest cosine is the answer.

    Attributes:
        centre: (E,) mean of the seen classes' texts.
        prototypes: (U, E) the learnt classes.
        log_sharpness: scalar; probabilities are the softmax of ``exp(log_sharpness)`` times cosine.
    """

    OF_CLASSES = ("prototypes",)
    centre: Tensor
    prototypes: Tensor
    log_sharpness: Tensor

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.width = len(config.model.views) * config.text_width
        self.register_buffer("centre", torch.zeros(self.width))
        self.register_buffer("prototypes", torch.zeros(len(config.unseen), self.width))

    def learn_classes(self, text: Tensor, generator: torch.Generator, *, again: bool) -> float:
        """Put the classes where their texts say; nothing is drawn or trained."""
        self.prototypes = self.embed_text(text)
        return 0.0

    def scores(self, features: Tensor) -> Tensor:
        """Softmax of the sharpened cosines: (N, F) -> (N, U); the largest is the largest cosine."""
        cosines = self.embed(features) @ self.prototypes.T
        return (self.log_sharpness.exp() * cosines).softmax(dim=1)

    def embed_text(self, text: Tensor) -> Tensor:
        """Centred texts: (n, V, D) -> (n, E), rows of length 1."""
        return centre_views(side_by_side(text), self.centre, text.shape[1])


class StandardisedAligner(TextSpaceAligner, ClosedFormAligner):
    """A closed form on features that are standardised by the training samples.

    Attributes:
        mean, deviation: (F,) of the training samples.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.register_buffer("mean", torch.zeros(config.feature_width))
        self.register_buffer("deviation", torch.ones(config.feature_width))
        self.register_buffer("log_sharpness", torch.zeros(()))

    def fit(self, features: Tensor, classes: Tensor, text: Tensor) -> None:
        """Standardise and centre, then let the method learn, in float64 on the CPU."""
        x, texts = features.cpu().double(), side_by_side(text.cpu().double())
        mean, deviation = scale_of(x)
        self._keep(mean=mean, deviation=deviation, centre=texts.mean(dim=0))
        x = standardise(x, mean, deviation)
        self._keep(**self._learn(x, classes.cpu(), texts))

    @abstractmethod
    def _learn(self, x: Tensor, classes: Tensor, texts: Tensor) -> dict[str, Tensor]:
        """Buffers by name, learnt from standardised (N, F), (N,) and texts side by side (S, E)."""

    def standardised(self, features: Tensor) -> Tensor:
        """(N, F) -> (N, F), cut off at five deviations."""
        return standardise(features, self.mean, self.deviation)

    def _keep(self, **values: Tensor) -> None:
        for name, value in values.items():
            buffer = self.get_buffer(name)
            setattr(self, name, value.to(buffer))  # its device and float32


class LinearAligner(StandardisedAligner):
    """A linear map from standardised features to texts, with penalties chosen on left-out classes.

    With X (N, F) the samples, Y (N, S) their classes in the method's code and g the penalty of the
    features, the map is ``(X'X + g N I)^-1 X'Y B``; B (S, E) is the method's, made of the texts.
    Each of a dozen random groups of seen classes, as large as the group of unseen ones, is left out
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
    """

    CODE: tuple[float, float]
    FEATURE_PENALTIES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
    TEXT_PENALTIES: tuple[float, ...]
    SHARPNESS = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0)
    START = (1.0, 1.0, 10.0)
    map: Tensor
    penalties: Tensor

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.register_buffer("map", torch.zeros(self.width, config.feature_width))
        self.register_buffer("penalties", torch.zeros(2))

    @abstractmethod
    def text_side(self, texts: Tensor, penalty: float) -> Tensor:
        """B: centred texts (S, E) and the penalty of the texts -> (S, E)."""

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
        g, h, sharpness = self._choose(x, classes, texts)
        centred = centre_views(texts, texts.mean(dim=0), len(self.config.model.views))
        return {
            "map": self.solve(x, classes, centred, g, h),
            "penalties": torch.tensor([g, h]),
            "log_sharpness": torch.tensor(sharpness).log(),
        }

    def _spectrum(self, x: Tensor, classes: Tensor, count: int) -> tuple[Tensor, Tensor, Tensor]:
        """Eigenvectors (F, R) and eigenvalues (R,) of X'X, and X'Y in that basis (R, count).

        X'X is never made where XX' is smaller: both have the same eigenvalues but for zeros, where
        X'Y has nothing.
        """
        own, other = self.CODE
        y = other + (own - other) * one_hot(classes, count).to(x)
        if x.shape[1] <= len(x):
            values, basis = torch.linalg.eigh(x.T @ x)
        else:
            values, left = torch.linalg.eigh(x @ x.T)
            basis = x.T @ left
        kept = values > 1e-10 * values[-1]
        basis = normalize(basis[:, kept], dim=0)
        return basis, values[kept], basis.T @ (x.T @ y)

    def _choose(self, x: Tensor, classes: Tensor, texts: Tensor) -> tuple[float, float, float]:
        """Both penalties and the sharpness."""
        groups = left_out_groups(texts, len(self.config.unseen), self.config.seed)
        if not groups:
            return self.START
        shape = (len(self.FEATURE_PENALTIES), len(self.TEXT_PENALTIES))
        accuracy, likelihood = np.zeros(shape), np.zeros((*shape, len(self.SHARPNESS)))
        for group in groups:
            out = torch.isin(classes, group)
            rest = torch.tensor([c for c in range(len(texts)) if c not in group])
            views = len(self.config.model.views)
            centred = centre_views(texts, texts[rest].mean(dim=0), views)
            renumbered = torch.searchsorted(rest, classes[~out])
            basis, values, target = self._spectrum(x[~out], renumbered, len(rest))
            truth = torch.searchsorted(group, classes[out])
            for j, h in enumerate(self.TEXT_PENALTIES):
                side = self.text_side(centred[rest], h)
                products, gram = side @ centred[group].T, side @ side.T
                for i, g in enumerate(self.FEATURE_PENALTIES):
                    inner = target / (values + g * len(renumbered))[:, None]
                    given = (x[out] @ basis) @ inner  # (left-out samples, classes of the rest)
                    lengths = ((given @ gram) * given).sum(dim=1, keepdim=True)
                    cosines = given @ products / lengths.clamp_min(1e-24).sqrt()
                    accuracy[i, j] += float((cosines.argmax(dim=1) == truth).double().mean())
                    for k, sharpness in enumerate(self.SHARPNESS):
                        chances = (sharpness * cosines).log_softmax(dim=1)
                        likelihood[i, j, k] += float(chances.gather(1, truth[:, None]).mean())
        # Rounded, so that what is equal but for the order of a sum counts as equal.
        accuracy = accuracy.round(9)
        i, j = max(np.ndindex(shape), key=lambda place: (accuracy[place], likelihood[place].max()))
        sharpness = self.SHARPNESS[likelihood[i, j].argmax()]
        return self.FEATURE_PENALTIES[i], self.TEXT_PENALTIES[j], sharpness


def left_out_groups(texts: Tensor, size: int, seed: int) -> list[Tensor]:
    """Random groups of classes to leave out: :data:`DRAWS` of them, or none.

    Args:
        texts: (S, E) of all classes; groups are drawn in the order of the texts, so that they do
            not depend on how classes are numbered.
        size: wanted of a group; at least :data:`FEWEST`, at most half of the classes.
        seed: of the draw.

    Returns:
        Sorted indices of classes; an empty list where half of the classes are too few for a group.
    """
    count = len(texts)
    size = max(FEWEST, min(size, count // 2))
    if size > count // 2:
        return []
    order = np.array(sorted(range(count), key=lambda c: texts[c].tolist()))
    rng = np.random.default_rng(seed)
    groups: list[Tensor] = []
    while len(groups) < DRAWS:
        drawn = rng.permutation(order)
        parts = [drawn[i : i + size] for i in range(0, count - size + 1, size)]
        groups += [torch.from_numpy(np.sort(part)) for part in parts]
    return groups[:DRAWS]
