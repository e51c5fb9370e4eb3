"""Untrained aligners of a small size, and trainers of the small benchmark's test phase."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from amsf.features.phases import PhaseFeatures, load_phase
from amsf.model.aligner import Aligner, Config, build_aligner
from amsf.training.trainer import PhaseTrainer, Streams
from tests.support.small_benchmark import SPLIT, small_inputs, small_settings

CPU = torch.device("cpu")


def config_of(name: str, seen: int, unseen: int, features: int, text: int, **model: Any) -> Config:
    """A config of two views, with classes 0 to seen-1 and seen to seen+unseen-1."""
    settings = small_settings(model={"aligner": name, **model})
    return Config(
        settings.model, settings.train, settings.switches(), text, features, "test", 0,
        tuple(range(seen)), tuple(range(seen, seen + unseen)), 0,
    )  # fmt: skip


def drawn(samples: int, features: int, classes: int, text: int) -> tuple[Tensor, Tensor, Tensor]:
    """Features (N, F), classes (N,), each of them there, and texts (C, 2, D) that go with them."""
    generator = torch.Generator().manual_seed(3)
    codes = torch.randn(classes, 3, generator=generator)
    labels = torch.arange(samples) % classes
    noise = torch.randn(samples, features, generator=generator)
    x = codes[labels] @ torch.randn(3, features, generator=generator) + 0.5 * noise + 2
    to_text = torch.randn(2, 3, text, generator=generator)
    return x, labels, torch.einsum("ck,vkd->cvd", codes, to_text) + 1


def fitted(config: Config, x: Tensor, labels: Tensor, text: Tensor) -> Any:
    """A closed form that has learnt from these."""
    model = build_aligner(config)
    model.fit(x, labels, text)  # type: ignore[operator]
    return model


def small_trainer(
    folder: Path, name: str, protocol: dict[str, Any] | None = None, **train: Any
) -> tuple[PhaseTrainer, PhaseFeatures]:
    """A trainer of the small benchmark with straight features, and the phase's features."""
    settings = small_settings(model={"aligner": name}, train=train, protocol=protocol or {})
    inputs = small_inputs(folder, settings, folded=False)
    data = load_phase(folder / "test.safetensors")
    config = Config(
        settings.model, settings.train, settings.switches(), inputs.text.shape[2], data.width,
        "test", 0, SPLIT.seen, SPLIT.unseen, 0,
    )  # fmt: skip
    streams = Streams.seeded(0, "test", CPU)
    text = torch.from_numpy(inputs.text)
    return PhaseTrainer(settings, config, data.train, text, streams, CPU), data


def alignment(model: Aligner) -> dict[str, Tensor]:
    """What a model keeps, but for what belongs to the classes it was last given."""
    state = model.state_dict()
    return {name: t for name, t in state.items() if not name.startswith(model.OF_CLASSES)}
