"""The landmarks of all people in each frame of a video, by MediaPipe's pose landmarker.

P = people in a frame, L = 33 landmarks, in the order of the layout mediapipe33.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from amsf.base.errors import InputError
from amsf.video.extra import mediapipe, opencv

# A recording has two persons at most; the clean-up chooses them by how they move.
MOST_PEOPLE = 4
LANDMARKS = 33
_MODEL = "a pose landmarker's .task file, such as MediaPipe's pose_landmarker_full.task"
_DOWNLOAD = "download one (docs/skeletons.md) and name it with --pose-model FILE"


@dataclass(frozen=True)
class People:
    """Who was found in a frame.

    Attributes:
        picture: (P, L, 2) pixels, from the left and from above.
        world: (P, L, 3) metres from the middle of the person's own hips: x to the right of the
            picture, y down, z away from the camera.
        presence: (P, L), the probability that the landmark is in the picture, be it hidden or not.
        size: width and height of the picture in pixels.
    """

    picture: np.ndarray
    world: np.ndarray
    presence: np.ndarray
    size: tuple[int, int]


def check_model(model: Path | None, what: str | Path) -> Path:
    """The pose model's file, if one is named and there.

    Args:
        model: what the user names.
        what: needs it, for messages.

    Raises:
        InputError: none is.
    """
    if model is None:
        raise InputError(f"{what}: to find people in video takes {_MODEL}: {_DOWNLOAD}")
    if not model.is_file():
        raise InputError(f"--pose-model {model}: no such file; expected {_MODEL}: {_DOWNLOAD}")
    return model


def landmarks(frames: Iterable[np.ndarray], model: Path, fps: float) -> Iterator[People]:
    """Find the people in each frame of one video, at most :data:`MOST_PEOPLE`.

    They are followed from frame to frame (MediaPipe's video mode), so the frames of a video go
    together; the order of the people in a frame says nothing. Landmarks outside of the picture are
    where the model puts them. For several people MediaPipe smooths nothing in time.

    Args:
        frames: (H, W, 3) uint8, RGB.
        model: the pose model's file.
        fps: frames a second.

    Raises:
        InputError: MediaPipe is not installed, or cannot read the model.
    """
    mp = mediapipe()
    with _landmarker(mp, model) as landmarker:
        last = -1
        for number, frame in enumerate(frames):
            last = max(last + 1, round(1000 * number / fps))  # milliseconds, which must rise
            image = mp.Image(mp.ImageFormat.SRGB, frame)
            with _without_its_log():
                found = landmarker.detect_for_video(image, last)
            yield _people(found, (frame.shape[1], frame.shape[0]))


def check_video(model: Path | None) -> None:
    """Load the pose model once, to find what is missing before many videos are read.

    Raises:
        InputError: no model is named, it is not there, the extra is not installed, or MediaPipe
            cannot read the model.
    """
    model = check_model(model, "--format video")
    opencv()
    with _landmarker(mediapipe(), model):
        pass


@contextmanager
def _landmarker(mp: Any, model: Path) -> Iterator[Any]:
    vision = mp.tasks.vision
    options = vision.PoseLandmarkerOptions(
        # As bytes: MediaPipe reports what is wrong with a file by numbers of the system's errors.
        base_options=mp.tasks.BaseOptions(model_asset_buffer=model.read_bytes()),
        running_mode=vision.RunningMode.VIDEO,
        num_poses=MOST_PEOPLE,
    )
    try:
        with _without_its_log():
            landmarker = vision.PoseLandmarker.create_from_options(options)
    except (OSError, RuntimeError, ValueError) as error:
        reason = str(error).strip().split("\n")[0].rstrip(".")
        raise InputError(
            f"--pose-model {model}: MediaPipe cannot read it ({reason}); expected {_MODEL}: "
            "download it again"
        ) from error
    try:
        yield landmarker
    finally:
        with _without_its_log():
            landmarker.close()


def _people(found: Any, size: tuple[int, int]) -> People:
    flat = np.array(
        [[(p.x, p.y, p.presence) for p in person] for person in found.pose_landmarks]
    ).reshape(-1, LANDMARKS, 3)
    world = np.array(
        [[(p.x, p.y, p.z) for p in person] for person in found.pose_world_landmarks]
    ).reshape(-1, LANDMARKS, 3)
    return People(flat[..., :2] * size, world, flat[..., 2], size)


@contextmanager
def _without_its_log() -> Iterator[None]:
    """Take away what MediaPipe's C++ prints past Python, which says nothing to a user."""
    kept = os.dup(2)
    nothing = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)
