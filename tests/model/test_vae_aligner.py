"""AMSF's aligner under the clean protocol: against plain loops and solves written out."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from amsf.model.aligner import build_aligner
from amsf.model.vae_aligner import SHARPNESS, VaeAligner
from amsf.training.trainer import draw_batches
from tests.support.small_aligners import alignment, config_of, drawn, small_trainer

STEPS, B = 6, 24


def unit(x: Tensor) -> Tensor:
    return x / (x * x).sum(-1, keepdim=True).sqrt()


def standard(x: Tensor, train: Tensor) -> Tensor:
    """Each row by itself, with the training rows' mean and deviation, cut off, of length 1."""
    x, train = x.double(), train.double()
    rows = [(row - train.mean(0)) / train.std(0, correction=0) for row in x]
    return unit(torch.stack(rows).clip(-5, 5)).float()


def prototypes(net: Any, text: Tensor, seen: Tensor) -> Tensor:
    """Centred twice: each view by the seen classes' before it is fused, and what comes of it."""

    def fused(some: Tensor) -> Tensor:
        return unit(net.vae.fusion(unit(unit(some) - unit(seen).mean(0))))

    return unit(fused(text) - fused(seen).mean(0))


def total_loss(net: Any, x: Tensor, text: Tensor, y: Tensor, noise: list[Tensor]) -> Tensor:
    vae, k = net.vae, net.config.switches.kl_weight
    s_mu, s_logvar = vae.skeleton_encoder.mu(x), vae.skeleton_encoder.logvar(x)
    t = prototypes(net, text, text)
    t_mu, t_logvar = vae.text_encoder.mu(t)[y], vae.text_encoder.logvar(t)[y]
    z_s = s_mu + noise[0] * (s_logvar / 2).exp()
    z_t = t_mu + noise[1] * (t_logvar / 2).exp()
    d_s, d_t = vae.skeleton_decoder.linear, vae.text_decoder.linear
    loss = torch.zeros(())
    for z in (z_s, z_t):
        loss = loss + ((d_s(z) - x) ** 2).mean() + ((d_t(z) - t[y]) ** 2).mean()
    for mu, logvar, weight in (
        (s_mu, s_logvar, k * 899 / 3000), (t_mu, t_logvar, k * 399 / 3000),
    ):  # fmt: skip
        loss = loss + weight * 0.5 * (mu**2 + logvar.exp() - 1 - logvar).sum(1).mean()
    told = (10 * unit(d_t(z_s)) @ t.T).exp()
    right = told[torch.arange(len(y)), y] / told.sum(1)
    return loss - 0.03 * right.log().mean()


def test_steps_equal_a_plain_loop(tmp_path: Path) -> None:
    train = {"cycles": 1, "steps_per_cycle": STEPS, "batch_size": B}
    trainer, data = small_trainer(tmp_path, "vae", **train)
    net = deepcopy(trainer.model)
    noise = torch.Generator()
    noise.set_state(trainer.streams.noise.get_state())
    rng = np.random.default_rng()
    rng.bit_generator.state = trainer.streams.batches.bit_generator.state
    adam = torch.optim.Adam(net.vae.parameters(), lr=trainer.settings.train.learning_rate)  # type: ignore[union-attr]
    x = standard(data.train.features, data.train.features)
    for batch in draw_batches(rng, len(x), B, STEPS):
        drawn_noise = [torch.randn(B, 6, generator=noise) for _ in range(2)]
        y = trainer.labels[batch]
        adam.zero_grad()
        total_loss(net, x[batch], trainer.seen_text, y, drawn_noise).backward()
        adam.step()
    (result,) = trainer.cycles(1, None)
    for name, value in net.named_parameters():
        found = result.state[name]
        assert (found - value).norm() <= 1e-4 * value.norm() + 1e-6, name


def test_the_answer_is_the_nearest_prototype(tmp_path: Path) -> None:
    trainer, data = small_trainer(tmp_path, "vae", cycles=1, learning_rate=1e-5)
    list(trainer.cycles(1, None))
    net: Any = trainer.model
    x = standard(data.zsl.features, data.train.features)
    decoded = unit(net.vae.text_decoder.linear(net.vae.skeleton_encoder.mu(x)))
    # The centre is that of the last step, one small update before the weights.
    cosines = decoded @ prototypes(net, trainer.unseen_text, trainer.seen_text).T
    found = net.probabilities(data.zsl.features)
    torch.testing.assert_close(found, (SHARPNESS * cosines).softmax(1), atol=1e-3, rtol=0)
    torch.testing.assert_close(net.embed(data.zsl.features), decoded, atol=1e-5, rtol=0)


def test_new_classes_need_no_training(tmp_path: Path) -> None:
    trainer, data = small_trainer(tmp_path, "vae", cycles=1)
    list(trainer.cycles(1, None))
    model, unseen = trainer.model, trainer.model.config.unseen
    added = (*unseen, 24, 25)
    extra = torch.randn(2, *trainer.unseen_text.shape[1:])
    other = model.for_classes(added, torch.cat([trainer.unseen_text, extra]))
    kept = alignment(model)
    assert all(torch.equal(t, kept[name]) for name, t in alignment(other).items())
    old, new = (m.probabilities(data.zsl.features) for m in (model, other))
    torch.testing.assert_close(unit(new[:, :3]), unit(old), atol=1e-5, rtol=0)


def test_a_constant_feature_and_equal_views_stay_finite() -> None:
    config = config_of("vae", 4, 2, 6, 8)
    x, _, text = drawn(20, 6, 6, 8)
    x[:, 2] = 7.0
    text = text[:1].expand(6, -1, -1).clone()  # nothing is left after centring
    model = build_aligner(config)
    assert isinstance(model, VaeAligner)
    model.look_at(x, text[:4])
    model.learn_classes(text[4:], torch.Generator(), again=False)
    assert model.probabilities(x).isfinite().all()
