"""How every command and stage ends: with its result, or with one message and no traceback."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from amsf.base.display import say
from amsf.base.errors import InputError
from amsf.base.storage import refusal

PIPE_CLOSED = 141  # what shells report of a program that SIGPIPE ended


@contextmanager
def command() -> Iterator[None]:
    """Run a command in the block; what its user can correct ends it with status 1 and a message.

    That is an :class:`InputError`, and what the system refuses: a full or read-only disk, a file
    that may not be read, memory. Where nobody reads the output any more it ends in silence, and a
    character that the console cannot show is printed as an escape.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        yield
        if sys.stdout is not None:  # it may be closed
            sys.stdout.flush()
    except InputError as error:
        _end(str(error))
    except BrokenPipeError:
        # Python flushes once more at its end, which must not fail.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(PIPE_CLOSED) from None
    except MemoryError:
        _end("the memory is used up; free some, or choose smaller settings in params.yaml")
    except OSError as error:
        reason = refusal(error)
        if reason is None:
            raise
        _end(f"{error.filename or 'the output'}: {reason}; correct that and run it again")


def _end(message: str) -> None:
    say(f"error: {message}", sys.stderr)
    raise SystemExit(1) from None
