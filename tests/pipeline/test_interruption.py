"""Training killed at random moments ends with the bytes of training that was never killed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.support.train_small import main
from tests.training.test_runs import tree

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "tests/support/train_small.py"
CYCLES = 8


def start(folder: Path, jobs: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, str(SCRIPT), str(folder), str(CYCLES), str(jobs)]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def written(folder: Path) -> set[tuple[str, int]]:
    """What snapshots there are, each time they are written anew."""
    found = set()
    for path in folder.glob("scratch/*/seed*/*/snapshot.safetensors"):
        found.add((str(path), path.stat().st_mtime_ns))
    return found


def kill_once_training(folder: Path, jobs: int, rng: random.Random) -> bool:
    """Kill the process a random while after a random number of snapshots; False: it was done."""
    before = written(folder)
    process = start(folder, jobs)
    wanted = rng.randint(1, 4)
    seen: set[tuple[str, int]] = set()
    while process.poll() is None and len(seen) < wanted:
        seen |= written(folder) - before
        time.sleep(0.002)
    time.sleep(rng.uniform(0, 0.05))
    children = []
    if process.poll() is None:
        children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGKILL)
    ended_by = process.wait()
    assert ended_by in (0, -signal.SIGKILL)
    # Workers notice that nobody waits for them any more.
    assert psutil.wait_procs(children, timeout=30)[1] == []
    return ended_by != 0


@pytest.mark.parametrize(("jobs", "kills"), [(1, 3), (2, 1)])
def test_sigkill_at_random_moments(tmp_path: Path, jobs: int, kills: int) -> None:
    main(tmp_path / "whole", CYCLES, jobs=1)
    rng = random.Random(jobs)
    killed = sum(kill_once_training(tmp_path / "killed", jobs, rng) for _ in range(kills))
    assert killed >= 1
    assert not (tmp_path / "killed/models").exists()
    left_over = [p for p in (tmp_path / "killed").iterdir() if p.name.endswith(".tmp")]
    assert start(tmp_path / "killed", jobs).wait() == 0
    assert tree(tmp_path / "killed/models") == tree(tmp_path / "whole/models")
    # What a killed process had begun to write keeps its temporary name and is never read.
    assert all(p.name.startswith(".") for p in left_over)


def test_finished_runs_are_not_trained_again(tmp_path: Path) -> None:
    main(tmp_path, 2, jobs=1)
    before, models = written(tmp_path), tree(tmp_path / "models")
    main(tmp_path, 2, jobs=1)
    assert written(tmp_path) == before
    assert tree(tmp_path / "models") == models
