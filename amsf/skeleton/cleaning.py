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
from pathlib import Path

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
TWO_D = "2-D poses taken as asked: depth 0, the spine taken to be 0.5 m long"
UNSEEN = "joints that were never seen, and are no part of the body's 13, put to their parents"
MIRRORED = "left and right, which are swapped in the file, mirrored"
FLAT = "flat poses at a distance taken as they are: there is no depth in them"
CUT = "frames without anyone at the start, at the end or in a long gap left out"
# How many recordings of a file must show which axis is up, and what share of them one axis, until
# it is that and not a person who lies; and how clearly their bodies must tell left from right.
_AGREEING, _SHARE, _CLEARLY = 3, 0.75, 0.5


_SPINE_2D = 0.5  # metres


@dataclass(frozen=True)
class Stated:
    """What a user says of the files, where the data do not show it or show it wrongly.

    Attributes:
        up: the axis that is up, such as ``z`` or ``-y``; None has it found.
        unit: of length, in metres, such as 0.0254; None has it found.
        mirror: whether left and right are swapped, and so are to be mirrored; None has it found.
        flat: whether the poses are 2-D, places in a picture, and are to be taken without depth.
        layout: the joint layout, where the files do not name the joints; None has it found.
        pose_model: the file of the pose model that finds the joints in videos.
    """

    up: str | None = None
    unit: float | None = None
    mirror: bool | None = None
    flat: bool = False
    layout: str | None = None
    pose_model: Path | None = None


NOTHING = Stated()


@dataclass(frozen=True)
class RawRecording:
    """One recording as a reader found it.

    Attributes:
        bodies: each body as long as it was followed. Joints are (K, J, 3), or (K, J, 2) without a
            depth, in the file's own axes and unit and in the layout's order; a lost joint, or a
            lost pose, is zeros or NaN. A frame without the body may also be missing from its
            ``frames``. The last joints may be missing if the layout can work them out from others.
        name: unique in its set.
        numbers: those of ``label`` (0-based class id), ``subject``, ``camera`` and ``setup`` that
            are known, by these names.
        main_first: whether the first of the bodies is the main person because the file says so.
        up: the axis that is up by what the file says, such as a pose at rest; None if it does not.
        notes: what else a user should know, in words that are the same for every recording.
    """

    bodies: Sequence[Track]
    name: str
    numbers: Mapping[str, int] = field(default_factory=dict)
    main_first: bool = False
    up: str | None = None
    notes: tuple[str, ...] = ()


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
    usual: str

    def poses(self) -> np.ndarray:
        return np.concatenate([track.joints for track in self.tracks])


def clean(raw: Sequence[RawRecording], layout: str, stated: Stated = NOTHING) -> Cleaned:
    """Clean the recordings of one file.

    1. Joints that nobody measured are worked out where the layout says how; lost poses are taken
       out; lost joints are filled (:mod:`amsf.skeleton.lost`).
    2. Millimetres and centimetres become metres. Poses in a picture are refused unless the user
       asks for them, and so are coordinates farther than any sensor reaches.
    3. The axes are turned to y up, right-handed (:func:`_turned`).
    4. Bodies become one or two persons without gaps (:func:`amsf.skeleton.bodies.main_persons`).

    Recordings that need none of this come out as they are, to the bit.

    Args:
        raw: the recordings of the file.
        layout: their joint layout, a key of :data:`amsf.skeleton.joints.LAYOUTS`.
        stated: what the user says of the files.
    """
    graph = layout_of(layout)
    done = Cleaned()
    standing: list[_Upright] = []
    for recording in raw:
        try:
            standing.append(_in_metres(recording, graph, stated))
        except InputError as error:
            done.left_out.append((recording.name, str(error)))
    matrices = _turned(standing, graph, stated)
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


def _in_metres(raw: RawRecording, layout: Layout, stated: Stated) -> _Upright:
    """Without lost poses and joints, and in metres.

    Raises:
        InputError: nobody is there, a joint never is, or the numbers are no places in space.
    """
    tracks, notes = [], [*raw.notes]
    for body in raw.bodies:
        joints = _whole(body.joints, layout, stated.flat)
        joints, lost = layout.with_middles(joints, lost_joints(joints, layout))
        if stated.flat:
            unseen = _unseen(lost, layout)
            for joint, parent in unseen.items():
                joints[:, joint], lost[:, joint] = joints[:, parent], lost[:, parent]
            notes += [UNSEEN] if unseen else []
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
    if stated.flat:
        notes.append(TWO_D)
        length = spine_length(poses, layout)
        factor = _SPINE_2D / length if length > 0 else 1.0
    else:
        own = layout.unit if isinstance(layout.unit, int | float) else None
        factor = _metres(poses, layout, stated.unit or own, notes)
    if factor != 1:
        tracks = [Track(track.frames, track.joints * factor) for track in tracks]
    _refuse_far(tracks, FARTHEST_M)
    found = up_of(poses, layout)
    return _Upright(raw, tracks, list(dict.fromkeys(notes)), found, raw.up or layout.up)


def _whole(joints: np.ndarray, layout: Layout, flat: bool) -> np.ndarray:
    """All (K, J, 3) joints as float64: NaN for what is worked out, 0 for a depth that is not there.

    Raises:
        InputError: there are other numbers of joints or coordinates.
    """
    count, width = joints.shape[1:]
    at_end = set(range(count, len(layout)))
    if count > len(layout) or not at_end <= set(layout.middles) or width not in (2, 3):
        raise InputError(
            f"it has {count} joints of {width} coordinates; expected {len(layout)} of 3 (or 2), "
            "or fewer where the last can be worked out"
        )
    whole = np.full((len(joints), len(layout), 3), np.nan)
    whole[:, :count, :width] = joints
    if width == 2:
        whole[:, :count, 2] = np.where(np.isnan(joints[..., 0]), np.nan, 0.0)
    elif flat:  # a depth that is none, or a detector's score; a joint of zeros stays lost
        whole[..., 2] *= 0
    return whole


