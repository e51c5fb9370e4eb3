"""How many runs go side by side: by the cores and the memory that are granted."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import joblib
import pytest

from amsf.machine import allowance
from amsf.machine.allowance import RUN, available_memory, runs_allowed

ROOT = Path(__file__).parents[2]
GIB = 2**30


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine of 8 cores with 64 GiB free and no control group, as files below ``tmp_path``."""
    for name in ("meminfo", "cgroup"):
        (tmp_path / name).write_text("")
    (tmp_path / "meminfo").write_text(f"MemTotal: 9 kB\nMemAvailable: {64 * GIB // 1024} kB\n")
    monkeypatch.setattr(allowance, "MEMORY_INFO", tmp_path / "meminfo")
    monkeypatch.setattr(allowance, "OWN_GROUP", tmp_path / "cgroup")
    monkeypatch.setattr(allowance, "GROUPS", tmp_path / "fs")
    monkeypatch.setattr(joblib, "cpu_count", lambda: 8)
    monkeypatch.setattr(os, "sysconf", lambda name: {"SC_PHYS_PAGES": 2**24}.get(name, 4096))
    return tmp_path


def test_cores_over_threads() -> None:
    assert (runs_allowed(1), runs_allowed(3), runs_allowed(16)) == (8, 2, 1)


def test_memory_that_is_free(machine: Path) -> None:
    (machine / "meminfo").write_text(f"MemAvailable: {3 * RUN // 1024 + 1} kB\n")
    assert runs_allowed(1) == 3
    (machine / "meminfo").write_text("MemAvailable: 0 kB\n")
    assert runs_allowed(1) == 1


def test_a_system_that_does_not_say(machine: Path) -> None:
    (machine / "meminfo").unlink()
    (machine / "cgroup").unlink()
    assert available_memory() is None
    assert runs_allowed(1) == 8


def group(folder: Path, names: tuple[str, str], limit: object, used: int, cache: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in zip(names, (limit, used)):
        (folder / name).write_text(f"{value}\n")
    (folder / "memory.stat").write_text(cache)


V1, V2 = ("memory.limit_in_bytes", "memory.usage_in_bytes"), ("memory.max", "memory.current")


def test_a_control_group_of_version_2(machine: Path) -> None:
    (machine / "cgroup").write_text("0::/job/step\n")
    group(machine / "fs/job/step", V2, 5 * RUN, 4 * RUN, f"anon 1\ninactive_file {RUN}\n")
    assert available_memory() == 2 * RUN
    assert runs_allowed(1) == 2
    # The limit of a group above holds too.
    group(machine / "fs/job", V2, 5 * RUN, 4 * RUN, "")
    assert runs_allowed(1) == 1
    group(machine / "fs/job", V2, "max", 4 * RUN, "")
    assert runs_allowed(1) == 2


def test_a_control_group_of_version_1(machine: Path) -> None:
    (machine / "cgroup").write_text("5:cpu:/x\n4:memory:/job\n")
    group(machine / "fs/memory/job", V1, 4 * RUN, RUN, "total_inactive_file 0\n")
    assert runs_allowed(1) == 3
    group(machine / "fs/memory/job", V1, 2**63 - 4096, RUN, "")  # how version 1 says: none
    assert runs_allowed(1) == 8


def test_of_a_real_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert 1 <= runs_allowed(1) <= joblib.cpu_count()
    if Path("/proc/meminfo").is_file():
        assert 2**26 < (available_memory() or 0) < 2**50


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity on this system")
def test_processes_started_are_those_of_the_granted_cores() -> None:
    code = """
import os
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
from amsf.machine.parallel import side_by_side
from amsf.settings.params import Compute
print(len(set(side_by_side(os.getpid, [()] * 6, Compute(), "tasks"))))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == "1"
