"""The unseen classifier: one linear layer over latent samples of the unseen prototypes.

U = unseen classes · V = text views · D = text width · L = latent width · N = latent samples.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from amsf.machine.linear import LinearMap
from amsf.model.eager_adam import EagerAdam
from amsf.model.vae import CrossModalVAE, sample


class UnseenClassifier(nn.Module):
    """Linear L -> U, with the published ReLU on its logits where asked for.

    The ReLU (``protocol.classifier_relu``) kills a class whose logits fall below zero for every
    sample, and ties then go to the lowest id.
    """

    def __init__(self, latent: int, unseen: int, *, relu: bool) -> None:
        super().__init__()
        self.linear = LinearMap(latent, unseen)
        nn.init.xavier_uniform_(self.linear.weight, gain=0.5)
        nn.init.zeros_(self.linear.bias)
        self.relu = relu

    def forward(self, z: Tensor) -> Tensor:  # (N, L) -> (N, U) logits
        logits = self.linear(z)
        return torch.relu(logits) if self.relu else logits


@torch.no_grad()
def latent_samples(
    vae: CrossModalVAE, text: Tensor, count: int, noise: Callable[[int], Tensor]
) -> tuple[Tensor, Tensor]:
    """Draw what the classifier is trained on from the classes' texts.

    Args:
        vae: trained.
        text: (U, V, D) text vectors.
        count: samples a class.
        noise: gives eps for a number of rows, (rows, L) or (rows, 1).

    Returns:
        z (U·count, L) and local labels (U·count,), class after class.
    """
    mu, logvar = vae.text_encoder(vae.prototypes(text))
    labels = torch.arange(len(text), device=text.device).repeat_interleave(count)
    return sample(mu[labels], logvar[labels], noise(len(labels))), labels


def fit_classifier(
    classifier: UnseenClassifier,
    optimiser: EagerAdam,
    z: Tensor,
    labels: Tensor,
    steps: int,
) -> float:
    """Train by full-batch cross-entropy, in place.

    Args:
        classifier: what to train; under the reference protocol it and its optimiser live on from
            cycle to cycle.
        optimiser: over its parameters.
        z: (N, L) latent samples, drawn once.
        labels: (N,) local class indices 0..U-1.
        steps: full-batch steps.

    Returns:
        The loss before the last step.
    """
    loss = torch.zeros(())
    for _ in range(steps):
        loss = cross_entropy(classifier(z), labels)
        loss.backward()
        optimiser.step()
    return float(loss.detach())
