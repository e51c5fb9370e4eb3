"""The workers of a Dask cluster. Importing it takes a second, and few runs need it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from distributed import Client, KilledWorker
from joblib import parallel_config

from amsf.base.errors import InputError

ANSWER_WITHIN = 30  # seconds that a scheduler has


class _Connection(Client):
    """A client that is closed at once where no scheduler answers.

    Dask's own is closed when it is collected. That takes the lock under which the next client
    starts, so that a collection just then waits for itself, for ever. It also waits for ever for
    the first word of whatever takes the connection, such as a scheduler that hangs.
    """

    def __init__(self, address: str, **more: Any) -> None:
        try:
            super().__init__(address, **more)
        except BaseException:
            self.close()
            raise

    async def _start(self, timeout: Any = ANSWER_WITHIN, **more: Any) -> Any:
        # A second later than Dask, which says more of what it can tell.
        return await asyncio.wait_for(super()._start(timeout, **more), timeout + 1)


@contextmanager
def workers_of(address: str) -> Iterator[None]:
    """Let joblib send its calls to the workers of a Dask scheduler.

    Raises:
        InputError: no scheduler answers at that address, or a call was given up.
    """
    try:
        client = _Connection(address, timeout=ANSWER_WITHIN, set_as_default=False)
    # Each protocol has errors of its own for what it lacks: certificates, a package, a port.
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(
            f"compute.scheduler is {address}, but no Dask scheduler answers there within "
            f"{ANSWER_WITHIN} s ({reason}); start one (docs/clusters.md), or leave it empty to run "
            "on this machine"
        ) from error
    backend = parallel_config("dask", client=client, wait_for_workers_timeout=ANSWER_WITHIN)
    try:
        with client, backend:
            yield
    except KilledWorker as error:
        raise InputError(
            f"a run was given up after several workers of {address} ended under it, most often "
            "because the memory ran out; give each worker more, or start fewer on a machine "
            "(docs/clusters.md), and run the same command again"
        ) from error
