"""A table of features: what an encoder of one's own says of all recordings, in one file.

``features.npz``, as ``numpy.savez`` writes it, in the benchmark's source folder:

| array | shape | |
|---|---|---|
| ``features`` | (N, F) | numbers of any encoder, one row a recording |
| ``label`` | (N,) | 0-based class ids of the dataset |
| ``names`` | (N,) | unique, unicode |
| ``subject``, ``camera``, ``setup`` | (N,) | optional whole numbers, -1 unknown |
| ``logits`` | (N, C) | optional, one column a class of the dataset |

N = recordings · F = feature width · C = classes of the dataset.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from amsf.base.archives import expect_integers, expect_texts, read_archive
from amsf.base.errors import InputError
from amsf.dataset.classes import class_count
from amsf.skeleton.recordings import UNKNOWN

TABLE_NAME = "features.npz"
_NUMBERS = ("label", "subject", "camera", "setup")
_PAGE = "docs/data.md"
_LARGEST = 2**31 - 1  # of a label or another number


@dataclass(frozen=True)
class FeatureTable:
    """The rows of a table, checked; ``table[i]`` is row i of the features.

    Attributes:
        features: (N, F) float32, finite.
        logits: (N, C) float32, finite; None where the encoder knows no classes of the dataset.
        label, subject, camera, setup: (N,) int64; -1 unknown.
        names: the N unique names.
        dataset: the name of the dataset whose class ids the labels are.
        path: the file.
    """

    features: np.ndarray
    logits: np.ndarray | None
    label: np.ndarray
    subject: np.ndarray
    camera: np.ndarray
    setup: np.ndarray
    names: list[str]
    dataset: str
    path: Path

    @classmethod
    def load(cls, path: Path, dataset: str) -> FeatureTable:
        """Read a table.

        Args:
            path: the ``.npz`` file.
            dataset: the name of the dataset whose class ids its labels are.

        Raises:
            InputError: the file is missing or not an archive, an array is missing or has another
                shape or type, a number is not finite, or a name comes twice.
        """
        if not path.is_file():
            raise InputError(
                f"{path}: no such file; expected the features of all recordings of '{dataset}', "
                f"made by an encoder of yours ({_PAGE}), or set the benchmark's `features` to "
                "another kind"
            )
        try:
            return cls._read(path, dataset)
        except InputError as error:
            raise InputError(f"{path}: {error}") from error

    @classmethod
    def _read(cls, path: Path, dataset: str) -> FeatureTable:
        required, optional = ("features", "label", "names"), (*_NUMBERS[1:], "logits")
        arrays = read_archive(path, required, optional, _PAGE)
        expect_texts("names", arrays["names"])
        names = [str(name) for name in arrays["names"]]
        features = _matrix("features", arrays["features"], "(recordings, width)")
        if len(features) != len(names):
            raise InputError(
                f"features has {len(features)} rows, names has {len(names)}; expected as many, in "
                "the same order"
            )
        strange = next((n for n in names if not n.strip() or not n.isprintable()), None)
        if strange is not None:
            raise InputError(f"a name is {strange!r}; expected printable text: rename it")
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise InputError(
                f"the name '{twice}' comes {names.count(twice)} times; expected each recording "
                "once, under a name of its own"
            )
        numbers = {key: arrays.get(key, np.full(len(names), UNKNOWN)) for key in _NUMBERS}
        for key, values in numbers.items():
            expect_integers(key, values, len(names))
            odd = (values < UNKNOWN) | (values > _LARGEST)
            if odd.any():
                at = int(odd.argmax())
                raise InputError(
                    f"{key} of '{names[at]}' is {values[at]}; expected 0 or more (-1: unknown)"
                )
        logits = arrays.get("logits")
        if logits is not None:
            classes = class_count(dataset)
            logits = _matrix("logits", logits, f"({len(names)}, {classes})")
            if logits.shape != (len(names), classes):
                raise InputError(
                    f"logits has shape {logits.shape}; expected ({len(names)}, {classes}), one "
                    f"column a class of {dataset}: leave them out where the encoder does not know "
                    "these classes"
                )
        whole = {key: values.astype(np.int64) for key, values in numbers.items()}
        return cls(features, logits, names=names, dataset=dataset, path=path, **whole)

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, i: int) -> np.ndarray:
        row: np.ndarray = self.features[i]
        return row

    def validate(self, classes: int | None = None) -> None:
        """Check the labels; all else was checked when it was read.

        Raises:
            InputError: a label is not below ``classes``.
        """
        if classes is not None and (self.label >= classes).any():
            at = int((self.label >= classes).argmax())
            raise InputError(
                f"{self.path}: '{self.names[at]}' has label {self.label[at]}; {self.dataset} has "
                f"classes 0 to {classes - 1} (labels are 0-based)"
            )


def _matrix(key: str, array: np.ndarray, shape: str) -> np.ndarray:
    if array.ndim != 2 or 0 in array.shape or array.dtype.kind not in "fiu":
        raise InputError(f"{key} is {array.dtype} {array.shape}; expected numbers {shape}")
    with np.errstate(over="ignore"):  # what is too large for float32 becomes infinite there
        found = array.astype(np.float32)
    finite = np.isfinite(found)
    if not finite.all():
        row, column = np.argwhere(~finite)[0]
        raise InputError(
            f"{key}, row {row}, column {column} is {array[row, column]}; every value must be "
            "finite: mend or leave out that recording"
        )
    return found
