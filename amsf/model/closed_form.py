"""What the methods share that put skeletons among texts, and how classes are left out.

N = samples · n = classes whose texts are given · S = seen classes · U = unseen classes · V = text
views · D = text width · E = V·D, width of the texts side by side · F = skeleton feature width.

A class lies where its texts say: each view L2-normalised, less its mean over the seen classes, and
L2-normalised again; then the views side by side. Sentence vectors of one field share one large
direction, which says nothing of the class; without the mean taken away it outweighs what does.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

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
    """A closed form on features that are standardised by the dataset's training samples.

    Those of other datasets come with the same mean.

    Attributes:
        mean, deviation: (F,) of the dataset's training samples.
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
        mean, deviation = scale_of(x[self.own(classes.cpu())])
        self._keep(mean=mean, deviation=deviation, centre=texts.mean(dim=0))
        x = standardise(x, mean, deviation)
        self._keep(**self._learn(x, classes.cpu(), texts))

    def left_out_accuracy(self, features: Tensor, classes: Tensor, text: Tensor) -> Tensor:
        """Accuracy (0 to 1) on each group of seen classes that is left out: (DRAWS,).

        Args:
            features, classes, text: what it was fitted on.

        Returns:
            Zeros where there are too few seen classes to leave some out.
        """
        groups = left_out_groups(
            side_by_side(text.cpu().double()), len(self.config.unseen), self.config.seed
        )
        found = []
        for group in groups:
            rest = torch.tensor([c for c in range(len(text)) if c not in group])
            out = torch.isin(classes, group)
            own = self.own(rest)
            if not own.any():  # all of them are left out: the others stand for them
                own = ~own
            config = replace(
                self.config,
                seen=tuple(rest[own].tolist()),
                unseen=tuple(group.tolist()),
                joined=tuple(rest[~own].tolist()),
            )
            other = type(self)(config)
            other.fit(features[~out], torch.searchsorted(rest, classes[~out]), text[rest])
            other.learn_classes(text[group], torch.Generator(), again=False)
            answers = other.scores(features[out]).argmax(dim=1)
            right = answers == torch.searchsorted(group, classes[out])
            found.append(right.double().mean())
        return torch.stack(found) if found else torch.zeros(DRAWS)

    @abstractmethod
    def _learn(self, x: Tensor, classes: Tensor, texts: Tensor) -> dict[str, Tensor]:
        """Buffers by name, learnt from standardised (N, F), (N,) and texts side by side (S, E)."""

    def own(self, classes: Tensor) -> Tensor:
        """Which of the samples are the dataset's own: (N,) indices of learnt classes -> (N,)."""
        return classes < len(self.config.seen)

    def standardised(self, features: Tensor) -> Tensor:
        """(N, F) -> (N, F), cut off at five deviations."""
        return standardise(features, self.mean, self.deviation)

    def _keep(self, **values: Tensor) -> None:
        for name, value in values.items():
            buffer = self.get_buffer(name)
            setattr(self, name, value.to(buffer))  # its device and float32


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
