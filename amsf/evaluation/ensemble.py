"""Several trained models of one phase that answer together: the mean of their probabilities.

N = samples · U = unseen classes · V = text views · D = text width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol, Self

import torch
from torch import Tensor
from torch.nn.functional import normalize

from amsf.model.aligner import Aligner, Config


class Scorer(Protocol):
    """What evaluation and prediction ask of a model or of several."""

    @property
    def config(self) -> Config:
        """What it was built from and trained for."""

    def probabilities(self, features: Tensor) -> Tensor:
        """The probabilities of the unseen classes: (N, F) -> (N, U) on the CPU."""

    def embed_samples(self, features: Tensor) -> Tensor:
        """Samples in the space that they share with texts: (N, F) -> (N, E) on the CPU."""

    def cosines(self, features: Tensor, *texts: Tensor) -> list[Tensor]:
        """How near samples are to classes: (N, F), each text (n, V, D) -> (N, n) on the CPU."""

    def margins(self, features: Tensor, unseen_text: Tensor, seen_text: Tensor) -> Tensor:
        """How much nearer samples are to unseen classes: (N, F), texts -> (N,) on the CPU."""

    def for_classes(self, unseen: tuple[int, ...], text: Tensor) -> Self:
        """The same for other classes, given by their texts (U, V, D)."""


@dataclass(frozen=True)
class Ensemble:
    """The models of all seeds, for the same classes in the same order."""

    members: Sequence[Aligner]

    @property
    def config(self) -> Config:
        """The first member's."""
        return self.members[0].config

    def probabilities(self, features: Tensor) -> Tensor:
        """The mean over members: (N, F) -> (N, U) on the CPU."""
        return torch.stack([member.probabilities(features) for member in self.members]).mean(0)

    def embed_samples(self, features: Tensor) -> Tensor:
        """The members' spaces side by side, each of unit vectors: (N, E times members)."""
        each = [normalize(member.embed_samples(features), dim=1) for member in self.members]
        return torch.cat(each, dim=1)

    def cosines(self, features: Tensor, *texts: Tensor) -> list[Tensor]:
        """The means over members: for each of the texts (N, n) on the CPU."""
        each = [member.cosines(features, *texts) for member in self.members]
        return [torch.stack(of_texts).mean(0) for of_texts in zip(*each)]

    def margins(self, features: Tensor, unseen_text: Tensor, seen_text: Tensor) -> Tensor:
        """The mean over members: (N,) on the CPU."""
        each = [member.margins(features, unseen_text, seen_text) for member in self.members]
        return torch.stack(each).mean(0)

    def for_classes(self, unseen: tuple[int, ...], text: Tensor) -> Ensemble:
        """Every member made ready for other classes."""
        return replace(self, members=[m.for_classes(unseen, text) for m in self.members])
