"""The error that reports what a user can correct."""

from __future__ import annotations

from collections.abc import Iterable

from amsf.base.display import escaped

LONGEST = 1400  # characters of a line: what is quoted in it may be of any length
MOST_LINES = 40


class InputError(ValueError):
    """Something that the user gave is wrong: a parameter, a file, a combination of both.

    The message names the file or parameter and says what is there, what was expected and what to
    do.
    Commands print it alone, without a traceback (see :mod:`amsf.base.command`). What it quotes is
    shown with escapes in place of control and hidden characters, and cut where it is very long.

    Args:
        lines: the message, a line each.
    """

    def __init__(self, *lines: str) -> None:
        super().__init__(*(_shortened(escaped(line)) for line in lines[:MOST_LINES]))

    def __str__(self) -> str:
        return "\n".join(self.args)


class OtherContentError(InputError):
    """A file is whole and holds something else than what is read from its kind of file.

    Where a folder is looked through, such a file is passed over; a damaged one is reported.
    """


def _shortened(line: str) -> str:
    """A line without its middle, where it is too long."""
    if len(line) <= LONGEST:
        return line
    head, tail = line[: LONGEST * 2 // 3], line[-LONGEST // 4 :]
    return f"{head} [... {len(line) - len(head) - len(tail)} characters ...] {tail}"


def counted(count: int, one: str, many: str = "") -> str:
    """A count and its noun: ``1 recording``, ``2 recordings``; ``many`` where no s is added."""
    return f"{count} {one if count == 1 else many or f'{one}s'}"


def first_ten(items: Iterable[object], separator: str = ", ", last: str = " and ") -> str:
    """Name the first ten of many things in a message, and how many more there are.

    Args:
        items: the things, in the order to name them.
        separator: the text between two of them.
        last: the text before the number of those that are left out.
    """
    names = [str(item) for item in items]
    shown = separator.join(names[:10])
    return shown if len(names) <= 10 else f"{shown}{last}{len(names) - 10} more"
