"""Reading raw recordings of any known format, in parallel and without losing one silently.

``FORMATS`` names the formats; :func:`read_source` reads a folder of one of them, and
:func:`read_file` a single recording, as for prediction.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from joblib import Parallel, cpu_count, delayed

from amsf.base.errors import InputError
from amsf.base.progress import track
from amsf.base.workers import workers_alive
from amsf.pack import npz as read_npz
from amsf.pack import ntu as read_ntu
from amsf.pack import pku as read_pku
from amsf.pack import utd as read_utd
from amsf.pack.base import LeftOut, Reading, Task, reason_of
from amsf.skeleton.recordings import FILE_NAME, Recording, SkeletonSet

REPORT_NAME = "skeletons.report.csv"
_CHUNK = 64  # files a worker reads at once: some MB of joints a message


@dataclass(frozen=True)
class Format:
    """A raw format and the dataset that comes in it.

    Attributes:
        suffix: the suffix of its files, with the dot.
        form: the form of a file's name, for people.
        classes: the number of the dataset's classes; None for a user's own.
        plan, read: see :mod:`amsf.pack.base`.
    """

    suffix: str
    form: str
    classes: int | None
    plan: Callable[[Sequence[Path], int | None], tuple[list[Task], list[LeftOut]]]
    read: Callable[[Task], Reading]


FORMATS: dict[str, Format] = {
    "ntu60": Format(read_ntu.SUFFIX, read_ntu.FORM, 60, read_ntu.plan, read_ntu.read),
    "ntu120": Format(read_ntu.SUFFIX, read_ntu.FORM, 120, read_ntu.plan, read_ntu.read),
    "pku51": Format(read_pku.SUFFIX, read_pku.FORM, 51, read_pku.plan, read_pku.read),
    "utd27": Format(read_utd.SUFFIX, read_utd.FORM, 27, read_utd.plan, read_utd.read),
    "npz": Format(read_npz.SUFFIX, read_npz.FORM, None, read_npz.plan, read_npz.read),
}


def read_file(path: str | Path) -> tuple[str, list[Recording]]:
    """Read the recordings of one file, whatever its format, by its suffix.

    Args:
        path: ``.skeleton`` (NTU), ``.mat`` (UTD-MHAD), ``.txt`` (a PKU-MMD video, as one
            recording), ``.npz`` (generic) or ``.safetensors`` (a packed set). Its name need not
            be the dataset's: numbers that it does not contain are -1.

    Returns:
        The joint layout, a key of :data:`amsf.skeleton.joints.LAYOUTS`, and the recordings.

    Raises:
        InputError: no such file, an unknown suffix, or the file or a part of it is not readable.
    """
    path = Path(path)
    if path.is_dir():
        raise InputError(
            f"{path}: a folder; expected a file: name its files, or pack it with `python -m "
            "amsf.pack`"
        )
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    if path.suffix == ".safetensors":
        packed = SkeletonSet.load(path)
        return packed.layout, [packed.recording(i) for i in range(len(packed))]
    readers = {entry.suffix: entry.read for entry in FORMATS.values()}
    if path.suffix not in readers:
        known = ", ".join([*readers, ".safetensors"])
        raise InputError(f"{path}: no reader for '{path.suffix}' files; there are {known}")
    try:
        reading = readers[path.suffix]((path,))
    except OSError as error:
        raise InputError(f"{path}: {error}") from error
    if reading.left_out:
        raise InputError(f"{path}: {reading.left_out[0].reason}")
    return reading.layout, reading.recordings


def find_source(source: str | Path, format_name: str) -> tuple[list[Task], list[LeftOut]]:
    """Look through a folder (and the folders in it), or take one file.

    Args:
        source: the folder or file.
        format_name: a key of :data:`FORMATS`.

    Returns:
        What is to be read, in the order of names, and the files that are no recordings.

    Raises:
        InputError: there is no such folder, or nothing in it has the format's form.
    """
    source = Path(source)
    if format_name not in FORMATS:
        raise InputError(f"format '{format_name}' is not known; there are {', '.join(FORMATS)}")
    entry = FORMATS[format_name]
    if source.is_dir():
        own = (FILE_NAME, REPORT_NAME)
        files = sorted(p for p in source.rglob("*") if p.is_file() and p.name not in own)
    elif source.is_file():
        files = [source]
    else:
        raise InputError(f"{source}: no such folder or file")
    tasks, left_out = entry.plan(files, entry.classes)
    if not tasks:
        what = f"only other files, such as {files[0].name}" if files else "no files"
        raise InputError(
            f"{source}: no recording of format {format_name} there; expected files named "
            f"{entry.form}; there are {what}"
        )
    return tasks, left_out


def read_missing_list(path: str | Path) -> frozenset[str]:
    """The words of a text file that names recordings to leave out, without file suffixes.

    The official lists of missing and incomplete samples of NTU RGB+D have prose at their top; its
    words are no names of recordings and do no harm.

    Raises:
        InputError: no such file, or it is empty.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such list of recordings to leave out; check --missing")
    suffixes = "|".join(re.escape(entry.suffix) for entry in FORMATS.values())
    text = path.read_text(encoding="utf-8", errors="replace")
    words = [re.sub(f"({suffixes})$", "", word) for word in re.split(r"[\s,;]+", text) if word]
    if not words:
        raise InputError(f"{path}: the list of recordings to leave out is empty")
    return frozenset(words)


def read_source(
    tasks: Sequence[Task], format_name: str, jobs: int = 0
) -> Iterator[tuple[Task, Reading | LeftOut]]:
    """Read tasks in parallel; yield each with its outcome, in the order of the tasks.

    Args:
        tasks: the tasks that :func:`find_source` returns.
        format_name: a key of :data:`FORMATS`.
        jobs: processes; 0 takes one for each core.

    A file that cannot be read gives a :class:`amsf.pack.base.LeftOut` and the rest goes on.
    """
    jobs = jobs or cpu_count()
    chunk = max(1, min(_CHUNK, len(tasks) // (4 * jobs)))
    chunks = [tasks[i : i + chunk] for i in range(0, len(tasks), chunk)]
    # The outcomes come in order and are let go one by one: a dataset never is in memory whole.
    parallel = Parallel(n_jobs=min(jobs, len(chunks)) or 1, return_as="generator")
    with workers_alive(f"--jobs (there were {min(jobs, len(chunks))})"):
        outcomes = parallel(delayed(_read_chunk)(part, format_name) for part in chunks)
        flat = (outcome for part in outcomes for outcome in part)
        yield from zip(tasks, track(flat, "reading recordings", total=len(tasks)))


def _read_chunk(tasks: Sequence[Task], format_name: str) -> list[Reading | LeftOut]:
    outcomes: list[Reading | LeftOut] = []
    for task in tasks:
        try:
            outcomes.append(FORMATS[format_name].read(task))
        # Whatever a damaged file makes a parser raise, it must not stop the other files.
        except Exception as error:
            outcomes.append(LeftOut(task[0], reason_of(error, task[0])))
    return outcomes
