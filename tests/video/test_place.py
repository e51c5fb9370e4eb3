"""Where people stand, from a true pinhole camera's picture of bodies whose place is known."""

from __future__ import annotations

import numpy as np
import pytest

from amsf.video.place import FOCAL_LENGTH, hips
from tests.support.raw_files import standing

SIZE = (1280, 720)
K = 60
TIME = np.linspace(0, 1, K)
# Right, down and away in metres: someone comes nearer across the picture and bends the knees.
WALK = np.stack([-0.8 + 1.6 * TIME, 0.1 + 0.3 * np.sin(6 * TIME), 3.0 - 0.8 * TIME], 1)


def body() -> np.ndarray:
    """(K, 33, 3): someone who stands and faces the camera, from the hips, with MediaPipe's axes."""
    joints = standing("mediapipe33")[:33] * [-1, -1, 1]
    return np.broadcast_to(joints - joints[[23, 24]].mean(0), (K, 33, 3))


def photographed(places: np.ndarray, focal: float) -> np.ndarray:
    """(..., 3) metres from the camera as (..., 2) pixels."""
    return np.array(SIZE) / 2 + focal * places[..., :2] / places[..., 2:]


def test_someone_who_walks_is_found_where_they_are() -> None:
    picture = photographed(body() + WALK[:, None], FOCAL_LENGTH * SIZE[0])
    found = hips(picture, body(), np.ones((K, 33)), SIZE, 30.0)
    assert np.abs(found - WALK)[:, :2].max() < 0.02
    assert np.abs(found - WALK)[:, 2].max() < 0.06


def test_another_camera_changes_the_distance_alone() -> None:
    """A field of view of 45 degrees, 1.5 times the focal length: all is 1.5 times as near."""
    picture = photographed(body() + WALK[:, None], 1.5 * FOCAL_LENGTH * SIZE[0])
    found = hips(picture, body(), np.ones((K, 33)), SIZE, 30.0)
    assert np.abs(found - WALK)[:, :2].max() < 0.02
    np.testing.assert_allclose(found[:, 2], WALK[:, 2] / 1.5, rtol=0.03)


def test_landmarks_outside_of_the_picture_say_nothing() -> None:
    """The legs are somewhere, as those that a model guesses."""
    picture = photographed(body() + WALK[:, None], FOCAL_LENGTH * SIZE[0])
    presence = np.ones((K, 33))
    presence[:, 25:] = 0.1
    whole = hips(picture, body(), presence, SIZE, 30.0)
    picture[:, 25:] += 400
    np.testing.assert_array_equal(hips(picture, body(), presence, SIZE, 30.0), whole)
    assert np.abs(whole - WALK)[:, :2].max() < 0.03


def test_the_distance_does_not_jitter_with_the_landmarks() -> None:
    """A pixel of noise is centimetres of distance in one frame; the median takes them away."""
    rng = np.random.default_rng(0)
    still = np.array([0.3, 0.0, 3.0])
    picture = photographed(body() + still, FOCAL_LENGTH * SIZE[0]) + rng.normal(0, 3, (K, 33, 2))
    smooth = hips(picture, body(), np.ones((K, 33)), SIZE, 30.0)
    rough = hips(picture, body(), np.ones((K, 33)), SIZE, 1.0)
    assert np.diff(smooth[:, 2]).std() < 0.15 * np.diff(rough[:, 2]).std()
    assert smooth[:, 2].mean() == pytest.approx(rough[:, 2].mean(), rel=0.01)


@pytest.mark.parametrize("frames", [1, 2])
def test_a_moment_is_enough(frames: int) -> None:
    picture = photographed(body()[:frames] + WALK[:frames, None], FOCAL_LENGTH * SIZE[0])
    found = hips(picture, body()[:frames], np.zeros((frames, 33)), SIZE, 30.0)
    assert np.abs(found - WALK[:frames]).max() < 0.06
