"""Lines of text in a picture, in any script that a font of this machine has.

Pillow draws a line in one font, and a box for each character that it lacks. Here each character
gets a font that has it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import matplotlib
from matplotlib.ft2font import FT2Font
from PIL import ImageDraw, ImageFont


@dataclass(frozen=True)
class Face:
    """A font: its file, and which one in a file of several."""

    file: str
    index: int = 0


# Matplotlib's own, which has letters of most alphabets and is on every machine.
OWN = Face(str(Path(matplotlib.get_data_path()) / "fonts/ttf/DejaVuSans.ttf"))
_PLACEHOLDERS = "Last Resort"  # the family that has a sign for each script instead of letters


class Lettering:
    """What draws some texts.

    Attributes:
        lacking: their characters that no font of this machine has, each once; boxes stand for them.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        """Choose the fonts: the own one, then whichever has most of what is still lacking."""
        wanted = {char for text in texts for char in text if not char.isspace()}
        lacking = wanted - _drawn_by(OWN, wanted)
        self._faces: dict[str, Face] = {}
        drawn = {face: _drawn_by(face, lacking) for face in _others()} if lacking else {}
        while drawn:
            best = max(drawn, key=lambda face: len(drawn[face]))  # the first of equals
            self._faces |= dict.fromkeys(drawn[best], best)
            lacking -= drawn[best]
            drawn = {face: some & lacking for face, some in drawn.items() if some & lacking}
        self.lacking = "".join(sorted(lacking))

    def width(self, text: str, size: int) -> float:
        """The width of a line in pixels, at a size of letters in pixels."""
        return sum(_font(face, size).getlength(part) for face, part in self._parts(text))

    def write(
        self,
        pen: ImageDraw.ImageDraw,
        place: tuple[float, float],
        text: str,
        size: int,
        colour: str,
    ) -> None:
        """Draw a line, whose letters of the own font begin at a place (left, top)."""
        left, top = place
        line = top + _font(OWN, size).getmetrics()[0]
        for face, part in self._parts(text):
            font = _font(face, size)
            pen.text((left, line), part, colour, font, anchor="ls")
            left += font.getlength(part)

    def _parts(self, text: str) -> list[tuple[Face, str]]:
        """A line cut where the font changes."""
        groups = itertools.groupby(text, key=lambda char: self._faces.get(char, OWN))
        return [(face, "".join(chars)) for face, chars in groups]


def _drawn_by(face: Face, chars: set[str]) -> set[str]:
    """Those of some characters that a font has; none where it cannot be read."""
    try:
        font = FT2Font(face.file, face_index=face.index)
        return {char for char in chars if font.get_char_index(ord(char))}
    except (OSError, RuntimeError):  # it was removed, or is damaged
        return set()


def _others() -> list[Face]:
    """The fonts of this machine, upright ones of usual weight first."""
    from matplotlib import font_manager  # looks through the machine's fonts at the first time

    entries = [
        entry
        for entry in font_manager.fontManager.ttflist
        if not entry.name.startswith(_PLACEHOLDERS)
    ]
    entries.sort(key=lambda e: (e.style != "normal", e.weight != 400, e.name, e.fname, e.index))
    return [Face(entry.fname, entry.index) for entry in entries]


@cache
def _font(face: Face, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(face.file, size, face.index)
