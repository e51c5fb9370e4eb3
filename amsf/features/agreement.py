"""Signs that features, labels and logits do not belong together row by row.

N = samples · F = feature width · C = classes.
"""

from __future__ import annotations

import numpy as np
from sklearn.metrics import cohen_kappa_score

from amsf.features.checks import ROWS_AT_ONCE, ImportedSamples

_ENOUGH = 20  # samples of trained classes, from which agreement says anything
# Of rows in another order the agreement beyond chance is 0. That of weak features with good logits
# is a third of the logits' own; that of an encoder that learned anything is more than a tenth.
_FAR_BELOW, _NOTHING = 0.2, 0.1
_SUM = 5e-3  # how far from 1 probabilities of half precision may add up


def report_probabilities(samples: dict[str, ImportedSamples], phase: str) -> list[str]:
    """One sentence where logits are probabilities: softmax makes them nearly uniform once more."""
    logits = samples["gzsl"].logits if "gzsl" in samples else None
    if logits is None:
        return []
    rows = 0
    for start in range(0, len(logits), ROWS_AT_ONCE):
        block = logits[start : start + ROWS_AT_ONCE]
        sums = block.sum(1, dtype=np.float64)
        rows += int(((block >= 0).all(1) & (np.abs(sums - 1) <= _SUM)).sum())
    if not rows:
        return []
    return [
        f"{phase}.gzsl: {rows} of {len(logits)} rows of logits have no negative value and add up "
        "to 1, so they are probabilities (softmax was taken already); the gate needs the raw "
        "logits, or their logarithm"
    ]


def report_agreement(samples: dict[str, ImportedSamples], phase: str) -> list[str]:
    """One sentence where features, labels or logits seem to be in another order than the others.

    Of the samples of trained classes three answers are compared: the label, the largest logit and
    the class of the nearest mean of training features. Agreement is Cohen's kappa, 0 by chance. If
    two agree and the third does so with neither, that third is the one in another order.
    """
    findings = _conflicting_labels(samples, phase)
    gzsl, train = samples.get("gzsl"), samples["train"]
    if gzsl is None or gzsl.logits is None:
        return findings
    classes = np.unique(train.labels)
    rows = np.flatnonzero(np.isin(gzsl.labels, classes))
    if len(rows) < _ENOUGH or len(classes) < 2:
        return findings
    labels = gzsl.labels[rows]
    largest = classes[gzsl.logits[rows][:, classes].argmax(1)]
    nearest = _nearest(train, gzsl.features[rows], classes)
    kappa = {
        "features": _kappa(labels, largest),
        "logits": _kappa(labels, nearest),
        "labels": _kappa(nearest, largest),
    }  # of the two others
    odd = max(kappa, key=lambda name: kappa[name])
    right = 100 * float((largest == labels).mean())
    if all(kappa[name] < _FAR_BELOW * kappa[odd] for name in kappa if name != odd):
        others = " and ".join(name for name in kappa if name != odd)
        findings.append(
            f"{phase}.gzsl: the {odd} seem to be in another order than the {others}, which agree "
            f"with each other; the largest logit is the label in {right:.1f} % of the "
            f"{len(rows)} samples of the {len(classes)} trained classes: put the rows in one order"
        )
    elif kappa["features"] < _NOTHING:
        findings.append(
            f"{phase}.gzsl: the largest logit is the label in {right:.1f} % of the {len(rows)} "
            f"samples of the {len(classes)} trained classes, which is near chance: are the logits "
            "of this encoder, and in the order of the labels?"
        )
    return findings


def _kappa(a: np.ndarray, b: np.ndarray) -> float:
    """Cohen's kappa; 0 where both give one and the same answer always, which says nothing."""
    return 0.0 if len(np.union1d(a, b)) == 1 else float(cohen_kappa_score(a, b))


def _nearest(train: ImportedSamples, features: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """The class of the nearest mean of training features, by cosine after centring."""
    means = np.stack([train.features[train.labels == c].mean(0, dtype=np.float64) for c in classes])
    centre = means.mean(0)
    means = means - centre
    means /= np.linalg.norm(means, axis=1, keepdims=True).clip(1e-300)
    # The length of a feature changes nothing about which mean is nearest.
    answers = [
        ((features[start : start + ROWS_AT_ONCE] - centre) @ means.T).argmax(1)
        for start in range(0, len(features), ROWS_AT_ONCE)
    ]
    return classes[np.concatenate(answers)]


def _conflicting_labels(samples: dict[str, ImportedSamples], phase: str) -> list[str]:
    """Rows of the unseen classes that are also among the gate's rows, with another label."""
    if "gzsl" not in samples:
        return []
    zsl, gzsl = samples["zsl"], samples["gzsl"]
    known = {row.tobytes(): int(label) for row, label in zip(gzsl.features, gzsl.labels)}
    wrong = sum(
        known.get(row.tobytes(), label) != label
        for row, label in zip(zsl.features, map(int, zsl.labels))
        if row.any()
    )
    if not wrong:
        return []
    return [
        f"{phase}.zsl: {wrong} of {len(zsl.labels)} rows are also rows of gzsl and have another "
        "label there: the labels of one of them are in another order than its features"
    ]
