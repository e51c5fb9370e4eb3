"""A few poses of one recording a class."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from amsf.base.errors import InputError
from amsf.base.storage import write_tensors
from amsf.skeleton.joints import layout_of
from amsf.skeleton.poses import Poses
from amsf.skeleton.recordings import Recording, SkeletonSet


@pytest.fixture
def recordings() -> SkeletonSet:
    """Each coordinate is the frame's number, plus 100 in the second person."""
    J = len(layout_of("kinect20"))
    made = []
    for number, (label, persons, frames) in enumerate([(3, 1, 21), (5, 2, 11), (3, 1, 41)]):
        joints = np.zeros((persons, frames, J, 3), np.float32)
        joints += np.arange(frames)[None, :, None, None]
        joints += 100 * np.arange(persons)[:, None, None, None]
        made.append(Recording(joints, f"r{number}", label=label))
    return SkeletonSet.from_recordings(made, layout="kinect20", dataset="mine")


def test_five_poses_of_the_first_recording(recordings: SkeletonSet, tmp_path: Path) -> None:
    Poses.of(recordings, [3, 4, 5], np.array([0, 1, 2])).save(tmp_path)
    found = Poses.load(tmp_path)
    assert found.labels.tolist() == [3, 5]  # class 4 has no recording
    assert found.persons.tolist() == [1, 2]
    assert found.layout == "kinect20"
    assert found.joints[0, 0, :, 0, 0].tolist() == [2, 6, 10, 14, 18]
    assert found.joints[1, 1, :, 7, 2].tolist() == [101, 103, 105, 107, 109]
    assert not found.joints[0, 1].any()
    among = Poses.of(recordings, [3], np.array([2]))
    assert among.joints[0, 0, :, 0, 0].tolist() == [4, 12, 20, 28, 36]


def test_another_file(tmp_path: Path) -> None:
    write_tensors(tmp_path / "poses.safetensors", {"joints": np.zeros(3)})
    with pytest.raises(InputError, match="no poses; run the stage backbone again"):
        Poses.load(tmp_path)
