"""Pack raw recordings once into the canonical skeleton set.

    python -m amsf.pack --format utd27 path/to/Skeleton --out data/external/utd27

writes ``skeletons.safetensors`` into the ``--out`` folder, which is the ``source`` of a benchmark
in ``params.yaml``, and beside it ``skeletons.report.csv``: each file that was left out and why,
and each recording in which something was mended.
"""

from __future__ import annotations

import argparse
import itertools
import re
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from amsf.base.artifacts import CLASSES
from amsf.base.command import command
from amsf.base.display import say
from amsf.base.errors import InputError, counted, first_ten
from amsf.base.project import add_project, inside_project
from amsf.base.storage import write_text
from amsf.base.tables import csv_text
from amsf.dataset.classes import check_name, class_count
from amsf.pack.base import LeftOut, Mended, Outcome, Task
from amsf.pack.formats import FORMATS, REPORT_NAME, find_source, read_source
from amsf.pack.name_list import NameList
from amsf.pack.stated import ClassFolders, NameForm, add_options, take_options
from amsf.skeleton.cleaning import NOTHING, Stated
from amsf.skeleton.correspondence import converted, correspondence
from amsf.skeleton.partition import LIST_NAME
from amsf.skeleton.people import divide
from amsf.skeleton.recordings import (
    FILE_NAME,
    UNKNOWN,
    Recording,
    SkeletonSet,
    recordings_to_file,
)


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
    names: str | None = None,
    stated: Stated = NOTHING,
) -> Packed:
    """Read raw recordings and write the skeleton set and the report on it.

    For recordings of a user's own a list of who trains is written beside them, if there is none.

    Args:
        source: the folder of recordings (or, for ``npz``, the file).
        out: the folder to write into.
        format_name: a key of :data:`amsf.pack.formats.FORMATS`.
        dataset: the dataset's name, by default the name of ``out``; not for the formats that belong
            to one dataset.
        jobs: the number of processes; 0 takes one for each core.
        missing: a text file that names recordings to leave out.
        names: what the names of a user's own recordings say, such as ``{subject}_{label}_{}``
            (:class:`amsf.pack.stated.NameForm`).
        stated: what is known of the files: axes, unit, layout, whether they are 2-D.

    Raises:
        InputError: the dataset's name is not fit for files, the source is not there, holds no file
            of the format, none of them could be read, no recording is in the list ``missing``,
            labels count from 1, ``names`` is no such form, or ``out`` cannot be written. Nothing is
            written then.
    """
    source, out = Path(source), Path(out)
    own = format_name not in FORMATS or FORMATS[format_name].classes is None
    for option, value in (("a dataset's name", dataset), ("--names", names)):
        if value is not None and not own:
            raise InputError(
                f"{option} is for recordings of your own; {format_name} belongs to one dataset"
            )
    listed = NameList(missing) if missing is not None else None
    tasks, left_out = find_source(source, format_name)
    if listed is not None and not own:  # other files may not be named like the recordings in them
        listed.refuse_others(task[0].stem for task in tasks)
    name, classes = format_name, FORMATS[format_name].classes
    if own:
        name = dataset or out.resolve().name
        check_name(name)
        has_list = (CLASSES / f"{name}.csv").is_file()
        classes = class_count(name, CLASSES) if has_list else None
    folders = ClassFolders(name, source) if own else None
    form = NameForm(names, folders) if names is not None and folders is not None else None
    rules = _Rules(classes, folders, form, listed, left_out)
    accepted = rules.accepted(read_source(tasks, format_name, jobs, stated))
    first = next(accepted, None)
    if first is None:
        rules.refuse_labels_from_1()
        examples = "; ".join(f"{item.file.name}: {item.reason}" for item in left_out[:3])
        raise InputError(
            f"{source}: no recording of format {format_name} there can be used; {len(tasks)} tried "
            f"({examples}{'; ...' if len(left_out) > 3 else ''})"
        )
    with recordings_to_file(out / FILE_NAME, layout=rules.layout, dataset=name) as add:
        for recording in itertools.chain([first], accepted):
            add(recording)
        notes = rules.notes()
    training = out / LIST_NAME
    # A list of nothing but numbers is one of subjects.
    listable = all(re.fullmatch(r"(?!\d+$)[^\s,;#]+", one) for one in rules.train)
    if listable and 0 < len(rules.train) < len(rules.names) and not training.exists():
        write_text(training, "\n".join([f"# as {source.name} says", *rules.train]) + "\n")
        named = counted(len(rules.train), "training recording")
        notes.append(f"{training}: {named}, as the files say")
    elif own:
        people = form.people if form is not None else {}
        labels = folders.labels if folders is not None else []
        notes += divide(SkeletonSet.load(out / FILE_NAME), training, people, labels)
    report = out / REPORT_NAME
    left_out.sort(key=lambda item: (item.file, item.reason))
    write_text(report, _report(left_out, rules.mended, source))
    return Packed(out / FILE_NAME, report, len(rules.names), left_out, rules.mended, notes)


