"""Where a run computes: the device, the number of threads, determinism."""

from __future__ import annotations

import os

import torch

from amsf.base.errors import InputError
from amsf.settings.params import Compute
from amsf.stage.portable import pin


def set_up(compute: Compute) -> torch.device:
    """Pin the threads, ask for deterministic kernels, and give the device.

    The number of threads changes the order of sums and so the last bits of the weights; it is
    therefore set, never left to the machine. Kernels are pinned before torch is loaded; where that
    was missed, a warning says so.

    Raises:
        InputError: the device asked for is not there.
    """
    if compute.portable:
        pin()
    torch.set_num_threads(compute.threads)
    # cuBLAS reads this at its first call; without it deterministic mode refuses matrix products.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    # As torch.use_deterministic_algorithms, which also imports the compiler: 70 MB and a second.
    torch.set_deterministic_debug_mode("error")
    # Deterministic mode would also fill every new tensor before it is written: not needed here.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    return find_device(compute.device)


def find_device(name: str) -> torch.device:
    """``auto`` is CUDA where there is one, then MPS, then the CPU.

    Raises:
        InputError: the device asked for is not there.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    device = torch.device(name)
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise InputError(
            f"compute.device is {name}, but {torch.cuda.device_count()} CUDA devices are visible; "
            "use auto, cpu or one that is there"
        )
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise InputError("compute.device is mps, but there is none; use auto or cpu")
    return device


def name_device(name: str) -> str:
    """The device that ``auto`` is on this machine; any other name as it is, there or not."""
    return str(find_device(name)) if name == "auto" else name
