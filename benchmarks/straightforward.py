"""A straightforward loop of the method, to compare with: nothing of it comes from `amsf`.

N = samples · B = batch · V = text views · D = text width · W = prototype width (V·D) ·
F = skeleton feature width · L = latent width · U = unseen classes.

It is what one would write from the paper (AMSF, Li et al., IEEE Transactions on Multimedia 27,
2025) and its published settings, reference protocol: a per-sample Dataset, one batch of a fresh
shuffle a step, the fusion for every sample, every loss term at every step, plain Adam.
``python -m benchmarks.straightforward FOLDER`` trains one phase of one seed; FOLDER holds what
`benchmarks.sizes.Size.write` writes.
"""

from __future__ import annotations

import argparse
import copy
import json
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as nnf
from torch.utils.data import DataLoader, Dataset

WARM_UP = 5  # steps that are left out of the step time: allocations and the like


class SkeletonText(Dataset[tuple[Tensor, Tensor, int]]):
    """A sample: its features (F,), the texts of its class (V, D), and its class."""

    def __init__(self, features: Tensor, labels: Tensor, text: Tensor) -> None:
        self.features, self.labels, self.text = features, labels, text

    def __len__(self) -> int:
        return len(self.features)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor, int]:
        label = int(self.labels[index])
        return self.features[index], self.text[label], label


class Fusion(nn.Module):
    """MHA with one layer: (B, V, D) -> (B, W)."""

    def __init__(self, views: int, width: int, heads: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, heads, bias=False, batch_first=True)
        self.tail = nn.Sequential(
            nn.LayerNorm(views * width),
            nn.Linear(views * width, width, bias=False),
            nn.GELU(),
            nn.LayerNorm(width),
            nn.Linear(width, views * width, bias=False),
        )

    def forward(self, text: Tensor) -> Tensor:
        h = self.norm(text)
        h = h + self.attention(h, h, h)[0]
        return self.tail(h.flatten(1))


def initialise(module: nn.Module) -> None:
    """Xavier-uniform with gain 0.5, bias 0, for every linear layer."""
    for layer in module.modules():
        if isinstance(layer, nn.Linear):
            nn.init.xavier_uniform_(layer.weight, gain=0.5)
            nn.init.zeros_(layer.bias)


class Encoder(nn.Module):
    """(B, width) -> mu and logvar, (B, L) each."""

    def __init__(self, width: int, latent: int) -> None:
        super().__init__()
        self.mu = nn.Linear(width, latent)
        self.logvar = nn.Linear(width, latent)
        initialise(self)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.mu(x), self.logvar(x)


class Decoder(nn.Module):
    """(B, L) -> (B, width)."""

    def __init__(self, latent: int, width: int) -> None:
        super().__init__()
        self.linear = nn.Linear(latent, width)
        initialise(self)

    def forward(self, z: Tensor) -> Tensor:
        return torch.relu(self.linear(z))


class Classifier(nn.Module):
    """(N, L) -> (N, U), with the published ReLU on its logits."""

    def __init__(self, latent: int, unseen: int) -> None:
        super().__init__()
        self.linear = nn.Linear(latent, unseen)
        initialise(self)

    def forward(self, z: Tensor) -> Tensor:
        return torch.relu(self.linear(z))


class Terms(NamedTuple):
    """The terms of the loss."""

    s_recon: Tensor
    t_recon: Tensor
    s_kl: Tensor
    t_kl: Tensor
    t_cross: Tensor
    s_cross: Tensor

    def total(self, beta_s: float, beta_t: float, cross: float) -> Tensor:
        recon = self.s_recon + self.t_recon
        return (
            recon + beta_s * self.s_kl + beta_t * self.t_kl + cross * (self.t_cross + self.s_cross)
        )


class CrossModalVAE(nn.Module):
    """The fusion module and the VAE over both modalities."""

    def __init__(self, views: int, width: int, heads: int, features: int, latent: int) -> None:
        super().__init__()
        self.fusion = Fusion(views, width, heads)
        self.skeleton_encoder = Encoder(features, latent)
        self.skeleton_decoder = Decoder(latent, features)
        self.text_encoder = Encoder(views * width, latent)
        self.text_decoder = Decoder(latent, views * width)

    def forward(self, features: Tensor, text: Tensor, eps_s: Tensor, eps_t: Tensor) -> Terms:
        """Loss terms of features (B, F) and texts (B, V, D), with noise (B, 1) for each."""
        s = nnf.normalize(features, dim=1)
        t = nnf.normalize(self.fusion(text), dim=1)
        mu_s, logvar_s = self.skeleton_encoder(s)
        mu_t, logvar_t = self.text_encoder(t)
        z_s = mu_s + eps_s * torch.exp(logvar_s / 2)
        z_t = mu_t + eps_t * torch.exp(logvar_t / 2)
        return Terms(
            s_recon=nnf.mse_loss(self.skeleton_decoder(z_s), s),
            t_recon=nnf.mse_loss(self.text_decoder(z_t), t),
            s_kl=0.5 * torch.sum(mu_s**2 + logvar_s.exp() - 1 - logvar_s) / len(s),
            t_kl=0.5 * torch.sum(mu_t**2 + logvar_t.exp() - 1 - logvar_t) / len(t),
            t_cross=nnf.mse_loss(self.text_decoder(z_s), t),
            s_cross=nnf.mse_loss(self.skeleton_decoder(z_t), s),
        )


