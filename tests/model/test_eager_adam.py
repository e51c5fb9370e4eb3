"""Adam within the backward pass against torch's own after it."""

from __future__ import annotations

import copy
import gc
import weakref

import pytest
import torch
from torch import nn

from amsf.model import eager_adam
from amsf.model.eager_adam import EagerAdam


@pytest.mark.parametrize("large", [1, 50, 10**9])
def test_same_weights_as_torchs_adam(monkeypatch: pytest.MonkeyPatch, large: int) -> None:
    monkeypatch.setattr(eager_adam, "LARGE", large)
    torch.manual_seed(0)
    ours = nn.Sequential(nn.Linear(6, 9), nn.Tanh(), nn.Linear(9, 6))
    theirs = copy.deepcopy(ours)
    eager = EagerAdam(ours.parameters(), 0.01)
    assert len(eager.state) == 4 * 3
    after = torch.optim.Adam(theirs.parameters(), 0.01)
    for _ in range(5):
        x = torch.randn(8, 6)
        # Twice through the same weights: the update must wait for both gradients.
        ours(ours(x)).square().mean().backward()
        eager.step()
        after.zero_grad()
        theirs(theirs(x)).square().mean().backward()
        after.step()
        for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
            torch.testing.assert_close(mine, other, rtol=1e-6, atol=1e-7)
            assert mine.grad is None


def test_large_weights_are_updated_by_the_backward_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(eager_adam, "LARGE", 10)
    model = nn.Linear(5, 4)
    before = copy.deepcopy(model.state_dict())
    eager = EagerAdam(model.parameters(), 0.01)
    model(torch.ones(1, 5)).sum().backward()
    assert not torch.equal(model.weight, before["weight"])
    assert torch.equal(model.bias, before["bias"])
    eager.step()
    assert not torch.equal(model.bias, before["bias"])


def test_a_parameter_without_a_gradient_stays_as_it_is() -> None:
    used, unused = nn.Linear(3, 2), nn.Linear(3, 2)
    before = copy.deepcopy(unused.state_dict())
    eager = EagerAdam([*used.parameters(), *unused.parameters()], 0.01)
    used(torch.ones(1, 3)).sum().backward()
    eager.step()
    assert all(torch.equal(unused.state_dict()[name], before[name]) for name in before)
    assert [int(eager.state[f"{index} step"]) for index in range(4)] == [1, 1, 0, 0]


def test_its_memory_is_free_once_nobody_holds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker trains one run after the other: the one before must not wait for the collector."""
    monkeypatch.setattr(eager_adam, "LARGE", 1)
    model = nn.Linear(3, 2)
    eager = EagerAdam(model.parameters(), 0.01)
    model(torch.ones(1, 3)).sum().backward()
    kept = [weakref.ref(model.weight), weakref.ref(eager.state["0 exp_avg"])]
    gc.disable()
    try:
        del model, eager
        assert [reference() for reference in kept] == [None, None]
    finally:
        gc.enable()
