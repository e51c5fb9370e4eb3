"""From the bodies that a sensor tracked to the one or two persons of a recording.

Sensors lose a body and find it again under a new number, see persons in chairs and curtains, and
name them in any order. Here tracks that continue each other are joined, the persons are put in
the order of their motion, and the frames in which one was lost are filled, so that every row of a
recording is a pose.

M = persons (1 or 2), T = frames, K = frames of a track, J = joints.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from amsf.base.errors import InputError

MAX_PERSONS = 2
# A second body that is tracked in fewer of the main person's frames is taken for a false
# detection; the sensor's ghosts last some frames, a partner of an action most of them.
MIN_SHARE = 0.2
# A body that appears after another was lost, this near to where that was, is the same person.
MAX_JUMP_M = 0.5
# Sensors reach some ten metres: a number beyond this is no place in metres.
FARTHEST_M = 1000.0


@dataclass(frozen=True)
class Track:
    """One body as long as the sensor followed it.

    Attributes:
        frames: (K,) rising frame indices.
        joints: (K, J, 3) metres.
    """

    frames: np.ndarray
    joints: np.ndarray

    def motion(self) -> float:
        """Squared distance of all joints from their mean position, summed over frames, in m²."""
        return float(np.square(self.joints - self.joints.mean(0)).sum(dtype=np.float64))


def main_persons(tracks: Sequence[Track]) -> np.ndarray:
    """Choose and complete the persons of a recording.

    Poses in which every coordinate is zero count as lost. The persons are ranked by
    :meth:`Track.motion`; the second stays if it was tracked in at least a fifth of the frames in
    which the first was. Frames without either are left out, frames without one are filled between
    the poses before and after, and held at the ends.

    Returns:
        (M, T, J, 3) float32, the person with the most motion first.

    Raises:
        InputError: there is no body in any frame, or a coordinate is not a number of metres.
    """
    for track in tracks:
        wrong = ~(np.abs(track.joints) <= FARTHEST_M)  # so that NaN is wrong, too
        if wrong.any():
            at = tuple(np.argwhere(wrong)[0])
            raise InputError(
                f"frame {int(track.frames[at[0]])}, joint {int(at[1])}: a coordinate is "
                f"{track.joints[at]:.6g}; expected metres, a finite number up to {FARTHEST_M:.0f}: "
                "correct or leave out the recording"
            )
    tracked = [track for track in map(_without_zeros, tracks) if len(track.frames)]
    if not tracked:
        raise InputError("no body in any frame")
    ranked = sorted(_joined(tracked), key=Track.motion, reverse=True)[:MAX_PERSONS]
    kept = [t for t in ranked if len(t.frames) >= MIN_SHARE * len(ranked[0].frames)]
    times = np.unique(np.concatenate([track.frames for track in kept]))
    return np.stack([_filled(track, times) for track in kept]).astype(np.float32)


def _without_zeros(track: Track) -> Track:
    seen = track.joints.any((1, 2))
    return Track(track.frames[seen], track.joints[seen])


def _joined(tracks: Sequence[Track]) -> list[Track]:
    """Join each track to the nearest one that ended before it began, if that is near enough."""
    chains: list[Track] = []
    for track in sorted(tracks, key=lambda t: int(t.frames[0])):
        start = track.joints[0].mean(0)
        ended = [
            (float(np.linalg.norm(chain.joints[-1].mean(0) - start)), i)
            for i, chain in enumerate(chains)
            if chain.frames[-1] < track.frames[0]
        ]
        jump, i = min(ended, default=(np.inf, -1))
        if jump <= MAX_JUMP_M:
            before = chains[i]
            chains[i] = Track(
                np.concatenate([before.frames, track.frames]),
                np.concatenate([before.joints, track.joints]),
            )
        else:
            chains.append(track)
    return chains


def _filled(track: Track, times: np.ndarray) -> np.ndarray:
    """The (T, J, 3) poses at ``times``: linear between tracked frames, held beyond them."""
    after = np.searchsorted(track.frames, times).clip(max=len(track.frames) - 1)
    before = np.where(track.frames[after] > times, after - 1, after).clip(min=0)
    span = track.frames[after] - track.frames[before]
    weight = np.where(span > 0, (times - track.frames[before]) / np.maximum(span, 1), 0.0)
    step = track.joints[after] - track.joints[before]
    return track.joints[before] + weight[:, None, None] * step
