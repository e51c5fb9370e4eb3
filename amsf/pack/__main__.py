"""Pack raw recordings once into the canonical skeleton set.

    python -m amsf.pack --format utd27 path/to/Skeleton --out data/external/utd27

writes ``skeletons.safetensors`` into the ``--out`` folder, which is the ``source`` of a benchmark
in ``params.yaml``, and beside it ``skeletons.report.csv``: each file that was left out and why,
and each recording in which something was mended.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from amsf.base.artifacts import CLASSES
from amsf.base.command import command
from amsf.base.display import say
from amsf.base.errors import InputError
from amsf.base.project import add_project, inside_project
from amsf.base.storage import write_text
from amsf.base.tables import csv_text
from amsf.dataset.classes import check_name, class_count
from amsf.pack.base import LeftOut, Mended, Outcome, Task
from amsf.pack.formats import FORMATS, REPORT_NAME, find_source, read_source
from amsf.pack.name_list import NameList
from amsf.skeleton.recordings import FILE_NAME, UNKNOWN, Recording, recordings_to_file
from amsf.skeleton.stature import AXES


@dataclass(frozen=True)
class Packed:
    """What :func:`pack` did.

    Attributes:
        skeletons, report: the two files.
        recordings: the number of recordings in the set.
        left_out: what is not in it, and why.
        mended: what is in it otherwise than in its file, and how.
        notes: sentences that a user should read.
    """

    skeletons: Path
    report: Path
    recordings: int
    left_out: list[LeftOut]
    mended: list[Mended]
    notes: list[str]


def pack(
    source: str | Path,
    out: str | Path,
    format_name: str,
    *,
    dataset: str | None = None,
    jobs: int = 0,
    missing: str | Path | None = None,
    up: str | None = None,
) -> Packed:
    """Read raw recordings and write the skeleton set and the report on it.

    Args:
        source: the folder of recordings (or, for ``npz``, the file).
        out: the folder to write into.
        format_name: a key of :data:`amsf.pack.formats.FORMATS`.
        dataset: the dataset's name, for ``npz`` only, by default the name of ``out``; each other
            format belongs to one dataset.
        jobs: the number of processes; 0 takes one for each core.
        missing: a text file that names recordings to leave out.
        up: the axis that is up in the files, such as ``z``; None has it found.

    Raises:
        InputError: the dataset's name is not fit for files, the source is not there, holds no file
            of the format, none of them could be read, no recording is in the list ``missing``,
            labels count from 1, or ``out`` cannot be written. Nothing is written then.
    """
    source, out = Path(source), Path(out)
    if dataset is not None and format_name != "npz":
        raise InputError(
            f"a dataset's name is for format npz alone; {format_name} belongs to one dataset"
        )
    listed = NameList(missing) if missing is not None else None
    tasks, left_out = find_source(source, format_name)
    if listed is not None and format_name != "npz":  # whose files are not named like recordings
        listed.refuse_others(task[0].stem for task in tasks)
    name, classes = format_name, FORMATS[format_name].classes
    if format_name == "npz":
        name = dataset or out.resolve().name
        check_name(name)
        has_list = (CLASSES / f"{name}.csv").is_file()
        classes = class_count(name, CLASSES) if has_list else None
    rules = _Rules(classes, FORMATS[format_name].classes is None, listed, left_out)
    accepted = rules.accepted(read_source(tasks, format_name, jobs, up))
    first = next(accepted, None)
    if first is None:
        rules.refuse_labels_from_1()
        examples = "; ".join(f"{item.file.name}: {item.reason}" for item in left_out[:3])
        raise InputError(
            f"{source}: none of the {len(tasks)} recordings of format {format_name} there can be "
            f"used ({examples}{'; ...' if len(left_out) > 3 else ''})"
        )
    with recordings_to_file(out / FILE_NAME, layout=rules.layout, dataset=name) as add:
        for recording in itertools.chain([first], accepted):
            add(recording)
        notes = rules.notes()
    report = out / REPORT_NAME
    left_out.sort(key=lambda item: (item.file, item.reason))
    write_text(report, _report(left_out, rules.mended, source))
    return Packed(out / FILE_NAME, report, len(rules.names), left_out, rules.mended, notes)


class _Rules:
    """Which of the recordings that were read enter the set."""

    def __init__(
        self, classes: int | None, own: bool, listed: NameList | None, left_out: list[LeftOut]
    ) -> None:
        self.classes = classes
        self.own = own  # labels are a user's, not of a dataset that counts in a known way
        self.listed = listed
        self.left_out = left_out  # is added to
        self.mended: list[Mended] = []
        self.names: set[str] = set()
        self.labels: set[int] = set()  # of all that were read
        self.layout = ""  # that of the first recording

    def accepted(self, outcomes: Iterable[tuple[Task, Outcome | LeftOut]]) -> Iterator[Recording]:
        """Yield what enters, and note the rest."""
        for task, outcome in outcomes:
            if isinstance(outcome, LeftOut):
                self.left_out.append(outcome)
                if self.listed is not None:
                    self.listed.has([task[0].stem])
                continue
            self.left_out += outcome.left_out
            entered = set()
            for recording in outcome.recordings:
                self.labels.add(recording.label)
                reason = self.reason_against(recording, outcome.layout, task[0])
                if reason:
                    why = f"recording '{recording.name}': {reason}"
                    self.left_out.append(LeftOut(task[0], why))
                else:
                    self.layout = outcome.layout
                    self.names.add(recording.name)
                    entered.add(recording.name)
                    yield recording
            self.mended += [item for item in outcome.mended if item.recording in entered]

    def refuse_labels_from_1(self) -> None:
        """Refuse a user's labels that lack the first class and have one behind the last.

        Raises:
            InputError: they do.
        """
        labels = self.labels - {UNKNOWN}
        if self.own and self.classes is not None and 0 not in labels and self.classes in labels:
            raise InputError(
                f"labels seem to count from 1: label {self.classes} is there, label 0 is not; "
                f"expected 0 to {self.classes - 1} for {self.classes} classes: take 1 off each"
            )

    def notes(self) -> list[str]:
        """What is to be said when all were read.

        Raises:
            InputError: labels count from 1, or no recording is in the list of those to leave out.
        """
        self.refuse_labels_from_1()
        labels = self.labels - {UNKNOWN}
        notes = [self.listed.outcome()] if self.listed is not None else []
        if self.own and labels and min(labels) == 1:
            notes.append(
                "no recording has label 0, the lowest is 1; labels count from 0: take 1 off each "
                "if yours count from 1"
            )
        return notes

    def reason_against(self, recording: Recording, layout: str, file: Path) -> str:
        """Why a recording does not enter, or an empty string."""
        if self.listed is not None and self.listed.has([recording.name, file.stem]):
            return "it is in the list of recordings to leave out"
        if recording.name in self.names:
            return "another recording has this name already"
        if recording.label == UNKNOWN:
            return "its class is unknown (label -1)"
        if self.classes is not None and recording.label >= self.classes:
            return f"label {recording.label}; expected 0 to {self.classes - 1}"
        if self.layout and layout != self.layout:
            return f"its joints are {layout}; those of the recordings before are {self.layout}"
        return ""


def _report(left_out: Sequence[LeftOut], mended: Sequence[Mended], source: Path) -> str:
    """The report as CSV, with paths as seen from the source."""
    base = source if source.is_dir() else source.parent
    found = [(item.file, "left out", item.reason) for item in left_out]
    found += [
        (item.file, "mended", f"recording '{item.recording}': {item.what}") for item in mended
    ]
    rows = [(file.relative_to(base).as_posix(), *what) for file, *what in found]
    return csv_text(pd.DataFrame(rows, columns=["file", "outcome", "reason"], dtype=str))


def parser(prog: str = "python -m amsf.pack") -> argparse.ArgumentParser:
    """What the command takes."""
    own = argparse.ArgumentParser(prog=prog, description=__doc__.split("\n")[0])
    own.add_argument("source", type=Path, help="the folder of raw recordings (npz: or the file)")
    own.add_argument("--format", required=True, choices=FORMATS, dest="format_name")
    own.add_argument("--out", type=Path, required=True, help="the folder to write into")
    own.add_argument("--dataset", help="npz: the dataset's name (default: that of --out)")
    own.add_argument("--jobs", type=int, default=0, help="processes (default: one for each core)")
    own.add_argument("--missing", type=Path, help="a text file naming recordings to leave out")
    own.add_argument(
        "--up", choices=AXES, help="the axis that is up in the files (default: found from them)"
    )
    add_project(own)
    return own


def main(arguments: Sequence[str] | None = None, prog: str = "python -m amsf.pack") -> None:
    """The command line."""
    given = parser(prog).parse_args(arguments)
    start = time.perf_counter()
    with command(), inside_project(given):
        options = {name: value for name, value in vars(given).items() if name != "project"}
        packed = pack(**options)
    seconds = time.perf_counter() - start
    rate = packed.recordings / seconds
    say(f"{packed.skeletons}: {packed.recordings} recordings in {seconds:.1f} s ({rate:.0f}/s)")
    say(f"{packed.report}: {len(packed.left_out)} entries of what was left out, with reasons")
    for what, count in Counter(item.what for item in packed.mended).most_common():
        say(f"mended in {count} recordings: {what}")
    for note in packed.notes:
        say(f"note: {note}", sys.stderr)


if __name__ == "__main__":
    main()
