"""The GIF: a frame for each pose, persons in the picture and the right way round."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import font_manager
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


@pytest.fixture
def font(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A font of this machine that has 走 alone, drawn as a whole square."""
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    for corner in ((0, 800), (1000, 800), (1000, 0)):
        pen.lineTo(corner)
    pen.closePath()
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", "walk"])
    builder.setupCharacterMap({ord("走"): "walk"})
    builder.setupGlyf({".notdef": TTGlyphPen(None).glyph(), "walk": pen.glyph()})
    builder.setupHorizontalMetrics({".notdef": (1000, 0), "walk": (1000, 0)})
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Square", "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    path = tmp_path / "square.ttf"
    builder.save(path)
    gone, broken = tmp_path / "gone.ttf", tmp_path / "broken.ttf"
    broken.write_bytes(b"no font")
    found = [font_manager.FontEntry(fname=str(file), name="A") for file in (gone, broken, path)]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", found)
    return path


def test_scripts_that_the_own_font_lacks_are_drawn_by_one_that_has_them(
    tmp_path: Path, standing: np.ndarray, font: Path
) -> None:
    path = tmp_path / "out.gif"
    with warnings.catch_warnings(action="error"):
        lacking = write_gif(path, [Scene(standing[:, :1], "a走走a", "路 路跑, 9 %")], LAYOUT)
    assert lacking == "跑路"  # each once
    title = np.asarray(frames(path)[0].convert("L"))[14:48]
    black = (title < 60).sum(0)  # of each column
    assert (black > 18).sum() >= 48  # two squares, 26 pixels wide and 21 high
    assert not write_gif(path, [Scene(standing[:, :1], "größer, ходить", "9 %")], LAYOUT)


def test_control_characters_are_drawn_as_escapes(tmp_path: Path, standing: np.ndarray) -> None:
    drawn = []
    for text in ("a\nb\u202e", r"a\nb\u202e"):
        write_gif(tmp_path / "out.gif", [Scene(standing[:, :1], text, text)], LAYOUT)
        drawn.append((tmp_path / "out.gif").read_bytes())
    assert drawn[0] == drawn[1]


def test_scenes_follow_each_other(tmp_path: Path, standing: np.ndarray) -> None:
    scenes = [Scene(standing[:, :4], "one", "seen"), Scene(standing[:, 4:9], "two", "unseen")]
    write_gif(tmp_path / "both.gif", scenes, LAYOUT)
    images = [np.asarray(image) for image in frames(tmp_path / "both.gif")]
    assert len(images) == 9
    # Titles change between the scenes and stay within one.
    assert (images[3][:50] != images[4][:50]).any()
    assert (images[0][:50] == images[3][:50]).all()
