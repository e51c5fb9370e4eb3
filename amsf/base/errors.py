"""The one error that a user can mend."""

from __future__ import annotations


class InputError(ValueError):
    """Something that the user gave is wrong: a parameter, a file, a combination of both.

    The message names the file or parameter, what was found, what was expected and what to do.
    Stages print it alone, without a traceback (see ``stages/__init__.py``).
    """
