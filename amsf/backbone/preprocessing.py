"""From recordings to what the skeleton encoder reads: resampled, centred, scaled, turned, varied.

Each sample is normalised by itself alone, so no sample's numbers enter another's. A person is seen
from their own place: centred on their own root, facing the sensor at the start, measured in spine
lengths, with the partner's joints in the same frame.

Axis letters: N samples, B samples of a batch, M persons, P present persons of a batch, T frames,
J joints.
"""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from amsf.base.errors import InputError
from amsf.base.progress import track
from amsf.skeleton.joints import Layout
from amsf.skeleton.recordings import SkeletonSet

_HEADING_PART = 5  # a person's heading is taken from the first T / 5 frames
_SHORTEST_CROP = 0.75
_YAW, _TILT = 0.35, 0.12  # radians, the largest random rotations
_STRETCH = 0.12
_NOISE = 0.02  # spine lengths
_LIMBS = 0.10  # largest change of a bone's length, as a fraction


@dataclass(frozen=True)
class SkeletonSamples:
    """Normalised recordings in memory.

    Attributes:
        joints: (N, M, T, J, 3) float32 in spine lengths of the main person, centred on the mean of
            their root; zeros where there is no second person.
        present: (N, M) bool.
    """

    joints: Tensor
    present: Tensor

    def __len__(self) -> int:
        return len(self.joints)

    def to(self, device: torch.device) -> SkeletonSamples:
        """The same on a device."""
        return SkeletonSamples(self.joints.to(device), self.present.to(device))

    def __getitem__(self, rows: Tensor) -> SkeletonSamples:
        """Some of the samples."""
        return SkeletonSamples(self.joints[rows], self.present[rows])


@dataclass(frozen=True)
class Persons:
    """Each present person of a batch with their partner, in the person's own frame.

    Attributes:
        own: (P, T, J, 3).
        partner: (P, T, J, 3); zeros where there is none.
        paired: (P,) bool, whether there is a partner.
        sample: (P,) int64, the sample in the batch.
        person: (P,) int64, which of its persons.
    """

    own: Tensor
    partner: Tensor
    paired: Tensor
    sample: Tensor
    person: Tensor


def resample(joints: np.ndarray, frames: int) -> np.ndarray:
    """Linear interpolation along time.

    Args:
        joints: (M, T, J, 3).
        frames: how many frames the result has; the first and last stay.

    Returns:
        (M, frames, J, 3).
    """
    place = np.linspace(0, joints.shape[1] - 1, frames)
    low = place.astype(np.int64)
    high = np.minimum(low + 1, joints.shape[1] - 1)
    part = (place - low).astype(joints.dtype)[:, None, None]
    return joints[:, low] * (1 - part) + joints[:, high] * part


def normalise(joints: np.ndarray, layout: Layout) -> np.ndarray:
    """Centre on the mean of the main person's root, in units of their mean spine length.

    A person whose spine has no length (a broken recording) keeps the unit.

    Args:
        joints: (M, T, J, 3) metres.
    """
    lower, upper = layout.spine
    centred = joints - joints[0, :, layout.root].mean(0)
    size = np.linalg.norm(centred[0, :, upper] - centred[0, :, lower], axis=-1).mean()
    return centred / (size if size > 1e-6 else 1.0)


def prepare(
    recordings: SkeletonSet, rows: Sequence[int] | np.ndarray, layout: Layout, frames: int
) -> SkeletonSamples:
    """Read, normalise and resample the recordings of the given rows; others are not touched.

    The result is a memory map of an unnamed temporary file, since it may be more than fits into
    memory: NTU RGB+D 120 takes 2.4 GB at 64 frames.

    Raises:
        InputError: there is no room for that file.
    """
    persons = int(recordings.persons.max(initial=1))
    shape = (len(rows), persons, frames, len(layout), 3)
    with tempfile.TemporaryFile() as file:
        try:
            # A disk that turns out to be full while a map is written to kills the process.
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, 4 * math.prod(shape))
        except OSError as error:
            raise InputError(
                f"{tempfile.gettempdir()}: no room for {4 * math.prod(shape) / 1e9:.1f} GB of "
                f"normalised recordings ({error.strerror}); free some, or set TMPDIR to a folder "
                "with more"
            ) from error
        joints: np.ndarray = np.memmap(file, np.float32, "w+", shape=shape)
    present = np.zeros((len(rows), persons), bool)
    for at, row in enumerate(track(rows, "normalising recordings", total=len(rows))):
        recording = recordings[int(row)]
        joints[at, : len(recording)] = resample(normalise(recording, layout), frames)
        present[at, : len(recording)] = True
    return SkeletonSamples(torch.from_numpy(joints), torch.from_numpy(present))


def join_samples(parts: Sequence[SkeletonSamples]) -> SkeletonSamples:
    """Samples of several sets one behind another; a part of single persons gets an absent second.

    One part is handed back as it is, still mapped; several are in memory.
    """
    if len(parts) == 1:
        return parts[0]
    persons = max(part.present.shape[1] for part in parts)
    shapes = [(len(p.present), persons - p.present.shape[1], *p.joints.shape[2:]) for p in parts]
    joints = [torch.cat([p.joints, torch.zeros(s)], 1) for p, s in zip(parts, shapes)]
    present = [
        torch.cat([p.present, torch.zeros(s[:2], dtype=torch.bool)], 1)
        for p, s in zip(parts, shapes)
    ]
    return SkeletonSamples(torch.cat(joints), torch.cat(present))


