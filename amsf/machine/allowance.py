"""How many runs this process may have side by side: the cores and the memory granted to it.

A batch system, a container or ``taskset`` often grants a part of a machine.
"""

from __future__ import annotations

import os
from pathlib import Path

import joblib

# Bytes that a training run needs at the size of the paper's largest benchmark, measured with its
# share of the parent process (benchmarks/README.md).
RUN = 700 * 2**20
MEMORY_INFO, GROUPS, OWN_GROUP = (
    Path("/proc/meminfo"),
    Path("/sys/fs/cgroup"),
    Path("/proc/self/cgroup"),
)


def runs_allowed(threads: int) -> int:
    """Runs of ``threads`` threads that cores and memory are there for; at least one.

    joblib counts the cores by affinity and by the quota of the control group.
    """
    cores = joblib.cpu_count() // threads
    memory = available_memory()
    return max(1, cores if memory is None else min(cores, memory // RUN))


def available_memory() -> int | None:
    """Bytes that are free or can be freed, on the machine and in the control groups above us.

    None where the system does not say (it is no Linux).
    """
    found = [room for room in (_machine(), *_control_groups()) if room is not None]
    return min(found, default=None)


def _machine() -> int | None:
    try:
        lines = MEMORY_INFO.read_text().splitlines()
    except OSError:
        return None
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    available = fields.get("MemAvailable")
    return None if available is None else int(available.split()[0]) * 1024


def _control_groups() -> list[int | None]:
    """What is left below the limit of each control group, versions 1 and 2."""
    rooms = []
    for folder in _folders():
        for limit, usage, cache in (
            ("memory.max", "memory.current", "inactive_file"),
            ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
        ):
            rooms.append(_room(folder / limit, folder / usage, folder / "memory.stat", cache))
    return rooms


def _folders() -> list[Path]:
    """The groups of this process and those above them."""
    try:
        lines = OWN_GROUP.read_text().splitlines()
    except OSError:
        return []
    found = []
    for _, controllers, path in (line.split(":", 2) for line in lines if line.count(":") >= 2):
        if controllers in ("", "memory"):
            top = GROUPS / controllers
            own = top / path.lstrip("/")
            found += [own, *(p for p in own.parents if p.is_relative_to(top))]
    return found


def _room(limit: Path, usage: Path, statistics: Path, cache: str) -> int | None:
    """Bytes below a limit; pages of files not used of late can be given up. None: no limit."""
    try:
        most, used = limit.read_text().strip(), int(usage.read_text())
        fields = dict(line.split() for line in statistics.read_text().splitlines())
    except (OSError, ValueError):
        return None
    if not most.isdigit() or int(most) >= os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"):
        return None
    return max(0, int(most) - used + int(fields.get(cache, 0)))
