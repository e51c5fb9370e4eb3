"""Training of one phase in cycles, each ended by learning the texts of the unseen classes.

N = samples · B = batch · C = classes · V = text views · D = text width · F = feature width ·
U = unseen classes · T = loss terms. What is computed is the alignment method's
(:mod:`amsf.model.aligner`); here batches are drawn, gradients sent to their parameters, and the
training curve is kept.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from amsf.base.errors import InputError
from amsf.features.phases import SampleSet
from amsf.model.aligner import (
    Batch,
    ClosedFormAligner,
    Config,
    Optimiser,
    Progress,
    SteppedAligner,
    build_aligner,
)
from amsf.model.eager_adam import EagerAdam
from amsf.settings.params import Settings

POINTS_PER_CYCLE = 20
ROWS_MULTIPLE = 4


@dataclass
class Streams:
    """The random streams of a run: weights and noise (torch), batches (numpy)."""

    noise: torch.Generator
    batches: np.random.Generator

    @classmethod
    def seeded(cls, seed: int, phase: str, device: torch.device) -> Streams:
        """Streams of their own for each seed and phase; torch's global stream is seeded too."""
        root = np.random.SeedSequence([seed, {"test": 0, "val": 1}[phase]])
        weights, noise, batches = root.spawn(3)
        torch.manual_seed(int(weights.generate_state(1)[0]))
        generator = torch.Generator(device).manual_seed(int(noise.generate_state(1)[0]))
        return cls(generator, np.random.default_rng(batches))


@dataclass(frozen=True)
class CycleResult:
    """What a cycle ended with.

    Attributes:
        cycle: counted from 0.
        state: the weights of the model; valid until the next cycle begins.
        accuracy: ZSL accuracy over the observed samples, or None where none are.
        classes_loss: what learning the unseen classes' texts ended with.
        points: rows of the training curve: step, mean of each loss term since the row before, and
            its weight. A term that no step since then had is NaN.
    """

    cycle: int
    state: dict[str, Tensor]
    accuracy: float | None
    classes_loss: float
    points: list[dict[str, float]]


def draw_batches(rng: np.random.Generator, samples: int, size: int, steps: int) -> np.ndarray:
    """Indices (steps, B) of batches, each drawn without replacement from all samples."""
    size = min(size, samples)
    return np.stack([rng.choice(samples, size, replace=False, shuffle=False) for _ in range(steps)])


