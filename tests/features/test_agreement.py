"""Signs that features, labels and logits do not belong together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import softmax

from amsf.features.agreement import report_agreement, report_probabilities
from amsf.features.checks import ImportedSamples

SEEN, CLASSES = range(8), 10
CENTRES = np.random.default_rng(7).normal(size=(CLASSES, 16))


def samples(labels: np.ndarray, seed: int, noise: float = 0.5) -> ImportedSamples:
    """Features about the centres of their classes; logits from the distances to the seen ones."""
    rng = np.random.default_rng(seed)
    features = (CENTRES[labels] + noise * rng.normal(size=(len(labels), 16))).astype(np.float32)
    logits = -np.square(features[:, None] - CENTRES).sum(-1).astype(np.float32)
    logits[:, 8:] = rng.normal(size=(len(labels), 2))  # of untrained columns
    return ImportedSamples(features, labels, logits)


def phase(noise: float = 0.5) -> dict[str, ImportedSamples]:
    gzsl = samples(np.repeat(np.arange(CLASSES), 20), 0, noise)
    unseen = np.flatnonzero(gzsl.labels >= len(SEEN))
    zsl = ImportedSamples(gzsl.features[unseen], gzsl.labels[unseen], None)
    train = replace(samples(np.repeat(np.arange(len(SEEN)), 30), 1, noise), logits=None)
    return {"train": train, "zsl": zsl, "gzsl": gzsl}


@pytest.mark.parametrize("noise", [0.1, 1.0, 2.0])
def test_what_belongs_together_is_not_reported(noise: float) -> None:
    sets = phase(noise)
    assert report_agreement(sets, "test") == report_probabilities(sets, "test") == []


ORDER = np.random.default_rng(3).permutation(CLASSES * 20)


@pytest.mark.parametrize("part", ["features", "labels", "logits"])
@pytest.mark.parametrize("noise", [0.1, 1.0])
def test_one_in_another_order_is_named(part: str, noise: float) -> None:
    sets = phase(noise)
    sets["zsl"] = replace(sets["zsl"], features=sets["zsl"].features + 1e-3)  # other recordings
    gzsl = sets["gzsl"]
    sets["gzsl"] = replace(gzsl, **{part: getattr(gzsl, part)[ORDER]})
    (line,) = report_agreement(sets, "val")
    others = [name for name in ("features", "logits", "labels") if name != part]
    assert line.startswith(
        f"val.gzsl: the {part} seem to be in another order than the {' and '.join(others)}, which"
    )
    assert "of the 160 samples of the 8 trained classes" in line


def test_logits_of_nothing_are_reported() -> None:
    sets = phase(100.0)  # features without any class in them
    (line,) = report_agreement(sets, "test")
    assert "the largest logit is the label in" in line
    assert "which is near chance" in line


def test_unseen_samples_with_two_labels_are_counted() -> None:
    sets = phase()
    labels = sets["zsl"].labels.copy()
    labels[:3] = 9
    sets["zsl"] = replace(sets["zsl"], labels=labels)
    (line,) = report_agreement(sets, "test")
    assert line.startswith("test.zsl: 3 of 40 rows are also rows of gzsl and have another label")


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_probabilities_are_reported(dtype: type) -> None:
    sets = phase()
    gzsl = sets["gzsl"]
    assert gzsl.logits is not None
    sets["gzsl"] = replace(gzsl, logits=softmax(gzsl.logits, 1).astype(dtype).astype(np.float32))
    (line,) = report_probabilities(sets, "test")
    assert line.startswith("test.gzsl: 200 of 200 rows of logits have no negative value and add up")
    assert report_agreement(sets, "test") == []


def test_a_phase_without_logits_or_with_few_samples_says_nothing() -> None:
    sets = phase()
    alone = {name: sets[name] for name in ("train", "zsl")}
    assert report_agreement(alone, "test") == report_probabilities(alone, "test") == []
    gzsl = sets["gzsl"]
    assert gzsl.logits is not None
    few = ImportedSamples(gzsl.features[:9], gzsl.labels[:9], gzsl.logits[:9][:, ::-1].copy())
    assert report_agreement({**sets, "gzsl": few}, "test") == []
