"""The key of an endpoint: from the environment, and masked in all that comes back."""

from __future__ import annotations

import base64
import html
import json
import os
import re
from itertools import groupby
from urllib.parse import quote, unquote

from amsf.base.errors import InputError

KEY_VARIABLE = "OPENAI_API_KEY"
MASK = "***"

_SHORTEST = 8  # letters of a key that is a secret
_WORD = 20  # letters from which on one of letters alone is a secret, too
_PIECE = 6  # letters of a key that are not shown in an error, either


class Key:
    """A key, and how to keep it out of files and messages.

    ``any`` or ``standing``, given to a local server that needs no key, is no secret but a word, so
    that it is not masked: an answer may hold it.

    Raises:
        InputError: it is not in the environment, or cannot be sent.
    """

    def __init__(self) -> None:
        value = os.environ.get(KEY_VARIABLE, "").strip()
        if not value:
            raise InputError(
                f"describe.provider is openai, but {KEY_VARIABLE} is not set; set it in the "
                "environment (any word will do for a local server that needs none)"
            )
        if not value.isascii() or not value.isprintable() or " " in value:
            raise InputError(
                f"{KEY_VARIABLE} has a character that no key has, such as a blank, a line break "
                "or a letter with an accent; set it again"
            )
        self.value = value
        self.secret = len(value) >= _WORD or (len(value) >= _SHORTEST and not value.isalpha())

    def mask(self, text: str) -> str:
        """An answer without the key, whole and as written, which a server may have repeated."""
        return text.replace(self.value, MASK) if self.secret else text

    def mask_all(self, text: str) -> str:
        """An error of a server without the key in any spelling, or the pieces of it that stand."""
        if not self.secret:
            return text
        for decode in (unquote, html.unescape, _without_escapes):
            plain = decode(text)
            if self.value.casefold() in plain.casefold():
                text = plain
        text = _mask_pieces(text, _spellings(self.value))
        # What is left beside a mask, or beside dots, as in `sk-0123***cdef`.
        text = re.sub(rf"(?:{re.escape(MASK)}|[*.…•]{{3,}})+[\w+/=-]{{1,12}}", MASK, text)
        return re.sub(rf"(?:{re.escape(MASK)})+", MASK, text)


def _spellings(key: str) -> set[str]:
    encoded = {key, key[::-1], quote(key, safe=""), json.dumps(key)[1:-1], html.escape(key)}
    encoded |= {key.encode().hex(), repr(key)[1:-1]}
    for shift in range(3):  # base64 depends on how many characters come before
        whole = b"x" * shift + key.encode()
        for code in (base64.b64encode, base64.urlsafe_b64encode):
            encoded.add(code(whole).decode().rstrip("=")[2 * (shift > 0) + shift // 2 :])
    return encoded


def _mask_pieces(text: str, spellings: set[str]) -> str:
    """Mask all that is a piece of a spelling, whatever the case of its letters."""
    secrets = [spelling.lower() for spelling in spellings]
    folded = "".join(char.lower()[:1] for char in text)  # a few capitals have two small letters
    hidden = [False] * len(text)
    for at in range(len(text) - _PIECE + 1):
        if any(folded[at : at + _PIECE] in secret for secret in secrets):
            hidden[at : at + _PIECE] = [True] * _PIECE
    runs = groupby(zip(text, hidden), key=lambda pair: pair[1])
    return "".join(MASK if secret else "".join(c for c, _ in run) for secret, run in runs)


def _without_escapes(text: str) -> str:
    r"""A text with characters in place of ``\uXXXX`` and ``\xXX``."""
    return re.sub(
        r"\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})", lambda m: chr(int(m[1] or m[2], 16)), text
    )
