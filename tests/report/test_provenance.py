"""What a report was made with: versions, commit, stages."""

from __future__ import annotations

import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest

from amsf.report.provenance import collect_provenance, package_versions
from amsf.stage.stage_log import logged


def git(*words: str) -> str:
    identity = ["-c", "user.name=tests", "-c", "user.email=tests@example.org"]
    done = subprocess.run(["git", *identity, *words], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_versions_are_those_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    found = package_versions()
    assert found["numpy"] == version("numpy")
    assert found["torch"] == version("torch")
    monkeypatch.setattr("amsf.report.provenance.PACKAGES", ("numpy", "no-such-package"))
    assert set(package_versions()) == {"python", "numpy"}


def test_commit_and_changed_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    git("init", "-q")
    (tmp_path / "params.yaml").write_text("a: 1")
    git("add", "-A")
    git("commit", "-qm", "first")
    assert collect_provenance([]).commit == git("rev-parse", "HEAD")
    assert collect_provenance([]).changed == ()
    (tmp_path / "params.yaml").write_text("a: 2")
    assert collect_provenance([]).changed == ("params.yaml",)


def test_outside_git_and_dvc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    found = collect_provenance(["b1"])
    assert (found.commit, found.changed, found.stages) == (None, (), ())
    monkeypatch.setenv("PATH", str(tmp_path))  # no git at all
    assert collect_provenance(["b1"]).commit is None


def test_stages_with_and_without_a_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    stages = {
        "split": {"foreach": "${benchmarks}", "do": {"cmd": "x", "outs": ["data/${key}"]}},
        "summarize": {"cmd": "x", "outs": ["metrics"]},
    }
    (tmp_path / "dvc.yaml").write_text(str({"stages": stages}))
    for key in ("b1", "b2"):
        (tmp_path / "data" / key).mkdir(parents=True)
    with logged("split", "b1", 0.0):
        pass
    first, second = collect_provenance(["b1", "b2"]).stages
    assert (first.stage, first.benchmark, second.benchmark) == ("split", "b1", "b2")
    assert first.log is not None
    assert second.log is None
