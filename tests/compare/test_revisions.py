"""Files of experiments, branches, tags, commits and the workspace of a real DVC repository."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from dvc.api import DVCFileSystem

from amsf.base.errors import InputError
from amsf.compare.revisions import Revisions
from tests.support.queue_project import call, git, queued_project
from tests.support.small_evaluation import KEY

METRICS = f"data/evaluation/{KEY}/metrics.json"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return queued_project(tmp_path_factory)


@pytest.fixture
def revisions(project: Path) -> Iterator[Revisions]:
    with Revisions(project) as opened:
        yield opened


def zsl(content: bytes) -> float:
    return float(json.loads(content)["mean"]["zsl"]["overall"])


def test_experiments_are_read_without_being_checked_out(
    revisions: Revisions, project: Path
) -> None:
    here = (project / METRICS).read_bytes()
    experiment = revisions.open("tiny-1-MHA")
    assert zsl(experiment.read(METRICS)) > zsl(here) + 0.1
    assert len(experiment.revision) == 40
    assert revisions.open("workspace").read(METRICS) == here
    assert revisions.open("main").read(METRICS) == here
    assert revisions.open(experiment.revision[:9]).read(METRICS) == experiment.read(METRICS)
    assert (project / METRICS).read_bytes() == here


@pytest.mark.parametrize("name", ["workspace", "tiny-1-MHA"])
def test_folders(revisions: Revisions, name: str) -> None:
    snapshot = revisions.open(name)
    found = snapshot.find(f"data/backbone/{KEY}")
    assert len(found) == 2
    assert json.loads(snapshot.read(found[0]))
    assert snapshot.find("data/nowhere") == []


@pytest.mark.parametrize("name", ["workspace", "HEAD"])
def test_a_file_that_a_revision_does_not_have(revisions: Revisions, name: str) -> None:
    with pytest.raises(FileNotFoundError):
        revisions.open(name).read("data/nowhere.json")


def test_every_experiment_is_listed_with_its_commit(revisions: Revisions, project: Path) -> None:
    listed = revisions.experiments()
    head = git(project, "rev-parse", "HEAD").strip()
    assert [n.baseline for n in listed["tiny-1-MHA"]] == [head]
    assert "tiny-9-MHA" not in listed


def test_unknown_names_are_told_with_the_nearest(revisions: Revisions) -> None:
    with pytest.raises(InputError, match=r"tiny-1-MAH: no experiment.*did you mean tiny-1-MHA"):
        revisions.open("tiny-1-MAH")
    with pytest.raises(InputError, match=r"worksapce: .*did you mean workspace"):
        revisions.open("worksapce")


def test_a_name_of_several_experiments_is_refused(revisions: Revisions, project: Path) -> None:
    # The same name from another commit, as if the grid had been run there too.
    commit = revisions.experiments()["tiny-1-MHA"][0].revision
    refs = [f"refs/exps/{sha[:2]}/{sha[2:]}/twice" for sha in ("a" * 40, "b" * 40)]
    for ref in refs:
        git(project, "update-ref", ref, commit)
    try:
        with pytest.raises(InputError, match=f"twice: 2 experiments .*{commit[:10]}"):
            revisions.open("twice")
    finally:
        for ref in refs:
            git(project, "update-ref", "-d", ref)


def test_of_several_experiments_the_one_from_the_checked_out_commit(
    revisions: Revisions, project: Path
) -> None:
    listed = revisions.experiments()
    revision = {name: listed[f"tiny-1-{name}"][0].revision for name in ("Add", "MHA")}
    starts = {"a" * 40: revision["MHA"], revisions.head: revision["Add"]}
    refs = {f"refs/exps/{sha[:2]}/{sha[2:]}/both": found for sha, found in starts.items()}
    for ref, found in refs.items():
        git(project, "update-ref", ref, found)
    try:
        assert [n.revision for n in revisions.experiments()["both"]] == [
            revision["Add"],
            revision["MHA"],
        ]
        assert revisions.open("both").revision == revision["Add"]
    finally:
        for ref in refs:
            git(project, "update-ref", "-d", ref)


def test_a_name_that_looks_like_an_option(revisions: Revisions) -> None:
    with pytest.raises(InputError, match="--all: no experiment, branch"):
        revisions.open("--all")


def test_a_file_that_is_not_in_the_cache(project: Path, tmp_path: Path) -> None:
    with DVCFileSystem(str(project), rev="HEAD").repo as repo:
        checksum = repo.dvcfs.info(METRICS)["dvc_info"]["md5"]
    file = project / ".dvc/cache/files/md5" / checksum[:2] / checksum[2:]
    shutil.move(file, tmp_path / "kept")
    try:
        with (
            Revisions(project) as revisions,
            pytest.raises(InputError, match=r"HEAD: .*metrics.json was made, but is neither in"),
        ):
            revisions.open("HEAD").read(METRICS)
    finally:
        shutil.move(tmp_path / "kept", file)


def test_a_clone_without_the_cache(project: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", str(project), "clone")
    with (
        Revisions(tmp_path / "clone") as revisions,
        pytest.raises(InputError, match=r"HEAD: .*was made, but is neither in .*`dvc pull`"),
    ):
        revisions.open("HEAD").read(METRICS)


def test_no_repository(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no DVC repository"):
        Revisions(tmp_path)


def test_no_commit(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    call(tmp_path, "dvc", "init", "-q")
    with pytest.raises(InputError, match="no commit of git to start from"):
        Revisions(tmp_path)


def test_dvc_itself_still_finds_nothing_changed(project: Path) -> None:
    assert "up to date" in call(project, "dvc", "status")
