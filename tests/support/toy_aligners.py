"""Alignment methods as an outsider would write them: one by gradient steps, one at once.

B = batch · n = classes · U = unseen classes · V = text views · D = text width · F = feature width.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, normalize

from amsf.model.aligner import Batch, ClosedFormAligner, Config, Progress, SteppedAligner


class Toy(SteppedAligner):
    """A linear map from features to texts, pulled to the own class and away from the others."""

    OF_CLASSES = ("prototypes",)
    TERMS = ("pull",)

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        width = config.text_width * len(config.model.views)
        self.map = nn.Linear(config.feature_width, width)
        self.register_buffer("prototypes", torch.zeros(len(config.unseen), width))

    @property
    def wants_all_classes(self) -> bool:
        return True

    def losses(self, batch: Batch, progress: Progress) -> Mapping[str, Mapping[str, Tensor]]:
        scores = self.embed(batch.features) @ self.embed_text(batch.text).T
        return {"all": {"pull": cross_entropy(10 * scores, batch.classes)}}

    def learn_classes(self, text: Tensor, generator: torch.Generator, *, again: bool) -> float:
        self.prototypes = self.embed_text(text)
        return 0.0

    def scores(self, features: Tensor) -> Tensor:
        return (10 * self.embed(features) @ self.prototypes.T).softmax(1)

    def embed(self, features: Tensor) -> Tensor:
        return normalize(self.map(normalize(features, dim=1)), dim=1)

    def embed_text(self, text: Tensor) -> Tensor:
        return normalize(text.flatten(1), dim=1)


class AtOnce(ClosedFormAligner):
    """The nearest seen class's features, mixed by how alike the texts are."""

    OF_CLASSES = ("centres",)

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        width = config.text_width * len(config.model.views)
        self.register_buffer("means", torch.zeros(len(config.seen), config.feature_width))
        self.register_buffer("texts", torch.zeros(len(config.seen), width))
        self.register_buffer("centres", torch.zeros(len(config.unseen), config.feature_width))

    def fit(self, features: Tensor, classes: Tensor, text: Tensor) -> None:
        self.means = torch.stack(
            [self.embed(features[classes == c]).mean(0) for c in range(len(text))]
        )
        self.texts = normalize(text.flatten(1), dim=1)

    def learn_classes(self, text: Tensor, generator: torch.Generator, *, again: bool) -> float:
        self.centres = self.embed_text(text)
        return 0.0

    def scores(self, features: Tensor) -> Tensor:
        return (-10 * torch.cdist(self.embed(features), self.centres)).softmax(1)

    def embed(self, features: Tensor) -> Tensor:
        return normalize(features, dim=1)

    def embed_text(self, text: Tensor) -> Tensor:
        alike = 20 * normalize(text.flatten(1), dim=1) @ self.texts.T
        return alike.softmax(1) @ self.means
