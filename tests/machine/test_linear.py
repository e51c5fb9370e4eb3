"""Linear maps by oneDNN against PyTorch's own, in double precision."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from amsf.machine import linear as module
from amsf.machine.linear import LinearMap, linear


@pytest.mark.parametrize("shape", [(7,), (5, 7), (4, 5, 7)])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("small", [0, 10**9])
def test_value_and_gradients(
    monkeypatch: pytest.MonkeyPatch, shape: tuple[int, ...], bias: bool, small: int
) -> None:
    monkeypatch.setattr(module, "SMALL", small)
    torch.manual_seed(0)
    x, weight, b = torch.randn(shape), torch.randn(3, 7), torch.randn(3)
    wanted = torch.randn(*shape[:-1], 3)

    def gradients(function: object, dtype: torch.dtype) -> list[torch.Tensor]:
        inputs = [t.detach().to(dtype).clone().requires_grad_() for t in (x, weight, b)]
        out = function(*inputs[: 3 if bias else 2])  # type: ignore[operator]
        (out * wanted.to(dtype)).sum().backward()
        return [out.detach(), *(t.grad for t in inputs if t.grad is not None)]

    ours = gradients(linear, torch.float32)
    theirs = gradients(functional.linear, torch.float64)
    assert len(ours) == len(theirs) == (4 if bias else 3)
    for mine, exact in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine.double(), exact, rtol=1e-5, atol=1e-5)


def test_large_float32_products_go_to_onednn(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    product = module._product
    monkeypatch.setattr(module, "_product", lambda *args: asked.append(1) or product(*args))
    x, weight = torch.randn(128, 256), torch.randn(128, 256)
    linear(x, weight)
    assert asked == [1]
    linear(x.double(), weight.double())
    linear(x[:4], weight)
    assert asked == [1]


def test_no_gradient_is_made_that_nobody_wants(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SMALL", 0)
    asked = []
    product = module._product
    monkeypatch.setattr(module, "_product", lambda *args: asked.append(1) or product(*args))
    x, weight = torch.randn(4, 6), torch.randn(2, 6, requires_grad=True)
    linear(x, weight).sum().backward()
    assert len(asked) == 2
    assert weight.grad is not None


def test_starts_and_loads_like_nn_linear() -> None:
    torch.manual_seed(0)
    ours = LinearMap(5, 4)
    torch.manual_seed(0)
    theirs = nn.Linear(5, 4)
    assert all(torch.equal(ours.state_dict()[n], t) for n, t in theirs.state_dict().items())
    x = torch.randn(3, 5)
    torch.testing.assert_close(ours(x), theirs(x))
