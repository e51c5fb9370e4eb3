"""Reading raw recordings of any known format, in parallel and without losing one silently.

``FORMATS`` names the formats; :func:`read_source` reads a folder of one of them, and
:func:`read_any` a single file, as for prediction. Whatever the format, what its reader finds goes
through one clean-up, :mod:`amsf.skeleton.cleaning`.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from joblib import Parallel, cpu_count, delayed

from amsf.base.errors import InputError
from amsf.base.progress import track
from amsf.base.workers import workers_alive
from amsf.pack import (
    bvh,
    kinect_sets,
    mediapipe,
    npz,
    ntu,
    openpose,
    pku,
    pyskl,
    stacked,
    table,
    utd,
)
from amsf.pack.base import LeftOut, Outcome, Reading, Task, cleaned, plan_by_suffix, reason_of
from amsf.skeleton.bodies import Track
from amsf.skeleton.cleaning import NOTHING, RawRecording, Stated
from amsf.skeleton.recordings import FILE_NAME, Recording, SkeletonSet
from amsf.video import clip
from amsf.video.landmarks import check_video
from amsf.video.read import LAYOUT, read_video

REPORT_NAME = "skeletons.report.csv"
SET_SUFFIX = ".safetensors"
_CHUNK = 64  # files a worker reads at once: some MB of joints a message


@dataclass(frozen=True)
class Format:
    """A raw format and the dataset that comes in it.

    Attributes:
        suffix: the suffix of its files, with the dot, or several.
        form: the form of a file's name, for people.
        classes: the number of the dataset's classes; None for a user's own.
        plan, read: see :mod:`amsf.pack.base`.
        fits: whether a file of the suffix is of this format; None where another form of the suffix
            is told by its own.
        informed: whether ``read`` takes what the user says of the files, too.
    """

    suffix: str | tuple[str, ...]
    form: str
    classes: int | None
    plan: Callable[[Sequence[Path], int | None], tuple[list[Task], list[LeftOut]]]
    read: Callable[..., Reading]
    fits: Callable[[Path], bool] | None = None
    informed: bool = False

    @property
    def suffixes(self) -> tuple[str, ...]:
        """The suffixes of its files."""
        return (self.suffix,) if isinstance(self.suffix, str) else self.suffix

    def outcome(self, task: Task, stated: Stated) -> Outcome:
        """Read and clean a task."""
        reading = self.read(task, stated) if self.informed else self.read(task)
        return cleaned(reading, task[0], stated)


def _plan_video(files: Sequence[Path], classes: int | None) -> tuple[list[Task], list[LeftOut]]:
    return plan_by_suffix(files, clip.SUFFIXES, clip.FORM)


def _read_video(task: Task, stated: Stated) -> Reading:
    (path,) = task
    return Reading(LAYOUT, [read_video(path, stated.pose_model, swapped=bool(stated.mirror))])


FORMATS: dict[str, Format] = {
    "ntu60": Format(ntu.SUFFIX, ntu.FORM, 60, ntu.plan, ntu.read),
    "ntu120": Format(ntu.SUFFIX, ntu.FORM, 120, ntu.plan, ntu.read),
    "pku51": Format(pku.SUFFIX, pku.FORM, 51, pku.plan, pku.read),
    "utd27": Format(utd.SUFFIX, utd.FORM, 27, utd.plan, utd.read),
    "npz": Format(npz.SUFFIX, npz.FORM, None, npz.plan, npz.read, npz.fits),
    "csv": Format(table.SUFFIX, table.FORM, None, table.plan, table.read, table.fits),
    "bvh": Format(bvh.SUFFIX, bvh.FORM, None, bvh.plan, bvh.read),
    "pyskl": Format(pyskl.SUFFIX, pyskl.FORM, None, pyskl.plan, pyskl.read),
    "ctrgcn": Format(
        stacked.CTRGCN_SUFFIX, stacked.CTRGCN_FORM, None, stacked.plan_ctrgcn, stacked.read_ctrgcn,
        stacked.fits_ctrgcn,
    ),
    "stgcn": Format(
        stacked.STGCN_SUFFIX, stacked.STGCN_FORM, None, stacked.plan_stgcn, stacked.read_stgcn
    ),
    "openpose": Format(
        openpose.SUFFIX, openpose.FORM, None, openpose.plan, openpose.read, openpose.fits
    ),
    "kinetics": Format(
        openpose.SUFFIX, openpose.KINETICS_FORM, None, openpose.plan_kinetics,
        openpose.read_kinetics, openpose.fits_kinetics,
    ),
    "ucla": Format(
        kinect_sets.UCLA_SUFFIX, kinect_sets.UCLA_FORM, None, kinect_sets.plan_ucla,
        kinect_sets.read_ucla, kinect_sets.fits_ucla,
    ),
    "mediapipe": Format(
        mediapipe.SUFFIX, mediapipe.FORM, None, mediapipe.plan, mediapipe.read, mediapipe.fits
    ),
    "utkinect": Format(
        kinect_sets.SUFFIX, kinect_sets.UTK_FORM, None, kinect_sets.plan_utk, kinect_sets.read_utk,
        kinect_sets.fits_utk,
    ),
    "msr": Format(
        kinect_sets.SUFFIX, kinect_sets.MSR_FORM, None, kinect_sets.plan_msr, kinect_sets.read_msr,
        kinect_sets.fits_msr,
    ),
    "video": Format(clip.SUFFIXES, clip.FORM, None, _plan_video, _read_video, informed=True),
}  # fmt: skip


def read_any(path: str | Path, stated: Stated = NOTHING) -> Outcome:
    """Read and clean what can be used of one file, whatever its format.

    Args:
        path: a file of a format in :data:`FORMATS`, told by its suffix and, where several formats
            have that, by its name or content; a packed set (``.safetensors``); or a folder of
            OpenPose's frames. Its name need not be the dataset's: numbers that it does not contain
            are -1.
        stated: what the user says of the file.

    Raises:
        InputError: no such file, an unknown suffix, or the file is not readable.
    """
    path = Path(path)
    if path.is_dir():
        tasks, _ = openpose.plan(sorted(path.iterdir()), None)
        if len(tasks) == 1:
            return cleaned(openpose.read(tasks[0]), path, stated)
        raise InputError(
            f"{path}: a folder; expected a file: name its files, or pack it with `python -m "
            "amsf.pack`"
        )
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    suffix = path.suffix.lower()
    if suffix == SET_SUFFIX:
        return cleaned(_unpacked(SkeletonSet.load(path)), path, Stated(up="y"))
    try:
        return format_of(path).outcome((path,), stated)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}; check the file") from error


def format_of(path: Path) -> Format:
    """The format of a file, by its suffix, and its name or content.

    Raises:
        InputError: there is none.
    """
    suffix = path.suffix.lower()
    entries = [entry for entry in FORMATS.values() if suffix in entry.suffixes]
    if suffix == mediapipe.JSON_SUFFIX:
        entries.append(FORMATS["mediapipe"])
    if not entries:
        every = dict.fromkeys(one for entry in FORMATS.values() for one in entry.suffixes)
        known = ", ".join([*every, SET_SUFFIX])
        raise InputError(f"{path}: no reader for '{path.suffix}' files; there are {known}")
    fitting = [entry for entry in entries if entry.fits is not None and entry.fits(path)]
    fitting += [entry for entry in entries if entry.fits is None]
    if not fitting and suffix == npz.SUFFIX:  # whose own reader says best what is missing
        return FORMATS["npz"]
    if not fitting:
        forms = "; or ".join(entry.form for entry in entries)
        raise InputError(f"{path}: what is in it is of no known form; expected {forms}")
    return fitting[0]


def read_file(path: str | Path, stated: Stated = NOTHING) -> tuple[str, list[Recording]]:
    """Read the recordings of one file of which every one must be usable.

    Args:
        path, stated: see :func:`read_any`.

    Returns:
        The joint layout, a key of :data:`amsf.skeleton.joints.LAYOUTS`, and the recordings.

    Raises:
        InputError: as :func:`read_any`, or a part of the file cannot be used.
    """
    outcome = read_any(path, stated)
    if outcome.left_out:
        raise InputError(f"{path}: {outcome.left_out[0].reason}")
    return outcome.layout, outcome.recordings


def _unpacked(packed: SkeletonSet) -> Reading:
    """A packed set as if it had been read: others may have written it."""
    reading = Reading(packed.layout, [])
    for i in range(len(packed)):
        recording = packed.recording(i)
        numbers = {n: getattr(recording, n) for n in ("label", "subject", "camera", "setup")}
        bodies = [Track(np.arange(len(body)), body) for body in recording.joints]
        reading.recordings.append(RawRecording(bodies, recording.name, numbers, main_first=True))
    return reading


def find_source(source: str | Path, format_name: str) -> tuple[list[Task], list[LeftOut]]:
    """Look through a folder (and the folders in it, linked ones as well), or take one file.

    Args:
        source: the folder or file.
        format_name: a key of :data:`FORMATS`.

    Returns:
        What is to be read, in the order of names, and the files that are no recordings and the
        folders and links that lead nowhere.

    Raises:
        InputError: there is no such folder, or nothing in it has the format's form.
    """
    source = Path(source)
    if format_name not in FORMATS:
        raise InputError(f"format '{format_name}' is not known; there are {', '.join(FORMATS)}")
    entry = FORMATS[format_name]
    closed: list[LeftOut] = []
    if source.is_dir():
        found, closed = walk(source)
        files = [p for p in found if p.name not in (FILE_NAME, REPORT_NAME)]
    elif source.is_file():
        files = [source]
    else:
        raise InputError(f"{source}: no such folder or file")
    tasks, left_out = entry.plan(files, entry.classes)
    left_out = [*closed, *left_out]
    if not tasks:
        examples = "; ".join(f"{item.file.name}: {item.reason}" for item in left_out[:2])
        what = f"only others, such as {examples}" if left_out else "no files"
        raise InputError(
            f"{source}: no recording of format {format_name} there; expected files named "
            f"{entry.form}; there are {what}"
        )
    return tasks, left_out


def walk(source: Path) -> tuple[list[Path], list[LeftOut]]:
    """All files below a folder in the order of names, and what could not be entered.

    Linked folders are entered, each folder once, by whatever way it is met first.
    """
    files: list[Path] = []
    closed: list[LeftOut] = []
    entered: dict[tuple[int, int], Path] = {}

    def unreadable(error: OSError) -> None:
        closed.append(LeftOut(Path(error.filename), f"cannot be entered: {error.strerror}"))

    for place, folders, names in os.walk(source, onerror=unreadable, followlinks=True):
        folder = Path(place)
        status = folder.stat()
        first = entered.setdefault((status.st_dev, status.st_ino), folder)
        if first != folder:
            closed.append(LeftOut(folder, f"the same folder as {first.relative_to(source) or '.'}"))
            folders.clear()
            continue
        folders.sort()
        for path in map(folder.joinpath, names):
            try:
                if path.is_file():
                    files.append(path)
                elif path.is_symlink():
                    reason = f"a link to {path.readlink()}, which is not there"
                    closed.append(LeftOut(path, reason))
                else:
                    closed.append(LeftOut(path, "neither a file nor a folder"))
            except OSError as error:
                closed.append(LeftOut(path, f"cannot be opened: {error.strerror}"))
    return sorted(files), closed


def read_source(
    tasks: Sequence[Task], format_name: str, jobs: int = 0, stated: Stated = NOTHING
) -> Iterator[tuple[Task, Outcome | LeftOut]]:
    """Read and clean tasks in parallel; yield each with its outcome, in the order of the tasks.

    Args:
        tasks: the tasks that :func:`find_source` returns.
        format_name: a key of :data:`FORMATS`.
        jobs: processes; 0 takes one for each core.
        stated: what the user says of the files.

    A file that cannot be read gives a :class:`amsf.pack.base.LeftOut` and the rest goes on.

    Raises:
        InputError: videos are to be read, and the pose model, or what it runs on, is not there.
    """
    if format_name == "video":
        check_video(stated.pose_model)
    jobs = jobs or cpu_count()
    chunk = max(1, min(_CHUNK, len(tasks) // (4 * jobs)))
    chunks = [tasks[i : i + chunk] for i in range(0, len(tasks), chunk)]
    # The outcomes come in order and are let go one by one: a dataset never is in memory whole.
    parallel = Parallel(n_jobs=min(jobs, len(chunks)) or 1, return_as="generator")
    with workers_alive(f"--jobs (there were {min(jobs, len(chunks))})"):
        outcomes = parallel(delayed(_read_chunk)(part, format_name, stated) for part in chunks)
        flat = (outcome for part in outcomes for outcome in part)
        try:
            yield from zip(tasks, track(flat, "reading recordings", total=len(tasks)))
        finally:
            # Who stops early, as on a full disk, says why; joblib would warn of it as well.
            with warnings.catch_warnings(action="ignore"):
                outcomes.close()


def _read_chunk(tasks: Sequence[Task], format_name: str, stated: Stated) -> list[Outcome | LeftOut]:
    outcomes: list[Outcome | LeftOut] = []
    for task in tasks:
        try:
            outcomes.append(FORMATS[format_name].outcome(task, stated))
        # Whatever a damaged file makes a parser raise, it must not stop the other files.
        except Exception as error:
            outcomes.append(LeftOut(task[0], reason_of(error, task[0])))
    return outcomes
