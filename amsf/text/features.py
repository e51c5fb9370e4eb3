"""Text features: one vector a class and view, as an artifact and in the published layout.

C = classes of a dataset, V = text views, D = text width.

The artifact is a folder with ``features.npy`` (C, V, D) and ``manifest.json``. The published
layout of this field is one file for each view, ``text_feats/{encoder}/{view}_{C}.npy`` (C, D).
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np

from amsf.base.cosines import cosine_matrix
from amsf.base.errors import InputError
from amsf.base.storage import atomic_path, read_array, read_json, write_array, write_json
from amsf.settings.params import View

FEATURES, MANIFEST = "features.npy", "manifest.json"
ALSO = "also"  # the folder beside them: the same of each other dataset that trains too, by name

# MSF's files are named after the first word here, AMSF's after ours.
MSF_NAMES = {"lb": "lb", "MAad": "ad", "MAmd": "md"}

# Rows whose cosine is above this are the same text: encoders differ in the last bits between
# batches, and two different texts of any real encoder stay well below.
SAME = 1 - 1e-6


@dataclass(frozen=True, eq=False)
class TextFeatures:
    """The vectors of a dataset's classes.

    Attributes:
        features: (C, V, D) float32, not normalised.
        views: the V names along the second axis.
        encoder: the encoder that made them, such as ``minilm`` or ``published``.
        dataset: the name of the classes' dataset.
    """

    features: np.ndarray
    views: tuple[str, ...]
    encoder: str
    dataset: str

    def select(self, views: Sequence[str]) -> np.ndarray:
        """The features of some views, in the order asked for: (C, len(views), D) float32.

        Raises:
            InputError: a view is not among these features.
        """
        missing = [view for view in views if view not in self.views]
        if missing:
            raise InputError(
                f"text features of {self.dataset} ({self.encoder}) have no view "
                f"{', '.join(missing)}; they have {', '.join(self.views)}. Write the missing "
                "texts and run the stages describe and encode, or leave the view out"
            )
        return self.features[:, [self.views.index(view) for view in views]]

    def save(self, folder: Path, extra_manifest: Mapping[str, Any] | None = None) -> None:
        """Write the artifact's folder, whole and byte-stable.

        Args:
            folder: the folder to write; one that is there is replaced.
            extra_manifest: further JSON entries, such as the SHA-256 of the texts.
        """
        C, _, D = self.features.shape
        manifest = {
            "classes": C,
            "dataset": self.dataset,
            "duplicates": {view: duplicate_rows(self.select([view])[:, 0]) for view in self.views},
            "encoder": self.encoder,
            "views": list(self.views),
            "width": D,
            **(extra_manifest or {}),
        }
        with atomic_path(folder) as temporary:
            write_array(temporary / FEATURES, np.ascontiguousarray(self.features, np.float32))
            write_json(temporary / MANIFEST, manifest)


def load_text_features(folder: Path) -> TextFeatures:
    """Read an artifact written by :meth:`TextFeatures.save`.

    Raises:
        InputError: a file is missing, damaged, or does not fit the other.
    """
    folder = Path(folder)
    manifest = read_json(folder / MANIFEST)
    features = read_array(folder / FEATURES)
    try:
        views = tuple(str(view) for view in manifest["views"])
        expected = (int(manifest["classes"]), len(views), int(manifest["width"]))
        encoder, dataset = str(manifest["encoder"]), str(manifest["dataset"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{folder / MANIFEST}: not a manifest of text features (entry {error}); run encode"
        ) from error
    if features.shape != expected:
        raise InputError(
            f"{folder / FEATURES}: shape {features.shape}; {MANIFEST} says {expected}; run encode"
        )
    for index, view in enumerate(views):
        check_rows(features[:, index], f"{folder / FEATURES}, view {view}")
    return TextFeatures(features.astype(np.float32, copy=False), views, encoder, dataset)


def load_other_texts(folder: Path) -> dict[str, TextFeatures]:
    """The texts of other datasets that train too, by name; none where there are none.

    Raises:
        InputError: see :func:`load_text_features`.
    """
    folders = sorted(path for path in (Path(folder) / ALSO).glob("*") if path.is_dir())
    return {path.name: load_text_features(path) for path in folders}


def all_texts(folder: Path, views: Sequence[str]) -> np.ndarray:
    """Text vectors of the dataset's classes, then of those of each other one: (C, V, D).

    Args:
        folder: of the stage encode.
        views: V of them, in the order wanted.

    Raises:
        InputError: see :func:`load_text_features` and :meth:`TextFeatures.select`.
    """
    every = [load_text_features(folder), *load_other_texts(folder).values()]
    return np.concatenate([features.select(views) for features in every])


def import_published(
    folder: Path,
    views: Mapping[str, str],
    classes: int,
    *,
    encoder: str = "published",
    dataset: str = "",
) -> TextFeatures:
    """Read features in the published layout.

    Args:
        folder: the encoder's folder with ``{published name}_{C}.npy``, each (C, D).
        views: the published name of each of our views (see :func:`published_views`), at least one.
        classes: the number of classes, C.
        encoder: the encoder's name to keep with the features.
        dataset: the name of the classes' dataset.

    Raises:
        InputError: a file is missing, or its shape or type is wrong, or a row is not finite or
            is all zero, or the views differ in width.

    Warns:
        UserWarning: two classes of a view have the same vector, so that this
            view does not distinguish them.
    """
    arrays: dict[str, np.ndarray] = {}
    for view, name in views.items():
        path = Path(folder) / f"{name}_{classes}.npy"
        array = read_array(path)
        if array.ndim != 2 or array.shape[0] != classes or array.shape[1] == 0:
            raise InputError(
                f"{path}: shape {array.shape}; expected ({classes}, D), a row for each class"
            )
        check_rows(array, str(path))
        arrays[view] = array.astype(np.float32)
        pairs = duplicate_rows(arrays[view])
        if pairs:
            groups = "; ".join(" = ".join(str(i) for i in group) for group in pairs)
            warnings.warn(
                f"{path}: classes with one and the same text vector: {groups}. Two classes that "
                "share a text cannot be distinguished by it; check the class map",
                stacklevel=2,
            )
    widths = {view: array.shape[1] for view, array in arrays.items()}
    if len(set(widths.values())) != 1:
        shown = ", ".join(f"{view} {width}" for view, width in widths.items())
        raise InputError(
            f"{folder}: the views differ in width ({shown}); take them from one encoder"
        )
    return TextFeatures(np.stack(list(arrays.values()), axis=1), tuple(arrays), encoder, dataset)


def published_views(folder: Path, classes: int) -> dict[str, str]:
    """Which of our views a folder in the published layout has: our name -> published name.

    AMSF's names are ours; MSF's are lb, ad and md. Where both are there, ours is taken.

    Raises:
        InputError: the folder is missing or has none of them for this number of classes.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; expected text_feats/{{encoder}} with .npy")
    names_of: dict[str, str] = {}
    for view in get_args(View):
        names = [view, *([MSF_NAMES[view]] if view in MSF_NAMES else [])]
        there = [name for name in names if (folder / f"{name}_{classes}.npy").is_file()]
        if there:
            names_of[view] = there[0]
    if not names_of:
        has = ", ".join(sorted(p.name for p in folder.glob("*.npy"))) or "no .npy file"
        raise InputError(
            f"{folder}: it has {has}; expected {{view}}_{classes}.npy with view among "
            f"{', '.join([*get_args(View), 'ad', 'md'])}"
        )
    return names_of


