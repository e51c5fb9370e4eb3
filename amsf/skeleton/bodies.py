"""From the bodies that a sensor tracked to the one or two persons of a recording.

Sensors lose a body and find it again under a new number, see persons in chairs and curtains, and
name them in any order. Here tracks that continue each other are joined, bodies that do not move
are left out beside one that does, the persons are put in the order of their motion, and the frames
in which one was lost are filled, so that every row of a recording is a pose.

M = persons (1 or 2), T = frames, K = frames of a track, J = joints, B = tracks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from amsf.base.errors import InputError

MAX_PERSONS = 2
# A second body that is tracked in fewer of the main person's frames is taken for a false
# detection; the sensor's ghosts last some frames, a partner of an action most of them.
MIN_SHARE = 0.2
# The old number of a body that is found again may last this many frames beside the new one.
MAX_OVERLAP = 5
# A body that keeps to its place like this, the sensor's noise taken off, is a thing or a shadow.
# A person who only stands sways by more.
STILL_M = 0.004
# Up to this many frames without anyone, a second of Kinect, are filled; more would be invented.
MAX_GAP = 30

JOINED = "bodies that are hardly ever there together joined to one person"
STILL = "a body that does not move left out beside one that does"
BRIEF = "a body that is there in less than a fifth of the frames left out"
MORE = "bodies beyond the two that move most left out"
FILLED = "frames in which a person was lost filled"


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

    def moves(self) -> bool:
        """Whether the joints go farther than a sensor's noise would take them.

        Noise that is new in every frame adds half of the mean squared step to the variance of
        a joint's place (von Neumann's ratio); what remains is motion.
        """
        joints = self.joints.astype(np.float64)
        variance = np.square(joints - joints.mean(0)).sum(-1).mean()
        steps = np.square(np.diff(joints, axis=0)).sum(-1)
        noise = steps.mean() / 2 if steps.size else 0.0
        return bool(variance - noise > STILL_M**2)


def main_persons(
    tracks: Sequence[Track], *, main_first: bool = False
) -> tuple[np.ndarray, list[str]]:
    """Choose and complete the persons of a recording.

    1. A body that does not move, and never is there without one that does, is left out.
    2. Bodies that are never there together, or in :data:`MAX_OVERLAP` frames at most and in less
       than half of the shorter one's, are one person, however far apart: the fewest persons that
       explain the tracks, and of these the ones with the shortest jumps.
    3. A person none of whose tracks moves is left out, unless nobody moves.
    4. The others are ranked by :meth:`Track.motion`, summed over their tracks; the first two stay,
       the second if it was tracked in at least a fifth of the frames in which the first was.
    5. Frames without anyone are left out at the start, at the end and where they are more than
       :data:`MAX_GAP` at a stretch. The other frames without one of the persons are filled between
       the poses before and after, and held at the ends.

    Args:
        tracks: the bodies, without lost poses.
        main_first: whether the order of the tracks says who is the main person.

    Returns:
        (M, T, J, 3) float32, the main person first, and what was done beyond ranking, in words.

    Raises:
        InputError: there is no body.
    """
    if not tracks:
        raise InputError("no body in any frame")
    notes: list[str] = []
    acting = [t for t in tracks if not _stands_beside(t, tracks)]
    persons = _joined(acting)
    if len(persons) < len(acting):
        notes.append(JOINED)
    moving = persons
    if len(persons) > 1:
        moving = [p for p in persons if any(track.moves() for track in p)] or persons[:1]
    if len(acting) < len(tracks) or len(moving) < len(persons):
        notes.append(STILL)
    if not main_first:
        moving = sorted(moving, key=lambda p: sum(track.motion() for track in p), reverse=True)
    if len(moving) > MAX_PERSONS:
        notes.append(MORE)
    chains = [_chained(person) for person in moving[:MAX_PERSONS]]
    kept = [c for c in chains if len(c.frames) >= MIN_SHARE * len(chains[0].frames)]
    if len(kept) < len(chains):
        notes.append(BRIEF)
    times = _times(np.unique(np.concatenate([chain.frames for chain in kept])))
    if any(len(chain.frames) < len(times) for chain in kept):
        notes.append(FILLED)
    return np.stack([_filled(chain, times) for chain in kept]).astype(np.float32), notes


def _stands_beside(track: Track, tracks: Sequence[Track]) -> bool:
    """Whether a body stands still, and others that move are there in all of its frames."""
    if len(tracks) == 1 or track.moves():
        return False
    others = [other.frames for other in tracks if other is not track and other.moves()]
    return bool(others) and bool(np.isin(track.frames, np.concatenate(others)).all())


def _joined(tracks: Sequence[Track]) -> list[list[Track]]:
    """The tracks of each person, in the order of time; persons in the order of first mention."""
    count = len(tracks)
    # More than all jumps together, so that as many tracks as can be are joined.
    never = 1e9
    costs = np.full((count, count), never)
    for i, before in enumerate(tracks):
        for k, after in enumerate(tracks):
            if _may_continue(before, after):
                costs[i, k] = np.linalg.norm(before.joints[-1].mean(0) - after.joints[0].mean(0))
    rows, columns = linear_sum_assignment(costs)
    following = {int(i): int(k) for i, k in zip(rows, columns) if costs[i, k] < never}
    chains = []
    for i in sorted(set(range(count)) - set(following.values())):
        chain = [i]
        while chain[-1] in following:
            chain.append(following[chain[-1]])
        chains.append(chain)
    return [[tracks[i] for i in chain] for chain in sorted(chains, key=min)]


def _may_continue(before: Track, after: Track) -> bool:
    if not (before.frames[0] < after.frames[0] and before.frames[-1] < after.frames[-1]):
        return False
    together = len(np.intersect1d(before.frames, after.frames))
    return together <= MAX_OVERLAP and 2 * together < min(len(before.frames), len(after.frames))


def _chained(tracks: Sequence[Track]) -> Track:
    """One person's tracks as one; where two are there together, the newer one holds."""
    chain = tracks[0]
    for track in tracks[1:]:
        old = chain.frames < track.frames[0]
        chain = Track(
            np.concatenate([chain.frames[old], track.frames]),
            np.concatenate([chain.joints[old], track.joints]),
        )
    return chain


def _times(seen: np.ndarray) -> np.ndarray:
    """The frames of a recording: those in which someone was seen, and the short gaps between."""
    steps = np.append(np.diff(seen), 1)
    runs = [
        np.arange(at, at + (step if step <= MAX_GAP + 1 else 1)) for at, step in zip(seen, steps)
    ]
    return np.concatenate(runs)


def _filled(track: Track, times: np.ndarray) -> np.ndarray:
    """The (T, J, 3) poses at ``times``: linear between tracked frames, held beyond them."""
    after = np.searchsorted(track.frames, times).clip(max=len(track.frames) - 1)
    before = np.where(track.frames[after] > times, after - 1, after).clip(min=0)
    span = track.frames[after] - track.frames[before]
    weight = np.where(span > 0, (times - track.frames[before]) / np.maximum(span, 1), 0.0)
    step = track.joints[after] - track.joints[before]
    return track.joints[before] + weight[:, None, None] * step
