"""From descriptions to text features.

C = classes, V = views, D = text width.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from amsf.settings.params import Text
from amsf.text.descriptions import Texts, text_digests
from amsf.text.encoders import TextEncoder, check_lengths, load_encoder
from amsf.text.features import TextFeatures


def encode_distinct(encoder: TextEncoder, texts: Sequence[str]) -> np.ndarray:
    """The vectors of N texts: (N, D) float32.

    A text that occurs twice is encoded once, so that equal texts have equal vectors: encoders
    differ in the last bits between batches.
    """
    distinct = sorted(set(texts))
    row_of = {text: row for row, text in enumerate(distinct)}
    return encoder.encode(distinct)[[row_of[text] for text in texts]]


def encode_texts(texts: Texts, text: Text, dataset: str) -> tuple[TextFeatures, dict[str, Any]]:
    """Encode every view; several samples of a class are averaged after encoding.

    Args:
        texts: for each view a frame with columns ``id,sample,text``
            (see :mod:`amsf.text.descriptions`).
        text: the ``text`` section of the parameters.
        dataset: the name of the dataset whose texts they are.

    Returns:
        The features (C, V, D), and manifest entries: SHA-256 of the texts and of the weights.

    Raises:
        InputError: the encoder is not on this machine, or a text is too long for it.
    """
    encoder = load_encoder(text)
    rows = [(view, *row) for view, t in texts.items() for row in zip(t["id"], t["text"])]
    words = [row[2] for row in rows]
    names = [f"{dataset} {view} of class {label}" for view, label, _ in rows]
    check_lengths(encoder, words, names, text.over_long)
    vectors = encode_distinct(encoder, words)

    C = 1 + max(label for _, label, _ in rows)
    features = np.empty((C, len(texts), encoder.width), np.float32)
    samples: dict[tuple[str, int], list[int]] = {}
    for row, (view, label, _) in enumerate(rows):
        samples.setdefault((view, label), []).append(row)
    for v, view in enumerate(texts):
        for label in range(C):
            features[label, v] = vectors[samples[view, label]].mean(axis=0)
    manifest = {
        "over_long": text.over_long,
        "samples": {view: int(table["sample"].max()) + 1 for view, table in texts.items()},
        "texts_sha256": text_digests(texts),
        "weights_sha256": encoder.weights,
    }
    return TextFeatures(features, tuple(texts), encoder.name, dataset), manifest
