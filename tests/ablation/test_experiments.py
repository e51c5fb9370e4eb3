"""Experiments of a grid in a real DVC queue: their states, and what a queued one takes along."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from amsf.ablation.experiments import Experiments, copied_paths, untracked_code
from amsf.ablation.grid import apply_overrides
from amsf.ablation.tasks import queue_run
from amsf.base.errors import InputError
from amsf.compare.revisions import Revisions
from amsf.settings.params import Params, parse_params
from tests.support.queue_project import queued_project
from tests.support.small_evaluation import KEY


@pytest.fixture
def project(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = queued_project(tmp_path_factory)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def revisions(project: Path) -> Iterator[Revisions]:
    with Revisions() as opened:
        yield opened


def params(**overrides: object) -> Params:
    raw = yaml.safe_load(Path("params.yaml").read_text())
    return parse_params(
        apply_overrides(raw, {f"model.{k}": v for k, v in overrides.items()}), "parameters"
    )


def test_done_and_of_which_revision(revisions: Revisions) -> None:
    experiment = Experiments(revisions).of("tiny-1-MHA", params(fusion="MHA"))
    assert experiment.state == "done"
    assert experiment.named is not None
    assert experiment.named.baseline == revisions.head
    changed = yaml.safe_load(revisions.open(experiment.named.revision).read("params.yaml"))
    assert changed["model"]["fusion"] == "MHA"


def test_an_experiment_that_changes_nothing_is_kept_too(revisions: Revisions) -> None:
    assert Experiments(revisions).of("tiny-1-Add", params(fusion="Add")).state == "done"


def test_failed_with_the_error_of_the_stage(revisions: Revisions) -> None:
    experiment = Experiments(revisions).of("tiny-9-MHA", params(fusion="MHA", layers=9))
    assert (experiment.state, experiment.reason) == ("failed", "9 layers are too many")


def test_never_run(revisions: Revisions) -> None:
    assert Experiments(revisions).of("tiny-2-MHA", params()).state == "absent"


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        ({"fusion": "MHA", "heads": 2}, "run with model.heads 4 instead of 2"),
        (
            {"fusion": "MHA", "views": ["lb"]},
            r"run with model.views \[lb, MAmd\] instead of \[lb\]",
        ),
    ],
)
def test_other_parameters_than_now(
    revisions: Revisions, now: dict[str, object], reason: str
) -> None:
    experiment = Experiments(revisions).of("tiny-1-MHA", params(**now))
    assert experiment.state == "changed"
    with pytest.raises(ValueError, match=reason):
        raise ValueError(experiment.reason)


def test_other_benchmarks_than_now(revisions: Revisions) -> None:
    raw = yaml.safe_load(Path("params.yaml").read_text())
    raw["benchmarks"]["second"] = raw["benchmarks"][KEY]
    experiment = Experiments(revisions).of("tiny-1-Add", parse_params(raw, "parameters"))
    assert (experiment.state, experiment.reason) == (
        "changed",
        f"run with other benchmarks ({KEY})",
    )
    raw["benchmarks"] = {KEY: {**raw["benchmarks"][KEY], "unseen": 5}}
    experiment = Experiments(revisions).of("tiny-1-Add", parse_params(raw, "parameters"))
    assert experiment.reason == f"run with another entry benchmarks.{KEY}"


def test_what_dvc_refuses_is_told(project: Path) -> None:
    with pytest.raises(InputError, match=r"a\.\.b: DVC did not queue it: .*ERROR"):
        queue_run(project, "a..b", ["model.heads=4"], [])


def test_code_that_git_does_not_know(revisions: Revisions, project: Path) -> None:
    new = project / "data/texts/demo/new.csv"
    assert untracked_code(revisions) == []
    new.write_text("id,text\n")
    try:
        assert untracked_code(revisions) == ["data/texts/demo/new.csv"]
    finally:
        new.unlink()


def test_users_data_are_copied_and_what_dvc_or_git_has_is_not(
    revisions: Revisions, project: Path
) -> None:
    def copied(source: str) -> list[str]:
        entry = params().benchmarks[KEY].model_copy(update={"source": source})
        return copied_paths(revisions, params().model_copy(update={"benchmarks": {KEY: entry}}))

    (project / "data/external/yours/sk_feats").mkdir(parents=True)
    assert copied("data/external/yours") == ["data/external/yours"]
    # Where git has a file of the folder, DVC would refuse to copy the folder over it.
    assert copied("data/classes") == []
    (project / "data/classes/own.csv").write_text("")
    try:
        assert copied("data/classes") == ["data/classes/own.csv"]
    finally:
        (project / "data/classes/own.csv").unlink()
    assert copied(f"data/backbone/{KEY}") == []
    assert copied(str(project / "data/external/yours")) == []
    assert copied("data/external/none") == []
