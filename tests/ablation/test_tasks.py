"""The tasks of a real DVC queue, by the commands that people use."""

from __future__ import annotations

from pathlib import Path

import pytest
from dvc.api import exp_show

from amsf.ablation.experiments import Experiments
from amsf.ablation.grid import apply_overrides
from amsf.ablation.tasks import Task, failure, queue_run, queue_tasks
from amsf.base.yaml import read_yaml
from amsf.compare.revisions import Revisions
from amsf.settings.params import parse_params
from tests.support.queue_project import SOURCE, call, git, queue_project, queued_project


@pytest.fixture
def project(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = queued_project(tmp_path_factory)
    monkeypatch.chdir(folder)
    return folder


def test_what_failed_and_why(project: Path) -> None:
    (task,) = queue_tasks(project)
    assert (task.name, task.state, len(task.revision)) == ("tiny-9-MHA", "failed", 40)
    assert failure(project, task) == "9 layers are too many"
    # dvc.api says the same of the commit that is checked out.
    rows = {row["Experiment"]: row for row in exp_show(str(project)) if row["Experiment"]}
    assert (rows[task.name]["State"], rows[task.name]["rev"]) == ("Failed", task.revision[:7])
    assert {name for name, row in rows.items() if row["State"] == "Success"} == {
        name for name in Revisions(project).experiments() if name.startswith("tiny-")
    }


def test_without_a_log_the_command_that_shows_it(project: Path) -> None:
    assert failure(project, Task("gone", "failed", "0" * 40)) == "see `dvc queue logs gone`"


def test_what_waits_is_known_from_another_commit_too(project: Path) -> None:
    # Under the name of one that failed before, which it outweighs.
    queue_run(project, "tiny-9-MHA", ["model.heads=2"], [SOURCE])
    git(project, "commit", "-q", "--allow-empty", "-m", "other")
    try:
        assert [(t.name, t.state) for t in queue_tasks(project)] == [
            ("tiny-9-MHA", "failed"),
            ("tiny-9-MHA", "queued"),
        ]
        raw = read_yaml(Path("params.yaml"))
        with Revisions() as revisions:
            experiments = Experiments(revisions)
            same = parse_params(apply_overrides(raw, {"model.heads": 2}), "parameters")
            assert experiments.of("tiny-9-MHA", same).state == "queued"
            other = experiments.of("tiny-9-MHA", parse_params(raw, "parameters"))
        assert (other.state, other.reason) == (
            "changed",
            "in the queue with model.heads 2 instead of 4",
        )
    finally:
        git(project, "reset", "-q", "--soft", "HEAD~1")
        call(project, "dvc", "queue", "remove", "--queued")
    assert len(queue_tasks(project)) == 1


def test_no_queue_yet(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    git(tmp_path, "clone", "-q", str(queue_project(tmp_path_factory)), "clone")
    assert queue_tasks(tmp_path / "clone") == []
