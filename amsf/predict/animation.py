"""An animation of recordings with what was predicted of them, as a GIF.

Axis letters: M persons, T frames, J joints.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageColor, ImageDraw

from amsf.base.display import escaped
from amsf.base.progress import track
from amsf.base.storage import atomic_path
from amsf.predict.lettering import Lettering
from amsf.skeleton.joints import Layout

WIDTH, HEIGHT = 480, 560
_HEAD = 96  # pixels for the two lines of title
_MARGIN = 28
_SMALLEST = 9  # pixels of a letter that can still be read
_SCALE = 2  # drawn larger and reduced, for smooth lines
_MOST_FRAMES = 60
_FRAME_MS = 1000 / 30  # of a Kinect
# Left, right and middle of the body, from Okabe and Ito's colours for all kinds of sight.
_COLOURS = {"left": "#0072B2", "right": "#D55E00", "middle": "#444444"}
_PALE = {"left": "#8CC4E6", "right": "#F2B48A", "middle": "#AAAAAA"}


@dataclass(frozen=True)
class Scene:
    """A recording and the words above it.

    Attributes:
        joints: (M, T, J, 3) metres, y up.
        title: the large line.
        subtitle: the small line.
    """

    joints: np.ndarray
    title: str
    subtitle: str


def write_gif(path: str | Path, scenes: Sequence[Scene], layout: Layout) -> str:
    """Write stick figures in motion, one scene after another; loops for ever.

    Persons are seen as the sensor saw them: the right hand of one who faces it is on the left,
    in another colour than the left hand. A second person is pale. At most 60 frames a recording
    are shown, at the speed of 30 recorded frames a second.

    Args:
        path: the file, replaced as a whole.
        scenes: at least one.
        layout: the joints' layout.

    Returns:
        The characters of the titles that no font of this machine has; boxes stand for them.
    """
    scenes = [replace(s, title=escaped(s.title), subtitle=escaped(s.subtitle)) for s in scenes]
    letters = Lettering(line for scene in scenes for line in (scene.title, scene.subtitle))
    images: list[Image.Image] = []
    times: list[int] = []
    for scene in track(scenes, "drawing recordings"):
        places = _places(scene.joints)
        step = -(-places.shape[1] // _MOST_FRAMES)
        drawn = [
            _draw(scene, places[:, t], layout, letters) for t in range(0, places.shape[1], step)
        ]
        images += drawn
        # GIF counts in hundredths of a second, and viewers slow down below two of them.
        times += [10 * max(2, round(step * _FRAME_MS / 10))] * (len(drawn) - 1) + [700]
    with atomic_path(path) as temporary:
        images[0].save(
            temporary, "GIF", save_all=True, append_images=images[1:], duration=times, loop=0
        )
    return letters.lacking


def _draw(scene: Scene, places: np.ndarray, layout: Layout, letters: Lettering) -> Image.Image:
    """One frame, of persons at (M, J, 2) pixels."""
    image = Image.new("RGB", (WIDTH * _SCALE, HEIGHT * _SCALE), "white")
    pen = ImageDraw.Draw(image)
    for person in reversed(range(len(places))):
        colours = _PALE if person else _COLOURS
        points = [tuple(map(float, point)) for point in places[person]]
        for child, parent in layout.edges:
            side = layout.joints[child].partition("_")[0]
            colour = colours.get(side, colours["middle"])
            pen.line([points[child], points[parent]], colour, 5 * _SCALE, joint="curve")
        for joint, (x, y) in enumerate(points):
            size = (11 if layout.joints[joint] == "head" else 4) * _SCALE
            side = layout.joints[joint].partition("_")[0]
            pen.ellipse(
                [x - size, y - size, x + size, y + size], colours.get(side, colours["middle"])
            )
    _write(pen, letters, scene.title, 14, 26, "black")
    _write(pen, letters, scene.subtitle, 54, 18, "#444444")
    _legend(pen, letters)
    image = image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
    # One palette for all frames: those of their own would flicker.
    return image.quantize(palette=_palette(), dither=Image.Dither.NONE)


def _places(joints: np.ndarray) -> np.ndarray:
    """(M, T, J, 3) metres -> (M, T, J, 2) pixels; one scale for the whole recording."""
    room = (WIDTH - 2 * _MARGIN, HEIGHT - _HEAD - 2 * _MARGIN)
    return fitted(joints, room, (WIDTH / 2, _HEAD + (HEIGHT - _HEAD - _MARGIN) / 2)) * _SCALE


def fitted(
    joints: np.ndarray, room: tuple[float, float], middle: tuple[float, float]
) -> np.ndarray:
    """Joints as the sensor saw them, as large as a picture has room for.

    Args:
        joints: (M, T, J, 3) metres, y up.
        room: width and height that all frames together take at most.
        middle: the place, x and y, of their middle; y falls.

    Returns:
        (M, T, J, 2) places, of one scale.
    """
    # x grows towards the right hand of who faces the sensor, which is the picture's left.
    flat = joints[..., :2] * np.array([-1.0, -1.0])
    low, high = flat.min((0, 1, 2)), flat.max((0, 1, 2))
    scale = (np.array(room) / np.maximum(high - low, 1e-3)).min()
    places: np.ndarray = (flat - (low + high) / 2) * scale + np.array(middle)
    return places


def _write(
    pen: ImageDraw.ImageDraw, letters: Lettering, text: str, top: int, size: int, colour: str
) -> None:
    """A centred line; smaller where it would not fit, then without its middle."""
    room = (WIDTH - _MARGIN) * _SCALE
    size *= _SCALE
    wide = letters.width(text, size)
    if wide > room:
        size = max(_SMALLEST * _SCALE, int(size * room / wide))
        text = _shortened(text, room, letters, size)
        wide = letters.width(text, size)
    letters.write(pen, ((WIDTH * _SCALE - wide) / 2, top * _SCALE), text, size, colour)


def _shortened(text: str, room: float, letters: Lettering, size: int) -> str:
    """A text, or as much of its two ends as has room."""
    short, half = text, len(text) // 2
    while half and letters.width(short, size) > room:
        half = min(half - 1, int(half * room / letters.width(short, size)))
        short = f"{text[:half]}…{text[len(text) - half :]}"
    return short


def _legend(pen: ImageDraw.ImageDraw, letters: Lettering) -> None:
    size, top = 13 * _SCALE, (HEIGHT - 24) * _SCALE
    letters.write(pen, (12 * _SCALE, top), "right side", size, _COLOURS["right"])
    left = WIDTH * _SCALE - letters.width("left side", size) - 12 * _SCALE
    letters.write(pen, (left, top), "left side", size, _COLOURS["left"])


@cache
def _palette() -> Image.Image:
    """Each colour in 16 steps from white, black first."""
    colours = ["#000000", *_COLOURS.values(), *_PALE.values()]
    ink = np.array([ImageColor.getrgb(colour) for colour in colours])
    shades = 255 + (ink[:, None] - 255) * np.linspace(0, 1, 16)[:, None]
    image = Image.new("P", (1, 1))
    image.putpalette(shades.round().astype(np.uint8).tobytes())
    return image
