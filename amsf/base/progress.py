"""Progress of long loops: a bar on a terminal, a few plain lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

from amsf.base.display import escaped

Item = TypeVar("Item")


def track(
    items: Iterable[Item],
    label: str,
    total: int | None = None,
    initial: int = 0,
    *,
    lines: bool = False,
) -> Iterator[Item]:
    """Yield ``items`` unchanged while the progress goes to stderr.

    Args:
        items: what to iterate over.
        label: what is being done, such as ``"reading recordings"``.
        total: how many items there are, where ``items`` has no length.
        initial: how many of them were done before.
        lines: print lines on a terminal too, for one of several processes that share it.

    On a terminal this is a tqdm bar. Elsewhere (a log, CI, ``dvc repro > file``) it prints one
    line every 15 seconds, so that a log stays readable.
    """
    terminal = sys.stderr.isatty() and not lines
    bar = tqdm(
        items,
        desc=escaped(label),
        total=total,
        initial=initial,
        leave=terminal,
        mininterval=0.2 if terminal else 15.0,
        # miniters=1 keeps tqdm from guessing a step that would skip the 15-second lines.
        miniters=1,
        delay=0 if terminal else 3,
        ascii=not terminal,
        file=sys.stderr if terminal else _Lines(),
    )
    yield from bar


class _Lines:
    """A stderr that ends each of tqdm's updates with a newline instead of a carriage return."""

    def write(self, text: str) -> int:
        line = text.strip("\r\n ")
        if line:
            print(line, file=sys.stderr, flush=True)
        return len(text)

    def flush(self) -> None:
        sys.stderr.flush()
