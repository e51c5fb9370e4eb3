"""What is checked of imported skeleton features, and what is reported of them.

N = samples · F = feature width · C = classes. A check raises; a report is a sentence for the
manifest and the log: the data can be used, but a reader of the results must know it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from amsf.base.errors import InputError, first_ten
from amsf.dataset.splits import Split

ROWS_AT_ONCE = 1 << 16
NORMS = (1e-12, 1e18)  # beyond these the squares vanish or overflow in float32


@dataclass(frozen=True)
class ImportedSamples:
    """Checked arrays: features (N, F) float32, labels (N,) int64, logits (N, C) float32 or None.

    ``people`` (N,) int64, whose recording each is, where features know neither classes nor people.
    """

    features: np.ndarray
    labels: np.ndarray
    logits: np.ndarray | None
    people: np.ndarray | None = None

    @classmethod
    def stack(cls, parts: Sequence[ImportedSamples]) -> ImportedSamples:
        """One set after another."""
        logits = [p.logits for p in parts if p.logits is not None]
        return cls(
            np.concatenate([p.features for p in parts]),
            np.concatenate([p.labels for p in parts]),
            np.concatenate(logits) if logits else None,
        )


def _check_float_matrix(array: np.ndarray, path: Path, what: str) -> np.ndarray:
    if array.ndim != 2 or 0 in array.shape:
        raise InputError(f"{path}: found shape {array.shape}; expected {what}, not empty")
    if array.dtype.kind not in "fiu":
        raise InputError(f"{path}: found dtype {array.dtype}; expected floating-point numbers")
    for start in range(0, len(array), ROWS_AT_ONCE):
        with np.errstate(over="ignore"):  # what is too large for float32 becomes infinite there
            block = array[start : start + ROWS_AT_ONCE].astype(np.float32, copy=False)
        finite = np.isfinite(block)
        if not finite.all():
            row, column = np.argwhere(~finite)[0]
            raise InputError(
                f"{path}: row {start + row}, column {column} is "
                f"{array[start + row, column]}; every value must be finite: mend or leave out "
                "that sample"
            )
    return array.astype(np.float32, copy=False)


def check_features(array: np.ndarray, path: Path) -> np.ndarray:
    """Features must be (N, F), numeric and finite; they come back as float32.

    Rows are divided by their norms later on, so the norms must be numbers that float32 can square.
    A row of zeros has none and is let through; it is reported.
    """
    array = _check_float_matrix(array, path, "(samples, feature width)")
    for start in range(0, len(array), ROWS_AT_ONCE):
        norms = np.linalg.norm(array[start : start + ROWS_AT_ONCE].astype(np.float64), axis=1)
        wrong = (norms > 0) & ((norms < NORMS[0]) | (norms > NORMS[1]))
        if wrong.any():
            row = int(wrong.argmax())
            raise InputError(
                f"{path}: row {start + row} has length (L2 norm) {norms[row]:.3g}; expected "
                f"{NORMS[0]:.0e} to {NORMS[1]:.0e}, or zeros: scale the features, all of them alike"
            )
    return array


def check_logits(array: np.ndarray, path: Path, classes: int) -> np.ndarray:
    """Logits must be (N, C), numeric and finite; they come back as float32."""
    array = _check_float_matrix(array, path, f"(samples, {classes})")
    if array.shape[1] != classes:
        raise InputError(
            f"{path}: {array.shape[1]} columns of logits; expected {classes}, one a class of the "
            "dataset (columns of unseen classes exist and are untrained)"
        )
    return array


def check_people(array: np.ndarray, path: Path) -> np.ndarray:
    """People must be (N,) whole numbers; they come back as int64."""
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise InputError(
            f"{path}: found {array.dtype} of shape {array.shape}; expected a whole number for each "
            "training sample, whose recording it is: run the backbone stage again"
        )
    return array.astype(np.int64)


def check_labels(
    array: np.ndarray,
    path: Path,
    split: Split,
    classes: Sequence[int],
    forbidden: Sequence[int] = (),
) -> np.ndarray:
    """Labels must be (N,) whole numbers, of the wanted classes and of each of them.

    Args:
        array: as read.
        path: for messages.
        split: the class split.
        classes: the classes that must all appear, and no others.
        forbidden: classes whose presence is a leak: training samples of an unseen class.

    Returns:
        (N,) int64.
    """
    if array.ndim == 2 and 1 in array.shape:
        array = array.reshape(-1)
    if array.ndim != 1 or not len(array):
        raise InputError(f"{path}: found shape {array.shape}; expected (samples,), not empty")
    if array.dtype.kind not in "iu" and not (
        array.dtype.kind == "f" and np.isfinite(array).all() and (array == np.round(array)).all()
    ):
        raise InputError(f"{path}: found dtype {array.dtype}; expected whole-number class ids")
    labels = array.astype(np.int64)
    if labels.min() < 0 or labels.max() >= split.total:
        wrong = labels[(labels < 0) | (labels >= split.total)]
        raise InputError(
            f"{path}: label {wrong[0]} ({len(wrong)} samples); {split.dataset} has classes 0 to "
            f"{split.total - 1} (labels are 0-based)"
        )
    leaked = np.isin(labels, forbidden)
    if leaked.any():
        ids = np.unique(labels[leaked])
        raise InputError(
            f"{path}: {leaked.sum()} TRAINING SAMPLES OF UNSEEN CLASSES ({first_ten(ids)}); the "
            "encoder or the VAE would have seen them: use the features of this very split"
        )
    present = np.unique(labels)
    strange = np.setdiff1d(present, classes)
    if len(strange):
        raise InputError(
            f"{path}: samples of classes {first_ten(strange)}, which the split does not put there; "
            "the folder belongs to another split, or the split to another folder"
        )
    empty = np.setdiff1d(classes, present)
    if len(empty):
        raise InputError(
            f"{path}: no sample of classes {first_ten(empty)}; each needs at least one"
        )
    return labels


def check_rows(path_a: Path, rows_a: int, path_b: Path, rows_b: int) -> None:
    """Two files of one set must have as many rows."""
    if rows_a != rows_b:
        raise InputError(
            f"{path_a} has {rows_a} rows and {path_b} has {rows_b}; they must describe the same "
            "samples in the same order"
        )


def check_widths(path: Path, part: ImportedSamples, first: ImportedSamples) -> None:
    """Features of one phase must be equally wide."""
    if part.features.shape[1] != first.features.shape[1]:
        raise InputError(
            f"{path}: features are {part.features.shape[1]} wide; those of train.npy are "
            f"{first.features.shape[1]} wide"
        )


def report_zero_rows(samples: dict[str, ImportedSamples], phase: str) -> list[str]:
    """One sentence for each set with all-zero feature rows (an encoder that saw no body)."""
    findings = []
    for name, part in samples.items():
        zeros = int((~np.any(part.features, axis=1)).sum())
        if zeros:
            findings.append(
                f"{phase}.{name}: {zeros} of {len(part.labels)} feature rows are all zero; they "
                "are kept and count as samples"
            )
    return findings


def report_training_overlap(samples: dict[str, ImportedSamples], phase: str) -> list[str]:
    """One sentence for each set that has rows of the training samples.

    Both sides come from one encoder, so the same recording has the same features; rows of zeros,
    of recordings without a body, are alike by nature and are reported by :func:`report_zero_rows`.
    """
    # Hashes, since features may be more than fits into memory.
    learnt = [samples[name] for name in ("train", "also") if name in samples]
    training = {hash(row.tobytes()) for part in learnt for row in part.features if row.any()}
    findings = []
    for name, part in samples.items():
        shared = (
            0
            if name in ("train", "also")
            else sum(hash(r.tobytes()) in training for r in part.features)
        )
        if shared:
            findings.append(
                f"{phase}.{name}: {shared} of {len(part.labels)} rows are identical to training "
                "rows, so what is trained on is tested on"
            )
    return findings


def report_overlap(
    test: dict[str, ImportedSamples],
    val: dict[str, ImportedSamples],
    names: tuple[set[str], set[str]] | None = None,
) -> list[str]:
    """Signs that the gate's validation samples are also GZSL test samples.

    Two encoders make the two phases, so the same recording has different features and rows
    rarely match. The published validation sets show by their counts: their unseen samples are
    as many a class as the official test partition has.

    Args:
        test, val: the sets of both phases.
        names: the recordings behind the GZSL test and the validation samples, where the features
            shows them; counts need not be looked at then.
    """
    findings = []
    test_rows = {row.tobytes() for row in test["gzsl"].features if row.any()}
    shared = sum(row.tobytes() in test_rows for row in val["gzsl"].features)
    if shared:
        findings.append(f"{shared} validation rows are identical to GZSL test rows")
    if names is not None:
        both = names[0] & names[1]
        if both:
            findings.append(
                f"{len(both)} recordings are both validation and GZSL test samples "
                f"({min(both)} is one), so the gate is fitted on recordings that it is tested on"
            )
        return findings

    def counts(part: ImportedSamples, classes: np.ndarray) -> np.ndarray:
        return np.array([(part.labels == c).sum() for c in classes])

    classes = np.unique(val["zsl"].labels)
    validation = counts(val["zsl"], classes)
    same_as_test = np.array_equal(validation, counts(test["gzsl"], classes))
    same_as_train = np.array_equal(validation, counts(test["train"], classes))
    if same_as_test and not same_as_train:
        findings.append(
            "the validation-unseen samples are, class by class, as many as the GZSL test samples "
            "of these classes: they come from the test partition (a known flaw of the published "
            "validation features), so the gate is fitted on recordings that it is tested on"
        )
    elif same_as_test:
        findings.append(
            "whether the validation-unseen samples are also GZSL test samples cannot be known "
            "from counts: training and test partition have as many of these classes"
        )
    return findings
