"""The closed form that names left-out seen classes best.

N = samples · S = seen classes · U = unseen classes · V = text views · D = text width · E = width of
the chosen member's space · F = skeleton feature width · M = members · G = groups of classes. Every
member is fitted; which of them answers is decided by random groups of seen classes that are left
out in turn, so that nothing of the unseen classes is looked at but how many they are.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from amsf.model.aligner import ClosedFormAligner, Config
from amsf.model.closed_form import DRAWS, StandardisedAligner
from amsf.model.conse import ConseAligner
from amsf.model.linear_maps import EszslAligner, RidgeAligner
from amsf.model.prototypes import PrototypesAligner

# The first is the best over many class splits (docs/results.md); another has to be surely better.
MEMBERS: dict[str, type[StandardisedAligner]] = {
    "prototypes": PrototypesAligner,
    "ridge": RidgeAligner,
    "eszsl": EszslAligner,
    "conse": ConseAligner,
}
SURELY = 2.0  # standard errors of the paired difference over groups


class AutoAligner(ClosedFormAligner):
    """All members, of which one answers: the best of the first and of those surely better than it.

    A dozen groups of a few classes each say little: taking the largest mean chose worse than always
    taking the first, on UTKinect and Florence.

    Attributes:
        accuracy: (M, G) of each member on each group of left-out classes, 0 to 1.
    """

    OF_CLASSES = tuple(
        f"members.{name}.{part}" for name, kind in MEMBERS.items() for part in kind.OF_CLASSES
    )
    accuracy: Tensor

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.members = nn.ModuleDict()
        for name, kind in MEMBERS.items():
            model = config.model.model_copy(update={"aligner": name})
            self.members[name] = kind(replace(config, model=model))
        self.register_buffer("accuracy", torch.zeros(len(MEMBERS), DRAWS))

    @property
    def method(self) -> str:
        """The name of the member that answers."""
        lead = self.accuracy.double() - self.accuracy[0].double()
        mean, error = lead.mean(1), lead.std(1) / DRAWS**0.5
        mean[mean <= SURELY * error] = 0.0
        return list(MEMBERS)[int(mean.argmax())]

    def alternatives(self) -> dict[str, float]:
        """Each member's mean accuracy on left-out classes."""
        return dict(zip(MEMBERS, self.accuracy.mean(1).tolist()))

    @property
    def chosen(self) -> StandardisedAligner:
        """The member that answers."""
        member = self.members[self.method]
        assert isinstance(member, StandardisedAligner)
        return member

    def fit(self, features: Tensor, classes: Tensor, text: Tensor) -> None:
        """Fit every member, and ask each about classes that are left out."""
        accuracy = []
        for member in self.members.values():
            assert isinstance(member, StandardisedAligner)
            member.fit(features, classes, text)
            accuracy.append(member.left_out_accuracy(features, classes, text))
        # Rounded, so that what is equal but for the order of a sum counts as equal.
        self.accuracy = (
            torch.stack([one.double().cpu() for one in accuracy])
            .round(decimals=5)
            .to(self.accuracy)
        )

    def learn_classes(self, text: Tensor, generator: torch.Generator, *, again: bool) -> float:
        """Tell every member of the classes; nothing is drawn or trained."""
        for member in self.members.values():
            assert isinstance(member, StandardisedAligner)
            member.learn_classes(text, generator, again=again)
        return 0.0

    def scores(self, features: Tensor) -> Tensor:
        """The chosen member's: (N, F) -> (N, U)."""
        return self.chosen.scores(features)

    def embed(self, features: Tensor) -> Tensor:
        """In the chosen member's space: (N, F) -> (N, E)."""
        return self.chosen.embed(features)

    def embed_text(self, text: Tensor) -> Tensor:
        """In the chosen member's space: (n, V, D) -> (n, E)."""
        return self.chosen.embed_text(text)
