"""Fusion: the text views of a class become one semantic prototype.

B = classes in the batch · V = text views · D = width of a text vector · W = prototype width.
Every module maps (B, V, D) to (B, W) and states its true W as ``out_features``; the prototype is
L2-normalised afterwards (`amsf.model.vae`). Names, layer orders and the alternatives of the
ablation are those of the AMSF paper (Li et al., IEEE Transactions on Multimedia 27, 2025);
parameter names equal the published ones, so that its weights load.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from amsf.base.errors import InputError
from amsf.machine.linear import LinearMap, linear
from amsf.settings.fusion import find_fault
from amsf.settings.params import Model


class FusionModule(nn.Module):
    """Base of all fusion modules: (B, V, D) -> (B, W).

    Attributes:
        out_features: W.
        across_batch: whether a class's prototype depends on the others in the batch.
    """

    out_features: int
    across_batch = False

    def start_linear(self, text: Tensor) -> None:
        """Put the weights where the module keeps what tells these classes (C, V, D) apart.

        Modules without a bottleneck do as they are and are left so.
        """


def _tail(width_in: int, width: int, width_out: int) -> nn.Sequential:
    """LayerNorm, Linear, GELU, LayerNorm, Linear; both maps without bias."""
    return nn.Sequential(
        nn.LayerNorm(width_in),
        LinearMap(width_in, width, bias=False),
        nn.GELU(),
        nn.LayerNorm(width),
        LinearMap(width, width_out, bias=False),
    )


@torch.no_grad()
def _start_tail_linear(tail: nn.Sequential, text: Tensor) -> None:
    """Make a tail a linear map that loses nothing of the differences between some texts.

    At its random start the narrow layer and the GELU change the cosines between classes. Here the
    narrow layer comes in pairs of weights w and -w whose outputs are subtracted ("looks linear",
    Balduzzi et al., The shattered gradients problem, ICML 2017): GELU(a) - GELU(-a) = a. The w are
    orthonormal and begin with the principal directions of the texts, which so lie in what is kept.
    Both layers keep the length of their random weights.

    Args:
        tail: of :func:`_tail`.
        text: (C, V*D), what it is given.
    """
    narrow, wide = tail[1], tail[4]
    assert isinstance(narrow, nn.Linear)
    assert isinstance(wide, nn.Linear)
    pairs = narrow.weight.shape[0] // 2
    _, lengths, directions = torch.linalg.svd(tail[0](text), full_matrices=False)
    directions = directions[lengths > 1e-5 * lengths[0]]  # the others are noise
    random = narrow.weight[:pairs].clone()
    basis = torch.linalg.qr(torch.cat([directions, random]).T).Q[:, :pairs].T
    # Which way a direction points hangs on the order of the texts: let the random weights say.
    basis *= torch.where((basis * random).sum(dim=1, keepdim=True) < 0, -1.0, 1.0)
    basis *= narrow.weight.norm(dim=1).mean()
    out = torch.linalg.qr(wide.weight[:, :pairs]).Q * wide.weight.norm(dim=0).mean()
    narrow.weight[: 2 * pairs] = torch.cat([basis, -basis])
    wide.weight[:, : 2 * pairs] = torch.cat([out, -out], dim=1)


def _attend(mha: nn.MultiheadAttention, h: Tensor) -> Tensor:
    """``mha(h, h, h)`` of a module without bias: (B, V, D) -> (B, V, D)."""
    batch, views, width = h.shape
    projected = linear(h, mha.in_proj_weight).view(batch, views, 3, mha.num_heads, -1)
    q, k, v = projected.permute(2, 0, 3, 1, 4)  # each (B, heads, V, D / heads)
    attended = scaled_dot_product_attention(q, k, v).transpose(1, 2)
    return linear(attended.reshape(batch, views, width), mha.out_proj.weight)


class _AttentionBlock(nn.Module):
    """h = LayerNorm(h); h = h + MultiHeadAttention(h, h, h): the normed input is the residual."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.ln = nn.LayerNorm(width)
        self.mha = nn.MultiheadAttention(width, heads, bias=False, batch_first=True)

    def forward(self, h: Tensor) -> Tensor:  # (B, V, D) -> (B, V, D)
        h = self.ln(h)
        return h + _attend(self.mha, h)


class _TransformerBlock(_AttentionBlock):
    """The attention block, then h = h + MLP(h) with a LayerNorm after the GELU too."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__(width, heads)
        self.mlp = nn.Sequential(
            nn.LayerNorm(width),
            LinearMap(width, 4 * width),
            nn.GELU(),
            nn.LayerNorm(4 * width),
            LinearMap(4 * width, width),
        )

    def forward(self, h: Tensor) -> Tensor:
        h = super().forward(h)
        return h + self.mlp(h)


class MHA(FusionModule):
    """The paper's: attention over the V views of one class, then the two-layer tail."""

    def __init__(self, views: int, width: int, ratio: int, heads: int, layers: int) -> None:
        super().__init__()
        self.out_features = ratio * width
        self.mha = nn.Sequential(*(_AttentionBlock(width, heads) for _ in range(layers)))
        self.mlp = _tail(views * width, width, self.out_features)

    def forward(self, x: Tensor) -> Tensor:
        return self.mlp(self.mha(x).flatten(1))

    def start_linear(self, text: Tensor) -> None:
        """The tail's narrow layer; attention starts as a small addition to the views."""
        _start_tail_linear(self.mlp, self.mha(text).flatten(1))


