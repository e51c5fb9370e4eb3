"""The folder of a project, found from wherever a command is called.

A project is a folder with ``params.yaml`` and ``dvc.yaml``, such as a clone of this repository.
Everything that the pipeline reads and writes is named relative to it.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path

from amsf.base.errors import InputError

MARKS = ("params.yaml", "dvc.yaml")


def nearest_project(folder: Path) -> Path | None:
    """The folder itself or the nearest above it that is a project; None where there is none."""
    folder = folder.resolve()
    found = (p for p in (folder, *folder.parents) if all((p / mark).is_file() for mark in MARKS))
    return next(found, None)


def add_project(parser: argparse.ArgumentParser) -> None:
    """Give a command the option ``--project``."""
    parser.add_argument(
        "--project",
        type=Path,
        metavar="FOLDER",
        help="the project's folder (default: this one, or the nearest above with a params.yaml)",
    )


@contextmanager
def inside_project(given: argparse.Namespace) -> Iterator[None]:
    """Run a block in the project's folder, or here where there is none.

    Args:
        given: the command line, with ``project``; its relative paths are made absolute, so that
            they still lead to what the caller meant.

    Raises:
        InputError: the named folder is not there.
    """
    if given.project is not None and not given.project.is_dir():
        raise InputError(f"--project {given.project}: no such folder; name that of a project")
    here = Path.cwd()
    project = given.project or nearest_project(here) or here
    if project.resolve() == here.resolve():
        yield
        return
    for name, value in vars(given).items():
        if isinstance(value, Path):
            setattr(given, name, here / value)
        elif isinstance(value, list) and all(isinstance(item, Path) for item in value):
            setattr(given, name, [here / item for item in value])
    with chdir(project):
        yield
