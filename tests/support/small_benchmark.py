"""A small learnable benchmark: features and texts of a class come from one random code.

C = 24 classes (3 unseen, 3 validation-unseen) · F = 16 · V = 2 views · D = 8 text width.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from amsf.dataset.splits import Split, make_split
from amsf.features.checks import ImportedSamples
from amsf.features.phases import save_phase
from amsf.settings.params import Settings
from amsf.training.runs import Inputs

CLASSES, WIDTH, VIEWS, TEXT = 24, 16, ("lb", "MAmd"), 8
SHIFT = 2.0  # one feature in ten still falls below zero, and is cut off there
# The model as published, under a protocol that is clean otherwise.
PUBLISHED: dict[str, Any] = {
    "standardise": False,
    "centre_texts": False,
    "fusion_start": "random",
    "decoder": "relu",
    "discriminative_weight": 0.0,
    "read_out": "classifier",
    "schedule": "fraction",
}
SPLIT: Split = make_split("small", CLASSES, [2, 7, 13], [0, 5, 20], kind="listed", where="test")


def small_settings(**sections: dict[str, Any]) -> Settings:
    """Settings under which a phase trains in well under a second."""
    base: dict[str, dict[str, Any]] = {
        "model": {"views": VIEWS, "heads": 2, "latent": 6},
        "train": {
            "seeds": [0],
            "cycles": 3,
            "steps_per_cycle": 40,
            "batch_size": 32,
            "learning_rate": 3e-3,
            "classifier_samples": 50,
            "classifier_steps": 60,
            "classifier_learning_rate": 0.05,
        },
        "compute": {"device": "cpu", "jobs": 1},
    }
    return Settings.model_validate(
        {name: {**base.get(name, {}), **sections.get(name, {})} for name in {*base, *sections}}
    )


def small_inputs(
    folder: Path, settings: Settings, *, seed: int = 0, informed: bool = True, folded: bool = True
) -> Inputs:
    """Write both phases' features under ``folder``.

    With ``informed=False`` texts tell nothing. Features are never negative: folded at zero, which
    no linear map undoes, or with ``folded=False`` shifted.
    """
    rng = np.random.default_rng(seed)
    codes = rng.normal(size=(CLASSES, 2))
    to_features, to_text = rng.normal(size=(2, WIDTH)), rng.normal(size=(len(VIEWS), 2, TEXT))
    text = np.einsum("ck,vkd->cvd", codes, to_text).astype(np.float32)
    if not informed:
        text = rng.normal(size=text.shape).astype(np.float32)

    def samples(
        classes: tuple[int, ...], count: int, untrained: tuple[int, ...] = ()
    ) -> ImportedSamples:
        labels = np.repeat(classes, count)
        noise = 0.2 * rng.normal(size=(len(labels), WIDTH))
        plain = codes[labels] @ to_features + noise
        features = (np.abs(plain) if folded else np.maximum(plain + SHIFT, 0)).astype(np.float32)
        scores = 3 * np.eye(CLASSES)[labels] + rng.normal(size=(len(labels), CLASSES))
        scores[:, list(untrained)] = 0
        return ImportedSamples(features, labels, scores.astype(np.float32) if untrained else None)

    every = tuple(range(CLASSES))
    phases = {
        "test": {
            "train": samples(SPLIT.seen, 20),
            "zsl": samples(SPLIT.unseen, 10),
            "gzsl": samples(every, 10, SPLIT.unseen),
        },
        "val": {
            "train": samples(SPLIT.val_seen, 20),
            "zsl": samples(SPLIT.val_unseen, 10),
            "gzsl": samples(SPLIT.seen, 10, SPLIT.unseen + SPLIT.val_unseen),
        },
    }
    for phase, sets in phases.items():
        save_phase(folder / f"{phase}.safetensors", sets)
    return Inputs(settings, SPLIT, text, folder)
