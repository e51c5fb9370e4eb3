"""A few poses of one recording a class, kept beside features so that a report can draw them.

K = recordings · M = 2 persons, the second zero where there is one · P = poses · J = joints.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from amsf.base.errors import InputError
from amsf.base.storage import read_metadata, read_tensors, write_tensors
from amsf.skeleton.joints import LAYOUTS
from amsf.skeleton.recordings import SkeletonSet

FILE_NAME = "poses.safetensors"
COUNT = 5


@dataclass(frozen=True, eq=False)
class Poses:
    """Poses in the order of time.

    Attributes:
        joints: (K, M, P, J, 3) float32 metres, y up.
        persons: (K,) int64, 1 or 2.
        labels: (K,) int64 class ids.
        layout: the joints' layout.
    """

    joints: np.ndarray
    persons: np.ndarray
    labels: np.ndarray
    layout: str

    @classmethod
    def of(cls, recordings: SkeletonSet, classes: Sequence[int], among: np.ndarray) -> Poses:
        """Take :data:`COUNT` poses, evenly spread, of the first recording of each class.

        Args:
            recordings: the set.
            classes: class ids; one without a recording is left out.
            among: row numbers of the recordings to choose from.
        """
        first = {int(recordings.label[i]): int(i) for i in among[::-1]}
        labels = [c for c in classes if c in first]
        joints = np.zeros((len(labels), 2, COUNT, *recordings.joints.shape[1:]), np.float32)
        persons = np.ones(len(labels), np.int64)
        for row, label in enumerate(labels):
            bodies = recordings[first[label]]
            times = np.linspace(0.1, 0.9, COUNT) * (bodies.shape[1] - 1)
            joints[row, : len(bodies)] = bodies[:, times.round().astype(int)]
            persons[row] = len(bodies)
        return cls(joints, persons, np.array(labels, np.int64), recordings.layout)

    def save(self, folder: Path) -> None:
        """Write them into a folder."""
        arrays = {"joints": self.joints, "persons": self.persons, "labels": self.labels}
        write_tensors(folder / FILE_NAME, arrays, {"layout": self.layout})

    @classmethod
    def load(cls, folder: Path) -> Poses:
        """What :meth:`save` wrote.

        Raises:
            InputError: it is not there, or not such a file.
        """
        path = folder / FILE_NAME
        arrays, note = read_tensors(path), read_metadata(path)
        layout = (note or {}).get("layout")
        if set(arrays) != {"joints", "persons", "labels"} or layout not in LAYOUTS:
            raise InputError(f"{path}: no poses; run the stage backbone again")
        return cls(layout=layout, **arrays)
