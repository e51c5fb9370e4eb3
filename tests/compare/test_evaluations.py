"""Evaluations read from a revision's files, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import yaml

from amsf.base.errors import InputError
from amsf.compare.evaluations import benchmarks_of, read_evaluation
from amsf.compare.revisions import Snapshot
from tests.support.small_evaluation import KEY, LABELS, UNSEEN, answers, scores, write_evaluation

FOLDER = f"data/evaluation/{KEY}"
LOCK = {
    "stages": {
        "describe": {
            "params": {"params.yaml": {"benchmarks": {KEY: {"dataset": "demo"}, "x": {}}}}
        },
        f"features@{KEY}": {
            "params": {"params.yaml": {f"benchmarks.{KEY}.source": "data/simulated/demo"}},
            "deps": [
                {"path": "data/simulated/demo", "md5": "aa.dir"},
                {"path": "amsf/features/phases.py", "md5": "f1"},
            ],
        },
        f"train@{KEY}": {
            "params": {
                "params.yaml": {
                    "model": {"heads": 4, "views": ["lb"]},
                    "train": {"cycles": 10, "batch_size": 64},
                    f"benchmarks.{KEY}.set": {"train": {"cycles": 5}},
                }
            },
            "deps": [{"path": "amsf/model/vae.py", "md5": "v1"}],
        },
        "train@other": {"params": {"params.yaml": {"model": {"heads": 99}}}},
    }
}


@pytest.fixture
def snapshot(tmp_path: Path) -> Snapshot:
    write_evaluation(tmp_path, 0.7, seeds=(3, 1))
    (tmp_path / "dvc.lock").write_text(yaml.safe_dump(LOCK))
    (tmp_path / "params.yaml").write_text(yaml.safe_dump({"benchmarks": {KEY: {}, "other": {}}}))

    def find(folder: str) -> list[str]:
        files = (p for p in (tmp_path / folder).rglob("*") if p.is_file())
        return sorted(p.relative_to(tmp_path).as_posix() for p in files)

    return Snapshot("mine", "0" * 40, lambda path: (tmp_path / path).read_bytes(), find)


def test_what_is_read(snapshot: Snapshot) -> None:
    found = read_evaluation(snapshot, KEY)
    assert (found.experiment, found.seeds, found.labels) == ("mine", (1, 3), tuple(LABELS))
    assert found.unseen.nonzero()[0].tolist() == UNSEEN
    assert found.val_unseen == (0, 3)
    assert found.switches["name"] == "clean"
    assert found.simulated
    # Of the test phase; the validation phase's names lie beside them.
    assert set(found.recordings) == {"ztest", "gtest"}
    pd.testing.assert_frame_equal(found.gzsl[3], answers(3, 0.7)[1])


def test_what_it_came_from_is_that_of_its_own_stages(snapshot: Snapshot) -> None:
    origin = read_evaluation(snapshot, KEY).origin
    assert origin.params == {
        f"benchmarks.{KEY}.dataset": "demo",
        f"benchmarks.{KEY}.source": "data/simulated/demo",
        "model.heads": 4,
        "model.views": ["lb"],
        "train.cycles": 5,  # its own; the section's 10 had no effect
        "train.batch_size": 64,
    }
    assert origin.code == {"amsf/features/phases.py": "f1", "amsf/model/vae.py": "v1"}
    assert origin.source == "aa.dir"


def test_scores_are_those_of_the_definitions(snapshot: Snapshot) -> None:
    found = read_evaluation(snapshot, KEY).scores(1)
    assert {k: s.value for k, s in found.items()} == pytest.approx(scores(*answers(1, 0.7)))


def test_zsl_alone(snapshot: Snapshot, tmp_path: Path) -> None:
    write_evaluation(tmp_path, 0.7, seeds=(1, 3), task="zsl")
    found = read_evaluation(snapshot, KEY)
    assert set(found.scores(1)) == {"zsl"}
    assert not found.gzsl


def test_benchmarks_that_are_switched_on(snapshot: Snapshot, tmp_path: Path) -> None:
    assert benchmarks_of(snapshot) == [KEY, "other"]
    for text, message in (("benchmarks: [", "not valid YAML"), ("model: {}", "has no benchmarks")):
        (tmp_path / "params.yaml").write_text(text)
        with pytest.raises(InputError, match=f"mine: .*{message}"):
            benchmarks_of(snapshot)
    (tmp_path / "params.yaml").unlink()
    with pytest.raises(InputError, match="mine: has no params"):
        benchmarks_of(snapshot)


def other_metric(folder: Path) -> None:
    metrics = json.loads((folder / "metrics.json").read_text())
    metrics["seeds"]["1"]["H"]["overall"] += 0.01
    (folder / "metrics.json").write_text(json.dumps(metrics))


def drop_column(folder: Path) -> None:
    pd.read_csv(folder / "per_class.csv").drop(columns="side").to_csv(folder / "per_class.csv")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: (f / "metrics.json").unlink(), r"has no results .*metrics.json is missing"),
        (lambda f: (f / "predictions_seed3.csv").unlink(), r"predictions_seed3.csv is missing"),
        (lambda f: (f / "metrics.json").write_text("{"), r"not an evaluation .*run the `evaluate`"),
        (lambda f: (f / "metrics.json").write_text("{}"), r"not an evaluation .*'seeds'"),
        (drop_column, r"not an evaluation .*'side'"),
        (other_metric, r"seed 1 give H 0\.\d+, but its metrics.json says .*do not belong together"),
    ],
)
def test_what_is_refused(
    snapshot: Snapshot, tmp_path: Path, damage: Callable[[Path], None], message: str
) -> None:
    damage(tmp_path / FOLDER)
    with pytest.raises(InputError, match=f"mine: .*{message}"):
        read_evaluation(snapshot, KEY)


def test_an_error_of_the_revision_stays_its_own(snapshot: Snapshot) -> None:
    def read(path: str) -> bytes:
        raise InputError(f"{path} is not at hand")

    with pytest.raises(InputError, match="is not at hand"):
        read_evaluation(Snapshot("mine", "0" * 40, read, snapshot.find), KEY)
