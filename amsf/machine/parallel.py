"""Tasks side by side: processes of this machine, or the workers of a Dask cluster."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from typing import Any

from joblib import Parallel, delayed, parallel_config

from amsf.base.errors import InputError
from amsf.base.progress import track
from amsf.base.workers import workers_alive
from amsf.machine.allowance import runs_allowed
from amsf.settings.params import Compute
from amsf.stage.portable import kernels, refuse_other_kernels

# What torch says where memory cannot be had, or where the number of bytes is beyond all numbers.
_NO_MEMORY = re.compile(r"allocat|out of memory|overflow", re.IGNORECASE)
# Tasks draw from torch's own random stream, which all threads of a Dask worker share.
_ALONE = threading.RLock()


def side_by_side(
    function: Callable[..., Any], tasks: Sequence[tuple[Any, ...]], compute: Compute, label: str
) -> list[Any]:
    """Call ``function(*task)`` for every task; returns the results in the order of the tasks.

    Args:
        function: a function that the workers can import.
        tasks: the arguments of each call.
        compute: ``scheduler`` sends the tasks to a Dask cluster, which does those of a worker
            that dies again on another; without one, ``jobs`` of them run in processes here, each
            with ``threads`` threads, or as many as the granted cores and memory allow.
        label: what the progress line says.

    Raises:
        InputError: no scheduler answers at that address; a worker chooses other kernels, or was
            ended by the system; a task does not fit into the memory.
    """
    jobs = compute.jobs or runs_allowed(compute.threads)
    where: AbstractContextManager[None]
    if compute.scheduler:
        from amsf.machine.cluster import workers_of

        where = workers_of(compute.scheduler)
    else:
        where = _here(compute, jobs, len(tasks))
    with workers_alive(f"compute.jobs (there were {min(jobs, len(tasks))} runs at once)"), where:
        parent = None if compute.scheduler else os.getpid()
        asking = kernels()
        calls = (delayed(_call)(parent, asking, function, i, task) for i, task in enumerate(tasks))
        # A batch of one, so that a task is waited for, and done again, alone.
        done = Parallel(return_as="generator_unordered", batch_size=1)(calls)
        results = dict(track(done, label, total=len(tasks)))
    return [results[index] for index in range(len(tasks))]


def _call(
    parent: int | None,
    asking: dict[str, str],
    function: Callable[..., Any],
    index: int,
    task: tuple[Any, ...],
) -> tuple[int, Any]:
    refuse_other_kernels(asking)
    if parent is not None and parent != os.getpid():
        _watch(parent)
    with _ALONE, _memory():
        return index, function(*task)


@contextmanager
def _memory() -> Iterator[None]:
    """One message where an array cannot be allocated; torch has no error of its own for that."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        if isinstance(error, RuntimeError) and not _NO_MEMORY.search(reason):
            raise
        raise InputError(
            f"a run does not fit into the memory ({reason[:200] or 'none is left'}); lower "
            "compute.jobs or a size in params.yaml: model.latent, model.ratio, train.batch_size, "
            "train.classifier_samples, backbone.batch_size or backbone.frames"
        ) from error


@cache
def _watch(parent: int) -> None:
    """End this worker process when its parent is killed, instead of working on for nobody."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def _here(compute: Compute, jobs: int, tasks: int) -> Iterator[None]:
    with parallel_config("loky", n_jobs=min(jobs, tasks), inner_max_num_threads=compute.threads):
        yield
