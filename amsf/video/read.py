"""A video as a raw recording: the landmarks of every person in the camera's axes, in metres.

P = people in a frame, K = frames of one person, L = 33 landmarks.
"""

from __future__ import annotations

from collections.abc import Sequence
from multiprocessing import current_process
from pathlib import Path

import numpy as np

from amsf.base.errors import InputError, counted
from amsf.base.progress import track
from amsf.skeleton.bodies import Track
from amsf.skeleton.cleaning import RawRecording
from amsf.skeleton.joints import layout_of
from amsf.skeleton.linking import link
from amsf.video.clip import Clip
from amsf.video.landmarks import LANDMARKS, People, check_model, landmarks
from amsf.video.place import IN_PICTURE, hips

LAYOUT = "mediapipe33"
GUESSED = "joints that are never in the picture left where the pose model puts them"
CUT_OFF = "less of the video decoded than its header says"
_DECODED = 0.95  # headers are often wrong by some frames


def read_video(path: Path, model: Path | None, *, swapped: bool = False) -> RawRecording:
    """Read one video, a frame at a time.

    Axes are those of packed sets: y up, z away from the camera, x to the right hand of a person
    who faces it; the camera is the origin. People are told apart by where they are in the
    picture; a frame in which one is not found is missing from their track.

    Args:
        path: the file.
        model: the pose model's file.
        swapped: whether the picture is mirrored, as that of a selfie is. A mirrored person looks
            like another one who is not, so left and right change their names here; the clean-up,
            which is told as well, mirrors the places.

    Raises:
        InputError: no model is named or it cannot be read, the extra is not installed, the file is
            no video, or nobody is in it.
    """
    model = check_model(model, path)
    clip = Clip.open(path)
    # Of several processes that share a terminal, each prints lines.
    beside = current_process().name != "MainProcess"
    label = f"finding people in {path.name}"
    frames = track(clip, label, clip.frames or None, lines=beside)
    people = list(landmarks(frames, model, clip.fps))
    if not people:
        raise InputError(
            f"{path}: no frame of it can be decoded; expected a video that OpenCV decodes, such "
            "as H.264 in .mp4: convert it"
        )
    tracks = tracks_of_people(people, clip.fps)
    if not tracks:
        raise InputError(
            f"{path}: no person found in its {counted(len(people), 'frame')}; expected one who "
            "fills a good part of the picture: cut it to the person, or take a larger pose model"
        )
    notes = []
    ever = np.max([found.presence.max(0) for found in people if len(found.presence)], axis=0)
    if (ever < IN_PICTURE).any():
        notes.append(GUESSED)
    if len(people) < _DECODED * clip.frames:
        notes.append(CUT_OFF)
    if swapped:
        tracks = [Track(t.frames, t.joints[:, _other_sides()]) for t in tracks]
    return RawRecording(tracks, path.stem, up="y", notes=tuple(notes))


def tracks_of_people(people: Sequence[People], fps: float) -> list[Track]:
    """Each person through time, (K, L, 3) metres in the axes of packed sets.

    Args:
        people: those found in each frame.
        fps: frames a second.
    """
    chains = link([_in_picture(found) for found in people], range(len(people)))
    tracks = []
    for chain in chains:
        picture = np.stack([people[t].picture[k] for t, k in chain])
        world = np.stack([people[t].world[k] for t, k in chain])
        presence = np.stack([people[t].presence[k] for t, k in chain])
        size = people[chain[0][0]].size
        joints = world + hips(picture, world, presence, size, fps)[:, None]
        # From right, down, away to the right hand of who faces the camera, up, away.
        tracks.append(Track(np.array([t for t, _ in chain]), joints * [-1.0, -1.0, 1.0]))
    return tracks


def _in_picture(found: People) -> list[np.ndarray]:
    """Each person's (L, 2) places in the picture, NaN outside of it, to link people by."""
    places = np.where(found.presence[..., None] >= IN_PICTURE, found.picture, np.nan)
    outside = np.asarray(np.isnan(places).all((1, 2)))
    return list(np.where(outside[:, None, None], found.picture, places))


def _other_sides() -> list[int]:
    """For each landmark that of the body's other side."""
    names = layout_of(LAYOUT).joints[:LANDMARKS]
    other = {"left": "right", "right": "left"}
    sides = [name.partition("_") for name in names]
    return [names.index("".join([other.get(side, side), *rest])) for side, *rest in sides]
