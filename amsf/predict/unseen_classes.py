"""Unseen classes by words alone: a user's texts, encoded.

N = classes · V = text views · D = text width.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from amsf.base.errors import InputError
from amsf.dataset.worded import WordedClass
from amsf.settings.params import Text
from amsf.text.encode import encode_distinct
from amsf.text.encoders import check_lengths, load_encoder


def encode_classes(
    classes: Sequence[WordedClass], views: Sequence[str], text: Text, weights: str, where: str
) -> np.ndarray:
    """The text vectors of classes, as the encode stage would make them.

    Args:
        classes: N of them.
        views: the V views that the model fuses, in its order.
        text: the benchmark's text encoder.
        weights: SHA-256 of the weights that made the benchmark's text features.
        where: the file that the texts come from, for messages.

    Returns:
        (N, V, D) float32.

    Raises:
        InputError: there is no encoder (published text features) or it is not on this machine, it
            is another one than the benchmark's, or a text is too long for it.
    """
    if text.encoder == "published":
        raise InputError(
            "text.encoder is published: the benchmark's text features were read from files, so "
            "there is no encoder for new texts; choose an encoder in params.yaml and run "
            "`dvc repro`"
        )
    encoder = load_encoder(text)
    if encoder.weights != weights:
        raise InputError(
            f"the weights of text encoder {encoder.name} are not those that the benchmark's text "
            "features were made with; run `dvc repro -f` on its stages encode and after"
        )
    texts = [c.text_of(view) for c in classes for view in views]
    names = [f"{where}: {view} of '{c.label}'" for c in classes for view in views]
    check_lengths(encoder, texts, names, text.over_long)
    return encode_distinct(encoder, texts).reshape(len(classes), len(views), -1)
