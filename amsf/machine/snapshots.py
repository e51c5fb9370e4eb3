"""Snapshots of training under way: what an interrupted run goes on from.

A snapshot is one safetensors file: weights, optimisers and random streams as tensors, and a JSON
note. It is written to a temporary name and renamed, so that a run killed at any moment leaves
either the last one or the one before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from amsf.base.errors import InputError
from amsf.base.storage import read_metadata, read_tensors, sha256, write_tensors

PACKAGE = Path(__file__).parents[1]


@dataclass(frozen=True)
class Parts:
    """What changes while a run trains, each by name.

    Attributes:
        modules: networks with their weights and buffers.
        generators: torch's random streams.
        states: tensors that are changed in place.
        optimisers: optimisers with their moments; their parameter groups go into the note.
    """

    modules: dict[str, nn.Module]
    generators: dict[str, torch.Generator]
    states: dict[str, dict[str, Tensor]] = field(default_factory=dict)
    optimisers: dict[str, torch.optim.Optimizer] = field(default_factory=dict)


def code_digest(rooms: Iterable[str], package: Path = PACKAGE) -> str:
    """SHA-256 of PyTorch's and NumPy's versions and of every module in some rooms of ``amsf``.

    Args:
        rooms: the rooms' names.
        package: the folder that holds the rooms.
    """
    digest = hashlib.sha256(f"{torch.__version__} {np.__version__}\n".encode())
    for room in sorted(rooms):
        for path in sorted((package / room).rglob("*.py")):
            digest.update(f"{path.relative_to(package).as_posix()} {sha256(path)}\n".encode())
    return digest.hexdigest()


def save_snapshot(path: Path, parts: Parts, note: Any) -> None:
    """Write the parts as they are now, with a JSON note."""
    tensors = _fixed(parts)
    groups = {}
    for name, optimiser in parts.optimisers.items():
        state = optimiser.state_dict()
        groups[name] = state["param_groups"]
        for index, values in state["state"].items():
            tensors |= {f"optimiser {name} {index} {key}": v for key, v in values.items()}
    arrays = {name: tensor.cpu().numpy() for name, tensor in tensors.items()}
    write_tensors(path, arrays, {"groups": groups, "note": note})


def restore_snapshot(path: Path, parts: Parts) -> Any:
    """Put new parts where the snapshot's were; returns its note, or None if there is no snapshot.

    Raises:
        InputError: the file is damaged, or a snapshot of other parts.
    """
    if not path.is_file():
        return None
    tensors = {name: torch.from_numpy(array) for name, array in read_tensors(path).items()}
    metadata = read_metadata(path)
    fixed = {name: t for name, t in tensors.items() if not name.startswith("optimiser ")}
    try:
        if _shapes(fixed) != _shapes(_fixed(parts)):
            raise ValueError("its tensors have other names, shapes or types")
        for name, module in parts.modules.items():
            module.load_state_dict(_below(tensors, f"module {name} "))
        for name, values in parts.states.items():
            for key, tensor in values.items():
                tensor.copy_(tensors[f"state {name} {key}"])
        for name, optimiser in parts.optimisers.items():
            states: dict[int, dict[str, Tensor]] = {}
            for key, tensor in _below(tensors, f"optimiser {name} ").items():
                index, value = key.split()
                states.setdefault(int(index), {})[value] = tensor
            groups = metadata["groups"][name]
            optimiser.load_state_dict({"state": states, "param_groups": groups})
        for name, generator in parts.generators.items():
            generator.set_state(tensors[f"generator {name}"])
        return metadata["note"]
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise InputError(
            f"{path}: not a snapshot of this run ({error}); delete it to train from the start"
        ) from error


def _fixed(parts: Parts) -> dict[str, Tensor]:
    """All tensors of the parts but those of torch's optimisers, which have none at their start."""
    tensors: dict[str, Tensor] = {}
    for name, module in parts.modules.items():
        tensors |= {f"module {name} {key}": value for key, value in module.state_dict().items()}
    for name, values in parts.states.items():
        tensors |= {f"state {name} {key}": value for key, value in values.items()}
    for name, generator in parts.generators.items():
        tensors[f"generator {name}"] = generator.get_state()
    return tensors


def _shapes(tensors: dict[str, Tensor]) -> dict[str, tuple[torch.Size, torch.dtype]]:
    return {name: (tensor.shape, tensor.dtype) for name, tensor in tensors.items()}


def _below(tensors: dict[str, Tensor], start: str) -> dict[str, Tensor]:
    return {name[len(start) :]: t for name, t in tensors.items() if name.startswith(start)}