def _unseen(lost: np.ndarray, layout: Layout) -> dict[int, int]:
    """Joints that a camera never saw, such as an ear, and the nearest ones inwards that it saw.

    Args:
        lost: (K, J) bool.
        layout: of the joints; those that the motion summary looks at are not among the found.
    """
    never = np.asarray(lost.all(0))
    needed = {*layout.parts.values(), *layout.hips, *layout.spine}
    return {
        joint: next(at for at in layout.path(joint, layout.root) if not never[at] or at in needed)
        for joint in range(len(layout))
        if never[joint] and joint not in needed and not never.all()
    }


def _metres(poses: np.ndarray, layout: Layout, stated: float | None, notes: list[str]) -> float:
    """The factor that turns 3-D poses into metres.

    Raises:
        InputError: the poses are flat, or the spine is no person's in any unit.
    """
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
            "lift them to 3-D, record with a depth sensor, or take them without depth (--flat)"
        )
    if flat:
        notes.append(FLAT)
    if stated is not None:
        notes.append(f"units of {stated:g} m turned into metres, as stated")
        return stated
    if unit is None:
        raise InputError(
            f"the spine measures {spine_length(poses, layout):.4g}; expected metres, so "
            f"{SPINE_M[0]} to {SPINE_M[1]} (or the same in centimetres or millimetres): convert "
            "it, or give the unit in metres (--unit 0.0254)"
        )
    if UNITS[unit] != 1:
        notes.append(f"{unit} turned into metres")
    return UNITS[unit]


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
    items: Sequence[_Upright], layout: Layout, stated: Stated
) -> list[np.ndarray | InputError | None]:
    """For each recording the matrix that turns it to y up, None for none, or why there is none.

    Upside down shows in one recording. That x or z is up does not: a person who lies looks like
    that. It is believed if it is what the file or the layout says, or if at least three recordings
    of the file show it, and three quarters of those that show anything; those that show nothing
    are then turned with them. Axes that are turned may be mirrored as well, which the bodies of
    all recordings that are turned together must show clearly, one way or the other, unless the
    axis is that of the file or layout. Where y is up, three recordings must show it likewise.
    """
    shown = Counter(item.up for item in items if item.up is not None)
    most, count = shown.most_common(1)[0] if shown else ("y", 0)
    agreed = most if count >= max(_AGREEING, _SHARE * shown.total()) else None
    axes = [stated.up or item.up or agreed or item.usual for item in items]
    guessed = stated.mirror is None and stated.up is None and not stated.flat
    swapped = stated.mirror or (guessed and _swapped(items, axes, layout))
    verdicts: dict[str, np.ndarray | InputError | None] = {"y": None}
    for axis in set(axes) - {"y"}:
        of_axis = [item for item, own in zip(items, axes) if own == axis]
        hand = float(np.mean([handedness(item.poses(), layout, axis) for item in of_axis]))
        certain = stated.up is not None or all(item.usual == axis for item in of_axis)
        if stated.flat and axis == "-y":  # a picture's rows are counted from above
            verdicts[axis] = np.diag([-1.0, -1.0, 1.0])
        elif not certain and axis not in (agreed, "-y"):
            verdicts[axis] = InputError(
                f"{axis} is up, or the person lies all the time; expected y up: pack with "
                f"--up={axis}, or with --up=y if the person lies"
            )
            continue
        elif not certain and abs(hand) < _CLEARLY:
            verdicts[axis] = InputError(
                f"{axis} is up, and the body does not show whether left and right are swapped as "
                f"well; expected y up: turn it, or pack with --up={axis} if they are not"
            )
            continue
        else:
            verdicts[axis] = turn(axis, mirrored=hand <= -_CLEARLY)
        mirrored = np.linalg.det(np.asarray(verdicts[axis])) < 0
        for item in of_axis:
            item.notes.append(f"{axis} up{', mirrored,' if mirrored else ''} turned to y up")
    if not swapped:
        return [verdicts[axis] for axis in axes]
    mirrored_too = [axis == "y" or stated.mirror is True for axis in axes]
    for item, mirror in zip(items, mirrored_too):
        if mirror:
            item.notes.append(MIRRORED)
    return [
        _mirrored(verdicts[axis]) if mirror else verdicts[axis]
        for axis, mirror in zip(axes, mirrored_too)
    ]


def _swapped(items: Sequence[_Upright], axes: Sequence[str], layout: Layout) -> bool:
    """Whether the bodies of several recordings with y up show that left and right are swapped."""
    hands = [
        handedness(item.poses(), layout, "y") for item, axis in zip(items, axes) if axis == "y"
    ]
    if len(hands) < _AGREEING or np.mean(hands) > -_CLEARLY:
        return False
    return float(np.mean(np.array(hands) < 0)) >= _SHARE


def _mirrored(verdict: np.ndarray | InputError | None) -> np.ndarray | InputError:
    """What a matrix does, and then x reversed."""
    if isinstance(verdict, InputError):
        return verdict
    return np.diag([-1.0, 1.0, 1.0]) @ (np.eye(3) if verdict is None else verdict)
