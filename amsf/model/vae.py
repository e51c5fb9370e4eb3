"""The cross-modal VAE: skeleton features and semantic prototypes share one latent space.

B = batch · N = samples · C = classes · V = text views · D = text width · W = prototype width ·
F = skeleton feature width · L = latent width. Formulas: AMSF (Li et al., IEEE Transactions on
Multimedia 27, 2025), section "cross-modal VAE"; the schedule is that of its published code.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, mse_loss, normalize

from amsf.machine.linear import LinearMap
from amsf.model.fusion import FusionModule

PAPER_CYCLE = 1900
SHARPNESS = 10.0  # of cosines, where training samples are told apart
# What a step's loss is made of: own reconstruction, KL, reconstruction from the other modality.
TERMS = (
    "skeleton_recon",
    "text_recon",
    "skeleton_kl",
    "text_kl",
    "text_cross",
    "skeleton_cross",
)
DISCRIMINATION = "discrimination"  # the term beside them, where it has a weight


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
    """Linear, with the published ReLU where asked for: (B, L) -> (B, out).

    What it is to give back has negative entries, which a ReLU cannot (``protocol.decoder``).
    """

    def __init__(self, latent: int, width: int, *, relu: bool) -> None:
        super().__init__()
        self.linear = _linear(latent, width)
        self.relu = relu

    def forward(self, z: Tensor) -> Tensor:
        decoded = self.linear(z)
        return torch.relu(decoded) if self.relu else decoded


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


def discrimination(told: Tensor, prototypes: Tensor, labels: Tensor) -> Tensor:
    """How well samples are told from the other classes: a cross-entropy of sharpened cosines.

    Args:
        told: (B, W), decoded to text from the latents of skeletons.
        prototypes: (n, W), rows of length 1, of all seen classes.
        labels: (B,), indices into ``prototypes``.
    """
    return cross_entropy(SHARPNESS * normalize(told, dim=1) @ prototypes.T, labels)


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
            ``steady``: what the paper's cycles end with, in every step.
        kl_weight: k, 0.1 in the paper.

    Returns:
        term -> weight; the reconstruction terms are left out and weigh 1.
        ``skeleton_kl: max(0, k (e-1000)/3000)``; both cross terms 1 from e > c on;
        ``text_kl: max(0, k (e-c)/3000)`` from the third cycle on; c = 1400 for cycles of 1700
        steps and 1500 for all others.
    """
    onset = 1500
    e = float(step)
    if kind == "steady":
        e, cycle = PAPER_CYCLE - 1, 2
    elif kind == "fraction":
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
        relu: whether the decoders end with a ReLU.
        centred: (V, D) where texts are to be centred by the seen classes, each view before it is
            fused, and then the prototypes: what all classes share says nothing of one of them.

    Attributes:
        view_centre: (V, D), the mean over the seen classes of each L2-normalised view.
        centre: (W,), the mean prototype of the seen classes at the last training step.
    """

    view_centre: Tensor
    centre: Tensor

    def __init__(
        self,
        fusion: FusionModule,
        feature_width: int,
        latent: int,
        *,
        relu: bool = True,
        centred: tuple[int, int] | None = None,
    ) -> None:
        super().__init__()
        self.fusion = fusion
        self.skeleton_encoder = GaussianEncoder(feature_width, latent)
        self.skeleton_decoder = Decoder(latent, feature_width, relu=relu)
        self.text_encoder = GaussianEncoder(fusion.out_features, latent)
        self.text_decoder = Decoder(latent, fusion.out_features, relu=relu)
        self.centred = centred is not None
        if centred is not None:
            self.register_buffer("view_centre", torch.zeros(centred))
            self.register_buffer("centre", torch.zeros(fusion.out_features))

    @torch.no_grad()
    def look_at(self, text: Tensor, *, start_linear: bool) -> None:
        """Take in the texts (S, V, D) of all seen classes before the first step.

        Args:
            text: their mean centres the views, where texts are centred.
            start_linear: whether to put the fusion where it keeps what tells them apart.
        """
        if self.centred:
            self.view_centre = normalize(text, dim=2).mean(dim=0)
        if start_linear:
            self.fusion.start_linear(self._views(text))

    def prototypes(self, text: Tensor) -> Tensor:
        """The L2-normalised semantic prototypes: (C, V, D) -> (C, W)."""
        fused = normalize(self.fusion(self._views(text)), dim=1)
        return normalize(fused - self.centre, dim=1) if self.centred else fused

    def training_prototypes(self, text: Tensor) -> Tensor:
        """:meth:`prototypes` of all seen classes, whose mean is the centre from now on."""
        if not self.centred:
            return self.prototypes(text)
        fused = normalize(self.fusion(self._views(text)), dim=1)
        mean = fused.mean(dim=0)
        self.centre = mean.detach()
        return normalize(fused - mean, dim=1)

    def _views(self, text: Tensor) -> Tensor:
        """Views as they are fused, centred where that is wanted: (C, V, D) -> (C, V, D)."""
        if not self.centred:
            return text
        return normalize(normalize(text, dim=2) - self.view_centre, dim=2)

    def losses(
        self,
        skeleton: Tensor,
        text: Tensor,
        labels: Tensor,
        eps_skeleton: Tensor,
        eps_text: Tensor,
        *,
        align: bool,
        discriminate: bool = False,
    ) -> dict[str, Tensor]:
        """The loss terms of one batch, each a scalar, by the names of :data:`TERMS`.

        Args:
            skeleton: (B, F), already normalised where that is wanted.
            text: (n, V, D), the views of the n classes that ``labels`` index; all seen classes
                where prototypes are centred. Each class is fused and encoded once and gathered to
                the batch, which equals fusing it for every sample (but for SA, see below).
            labels: (B,), indices into ``text``.
            eps_skeleton: (B, L), or (B, 1) for noise shared by all dimensions.
            eps_text: likewise.
            align: whether the cross terms are wanted; while their weight is 0 they give no
                gradient, need not be computed, and are 0.
            discriminate: whether :data:`DISCRIMINATION` is wanted too: the cross-entropy of the
                classes by what is decoded to text from the skeleton's latent.
        """
        if self.fusion.across_batch:
            # The published SA attends over the batch as drawn, repeated classes included.
            text, labels = text[labels], torch.arange(len(labels), device=labels.device)
        prototypes = self.training_prototypes(text)
        mu_s, logvar_s = self.skeleton_encoder(skeleton)
        mu_t, logvar_t = (value[labels] for value in self.text_encoder(prototypes))
        target = prototypes[labels]
        z_s = sample(mu_s, logvar_s, eps_skeleton)
        z_t = sample(mu_t, logvar_t, eps_text)
        zero = torch.zeros((), device=skeleton.device)
        terms = {
            "skeleton_recon": mse_loss(self.skeleton_decoder(z_s), skeleton),
            "text_recon": mse_loss(self.text_decoder(z_t), target),
            "skeleton_kl": kl_divergence(mu_s, logvar_s),
            "text_kl": kl_divergence(mu_t, logvar_t),
        }
        told = self.text_decoder(z_s) if align or discriminate else target
        terms["text_cross"] = mse_loss(told, target) if align else zero
        terms["skeleton_cross"] = mse_loss(self.skeleton_decoder(z_t), skeleton) if align else zero
        if discriminate:
            terms[DISCRIMINATION] = discrimination(told, prototypes, labels)
        return terms
