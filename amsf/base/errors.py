"""The one error that a user can mend."""

from __future__ import annotations

from collections.abc import Iterable


class InputError(ValueError):
    """Something that the user gave is wrong: a parameter, a file, a combination of both.

    The message names the file or parameter, what was found, what was expected and what to do.
    Stages print it alone, without a traceback (see ``stages/__init__.py``).
    """


def first_ten(items: Iterable[object], separator: str = ", ", last: str = " and ") -> str:
    """What a message names of many things: the first ten, and how many more there are.

    Args:
        items: in the order to name them.
        separator: between two of them.
        last: before the number of those that are left out.
    """
    told = [str(item) for item in items]
    shown = separator.join(told[:10])
    return shown if len(told) <= 10 else f"{shown}{last}{len(told) - 10} more"
