"""Devices and threads."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from amsf.base.errors import InputError
from amsf.machine.device import find_device, set_up
from amsf.settings.params import Compute


@pytest.fixture
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def test_threads_and_determinism_are_set(threads: None) -> None:
    assert set_up(Compute(device="cpu", threads=2)) == torch.device("cpu")
    assert torch.get_num_threads() == 2
    assert torch.are_deterministic_algorithms_enabled()


@pytest.mark.parametrize(
    ("cuda", "mps", "expected"),
    [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")],
)
def test_auto(monkeypatch: pytest.MonkeyPatch, cuda: bool, mps: bool, expected: str) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert find_device("auto").type == expected


def test_absent_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert find_device("cuda:0") == torch.device("cuda:0")
    with pytest.raises(InputError, match=r"cuda:1, but 1 CUDA devices"):
        find_device("cuda:1")
    with pytest.raises(InputError, match="mps"):
        find_device("mps")
