"""The canonical skeleton set: every recording of a dataset in one memory-mappable file.

All readers and the simulator write it, the skeleton encoder and prediction read it. It is a
safetensors file, so that opening gigabytes takes no time and no memory until rows are read.

Coordinates are metres in the sensor's frame with y up: x to the sensor's left (towards the right
hand of a person who faces it), y up, z away from it. Every row is a pose: what was lost
is filled on the way into a set (see :mod:`amsf.skeleton.cleaning`).

R = rows (poses) of all recordings, N = recordings, M = persons (1 or 2), T = frames, J = joints.
"""

from __future__ import annotations

import json
import reprlib
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from amsf.base.errors import InputError, OtherContentError, counted
from amsf.base.storage import open_tensors, read_metadata, refusals_told, write_tensors
from amsf.skeleton.joints import layout_of

FILE_NAME = "skeletons.safetensors"
UNKNOWN = -1
# Sensors reach some ten metres: a number beyond this is no place in metres.
FARTHEST_M = 1000.0
_NUMBERS = ("label", "subject", "camera", "setup")
_BLOCK = 1_000_000  # rows looked at together when a whole set is checked: 300 MB


@dataclass(frozen=True)
class Recording:
    """One recording on its way into a set.

    Attributes:
        joints: (M, T, J, 3) float32 metres, the main person first.
        name: unique in its set.
        label: 0-based class id; -1 where unknown, as for the other numbers.
        subject, camera, setup: the dataset's numbers.

    Raises:
        InputError: the array has another shape, no frame or more than two persons, or a coordinate
            is not finite.
    """

    joints: np.ndarray
    name: str
    label: int = UNKNOWN
    subject: int = UNKNOWN
    camera: int = UNKNOWN
    setup: int = UNKNOWN

    def __post_init__(self) -> None:
        shape = self.joints.shape
        if len(shape) != 4 or shape[3] != 3 or not 1 <= shape[0] <= 2 or 0 in shape:
            raise InputError(
                f"{self.name}: the joints have shape {shape}; expected (persons, frames, joints, 3)"
                " with one or two persons and at least one frame"
            )
        if not np.isfinite(self.joints).all():
            frame = int(np.argwhere(~np.isfinite(self.joints))[0][1])
            raise InputError(f"{self.name}: a coordinate in frame {frame} is not finite")


