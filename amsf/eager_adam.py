"""Adam that updates a large weight as soon as its gradient is there, within the backward pass.

The gradient is then still in the cache, and its memory is free for the next one. At the paper's
size the weights, their gradients and Adam's two moments are 150 MB, several times what a cache
holds, and runs side by side share the memory's bandwidth.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn

# Elements from which a weight is updated alone; a call for each small one would cost more.
LARGE = 2**16


class EagerAdam:
    """Adam (Kingma and Ba, ICLR 2015) as torch computes it, at an earlier time.

    Call ``loss.backward()``, which updates the large parameters, then :meth:`step` for the others.
    A parameter must get its whole gradient in one backward pass, and has none afterwards.

    Args:
        parameters: to optimise; large ones are updated by every backward pass that reaches them.
        learning_rate: of Adam.

    Attributes:
        parts: torch's optimisers behind it, by name: one for each large parameter, one for the
            rest.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], learning_rate: float) -> None:
        groups: dict[str, list[nn.Parameter]] = {}
        for index, parameter in enumerate(parameters):
            name = str(index) if parameter.numel() >= LARGE else "rest"
            groups.setdefault(name, []).append(parameter)
        self.parts = {
            name: torch.optim.Adam(group, learning_rate, fused=True)
            for name, group in groups.items()
        }
        for name, group in groups.items():
            if name != "rest":
                group[0].register_post_accumulate_grad_hook(self._update)
        self._large = {group[0]: self.parts[name] for name, group in groups.items()}

    def _update(self, parameter: torch.Tensor) -> None:
        part = self._large[parameter]  # type: ignore[index]
        part.step()
        part.zero_grad()

    def step(self) -> None:
        """Update the parameters that the backward pass has left."""
        if "rest" in self.parts:
            self.parts["rest"].step()
            self.parts["rest"].zero_grad()
