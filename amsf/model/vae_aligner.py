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
from amsf.model.closed_form import scale_of, standardise
from amsf.model.eager_adam import EagerAdam
from amsf.model.fusion import FusionModule, build_fusion
from amsf.model.vae import DISCRIMINATION, TERMS, CrossModalVAE, schedule

# Of cosines, as probabilities; the likeliest on UTKinect, Florence and UTD's training subjects.
SHARPNESS = 5.0


class VaeAligner(SteppedAligner):
    """The cross-modal VAE, and what reads classes out of it, built untrained from its config.

    ``protocol.read_out`` is ``classifier``, the published one, which is trained on latent samples
    of the classes; or ``text``: what is decoded to text from a skeleton's latent mean is compared
    with the classes' prototypes, and the largest cosine is the answer. The space that skeletons and
    texts share is the latent one or that of the prototypes.

    Attributes:
        mean, deviation: (F,) of the training samples, where features are standardised.
        class_prototypes: (U, W) of the learnt classes, where texts are compared.
    """

    OF_CLASSES = ("classifier.", "class_prototypes")
    TERMS: tuple[str, ...] = TERMS
    GROUPS: tuple[str, ...] = ("vae",)
    mean: Tensor
    deviation: Tensor
    class_prototypes: Tensor

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        switches = config.switches
        if switches.discriminative_weight:
            self.TERMS = (*self.TERMS, DISCRIMINATION)
        fusion = build_fusion(config.model, len(config.model.views), config.text_width)
        self.vae = self._new_vae(fusion)
        if switches.read_out == "classifier":
            self.classifier = self._new_classifier()
        else:
            empty = torch.zeros(len(config.unseen), fusion.out_features)
            self.register_buffer("class_prototypes", empty)
        if switches.standardise:
            self.register_buffer("mean", torch.zeros(config.feature_width))
            self.register_buffer("deviation", torch.ones(config.feature_width))
        for encoder in (self.vae.skeleton_encoder, self.vae.text_encoder):
            encoder.start_at(switches.initial_logvar)

    def _new_vae(self, fusion: FusionModule) -> CrossModalVAE:
        return CrossModalVAE(
            fusion,
            self.config.feature_width,
            self.config.model.latent,
            relu=self.config.switches.decoder == "relu",
            centred=self._centred_views(),
        )

    def _centred_views(self) -> tuple[int, int] | None:
        """V and D where texts are centred."""
        config = self.config
        shape = len(config.model.views), config.text_width
        return shape if config.switches.centre_texts else None

    @property
    def _reads_latents(self) -> bool:
        return self.config.switches.read_out == "classifier"

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
        """Whether what a sample's loss is depends on the other classes' texts.

        SA attends over the batch as drawn, texts are centred by those of all seen classes, and
        samples are told from all of these.
        """
        switches = self.config.switches
        return (
            self.vae.fusion.across_batch
            or switches.centre_texts
            or switches.discriminative_weight > 0
        )

    def look_at(self, features: Tensor, text: Tensor) -> None:
        """Measure the scale of the features and the centres of the texts; start the fusion."""
        if self.config.switches.standardise:
            self.mean, self.deviation = scale_of(features)
        self.vae.look_at(text, start_linear=self.config.switches.fusion_start == "linear")

    def losses(self, batch: Batch, progress: Progress) -> Mapping[str, Mapping[str, Tensor]]:
        """The VAE's terms; the cross terms are computed once they have a weight."""
        features = self._scaled(batch.features, normalised=self.config.model.normalise_features)
        rows = len(features)
        terms = self.vae.losses(
            features,
            batch.text,
            batch.classes,
            self._noise(rows, batch.generator),
            self._noise(rows, batch.generator),
            align=self.weights(progress)["skeleton_cross"] > 0,
            discriminate=DISCRIMINATION in self.TERMS,
        )
        return {"vae": terms}

    def weights(self, progress: Progress) -> Mapping[str, float]:
        """The published schedule (:func:`amsf.model.vae.schedule`)."""
        switches = self.config.switches
        weights = schedule(
            progress.step, progress.cycle, progress.steps, switches.schedule, switches.kl_weight
        )
        return {**weights, DISCRIMINATION: switches.discriminative_weight}

    def _scaled(self, features: Tensor, *, normalised: bool) -> Tensor:
        if self.config.switches.standardise:
            features = standardise(features, self.mean, self.deviation)
        return normalize(features, dim=1) if normalised else features

    def parameters_of(self, group: str) -> list[nn.Parameter]:
        """The VAE's, without the classifier's."""
        return list(self.vae.parameters())

    def optimiser(self, group: str, learning_rate: float) -> Optimiser:
        """Adam that updates within the backward pass: there is one group."""
        return EagerAdam(self.parameters_of(group), learning_rate)

    def learn_classes(self, text: Tensor, generator: torch.Generator, *, again: bool) -> float:
        """Keep the classes' prototypes, or fit the classifier on latent samples of them.

        Where training's classifier lives on from cycle to cycle, a new one for other classes takes
        as many steps as that one had; in training ``config.cycle`` is 0.
        """
        if not self._reads_latents:
            self.class_prototypes = self.embed_text(text)
            return 0.0
        train, restart = self.config.train, self.config.switches.classifier_restart
        if again and restart:
            self.classifier.load_state_dict(self._new_classifier().state_dict())
            self._classifier_adam.restart()
        noise = partial(self._noise, generator=generator)
        z, labels = latent_samples(self.vae, text, train.classifier_samples, noise)
        steps = train.classifier_steps * (1 if restart else self.config.cycle + 1)
        return fit_classifier(self.classifier, self._classifier_adam, z, labels, steps)

    def carried_state(self) -> dict[str, dict[str, Tensor]]:
        """The moments of the classifier's optimiser, where there is one."""
        return {"classifier": self._classifier_adam.state} if self._reads_latents else {}

    def scores(self, features: Tensor) -> Tensor:
        """The classifier's probabilities, or the softmax of sharpened cosines: (N, F) -> (N, U)."""
        embedded = self.embed(features)
        if self._reads_latents:
            return self.classifier(embedded).softmax(dim=1)
        return (SHARPNESS * embedded @ self.class_prototypes.T).softmax(dim=1)

    @torch.no_grad()
    def embed(self, features: Tensor) -> Tensor:
        """Latent means of skeleton features (N, L), or unit vectors of their texts (N, W)."""
        switches = self.config.switches
        normalised = self.config.model.normalise_features and switches.normalise_at_evaluation
        latent = self._latent(self._scaled(features, normalised=normalised))
        return latent if self._reads_latents else normalize(self.vae.text_decoder(latent), dim=1)

    @torch.no_grad()
    def embed_text(self, text: Tensor) -> Tensor:
        """Latent means of the classes' semantic prototypes (n, L), or the prototypes (n, W)."""
        prototypes = self.vae.prototypes(text)
        return self.vae.text_encoder(prototypes)[0] if self._reads_latents else prototypes

    def _latent(self, features: Tensor) -> Tensor:
        """Means of the latent that texts share: scaled (N, F) -> (N, L)."""
        mean: Tensor = self.vae.skeleton_encoder(features)[0]
        return mean

    def _noise(self, rows: int, generator: torch.Generator, width: int | None = None) -> Tensor:
        """eps: (rows, L) or of another width, or (rows, 1) where all dimensions share it."""
        width = width or self.config.model.latent
        columns = 1 if self.config.switches.noise == "shared" else width
        return torch.randn(rows, columns, generator=generator, device=generator.device)
