"""Show the texts of a dataset's classes, or import published ones.

amsf texts show utd27 --class 3
amsf texts import path/to/sem_info 60 data/texts/ntu60-msf
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from amsf.base.command import command
from amsf.base.display import say
from amsf.base.errors import InputError
from amsf.base.project import add_project, inside_project
from amsf.dataset.classes import load_classes
from amsf.text.descriptions import load_texts
from amsf.text.published import main as import_published_texts


def parser(prog: str = "python -m amsf.command.texts") -> argparse.ArgumentParser:
    """What the command takes."""
    whole = argparse.ArgumentParser(prog=prog, description=__doc__.split("\n")[0])
    actions = whole.add_subparsers(dest="action", required=True)
    show = actions.add_parser("show", help="the texts of each class, view by view")
    show.add_argument("dataset", help="a class list's name, such as utd27")
    show.add_argument("--class", type=int, dest="number", help="of this class alone, by its id")
    add_project(show)
    bring = actions.add_parser("import", help="published texts -> CSV files, one for each view")
    bring.add_argument("folder", type=Path, help="sem_info of MSF or AMSF")
    bring.add_argument("classes", help="the number of classes, such as 60")
    bring.add_argument("out", type=Path, help="a folder below data/texts")
    add_project(bring)
    return whole


def show_texts(dataset: str, number: int | None) -> str:
    """The texts of a dataset, a block for each class.

    Args:
        dataset: its name.
        number: the id of the one class to show; None for all.

    Raises:
        InputError: there is no such dataset or class, or a text is missing.
    """
    labels = load_classes(dataset)["label"].astype(str).tolist()
    texts = {view: table["text"].tolist() for view, table in load_texts(dataset).items()}
    if number is not None and number not in range(len(labels)):
        raise InputError(f"--class {number}: {dataset} has the classes 0 to {len(labels) - 1}")
    width = max(map(len, texts))
    chosen = range(len(labels)) if number is None else [number]
    return "\n\n".join(
        "\n".join([f"{c} {labels[c]}", *(f"  {v:<{width}}  {t[c]}" for v, t in texts.items())])
        for c in chosen
    )


def main(
    arguments: Sequence[str] | None = None, prog: str = "python -m amsf.command.texts"
) -> None:
    """The command line."""
    given = parser(prog).parse_args(arguments)
    with command(), inside_project(given):
        if given.action == "show":
            say(show_texts(given.dataset, given.number))
        else:
            import_published_texts(given.folder, given.classes, given.out)


if __name__ == "__main__":
    main()
