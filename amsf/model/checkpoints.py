"""Checkpoints: what it takes to rebuild a trained model, without pickle.

C = classes · V = text views · D = text width · F = feature width · L = latent width · U = unseen
classes. A checkpoint is a folder: ``model.safetensors`` (VAE and unseen classifier) and
``config.json`` (what the tensors belong to, and how they came about).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from torch import Tensor, nn

from amsf.base.errors import InputError
from amsf.base.storage import read_json, read_tensors, write_json, write_tensors
from amsf.model.classifier import UnseenClassifier
from amsf.model.fusion import build_fusion
from amsf.model.vae import CrossModalVAE
from amsf.settings.params import Model

BLOCK = 16384  # samples evaluated at once


@dataclass(frozen=True)
class Config:
    """What a trained model is.

    Attributes:
        model: the ``model`` section it was built from.
        text_width: D.
        feature_width: F.
        phase: ``test`` or ``val``.
        seed: of the run.
        seen, unseen: the classes of the phase; the classifier's outputs follow ``unseen``.
        classifier_relu: whether its logits pass a ReLU.
        normalise_input: whether skeleton features are L2-normalised when it is used.
        selection: how the cycle was chosen: ``val``, ``last`` or ``test``.
        cycle: the chosen one, counted from 0.
    """

    model: Model
    text_width: int
    feature_width: int
    phase: str
    seed: int
    seen: tuple[int, ...]
    unseen: tuple[int, ...]
    classifier_relu: bool
    normalise_input: bool
    selection: str
    cycle: int


class TrainedModel(nn.Module):
    """A trained VAE with its unseen classifier, built (untrained) from its config."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        fusion = build_fusion(config.model, len(config.model.views), config.text_width)
        self.vae = CrossModalVAE(fusion, config.feature_width, config.model.latent)
        self.classifier = UnseenClassifier(
            config.model.latent, len(config.unseen), relu=config.classifier_relu
        )

    @torch.no_grad()
    def embed(self, features: Tensor) -> Tensor:
        """Latent means of skeleton features: (N, F) -> (N, L)."""
        if self.config.normalise_input:
            features = nn.functional.normalize(features, dim=1)
        return self.vae.skeleton_encoder(features)[0]

    @torch.no_grad()
    def unseen_probabilities(self, features: Tensor) -> Tensor:
        """The unseen classifier's probabilities: (N, F) -> (N, U) on the CPU.

        In large blocks, so that features may be a memory map of more than fits into memory.
        """
        device = self.classifier.linear.weight.device
        blocks = [
            self.classifier(self.embed(block.to(device))).softmax(dim=1).cpu()
            for block in features.split(BLOCK)
        ]
        return torch.cat(blocks)


def save_model(folder: Path, config: Config, state: dict[str, Tensor]) -> None:
    """Write a checkpoint; ``state`` is the state of a :class:`TrainedModel`."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {name: tensor.detach().cpu().numpy() for name, tensor in state.items()}
    write_tensors(folder / "model.safetensors", arrays)
    write_json(folder / "config.json", {**asdict(config), "model": config.model.model_dump()})


def load_model(folder: Path) -> TrainedModel:
    """Rebuild a model from its checkpoint.

    Raises:
        InputError: a file is missing, cut short, or the tensors do not fit the config.
    """
    path, weights = folder / "config.json", folder / "model.safetensors"
    raw: Any = read_json(path)
    try:
        model = Model.model_validate(raw["model"])
        lists = {name: tuple(raw[name]) for name in ("seen", "unseen")}
        config = Config(**{**raw, **lists, "model": model})
        # Before memory is taken for a model of any size that the file may claim.
        with torch.device("meta"):
            expected = {k: tuple(t.shape) for k, t in TrainedModel(config).state_dict().items()}
    except (KeyError, TypeError, ValueError, RuntimeError, InputError) as error:
        told = str(error).splitlines()[0]
        if isinstance(error, ValidationError):
            first = error.errors()[0]
            told = f"model.{'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise InputError(
            f"{path}: not a model's config ({told}); expected what the train stage writes: run "
            "`dvc repro`"
        ) from error
    tensors = read_tensors(weights)
    found = {name: array.shape for name, array in tensors.items()}
    wrong = sorted(k for k in {*expected, *found} if expected.get(k) != found.get(k))
    if wrong:
        raise InputError(
            f"{weights}: does not fit {path}: {wrong[0]} is {found.get(wrong[0])}, "
            f"{expected.get(wrong[0])} fits ({len(wrong)} differ); train again"
        )
    trained = TrainedModel(config)
    trained.load_state_dict({name: torch.from_numpy(array) for name, array in tensors.items()})
    return trained.eval()
