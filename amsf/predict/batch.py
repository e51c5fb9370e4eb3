"""What came of several files: recordings, failures and notes; and the part that is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from amsf.base.display import escaped
from amsf.base.errors import InputError, first_ten
from amsf.pack.base import LeftOut, Mended
from amsf.settings.findings import nearest
from amsf.skeleton.recordings import Recording


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


def chosen(batch: Batch, names: Sequence[str] | None) -> Batch:
    """What of a batch concerns the recordings of some names; all of it where no name is given.

    A failure concerns a name that is its recording's, or its file's without the suffix.

    Raises:
        InputError: nothing concerns one of the names; what could not be read is told as well,
            because the recording may be there.
    """
    if not names:
        return batch
    part = Batch(
        found=[item for item in batch.found if item.recording.name in names],
        failed=[item for item in batch.failed if _names_of(item) & {*names}],
        mended=[item for item in batch.mended if item.recording in names],
    )
    met = {item.recording.name for item in part.found}
    met |= {name for item in part.failed for name in _names_of(item)}
    there = [item.recording.name for item in batch.found]
    for name in names:
        if name not in met:
            hint = nearest(name, there) or (f"; there are {first_ten(there)}" if there else "")
            unread = ["It may be in what cannot be read:"] if batch.failed else []
            raise InputError(
                f"--only {name}: no recording has this name{hint}",
                *unread,
                *failures_as_lines(batch.failed),
            )
    return part


def _names_of(item: LeftOut) -> set[str]:
    """What a failure may be asked for by; a file as a whole has no recording's name."""
    return {item.file.stem, item.recording or item.file.stem}


def failures_as_lines(failed: Sequence[LeftOut]) -> list[str]:
    """A line for each reason, with all the files that it holds for."""
    files_of: dict[str, list[str]] = {}
    for item in failed:
        files_of.setdefault(item.reason, []).append(escaped(item.file))
    return [
        f"{files[0] if len(files) == 1 else f'{len(files)} files ({first_ten(files)})'}: "
        f"{escaped(reason)}"
        for reason, files in files_of.items()
    ]