def loss_weights(e: int, cycle: int, steps: int) -> tuple[float, float, float]:
    """beta_s, beta_t and cross of step e of a cycle."""
    c = 1400 if steps == 1700 else 1500
    beta_s = max(0.0, 0.1 * (e - 1000) / 3000)
    beta_t = max(0.0, 0.1 * (e - c) / 3000) if cycle >= 2 else 0.0
    return beta_s, beta_t, 1.0 if e > c else 0.0


def train_classifier(
    vae: CrossModalVAE,
    classifier: Classifier,
    optimiser: torch.optim.Optimizer,
    text: Tensor,
    options: argparse.Namespace,
) -> None:
    """Fit the unseen classifier on latent samples of the unseen texts (U, V, D)."""
    with torch.no_grad():
        mu, logvar = vae.text_encoder(nnf.normalize(vae.fusion(text), dim=1))
        mu = mu.repeat_interleave(options.classifier_samples, 0)
        logvar = logvar.repeat_interleave(options.classifier_samples, 0)
        z = mu + torch.randn(len(mu), 1) * torch.exp(logvar / 2)
    labels = torch.arange(len(text)).repeat_interleave(options.classifier_samples)
    for _ in range(options.classifier_steps):
        optimiser.zero_grad()
        loss = nnf.cross_entropy(classifier(z), labels)
        loss.backward()
        optimiser.step()


@torch.no_grad()
def zsl_accuracy(
    vae: CrossModalVAE, classifier: Classifier, dataset: SkeletonText, unseen: list[int]
) -> float:
    """Share of the samples of the unseen classes that are named right."""
    classes = torch.tensor(unseen)
    right = 0
    for features, _, labels in DataLoader(dataset, batch_size=64):
        predicted = classifier(vae.skeleton_encoder(features)[0]).argmax(1)
        right += int((classes[predicted] == labels).sum())
    return right / len(dataset)


def train(options: argparse.Namespace) -> dict[str, list[float]]:
    """Train one phase; returns seconds: of the steps, and of each cycle's end."""
    torch.manual_seed(options.seed)
    split = json.loads((options.folder / "split.json").read_text())
    prefix = "val_" if options.phase == "val" else ""
    unseen = split[f"{prefix}unseen"]
    data = load_file(options.folder / f"{options.phase}.safetensors")
    text = torch.from_numpy(np.load(options.folder / "text.npy"))
    dataset = SkeletonText(data["train.features"], data["train.labels"], text)
    observed = SkeletonText(data["zsl.features"], data["zsl.labels"], text)
    loader = DataLoader(dataset, batch_size=options.batch_size, shuffle=True)
    features = data["train.features"].shape[1]
    vae = CrossModalVAE(text.shape[1], text.shape[2], options.heads, features, options.latent)
    classifier = Classifier(options.latent, len(unseen))
    optimiser = torch.optim.Adam(vae.parameters(), lr=1e-4)
    classifier_optimiser = torch.optim.Adam(classifier.parameters(), lr=1e-3)
    seconds: dict[str, list[float]] = {"steps": [], "cycle_ends": []}
    best, kept = -1.0, {}
    for cycle in range(options.cycles):
        losses = []
        for e in range(options.steps):
            start = time.perf_counter()
            batch_features, batch_text, _ = next(iter(loader))
            noise = torch.randn(len(batch_features), 1), torch.randn(len(batch_features), 1)
            terms = vae(batch_features, batch_text, *noise)
            loss = terms.total(*loss_weights(e, cycle, options.steps))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            losses.append([loss.item(), *(term.item() for term in terms)])
            seconds["steps"].append(time.perf_counter() - start)
        start = time.perf_counter()
        train_classifier(vae, classifier, classifier_optimiser, text[unseen], options)
        accuracy = zsl_accuracy(vae, classifier, observed, unseen)
        if accuracy > best:
            best = accuracy
            kept = {
                **{f"vae.{name}": value for name, value in copy.deepcopy(vae.state_dict()).items()},
                **{f"classifier.{k}": v for k, v in copy.deepcopy(classifier.state_dict()).items()},
            }
        print(f"cycle {cycle}: loss {np.mean(losses, axis=0)[0]:.4f}, ZSL {accuracy:.4f}")
        seconds["cycle_ends"].append(time.perf_counter() - start)
    save_file(kept, options.out / "model.safetensors")
    return seconds


def parse(words: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Train one phase of one seed.")
    parser.add_argument("folder", type=Path, help="features, text.npy and split.json")
    parser.add_argument("out", type=Path, help="where the model and seconds.json go")
    parser.add_argument("--phase", default="test", choices=["test", "val"])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, help="default: torch's, all cores")
    parser.add_argument("--cycles", type=int, default=10)
    parser.add_argument("--steps", type=int, default=1900)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--heads", type=int, default=8)
    parser.add_argument("--latent", type=int, default=200)
    parser.add_argument("--classifier-samples", type=int, default=500)
    parser.add_argument("--classifier-steps", type=int, default=300)
    return parser.parse_args(words)


def main(words: list[str] | None = None) -> None:
    """Train, and write ``model.safetensors`` and ``seconds.json``."""
    options = parse(words)
    if options.threads:
        torch.set_num_threads(options.threads)
    options.out.mkdir(parents=True, exist_ok=True)
    seconds = train(options)
    (options.out / "seconds.json").write_text(
        json.dumps(
            {
                "step": float(np.mean(seconds["steps"][WARM_UP:])),
                "cycle_end": float(np.mean(seconds["cycle_ends"])),
                "counted": sum(seconds["steps"]) + sum(seconds["cycle_ends"]),
            }
        )
    )


if __name__ == "__main__":
    main()
