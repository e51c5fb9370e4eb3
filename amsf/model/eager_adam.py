"""Adam that updates a large weight as soon as its gradient is there, within the backward pass.

The gradient is then still in the cache, and its memory is free for the next one. At the paper's
size the weights, their gradients and Adam's two moments are 150 MB, several times what a cache
holds, and runs side by side share the memory's bandwidth.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.optim.adam import adam

# Elements from which a weight is updated alone; a call for each small one would cost more.
LARGE = 2**16


class EagerAdam:
    """Adam (Kingma and Ba, ICLR 2015) as torch computes it, at an earlier time.

    Call ``loss.backward()``, which updates the large parameters, then :meth:`step` for the others.
    A parameter must get its whole gradient in one backward pass, and has none afterwards.

    Torch's functional form is used, since making a ``torch.optim.Optimizer`` imports torch's
    compiler: a second and 70 MB in each process.

    Args:
        parameters: to optimise; large ones are updated by every backward pass that reaches them.
        learning_rate: Adam's.

    Attributes:
        state: what is kept from step to step, by name; changed in place.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], learning_rate: float) -> None:
        self.state: dict[str, Tensor] = {}
        self._learning_rate = learning_rate
        self._small: list[tuple[nn.Parameter, _Moments]] = []
        for index, parameter in enumerate(parameters):
            moments = _Moments.of(parameter)
            self.state |= {f"{index} {name}": value for name, value in vars(moments).items()}
            if parameter.numel() >= LARGE:
                hook = partial(_update_alone, moments, learning_rate)
                parameter.register_post_accumulate_grad_hook(hook)
            else:
                self._small.append((parameter, moments))

    def restart(self) -> None:
        """Forget the steps so far, as if it were new."""
        for value in self.state.values():
            value.zero_()

    def zero_grad(self) -> None:
        """Nothing: a parameter that is updated has no gradient afterwards."""

    def step(self) -> None:
        """Update the parameters that the backward pass has left."""
        _update([pair for pair in self._small if pair[0].grad is not None], self._learning_rate)


@dataclass(frozen=True)
class _Moments:
    """Adam's state of one parameter, under torch's names."""

    step: Tensor
    exp_avg: Tensor
    exp_avg_sq: Tensor

    @classmethod
    def of(cls, parameter: Tensor) -> _Moments:
        zeros = torch.zeros_like(parameter, requires_grad=False)
        return cls(torch.zeros((), device=parameter.device), zeros, zeros.clone())


def _update_alone(moments: _Moments, learning_rate: float, parameter: Tensor) -> None:
    _update([(parameter, moments)], learning_rate)


@torch.no_grad()
def _update(pairs: Sequence[tuple[Tensor, _Moments]], learning_rate: float) -> None:
    adam(
        [parameter for parameter, _ in pairs],
        [parameter.grad for parameter, _ in pairs if parameter.grad is not None],
        [moments.exp_avg for _, moments in pairs],
        [moments.exp_avg_sq for _, moments in pairs],
        [],
        [moments.step for _, moments in pairs],
        fused=True,
        amsgrad=False,
        beta1=0.9,
        beta2=0.999,
        lr=learning_rate,
        weight_decay=0.0,
        eps=1e-8,
        maximize=False,
    )
    for parameter, _ in pairs:
        parameter.grad = None
