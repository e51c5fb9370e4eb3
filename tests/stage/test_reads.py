"""What the stage check writes down, and a stage that meets other parameters."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from amsf.base.errors import InputError
from amsf.stage.inputs import unchanged
from amsf.stage.reads import READS, outdated, write_values

RAW = {
    "benchmarks": {
        "b1": {"dataset": "d", "unseen": 2, "set": {"train": {"cycles": 9}}},
        "b2": {"dataset": "e", "unseen": 2},
    },
    "train": {"cycles": 5, "seeds": [0, 1]},
    "evaluate": {"task": "gzsl"},
}


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(json.dumps(RAW))
    Path("dvc.yaml").write_text(json.dumps({"stages": {"train": {"foreach": "", "do": {}}}}))
    write_values(RAW, Path("data/settings"))
    return tmp_path


def test_the_benchmarks_own_lies_over_the_section() -> None:
    found = {
        key: json.loads(Path(f"data/settings/{key}/train.json").read_text())
        for key in RAW["benchmarks"]
    }
    assert found["b1"]["train"] == {"cycles": 9, "seeds": [0, 1]}
    assert found["b2"]["train"] == {"cycles": 5, "seeds": [0, 1]}
    assert found["b1"]["evaluate.task"] == "gzsl"
    assert found["b1"]["protocol.noise"] is None  # not in the file: the default holds
    assert "evaluate" not in found["b1"]
    assert {p.stem for p in Path("data/settings/b1").iterdir()} == set(READS)


def test_a_stage_with_other_parameters_than_were_written_down_does_not_run() -> None:
    with unchanged("train", "b1"):
        pass
    changed = {**RAW, "train": {"cycles": 4, "seeds": [0, 1]}, "evaluate": {"task": "gzsl", "x": 1}}
    Path("params.yaml").write_text(json.dumps(changed))
    assert outdated(changed, "train", "b1") == []  # it has its own cycles, and reads no x
    assert outdated(changed, "evaluate", "b1") == ["evaluate"]
    with unchanged("train", "b1"):
        pass
    ran = False
    with pytest.raises(InputError, match=r"changed after the stage check .*\(train\)"):  # noqa: SIM117
        with unchanged("train", "b2"):
            ran = True
    assert not ran


def test_a_parameter_changed_while_the_stage_runs_fails_at_its_end() -> None:
    with pytest.raises(InputError, match=r"^changed while this stage ran: params\.yaml: train\."):  # noqa: SIM117
        with unchanged("train", "b2"):
            Path("params.yaml").write_text(json.dumps({**RAW, "train": {"cycles": 4}}))


@pytest.mark.parametrize(
    ("stage", "key"), [("train", "gone"), ("simulate", None), ("summarize", None), ("x", "b1")]
)
def test_where_nothing_is_written_down_nothing_is_compared(stage: str, key: str | None) -> None:
    assert outdated(RAW, stage, key) == []
