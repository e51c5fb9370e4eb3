"""SA-DVAE against a plain loop with its losses written out, and its schedule by hand."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from amsf.model import sa_dvae
from amsf.model.aligner import Progress
from amsf.model.sa_dvae import SaDvaeAligner
from amsf.training.trainer import draw_batches
from tests.support.small_aligners import config_of, small_trainer
from tests.support.small_benchmark import PUBLISHED

STEPS, CYCLE, B = 8, 3, 24  # in the fourth cycle every weight is above zero


def kl(mu: Tensor, logvar: Tensor) -> Tensor:
    return -0.5 * (1 + logvar - mu**2 - logvar.exp()).sum(1).mean()


def total_losses(
    net: Any, i: int, x: Tensor, text: Tensor, y: Tensor, draw: Callable[[int], Tensor]
) -> tuple[Tensor, Callable[[], Tensor]]:
    """The VAE's loss of step i with its weights, and the discriminator's when it is asked for."""
    L, T, k = net.config.model.latent, STEPS, net.config.switches.kl_weight
    s, vae, D = x / x.norm(dim=1, keepdim=True), net.vae, net.discriminator
    t = vae.fusion(text)
    t = (t / t.norm(dim=1, keepdim=True))[y]
    mu, logvar = s @ vae.skeleton_encoder.mu.weight.T, s @ vae.skeleton_encoder.logvar.weight.T
    mu, logvar = mu + vae.skeleton_encoder.mu.bias, logvar + vae.skeleton_encoder.logvar.bias
    mu_t, logvar_t = vae.text_encoder.mu(t), vae.text_encoder.logvar(t)
    z = mu + draw(mu.shape[1]) * (logvar / 2).exp()
    z_t = mu_t + draw(L) * (logvar_t / 2).exp()
    z_s, style = z[:, :L], z[:, L:]
    d_s = lambda a: vae.skeleton_decoder.linear(a).relu()  # noqa: E731
    d_t = lambda a: vae.text_decoder.linear(a).relu()  # noqa: E731
    mse = lambda a, b: ((a - b) ** 2).mean()  # noqa: E731
    b1 = max(0.0, k * (i - T * 1000 / 1700) / (T * 3000 / 1700))
    b2 = max(0.0, (i - 0.8 * T) / (T * 3000 / 1700))
    loss = mse(s, d_s(z)) + mse(t, d_t(z_t)) + b1 * kl(mu, logvar) + k * b2 * kl(mu_t, logvar_t)
    if i > 0.8 * T:
        loss = loss + mse(s, d_s(torch.cat([z_t, style], 1))) + mse(t, d_t(z_s))
    judge = lambda a: 1 / (1 + (-D[2](D[0](a).relu())).exp())  # noqa: E731
    loss = loss + 0.1 * b2 * judge(z).mean()

    def judged() -> Tensor:
        order = torch.randperm(len(x), generator=net.generator)
        real = judge(z.detach())
        mixed = judge(torch.cat([z_s, style[order]], 1).detach())
        return -(torch.cat([real.log(), (1 - mixed).log()])).mean()

    return loss, judged


def test_eight_steps_equal_a_plain_loop(tmp_path: Path) -> None:
    train = {"cycles": CYCLE + 1, "steps_per_cycle": STEPS, "batch_size": B}
    trainer, data = small_trainer(tmp_path, "sa_dvae", PUBLISHED, **train)
    net = deepcopy(trainer.model)
    trainer.cycle = CYCLE  # as if three were behind it
    net.generator = torch.Generator()  # type: ignore[assignment]
    net.generator.set_state(trainer.streams.noise.get_state())  # type: ignore[operator]
    rng = np.random.default_rng()
    rng.bit_generator.state = trainer.streams.batches.bit_generator.state
    rate = trainer.settings.train.learning_rate
    vae_adam = torch.optim.Adam(net.vae.parameters(), lr=rate)  # type: ignore[union-attr]
    critic_adam = torch.optim.Adam(net.discriminator.parameters(), lr=rate)  # type: ignore[union-attr]
    for i, batch in enumerate(draw_batches(rng, len(data.train.labels), B, STEPS)):
        noise = lambda width: torch.randn(B, width, generator=net.generator)  # noqa: E731
        x, y = data.train.features[batch], trainer.labels[batch]
        loss, judged = total_losses(net, i, x, trainer.seen_text, y, noise)
        judgement = judged() if i % 5 == 4 else None
        net.zero_grad()
        loss.backward()
        vae_adam.step()
        if judgement is not None:
            net.zero_grad()
            judgement.backward()
            critic_adam.step()
    (result,) = trainer.cycles(CYCLE + 1, None)
    for name, value in net.state_dict().items():
        if not name.startswith("classifier."):
            found = result.state[name]
            assert (found - value).norm() <= 1e-4 * value.norm() + 1e-6, name
    judged_steps = [row["step"] for row in result.points if not np.isnan(row["loss_judgement"])]
    assert judged_steps == [5]


def test_the_schedule_by_hand() -> None:
    """At the paper's length b1 and b2 are AMSF's of cycles of 1700 steps, but for the onset."""
    model = SaDvaeAligner(config_of("sa_dvae", 4, 2, 6, 4))
    k = model.config.switches.kl_weight
    early, late = (model.weights(Progress(1600, 1700, cycle)) for cycle in (1, 2))
    assert early["skeleton_kl"] == early["style_kl"] == pytest.approx(k * 600 / 3000)
    assert early["text_kl"] == early["confusion"] == 0
    assert late["text_kl"] == pytest.approx(k * 240 / 3000)
    assert late["confusion"] == pytest.approx(0.1 * 240 / 3000)
    assert [model.weights(Progress(i, 100, 0))["text_cross"] for i in (80, 81)] == [0, 1]


def test_the_latents_are_as_wide_as_asked_for() -> None:
    model = SaDvaeAligner(config_of("sa_dvae", 4, 2, 6, 4, latent=5, style=3))
    assert model.embed(torch.rand(7, 6)).shape == model.embed_text(torch.rand(7, 2, 4)).shape
    assert model.vae.skeleton_encoder.mu.out_features == 8
    assert model.discriminator[0].out_features == 2
    assert sa_dvae.JUDGED_EVERY == 5
