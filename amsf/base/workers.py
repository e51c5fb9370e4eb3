"""One message where the system ends a worker process."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager

from amsf.base.errors import InputError


@contextmanager
def workers_alive(advice: str) -> Iterator[None]:
    """Say so where a worker dies in the block, which joblib reports in a long traceback.

    Args:
        advice: what to lower, for the message.

    Raises:
        InputError: a worker process ended before its work did.
    """
    try:
        yield
    except BrokenProcessPool as error:
        raise InputError(
            "a worker process was ended by the system, most often because the memory ran out; "
            f"lower {advice}, or free memory, and run the same command again"
        ) from error
