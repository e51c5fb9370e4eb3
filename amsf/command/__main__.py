"""All commands under one name.

    amsf COMMAND ...          such as: amsf check
    amsf COMMAND --help       what it takes

Each is also a module of its own, such as ``python -m amsf.check``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import chdir
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import ModuleType

import shtab

from amsf.base.project import add_project, nearest_project
from amsf.settings.findings import nearest

# Command -> its module, which has `parser` and `main`, and what it does.
COMMANDS = {
    "check": ("amsf.check", "report in seconds what a run would miss"),
    "pack": ("amsf.pack.__main__", "pack raw recordings once, for the pipeline"),
    "predict": ("amsf.predict.__main__", "name the actions in recordings"),
    "compare": ("amsf.compare.__main__", "compare experiments: did a change help?"),
    "ablation": ("amsf.ablation.__main__", "run a grid of experiments and gather one table"),
    "splits": ("amsf.study.__main__", "score methods on many class splits"),
    "texts": ("amsf.command.texts", "show a dataset's texts, or import published ones"),
    "new-dataset": ("amsf.command.new_dataset", "write the first files of a dataset of your own"),
}
COMPLETION = "completion"


def main(arguments: Sequence[str] | None = None) -> None:
    """Call the command that the first word names, with the words behind it."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words and words[0] in COMMANDS:
        name, *rest = words
        load(name, rest).main(rest, f"amsf {name}")
        return
    if words and words[0] == COMPLETION:
        shell = _completion_parser().parse_args(words[1:]).shell
        print(shtab.complete(whole_parser(), shell))
        return
    parser = outline()
    if words and not words[0].startswith("-"):
        hint = nearest(words[0], [*COMMANDS, COMPLETION])
        parser.error(f"no command '{words[0]}'{hint}; see amsf --help")
    parser.parse_args(words)
    parser.print_help()


def load(name: str, rest: Sequence[str] = ()) -> ModuleType:
    """Import the module of a command, and no other's.

    It happens in the project's folder, where ``compute.portable`` stands: its libraries choose
    their kernels when they are imported.
    """
    scout = argparse.ArgumentParser(add_help=False, exit_on_error=False)
    add_project(scout)
    try:
        project = scout.parse_known_args(list(rest))[0].project
    except argparse.ArgumentError:  # the command itself says what is wrong
        project = None
    here = Path.cwd()
    project = project or nearest_project(here)
    with chdir(project if project is not None and project.is_dir() else here):
        return import_module(COMMANDS[name][0])


def outline() -> argparse.ArgumentParser:
    """The parser of ``amsf`` alone, which lists the commands."""
    width = max(map(len, (*COMMANDS, COMPLETION)))
    lines = [f"  {name:<{width}}  {about}" for name, (_, about) in COMMANDS.items()]
    lines.append(f"  {COMPLETION:<{width}}  print what makes a shell complete all this")
    parser = argparse.ArgumentParser(
        prog="amsf",
        usage="amsf COMMAND ...",
        description="Recognise actions that the skeleton encoder never saw, from words.",
        epilog="\n".join(["commands:", *lines, "", "`amsf COMMAND --help` describes one of them."]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"amsf {_version()}")
    return parser


def whole_parser() -> argparse.ArgumentParser:
    """All commands in one parser, for the completion of shells."""
    import_module("amsf.stage.pinned")  # before the first command loads NumPy
    parser = argparse.ArgumentParser(prog="amsf", description="Commands of AMSF.")
    commands = parser.add_subparsers()
    for name, (_, about) in COMMANDS.items():
        own: argparse.ArgumentParser = load(name).parser(f"amsf {name}")
        commands.add_parser(name, parents=[own], add_help=False, help=about)
        for action in own._actions:
            if action.type is Path:
                action.complete = shtab.FILE  # type: ignore[attr-defined]
    commands.add_parser(COMPLETION, parents=[_completion_parser()], add_help=False)
    return parser


def _completion_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"amsf {COMPLETION}",
        description="Print what makes a shell complete commands, options and files.",
    )
    parser.add_argument("shell", choices=shtab.SUPPORTED_SHELLS)
    return parser


def _version() -> str:
    try:
        return version("amsf")
    except PackageNotFoundError:
        return "(not installed, run from its folder)"


if __name__ == "__main__":
    main()
