"""What an alignment method is: all that training, evaluation, prediction and report know of one.

B = batch · N = samples · n = classes whose texts are given · U = unseen classes · V = text views ·
D = text width · F = skeleton feature width · E = width of the shared space.

A method learns from skeleton features of the seen classes and from the texts of these classes. Then
it is given the texts of classes that it has never seen, and recognises samples of these. Two
kinds differ in how they learn: a :class:`SteppedAligner` by gradient steps in cycles, a
:class:`ClosedFormAligner` at once. ``amsf.settings.aligners`` has them by name.
"""

from __future__ import annotations

import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol, Self

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from amsf.dataset.splits import Split
from amsf.settings.aligners import ALIGNERS
from amsf.settings.params import Model, Settings, Train
from amsf.settings.protocol import Switches

BLOCK = 16384  # samples scored at once


@dataclass(frozen=True)
class Config:
    """What a model is built from, and what it was trained for.

    Attributes:
        model, train: these sections of the parameters.
        switches: the protocol.
        text_width: D.
        feature_width: F.
        phase: ``test`` or ``val``.
        seed: the run's seed.
        seen, unseen: the classes of the phase; the columns of scores follow ``unseen``.
        cycle: the chosen one, counted from 0.
        joined: classes of other datasets that were trained on too; their ids stand behind the
            dataset's.
    """

    model: Model
    train: Train
    switches: Switches
    text_width: int
    feature_width: int
    phase: str
    seed: int
    seen: tuple[int, ...]
    unseen: tuple[int, ...]
    cycle: int
    joined: tuple[int, ...] = ()

    @property
    def learnt(self) -> tuple[int, ...]:
        """All classes that the model is trained on: the seen ones, then the joined ones."""
        return (*self.seen, *self.joined)

    @classmethod
    def of(
        cls,
        settings: Settings,
        split: Split,
        phase: str,
        seed: int,
        text_width: int,
        feature_width: int,
    ) -> Config:
        """The config of a phase of one seed; its ``cycle`` is not chosen yet, and 0."""
        seen, unseen = split.of_phase(phase)
        return cls(
            model=settings.model,
            train=settings.train.model_copy(update={"seeds": (seed,)}),
            switches=settings.switches(),
            text_width=text_width,
            feature_width=feature_width,
            phase=phase,
            seed=seed,
            seen=seen,
            unseen=unseen,
            cycle=0,
            joined=split.joined(phase),
        )


class Aligner(nn.Module, ABC):
    """A method that aligns skeleton features with the texts of classes.

    Its weights and buffers are all that a checkpoint keeps of it.

    Attributes:
        OF_CLASSES: beginnings of the names of weights that belong to the classes it was last
            given, not to the alignment; :meth:`learn_classes` makes them anew.
    """

    OF_CLASSES: tuple[str, ...] = ()

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config

    @abstractmethod
    def learn_classes(self, text: Tensor, generator: torch.Generator, *, again: bool) -> float:
        """Make ready to recognise some classes, by their texts; the alignment stays as it is.

        Args:
            text: (U, V, D) text vectors, in the order of ``config.unseen``.
            generator: gives random numbers, on the device of ``text``.
            again: whether classes were learnt before, at the end of an earlier cycle.

        Returns:
            The loss that this ended with; 0 where there is none.
        """

    @abstractmethod
    def scores(self, features: Tensor) -> Tensor:
        """The probabilities of the learnt classes: (N, F) -> (N, U), rows sum to 1."""

    @abstractmethod
    def embed(self, features: Tensor) -> Tensor:
        """Skeleton features in the space that they share with texts: (N, F) -> (N, E)."""

    @abstractmethod
    def embed_text(self, text: Tensor) -> Tensor:
        """Classes in the same space, by their texts: (n, V, D) -> (n, E)."""

    @classmethod
    @abstractmethod
    def cycles(cls, train: Train) -> int:
        """How many cycles the training has; one of them is chosen."""

    @property
    def method(self) -> str:
        """The name of the method that answers: its own, or that of the one it chose."""
        return self.config.model.aligner

    def alternatives(self) -> dict[str, float]:
        """What :attr:`method` was chosen from: name -> accuracy (0 to 1) on validation classes.

        Empty where there was no choice.
        """
        return {}

    def carried_state(self) -> dict[str, dict[str, Tensor]]:
        """Tensors beside the weights that training carries from cycle to cycle, in place."""
        return {}

    def _device(self) -> torch.device:
        return next((t.device for t in self.state_dict().values()), torch.device("cpu"))

    @torch.no_grad()
    def probabilities(self, features: Tensor) -> Tensor:
        """:meth:`scores` of many samples: (N, F) -> (N, U) on the CPU.

        In large blocks, so that features may be a memory map of more than fits into memory.
        """
        device = self._device()
        blocks = [self.scores(block.to(device)).cpu() for block in features.split(BLOCK)]
        return torch.cat(blocks)

    @torch.no_grad()
    def embed_samples(self, features: Tensor) -> Tensor:
        """:meth:`embed` of many samples: (N, F) -> (N, E) on the CPU."""
        device = self._device()
        return torch.cat([self.embed(b.to(device)).cpu() for b in features.split(BLOCK)])

    @torch.no_grad()
    def cosines(self, features: Tensor, *texts: Tensor) -> list[Tensor]:
        """How near samples are to classes by their texts, in the space that both share.

        Args:
            features: (N, F).
            texts: (n, V, D) of some classes, each.

        Returns:
            For each of ``texts`` the cosines (N, n) on the CPU.
        """
        device = self._device()
        places = [normalize(self.embed_text(text.to(device)), dim=1) for text in texts]
        blocks = []
        for block in features.split(BLOCK):
            x = normalize(self.embed(block.to(device)), dim=1)
            blocks.append([(x @ place.T).cpu() for place in places])
        return [torch.cat(of_texts) for of_texts in zip(*blocks)]

    def margins(self, features: Tensor, unseen_text: Tensor, seen_text: Tensor) -> Tensor:
        """How much nearer samples are to unseen than to seen classes, by their texts.

        Args:
            features: (N, F).
            unseen_text: (U, V, D).
            seen_text: (S, V, D).

        Returns:
            (N,) on the CPU: the largest cosine to an unseen class less the largest to a seen one,
            in the space that skeletons and texts share.
        """
        unseen, seen = self.cosines(features, unseen_text, seen_text)
        return unseen.amax(1) - seen.amax(1)

    def for_classes(self, unseen: tuple[int, ...], text: Tensor) -> Self:
        """The same alignment, made ready for other classes; equal arguments give equal weights.

        Args:
            unseen: U class ids, the order of the columns of scores.
            text: (U, V, D) text vectors of these classes.
        """
        seed = self.config.seed
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            other = type(self)(replace(self.config, unseen=unseen))
            kept = {k: t for k, t in self.state_dict().items() if not k.startswith(self.OF_CLASSES)}
            other.load_state_dict(kept, strict=False)
            other.learn_classes(text, torch.Generator().manual_seed(seed), again=False)
        return other.eval()


