"""What a stage read is compared with what is there when it ends."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from dvc.repo import Repo

from amsf.base.errors import InputError
from amsf.stage import inputs
from amsf.stage.inputs import unchanged

ROOT = Path(__file__).parents[2]
PIPELINE = """
stages:
  train:
    foreach: ${benchmarks}
    do:
      cmd: x
      deps: [code, "data/${item.dataset}.csv", "data/features/${key}"]
      params: [train, "benchmarks.${key}.set"]
      outs: ["data/models/${key}"]
"""
PARAMS = """
benchmarks: {b1: {dataset: d, set: {train: {steps: 40}}}, b2: {dataset: e, set: {}}}
train: {cycles: 5}
evaluate: {task: gzsl}
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "dvc.yaml").write_text(PIPELINE)
    (tmp_path / "params.yaml").write_text(PARAMS)
    (tmp_path / ".dvcignore").write_text("# by-products\n__pycache__\n*~\n\\#*\\#\n")
    for name in ("code/a.py", "data/d.csv", "data/e.csv", "data/features/b1/test"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("before")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def edit(old: str, new: str) -> Callable[[], object]:
    path = Path("params.yaml")
    return lambda: path.write_text(path.read_text().replace(old, new))


def write(name: str, text: str = "after!") -> Callable[[], object]:
    Path(name).parent.mkdir(exist_ok=True)
    return lambda: Path(name).write_text(text)


CHANGES = {
    "a parameter": (edit("cycles: 5", "cycles: 6"), r"params\.yaml: train\."),
    "the benchmark's own": (edit("steps: 40", "steps: 50"), r"params\.yaml: benchmarks\.b1\.set"),
    "a section gone": (edit("train: {cycles: 5}", ""), r"params\.yaml: train"),
    "damaged": (edit("train:", "train: ["), r"params\.yaml: not valid YAML"),
    "code": (write("code/a.py"), "code/a.py"),
    "a new module": (write("code/b.py"), r"code/b\.py \(new\)"),
    "data by the benchmark's entry": (write("data/d.csv"), r"data/d\.csv"),
    "data by the benchmark's name": (lambda: Path("data/features/b1/test").unlink(), r"\(gone\)"),
}


@pytest.mark.parametrize(("change", "told"), CHANGES.values(), ids=CHANGES)
def test_what_was_changed_fails(change: Callable[[], object], told: str) -> None:
    with (
        pytest.raises(InputError, match=f"^changed while this stage ran: .*{told}.*run the same"),
        unchanged("train", "b1"),
    ):
        change()


HARMLESS = {
    "nothing": lambda: None,
    "another section": edit("task: gzsl", "task: zsl"),
    "another benchmark": edit("dataset: e", "dataset: d"),
    "a comment": edit("train:", "# a comment\ntrain:"),
    "another's data": write("data/e.csv"),
    "by-products": lambda: [
        Path("code/__pycache__").mkdir(),
        *(Path("code", n).write_text("x") for n in ("__pycache__/a.pyc", "a.py~", "#a.py#")),
    ],
    "written anew as it was": lambda: os.utime("code/a.py", (time.time(), time.time() + 9)),
}


@pytest.mark.parametrize("change", HARMLESS.values(), ids=HARMLESS)
def test_what_the_stage_does_not_read_may_change(change: Callable[[], object]) -> None:
    with unchanged("train", "b1"):
        change()


def test_a_large_file_is_told_by_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "HASHED", 3)
    with unchanged("train", "b1"):
        pass
    with pytest.raises(InputError, match=r"data/d\.csv"), unchanged("train", "b1"):
        os.utime("data/d.csv", (1, 1))


def write_many() -> None:
    for number in range(8):
        Path(f"code/n{number}.py").write_text("x")


def test_many_changes_are_counted() -> None:
    with (
        pytest.raises(InputError, match=r"n4\.py \(new\), and 3 more\. "),
        unchanged("train", "b1"),
    ):
        write_many()


def fail() -> None:
    Path("code/a.py").write_text("after!")
    raise ValueError("its own")


def test_an_error_of_the_stage_comes_first() -> None:
    with pytest.raises(ValueError, match="its own"), unchanged("train", "b1"):
        fail()


@pytest.mark.parametrize("name", ["dvc.yaml", "params.yaml"])
def test_outside_a_pipeline_nothing_is_compared(name: str) -> None:
    Path(name).unlink()
    with unchanged("train", "b1"):
        Path("code/a.py").write_text("after!")


STAGE = """
from pathlib import Path
from stages import run
def main(key):
    Path("data/models").mkdir(exist_ok=True)
    Path("data/models/b1").write_text("trained with 5 cycles")
    params = Path("params.yaml")
    params.write_text(params.read_text().replace("cycles: 5", "cycles: 6"))
run(main)
"""


def test_dvc_records_nothing_of_such_a_run(project: Path) -> None:
    pipeline = PIPELINE.replace("foreach: ${benchmarks}", "foreach: {b1: {dataset: d}}")
    (project / "dvc.yaml").write_text(pipeline.replace("cmd: x", 'cmd: "$PY -m train ${key}"'))
    (project / "code/train.py").write_text(STAGE)
    with Repo.init(no_scm=True):
        pass

    def repro() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "dvc", "repro"],
            env={**os.environ, "PY": sys.executable, "PYTHONPATH": f"{project / 'code'}:{ROOT}"},
            capture_output=True,
            text=True,
            check=False,
        )

    failed = repro()
    assert failed.returncode != 0
    assert "error: changed while this stage ran: params.yaml: train. Its result" in failed.stderr
    assert not (project / "dvc.lock").exists()
    assert repro().returncode == 0  # params.yaml stays as it is now
    assert "cycles: 6" in (project / "dvc.lock").read_text()
