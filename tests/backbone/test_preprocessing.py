"""Normalisation of recordings: what must not matter does not, what must stay stays."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from amsf.backbone.preprocessing import (
    SkeletonSamples,
    augment,
    normalise,
    prepare,
    resample,
    rotation_y,
    separate_persons,
)
from amsf.base.errors import InputError
from amsf.demo.simulation import simulate
from amsf.skeleton.joints import LAYOUTS
from amsf.skeleton.recordings import SkeletonSet

LAYOUT = LAYOUTS["kinect25"]


@pytest.fixture(scope="module")
def recordings() -> SkeletonSet:
    return simulate(subjects=4, repetitions=1)


def two_people(recordings: SkeletonSet) -> SkeletonSamples:
    """(2, 2, 16, J, 3), two recordings of two persons."""
    rows = np.flatnonzero(recordings.persons == 2)[[0, 30]]
    return prepare(recordings, rows, LAYOUT, 16)


@given(old=st.integers(1, 40), new=st.integers(1, 40))
def test_resample_is_linear_interpolation(old: int, new: int) -> None:
    joints = np.random.default_rng(old).normal(size=(1, old, 2, 3))
    found = resample(joints, new)
    place = np.linspace(0, old - 1, new)
    for j in range(2):
        for axis in range(3):
            expected = np.interp(place, np.arange(old), joints[0, :, j, axis])
            np.testing.assert_allclose(found[0, :, j, axis], expected, atol=1e-12)


@settings(max_examples=20)
@given(scale=st.floats(0.3, 3), shift=st.tuples(*[st.floats(-5, 5)] * 3))
def test_place_and_stature_do_not_matter(scale: float, shift: tuple[float, ...]) -> None:
    joints = np.random.default_rng(0).normal(size=(2, 7, 25, 3))
    moved = scale * joints + np.array(shift)
    np.testing.assert_allclose(normalise(moved, LAYOUT), normalise(joints, LAYOUT), atol=1e-7)


def test_normalised_spine_has_length_one_and_the_root_is_central() -> None:
    joints = normalise(np.random.default_rng(1).normal(size=(2, 9, 25, 3)), LAYOUT)
    lower, upper = LAYOUT.spine
    assert np.linalg.norm(joints[0, :, upper] - joints[0, :, lower], axis=-1).mean() == (
        pytest.approx(1.0)
    )
    np.testing.assert_allclose(joints[0, :, LAYOUT.root].mean(0), 0, atol=1e-12)


def test_a_spine_without_length_does_not_divide_by_zero() -> None:
    assert np.isfinite(normalise(np.zeros((1, 4, 25, 3)), LAYOUT)).all()


def test_only_the_given_rows_are_read(recordings: SkeletonSet) -> None:
    rows = [3, 100]
    chosen = prepare(recordings, rows, LAYOUT, 16)
    joints = recordings.joints.copy()
    keep = np.zeros(len(joints), bool)
    for row in rows:
        keep[recordings.offset[row] : recordings.offset[row + 1]] = True
    joints[~keep] = 77.0
    spoiled = SkeletonSet(**{**vars(recordings), "joints": joints})
    assert torch.equal(prepare(spoiled, rows, LAYOUT, 16).joints, chosen.joints)


@pytest.mark.parametrize("angle", [0.7, -2.5])
def test_the_camera_does_not_matter(recordings: SkeletonSet, angle: float) -> None:
    samples = two_people(recordings)
    turn = rotation_y(torch.tensor([angle]))[0]
    turned = replace(samples, joints=torch.einsum("ij,bmtkj->bmtki", turn, samples.joints))
    a, b = separate_persons(samples, LAYOUT), separate_persons(turned, LAYOUT)
    torch.testing.assert_close(b.own, a.own, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(b.partner, a.partner, atol=1e-4, rtol=1e-4)


def test_views_face_the_sensor_and_stand_at_the_origin(recordings: SkeletonSet) -> None:
    people = separate_persons(two_people(recordings), LAYOUT)
    left, right = LAYOUT.shoulders
    across = (people.own[:, :3, right] - people.own[:, :3, left]).mean(1)
    assert (across[:, 0] > 5 * across[:, 2].abs()).all()
    torch.testing.assert_close(
        people.own[:, :, LAYOUT.root].mean(1), torch.zeros(4, 3), atol=1e-5, rtol=0
    )


def test_each_person_sees_the_other_at_their_distance(recordings: SkeletonSet) -> None:
    samples = two_people(recordings)
    joints, people = samples.joints, separate_persons(samples, LAYOUT)
    assert people.sample.tolist() == [0, 0, 1, 1]
    gap = (joints[:, 0, :, LAYOUT.root] - joints[:, 1, :, LAYOUT.root]).norm(dim=-1)
    seen = (people.own[:, :, LAYOUT.root] - people.partner[:, :, LAYOUT.root]).norm(dim=-1)
    torch.testing.assert_close(seen, gap.repeat_interleave(2, 0), atol=1e-4, rtol=1e-4)


def test_absent_partners_are_zero_and_stay_so(recordings: SkeletonSet) -> None:
    rows = [0, int(np.flatnonzero(recordings.persons == 2)[0])]
    samples = prepare(recordings, rows, LAYOUT, 16)
    people = separate_persons(samples, LAYOUT)
    assert people.paired.tolist() == [False, True, True]
    varied = augment(people, LAYOUT, torch.Generator().manual_seed(0))
    for part in (people.partner, varied.partner):
        assert not part[0].any()
        assert part[1].any()


def test_augmentation_varies_but_never_mirrors(recordings: SkeletonSet) -> None:
    people = separate_persons(prepare(recordings, range(40), LAYOUT, 32), LAYOUT)
    varied = augment(people, LAYOUT, torch.Generator().manual_seed(1))
    again = augment(people, LAYOUT, torch.Generator().manual_seed(1))
    assert torch.equal(varied.own, again.own)
    assert (varied.own - people.own).abs().mean() > 0.02
    # Right, up and forward keep their handedness: the triple product keeps its sign.
    left, right = LAYOUT.hips
    lower, upper = LAYOUT.spine
    ankle, foot = LAYOUT.index("right_ankle"), LAYOUT.index("right_foot")

    def handedness(own: torch.Tensor) -> torch.Tensor:
        start = own[:, :4].mean(1)
        across, up = start[:, right] - start[:, left], start[:, upper] - start[:, lower]
        ahead = start[:, foot] - start[:, ankle]
        return (torch.linalg.cross(across, up) * ahead).sum(-1)

    assert (handedness(people.own) < 0).all()
    assert (handedness(varied.own) < 0).all()


@pytest.mark.skipif(not Path("/proc/self/maps").is_file(), reason="needs Linux's /proc")
def test_prepared_recordings_are_a_memory_map(recordings: SkeletonSet) -> None:
    samples = prepare(recordings, np.arange(3), LAYOUT, 16)
    address = samples.joints.data_ptr()
    for line in Path("/proc/self/maps").read_text().splitlines():
        low, high = (int(end, 16) for end in line.split()[0].split("-"))
        if low <= address < high:
            assert line.endswith("(deleted)"), "an unnamed file lies behind it"
            return
    pytest.fail("no mapping holds the joints")


def test_no_room_for_prepared_recordings(
    recordings: SkeletonSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(InputError, match=r"no room for 0\.0 GB.*No space left.*TMPDIR"):
        prepare(recordings, np.arange(3), LAYOUT, 16)
