"""Import class texts in the published forms: ``python -m amsf.text.published FOLDER CLASSES OUT``.

FOLDER is a ``sem_info`` folder with ``{view}_{C}.csv`` (MSF: ``idx,label`` or ``idx,dcp``, idx from
1) or ``{view}_{C}.pkl`` (AMSF: a pickled list of C strings), CLASSES is C, OUT is where
``<view>.csv`` with ``id,text`` go, such as ``data/texts/ntu60-msf`` for a dataset of that name.
"""

from __future__ import annotations

import pickle
import pickletools
import sys
from pathlib import Path
from typing import Any, BinaryIO

import pandas as pd

from amsf.base.command import command
from amsf.base.display import say
from amsf.base.errors import InputError
from amsf.base.storage import write_text
from amsf.base.tables import csv_text, read_table
from amsf.text.descriptions import VIEWS
from amsf.text.features import MSF_NAMES


def read_published_texts(path: Path, classes: int) -> list[str]:
    """The C texts of a published file, by class id.

    Raises:
        InputError: the file is missing, is neither form, lacks a class or has an empty text; or a
            pickle holds anything but a list of strings, in which case nothing of it is run.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    texts = _read_pickle(path) if path.suffix == ".pkl" else _read_csv(path)
    if len(texts) != classes:
        raise InputError(f"{path}: {len(texts)} texts; expected {classes}, one for each class")
    texts = [" ".join(text.split()) for text in texts]
    if "" in texts:
        raise InputError(f"{path}: the text of class {texts.index('')} is empty")
    return texts


def find_published_texts(folder: Path, classes: int) -> dict[str, Path]:
    """The file of each of our views that a folder has.

    Raises:
        InputError: it has none for this number of classes.
    """
    files = {}
    for view in VIEWS:
        names = dict.fromkeys([view, MSF_NAMES.get(view, view)])
        paths = [Path(folder) / f"{n}_{classes}.{end}" for n in names for end in ("pkl", "csv")]
        there = [path for path in paths if path.is_file()]
        if there:
            files[view] = there[0]
    if not files:
        raise InputError(
            f"{folder}: no texts of {classes} classes; expected {{view}}_{classes}.csv or .pkl "
            f"with view among {', '.join([*VIEWS, 'ad', 'md'])}"
        )
    return files


class _ListsAndStrings(pickle.Unpickler):
    """Lists and strings need no class, so that every look-up of one is refused."""

    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")

    def persistent_load(self, pid: Any) -> Any:
        raise pickle.UnpicklingError("it asks for a persistent object")


def _refuse_far_memo(file: BinaryIO) -> None:
    """Refuse a pickle that numbers its objects far beyond what it holds.

    The unpickler keeps a table as long as the largest number, which a file of ten bytes can make
    fill the memory.
    """
    for steps, (opcode, argument, _) in enumerate(pickletools.genops(file)):
        if opcode.name in ("PUT", "BINPUT", "LONG_BINPUT") and (argument or 0) > steps:
            raise pickle.UnpicklingError(f"it numbers an object {argument} after {steps} steps")


def _read_pickle(path: Path) -> list[str]:
    try:
        with path.open("rb") as file:
            _refuse_far_memo(file)
            file.seek(0)
            texts = _ListsAndStrings(file).load()
    # A damaged pickle can raise nearly anything.
    except Exception as error:
        reason = str(error) or type(error).__name__
        raise InputError(
            f"{path}: not a pickled list of strings ({reason}); nothing else is read from a pickle"
        ) from None
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise InputError(f"{path}: it holds {type(texts).__name__}; expected a list of strings")
    return texts


def _read_csv(path: Path) -> list[str]:
    table = read_table(path, "idx,label or idx,dcp")
    columns = list(table.columns)
    if len(columns) != 2 or columns[0] != "idx" or columns[1] not in ("label", "dcp"):
        raise InputError(
            f"{path}: the columns are {','.join(map(str, columns))}; expected idx,label or idx,dcp"
        )
    if table["idx"].tolist() != list(range(1, len(table) + 1)):
        raise InputError(
            f"{path}: idx does not run from 1 without gaps; expected a row for each class"
        )
    return table[columns[1]].astype(str).tolist()


def main(folder: str, classes: str, out: str) -> None:
    """Convert each view that the folder has."""
    if not classes.isdigit():
        raise InputError(f"CLASSES is '{classes}'; expected a number, such as 60")
    files = find_published_texts(Path(folder), int(classes))
    read = {view: read_published_texts(path, int(classes)) for view, path in files.items()}
    for view, texts in read.items():
        table = pd.DataFrame({"id": range(len(texts)), "text": texts})
        target = Path(out) / f"{view}.csv"
        write_text(target, csv_text(table))
        say(f"{target}: {len(texts)} texts from {files[view]}")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        raise SystemExit(f"usage: {__doc__.splitlines()[0].split('``')[1]}")
    with command():
        main(*sys.argv[1:])