@dataclass(frozen=True)
class SkeletonSet:
    """The recordings of a dataset; ``set[i]`` is recording i as (M, T, J, 3), not copied.

    Attributes:
        joints: (R, J, 3) float32 metres, one recording's rows after another's. Within a recording
            all frames of the main person come first, then all of the second.
        offset: (N + 1,) int64; recording i has the rows ``offset[i]:offset[i + 1]``.
        persons: (N,) int8, 1 or 2.
        label: (N,) int64, 0-based class ids; -1 unknown.
        subject, camera, setup: (N,) int64, as numbered by the dataset; -1 unknown.
        names: the N unique names.
        layout: the joint set, a key of :data:`amsf.skeleton.joints.LAYOUTS`.
        simulated: whether the recordings are made, not measured.
        dataset: the dataset's name.

    Raises:
        InputError: the parts do not agree with each other.
    """

    joints: np.ndarray
    offset: np.ndarray
    persons: np.ndarray
    label: np.ndarray
    subject: np.ndarray
    camera: np.ndarray
    setup: np.ndarray
    names: list[str]
    layout: str
    simulated: bool
    dataset: str

    def __post_init__(self) -> None:
        problem = self._problem()
        if problem:
            raise InputError(f"skeleton set '{self.dataset}': {problem}")

    def _problem(self) -> str:
        """What does not agree, or an empty string; reads no joints."""
        count, joints = len(self.names), len(layout_of(self.layout))
        if self.joints.ndim != 3 or self.joints.shape[1:] != (joints, 3):
            return f"joints are {self.joints.shape}; expected (rows, {joints}, 3) for {self.layout}"
        if self.joints.dtype != np.float32:
            return f"joints are {self.joints.dtype}; expected float32"
        if len(set(self.names)) < count:
            return "two recordings have the same name"
        if self.offset.shape != (count + 1,) or self.offset.dtype != np.int64:
            return f"offset is {self.offset.dtype} {self.offset.shape}; expected int64 {count + 1}"
        if self.offset[0] != 0 or self.offset[-1] != len(self.joints):
            return (
                f"offset runs from {self.offset[0]} to {self.offset[-1]}; expected 0 to "
                f"{len(self.joints)}, the number of rows"
            )
        if self.persons.shape != (count,) or not np.isin(self.persons, (1, 2)).all():
            return f"persons is {self.persons.shape}; expected {count} entries of 1 or 2"
        rows = np.diff(self.offset)
        wrong = (rows <= 0) | (rows % self.persons != 0)
        if wrong.any():
            at = int(wrong.argmax())
            found, persons = counted(rows[at], "row"), counted(self.persons[at], "person")
            return f"'{self.names[at]}' has {found} for {persons}"
        for name in _NUMBERS:
            values = getattr(self, name)
            if values.shape != (count,) or values.dtype != np.int64 or (values < UNKNOWN).any():
                return f"{name} is {values.dtype} {values.shape}; expected {count} int64 from -1"
        return ""

    def validate(self, classes: int | None = None) -> None:
        """Read everything once and check it.

        Args:
            classes: the number of classes of the dataset, where labels are to be checked too.

        Raises:
            InputError: a coordinate is no place in metres, or a label is not below ``classes``.
        """
        if classes is not None and (self.label >= classes).any():
            at = int((self.label >= classes).argmax())
            raise InputError(
                f"skeleton set '{self.dataset}': '{self.names[at]}' has label {self.label[at]}; "
                f"expected 0 to {classes - 1} for {classes} classes (-1: unknown)"
            )
        for start in range(0, len(self.joints), _BLOCK):
            near = (np.abs(self.joints[start : start + _BLOCK]) <= FARTHEST_M).all((1, 2))
            if not near.all():
                at = int(np.searchsorted(self.offset, start + near.argmin(), side="right")) - 1
                raise InputError(
                    f"skeleton set '{self.dataset}': '{self.names[at]}' has a coordinate that is "
                    f"not finite or beyond {FARTHEST_M:.0f} m; pack the recordings again"
                )

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, i: int) -> np.ndarray:
        """The (M, T, J, 3) joints of recording ``i``, without copying."""
        i = range(len(self))[i]
        rows = self.joints[self.offset[i] : self.offset[i + 1]]
        return rows.reshape(int(self.persons[i]), -1, *rows.shape[1:])

    @property
    def frames(self) -> np.ndarray:
        """(N,) int64: the number of frames T of each recording."""
        return np.diff(self.offset) // self.persons

    def recording(self, i: int) -> Recording:
        """Recording ``i`` with its name and numbers."""
        i = range(len(self))[i]
        return Recording(self[i], self.names[i], *(int(getattr(self, n)[i]) for n in _NUMBERS))

    def subset(self, indices: Iterable[int] | np.ndarray) -> SkeletonSet:
        """The recordings of the given indices (or where an (N,) bool mask holds), copied."""
        chosen = np.asarray(list(indices) if not isinstance(indices, np.ndarray) else indices)
        chosen = np.flatnonzero(chosen) if chosen.dtype == bool else chosen.astype(np.int64)
        rows = [self.joints[self.offset[i] : self.offset[i + 1]] for i in chosen]
        return SkeletonSet(
            joints=np.concatenate(rows) if rows else self.joints[:0],
            offset=np.cumsum([0, *map(len, rows)], dtype=np.int64),
            persons=self.persons[chosen],
            **{name: getattr(self, name)[chosen] for name in _NUMBERS},
            names=[self.names[i] for i in chosen],
            layout=self.layout,
            simulated=self.simulated,
            dataset=self.dataset,
        )

    @classmethod
    def from_recordings(
        cls,
        recordings: Sequence[Recording],
        *,
        layout: str,
        dataset: str,
        simulated: bool = False,
    ) -> SkeletonSet:
        """Gather recordings that fit into memory.

        Raises:
            InputError: a recording has other joints than ``layout``, or two have the same name.
        """
        index = _Index(layout)
        rows = [index.add(recording) for recording in recordings]
        empty = np.zeros((0, len(layout_of(layout)), 3), np.float32)
        return cls(
            joints=np.concatenate(rows) if rows else empty,
            **index.arrays(),
            names=index.names,
            layout=layout,
            simulated=simulated,
            dataset=dataset,
        )

    def save(self, path: str | Path) -> None:
        """Write the set atomically; equal sets give equal bytes.

        Raises:
            InputError: a coordinate is no place in metres.
        """
        self.validate()
        arrays = ("joints", "offset", "persons", *_NUMBERS)
        note = {n: getattr(self, n) for n in ("names", "layout", "simulated", "dataset")}
        write_tensors(path, {name: getattr(self, name) for name in arrays}, note)

    @classmethod
    def load(cls, path: str | Path) -> SkeletonSet:
        """Open a set; the joints stay on disk and are mapped read-only.

        Raises:
            OtherContentError: the safetensors file is not a skeleton set.
            InputError: the file is missing or cut short, or parts of the set do not agree.
        """
        path = Path(path)
        note = read_metadata(path)
        fields = {"names", "layout", "simulated", "dataset"}
        if not isinstance(note, dict) or set(note) != fields:
            raise OtherContentError(
                f"{path}: a safetensors file, but not a skeleton set; make one with "
                "`python -m amsf.pack`"
            )
        names, simulated = note["names"], note["simulated"]
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise InputError(f"{path}: names are {reprlib.repr(names)}; expected texts: pack again")
        if not isinstance(simulated, bool):
            raise InputError(
                f"{path}: simulated is {reprlib.repr(simulated)}; expected true or false: pack "
                "again"
            )
        for name in ("dataset", "layout"):
            if not isinstance(note[name], str):
                value = reprlib.repr(note[name])
                raise InputError(f"{path}: {name} is {value}; expected a name: pack again")
        arrays = ("offset", "persons", *_NUMBERS)
        with open_tensors(path) as file:
            absent = sorted({"joints", *arrays} - set(file.keys()))
            if absent:
                raise InputError(f"{path}: the skeleton set lacks {', '.join(absent)}")
            columns = {name: file.get_tensor(name) for name in arrays}
        try:
            return cls(joints=_map_joints(path), **columns, **note)
        except InputError as error:
            raise InputError(f"{path}: {error}; pack the recordings again") from error


