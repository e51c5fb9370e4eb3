"""The cross-modal VAE against the published trajectory, torch and hand-worked cases."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.distributions import Normal
from torch.distributions import kl_divergence as torch_kl
from torch.nn.functional import mse_loss, normalize

from amsf.model import eager_adam, linear
from amsf.model.eager_adam import EagerAdam
from amsf.model.fusion import build_fusion
from amsf.model.vae import TERMS, CrossModalVAE, kl_divergence, sample, schedule
from amsf.settings.params import Model

Weights = dict[str, float]


def weights_of(skeleton_kl: float, text_kl: float, cross: float) -> Weights:
    return {
        "skeleton_kl": skeleton_kl,
        "text_kl": text_kl,
        "text_cross": cross,
        "skeleton_cross": cross,
    }


def total(terms: dict[str, Tensor], weights: Weights) -> Tensor:
    return torch.stack([weights.get(name, 1.0) * loss for name, loss in terms.items()]).sum()


PARTS = {
    "fm": "fusion",
    "se": "skeleton_encoder",
    "sd": "skeleton_decoder",
    "te": "text_encoder",
    "td": "text_decoder",
}


def published_weights(golden: np.lib.npyio.NpzFile, prefix: str) -> dict[str, Tensor]:
    """Weights of the golden file under our names."""
    renamed = {}
    for key in (k for k in golden if k.startswith(prefix)):
        part, name = key[len(prefix) :].split(".", 1)
        for theirs, ours in (
            ("mu_transformation.0", "mu"),
            ("logvar_transformation.0", "logvar"),
            ("model.0", "linear"),
        ):
            name = name.replace(theirs, ours)
        renamed[f"{PARTS[part]}.{name}"] = torch.from_numpy(golden[key])
    return renamed


@pytest.mark.parametrize("fast", [False, True])
def test_eight_adam_steps_of_the_published_implementation(
    golden_dir: Path, monkeypatch: pytest.MonkeyPatch, fast: bool
) -> None:
    """With PyTorch's own products and Adam, and with all that makes the paper's size fast."""
    monkeypatch.setattr(linear, "SMALL", 0 if fast else 10**9)
    monkeypatch.setattr(eager_adam, "LARGE", 1)
    golden = np.load(golden_dir / "vae_training.npz")
    model = CrossModalVAE(build_fusion(Model(heads=4), 5, 32), 24, 10)
    model.load_state_dict(published_weights(golden, "init."))
    plain = torch.optim.Adam(model.parameters(), 1e-4)
    optimiser = EagerAdam(model.parameters(), 1e-4) if fast else plain
    rows = []
    for i, step in enumerate(golden["step_in_cycle"]):
        weights = schedule(
            int(step), int(golden["cycle"][i]), int(golden["cycle_length"]), "absolute"
        )
        terms = model.losses(
            normalize(torch.from_numpy(golden["x"][i]), dim=1),
            torch.from_numpy(golden["text"]),
            torch.from_numpy(golden["y"][i]),
            torch.from_numpy(golden["eps_skeleton"][i]),
            torch.from_numpy(golden["eps_text"][i]),
            align=True,
        )
        loss = total(terms, weights)
        model.zero_grad()
        loss.backward()
        optimiser.step()
        rows.append(
            [
                loss.item(),
                *(terms[name].item() for name in TERMS),
                weights["skeleton_kl"],
                weights["text_kl"],
                weights["text_cross"],
            ]
        )
    record = golden["record"]
    for column, name in enumerate(golden["columns"]):
        ours = np.array(rows)[:, column]
        difference = np.linalg.norm(ours - record[:, column])
        assert difference <= 1e-5 * np.linalg.norm(record[:, column]), name
    final = published_weights(golden, "final.")
    for name, weight in model.state_dict().items():
        assert (weight - final[name]).norm() <= 1e-5 * final[name].norm(), name


def test_kl_equals_torch_distributions() -> None:
    mu, logvar = torch.randn(7, 4), torch.randn(7, 4)
    expected = torch_kl(Normal(mu, (logvar / 2).exp()), Normal(torch.zeros(()), torch.ones(())))
    torch.testing.assert_close(kl_divergence(mu, logvar), expected.sum(1).mean())


def test_sample_has_the_wanted_mean_and_deviation() -> None:
    torch.manual_seed(0)
    mu, logvar = torch.tensor([[1.0, -2.0]]), torch.tensor([[0.0, 2.0]])
    z = sample(mu.expand(200_000, 2), logvar.expand(200_000, 2), torch.randn(200_000, 2))
    torch.testing.assert_close(z.mean(0), mu[0], atol=0.03, rtol=0)
    torch.testing.assert_close(z.std(0), (logvar[0] / 2).exp(), atol=0.03, rtol=0)


def test_shared_noise_puts_samples_on_a_line() -> None:
    mu, logvar = torch.randn(1, 5), torch.randn(1, 5)
    z = sample(mu.expand(50, 5), logvar.expand(50, 5), torch.randn(50, 1))
    assert torch.linalg.matrix_rank(z - mu, tol=1e-4) == 1


@pytest.mark.parametrize(
    ("step", "cycle", "length", "expected"),
    [
        (1000, 0, 1700, weights_of(0, 0, 0)),
        (1300, 0, 1700, weights_of(0.01, 0, 0)),
        (1400, 5, 1700, weights_of(0.1 * 400 / 3000, 0, 0)),
        (1401, 1, 1700, weights_of(0.1 * 401 / 3000, 0, 1)),
        (1699, 2, 1700, weights_of(0.1 * 699 / 3000, 0.1 * 299 / 3000, 1)),
        (1500, 2, 1900, weights_of(0.1 * 500 / 3000, 0, 0)),
        (1800, 2, 1900, weights_of(0.1 * 800 / 3000, 0.01, 1)),
    ],
)
def test_absolute_schedule_by_hand(step: int, cycle: int, length: int, expected: Weights) -> None:
    found = schedule(step, cycle, length, "absolute")
    assert found == pytest.approx(expected)


def test_short_cycles_align_in_fractions_alone() -> None:
    assert all(schedule(e, 5, 100, "absolute")["text_cross"] == 0 for e in range(100))
    aligned = [e for e in range(100) if schedule(e, 5, 100, "fraction")["text_cross"]]
    assert aligned == list(range(79, 100))  # e > 1500 of 1900 is e > 78.9 of 100


def test_a_steady_schedule_is_what_a_papers_cycle_ends_with() -> None:
    end = schedule(1899, 2, 1900, "absolute")
    assert [schedule(e, c, 20, "steady") for e, c in ((0, 0), (19, 5))] == [end, end]


def test_fractions_equal_the_paper_at_its_length() -> None:
    for e in range(0, 1900, 50):
        assert schedule(e, 3, 1900, "fraction") == schedule(e, 3, 1900, "absolute")


def _model() -> CrossModalVAE:
    torch.manual_seed(3)
    return CrossModalVAE(build_fusion(Model(heads=2), 3, 8), 12, 6)


def test_gathering_classes_equals_fusing_every_sample() -> None:
    model = _model()
    text, labels = torch.randn(4, 3, 8), torch.tensor([3, 1, 1, 0, 3])
    skeleton, eps_s, eps_t = torch.randn(5, 12), torch.randn(5, 6), torch.randn(5, 6)
    gathered = model.losses(skeleton, text, labels, eps_s, eps_t, align=True)
    every = model.losses(skeleton, text[labels], torch.arange(5), eps_s, eps_t, align=True)
    torch.testing.assert_close(gathered, every)


def test_loss_terms_written_out() -> None:
    model = _model()
    text, labels = torch.randn(4, 3, 8), torch.tensor([2, 0])
    skeleton, eps_s, eps_t = torch.randn(2, 12), torch.randn(2, 6), torch.randn(2, 6)
    terms = model.losses(skeleton, text, labels, eps_s, eps_t, align=True)
    t = normalize(model.fusion(text[labels]), dim=1)
    mu_s, lv_s = model.skeleton_encoder(skeleton)
    mu_t, lv_t = model.text_encoder(t)
    z_s, z_t = mu_s + eps_s * (lv_s / 2).exp(), mu_t + eps_t * (lv_t / 2).exp()
    dec_s, dec_t = model.skeleton_decoder, model.text_decoder
    weights = weights_of(0.3, 0.7, 1.0)
    expected = (
        mse_loss(skeleton, dec_s(z_s))
        + mse_loss(t, dec_t(z_t))
        + 0.3 * 0.5 * (mu_s**2 + lv_s.exp() - 1 - lv_s).sum() / 2
        + 0.7 * 0.5 * (mu_t**2 + lv_t.exp() - 1 - lv_t).sum() / 2
        + mse_loss(t, dec_t(z_s))
        + mse_loss(skeleton, dec_s(z_t))
    )
    torch.testing.assert_close(total(terms, weights), expected)


def test_unaligned_steps_give_the_gradients_of_a_zero_weight() -> None:
    model = _model()
    args = (
        torch.randn(5, 12),
        torch.randn(4, 3, 8),
        torch.tensor([3, 1, 1, 0, 3]),
        torch.randn(5, 6),
        torch.randn(5, 6),
    )
    gradients = []
    for align in (False, True):
        model.zero_grad()
        total(model.losses(*args, align=align), weights_of(0.1, 0.1, 0.0)).backward()
        gradients.append([p.grad.clone() for p in model.parameters()])
    torch.testing.assert_close(gradients[0], gradients[1])


def test_prototypes_are_unit_vectors_and_reach_the_fusion() -> None:
    model = _model()
    prototypes = model.prototypes(torch.randn(4, 3, 8))
    torch.testing.assert_close(prototypes.norm(dim=1), torch.ones(4))
    prototypes.sum().backward()
    assert all(p.grad is not None for p in model.fusion.parameters())


def test_initial_weights() -> None:
    model = CrossModalVAE(build_fusion(Model(fusion="Concat"), 4, 50), 256, 100)
    layer = model.text_encoder.mu
    bound = 0.5 * (6 / (200 + 100)) ** 0.5
    assert layer.weight.abs().max() <= bound
    assert layer.weight.std().item() == pytest.approx(bound / 3**0.5, rel=0.02)
    assert not layer.bias.any()