def separate_persons(samples: SkeletonSamples, layout: Layout) -> Persons:
    """Give each present person of a batch a frame of reference of their own.

    The rotation about the vertical makes the line from the left to the right hip and shoulder of
    the first frames point along x; so a recording from another camera gives the same numbers.

    Args:
        samples: the B samples, each with one or two persons.
        layout: the layout of their joints.
    """
    joints, present = samples.joints, samples.present
    sample, person = present.nonzero(as_tuple=True)
    own = joints[sample, person]
    if joints.shape[1] > 1:
        partner, paired = joints[sample, 1 - person], present[sample, 1 - person]
    else:
        partner, paired = torch.zeros_like(own), torch.zeros_like(sample, dtype=torch.bool)
    centre = own[:, :, layout.root].mean(1)[:, None, None]
    early = own[:, : max(1, own.shape[1] // _HEADING_PART)].mean(1)  # (P, J, 3)
    (left_hip, right_hip), (left_arm, right_arm) = layout.hips, layout.shoulders
    across = early[:, right_hip] - early[:, left_hip] + early[:, right_arm] - early[:, left_arm]
    turn = rotation_y(torch.atan2(across[:, 2], across[:, 0]))
    mask = paired[:, None, None, None]
    return Persons(
        own=_rotate(turn, own - centre),
        partner=_rotate(turn, partner - centre) * mask,
        paired=paired,
        sample=sample,
        person=person,
    )


def bone_paths(layout: Layout) -> Tensor:
    """(J, J), 1 where bone k (from joint k to its parent) lies between joint j and the root."""
    paths = torch.eye(len(layout))
    for joint in range(len(layout)):
        at = layout.parents[joint]
        while at != layout.parents[at]:
            paths[joint, at] = 1.0
            at = layout.parents[at]
    paths[:, layout.root] = 0.0
    return paths


def rotation_y(angle: Tensor) -> Tensor:
    """(P,) radians -> (P, 3, 3) rotations about the vertical that take +z towards +x."""
    c, s, zero, one = angle.cos(), angle.sin(), torch.zeros_like(angle), torch.ones_like(angle)
    return torch.stack([c, zero, s, zero, one, zero, -s, zero, c], -1).unflatten(-1, (3, 3))


def _rotate(matrix: Tensor, joints: Tensor) -> Tensor:
    """(P, 3, 3) applied to (P, T, J, 3)."""
    return torch.einsum("pij,ptkj->ptki", matrix, joints)


def augment(people: Persons, layout: Layout, generator: torch.Generator) -> Persons:
    """Vary a batch as other people, cameras and moments would: turn, tilt, stretch, crop in time.

    Left and right are never swapped, since classes differ by them.

    Args:
        people: the persons of a batch.
        layout: the layout of their joints.
        generator: the only source of randomness, on the same device.
    """
    count, frames = people.own.shape[:2]
    device = people.own.device

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(*shape, generator=generator, device=device)

    turn = rotation_y(uniform(-_YAW, _YAW, count))
    # Small tilts about x and z: a skew-symmetric matrix added to the identity.
    tilt = torch.eye(3, device=device).repeat(count, 1, 1)
    about_x, about_z = uniform(-_TILT, _TILT, count), uniform(-_TILT, _TILT, count)
    tilt[:, 1, 2], tilt[:, 2, 1] = -about_x, about_x
    tilt[:, 0, 1], tilt[:, 1, 0] = -about_z, about_z
    stretch = torch.diag_embed(uniform(1 - _STRETCH, 1 + _STRETCH, count, 3))
    matrix = stretch @ tilt @ turn

    length = uniform(_SHORTEST_CROP, 1.0, count)
    start = uniform(0.0, 1.0, count) * (1 - length)
    place = start[:, None] + length[:, None] * torch.linspace(0, 1, frames, device=device)
    place = place * (frames - 1)  # (P, T)
    low = place.long().clamp(max=frames - 2)
    part = (place - low)[:, :, None, None]
    index = low[:, :, None, None].expand(-1, -1, *people.own.shape[2:])

    paths = bone_paths(layout).to(device)
    parents = torch.tensor(layout.parents, device=device)

    def vary(joints: Tensor) -> Tensor:
        early, late = joints.gather(1, index), joints.gather(1, index + 1)
        joints = early + part * (late - early)
        # Each bone longer or shorter than it was: moves all joints that hang on it.
        change = uniform(-_LIMBS, _LIMBS, count, 1, len(layout), 1)
        change = change * (joints - joints[:, :, parents])
        moved = _rotate(matrix, joints + torch.einsum("jk,ptkc->ptjc", paths, change))
        noise = torch.randn(moved.shape, generator=generator, device=device)
        return moved + _NOISE * noise

    partner = vary(people.partner) * people.paired[:, None, None, None]
    return replace(people, own=vary(people.own), partner=partner)
