"""The one way from what a reader found in a file to recordings that can be compared.

A reader hands over each recording as a :class:`RawRecording`: the bodies as they are in the file,
in the file's own axes and unit, lost joints and poses as zeros or NaN. :func:`clean` does the rest,
for every reader alike. What it mends it tells in words that are the same for every recording, so
that they can be counted; what cannot be mended is left out by name, with the reason.

K = frames of a track, J = joints.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from amsf.base.errors import InputError
from amsf.skeleton.bodies import Track, main_persons
from amsf.skeleton.joints import Layout, layout_of
from amsf.skeleton.lost import fill_joints, lost_joints
from amsf.skeleton.recordings import FARTHEST_M, Recording
from amsf.skeleton.stature import (
    SPINE_M,
    UNITS,
    handedness,
    is_flat,
    spine_length,
    turn,
    unit_of,
    up_of,
)

JOINTS = "lost joints (zeros or NaN) filled"
EMPTY = "a person of zeros or NaN taken out"
FLAT = "flat poses at a distance taken as they are: there is no depth in them"
CUT = "frames without anyone at the start, at the end or in a long gap left out"
# How many recordings of a file must show which axis is up, and what share of them one axis, until
# it is that and not a person who lies; and how clearly their bodies must tell left from right.
_AGREEING, _SHARE, _CLEARLY = 3, 0.75, 0.5


@dataclass(frozen=True)
class RawRecording:
    """One recording as a reader found it.

    Attributes:
        bodies: each body as long as it was followed. Joints are (K, J, 3) in the file's own axes
            and unit and in the layout's order; a lost joint, or a lost pose, is zeros or NaN. A
            frame without the body may also be missing from its ``frames``.
        name: unique in its set.
        numbers: those of ``label`` (0-based class id), ``subject``, ``camera`` and ``setup`` that
            are known, by these names.
        main_first: whether the first of the bodies is the main person because the file says so.
    """

    bodies: Sequence[Track]
    name: str
    numbers: Mapping[str, int] = field(default_factory=dict)
    main_first: bool = False


@dataclass(frozen=True)
class Cleaned:
    """What became of the recordings of one file.

    Attributes:
        recordings: those that can be used, in the file's order.
        mended: (name, what was mended) of these.
        left_out: (name, reason) of the others.
    """

    recordings: list[Recording] = field(default_factory=list)
    mended: list[tuple[str, str]] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class _Upright:
    """A recording on its way: metres, no lost joints, its axes still the file's."""

    raw: RawRecording
    tracks: list[Track]
    notes: list[str]
    up: str | None

    def poses(self) -> np.ndarray:
        return np.concatenate([track.joints for track in self.tracks])


def clean(raw: Sequence[RawRecording], layout: str, up: str | None = None) -> Cleaned:
    """Clean the recordings of one file.

    1. Lost poses are taken out; lost joints are filled (:mod:`amsf.skeleton.lost`).
    2. Millimetres and centimetres become metres. Poses in a picture, and coordinates farther than
       any sensor reaches, are refused.
    3. The axes are turned to y up, right-handed (:func:`_turned`).
    4. Bodies become one or two persons without gaps (:func:`amsf.skeleton.bodies.main_persons`).

    Recordings that need none of this come out as they are, to the bit.

    Args:
        raw: the recordings of the file.
        layout: their joint layout, a key of :data:`amsf.skeleton.joints.LAYOUTS`.
        up: the axis that is up, where that is known, such as ``z`` or ``-y``; None has it found.
    """
    graph = layout_of(layout)
    done = Cleaned()
    standing: list[_Upright] = []
    for recording in raw:
        try:
            standing.append(_in_metres(recording, graph))
        except InputError as error:
            done.left_out.append((recording.name, str(error)))
    matrices = _turned(standing, graph, up)
    for item, matrix in zip(standing, matrices):
        name = item.raw.name
        try:
            if isinstance(matrix, InputError):
                raise matrix
            tracks = item.tracks
            if matrix is not None:
                tracks = [Track(t.frames, t.joints @ matrix.T) for t in tracks]
            joints, notes = main_persons(tracks, main_first=item.raw.main_first)
            frames = np.concatenate([body.frames for body in item.raw.bodies])
            if joints.shape[1] < frames.max() - frames.min() + 1:
                notes.append(CUT)
            done.recordings.append(Recording(joints, name, **item.raw.numbers))
            done.mended.extend((name, note) for note in (*item.notes, *notes))
        except InputError as error:
            done.left_out.append((name, str(error).removeprefix(f"{name}: ")))
    return done


