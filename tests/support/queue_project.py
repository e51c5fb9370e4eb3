"""A tiny project whose one stage is `small_evaluation.py`, for tests of experiments and queues.

It has git, DVC and a params.yaml that amsf takes; an experiment runs in seconds.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from functools import cache
from pathlib import Path
from shutil import copy, copytree

import numpy as np
import pytest
import yaml
from dvc.api import exp_show

from amsf.ablation import __main__ as ablation
from tests.support.small_evaluation import KEY

ROOT = Path(__file__).parents[2]
VIEWS = ["lb", "MAmd"]
WIDTH = 8
CLASSES = 59
SOURCE = "data/external/mine"
PIPELINE = {
    "stages": {
        "evaluate": {
            "foreach": "${benchmarks}",
            "do": {
                "cmd": "python evaluate.py",
                "deps": ["evaluate.py", "${item.source}"],
                "params": [
                    "model",
                    "train",
                    "benchmarks.${key}.dataset",
                    "benchmarks.${key}.source",
                ],
                "outs": [
                    "data/evaluation/${key}",
                    "data/split/${key}.json",
                    "data/backbone/${key}",
                ],
                "metrics": [{"metrics/gzsl.json": {"cache": False}}],
            },
        }
    }
}


def call(folder: Path, *words: str) -> str:
    """Run a module of Python, with this Python first on the path; what it printed."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=folder,
        check=False,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "PATH": path},
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def git(folder: Path, *words: str) -> str:
    """Run git with an identity; what it printed."""
    identity = ["-c", "user.name=tests", "-c", "user.email=tests@example.org"]
    return subprocess.run(
        ["git", *identity, *words], cwd=folder, check=True, text=True, stdout=subprocess.PIPE
    ).stdout


def write_params(folder: Path) -> None:
    """params.yaml as amsf takes it; the text vectors are read from the folder itself."""
    params = {
        "benchmarks": {
            KEY: {
                "dataset": "demo",
                "unseen": 8,
                "source": SOURCE,
                "features": "backbone",
                "set": {},
            }
        },
        "text": {"encoder": "published", "checkpoint": str(folder / "vectors")},
        "model": {"fusion": "Add", "layers": 1, "heads": 4, "views": VIEWS},
        "train": {"seeds": [0, 1, 2]},
    }
    (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))


def queue_project(factory: pytest.TempPathFactory) -> Path:
    """A folder with the project, committed after `dvc repro`; made once in a test session."""
    return _build(factory.getbasetemp() / "queue_project")


@cache
def _build(folder: Path) -> Path:
    (folder / "vectors").mkdir(parents=True)
    rng = np.random.default_rng(0)
    for view in VIEWS:
        np.save(folder / f"vectors/{view}_{CLASSES}.npy", rng.normal(size=(CLASSES, WIDTH)))
    copy(ROOT / "tests/support/small_evaluation.py", folder / "evaluate.py")
    for name in ("classes", "texts/demo"):
        copytree(ROOT / "data" / name, folder / "data" / name)
    # The user's own data, which git does not know: a queued experiment needs a copy.
    (folder / SOURCE).mkdir(parents=True)
    (folder / SOURCE / "recordings.txt").write_text("recordings")
    (folder / ".gitignore").write_text(f"/{SOURCE}/\n")
    (folder / "dvc.yaml").write_text(yaml.safe_dump(PIPELINE))
    write_params(folder)
    git(folder, "init", "-q", "-b", "main")
    call(folder, "dvc", "init", "-q")
    call(folder, "dvc", "config", "core.analytics", "false")
    call(folder, "dvc", "repro", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "base")
    return folder


GRID = {
    "name": "tiny",
    "axes": {
        "layers": {"1": {"model.layers": 1}, "9": {"model.layers": 9}},  # 9 fails
        "fusion": {"Add": {"model.fusion": "Add"}, "MHA": {"model.fusion": "MHA"}},
    },
    "exclude": [{"layers": 9, "fusion": "Add"}],
}


def queued_project(factory: pytest.TempPathFactory) -> Path:
    """The same after the grid `data/ablations/tiny.yaml` went through the queue."""
    return _run_grid(queue_project(factory))


@cache
def _run_grid(folder: Path) -> Path:
    path = folder / "data/ablations/tiny.yaml"
    path.parent.mkdir()
    path.write_text(yaml.safe_dump(GRID, sort_keys=False))
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "grid")
    before = Path.cwd()
    os.chdir(folder)
    try:
        ablation.main(["queue", "data/ablations/tiny.yaml"])
        run_queue(folder)
    finally:
        os.chdir(before)
    return folder


def run_queue(folder: Path, seconds: float = 120) -> dict[str, str]:
    """`dvc queue start`, and wait for the end; experiment -> its last state."""
    call(folder, "dvc", "queue", "start")
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        rows = exp_show(str(folder))
        tasks = {row["Experiment"]: row["State"] for row in rows if row["Experiment"]}
        if not {"Queued", "Running"} & set(tasks.values()):
            return tasks
        time.sleep(0.5)
    raise TimeoutError(f"the queue did not end: {tasks}")
