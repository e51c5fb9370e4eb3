"""SA-DVAE: AMSF's cross-modal VAE with a second latent for what texts do not say.

B = batch · n = classes · V = text views · D = text width · W = prototype width · F = skeleton
feature width · L = semantic latent width · K = style latent width. Source: Li et al., SA-DVAE:
Improving zero-shot skeleton-based action recognition by disentangled variational autoencoders,
ECCV 2024. The skeleton encoder gives a semantic and a style latent; text is made from the semantic
one alone. A discriminator learns to distinguish a sample's two latents from latents paired at
random, and the encoder learns to leave it no means: what one latent holds, the other need not.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, mse_loss

from amsf.machine.linear import LinearMap
from amsf.model.aligner import Batch, Config, Optimiser, Progress, SteppedAligner
from amsf.model.fusion import FusionModule
from amsf.model.vae import (
    DISCRIMINATION,
    CrossModalVAE,
    Decoder,
    GaussianEncoder,
    discrimination,
    kl_divergence,
    sample,
)
from amsf.model.vae_aligner import VaeAligner

JUDGED_EVERY = 5  # steps
ADVERSARY = 0.1  # k of the weight of the term that confuses the discriminator


class StyleVAE(CrossModalVAE):
    """The cross-modal VAE whose skeleton side has latents of width L + K, the first L semantic."""

    def __init__(
        self,
        fusion: FusionModule,
        feature_width: int,
        latent: int,
        style: int,
        *,
        relu: bool,
        centred: tuple[int, int] | None,
    ) -> None:
        super().__init__(fusion, feature_width, latent, relu=relu, centred=centred)
        self.skeleton_encoder = GaussianEncoder(feature_width, latent + style)
        self.skeleton_decoder = Decoder(latent + style, feature_width, relu=relu)


class SaDvaeAligner(VaeAligner):
    """The VAE with style, its discriminator, and the classifier of the unseen classes."""

    TERMS = (
        "skeleton_recon",
        "text_recon",
        "skeleton_kl",
        "style_kl",
        "text_kl",
        "text_cross",
        "skeleton_cross",
        "confusion",
        "judgement",
    )
    GROUPS = ("vae", "discriminator")

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        width = config.model.latent + config.model.style
        # Its sigmoid is left to what uses it: a cross-entropy of logits loses no digits.
        self.discriminator = nn.Sequential(
            LinearMap(width, max(1, width // 4)), nn.ReLU(), LinearMap(max(1, width // 4), 1)
        )

    def _new_vae(self, fusion: FusionModule) -> StyleVAE:
        model = self.config.model
        return StyleVAE(
            fusion,
            self.config.feature_width,
            model.latent,
            model.style,
            relu=self.config.switches.decoder == "relu",
            centred=self._centred_views(),
        )

    def losses(self, batch: Batch, progress: Progress) -> Mapping[str, Mapping[str, Tensor]]:
        """The VAE's terms, and every fifth step the discriminator's.

        The discriminator's cross-entropy is between a batch's latents [z, z'] and the same with z'
        permuted over the batch.
        """
        vae, L = self.vae, self.config.model.latent
        x = self._scaled(batch.features, normalised=self.config.model.normalise_features)
        text, labels = batch.text, batch.classes
        if vae.fusion.across_batch:  # see CrossModalVAE.losses
            text, labels = text[labels], torch.arange(len(labels), device=labels.device)
        prototypes = vae.training_prototypes(text)
        mu, logvar = vae.skeleton_encoder(x)
        mu_t, logvar_t = (value[labels] for value in vae.text_encoder(prototypes))
        target = prototypes[labels]
        both = sample(mu, logvar, self._noise(len(x), batch.generator, mu.shape[1]))
        z, style = both[:, :L], both[:, L:]
        z_t = sample(mu_t, logvar_t, self._noise(len(x), batch.generator))
        terms = {
            "skeleton_recon": mse_loss(vae.skeleton_decoder(both), x),
            "text_recon": mse_loss(vae.text_decoder(z_t), target),
            "skeleton_kl": kl_divergence(mu[:, :L], logvar[:, :L]),
            "style_kl": kl_divergence(mu[:, L:], logvar[:, L:]),
            "text_kl": kl_divergence(mu_t, logvar_t),
        }
        told = vae.text_decoder(z)
        terms["text_cross"] = mse_loss(told, target)
        terms["skeleton_cross"] = mse_loss(vae.skeleton_decoder(torch.cat([z_t, style], 1)), x)
        terms["confusion"] = self.discriminator(both).sigmoid().mean()
        if DISCRIMINATION in self.TERMS:
            terms[DISCRIMINATION] = discrimination(told, prototypes, labels)
        losses = {"vae": terms}
        if progress.step % JUDGED_EVERY == JUDGED_EVERY - 1:
            device = batch.generator.device
            order = torch.randperm(len(x), generator=batch.generator, device=device)
            pairs = torch.cat([both, torch.cat([z, style[order]], 1)]).detach()
            truth = torch.ones(len(pairs), 1, device=device)
            truth[len(x) :] = 0
            judgement = binary_cross_entropy_with_logits(self.discriminator(pairs), truth)
            losses["discriminator"] = {"judgement": judgement}
        return losses

    def weights(self, progress: Progress) -> Mapping[str, float]:
        """The published schedule, in fractions of a cycle of T steps; i is the step.

        ``b1 = max(0, k (i - T 1000/1700) / (T 3000/1700))`` for both latents of the skeleton;
        ``b2 = max(0, k (i - .8 T) / (T 3000/1700))`` from the third cycle on for the text and, with
        k = 0.1, for the discriminator's confusion; the cross terms weigh 1 from i > .8 T on. k is
        ``protocol.kl_weight``, 0.1 as published.
        """
        i, T = progress.step, progress.steps
        skeleton = max(0.0, (i - T * 1000 / 1700) / (T * 3000 / 1700))
        text = max(0.0, (i - 0.8 * T) / (T * 3000 / 1700)) if progress.cycle >= 2 else 0.0
        k, cross = self.config.switches.kl_weight, float(i > 0.8 * T)
        return {
            "skeleton_kl": k * skeleton,
            "style_kl": k * skeleton,
            "text_kl": k * text,
            "text_cross": cross,
            "skeleton_cross": cross,
            "confusion": ADVERSARY * text,
            DISCRIMINATION: self.config.switches.discriminative_weight,
        }

    def parameters_of(self, group: str) -> list[nn.Parameter]:
        """The discriminator's, or the VAE's without the classifier's."""
        part = self.discriminator if group == "discriminator" else self.vae
        return list(part.parameters())

    def optimiser(self, group: str, learning_rate: float) -> Optimiser:
        """Torch's Adam: there are two groups."""
        return SteppedAligner.optimiser(self, group, learning_rate)

    def _latent(self, features: Tensor) -> Tensor:
        """Means of the semantic latent: scaled (N, F) -> (N, L)."""
        return super()._latent(features)[:, : self.config.model.latent]
