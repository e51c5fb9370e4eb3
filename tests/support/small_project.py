"""The demo benchmark in small: every stage run once, in a folder of its own, for prediction.

59 classes · 4 made-up subjects with one recording a class each · the views lb and MAmd.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from shutil import copy

import pytest
import yaml

from amsf.demo.simulation import simulate
from amsf.skeleton.recordings import FILE_NAME
from stages import backbone, describe, encode, evaluate, features, split, train

ROOT = Path(__file__).parents[2]
KEY = "demo-u8"
VIEWS = ["lb", "MAmd"]
SECTIONS = {
    "split": {"views": VIEWS},
    "backbone": {"epochs": 14, "frames": 16},
    "model": {"views": VIEWS, "fusion": "Weighted_Add", "latent": 32},
    "train": {
        "seeds": [0],
        "cycles": 2,
        "steps_per_cycle": 100,
        "learning_rate": 0.002,
        "classifier_samples": 50,
        "classifier_steps": 100,
        "classifier_learning_rate": 0.01,
    },
    "compute": {"device": "cpu", "jobs": 1},
}


def write_params(folder: Path, **entry: object) -> None:
    """Write params.yaml; ``entry`` changes the benchmark's."""
    benchmark = {
        "dataset": "demo",
        "unseen": 8,
        "source": "data/simulated/demo",
        "features": "backbone",
        **entry,
    }
    text = yaml.safe_dump({"benchmarks": {KEY: benchmark}, **SECTIONS})
    (folder / "params.yaml").write_text(text)


def small_project(factory: pytest.TempPathFactory, features: str = "backbone") -> Path:
    """The folder; made by the first who asks in a test session. ``features`` is its kind."""
    name = "small_project" if features == "backbone" else f"small_project_{features}"
    return _build(factory.getbasetemp() / name, features)


@cache
def _build(folder: Path, kind: str) -> Path:
    (folder / "data/texts/demo").mkdir(parents=True)
    for name in ("classes", "splits"):
        (folder / "data" / name).symlink_to(ROOT / "data" / name)
    for view in VIEWS:
        copy(ROOT / f"data/texts/demo/{view}.csv", folder / "data/texts/demo")
    write_params(folder, features=kind)
    before = Path.cwd()
    os.chdir(folder)
    try:
        simulate(subjects=4, repetitions=1).save(folder / "data/simulated/demo" / FILE_NAME)
        describe.main()
        for stage in (encode, split, backbone, features, train, evaluate):
            stage.main(KEY)
    finally:
        os.chdir(before)
    return folder
