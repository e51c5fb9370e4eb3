"""The GIF: a frame for each pose, persons in the picture and the right way round."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageSequence

from amsf.demo.simulation import simulate
from amsf.predict.animation import HEIGHT, WIDTH, Scene, write_gif
from amsf.skeleton.joints import layout_of

LAYOUT = layout_of("kinect25")
BLUE, ORANGE = np.array([0x00, 0x72, 0xB2]), np.array([0xD5, 0x5E, 0x00])


@pytest.fixture(scope="module")
def standing() -> np.ndarray:
    """(1, T, J, 3) of a simulated person."""
    return np.asarray(simulate(subjects=4, repetitions=1)[0])


def pixels(image: Image.Image, colour: np.ndarray, rows: slice = slice(96, 520)) -> np.ndarray:
    """(n, 2) places (x, y) of a colour below the title and above the legend."""
    array = np.asarray(image.convert("RGB")).astype(int)[rows]
    y, x = np.nonzero((np.abs(array - colour) < 25).all(-1))
    return np.stack([x, y + rows.start], 1)


def frames(path: Path) -> list[Image.Image]:
    with Image.open(path) as gif:
        return [frame.convert("RGB") for frame in ImageSequence.Iterator(gif)]


@pytest.mark.parametrize(("length", "shown"), [(1, 1), (12, 12), (130, 44)])
def test_frames_and_size(tmp_path: Path, standing: np.ndarray, length: int, shown: int) -> None:
    # Moving sideways, so that no two frames are alike and merged.
    joints = np.repeat(standing[:, :1], length, axis=1) + np.linspace(0, 2, length)[:, None, None]
    path = tmp_path / "out.gif"
    write_gif(path, [Scene(joints, "wave", "unseen, 43 %")], LAYOUT)
    images = frames(path)
    assert len(images) == shown
    assert images[0].size == (WIDTH, HEIGHT)


def test_seen_as_by_the_sensor(tmp_path: Path) -> None:
    # A pose by hand: head up, right hand at larger x (towards the right of who faces the sensor).
    joints = np.zeros((1, 1, 25, 3))
    for name, place in {
        "head": (0, 1.6),
        "right_hand": (0.8, 1.0),
        "left_hand": (-0.8, 1.2),
        "right_foot": (0.2, 0),
        "left_foot": (-0.2, 0),
    }.items():
        joints[0, 0, LAYOUT.index(name), :2] = place
    write_gif(tmp_path / "pose.gif", [Scene(joints, "pose", "seen")], LAYOUT)
    (image,) = frames(tmp_path / "pose.gif")
    right, left = pixels(image, ORANGE), pixels(image, BLUE)
    assert right[:, 0].min() < WIDTH / 2 - 100
    assert left[:, 0].max() > WIDTH / 2 + 100
    assert pixels(image, np.array([0x44] * 3))[:, 1].min() < right[:, 1].min()


def test_two_persons_stay_in_the_picture_with_the_title(
    tmp_path: Path, standing: np.ndarray
) -> None:
    both = np.concatenate([standing, standing + np.array([1.5, 0, 0])])[:, :5]
    title = "a very long label that would never fit into one line of the picture at full size"
    write_gif(tmp_path / "two.gif", [Scene(both, title, "seen, 9 %")], LAYOUT)
    image = np.asarray(frames(tmp_path / "two.gif")[0]).astype(int)
    edges = [image[:, :4], image[:, -4:], image[:4]]
    assert all((part > 250).all() for part in edges)
    assert (image[:90] < 120).all(-1).any()  # the title
    pale = np.array([0xF2, 0xB4, 0x8A])
    assert len(pixels(frames(tmp_path / "two.gif")[0], pale)) > 50


def test_of_a_caption_beyond_all_room_the_two_ends_stay(
    tmp_path: Path, standing: np.ndarray
) -> None:
    drawn = []
    for name in ("n" * 300, "n" * 400):
        write_gif(tmp_path / "long.gif", [Scene(standing[:, :1], "A", f"9 % {name} x")], LAYOUT)
        drawn.append(np.asarray(frames(tmp_path / "long.gif")[0])[50:96])
    np.testing.assert_array_equal(*drawn)
    assert (drawn[0][:, [*range(4), *range(-4, 0)]] > 250).all()
    assert (drawn[0] < 120).all(-1).any(1).sum() >= 5  # rows of a line that can be read


def test_scenes_follow_each_other(tmp_path: Path, standing: np.ndarray) -> None:
    scenes = [Scene(standing[:, :4], "one", "seen"), Scene(standing[:, 4:9], "two", "unseen")]
    write_gif(tmp_path / "both.gif", scenes, LAYOUT)
    images = [np.asarray(image) for image in frames(tmp_path / "both.gif")]
    assert len(images) == 9
    # Titles change between the scenes and stay within one.
    assert (images[3][:50] != images[4][:50]).any()
    assert (images[0][:50] == images[3][:50]).all()