class PhaseTrainer:
    """Trains one phase of one seed, cycle by cycle.

    Args:
        settings: the benchmark's settings.
        config: what is trained (its ``cycle`` is not used).
        train: training samples of the classes that are learnt.
        text: (C, V, D) text vectors of all classes, in the order of ``settings.model.views``.
        streams: random streams; under ``seeding: stream`` they have run on from another phase.
        device: where to compute.

    Attributes:
        model: the alignment method's.
        optimisers: group of parameters -> what updates it; none for a closed form.
        cycle: how many cycles are behind it.

    Raises:
        InputError: the model's parameters do not fit the widths.
    """

    def __init__(
        self,
        settings: Settings,
        config: Config,
        train: SampleSet,
        text: Tensor,
        streams: Streams,
        device: torch.device,
    ) -> None:
        self.settings = settings
        self.streams = streams
        self.device = device
        self.model = build_aligner(config).to(device)
        self.optimisers: dict[str, Optimiser] = {}
        self._parameters: dict[str, list[nn.Parameter]] = {}
        self._all_classes = False
        if isinstance(self.model, SteppedAligner):
            groups, rate = self.model.GROUPS, settings.train.learning_rate
            self.optimisers = {group: self.model.optimiser(group, rate) for group in groups}
            self._parameters = {group: self.model.parameters_of(group) for group in groups}
            self._all_classes = self.model.wants_all_classes
            if len(groups) > 1 and any(isinstance(o, EagerAdam) for o in self.optimisers.values()):
                raise TypeError(
                    f"{type(self.model).__name__} has the groups {', '.join(groups)} and asks for "
                    "EagerAdam, which would update one of them before the gradients of the others "
                    "are taken; leave `optimiser` as SteppedAligner has it"
                )
        # On the CPU this stays the memory map of the file: a batch reads its own rows.
        self.features = train.features.to(device)
        self.labels = torch.searchsorted(torch.tensor(config.learnt), train.labels).to(device)
        text = text.to(device)
        self.seen_text = text[list(config.learnt)]
        self.unseen_text = text[list(config.unseen)]
        if isinstance(self.model, SteppedAligner):
            self.model.look_at(self.features, self.seen_text)
        self.cycle = 0

    def cycles(self, count: int, observed: SampleSet | None) -> Iterator[CycleResult]:
        """Train on to ``count`` cycles in all, giving what each ended with.

        Args:
            count: how many; a restored trainer begins after those it has behind it.
            observed: samples of the unseen classes, scored at the end of each cycle; None where
                the cycle is not chosen by accuracy, so that nothing of them is looked at.

        Raises:
            InputError: a loss or the weights are no longer finite.
        """
        for cycle in range(self.cycle, count):
            points = []
            if isinstance(self.model, SteppedAligner):
                points = self._steps(self.model, cycle)
            elif isinstance(self.model, ClosedFormAligner):
                self.model.fit(self.features, self.labels, self.seen_text)
            loss = self.model.learn_classes(self.unseen_text, self.streams.noise, again=cycle > 0)
            self._refuse_nonfinite_end(loss, cycle)
            accuracy = None if observed is None else self._zsl_accuracy(observed)
            state = self.model.state_dict()
            self.cycle = cycle + 1
            yield CycleResult(cycle, state, accuracy, loss, points)

    def _steps(self, model: SteppedAligner, cycle: int) -> list[dict[str, float]]:
        """The steps of one cycle; returns its training-curve rows.

        Nothing in the loop waits for the device: batches are uploaded and losses read in bulk.
        """
        settings = self.settings.train
        count = settings.steps_per_cycle
        drawn = draw_batches(self.streams.batches, len(self.features), settings.batch_size, count)
        batches = torch.from_numpy(drawn).to(self.device)
        terms = torch.empty(count, len(model.TERMS), device=self.device)
        absent = torch.full((), math.nan, device=self.device)
        interval = max(1, count // POINTS_PER_CYCLE)
        # Reading a loss waits for the device: once an interval on the CPU, once a cycle elsewhere.
        look = interval if self.device.type == "cpu" else count
        given = np.zeros(terms.shape, bool)
        weights: list[Mapping[str, float]] = []
        for step in range(count):
            progress = Progress(step, count, cycle)
            weights.append(model.weights(progress))
            losses = self._step(model, batches[step], progress, weights[-1])
            terms[step] = torch.stack([losses.get(n, absent).detach() for n in model.TERMS])
            given[step] = [name in losses for name in model.TERMS]
            if (step + 1) % look == 0 or step + 1 == count:
                self._refuse_nonfinite(terms[: step + 1].cpu(), given[: step + 1], cycle)
        rows = []
        for start in range(0, count, interval):
            end = min(start + interval, count)
            means = terms[start:end].double().nanmean(0).tolist()
            row = {"cycle": cycle, "step": end}
            row |= {f"loss_{name}": mean for name, mean in zip(model.TERMS, means, strict=True)}
            last = weights[end - 1]
            rows.append({**row, **{f"weight_{name}": last.get(name, 1.0) for name in model.TERMS}})
        return rows

    def _step(
        self,
        model: SteppedAligner,
        batch: Tensor,
        progress: Progress,
        weights: Mapping[str, float],
    ) -> dict[str, Tensor]:
        """One step on the samples (B,) of a batch; returns its loss terms.

        The gradients of all groups are taken before any is updated. A loss gives gradients to its
        own group alone (``inputs``): through what else it passes, it changes nothing there.
        """
        text, classes = self._classes_of(batch)
        groups = model.losses(
            Batch(self.features[batch], text, classes, self.streams.noise), progress
        )
        found: dict[str, Tensor] = {}
        for left, (group, terms) in zip(range(len(groups) - 1, -1, -1), groups.items()):
            total = sum(weights.get(name, 1.0) * loss for name, loss in terms.items())
            assert isinstance(total, Tensor)
            total.backward(inputs=self._parameters[group], retain_graph=left > 0)
            found |= terms
        for group in groups:
            self.optimisers[group].step()
            self.optimisers[group].zero_grad()
        return found

    def _classes_of(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        """Text (n, V, D) of the classes of a batch, and the batch's indices into it.

        The CPU works on each class of the batch once. Elsewhere a number of classes that depends on
        the batch would make the host wait for the device, so n is the same for every batch: all
        seen classes, or one row a sample where those are more.
        """
        labels = self.labels[batch]
        if self._all_classes:
            return self.seen_text, labels
        if self.device.type == "cpu":
            classes, labels = torch.unique(labels, return_inverse=True)
            # oneDNN keeps megabytes of code for each size of a product: a multiple of 4 rows makes
            # a handful of sizes. The rows added are asked for by no sample.
            padding = classes[:1].expand(-len(classes) % ROWS_MULTIPLE)
            return self.seen_text[torch.cat([classes, padding])], labels
        if len(self.seen_text) <= len(batch):
            return self.seen_text, labels
        return self.seen_text[labels], torch.arange(len(batch), device=self.device)

    def _zsl_accuracy(self, observed: SampleSet) -> float:
        predicted = self.model.probabilities(observed.features).argmax(1)
        local = np.searchsorted(self.model.config.unseen, observed.labels.numpy())
        return float((predicted.numpy() == local).mean())

    def _refuse_nonfinite(self, terms: Tensor, given: np.ndarray, cycle: int) -> None:
        wrong = ~terms.isfinite().numpy() & given
        if wrong.any():
            step = int(wrong.any(1).argmax())
            assert isinstance(self.model, SteppedAligner)
            names = [name for name, bad in zip(self.model.TERMS, wrong[step], strict=True) if bad]
            raise self._diverged(
                f"{', '.join(names)} not finite at step {step + 1} of cycle {cycle + 1}; lower "
                "train.learning_rate, or look for outliers in the features"
            )

    def _refuse_nonfinite_end(self, classes_loss: float, cycle: int) -> None:
        """What the last updates left, which no loss term has seen."""
        wrong = [] if math.isfinite(classes_loss) else ["the loss of the unseen classes"]
        wrong += [name for name, t in self.model.state_dict().items() if not t.isfinite().all()]
        if wrong:
            raise self._diverged(
                f"{wrong[0]} not finite at the end of cycle {cycle + 1}; lower train.learning_rate "
                "or train.classifier_learning_rate"
            )

    def _diverged(self, message: str) -> InputError:
        config = self.model.config
        return InputError(f"training ({config.phase} phase, seed {config.seed}): {message}")
