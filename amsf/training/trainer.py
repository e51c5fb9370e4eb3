"""Training of one phase: cycles of VAE steps, each ended by fitting the unseen classifier.

N = samples · B = batch · C = classes · V = text views · D = text width · F = feature width ·
L = latent width · U = unseen classes. The computation is that of the AMSF paper (Li et al., IEEE
Transactions on Multimedia 27, 2025); where the published code departs from a sound protocol, the
switches of `amsf.settings.params.Protocol` choose.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from amsf.base.errors import InputError
from amsf.features.phases import SampleSet
from amsf.model.checkpoints import Config, TrainedModel
from amsf.model.classifier import (
    UnseenClassifier,
    fit_classifier,
    latent_samples,
)
from amsf.model.eager_adam import EagerAdam
from amsf.model.vae import LossTerms, Weights, schedule
from amsf.settings.params import Settings

POINTS_PER_CYCLE = 20
ROWS_MULTIPLE = 4
TERMS = tuple(field.name for field in fields(LossTerms))


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
        state: the weights of the :class:`TrainedModel`; valid until the next cycle begins.
        accuracy: ZSL accuracy over the observed samples, or None where none are.
        classifier_loss: cross-entropy before the classifier's last step.
        points: rows of the training curve: step, mean loss terms since the row before, weights.
    """

    cycle: int
    state: dict[str, Tensor]
    accuracy: float | None
    classifier_loss: float
    points: list[dict[str, float]]


def draw_batches(rng: np.random.Generator, samples: int, size: int, steps: int) -> np.ndarray:
    """Indices (steps, B) of batches, each drawn without replacement from all samples."""
    size = min(size, samples)
    return np.stack([rng.choice(samples, size, replace=False, shuffle=False) for _ in range(steps)])


