"""Measurements in processes of their own, side by side, and the memory they take."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil

from amsf.stage.portable import PINS

ROOT = Path(__file__).parents[1]
INTERVAL = 0.2  # seconds; reading a process costs about ten milliseconds
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@dataclass(frozen=True)
class Memory:
    """Peak bytes of a group of processes.

    Attributes:
        process: the largest resident set of one process.
        group: the largest sum over all, pages shared by several counted once (on Linux; elsewhere
            pages of their own alone).
    """

    process: int
    group: int


def run_together(
    commands: Sequence[Sequence[str]], threads: int | None = None, *, watch: bool = False
) -> tuple[float, Memory | None]:
    """Run Python modules side by side.

    Args:
        commands: module and arguments of each process.
        threads: how many each process has; None leaves it to the process.
        watch: whether to look at the memory of the processes and of all that they start, which
            takes a few percent of a core.

    Returns:
        Seconds until the last has ended, and the peak memory where it was watched.

    Raises:
        RuntimeError: one failed; the message holds the end of its output.
    """
    # Threads and kernels are left to what is measured, whatever the caller's shell says.
    env = {name: v for name, v in os.environ.items() if name not in (*THREADS, *PINS)}
    if threads is not None:
        env |= dict.fromkeys(THREADS, str(threads))
    with ExitStack() as stack:
        # Files, since a pipe that nobody reads would fill up and stop the process.
        outputs = [stack.enter_context(tempfile.TemporaryFile()) for _ in commands]
        start = time.perf_counter()
        running = [
            stack.enter_context(_started([sys.executable, "-m", *command], env, output))
            for command, output in zip(commands, outputs, strict=True)
        ]
        watcher = stack.enter_context(_Watcher([p.pid for p in running])) if watch else None
        failed = [process.wait() != 0 for process in running]
        seconds = time.perf_counter() - start
        if any(failed):
            output = outputs[failed.index(True)]
            output.seek(0)
            tail = output.read().decode(errors="replace")[-2000:]
            raise RuntimeError(f"{' '.join(commands[failed.index(True)])} failed:\n{tail}")
    return seconds, None if watcher is None else watcher.peak


@contextmanager
def _started(
    words: Sequence[str], env: dict[str, str], output: IO[bytes]
) -> Iterator[subprocess.Popen[bytes]]:
    """A process that does not outlive the block."""
    process = subprocess.Popen(words, cwd=ROOT, env=env, stdout=output, stderr=subprocess.STDOUT)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


class _Watcher:
    """Looks at processes again and again from a thread, within a ``with`` block."""

    def __init__(self, pids: Sequence[int]) -> None:
        self.peak = Memory(0, 0)
        self._pids = pids
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> _Watcher:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(INTERVAL):
            largest, group = 0, 0
            for process in self._alive():
                with suppress(psutil.Error):  # it has just ended
                    info = process.memory_full_info()
                    largest = max(largest, info.rss)
                    group += getattr(info, "pss", info.uss)
            self.peak = Memory(max(self.peak.process, largest), max(self.peak.group, group))

    def _alive(self) -> Iterator[psutil.Process]:
        for pid in self._pids:
            with suppress(psutil.Error):
                process = psutil.Process(pid)
                yield process
                yield from process.children(recursive=True)


def cpu_name() -> str:
    """The processor's name."""
    path = Path("/proc/cpuinfo")
    if path.is_file():
        for line in path.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
