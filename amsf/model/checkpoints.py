"""Checkpoints: what it takes to rebuild a trained model, without pickle.

A checkpoint is a folder: ``model.safetensors`` (the weights) and ``config.json`` (what they belong
to, and how they came about).
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from torch import Tensor

from amsf.base.errors import InputError
from amsf.base.storage import read_json, read_tensors, write_json, write_tensors
from amsf.model.aligner import Aligner, Config, build_aligner
from amsf.settings.params import Model, Train
from amsf.settings.protocol import Section, Switches

SECTIONS: dict[str, type[Section]] = {"model": Model, "train": Train, "switches": Switches}


def save_model(folder: Path, config: Config, state: dict[str, Tensor]) -> None:
    """Write a checkpoint; ``state`` is that of the model which the config builds."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {name: tensor.detach().cpu().numpy() for name, tensor in state.items()}
    write_tensors(folder / "model.safetensors", arrays)
    sections = {name: getattr(config, name).model_dump() for name in SECTIONS}
    write_json(folder / "config.json", {**asdict(config), **sections})


def load_model(folder: Path) -> Aligner:
    """Rebuild a model from its checkpoint.

    Raises:
        InputError: a file is missing, cut short, or the tensors do not fit the config.
    """
    path, weights = folder / "config.json", folder / "model.safetensors"
    raw: Any = read_json(path)
    try:
        sections = {name: kind.model_validate(raw[name]) for name, kind in SECTIONS.items()}
        lists = {name: tuple(raw[name]) for name in ("seen", "unseen", "joined")}
        config = Config(**{**raw, **lists, **sections})
        # Before memory is taken for a model of any size that the file may claim.
        with torch.device("meta"):
            expected = {k: tuple(t.shape) for k, t in build_aligner(config).state_dict().items()}
    except (KeyError, TypeError, ValueError, RuntimeError, InputError) as error:
        reason = str(error).splitlines()[0]
        if isinstance(error, ValidationError):
            first = error.errors()[0]
            reason = f"{error.title.lower()}.{'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise InputError(
            f"{path}: not a model's config ({reason}); expected what the train stage writes: run "
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
    trained = build_aligner(config)
    trained.load_state_dict({name: torch.from_numpy(array) for name, array in tensors.items()})
    return trained.eval()
