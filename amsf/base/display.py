"""Text of unknown origin where people see it: on a terminal, in a picture, in a spreadsheet.

Labels, names of files and recordings, and answers of servers may hold what a terminal obeys
(control characters), what turns a line around (bidirectional controls) or what nobody sees
(zero-width characters).
"""

from __future__ import annotations

import re
import sys
import unicodedata
from typing import TextIO

# Categories that are not seen: controls, formats (bidirectional and zero-width ones), halves of
# surrogate pairs, separators of lines and paragraphs.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# What else Unicode calls "default ignorable": letters and marks that no font draws.
_IGNORABLE = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0]")
_ESCAPES = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}
# What spreadsheets run: it begins with one of these signs and is no plain number.
_FORMULA = re.compile(r"'*[=+\-@\t\r＝＋－＠]")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")


def hidden_character(text: str) -> str | None:
    """The first character that is not seen, such as ``U+202E``, or None."""
    return next((f"U+{ord(char):04X}" for char in text if _hidden(char)), None)


def escaped(text: object, keep: str = "") -> str:
    """A text with escapes in place of the characters that are not seen, but for those to keep."""
    return "".join(
        _escape(char) if _hidden(char) and char not in keep else char for char in str(text)
    )


def _hidden(char: str) -> bool:
    return unicodedata.category(char) in _UNSEEN or bool(_IGNORABLE.match(char))


def _escape(char: str) -> str:
    code = ord(char)
    if char in _ESCAPES:
        return _ESCAPES[char]
    return (
        f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"
    )


def say(text: str, stream: TextIO | None = None) -> None:
    """Print lines for people, on stdout unless another stream is given."""
    print(escaped(text, keep="\n"), file=stream or sys.stdout, flush=stream is not None)


def literal(text: str) -> str:
    """A text as Matplotlib draws it letter by letter: a dollar begins no formula."""
    return escaped(text, keep="\n").replace("$", r"\$")


def as_cell(text: str) -> str:
    """A text as a cell that no spreadsheet takes for a formula: an apostrophe goes before it."""
    runs = _FORMULA.match(text) and not _NUMBER.fullmatch(text)
    return f"'{text}" if runs else text


def from_cell(cell: str) -> str:
    """The text that :func:`as_cell` made a cell of."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
