"""Trains the small benchmark as a process of its own, for tests that kill it.

``python train_small.py FOLDER CYCLES JOBS [SCHEDULER]`` reads FOLDER/features and writes
FOLDER/models, with FOLDER/scratch for what is under way.
"""

from __future__ import annotations

import sys
from pathlib import Path

from amsf.base.storage import atomic_path
from amsf.training.runs import train_benchmark
from tests.support.small_benchmark import small_inputs, small_settings


def main(folder: Path, cycles: int, jobs: int, scheduler: str = "") -> None:
    """Two seeds, both phases."""
    settings = small_settings(
        train={"seeds": [0, 1], "cycles": cycles, "steps_per_cycle": 60},
        compute={"jobs": jobs, "scheduler": scheduler},
    )
    inputs = small_inputs(folder / "features", settings)
    with atomic_path(folder / "models") as out:
        train_benchmark(inputs, out, folder / "scratch")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:])
