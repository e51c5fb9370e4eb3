"""Read text files that people and programs of all kinds write."""

from __future__ import annotations

import codecs
from pathlib import Path

from amsf.base.errors import InputError

_MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32",  # before UTF-16, whose mark is the first half of it
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}


def read_plain_text(path: Path) -> str:
    """Read UTF-8 with or without a byte order mark; other 8-bit characters are kept as Latin-1.

    Raises:
        InputError: the file cannot be opened, or is UTF-16 or UTF-32.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; expected a text file: check it") from error
    refuse_wide(content, path)
    content = content.removeprefix(codecs.BOM_UTF8)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def refuse_wide(content: bytes, path: Path) -> None:
    """Refuse text of two or four bytes a character, as some editors save it.

    Raises:
        InputError: it is UTF-16 or UTF-32.
    """
    encoding = next((name for mark, name in _MARKS.items() if content.startswith(mark)), None)
    # Without a mark it shows by every other byte of Western text being zero.
    sample = content[:1000]
    if encoding is None and max(sample[::2].count(0), sample[1::2].count(0)) > len(sample) / 4:
        encoding = "UTF-16"
    if encoding is not None:
        raise InputError(f"{path}: the text is {encoding}; expected UTF-8: save it as UTF-8")
