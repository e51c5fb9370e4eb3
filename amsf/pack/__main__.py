"""Pack raw recordings once into the canonical skeleton set.

    python -m amsf.pack --format utd27 path/to/Skeleton --out data/external/utd27

writes ``skeletons.safetensors`` into the ``--out`` folder, which is the ``source`` of a benchmark
in ``params.yaml``, and beside it ``skeletons.report.csv``: each file that was left out and why.
"""

from __future__ import annotations

import argparse
import csv
import io
import itertools
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from amsf.base.artifacts import CLASSES
from amsf.base.errors import InputError
from amsf.base.project import add_project, inside_project
from amsf.base.storage import write_text
from amsf.dataset.classes import check_name, class_count
from amsf.pack.base import LeftOut, Task
from amsf.pack.formats import FORMATS, REPORT_NAME, find_source, read_missing_list, read_source
from amsf.skeleton.recordings import FILE_NAME, UNKNOWN, Recording, recordings_to_file


@dataclass(frozen=True)
class Packed:
    """What :func:`pack` did: the two files, the number of recordings, and what was left out."""

    skeletons: Path
    report: Path
    recordings: int
    left_out: list[LeftOut]


def pack(
    source: str | Path,
    out: str | Path,
    format_name: str,
    *,
    dataset: str | None = None,
    jobs: int = 0,
    missing: str | Path | None = None,
) -> Packed:
    """Read raw recordings and write the skeleton set and the report of what was left out.

    Args:
        source: the folder of recordings (or, for ``npz``, the file).
        out: the folder to write into.
        format_name: a key of :data:`amsf.pack.formats.FORMATS`.
        dataset: the dataset's name, for ``npz`` only, by default the name of ``out``; each other
            format belongs to one dataset.
        jobs: the number of processes; 0 takes one for each core.
        missing: a text file that names recordings to leave out.

    Raises:
        InputError: the dataset's name is not fit for files, the source is not there, holds no file
            of the format, or none of them could be read. Nothing is written then.
    """
    source, out = Path(source), Path(out)
    if dataset is not None and format_name != "npz":
        raise InputError(
            f"a dataset's name is for format npz alone; {format_name} belongs to one dataset"
        )
    listed = read_missing_list(missing) if missing is not None else frozenset()
    tasks, left_out = find_source(source, format_name)
    name, classes = format_name, FORMATS[format_name].classes
    if format_name == "npz":
        name = dataset or out.resolve().name
        check_name(name)
        has_list = (CLASSES / f"{name}.csv").is_file()
        classes = class_count(name, CLASSES) if has_list else None
    rules = _Rules(classes, listed)
    accepted = rules.accepted(tasks, format_name, jobs, left_out)
    first = next(accepted, None)
    if first is None:
        examples = "; ".join(f"{item.file.name}: {item.reason}" for item in left_out[:3])
        raise InputError(
            f"{source}: none of the {len(tasks)} recordings of format {format_name} there can be "
            f"used ({examples}{'; ...' if len(left_out) > 3 else ''})"
        )
    with recordings_to_file(out / FILE_NAME, layout=rules.layout, dataset=name) as add:
        for recording in itertools.chain([first], accepted):
            add(recording)
    report = out / REPORT_NAME
    left_out.sort(key=lambda item: (item.file, item.reason))
    write_text(report, _report(left_out, source))
    return Packed(out / FILE_NAME, report, len(rules.names), left_out)


class _Rules:
    """Which of the recordings that were read enter the set."""

    def __init__(self, classes: int | None, listed: frozenset[str]) -> None:
        self.classes = classes
        self.listed = listed
        self.names: set[str] = set()
        self.layout = ""  # that of the first recording

    def accepted(
        self, tasks: Sequence[Task], format_name: str, jobs: int, left_out: list[LeftOut]
    ) -> Iterator[Recording]:
        """Read, yield what enters, and note the rest in ``left_out``."""
        for task, outcome in read_source(tasks, format_name, jobs):
            if isinstance(outcome, LeftOut):
                left_out.append(outcome)
                continue
            left_out += outcome.left_out
            for recording in outcome.recordings:
                reason = self.reason_against(recording, outcome.layout)
                if reason:
                    left_out.append(LeftOut(task[0], f"recording '{recording.name}': {reason}"))
                else:
                    self.layout = outcome.layout
                    self.names.add(recording.name)
                    yield recording

    def reason_against(self, recording: Recording, layout: str) -> str:
        """Why a recording does not enter, or an empty string."""
        if recording.name in self.listed:
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


def _report(left_out: Sequence[LeftOut], source: Path) -> str:
    """The report as CSV, with paths as seen from the source."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["file", "reason"])
    base = source if source.is_dir() else source.parent
    for item in left_out:
        writer.writerow([item.file.relative_to(base).as_posix(), item.reason])
    return text.getvalue()


def parser(prog: str = "python -m amsf.pack") -> argparse.ArgumentParser:
    """What the command takes."""
    own = argparse.ArgumentParser(prog=prog, description=__doc__.split("\n")[0])
    own.add_argument("source", type=Path, help="the folder of raw recordings (npz: or the file)")
    own.add_argument("--format", required=True, choices=FORMATS, dest="format_name")
    own.add_argument("--out", type=Path, required=True, help="the folder to write into")
    own.add_argument("--dataset", help="npz: the dataset's name (default: that of --out)")
    own.add_argument("--jobs", type=int, default=0, help="processes (default: one for each core)")
    own.add_argument("--missing", type=Path, help="a text file naming recordings to leave out")
    add_project(own)
    return own


def main(arguments: Sequence[str] | None = None, prog: str = "python -m amsf.pack") -> None:
    """The command line."""
    given = parser(prog).parse_args(arguments)
    start = time.perf_counter()
    try:
        with inside_project(given):
            options = {name: value for name, value in vars(given).items() if name != "project"}
            packed = pack(**options)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    seconds = time.perf_counter() - start
    rate = packed.recordings / seconds
    print(f"{packed.skeletons}: {packed.recordings} recordings in {seconds:.1f} s ({rate:.0f}/s)")
    print(f"{packed.report}: {len(packed.left_out)} entries of what was left out, with reasons")


if __name__ == "__main__":
    main()
