"""Training of one phase: cycles of VAE steps, each ended by fitting the unseen classifier.

N = samples · B = batch · C = classes · V = text views · D = text width · F = feature width ·
L = latent width · U = unseen classes. The computation is that of the AMSF paper (Li et al., IEEE
Transactions on Multimedia 27, 2025); where the published code departs from a sound protocol, the
switches of `amsf.params.Protocol` choose.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from amsf.checkpoints import Config, TrainedModel
from amsf.classifier import (
    UnseenClassifier,
    classifier_optimiser,
    fit_classifier,
    latent_samples,
)
from amsf.errors import InputError
from amsf.features import SampleSet
from amsf.params import Settings
from amsf.vae import LossTerms, schedule

POINTS_PER_CYCLE = 20


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
        self.optimiser = torch.optim.Adam(
            self.model.vae.parameters(), settings.train.learning_rate, fused=True
        )
        self.classifier_optimiser = classifier_optimiser(
            self.model.classifier, settings.train.classifier_learning_rate
        )
        features = train.features.to(device)
        self.features = (
            normalize(features, dim=1) if settings.model.normalise_features else features
        )
        text = text.to(device)
        self.seen_text = text[list(config.seen)]
        self.unseen_text = text[list(config.unseen)]
        self.local_labels = np.searchsorted(config.seen, train.labels.numpy())

    def cycles(self, count: int, observed: SampleSet | None) -> Iterator[CycleResult]:
        """Train ``count`` cycles, giving what each ended with.

        Args:
            count: how many.
            observed: samples of the unseen classes, scored at the end of each cycle; None where
                the cycle is not chosen by accuracy, so that nothing of them is looked at.

        Raises:
            InputError: the loss is no longer finite.
        """
        for cycle in range(count):
            points = self._steps(cycle)
            classifier_loss = self._classify(cycle)
            accuracy = None if observed is None else self._zsl_accuracy(observed)
            state = self.model.state_dict()
            yield CycleResult(cycle, state, accuracy, classifier_loss, points)

    def _steps(self, cycle: int) -> list[dict[str, float]]:
        """The VAE steps of one cycle; returns its training-curve rows."""
        settings = self.settings.train
        batches = draw_batches(
            self.streams.batches,
            len(self.features),
            settings.batch_size,
            settings.steps_per_cycle,
        )
        interval = max(1, settings.steps_per_cycle // POINTS_PER_CYCLE)
        total = torch.zeros(len(fields(LossTerms)), device=self.device)
        points: list[dict[str, float]] = []
        since = 0
        for step, batch in enumerate(batches):
            weights = schedule(
                step,
                cycle,
                settings.steps_per_cycle,
                self.protocol.schedule,
                self.protocol.kl_weight,
            )
            text, labels = self._classes_of(batch)
            skeleton = self.features[torch.from_numpy(batch).to(self.device)]
            terms = self.model.vae.losses(
                skeleton,
                text,
                labels,
                self._noise(len(batch)),
                self._noise(len(batch)),
                align=weights.cross > 0,
            )
            self.optimiser.zero_grad(set_to_none=True)
            terms.total(weights).backward()
            self.optimiser.step()
            total += terms.stacked()
            since += 1
            if (step + 1) % interval == 0 or step + 1 == len(batches):
                means = dict(
                    zip((f.name for f in fields(LossTerms)), (total / since).tolist(), strict=True)
                )
                self._refuse_nonfinite(means, cycle, step)
                points.append({"cycle": cycle, "step": step + 1, **means, **asdict(weights)})
                total.zero_()
                since = 0
        return points

    def _classes_of(self, batch: np.ndarray) -> tuple[Tensor, Tensor]:
        """Text (n, V, D) of the classes to fuse for a batch, and the batch's indices into it.

        Each class is fused once: all seen ones where they are fewer than the batch, else those
        that the batch holds.
        """
        labels = self.local_labels[batch]
        if len(self.seen_text) <= len(batch) or self.model.vae.fusion.across_batch:
            return self.seen_text, torch.from_numpy(labels).to(self.device)
        classes, labels = np.unique(labels, return_inverse=True)
        chosen = self.seen_text[torch.from_numpy(classes).to(self.device)]
        return chosen, torch.from_numpy(labels).to(self.device)

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
            self.classifier_optimiser = classifier_optimiser(
                model.classifier, settings.classifier_learning_rate
            )
        z, labels = latent_samples(
            model.vae, self.unseen_text, settings.classifier_samples, self._noise
        )
        return fit_classifier(
            model.classifier, self.classifier_optimiser, z, labels, settings.classifier_steps
        )

    def _zsl_accuracy(self, observed: SampleSet) -> float:
        predicted = self.model.unseen_probabilities(observed.features.to(self.device)).argmax(1)
        local = np.searchsorted(self.model.config.unseen, observed.labels.numpy())
        return float((predicted.cpu().numpy() == local).mean())

    def _refuse_nonfinite(self, means: dict[str, float], cycle: int, step: int) -> None:
        wrong = [name for name, value in means.items() if not np.isfinite(value)]
        if wrong:
            config = self.model.config
            raise InputError(
                f"training ({config.phase} phase, seed {config.seed}): {', '.join(wrong)} not "
                f"finite by step {step + 1} of cycle {cycle + 1}; lower train.learning_rate, or "
                "look for outliers in the features"
            )