def export_published(
    features: TextFeatures, folder: Path, names: Mapping[str, str] | None = None
) -> None:
    """Write ``{name}_{C}.npy`` (C, D) for each view into the encoder's folder.

    Args:
        features: the features to write.
        folder: the encoder's folder, ``text_feats/{encoder}``; made where missing.
        names: our view -> published name; a view not named keeps ours. MSF's are ``MSF_NAMES``.
    """
    C = features.features.shape[0]
    for view in features.views:
        name = (names or {}).get(view, view)
        write_array(Path(folder) / f"{name}_{C}.npy", features.select([view])[:, 0])


def check_rows(array: np.ndarray, where: str) -> None:
    """Refuse an array (C, D) that cannot be text features.

    Raises:
        InputError: the type is not a float, or a row holds NaN or infinity or is all zero.
    """
    if not np.issubdtype(array.dtype, np.floating):
        raise InputError(f"{where}: type {array.dtype}; expected floats (float32)")
    for bad, what in (
        (~np.isfinite(array).all(axis=1), "NaN or infinity"),
        (~array.any(axis=1), "only zeros"),
    ):
        if bad.any():
            rows = ", ".join(str(i) for i in np.flatnonzero(bad)[:10])
            raise InputError(f"{where}: class {rows} has {what}; encode the text again")


def duplicate_rows(array: np.ndarray) -> list[list[int]]:
    """Groups of two or more classes whose rows of (C, D) point the same way, by first id."""
    same = cosine_matrix(array) > SAME
    groups, taken = [], set()
    for first in range(len(array)):
        group = [int(i) for i in np.flatnonzero(same[first]) if i >= first and i not in taken]
        if first not in taken and len(group) > 1:
            groups.append(group)
            taken.update(group)
    return groups
