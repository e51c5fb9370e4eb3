"""The DVC stages: one thin script each, run as ``python -m stages.<name> [BENCHMARK]``."""

from __future__ import annotations

import sys
from collections.abc import Callable

from amsf.errors import InputError


def run(main: Callable[..., None]) -> None:
    """Call a stage's ``main`` with the command line; an InputError ends it in one message."""
    try:
        main(*sys.argv[1:])
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None