class _Rules:
    """Which of the recordings that were read enter the set."""

    def __init__(
        self,
        classes: int | None,
        folders: ClassFolders | None,
        form: NameForm | None,
        listed: NameList | None,
        left_out: list[LeftOut],
    ) -> None:
        self.classes = classes
        # Where labels are a user's, not of a dataset that counts in a known way.
        self.folders = folders
        self.own = folders is not None
        self.form = form
        self.listed = listed
        self.left_out = left_out  # is added to
        self.mended: list[Mended] = []
        self.names: dict[str, Path] = {}  # with the folders of the files
        self.labels: set[int] = set()  # of all that were read
        self.accepted_labels: set[int] = set()
        self.layout = ""  # that of the first recording
        self.train: list[str] = []  # names of those to train on, where the files say which

    def accepted(self, outcomes: Iterable[tuple[Task, Outcome | LeftOut]]) -> Iterator[Recording]:
        """Yield what enters, and note the rest."""
        for task, outcome in outcomes:
            if isinstance(outcome, LeftOut):
                self.left_out.append(outcome)
                if self.listed is not None:
                    self.listed.has([task[0].stem])
                continue
            self.left_out += outcome.left_out
            train = set(outcome.train)
            entered: dict[str, str] = {}  # name in the file -> name in the set
            for found in outcome.recordings:
                try:
                    recording = self.told_by_names(found, task[0])
                except InputError as error:
                    self.left_out.append(LeftOut(task[0], f"recording '{found.name}': {error}"))
                    continue
                recording = self.told_apart(recording, task[0])
                self.labels.add(recording.label)
                reason = self.reason_against(recording, outcome.layout, task[0])
                if reason:
                    why = f"recording '{recording.name}': {reason}"
                    self.left_out.append(LeftOut(task[0], why))
                else:
                    self.layout = self.layout or outcome.layout
                    if outcome.layout != self.layout:
                        joints = converted(recording.joints, outcome.layout, self.layout)
                        recording = replace(recording, joints=joints)
                        what = f"joints of {outcome.layout} taken for those of {self.layout}"
                        self.mended.append(Mended(task[0], recording.name, what))
                    self.names[recording.name] = task[0].parent
                    self.accepted_labels.add(recording.label)
                    entered[found.name] = recording.name
                    if found.name in train:
                        self.train.append(recording.name)
                    yield recording
            self.mended += [
                replace(item, recording=entered[item.recording])
                for item in outcome.mended
                if item.recording in entered
            ]

    def told_by_names(self, recording: Recording, file: Path) -> Recording:
        """A recording with what its name and its folders say.

        Raises:
            InputError: the name is not of the form that the user gave.
        """
        if self.form is not None:
            recording = self.form.told(recording, file)
        if recording.label == UNKNOWN and self.folders is not None:
            recording = replace(recording, label=self.folders.label_of(file))
        return recording

    def told_apart(self, recording: Recording, file: Path) -> Recording:
        """A recording under its name and its folder's, where one of another folder has the name."""
        if not self.own or self.names.get(recording.name, file.parent) == file.parent:
            return recording
        folder = "-".join(file.parent.name.split())
        return replace(recording, name=f"{folder}_{recording.name}")

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
            InputError: labels count from 1, no recording is in the list of those to leave out, or
                some people have a number and some a name.
        """
        self.refuse_labels_from_1()
        if self.form is not None:
            self.form.refuse_mixture()
        labels = self.labels - {UNKNOWN}
        notes = [self.listed.outcome()] if self.listed is not None else []
        if self.own and labels and min(labels) == 1:
            notes.append(
                "no recording has label 0, the lowest is 1; labels count from 0: take 1 off each "
                "if yours count from 1"
            )
        absent = [
            label
            for number, label in enumerate(self.folders.labels if self.folders is not None else [])
            if number not in self.accepted_labels
        ]
        if absent and self.folders is not None:
            notes.append(
                f"no recording of {first_ten(absent)}: a class of {self.folders.path} needs some; "
                "one that has words alone belongs in the file of `amsf predict --classes`"
            )
        return notes

    def reason_against(self, recording: Recording, layout: str, file: Path) -> str:
        """Why a recording does not enter, or an empty string."""
        if self.listed is not None and self.listed.has([recording.name, file.stem]):
            return "it is in the list of recordings to leave out"
        if recording.name in self.names:
            return "another recording has this name already"
        if recording.label == UNKNOWN:
            folders = f"; {self.folders.hint}" if self.folders is not None else ""
            return f"its class is unknown (label -1){folders}"
        if self.classes is not None and recording.label >= self.classes:
            return f"label {recording.label}; expected 0 to {self.classes - 1}"
        if self.layout and layout != self.layout:
            try:
                correspondence(layout, self.layout)
            except InputError as error:
                others = f"those of the recordings before are {self.layout}"
                return f"its joints are {layout}; {others}: {error}"
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
    own.add_argument("source", type=Path, help="the folder of raw recordings, or one file")
    own.add_argument("--format", required=True, choices=FORMATS, dest="format_name")
    own.add_argument("--out", type=Path, required=True, help="the folder to write into")
    own.add_argument("--dataset", help="your own dataset's name (default: that of --out)")
    own.add_argument("--jobs", type=int, default=0, help="processes (default: one for each core)")
    own.add_argument("--missing", type=Path, help="a text file naming recordings to leave out")
    own.add_argument("--names", metavar="FORM", help="what the names of your own recordings say: "
                     "'{subject}/{label}_{}' reads anna/sit_down_01; {} is anything")  # fmt: skip
    add_options(own)
    add_project(own)
    return own


def main(arguments: Sequence[str] | None = None, prog: str = "python -m amsf.pack") -> None:
    """The command line."""
    given = parser(prog).parse_args(arguments)
    start = time.perf_counter()
    with command(), inside_project(given):
        options = {name: value for name, value in vars(given).items() if name != "project"}
        stated = take_options(options)
        packed = pack(**options, stated=stated)
    seconds = time.perf_counter() - start
    rate = packed.recordings / seconds
    recordings = counted(packed.recordings, "recording")
    say(f"{packed.skeletons}: {recordings} in {seconds:.1f} s ({rate:.0f}/s)")
    entries = counted(len(packed.left_out), "entry", "entries")
    say(f"{packed.report}: {entries} of what was left out, with reasons")
    for what, count in Counter(item.what for item in packed.mended).most_common():
        say(f"mended in {counted(count, 'recording')}: {what}")
    for note in packed.notes:
        say(f"note: {note}", sys.stderr)


if __name__ == "__main__":
    main()
