"""MiniLM, the default text encoder, on torch alone.

sentence-transformers gives the same vectors to 1e-6, after seconds of imports; and its products
go to MKL, whose one path for all processors (:mod:`amsf.stage.portable`) takes three times as
long as oneDNN's.

B = texts of a batch · L = tokens of the longest · D = 384 · H = 12 heads.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn.functional import gelu, layer_norm, normalize, scaled_dot_product_attention

from amsf.base.storage import read_tensors
from amsf.text.encoders import TextEncoder, folder_digest

HEADS, LAYERS, LIMIT = 12, 6, 256
_EPSILON = 1e-12
_PADDING, _SEPARATOR = 0, 102  # ids in BERT's vocabulary


class MiniLm(TextEncoder):
    """all-MiniLM-L6-v2: BERT with six layers, mean over a text's tokens, unit length.

    Args:
        folder: the model's, with ``model.safetensors`` and ``tokenizer.json``.
    """

    def __init__(self, folder: Path) -> None:
        self.name, self.limit = "minilm", LIMIT
        self.weights = folder_digest(folder)
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        arrays = read_tensors(folder / "model.safetensors")
        self._state = {name: torch.from_numpy(array) for name, array in arrays.items()}
        self.width = self._state["embeddings.word_embeddings.weight"].shape[1]

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(ids) for ids in self._token_ids(texts)]

    def _token_ids(self, texts: Sequence[str]) -> list[list[int]]:
        return [found.ids for found in self._tokenizer.encode_batch(list(texts))]

    def _encode_batch(self, texts: list[str]) -> Tensor:
        rows = [
            ids if len(ids) <= LIMIT else [*ids[: LIMIT - 1], _SEPARATOR]
            for ids in self._token_ids(texts)
        ]
        lengths = torch.tensor([len(ids) for ids in rows])
        ids = torch.full((len(rows), int(lengths.max())), _PADDING)
        for row, own in enumerate(rows):
            ids[row, : len(own)] = torch.tensor(own)
        there = torch.arange(ids.shape[1]) < lengths[:, None]  # (B, L)
        x = self._embed(ids)
        for layer in range(LAYERS):
            x = self._layer(f"encoder.layer.{layer}", x, there)
        total = (x * there[:, :, None]).sum(1)
        return normalize(total / lengths[:, None])

    def _embed(self, ids: Tensor) -> Tensor:
        """(B, L) -> (B, L, D): word, place, and the first of BERT's two kinds of sentences."""
        words, places, kinds = (
            self._state[f"embeddings.{name}_embeddings.weight"]
            for name in ("word", "position", "token_type")
        )
        return self._norm("embeddings", words[ids] + kinds[0] + places[: ids.shape[1]])

    def _layer(self, name: str, x: Tensor, there: Tensor) -> Tensor:
        """A transformer block: (B, L, D) -> (B, L, D); tokens that are not ``there`` are unseen."""
        query, key, value = (
            self._map(f"{name}.attention.self.{part}", x)
            .unflatten(2, (HEADS, -1))
            .transpose(1, 2)  # (B, H, L, D / H)
            for part in ("query", "key", "value")
        )
        seen = scaled_dot_product_attention(query, key, value, there[:, None, None])
        seen = seen.transpose(1, 2).flatten(2)
        x = self._norm(
            f"{name}.attention.output", self._map(f"{name}.attention.output.dense", seen) + x
        )
        y = gelu(self._map(f"{name}.intermediate.dense", x))
        return self._norm(f"{name}.output", self._map(f"{name}.output.dense", y) + x)

    def _norm(self, name: str, x: Tensor) -> Tensor:
        scale, shift = (self._state[f"{name}.LayerNorm.{part}"] for part in ("weight", "bias"))
        return layer_norm(x, scale.shape, scale, shift, _EPSILON)

    def _map(self, name: str, x: Tensor) -> Tensor:
        """(B, L, I) -> (B, L, O)."""
        weight, bias = self._state[f"{name}.weight"], self._state[f"{name}.bias"]
        if not torch.backends.mkldnn.is_available():
            return torch.nn.functional.linear(x, weight, bias)
        rows = torch.ops.mkldnn._linear_pointwise(x.flatten(0, 1), weight, bias, "none", [], "")
        return rows.unflatten(0, x.shape[:2])
