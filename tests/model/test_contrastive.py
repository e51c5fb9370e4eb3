"""The contrastive aligner against a plain loop with its loss written out."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from amsf.training.trainer import draw_batches
from tests.support.small_aligners import small_trainer

STEPS = 8


def kl_of_rows(target: Tensor, logits: Tensor) -> Tensor:
    """KL(P || softmax(l)), mean over the rows."""
    p, log_q = target, logits - logits.logsumexp(1, keepdim=True)
    return (p * (p.log() - log_q)).sum(1).mean()


def test_eight_steps_equal_a_plain_loop(tmp_path: Path) -> None:
    train = {"cycles": 1, "steps_per_cycle": STEPS, "batch_size": 24}
    trainer, data = small_trainer(tmp_path, "contrastive", **train)
    start = {name: t.clone() for name, t in trainer.model.state_dict().items()}
    A, b = start["map.weight"].requires_grad_(), start["map.bias"].requires_grad_()
    g = torch.tensor(math.log(1 / 0.07), requires_grad=True)
    assert torch.equal(start["log_sharpness"], g.detach())
    rng = np.random.default_rng()
    rng.bit_generator.state = trainer.streams.batches.bit_generator.state
    views = trainer.seen_text / trainer.seen_text.norm(dim=2, keepdim=True)
    views = views - views.mean(0)
    views = views / views.norm(dim=2, keepdim=True)
    texts = views.reshape(len(views), -1) / views.shape[1] ** 0.5
    adam = torch.optim.Adam([A, b, g], lr=trainer.settings.train.learning_rate)
    losses = []
    for batch in draw_batches(rng, len(data.train.labels), 24, STEPS):
        x, y = data.train.features[batch], trainer.labels[batch]
        q = (x / x.norm(dim=1, keepdim=True)) @ A.T + b
        q = q / q.norm(dim=1, keepdim=True)
        logits = g.exp() * q @ texts[y].T
        M = (y[:, None] == y[None]).float()
        P = (10 * M).exp() / (10 * M).exp().sum(1, keepdim=True)
        loss = (kl_of_rows(P, logits) + kl_of_rows(P, logits.T)) / 2
        adam.zero_grad()
        loss.backward()
        adam.step()
        losses.append(loss.item())
    (result,) = trainer.cycles(1, None)
    for name, value in (("map.weight", A), ("map.bias", b), ("log_sharpness", g)):
        torch.testing.assert_close(result.state[name], value.detach(), rtol=1e-4, atol=1e-6)
    found = [(row["loss_to_texts"] + row["loss_to_skeletons"]) / 2 for row in result.points]
    assert found == pytest.approx(losses, rel=1e-4)
    assert losses[-1] < losses[0]