def _in_metres(raw: RawRecording, layout: Layout) -> _Upright:
    """Without lost poses and joints, and in metres.

    Raises:
        InputError: nobody is there, a joint never is, or the numbers are no places in space.
    """
    tracks, notes = [], []
    for body in raw.bodies:
        joints = body.joints.astype(np.float64)
        lost = lost_joints(joints, layout)
        there = ~lost.all(1)
        if not there.any():
            continue
        frames, joints, lost = body.frames[there], joints[there], lost[there]
        if lost.any():
            notes.append(JOINTS)
            joints = fill_joints(frames, joints, lost, layout)
        tracks.append(Track(frames, joints))
    if not tracks:
        raise InputError("no body in any frame")
    if len(tracks) < len(raw.bodies):
        notes.append(EMPTY)
    _refuse_far(tracks, FARTHEST_M / min(UNITS.values()))
    poses = np.concatenate([track.joints for track in tracks])
    unit, flat = unit_of(poses, layout), is_flat(poses)
    # Shares of a picture's size, and a detector's score in place of the depth, are from 0 to 1.
    shares = ((poses >= 0) & (poses <= 1)).all((0, 1))
    if (
        shares.all()
        or (unit in ("centimetres", "millimetres") and (flat or shares.any()))
        or (flat and (poses == 0).all((0, 1)).any())
    ):
        raise InputError(
            "the poses are flat, as places in a picture are; expected three dimensions, in metres: "
            "lift them to 3-D, or record with a depth sensor"
        )
    if flat:
        notes.append(FLAT)
    if unit is None:
        raise InputError(
            f"the spine measures {spine_length(poses, layout):.4g}; expected metres, so "
            f"{SPINE_M[0]} to {SPINE_M[1]} (or the same in centimetres or millimetres): convert it"
        )
    if UNITS[unit] != 1:
        tracks = [Track(track.frames, track.joints * UNITS[unit]) for track in tracks]
        notes.append(f"{unit} turned into metres")
    _refuse_far(tracks, FARTHEST_M)
    return _Upright(raw, tracks, list(dict.fromkeys(notes)), up_of(poses, layout))


def _refuse_far(tracks: Sequence[Track], farthest: float) -> None:
    for track in tracks:
        far = ~(np.abs(track.joints) <= farthest)  # so that NaN would be, too
        if far.any():
            at = tuple(np.argwhere(far)[0])
            raise InputError(
                f"frame {int(track.frames[at[0]])}, joint {int(at[1])}: a coordinate is "
                f"{track.joints[at]:.6g}; expected metres, a finite number up to {FARTHEST_M:.0f}: "
                "correct or leave out the recording"
            )


def _turned(
    items: Sequence[_Upright], layout: Layout, up: str | None
) -> list[np.ndarray | InputError | None]:
    """For each recording the matrix that turns it to y up, None for none, or why there is none.

    Upside down shows in one recording. That x or z is up does not: a person who lies looks like
    that. It is believed if at least three recordings of the file show it, and three quarters of
    those that show anything; those that show nothing are then turned with them. Axes that are
    turned may be mirrored as well, which the bodies of all recordings that are turned together
    must show clearly, one way or the other.
    """
    shown = Counter(item.up for item in items if item.up is not None)
    most, count = shown.most_common(1)[0] if shown else ("y", 0)
    agreed = most if count >= max(_AGREEING, _SHARE * shown.total()) else None
    axes = [up or item.up or agreed or "y" for item in items]
    verdicts: dict[str, np.ndarray | InputError | None] = {"y": None}
    for axis in set(axes) - {"y"}:
        of_axis = [item for item, own in zip(items, axes) if own == axis]
        hand = float(np.mean([handedness(item.poses(), layout, axis) for item in of_axis]))
        if up is None and axis not in (agreed, "-y"):
            verdicts[axis] = InputError(
                f"{axis} is up, or the person lies all the time; expected y up: pack with "
                f"--up={axis}, or with --up=y if the person lies"
            )
        elif up is None and abs(hand) < _CLEARLY:
            verdicts[axis] = InputError(
                f"{axis} is up, and the body does not show whether left and right are swapped as "
                f"well; expected y up: turn it, or pack with --up={axis} if they are not"
            )
        else:
            mirrored = hand <= -_CLEARLY
            verdicts[axis] = turn(axis, mirrored=mirrored)
            for item in of_axis:
                item.notes.append(f"{axis} up{', mirrored,' if mirrored else ''} turned to y up")
    return [verdicts[axis] for axis in axes]
