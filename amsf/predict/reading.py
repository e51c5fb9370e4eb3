"""The recordings of files and folders, of whatever format: all that can be read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from amsf.base.errors import InputError, OtherContentError, first_ten
from amsf.base.progress import track
from amsf.pack.base import LeftOut, Outcome, Task, cleaned, reason_of, start_of
from amsf.pack.formats import FORMATS, REPORT_NAME, SET_SUFFIX, format_of, read_any, walk
from amsf.pack.pku import WIDTH
from amsf.predict.batch import Batch, Found
from amsf.predict.predictor import Predictor
from amsf.skeleton.cleaning import NOTHING, Stated

# A recording of these lies in several files, which the format's own plan brings together.
_OF_SEVERAL_FILES = ("openpose", "pku51", "utkinect", "stgcn")


@dataclass
class _Folder:
    """A folder that was looked through.

    Attributes:
        path: the folder.
        closed: what in it cannot be opened, and why.
        others: the files in it that are no recordings; with a reason where they were opened.
        has_recordings: whether others are, be they damaged.
    """

    path: Path
    closed: list[LeftOut]
    others: list[LeftOut] = field(default_factory=list)
    has_recordings: bool = False

    def report(self, batch: Batch) -> None:
        """Note what is no recording; where nothing is one, that is a failure."""
        others = sorted(self.others, key=lambda item: item.file)
        names = first_ten(item.file.relative_to(self.path).as_posix() for item in others)
        if not self.has_recordings:
            there = f"only others: {names}" if others else "no files"
            example = next((f"; {i.file.name}: {i.reason}" for i in others if i.reason), "")
            reason = f"no recording in it; expected files that `amsf pack` reads; there are {there}"
            batch.failed.append(LeftOut(self.path, reason + example))
        elif others:
            batch.notes.append(f"{self.path}: left out, being no recordings: {names}")
        batch.notes.extend(f"{item.file}: {item.reason}" for item in self.closed)


@dataclass(frozen=True)
class _Source:
    """What is to be read: the file that it is named by, what reads it, and the folder it is of."""

    file: Path
    read: Callable[[Stated], Outcome]
    folder: _Folder | None = None


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
    folders: list[_Folder] = []
    for path in paths:
        if path.is_dir():
            folder, found = _look_through(path)
            folders.append(folder)
            sources += found
        else:
            sources.append(_Source(path, partial(read_any, path)))
    for source in track(sources, "reading recordings"):
        try:
            outcome = _outcome(source, predictor, stated)
        # Whatever a damaged file makes a parser raise, it must not stop the other files.
        except Exception as error:
            failure = LeftOut(source.file, reason_of(error, source.file))
            # Who names a folder asks for the recordings among its files.
            if source.folder is not None and isinstance(error, OtherContentError):
                source.folder.others.append(failure)
                continue
            outcome = Outcome("", [], [failure], [])
        if source.folder is not None:
            source.folder.has_recordings = True
        batch.found.extend(Found(source.file, recording) for recording in outcome.recordings)
        batch.failed.extend(outcome.left_out)
        batch.mended.extend(outcome.mended)
    for folder in folders:
        folder.report(batch)
    return batch


def _outcome(source: _Source, predictor: Predictor | None, stated: Stated) -> Outcome:
    """What came of a file, with the joints that the predictor takes."""
    outcome = source.read(stated)
    if not outcome.recordings and not outcome.left_out:
        raise OtherContentError(f"{source.file}: no recording in it")
    if predictor is None:
        return outcome
    own = predictor.with_own_joints(outcome.recordings, outcome.layout, str(source.file))
    return replace(outcome, recordings=own)


def _look_through(path: Path) -> tuple[_Folder, list[_Source]]:
    """A folder, and what is to be read of it, in the order of names."""
    files, closed = walk(path)
    files = [file for file in files if file.name != REPORT_NAME]
    folder = _Folder(path, closed)
    sources: list[_Source] = []
    for name in _OF_SEVERAL_FILES:
        tasks, _ = FORMATS[name].plan(files, None)
        for task in tasks:
            file = task[0].parent if name == "openpose" else task[0]
            sources.append(_Source(file, partial(_read, name, task, file), folder))
        taken = {file for task in tasks for file in task}
        files = [file for file in files if file not in taken]
    for file in files:
        if _looks_like_one(file):
            sources.append(_Source(file, partial(read_any, file), folder))
        else:
            folder.others.append(LeftOut(file, ""))
    return folder, sorted(sources, key=lambda source: source.file)


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
    # Any `.txt` that is of no other form may be a video of PKU-MMD: a wide table of numbers.
    return found is not FORMATS["pku51"] or _begins_with_a_frame(start_of(file, 8192))


def _begins_with_a_frame(text: str) -> bool:
    """Whether the first line is all numbers, as many as PKU-MMD has of a frame."""
    try:
        return len([float(cell) for cell in text.split("\n", 1)[0].split()]) == WIDTH
    except ValueError:
        return False
