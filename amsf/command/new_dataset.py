"""Write the first files of a dataset of your own.

    amsf new-dataset mine "wave one hand" bow kick "sit down" "stand up" jump clap

writes its class list, the texts of the view ``lb``, and the list of training subjects, and prints
the line for ``params.yaml`` and what to do next (docs/data.md). Without labels it writes rows to
be filled in.
"""

from __future__ import annotations

import argparse
import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from amsf.base.artifacts import CLASSES, DATA, TEXTS
from amsf.base.command import command
from amsf.base.display import say
from amsf.base.errors import InputError
from amsf.base.project import MARKS, add_project, inside_project
from amsf.base.storage import write_text
from amsf.dataset.classes import KNOWN, PLACEHOLDER, check_name
from amsf.settings.params import PART_VIEWS
from amsf.skeleton.partition import LIST_NAME

ROWS = 7  # classes to fill in where no label is given
IGNORED = Path(".gitignore")


def parser(prog: str = "python -m amsf.command.new_dataset") -> argparse.ArgumentParser:
    """What the command takes."""
    own = argparse.ArgumentParser(prog=prog, description=__doc__.split("\n")[0])
    own.add_argument("name", help="of lower-case letters, digits, '-' and '_'")
    own.add_argument("label", nargs="*", help=f"the classes in words, in the order of their ids "
                     f"(default: {ROWS} rows to fill in)")  # fmt: skip
    add_project(own)
    return own


def new_dataset(name: str, labels: Sequence[str]) -> list[str]:
    """Write the files below the current folder; what was written and what to do next, in lines.

    Raises:
        InputError: this is no project, the name or a label is not fit, or one of the files is
            there already. Nothing is written then.
    """
    if not all(Path(mark).is_file() for mark in MARKS):
        raise InputError(
            f"{Path.cwd()}: no project ({' and '.join(MARKS)}); run this in one, or name it with "
            "--project"
        )
    check_name(name)
    if name in KNOWN:
        raise InputError(f"{name} is a dataset of this project; give yours another name")
    labels = list(labels) or [f"{PLACEHOLDER} {number}" for number in range(ROWS)]
    distinct = {" ".join(label.split()) for label in labels}
    if len(distinct) < max(3, len(labels)) or "" in distinct:
        raise InputError("expected three or more labels, each another text")
    source = DATA / "external" / name
    files = {
        CLASSES / f"{name}.csv": _table(
            ["id", "label", "persons"], [[c, label, 1] for c, label in enumerate(labels)]
        ),
        TEXTS / name / "lb.csv": _table(
            ["id", "text"], [[c, label] for c, label in enumerate(labels)]
        ),
        source / LIST_NAME: "# Numbers of the subjects whose recordings train, such as: 1 3 5\n"
        "# The recordings of the others test.\n",
    }
    _refuse_existing(files)
    for path, text in files.items():
        write_text(path, text)
    line = f"/{source.as_posix()}/skeletons.*"
    if IGNORED.is_file() and line not in (before := IGNORED.read_text("utf-8")).splitlines():
        write_text(IGNORED, f"{before.rstrip()}\n{line}\n")
    unseen = max(1, len(labels) // 5)
    return [
        *(f"written: {path}" for path in files),
        "",
        "Next:",
        f"1. Write into {CLASSES / name}.csv what the classes are called, with 2 for persons where "
        "two act,",
        f"   and into {TEXTS / name / 'lb.csv'} the same in words. More views are worth it: "
        "MAad.csv, MAmd.csv;",
        f"   those of parts ({', '.join(PART_VIEWS)}) a try (docs/texts.md).",
        f"2. Pack your recordings: amsf pack --format npz {name}.npz --out {source}",
        f"3. Write into {source / LIST_NAME} which subjects train.",
        "4. Put this line below `benchmarks:` in params.yaml:",
        f"  {name}-u{unseen}: {{dataset: {name}, unseen: {unseen}, source: {source}, features: "
        "backbone, set: {split: {kind: random}, model: {views: [lb]}}}",
        "5. Run: amsf check && dvc repro",
    ]


def _refuse_existing(files: Mapping[Path, str]) -> None:
    there = [str(path) for path in files if path.exists()]
    if there:
        raise InputError(
            f"{', '.join(there)}: there already, and nothing was written; edit it, or choose "
            "another name"
        )


def _table(header: list[str], rows: list[list[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    return text.getvalue()


def main(
    arguments: Sequence[str] | None = None, prog: str = "python -m amsf.command.new_dataset"
) -> None:
    """The command line."""
    given = parser(prog).parse_args(arguments)
    with command(), inside_project(given):
        say("\n".join(new_dataset(given.name, given.label)))


if __name__ == "__main__":
    main()
