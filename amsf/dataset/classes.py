"""The datasets: their class lists and where their licensed files come from.

C = classes of a dataset.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from amsf.base.artifacts import CLASSES
from amsf.base.display import escaped, from_cell
from amsf.base.errors import InputError
from amsf.base.tables import read_table

# What `amsf new-dataset` writes for a label that is to be filled in.
PLACEHOLDER = "LABEL OF CLASS"
NAME = r"[a-z0-9][a-z0-9_-]*"  # the form of a dataset's name, which names files


@dataclass(frozen=True)
class DatasetInfo:
    """What is known about a dataset beyond its class list.

    Attributes:
        origin: where a user gets its recordings or features from, for error messages.
        texts_of: the dataset whose texts it shares (its classes come first there).
    """

    origin: str
    texts_of: str | None = None


KNOWN: dict[str, DatasetInfo] = {
    "demo": DatasetInfo("simulated by the `simulate` stage of this pipeline"),
    "ntu60": DatasetInfo(
        "the NTU RGB+D request form of Nanyang Technological University (ROSE lab)",
        texts_of="ntu120",
    ),
    "ntu120": DatasetInfo(
        "the NTU RGB+D 120 request form of Nanyang Technological University (ROSE lab)"
    ),
    "pku51": DatasetInfo("the PKU-MMD page of Peking University (STRUCT group)"),
    "utd27": DatasetInfo("the UTD-MHAD page of the University of Texas at Dallas"),
    "utkinect10": DatasetInfo("the UTKinect-Action3D page of the University of Texas at Austin"),
    "florence9": DatasetInfo("the Florence 3D Actions page of the University of Florence (MICC)"),
}


def texts_of(dataset: str) -> str:
    """The name under which a dataset's texts are filed."""
    info = KNOWN.get(dataset)
    return info.texts_of if info and info.texts_of else dataset


def origin_of(dataset: str, own: str) -> str:
    """Where the data of a dataset come from, or ``own`` for a user's own dataset."""
    return KNOWN[dataset].origin if dataset in KNOWN else own


def check_name(dataset: str) -> None:
    """Refuse a name that is not fit for files, such as one that leads out of a folder.

    Raises:
        InputError: the name has other signs than lower-case letters, digits, '-' and '_'.
    """
    if not isinstance(dataset, str) or not re.fullmatch(NAME, dataset):
        raise InputError(
            f"dataset is {dataset!r}; expected a name of lower-case letters, digits, '-' and '_': "
            "rename it"
        )


def load_classes(dataset: str, folder: Path = CLASSES) -> pd.DataFrame:
    """The class list of a dataset.

    Args:
        dataset: the dataset's name: ``demo``, ``ntu60``, ``ntu120``, ``pku51``, ``utd27`` or a
            user's own.
        folder: the folder with the lists, ``<dataset>.csv`` with columns ``id,label,persons``.

    Returns:
        A frame of C rows with columns ``id`` (0..C-1), ``label`` and ``persons``, sorted by id. An
        apostrophe that keeps a spreadsheet from running a label is no part of it.

    Raises:
        InputError: no such list, a column is missing, ids are not 0..C-1, or a label is empty or
            appears twice.
    """
    check_name(dataset)
    path = folder / f"{dataset}.csv"
    if not path.is_file():
        known = sorted({p.stem for p in folder.glob("*.csv")} | set(KNOWN))
        raise InputError(
            f"{path}: no class list for dataset '{dataset}'; known datasets are "
            f"{', '.join(known)}. For data of your own write this file with columns "
            "id,label,persons, ids from 0."
        )
    table = read_table(path, "id,label,persons", dtype={"label": str})
    missing = [name for name in ("id", "label", "persons") if name not in table.columns]
    if missing:
        raise InputError(
            f"{path}: the columns are {', '.join(table.columns)}; expected id,label,persons"
        )
    if table.empty:
        raise InputError(f"{path}: no class in the list; expected one row for each class")
    # As text, because one row that is no number makes the whole column text.
    for expected, given in enumerate(table["id"].astype(str)):
        if given.strip() != str(expected):
            raise InputError(
                f"{path}: row {expected + 1} has id {given}; expected {expected}: ids run from 0 "
                "without gaps"
            )
    # What a terminal would obey, or nobody would see, has an escape in its place wherever the label
    # is shown from here on.
    labels = table["label"].map(from_cell).str.split().str.join(" ").map(escaped)
    table["label"] = labels
    for bad, what in ((labels == "", "an empty label"), (labels.duplicated(), "a repeated label")):
        if bad.any():
            row = int(bad.to_numpy().argmax())
            raise InputError(f"{path}: class {row} has {what} ('{labels[row]}'); give it its own")
    return table


def class_count(dataset: str, folder: Path = CLASSES) -> int:
    """How many classes a dataset has (C)."""
    return len(load_classes(dataset, folder))
