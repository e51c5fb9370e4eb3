"""The texts of the classes: read, checked, and written for the encoder.

C = classes of a dataset.

``data/texts/<dataset>/<view>.csv`` (columns ``id,text``) are the shipped or the user's own texts.
``data/descriptions/<dataset>/<view>.csv`` (columns ``id,sample,text``) is what gets encoded: the
same, or several samples a class where a model was asked for the LLM views.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TypeVar, get_args

import pandas as pd

from amsf.base.artifacts import TEXTS
from amsf.base.display import from_cell
from amsf.base.errors import InputError
from amsf.base.storage import write_text
from amsf.base.tables import csv_text, read_table
from amsf.dataset.classes import load_classes, texts_of
from amsf.settings.params import View
from amsf.text.answers import find_remains
from amsf.text.cleaning import clean

VIEWS: tuple[str, ...] = get_args(View)
LABEL_VIEW = "lb"

Texts = dict[str, pd.DataFrame]
OfViewT = TypeVar("OfViewT")


def load_texts(dataset: str, folder: Path = TEXTS, classes: Path | None = None) -> Texts:
    """The texts of a dataset for each view, as written by people or recorded from a model.

    Args:
        dataset: the dataset's name; ntu60 has the first 60 texts of ntu120.
        folder: the folder with ``<dataset>/<view>.csv``.
        classes: the folder with the class lists, if not ``data/classes``.

    Returns:
        view -> frame with columns ``id``, ``sample`` (0), ``text``, C rows; the views that have a
        file, in the order of :data:`VIEWS`.

    Raises:
        InputError: ``lb.csv`` is missing, a file is named like no view, or a file does not have
            one text for each class.
    """
    wanted = load_classes(dataset, classes) if classes else load_classes(dataset)
    shared = texts_of(dataset)
    own = folder / shared
    if not (own / f"{LABEL_VIEW}.csv").is_file():
        raise InputError(
            f"{own / LABEL_VIEW}.csv: no such file; dataset '{dataset}' needs at least this view. "
            "Write columns id,text with the name of each class in words; further views are "
            f"{', '.join(VIEWS[1:])}"
        )
    strange = sorted(p.name for p in own.glob("*.csv") if p.stem not in VIEWS)
    if strange:
        raise InputError(
            f"{own / strange[0]}: '{strange[0][:-4]}' is no view; views are {', '.join(VIEWS)}"
        )
    texts: Texts = {}
    for view in VIEWS:
        path = own / f"{view}.csv"
        if path.is_file():
            table = _read(path, ["id", "text"])
            # A dataset that is the first part of another one has its rows first, too.
            table = table[table["id"].isin(wanted["id"])] if shared != dataset else table
            table = table.assign(sample=0)[["id", "sample", "text"]].reset_index(drop=True)
            if view.startswith("LLM"):
                table["text"] = table["text"].map(clean)
            _check(table, len(wanted), path)
            if view.startswith("LLM"):
                _check_answers(table, path)
            texts[view] = table
    return texts


def load_descriptions(folder: Path, classes: int) -> Texts:
    """What :func:`write_descriptions` wrote.

    Raises:
        InputError: no file is there, or one does not have a text for each of the classes.
    """
    texts: Texts = {}
    for view in VIEWS:
        path = Path(folder) / f"{view}.csv"
        if path.is_file():
            texts[view] = _read(path, ["id", "sample", "text"])
            _check(texts[view], classes, path)
    if not texts:
        raise InputError(f"{folder}: no descriptions; run the stage describe")
    return texts


def write_descriptions(texts: Texts, folder: Path) -> None:
    """Write ``<view>.csv`` with columns ``id,sample,text`` for each view."""
    for view, table in texts.items():
        write_text(Path(folder) / f"{view}.csv", _csv(table))


def only(of_views: Mapping[str, OfViewT], wanted: Collection[str]) -> dict[str, OfViewT]:
    """What there is of the wanted views, in the order that it has."""
    return {view: value for view, value in of_views.items() if view in wanted}


def text_digests(texts: Texts) -> dict[str, str]:
    """SHA-256 of the texts of each view, as they are written."""
    return {view: hashlib.sha256(_csv(table).encode()).hexdigest() for view, table in texts.items()}


def _csv(table: pd.DataFrame) -> str:
    return csv_text(table[["id", "sample", "text"]])


def _read(path: Path, columns: list[str]) -> pd.DataFrame:
    table = read_table(path, ",".join(columns), dtype={"text": str})
    if list(table.columns) != columns:
        raise InputError(
            f"{path}: the columns are {','.join(map(str, table.columns))}; expected "
            f"{','.join(columns)} (a text with a comma in it stands in double quotes)"
        )
    table["text"] = table["text"].map(from_cell).str.split().str.join(" ")
    return table


def _check_answers(table: pd.DataFrame, path: Path) -> None:
    """Refuse answers of a model that still hold what is not the description."""
    for number, text in zip(table["id"], table["text"]):
        if fault := find_remains(text):
            raise InputError(
                f"{path}: the text of class {number} cannot be used: {fault}; leave the "
                "description alone there"
            )


def _check(table: pd.DataFrame, classes: int, path: Path) -> None:
    """Refuse a table that lacks a class, has a strange id, an empty or a repeated entry."""
    ids = table["id"].tolist()
    expected = f"expected the ids 0 to {classes - 1}, each once and in this order"
    missing = sorted(set(range(classes)) - set(ids))
    strange = [i for i in ids if i not in range(classes)]
    if missing or strange:
        what = f"no text for class {missing[0]}" if missing else f"an id {strange[0]}"
        raise InputError(f"{path}: {what}; {expected}")
    for column in ("id", "sample"):
        if not pd.api.types.is_integer_dtype(table[column]):
            raise InputError(
                f"{path}: column {column} holds {table[column].dtype}; expected whole numbers"
            )
    keys = list(zip(ids, table["sample"].tolist()))
    if len(set(keys)) < len(keys) or keys != sorted(keys):
        raise InputError(f"{path}: an id comes twice or out of order; {expected}")
    for number, text in zip(ids, table["text"]):
        if not text:
            raise InputError(f"{path}: the text of class {number} is empty; write one")
