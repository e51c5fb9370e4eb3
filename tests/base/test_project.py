"""Which folder a command works in, and where its relative paths lead."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from amsf.base.errors import InputError
from amsf.base.project import inside_project, nearest_project


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for mark in ("params.yaml", "dvc.yaml"):
        (tmp_path / "project" / "data").mkdir(parents=True, exist_ok=True)
        (tmp_path / "project" / mark).touch()
    return tmp_path / "project"


def test_the_nearest_above(project: Path) -> None:
    assert nearest_project(project) == project
    assert nearest_project(project / "data") == project
    assert nearest_project(project.parent) is None
    (project / "data/params.yaml").touch()  # without a pipeline it is none
    assert nearest_project(project / "data") == project


@pytest.mark.parametrize("named", [True, False])
def test_paths_lead_to_what_was_meant(
    project: Path, monkeypatch: pytest.MonkeyPatch, named: bool
) -> None:
    start = project.parent if named else project / "data"
    monkeypatch.chdir(start)
    given = argparse.Namespace(
        project=Path("project") if named else None,
        recording=[Path("a.npz"), Path("/b.npz")],
        gif=None,
        benchmark="demo-u8",
    )
    with inside_project(given):
        assert Path.cwd() == project
        assert given.recording == [start / "a.npz", Path("/b.npz")]
        assert (given.gif, given.benchmark) == (None, "demo-u8")
    assert Path.cwd() == start


def test_in_the_project_itself_paths_stay_as_they_are(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    given = argparse.Namespace(project=None, recording=[Path("a.npz")])
    with inside_project(given):
        assert given.recording == [Path("a.npz")]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    given = argparse.Namespace(project=tmp_path / "gone")
    with pytest.raises(InputError, match="gone: no such folder"), inside_project(given):
        pass
