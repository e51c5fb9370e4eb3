"""The pipeline end to end in a clone of this repository, on a shortened demo benchmark."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from dvc.repo import Repo

from tests.support.queue_project import git

ROOT = Path(__file__).parents[2]
SHORT = {
    "backbone": {"epochs": 1, "frames": 16},
    "train": {
        "cycles": 2,
        "steps_per_cycle": 60,
        "learning_rate": 0.003,
        "seeds": [0, 1],
        "classifier_samples": 50,
        "classifier_learning_rate": 0.05,
    },
    "model": {"latent": 8, "ratio": 1, "views": ["lb", "MAmd"]},
    "split": {"views": ["lb", "MAmd"]},
    "evaluate": {"baselines": ["ridge"]},
    "compute": {"jobs": 1},
}
NTU60 = {
    "dataset": "ntu60",
    "unseen": 5,
    "source": "data/external/ntu60",
    "features": "published",
    "set": {},
}


def call(folder: Path, *words: str, fails: bool = False) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=folder,
        check=False,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        # Stages call `python`: the one that runs the tests.
        env={
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        },
    )
    assert (done.returncode != 0) == fails, done.stdout
    return done.stdout


def stages_run(output: str) -> list[str]:
    return [line.split("'")[1] for line in output.splitlines() if line.startswith("Running stage")]


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A committed copy of what git tracks here, with the demo shortened, after `dvc repro`.

    Two of five texts a class, and a ninth of the recordings.
    """
    folder = tmp_path_factory.mktemp("clone")
    for name in git(ROOT, "ls-files", "--cached", "--others", "--exclude-standard").splitlines():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    (folder / "dvc.lock").unlink(missing_ok=True)
    for view in ("MAad", "LLMad", "LLMmd"):
        (folder / f"data/texts/demo/{view}.csv").unlink()
    simulate = (folder / "stages/simulate.py").read_text()
    assert "simulate()" in simulate
    fewer = simulate.replace("simulate()", "simulate(subjects=4, repetitions=1)")
    (folder / "stages/simulate.py").write_text(fewer)
    params = yaml.safe_load((folder / "params.yaml").read_text())
    params["benchmarks"]["demo-u8"]["set"] = SHORT
    (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    git(folder, "init", "-q", "-b", "main")
    call(folder, "dvc", "repro")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "the short demo")
    return folder


def metrics(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "metrics/gzsl.json").read_text())


def test_every_stage_leaves_its_artifact(clone: Path) -> None:
    for path in (
        "simulated/demo/skeletons.safetensors",
        "descriptions/demo/lb.csv",
        "text_features/demo-u8/features.npy",
        "text_report/demo-u8",
        "split/demo-u8.json",
        "backbone/demo-u8/sk_feats/r/shift_8_r/train.npy",
        "features/demo-u8/manifest.json",
        "models/demo-u8/seed1/val/model.safetensors",
        "evaluation/demo-u8/confusion.csv",
        "evaluation/demo-u8/predictions_seed0.csv",
    ):
        assert (clone / "data" / path).exists(), path
    row = metrics(clone)["demo-u8"]
    assert set(row) == {
        "zsl", "seen", "unseen", "H", "ausuc", "ece", "beside", "gate", "gate_better_than_chance",
        "protocol", "selection", "seeds",
    }  # fmt: skip
    assert set(row["beside"]) == {"ensemble", *SHORT["evaluate"]["baselines"]}
    assert set(row["beside"]["ridge"]) == {"zsl", "ece", "seen", "unseen", "H", "ausuc"}
    assert row["selection"] == "val"
    assert row["seeds"] == 2
    assert 0 <= row["H"]["mean"] <= 100


def test_outputs_are_ignored_by_git_and_kept_by_dvc(clone: Path) -> None:
    tracked = git(clone, "ls-files").splitlines()
    assert not [p for p in tracked if p.startswith(("data/models", "data/features"))]
    assert "metrics/gzsl.json" in tracked
    outs = [out for out in Repo(str(clone)).index.outs if out.use_cache]
    assert outs
    assert not [out for out in outs if out.changed_cache()]


def test_a_second_repro_does_nothing(clone: Path) -> None:
    assert stages_run(call(clone, "dvc", "repro")) == []


def test_an_experiment_reruns_training_and_what_follows(clone: Path) -> None:
    output = call(clone, "dvc", "exp", "run", "-n", "heads", "-S", "model.heads=8")
    assert stages_run(output) == [
        "check", "train@demo-u8", "evaluate@demo-u8", "summarize",
    ]  # fmt: skip
    diff = json.loads(call(clone, "dvc", "metrics", "diff", "HEAD", "--json"))
    changed = diff["metrics/gzsl.json"]
    assert changed
    for name, row in changed.items():
        value = metrics(clone)
        for part in name.split("."):  # such as demo-u8.H.mean, demo-u8.beside.ensemble.H
            value = value[part]
        assert row["new"] == value
    git(clone, "checkout", "-q", ".")
    call(clone, "dvc", "checkout", "-q")


def test_rerun_from_nothing_gives_the_same_bytes(clone: Path) -> None:
    git(clone, "checkout", "-q", ".")
    before = (clone / "dvc.lock").read_bytes()
    call(clone, "dvc", "repro", "-f", "-s", "train@demo-u8", "evaluate@demo-u8")
    assert (clone / "dvc.lock").read_bytes() == before


def test_a_benchmark_without_its_data_says_what_is_missing(clone: Path) -> None:
    params = yaml.safe_load((clone / "params.yaml").read_text())
    params["benchmarks"]["ntu60-u5"] = NTU60
    (clone / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    try:
        output = call(clone, "dvc", "repro", "features@ntu60-u5", fails=True)
    finally:
        git(clone, "checkout", "-q", ".")
    assert stages_run(output) == ["check"]  # before anything else
    for fact in ("data/external/ntu60/sk_feats/r/shift_5_r", "gtest_out.npy", "ROSE lab"):
        assert fact in output
    assert not (clone / "data/features/ntu60-u5").exists()


def test_a_typo_stops_before_anything_runs(clone: Path) -> None:
    text = (clone / "params.yaml").read_text()
    (clone / "params.yaml").write_text(text.replace("fusion: MHA", "fusion: MAH"))
    try:
        output = call(clone, "dvc", "repro", fails=True)
    finally:
        git(clone, "checkout", "-q", ".")
    assert "did you mean 'MHA'?" in output
    assert "Traceback" not in output
