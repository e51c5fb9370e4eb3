"""Linear maps whose matrix products run at the machine's speed.

N = rows · I = width in · O = width out. PyTorch's CPU builds hand float32 products to MKL, which
uses half the vector width of AMD processors; oneDNN, in the same builds, uses all of it.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

# Multiplications below which oneDNN's start costs more than it saves.
SMALL = 2**21


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``x @ weight.T + bias``, as ``torch.nn.functional.linear``: (..., I) -> (..., O).

    Args:
        x: (..., I).
        weight: (O, I).
        bias: (O,) or None.

    Large float32 products on the CPU go to oneDNN, forward and backward; all else to PyTorch's own
    choice.
    """
    large = x.numel() * len(weight) > SMALL
    if not (large and x.device.type == "cpu" and x.dtype == torch.float32 and _onednn_there()):
        return functional.linear(x, weight, bias)
    rows = x.reshape(-1, x.shape[-1])
    out: Tensor = _OneDnnLinear.apply(rows, weight, bias)
    return out.view(*x.shape[:-1], len(weight))


class LinearMap(nn.Linear):
    """``nn.Linear`` by :func:`linear`; parameters and their start are those of ``nn.Linear``."""

    def forward(self, input: Tensor) -> Tensor:
        return linear(input, self.weight, self.bias)


def _onednn_there() -> bool:
    return torch.backends.mkldnn.is_available() and bool(torch.backends.mkldnn.enabled)


def _product(a: Tensor, b: Tensor, bias: Tensor | None = None) -> Tensor:
    """``a @ b.T + bias`` by oneDNN; transposed views are read in place."""
    out: Tensor = torch.ops.mkldnn._linear_pointwise(a, b, bias, "none", [], "")
    return out


class _OneDnnLinear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, weight)
        return _product(x, weight, bias)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        x, weight = ctx.saved_tensors
        for_x, for_weight, for_bias = ctx.needs_input_grad
        return (
            _product(grad, weight.T) if for_x else None,
            _product(grad.T, x.T) if for_weight else None,
            grad.sum(0) if for_bias else None,
        )
