"""AMSF's alignment method: the cross-modal VAE with its classifier of the unseen classes.

B = batch · N = samples · n = classes whose texts are given · U = unseen classes · V = text views ·
D = text width · F = skeleton feature width · L = latent width. Source: the AMSF paper (Li et al.,
IEEE Transactions on Multimedia 27, 2025); where its published code departs from a sound protocol,
the switches of ``amsf.settings.protocol`` choose. With ``model.fusion: Concat`` and
``model.normalise_features: false`` it is MSF (ICIG 2023).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property, partial

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from amsf.model.aligner import Batch, Config, Optimiser, Progress, SteppedAligner
from amsf.model.classifier import UnseenClassifier, fit_classifier, latent_samples
from amsf.model.eager_adam import EagerAdam
from amsf.model.fusion import FusionModule, build_fusion
from amsf.model.vae import TERMS, CrossModalVAE, schedule


class VaeAligner(SteppedAligner):
    """The cross-modal VAE and the classifier, built untrained from its config."""

    OF_CLASSES = ("classifier.",)
    TERMS: tuple[str, ...] = TERMS
    GROUPS: tuple[str, ...] = ("vae",)

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        fusion = build_fusion(config.model, len(config.model.views), config.text_width)
        self.vae = self._new_vae(fusion)
        self.classifier = self._new_classifier()
        for encoder in (self.vae.skeleton_encoder, self.vae.text_encoder):
            encoder.start_at(config.switches.initial_logvar)

    def _new_vae(self, fusion: FusionModule) -> CrossModalVAE:
        return CrossModalVAE(fusion, self.config.feature_width, self.config.model.latent)

    def _new_classifier(self) -> UnseenClassifier:
        config = self.config
        return UnseenClassifier(
            config.model.latent, len(config.unseen), relu=config.switches.classifier_relu
        )

    @cached_property
    def _classifier_adam(self) -> EagerAdam:
        """Made when it is asked for: a model that only predicts needs none."""
        rate = self.config.train.classifier_learning_rate
        return EagerAdam(self.classifier.parameters(), rate)

    @property
    def wants_all_classes(self) -> bool:
        """SA attends over the batch as drawn, so what it is given must not depend on the batch."""
        return self.vae.fusion.across_batch

    def losses(self, batch: Batch, progress: Progress) -> Mapping[str, Mapping[str, Tensor]]:
        """The VAE's terms; the cross terms are computed once they have a weight."""
        features = self._training_features(batch)
        rows = len(features)
        terms = self.vae.losses(
            features,
            batch.text,
            batch.classes,
            self._noise(rows, batch.generator),
            self._noise(rows, batch.generator),
            align=self.weights(progress)["skeleton_cross"] > 0,
        )
        return {"vae": terms}

    def weights(self, progress: Progress) -> Mapping[str, float]:
        """The published schedule (:func:`amsf.model.vae.schedule`)."""
        switches = self.config.switches
        return schedule(
            progress.step, progress.cycle, progress.steps, switches.schedule, switches.kl_weight
        )

    def _training_features(self, batch: Batch) -> Tensor:
        normalised = self.config.model.normalise_features
        return normalize(batch.features, dim=1) if normalised else batch.features

    def parameters_of(self, group: str) -> list[nn.Parameter]:
        """The VAE's, without the classifier's."""
        return list(self.vae.parameters())

    def optimiser(self, group: str, learning_rate: float) -> Optimiser:
        """Adam that updates within the backward pass: there is one group."""
        return EagerAdam(self.parameters_of(group), learning_rate)

    def learn_classes(self, text: Tensor, generator: torch.Generator, *, again: bool) -> float:
        """Fit the classifier on latent samples of the classes' prototypes.

        Where training's lives on from cycle to cycle, a new one for other classes takes as many
        steps as that one had; in training ``config.cycle`` is 0.
        """
        train, restart = self.config.train, self.config.switches.classifier_restart
        if again and restart:
            self.classifier.load_state_dict(self._new_classifier().state_dict())
            self._classifier_adam.restart()
        noise = partial(self._noise, generator=generator)
        z, labels = latent_samples(self.vae, text, train.classifier_samples, noise)
        steps = train.classifier_steps * (1 if restart else self.config.cycle + 1)
        return fit_classifier(self.classifier, self._classifier_adam, z, labels, steps)

    def carried_state(self) -> dict[str, dict[str, Tensor]]:
        """The moments of the classifier's optimiser."""
        return {"classifier": self._classifier_adam.state}

    def scores(self, features: Tensor) -> Tensor:
        """The classifier's probabilities: (N, F) -> (N, U)."""
        return self.classifier(self.embed(features)).softmax(dim=1)

    @torch.no_grad()
    def embed(self, features: Tensor) -> Tensor:
        """Latent means of skeleton features: (N, F) -> (N, L)."""
        if self.config.model.normalise_features and self.config.switches.normalise_at_evaluation:
            features = normalize(features, dim=1)
        return self.vae.skeleton_encoder(features)[0]

    @torch.no_grad()
    def embed_text(self, text: Tensor) -> Tensor:
        """Latent means of the classes' semantic prototypes: (n, V, D) -> (n, L)."""
        return self.vae.text_encoder(self.vae.prototypes(text))[0]

    def _noise(self, rows: int, generator: torch.Generator, width: int | None = None) -> Tensor:
        """eps: (rows, L) or of another width, or (rows, 1) where all dimensions share it."""
        width = width or self.config.model.latent
        columns = 1 if self.config.switches.noise == "shared" else width
        return torch.randn(rows, columns, generator=generator, device=generator.device)
