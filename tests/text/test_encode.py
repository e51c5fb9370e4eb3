"""From descriptions to features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
import pandas as pd
import pytest

from amsf.base.errors import InputError
from amsf.settings.params import Text
from amsf.text.descriptions import Texts, text_digests
from amsf.text.encode import encode_distinct, encode_texts
from amsf.text.encoders import TextEncoder, load_encoder


def frame(rows: list[tuple[int, int, str]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["id", "sample", "text"])


class Counting:
    """Vectors that tell which call and row they are of, as an encoder's last bits may."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        self.asked.append(list(texts))
        return np.array([[len(self.asked), row] for row in range(len(texts))], np.float32)


def test_a_text_is_encoded_once_however_often_it_occurs() -> None:
    encoder = Counting()
    vectors = encode_distinct(cast(TextEncoder, encoder), ["up", "hop", "up", "sit", "hop"])
    assert [sorted(texts) for texts in encoder.asked] == [["hop", "sit", "up"]]
    assert vectors.tolist() == [
        [1, encoder.asked[0].index(t)] for t in ("up", "hop", "up", "sit", "hop")
    ]


def test_samples_are_averaged_after_encoding() -> None:
    texts: Texts = {
        "lb": frame([(0, 0, "hop"), (1, 0, "sit down"), (2, 0, "hop")]),
        "LLMad": frame([(0, 0, "up"), (0, 1, "down"), (0, 2, "up"), (1, 0, "left"), (2, 0, "hop")]),
    }
    features, manifest = encode_texts(texts, Text(), "mine")
    words = ["hop", "sit down", "up", "down", "left"]
    rows = dict(zip(words, load_encoder(Text()).encode(words)))
    expected = [
        [rows["hop"], (2 * rows["up"] + rows["down"]) / 3],
        [rows["sit down"], rows["left"]],
        [rows["hop"], rows["hop"]],
    ]
    np.testing.assert_allclose(features.features, np.array(expected), rtol=0, atol=1e-6)
    assert (features.views, features.encoder, features.dataset) == (
        ("lb", "LLMad"),
        "minilm",
        "mine",
    )
    assert manifest["samples"] == {"lb": 1, "LLMad": 3}
    assert manifest["texts_sha256"] == text_digests(texts)
    # Equal texts have equal vectors to the last bit.
    assert np.array_equal(features.features[0, 0], features.features[2, 0])


def test_an_over_long_text_stops_before_encoding() -> None:
    texts: Texts = {"LLMmd": frame([(0, 0, "hop"), (1, 0, "raise the arm " * 100)])}
    with pytest.raises(InputError, match=r"mine LLMmd of class 1 has 302"):
        encode_texts(texts, Text(), "mine")
    features, _ = encode_texts(texts, Text(over_long="truncate"), "mine")
    assert np.isfinite(features.features).all()
