"""The recordings of files and folders, of whatever format: all that can be read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from amsf.base.errors import InputError, first_ten
from amsf.base.progress import track
from amsf.pack.base import LeftOut, Mended, Outcome, Task, cleaned, reason_of, start_of
from amsf.pack.formats import FORMATS, REPORT_NAME, SET_SUFFIX, format_of, read_any, walk
from amsf.predict.predictor import Predictor
from amsf.skeleton.cleaning import NOTHING, Stated
from amsf.skeleton.recordings import Recording

# A recording of these lies in several files, which the format's own plan brings together.
_OF_SEVERAL_FILES = ("openpose", "pku51", "utkinect", "stgcn")


@dataclass(frozen=True)
class Found:
    """A recording and the file that it is in, or the folder of its frames."""

    file: Path
    recording: Recording


@dataclass(frozen=True)
class Batch:
    """What came of several files and folders.

    Attributes:
        found: the recordings.
        failed: what could not be read, and why.
        mended: recordings that are otherwise than in their files.
        notes: a folder's files that are no recordings, and what in it is closed: a sentence each.
    """

    found: list[Found] = field(default_factory=list)
    failed: list[LeftOut] = field(default_factory=list)
    mended: list[Mended] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


# The file that it is named by, and what reads it.
_Source = tuple[Path, Callable[[Stated], Outcome]]


def read_all(
    paths: Sequence[Path], predictor: Predictor | None = None, stated: Stated = NOTHING
) -> Batch:
    """Read what can be read, and report what cannot and what was mended.

    Args:
        paths: files; and folders, with all recordings in them and in the folders in them.
        predictor: whose joints the recordings get; None where any will do.
        stated: what the user says of the files.
    """
    batch = Batch()
    sources: list[_Source] = []
    for path in paths:
        if path.is_dir():
            sources += _look_through(path, batch)
        else:
            sources.append((path, partial(read_any, path)))
    for file, read in track(sources, "reading recordings"):
        try:
            outcome = read(stated)
            recordings = outcome.recordings
            if predictor is not None:
                recordings = predictor.with_own_joints(recordings, outcome.layout, str(file))
            if not outcome.recordings and not outcome.left_out:
                raise InputError(f"{file}: no recording in it")
        # Whatever a damaged file makes a parser raise, it must not stop the other files.
        except Exception as error:
            batch.failed.append(LeftOut(file, reason_of(error, file)))
            continue
        batch.found.extend(Found(file, recording) for recording in recordings)
        batch.failed.extend(outcome.left_out)
        batch.mended.extend(outcome.mended)
    return batch


def _look_through(folder: Path, batch: Batch) -> list[_Source]:
    """What is to be read of a folder, in the order of names; the rest is noted in the batch."""
    files, closed = walk(folder)
    files = [file for file in files if file.name != REPORT_NAME]
    sources: list[_Source] = []
    for name in _OF_SEVERAL_FILES:
        tasks, _ = FORMATS[name].plan(files, None)
        for task in tasks:
            file = task[0].parent if name == "openpose" else task[0]
            sources.append((file, partial(_read, name, task, file)))
        taken = {file for task in tasks for file in task}
        files = [file for file in files if file not in taken]
    alone = [file for file in files if _looks_like_one(file)]
    sources += [(file, partial(read_any, file)) for file in alone]
    others = [file.relative_to(folder).as_posix() for file in files if file not in set(alone)]
    if not sources:
        there = f"only others: {first_ten(others)}" if others else "no files"
        reason = f"no recording in it; expected files that `amsf pack` reads; there are {there}"
        batch.failed.append(LeftOut(folder, reason))
    elif others:
        batch.notes.append(f"{folder}: left out, being no recordings: {first_ten(others)}")
    batch.notes.extend(f"{item.file}: {item.reason}" for item in closed)
    return sorted(sources, key=lambda source: source[0])


def _read(name: str, task: Task, file: Path, stated: Stated) -> Outcome:
    return cleaned(FORMATS[name].read(task), file, stated)


def _looks_like_one(file: Path) -> bool:
    """Whether a file of a folder is meant as a recording, by its name and the beginning of it."""
    if file.name.startswith("."):  # what systems put there for themselves
        return False
    if file.suffix.lower() == SET_SUFFIX:
        return True
    try:
        found = format_of(file)
    except InputError:
        return False
    # Any `.txt` that is of no other form may be a video of PKU-MMD: a table of numbers.
    return found is not FORMATS["pku51"] or _begins_with_a_number(start_of(file))


def _begins_with_a_number(text: str) -> bool:
    try:
        float(text.split(maxsplit=1)[0])
    except (IndexError, ValueError):
        return False
    return True
