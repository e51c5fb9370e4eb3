"""What a reader of one format takes and gives; the readers are the modules beside it.

Each of them has

- ``plan(files, classes)``: which files are recordings of the format, and why the others are not;
- ``read(task)``: the recordings of one of them, as they are in the file; what every recording
  needs, from lost joints to axes and persons, is done by :func:`amsf.skeleton.cleaning.clean`;
- ``FORM``: the form of a file's name, for people.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from amsf.base.errors import InputError
from amsf.skeleton.cleaning import RawRecording, clean
from amsf.skeleton.recordings import Recording

# The recording's file first, then what belongs to it (PKU-MMD: its label file).
Task = tuple[Path, ...]


@dataclass(frozen=True)
class LeftOut:
    """A file, or a part of one, that does not enter the set, and why."""

    file: Path
    reason: str


@dataclass(frozen=True)
class Reading:
    """What a reader found: recordings of one joint layout, and the parts left out."""

    layout: str
    recordings: list[RawRecording]
    left_out: list[LeftOut] = field(default_factory=list)


@dataclass(frozen=True)
class Mended:
    """A recording that enters the set otherwise than it is in its file, and how."""

    file: Path
    recording: str
    what: str


@dataclass(frozen=True)
class Outcome:
    """What came of one file: recordings of one joint layout, what was mended and left out."""

    layout: str
    recordings: list[Recording]
    left_out: list[LeftOut]
    mended: list[Mended]


def cleaned(reading: Reading, file: Path, up: str | None = None) -> Outcome:
    """Take what a reader found in a file through the clean-up.

    Args:
        reading: what the reader found.
        file: the recordings' file.
        up: see :func:`amsf.skeleton.cleaning.clean`.
    """
    done = clean(reading.recordings, reading.layout, up)
    left_out = [*reading.left_out]
    for name, reason in done.left_out:
        whole = len(reading.recordings) == 1 and file.stem.startswith(name)
        left_out.append(LeftOut(file, reason if whole else f"recording {name!r}: {reason}"))
    mended = [Mended(file, name, what) for name, what in done.mended]
    return Outcome(reading.layout, done.recordings, left_out, mended)


def plan_by_name(
    files: Sequence[Path],
    suffix: str,
    form: str,
    parse_name: Callable[[str], dict[str, int] | None],
    classes: int | None,
) -> tuple[list[Task], list[LeftOut]]:
    """Sort files into tasks and left-out ones by what their names say.

    Args:
        files: the paths to sort.
        suffix: the format's suffix, with the dot, in small letters; capitals are the same.
        form: the form that a name must have, for the reason.
        parse_name: a function that returns a stem's numbers, among them the 0-based ``label``, or
            None for another form.
        classes: the number of the dataset's classes; None where that is not known.
    """
    tasks: list[Task] = []
    left_out: list[LeftOut] = []
    for file in files:
        numbers = parse_name(file.stem) if file.suffix.lower() == suffix else None
        if numbers is None:
            left_out.append(LeftOut(file, f"the name is not of the form {form}"))
        elif numbers["label"] < 0 or (classes is not None and numbers["label"] >= classes):
            reason = f"action {numbers['label'] + 1} is not one of the dataset's 1 to {classes}"
            left_out.append(LeftOut(file, reason))
        else:
            tasks.append((file,))
    return tasks, left_out


def reason_of(error: Exception, file: Path) -> str:
    """An error as a reason in the report, which names the file in a column of its own."""
    if isinstance(error, InputError):
        return str(error).removeprefix(f"{file}: ")
    return f"{type(error).__name__}: {error}"
