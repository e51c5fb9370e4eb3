"""The error that reports what a user can correct."""

from __future__ import annotations

from collections.abc import Iterable


class InputError(ValueError):
    """Something that the user gave is wrong: a parameter, a file, a combination of both.

    The message names the file or parameter and says what is there, what was expected and what to
    do.
    Stages print it alone, without a traceback (see ``stages/__init__.py``).
    """


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
