"""Published split files: import of their ``.npy`` lists, and export to them.

Names: ``{r|e|h}s{seen}``, ``{r|e|h}u{U}``, ``{r|e|h}s{seen-U}_0`` (validation-seen) and
``{r|e|h}v{U}_0`` (validation-unseen). Run as

    python -m amsf.dataset.published_splits import FOLDER --dataset ntu60 --unseen 5 --to LIST.yaml
    python -m amsf.dataset.published_splits export data/split/ntu60-u5.json FOLDER
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from amsf.base.command import command
from amsf.base.display import say
from amsf.base.errors import InputError
from amsf.base.storage import read_array, write_array, write_text
from amsf.base.yaml import dump_yaml
from amsf.dataset.classes import class_count
from amsf.dataset.splits import Split, make_split

KINDS = {"r": "random", "e": "easy", "h": "hard"}


def file_names(classes: int, unseen: int, letter: str) -> dict[str, str]:
    """The published file name of each list of a split."""
    seen = classes - unseen
    return {
        "seen": f"{letter}s{seen}.npy",
        "unseen": f"{letter}u{unseen}.npy",
        "val_seen": f"{letter}s{seen - unseen}_0.npy",
        "val_unseen": f"{letter}v{unseen}_0.npy",
    }


def import_split(folder: Path, dataset: str, classes: int, unseen: int, letter: str = "r") -> Split:
    """Read a published split.

    Args:
        folder: the folder with the ``.npy`` lists.
        dataset: the dataset's name.
        classes: the number of its classes, C.
        unseen: the number of unseen classes, U.
        letter: r, e or h, for a random, easy or hard split.

    Raises:
        InputError: a file is missing or no 1-D list of integers, or the lists make no split.
    """
    lists = {}
    for name, file in file_names(classes, unseen, letter).items():
        array = read_array(folder / file)
        if array.ndim != 1 or array.dtype.kind not in "iu":
            raise InputError(
                f"{folder / file}: it holds {array.dtype} of shape {array.shape}; expected a 1-D "
                "list of integer class ids"
            )
        lists[name] = array.tolist()
    return make_split(dataset, classes, kind=KINDS[letter], where=str(folder), **lists)


def export_split(split: Split, folder: Path) -> list[Path]:
    """Write a split as published ``.npy`` lists (int64, sorted) and return their paths."""
    paths = []
    for name, file in file_names(split.classes, len(split.unseen), split.letter).items():
        ids = getattr(split, name)
        if ids:
            write_array(folder / file, np.array(ids, dtype=np.int64))
            paths.append(folder / file)
    return paths


def write_list(split: Split, path: Path, comment: str) -> None:
    """Write a split as the YAML list that ``split.kind: listed`` reads."""
    content: dict[str, object] = {"dataset": split.dataset, "unseen": list(split.unseen)}
    content["val_unseen"] = list(split.val_unseen)
    rest = [c for c in split.seen if c not in split.val_unseen]
    if list(split.val_seen) != rest:
        content["val_seen"] = list(split.val_seen)
    if split.letter != "r":  # features of easy and hard splits have folders of their own
        content["kind"] = split.kind
    # The library leaves a space at the end of a line that it breaks.
    lines = [f"# {comment}", *(line.rstrip() for line in dump_yaml(content).splitlines())]
    write_text(path, "\n".join(lines) + "\n")


def main(words: list[str] | None = None) -> None:
    """The command line; see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m amsf.dataset.published_splits")
    commands = parser.add_subparsers(dest="command", required=True)
    importing = commands.add_parser("import", help="published .npy lists -> a YAML list")
    importing.add_argument("folder", type=Path)
    importing.add_argument("--dataset", required=True)
    importing.add_argument("--unseen", type=int, required=True)
    importing.add_argument("--kind", choices=sorted(KINDS), default="r")
    importing.add_argument("--to", type=Path, required=True)
    exporting = commands.add_parser("export", help="a split of the pipeline -> .npy lists")
    exporting.add_argument("split", type=Path)
    exporting.add_argument("folder", type=Path)
    given = parser.parse_args(words)
    if given.command == "export":
        for path in export_split(Split.load(given.split), given.folder):
            say(str(path))
        return
    split = import_split(
        given.folder, given.dataset, class_count(given.dataset), given.unseen, given.kind
    )
    names = ", ".join(file_names(split.classes, given.unseen, given.kind).values())
    write_list(split, given.to, f"Imported from the published lists {names}.")
    say(str(given.to))


if __name__ == "__main__":
    with command():
        main()
