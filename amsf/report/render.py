"""The page's templates, and the pieces that they lay out: tables and pictures.

Templates escape every value, so that a class name with ``<`` in it is shown and not obeyed; a name
that a template asks for and is not given is an error.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from amsf.base.display import escaped

TEMPLATES = Path(__file__).parent / "templates"
# Points to an inch of a screen, of our pictures' files; the smallest scale at which letters of 9
# points stay readable; and the room on a phone.
_SCREEN, _FILE, _LEAST, _PHONE = 96, 150, 0.65, 360


@dataclass(frozen=True)
class Table:
    """A table of plain cells.

    Attributes:
        caption: the text above it, which screen readers read too.
        header: the columns' names.
        rows: their cells; the first is the row's header.
        numbers: columns that are set flush right.
        shaded: rows that stand out, counted from 0.
    """

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[object]]
    numbers: Sequence[int] = ()
    shaded: Sequence[int] = ()


@dataclass(frozen=True)
class Picture:
    """A picture as part of the page, with words for those who cannot see it.

    It shrinks with the screen as far as its letters stay readable; beyond, its box scrolls.

    Attributes:
        source: the file itself, as an address.
        width, height: at full size, in pixels of a screen.
        least: the width that it keeps.
        scrolls: whether that is more than a phone has.
        alt: what the picture shows, in words.
        caption: the text below it.
        wide: whether it takes a row of its own, at its full size.
    """

    source: str
    width: int
    height: int
    least: int
    scrolls: bool
    alt: str
    caption: str
    wide: bool


def picture(path: Path, alt: str, caption: str, *, wide: bool = False) -> Picture:
    """A PNG file, read."""
    data = path.read_bytes()
    pixels = (int.from_bytes(data[i : i + 4], "big") for i in (16, 20))  # of its header
    width, height = (round(count * _SCREEN / _FILE) for count in pixels)
    least = width if wide else round(_LEAST * width)
    source = "data:image/png;base64," + base64.b64encode(data).decode()
    return Picture(source, width, height, least, least > _PHONE, alt, caption, wide)


def render(template: str, folder: Path = TEMPLATES, /, **values: Any) -> str:
    """A template of a folder with its values; it may include those of :data:`TEMPLATES`."""
    return _environment(folder).get_template(template).render(values)


def _seen(value: Any) -> Any:
    """A value with escapes in place of characters that a page would not show, or would obey."""
    return escaped(value, keep="\n") if type(value) is str else value  # no Markup, which is ours


@cache
def _environment(folder: Path = TEMPLATES) -> Environment:
    return Environment(
        loader=FileSystemLoader([folder, TEMPLATES]),
        autoescape=True,
        finalize=_seen,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