@contextmanager
def recordings_to_file(
    path: str | Path, *, layout: str, dataset: str, simulated: bool = False
) -> Iterator[Callable[[Recording], None]]:
    """Write a set whose recordings come one at a time and may not fit into memory together.

    Used as ``with recordings_to_file(...) as add: add(recording)``. The joints are spooled to a
    temporary file beside ``path``; ``path`` and its folder appear when the block ends well, and not
    otherwise. The bytes are those of :meth:`SkeletonSet.save`.

    Raises:
        InputError: a recording has other joints than ``layout``, the disk is full, or writing
            there is not allowed.
    """
    path = Path(path)
    index = _Index(layout)
    absent = [above for above in path.parents if not above.exists()]
    try:
        with refusals_told(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        # In a folder of its own, which goes even if the last bytes of the file cannot be written.
        with (
            refusals_told(path),
            tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder,
            Path(folder, "rows").open("wb") as spool,
        ):

            def add(recording: Recording) -> None:
                spool.write(index.add(recording).data)

            yield add
            spool.flush()
            SkeletonSet(
                joints=_map(Path(spool.name), 0, (sum(index.rows), len(layout_of(layout)), 3)),
                **index.arrays(),
                names=index.names,
                layout=layout,
                simulated=simulated,
                dataset=dataset,
            ).save(path)
    finally:
        if not path.exists():
            for made in absent:  # from below to above, as far as they are empty
                with suppress(OSError):
                    made.rmdir()


class _Index:
    """All of a set but its joints, collected recording by recording."""

    def __init__(self, layout: str) -> None:
        self.layout = layout
        self.names: list[str] = []
        self.rows: list[int] = []
        self.persons: list[int] = []
        self.numbers: list[tuple[int, ...]] = []

    def add(self, recording: Recording) -> np.ndarray:
        """Note a recording and return its (rows, J, 3) float32 joints."""
        persons, frames, joints, _ = recording.joints.shape
        expected = len(layout_of(self.layout))
        if joints != expected:
            raise InputError(
                f"{recording.name}: it has {joints} joints; expected {expected} ({self.layout})"
            )
        self.names.append(recording.name)
        self.rows.append(persons * frames)
        self.persons.append(persons)
        self.numbers.append(tuple(getattr(recording, name) for name in _NUMBERS))
        return np.ascontiguousarray(recording.joints, np.float32).reshape(-1, joints, 3)

    def arrays(self) -> dict[str, np.ndarray]:
        """``offset``, ``persons`` and the numbers, as a set has them."""
        numbers = np.array(self.numbers, np.int64).reshape(-1, len(_NUMBERS))
        return {
            "offset": np.cumsum([0, *self.rows], dtype=np.int64),
            "persons": np.array(self.persons, np.int8),
            **{name: numbers[:, k].copy() for k, name in enumerate(_NUMBERS)},
        }


def _map(path: Path, start: int, shape: tuple[int, ...]) -> np.ndarray:
    """Map float32 values of a file read-only; an empty array needs no file."""
    if 0 in shape:
        return np.zeros(shape, np.float32)
    return np.asarray(np.memmap(path, np.float32, "r", start, shape))


def _map_joints(path: Path) -> np.ndarray:
    """Map the joints of a safetensors file that ``safe_open`` has already checked.

    The library's numpy interface copies what it reads. The format is: the header's length as 8
    bytes little-endian, a JSON header with each array's dtype, shape and place, then the data
    (https://huggingface.co/docs/safetensors).
    """
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        entry = json.loads(file.read(length))["joints"]
    if entry["dtype"] != "F32":
        raise InputError(f"joints are {entry['dtype']}; expected F32")
    return _map(path, 8 + length + entry["data_offsets"][0], tuple(entry["shape"]))
