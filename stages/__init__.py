"""The DVC stages: one thin script each, run as ``python -m stages.<name> [BENCHMARK]``."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from inspect import getmodule, signature
from pathlib import Path

import amsf.stage.pinned  # noqa: F401  (before anything loads NumPy or torch)
from amsf.base.command import command
from amsf.stage.inputs import unchanged
from amsf.stage.stage_log import logged

# Taken here, before a script's own imports: those of torch take seconds too.
_BEGAN = time.perf_counter()


def run(main: Callable[..., None]) -> None:
    """Call a stage's ``main`` with the command line (see :mod:`amsf.base.command`).

    If the run ends well, its time and memory are logged (:mod:`amsf.stage.stage_log`); it does not
    end well if what it read was changed meanwhile (:mod:`amsf.stage.inputs`).
    """
    words, wanted = sys.argv[1:], len(signature(main).parameters)
    stage, benchmark = Path(sys.argv[0]).stem, words[0] if words else None
    about = (getmodule(main).__doc__ or stage).splitlines()[0]
    if {"-h", "--help"} & set(words):
        print(about)
        return
    if len(words) != wanted:
        takes = "the name of one benchmark" if wanted else "no argument"
        print(f"error: {stage} takes {takes}. {about}", file=sys.stderr)
        raise SystemExit(2)
    with command(), logged(stage, benchmark, _BEGAN), unchanged(stage, benchmark):
        main(*words)