class Former(FusionModule):
    """Transformer blocks over the views, then LayerNorm and one bias-free Linear."""

    def __init__(self, views: int, width: int, ratio: int, heads: int, layers: int) -> None:
        super().__init__()
        self.out_features = ratio * width
        self.transformer = nn.Sequential(*(_TransformerBlock(width, heads) for _ in range(layers)))
        self.linear = nn.Sequential(
            nn.LayerNorm(views * width),
            LinearMap(views * width, self.out_features, bias=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(self.transformer(x).flatten(1))


class MLP(FusionModule):
    """The tail of :class:`MHA` alone."""

    def __init__(self, views: int, width: int, ratio: int) -> None:
        super().__init__()
        self.out_features = ratio * width
        self.mlp = _tail(views * width, width, self.out_features)

    def forward(self, x: Tensor) -> Tensor:
        return self.mlp(x.flatten(1))

    def start_linear(self, text: Tensor) -> None:
        """The narrow layer."""
        _start_tail_linear(self.mlp, text.flatten(1))


class Linear(FusionModule):
    """LayerNorm over all views and one bias-free Linear."""

    def __init__(self, views: int, width: int, ratio: int) -> None:
        super().__init__()
        self.out_features = ratio * width
        self.ln = nn.LayerNorm(views * width)
        self.linear = LinearMap(views * width, self.out_features, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(self.ln(x.flatten(1)))


class Concat(FusionModule):
    """The views one after another; W = V*D."""

    def __init__(self, views: int, width: int) -> None:
        super().__init__()
        self.out_features = views * width

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1)


class Add(FusionModule):
    """The sum of the views; W = D."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.out_features = width

    def forward(self, x: Tensor) -> Tensor:
        return x.sum(1)


class WeightedAdd(FusionModule):
    """LayerNorm each view, times one learnt scalar a view (start 1), summed; W = D."""

    def __init__(self, views: int, width: int) -> None:
        super().__init__()
        self.out_features = width
        self.w = nn.Parameter(torch.ones(views, 1))
        self.ln = nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        return (self.w * self.ln(x)).sum(1)


class Conv(FusionModule):
    """Conv1d over the width with the views as channels, V -> 1; W = D."""

    def __init__(self, views: int, width: int, kernel: int) -> None:
        super().__init__()
        self.out_features = width
        self.conv = nn.Sequential(nn.Conv1d(views, 1, kernel, padding="same"))

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x).squeeze(1)


class MSCA(FusionModule):
    """Multi-scale channel attention over the views; W = V*D.

    x = LayerNorm(x); w = sigmoid(local(x) + global(x)); out = w * x, flattened. Views are the
    channels, squeezed to V/r between two convolutions; ``global`` does the same after average
    pooling over the width.
    """

    def __init__(self, views: int, width: int, kernel: int, reduction: int) -> None:
        super().__init__()
        self.out_features = views * width
        self.ln = nn.LayerNorm((views, width))
        squeezed = views // reduction

        def branch(length: int) -> list[nn.Module]:
            return [
                nn.Conv1d(views, squeezed, kernel, padding="same"),
                nn.LayerNorm((squeezed, length)),
                nn.GELU(),
                nn.Conv1d(squeezed, views, kernel, padding="same"),
                nn.LayerNorm((views, length)),
            ]

        self.local_att = nn.Sequential(*branch(width))
        self.global_att = nn.Sequential(nn.AdaptiveAvgPool1d(1), *branch(1))

    def forward(self, x: Tensor) -> Tensor:
        x = self.ln(x)
        return (torch.sigmoid(self.local_att(x) + self.global_att(x)) * x).flatten(1)


class SA(FusionModule):
    """Self-attention ACROSS THE BATCH, as published: a defect, kept for the reference protocol.

    A class's prototype depends on which other classes are in the batch, how often and, at test
    time, on how many unseen classes there are.
    """

    across_batch = True

    def __init__(self, views: int, width: int, ratio: int) -> None:
        super().__init__()
        self.out_features = ratio * width
        self.ln = nn.LayerNorm((views, width))
        self.q = LinearMap(views * width, width)
        self.k = LinearMap(views * width, width)
        self.v = LinearMap(views * width, width)
        self.mlp = _tail(width, width, self.out_features)

    def forward(self, x: Tensor) -> Tensor:
        x = self.ln(x).flatten(1)
        attended = scaled_dot_product_attention(self.q(x)[None], self.k(x)[None], self.v(x)[None])
        return self.mlp(attended[0])


def build_fusion(model: Model, views: int, width: int) -> FusionModule:
    """The fusion module that the parameters name.

    Args:
        model: the ``model`` section: ``fusion`` and what belongs to it.
        views: V.
        width: D, the width of one text vector.

    Raises:
        InputError: the module does not allow them, see :mod:`amsf.settings.fusion`.
    """
    if fault := find_fault(model, views, width):
        raise InputError(fault)
    ratio = views if model.ratio is None else model.ratio
    builders: dict[str, Callable[[], FusionModule]] = {
        "MHA": lambda: MHA(views, width, ratio, model.heads, model.layers),
        "Former": lambda: Former(views, width, ratio, model.heads, model.layers),
        "MLP": lambda: MLP(views, width, ratio),
        "Linear": lambda: Linear(views, width, ratio),
        "SA": lambda: SA(views, width, ratio),
        "Concat": lambda: Concat(views, width),
        "Add": lambda: Add(width),
        "Weighted_Add": lambda: WeightedAdd(views, width),
        "Conv": lambda: Conv(views, width, model.kernel),
        "MSCA": lambda: MSCA(views, width, model.kernel, model.reduction),
    }
    return builders[model.fusion]()