class PhaseTrainer:
    """Trains one phase of one seed, cycle by cycle.

    Args:
        settings: of the benchmark.
        config: what is trained (its ``cycle`` is not used).
        train: training samples of the seen classes.
        text: (C, V, D) text vectors of all classes, in the order of ``settings.model.views``.
        streams: random streams; under ``seeding: stream`` they have run on from another phase.
        device: where to compute.

    Attributes:
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
        self.protocol = settings.switches()
        self.streams = streams
        self.device = device
        self.model = TrainedModel(config).to(device)
        for encoder in (self.model.vae.skeleton_encoder, self.model.vae.text_encoder):
            encoder.start_at(self.protocol.initial_logvar)
        self.optimiser = EagerAdam(self.model.vae.parameters(), settings.train.learning_rate)
        self.classifier_optimiser = EagerAdam(
            self.model.classifier.parameters(), settings.train.classifier_learning_rate
        )
        # On the CPU this stays the memory map of the file: a batch reads its own rows.
        self.features = train.features.to(device)
        self.labels = torch.searchsorted(torch.tensor(config.seen), train.labels).to(device)
        text = text.to(device)
        self.seen_text = text[list(config.seen)]
        self.unseen_text = text[list(config.unseen)]
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
            points = self._steps(cycle)
            classifier_loss = self._classify(cycle)
            self._refuse_nonfinite_end(classifier_loss, cycle)
            accuracy = None if observed is None else self._zsl_accuracy(observed)
            state = self.model.state_dict()
            self.cycle = cycle + 1
            yield CycleResult(cycle, state, accuracy, classifier_loss, points)

    def _steps(self, cycle: int) -> list[dict[str, float]]:
        """The VAE steps of one cycle; returns its training-curve rows.

        Nothing in the loop waits for the device: batches are uploaded and losses read in bulk.
        """
        settings = self.settings.train
        count = settings.steps_per_cycle
        drawn = draw_batches(self.streams.batches, len(self.features), settings.batch_size, count)
        batches = torch.from_numpy(drawn).to(self.device)
        terms = torch.empty(count, len(TERMS), device=self.device)
        weights = [
            schedule(step, cycle, count, self.protocol.schedule, self.protocol.kl_weight)
            for step in range(count)
        ]
        interval = max(1, count // POINTS_PER_CYCLE)
        # Reading a loss waits for the device: once an interval on the CPU, once a cycle elsewhere.
        look = interval if self.device.type == "cpu" else count
        for step in range(count):
            terms[step] = self._step(batches[step], weights[step])
            if (step + 1) % look == 0 or step + 1 == count:
                self._refuse_nonfinite(terms[: step + 1].cpu(), cycle)
        rows = []
        for start in range(0, count, interval):
            end = min(start + interval, count)
            means = terms[start:end].double().mean(0).tolist()
            row = {"cycle": cycle, "step": end, **dict(zip(TERMS, means, strict=True))}
            rows.append({**row, **asdict(weights[end - 1])})
        return rows

    def _step(self, batch: Tensor, weights: Weights) -> Tensor:
        """One step of Adam on the samples (B,) of a batch; returns its loss terms (6,)."""
        text, labels = self._classes_of(batch)
        skeleton = self.features[batch]
        if self.settings.model.normalise_features:
            skeleton = normalize(skeleton, dim=1)
        terms = self.model.vae.losses(
            skeleton,
            text,
            labels,
            self._noise(len(batch)),
            self._noise(len(batch)),
            align=weights.cross > 0,
        )
        terms.total(weights).backward()
        self.optimiser.step()
        return terms.stacked()

    def _classes_of(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        """Text (n, V, D) of the classes to fuse for a batch, and the batch's indices into it.

        The CPU fuses each class of the batch once. Elsewhere a number of classes that depends on
        the batch would make the host wait for the device, so n is the same for every batch: all
        seen classes, or one row a sample where those are more.
        """
        labels = self.labels[batch]
        if self.model.vae.fusion.across_batch:
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

    def _noise(self, rows: int) -> Tensor:
        """eps: (rows, L), or (rows, 1) where all dimensions share it."""
        columns = 1 if self.protocol.noise == "shared" else self.settings.model.latent
        return torch.randn(rows, columns, generator=self.streams.noise, device=self.device)

    def _classify(self, cycle: int) -> float:
        """Fit the unseen classifier on latent samples of the unseen prototypes."""
        settings = self.settings.train
        model = self.model
        if cycle and self.protocol.classifier_restart:
            fresh = UnseenClassifier(
                self.settings.model.latent,
                len(self.unseen_text),
                relu=model.config.classifier_relu,
            )
            model.classifier.load_state_dict(fresh.state_dict())
            self.classifier_optimiser.restart()
        z, labels = latent_samples(
            model.vae, self.unseen_text, settings.classifier_samples, self._noise
        )
        return fit_classifier(
            model.classifier, self.classifier_optimiser, z, labels, settings.classifier_steps
        )

    def _zsl_accuracy(self, observed: SampleSet) -> float:
        predicted = self.model.unseen_probabilities(observed.features).argmax(1)
        local = np.searchsorted(self.model.config.unseen, observed.labels.numpy())
        return float((predicted.numpy() == local).mean())

    def _refuse_nonfinite(self, terms: Tensor, cycle: int) -> None:
        wrong = ~terms.isfinite()
        if wrong.any():
            step = int(wrong.any(1).nonzero()[0])
            names = [name for name, bad in zip(TERMS, wrong[step].tolist(), strict=True) if bad]
            raise self._diverged(
                f"{', '.join(names)} not finite at step {step + 1} of cycle {cycle + 1}; lower "
                "train.learning_rate, or look for outliers in the features"
            )

    def _refuse_nonfinite_end(self, classifier_loss: float, cycle: int) -> None:
        """What the last updates left, which no loss term has seen."""
        wrong = [] if math.isfinite(classifier_loss) else ["the classifier's loss"]
        wrong += [name for name, t in self.model.state_dict().items() if not t.isfinite().all()]
        if wrong:
            raise self._diverged(
                f"{wrong[0]} not finite at the end of cycle {cycle + 1}; lower train.learning_rate "
                "or train.classifier_learning_rate"
            )

    def _diverged(self, told: str) -> InputError:
        config = self.model.config
        return InputError(f"training ({config.phase} phase, seed {config.seed}): {told}")
