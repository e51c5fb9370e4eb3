"""Bad input as data: what is wrong, who tells it, and how to make it.

The cases are in ``bad_input_*.py``, one module an area. `tests/test_bad_input.py` runs each, and
writes or checks `docs/bad_input.md` from the very same list. Every case runs in an empty folder of
its own and names its files as seen from there, so that messages are the same on any machine.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from amsf.base.errors import InputError

Call = Callable[[], object]


@dataclass(frozen=True)
class Case:
    """One kind of bad input.

    Attributes:
        what: is wrong, as the table says it.
        told_by: the command or function that a user meets it in.
        names: what the message must name: the file or the parameter.
        make: prepares the current, empty folder and gives the call that must refuse it.
    """

    what: str
    told_by: str
    names: str
    make: Callable[[], Call]


@dataclass(frozen=True)
class Area:
    """The cases of one kind of input, under one heading."""

    title: str
    cases: Sequence[Case]


def tree(folder: Path) -> dict[str, str]:
    """Every file and folder below a folder, with the SHA-256 of what is in it."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        if path.is_file()
        else "folder"
        for path in sorted(folder.rglob("*"))
    }


def message_of(call: Call) -> str:
    """The one error of a call, as a user reads it: of an InputError, or of a program's exit."""
    try:
        call()
    except InputError as error:
        return str(error)
    except SystemExit as error:
        return str(error.code)
    raise AssertionError("the input was accepted")


def as_documented(message: str) -> str:
    """A message without what differs between machines: the folder, the number of GPUs."""
    here = str(Path.cwd())
    message = message.replace(f"{here}/", "").replace(here, ".")
    message = re.sub(r"\d+ CUDA devices", "0 CUDA devices", message)
    return " ".join(message.split())


def run_cli(main: Callable[[list[str]], None], *words: object) -> Call:
    """A call of a command line; what it prints on stderr is its error."""

    def call() -> None:
        told = io.StringIO()
        try:
            with contextlib.redirect_stderr(told), contextlib.redirect_stdout(io.StringIO()):
                main([str(word) for word in words])
        except SystemExit as error:
            if error.code == 0:
                return
            said = told.getvalue().strip() or str(error.code)
            raise SystemExit(said.removeprefix("error: ")) from None

    return call
