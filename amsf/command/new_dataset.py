"""Write the first files of a dataset of your own.

    amsf new-dataset mine --classes words.csv

writes its class list and its texts, and adds a benchmark of it to ``params.yaml``
(docs/own_data.md). ``words.csv`` has a row a class, ``label,description``. Labels may stand in the
command instead; without either there are rows to be filled in.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from amsf.base.artifacts import CLASSES, DATA, TEXTS
from amsf.base.command import command
from amsf.base.display import say
from amsf.base.errors import InputError, counted
from amsf.base.project import MARKS, add_project, inside_project
from amsf.base.storage import write_text
from amsf.base.tables import csv_text
from amsf.command.benchmarks import with_benchmark, without_benchmarks
from amsf.dataset.classes import KNOWN, PLACEHOLDER, check_name
from amsf.dataset.worded import WordedClass, key_of, read_classes
from amsf.settings.params import PARAMS, WHOLE_VIEWS
from amsf.skeleton.partition import BY_RECORDING
from amsf.text.descriptions import LABEL_VIEW, VIEWS

ROWS = 7  # classes to fill in where no label is given
SPLITS = 40
IGNORED = Path(".gitignore")


def parser(prog: str = "python -m amsf.command.new_dataset") -> argparse.ArgumentParser:
    """What the command takes."""
    own = argparse.ArgumentParser(prog=prog, description=__doc__.split("\n")[0])
    own.add_argument("name", help="of lower-case letters, digits, '-' and '_'")
    own.add_argument("label", nargs="*", help=f"the classes in words, in the order of their ids "
                     f"(default: {ROWS} rows to fill in)")  # fmt: skip
    own.add_argument(
        "--classes", type=Path, help="CSV: a row a class, in the order of their ids, with label "
        "and description, as for `amsf predict`"
    )  # fmt: skip
    own.add_argument(
        "--one-person", action="store_true", help="the recordings are of one person, or nothing "
        "says of whom: every other one of each class tests"
    )  # fmt: skip
    own.add_argument(
        "--replace", action="store_true", help="write the class list and the texts anew"
    )
    add_project(own)
    return own


def new_dataset(
    name: str,
    classes: Sequence[WordedClass] = (),
    *,
    one_person: bool = False,
    replace: bool = False,
) -> list[str]:
    """Write the files below the current folder; what was written and what to do next, in lines.

    Args:
        name: the dataset's name.
        classes: in the order of their ids; none for rows to fill in.
        one_person: whether recordings are dealt out one by one instead of by people.
        replace: whether what an earlier call wrote may be replaced.

    Raises:
        InputError: this is no project, the name or the classes are not fit, or one of the files or
            the benchmark is there already. Nothing is written then.
    """
    if not all(Path(mark).is_file() for mark in MARKS):
        raise InputError(
            f"{Path.cwd()}: no project ({' and '.join(MARKS)}); run this in one, or name it with "
            "--project"
        )
    check_name(name)
    if name in KNOWN:
        raise InputError(f"{name} is a dataset of this project; give yours another name")
    if not classes:
        classes = [WordedClass(f"{PLACEHOLDER} {number}", {}) for number in range(ROWS)]
    if len({key_of(one.label) for one in classes} - {""}) < max(3, len(classes)):
        raise InputError(
            f"{counted(len(classes), 'label')}: expected three or more labels, each another text, "
            "for two seen classes and an unseen one; add classes that you have recordings of"
        )
    texts = _texts(classes)
    folder = TEXTS / name
    files = {
        CLASSES / f"{name}.csv": _table(
            ["id", "label", "persons"], [[c, one.label, 1] for c, one in enumerate(classes)]
        ),
        **{folder / f"{view}.csv": _table(["id", "text"], list(enumerate(rows)))
           for view, rows in texts.items()},
    }  # fmt: skip
    params = PARAMS.read_text("utf-8")
    if replace:
        params = without_benchmarks(params, name)
    else:
        _refuse_existing(files)
    key, entry = _benchmark(name, len(classes), list(texts), one_person)
    params = with_benchmark(params, key, entry, str(PARAMS))
    for path, text in files.items():
        write_text(path, text)
    if replace:
        for path in {*folder.glob("*.csv")} - {*files}:  # views that there are no more
            path.unlink()
    line = f"/{entry['source']}/skeletons.*"
    if IGNORED.is_file() and line not in (before := IGNORED.read_text("utf-8")).splitlines():
        write_text(IGNORED, f"{before.rstrip()}\n{line}\n")
    write_text(PARAMS, params)
    filled = classes[0].label.startswith(PLACEHOLDER)
    return [
        *(f"written: {path}" for path in files),
        f"added to {PARAMS}: benchmark {key}, with {entry['unseen']} of {len(classes)} classes "
        "unseen",
        "",
        "Next (docs/own_data.md):",
        *([f"  write into {CLASSES / name}.csv and {folder / LABEL_VIEW}.csv what the classes are "
           "called"] if filled else []),
        f"  amsf pack RECORDINGS --format FORMAT --out {entry['source']}",
        "  dvc repro",
        f"  amsf splits {key}",
        f"  amsf predict RECORDING --benchmark {key}",
    ]  # fmt: skip


def _texts(classes: Sequence[WordedClass]) -> dict[str, list[str]]:
    """view -> a text for each class: the label, and the views that some class has words for."""
    free = max(len(one.free) for one in classes)
    given = {view for one in classes for view in one.given}
    # As where unseen classes are added by words: first what the action is, then how the body moves.
    left = [view for view in WHOLE_VIEWS[1:] if view not in given]
    views = {LABEL_VIEW, *given, *left[:free]}
    return {view: [one.text_of(view) for one in classes] for view in VIEWS if view in views}


def _benchmark(
    name: str, classes: int, views: list[str], one_person: bool
) -> tuple[str, dict[str, Any]]:
    """The benchmark's name and what it holds.

    Motion features and prototypes learn in seconds and are as good as others on small sets
    (docs/results.md). Among fewer than two unseen classes there is nothing to tell apart.
    """
    unseen = max(2 if classes >= 6 else 1, classes // 5)
    own: dict[str, Any] = {
        "split": {"kind": "random"},
        "model": {"aligner": "prototypes", "views": views},
    }
    if one_person:
        own["backbone"] = {"partition": BY_RECORDING}
    source = (DATA / "external" / name).as_posix()
    about = {"dataset": name, "unseen": unseen, "source": source, "features": "motion"}
    return f"{name}-u{unseen}", {**about, "splits": SPLITS, "set": own}


def _refuse_existing(files: Mapping[Path, str]) -> None:
    there = [str(path) for path in files if path.exists()]
    if there:
        raise InputError(
            f"{', '.join(there)}: there already, and nothing was written; edit it, write it anew "
            "with --replace, or choose another name"
        )


def _table(columns: list[str], rows: Sequence[Sequence[object]]) -> str:
    return csv_text(pd.DataFrame(rows, columns=columns))


def main(
    arguments: Sequence[str] | None = None, prog: str = "python -m amsf.command.new_dataset"
) -> None:
    """The command line."""
    own = parser(prog)
    given = own.parse_args(arguments)
    if given.label and given.classes is not None:
        own.error("labels stand in the command or in the file of --classes; give one of them")
    with command(), inside_project(given):
        classes = (
            [WordedClass(" ".join(label.split()), {}) for label in given.label]
            if given.classes is None
            else read_classes(given.classes)
        )
        told = new_dataset(given.name, classes, one_person=given.one_person, replace=given.replace)
        say("\n".join(told))


if __name__ == "__main__":
    main()
