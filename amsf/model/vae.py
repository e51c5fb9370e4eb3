"""The cross-modal VAE: skeleton features and semantic prototypes share one latent space.

B = batch · N = samples · C = classes · V = text views · D = text width · W = prototype width ·
F = skeleton feature width · L = latent width. Formulas: AMSF (Li et al., IEEE Transactions on
Multimedia 27, 2025), section "cross-modal VAE"; the schedule is that of its published code.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss, normalize

from amsf.machine.linear import LinearMap
from amsf.model.fusion import FusionModule

PAPER_CYCLE = 1900
# What a step's loss is made of: own reconstruction, KL, reconstruction from the other modality.
TERMS = (
    "skeleton_recon",
    "text_recon",
    "skeleton_kl",
    "text_kl",
    "text_cross",
    "skeleton_cross",
)


class GaussianEncoder(nn.Module):
    """Linear maps to the mean and the log-variance of the latent: (B, in) -> 2 x (B, L)."""

    def __init__(self, width: int, latent: int) -> None:
        super().__init__()
        self.mu = _linear(width, latent)
        self.logvar = _linear(width, latent)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.mu(x), self.logvar(x)

    def start_at(self, logvar: float) -> None:
        """Start the log-variance near this value instead of near 0, the published start."""
        nn.init.constant_(self.logvar.bias, logvar)


class Decoder(nn.Module):
    """Linear and ReLU: (B, L) -> (B, out)."""

    def __init__(self, latent: int, width: int) -> None:
        super().__init__()
        self.linear = _linear(latent, width)

    def forward(self, z: Tensor) -> Tensor:
        return torch.relu(self.linear(z))


def _linear(width_in: int, width_out: int) -> nn.Linear:
    layer = LinearMap(width_in, width_out)
    nn.init.xavier_uniform_(layer.weight, gain=0.5)
    nn.init.zeros_(layer.bias)
    return layer


def sample(mu: Tensor, logvar: Tensor, eps: Tensor) -> Tensor:
    """z = mu + eps exp(logvar / 2): (B, L), with eps (B, L), or (B, 1) where it is shared."""
    return mu + eps * torch.exp(0.5 * logvar)


def kl_divergence(mu: Tensor, logvar: Tensor) -> Tensor:
    """KL(N(mu, exp(logvar)) || N(0, 1)), summed over L and averaged over B."""
    return 0.5 * (mu.square() + logvar.exp() - 1 - logvar).sum() / len(mu)


def schedule(
    step: int, cycle: int, steps_per_cycle: int, kind: str, kl_weight: float = 0.1
) -> dict[str, float]:
    """The weights of a step's terms: reconstruction first, then KL, then alignment.

    Args:
        step: e, counted from 0 within the cycle.
        cycle: counted from 0.
        steps_per_cycle: length of a cycle.
        kind: ``absolute``: e in steps, as published, so that a cycle of under 1400 steps never
            aligns. ``fraction``: e is first stretched to the paper's cycle of 1900 steps.
        kl_weight: k, 0.1 in the paper.

    Returns:
        term -> weight; the reconstruction terms are left out and weigh 1.
        ``skeleton_kl: max(0, k (e-1000)/3000)``; both cross terms 1 from e > c on;
        ``text_kl: max(0, k (e-c)/3000)`` from the third cycle on; c = 1400 for cycles of 1700
        steps and 1500 for all others.
    """
    onset = 1500
    e = float(step)
    if kind == "fraction":
        e *= PAPER_CYCLE / steps_per_cycle
    elif steps_per_cycle == 1700:
        onset = 1400
    cross = 1.0 if e > onset else 0.0
    return {
        "skeleton_kl": max(0.0, kl_weight * (e - 1000) / 3000),
        "text_kl": max(0.0, kl_weight * (e - onset) / 3000) if cycle >= 2 else 0.0,
        "text_cross": cross,
        "skeleton_cross": cross,
    }


class CrossModalVAE(nn.Module):
    """Fusion module, two encoders and two decoders.

    Args:
        fusion: maps (C, V, D) to (C, W).
        feature_width: F.
        latent: L.
    """

    def __init__(self, fusion: FusionModule, feature_width: int, latent: int) -> None:
        super().__init__()
        self.fusion = fusion
        self.skeleton_encoder = GaussianEncoder(feature_width, latent)
        self.skeleton_decoder = Decoder(latent, feature_width)
        self.text_encoder = GaussianEncoder(fusion.out_features, latent)
        self.text_decoder = Decoder(latent, fusion.out_features)

    def prototypes(self, text: Tensor) -> Tensor:
        """The L2-normalised semantic prototypes: (C, V, D) -> (C, W)."""
        return normalize(self.fusion(text), dim=1)

    def losses(
        self,
        skeleton: Tensor,
        text: Tensor,
        labels: Tensor,
        eps_skeleton: Tensor,
        eps_text: Tensor,
        *,
        align: bool,
    ) -> dict[str, Tensor]:
        """The loss terms of one batch, each a scalar, by the names of :data:`TERMS`.

        Args:
            skeleton: (B, F), already normalised where that is wanted.
            text: (n, V, D), the views of the n classes that ``labels`` index.
            labels: (B,), indices into ``text``. Each class is fused and encoded once and gathered
                to the batch, which equals fusing it for every sample (but for SA, see below).
            eps_skeleton: (B, L), or (B, 1) for noise shared by all dimensions.
            eps_text: likewise.
            align: whether the cross terms are wanted; while their weight is 0 they give no
                gradient, need not be computed, and are 0.
        """
        if self.fusion.across_batch:
            # The published SA attends over the batch as drawn, repeated classes included.
            text, labels = text[labels], torch.arange(len(labels), device=labels.device)
        prototypes = self.prototypes(text)
        mu_s, logvar_s = self.skeleton_encoder(skeleton)
        mu_t, logvar_t = (value[labels] for value in self.text_encoder(prototypes))
        target = prototypes[labels]
        z_s = sample(mu_s, logvar_s, eps_skeleton)
        z_t = sample(mu_t, logvar_t, eps_text)
        zero = torch.zeros((), device=skeleton.device)
        return {
            "skeleton_recon": mse_loss(self.skeleton_decoder(z_s), skeleton),
            "text_recon": mse_loss(self.text_decoder(z_t), target),
            "skeleton_kl": kl_divergence(mu_s, logvar_s),
            "text_kl": kl_divergence(mu_t, logvar_t),
            "text_cross": mse_loss(self.text_decoder(z_s), target) if align else zero,
            "skeleton_cross": mse_loss(self.skeleton_decoder(z_t), skeleton) if align else zero,
        }