@dataclass(frozen=True)
class Batch:
    """What a step learns from.

    Attributes:
        features: (B, F), as they were imported.
        text: (n, V, D), text vectors of classes.
        classes: (B,), the class of each sample, as an index into ``text``.
        generator: gives random numbers, on the device of the tensors.
    """

    features: Tensor
    text: Tensor
    classes: Tensor
    generator: torch.Generator


@dataclass(frozen=True)
class Progress:
    """Where a training is.

    Attributes:
        step: counted from 0 within the cycle.
        steps: how many a cycle has.
        cycle: counted from 0.
    """

    step: int
    steps: int
    cycle: int


class Optimiser(Protocol):
    """What training asks of an optimiser, such as those of ``torch.optim``."""

    def step(self) -> object:
        """Update the parameters by their gradients."""

    def zero_grad(self) -> object:
        """Forget the gradients."""


class SteppedAligner(Aligner):
    """A method that learns by gradient steps.

    Attributes:
        TERMS: names of its loss terms, as training curves show them.
        GROUPS: names of the groups of parameters, each with losses and an optimiser of its own.
    """

    TERMS: tuple[str, ...]
    GROUPS: tuple[str, ...] = ("all",)

    @property
    def wants_all_classes(self) -> bool:
        """Whether a batch has the texts of all seen classes instead of those of its samples."""
        return False

    def look_at(self, features: Tensor, text: Tensor) -> None:
        """Take in all training features (N, F) and seen texts (S, V, D) before the first step."""

    @abstractmethod
    def losses(self, batch: Batch, progress: Progress) -> Mapping[str, Mapping[str, Tensor]]:
        """The loss terms of one step, each a scalar: group of parameters -> term -> loss.

        A group that is left out is not updated in this step. A gradient reaches the parameters of
        its own group alone, so a critic stays as it is in a step of its generator.
        """

    def weights(self, progress: Progress) -> Mapping[str, float]:
        """Weights of the loss terms at a step; a term that is left out weighs 1."""
        return {}

    def parameters_of(self, group: str) -> list[nn.Parameter]:
        """The parameters that a group's losses train; by default the one group has all."""
        return list(self.parameters())

    def optimiser(self, group: str, learning_rate: float) -> Optimiser:
        """What updates the parameters of a group; torch's Adam where a method names none."""
        return torch.optim.Adam(self.parameters_of(group), lr=learning_rate)

    @classmethod
    def cycles(cls, train: Train) -> int:
        """``train.cycles``."""
        return train.cycles


class ClosedFormAligner(Aligner):
    """A method that learns at once."""

    @abstractmethod
    def fit(self, features: Tensor, classes: Tensor, text: Tensor) -> None:
        """Learn from all training samples.

        Args:
            features: (N, F), as they were imported.
            classes: (N,), the class of each sample, as an index into ``text``.
            text: (S, V, D), text vectors of the S classes that are learnt.
        """

    @classmethod
    def cycles(cls, train: Train) -> int:
        """One: there is nothing to choose from."""
        return 1


def aligner_class(name: str) -> type[Aligner]:
    """The class that ``model.aligner`` names."""
    found: type[Aligner] = pkgutil.resolve_name(ALIGNERS[name].place)
    return found


def build_aligner(config: Config) -> Aligner:
    """An untrained model of the method that ``config.model.aligner`` names."""
    return aligner_class(config.model.aligner)(config)
