"""The look at everything before a long run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from amsf.check import findings, main
from amsf.settings.params import load_params
from tests.features.test_phases import SPLIT, C, published

KEY = "tiny-u2"
ENTRY = {"dataset": "tiny", "unseen": 2, "source": "mine", "features": "published"}


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A benchmark for which everything is there."""
    monkeypatch.chdir(tmp_path)
    for name, rows in {
        "data/classes/tiny.csv": ["id,label,persons", *(f"{i},class {i},1" for i in range(C))],
        "data/texts/tiny/lb.csv": ["id,text", *(f"{i},class {i}" for i in range(C))],
        "data/splits/tiny-u2.yaml": [
            "dataset: tiny",
            f"unseen: {list(SPLIT.unseen)}",
            f"val_unseen: {list(SPLIT.val_unseen)}",
        ],
    }.items():
        Path(name).parent.mkdir(parents=True)
        Path(name).write_text("\n".join(rows) + "\n")
    for phase, folder in (("test", "shift_2_r"), ("val", "shift_val_2_r")):
        Path("mine/sk_feats/r", folder).mkdir(parents=True)
        for name, array in published(phase).items():
            np.save(Path("mine/sk_feats/r", folder, f"{name}.npy"), array)
    write()


def write(**entry: object) -> None:
    raw = {"benchmarks": {KEY: {**ENTRY, **entry}}, "model": {"views": ["lb"]}}
    Path("params.yaml").write_text(yaml.safe_dump(raw))


def test_all_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    main()
    assert capsys.readouterr().out == "tiny-u2: all that a run needs is there\n"


def test_what_the_pipeline_makes_need_not_be_there() -> None:
    write(source="data/simulated/demo", features="backbone")
    assert findings(load_params()) == []
    write(source="data/simulated/dem", features="backbone")
    assert "data/simulated/dem/skeletons.safetensors: no such file" in findings(load_params())[0]


def test_what_a_benchmark_overrides_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """Else `-S train.cycles=3` would have no effect without a word."""
    same = {"batch_size": 64, "learning_rate": "1e-3", "seeds": [0, 1, 2]}
    write(set={"train": {"cycles": 3, **same}})
    main()
    told = capsys.readouterr().out
    assert "tiny-u2: by its own `set`, train.cycles is 3 instead of 5\n" in told


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ({"source": "elsewhere"}, "elsewhere/sk_feats/r/shift_2_r: no such folder"),
        ({"features": "backbone"}, "mine/skeletons.safetensors: no such file"),
        ({"features": "motion"}, "mine/skeletons.safetensors: no such file"),
        ({"features": "backbone+motion"}, "mine/skeletons.safetensors: no such file"),
        ({"features": "table"}, "mine/features.npz: no such file; expected the features of all"),
        ({"unseen": 3}, "data/splits/tiny-u2.yaml: lists 2 unseen classes"),
        ({"unseen": 4, "set": {"split": {"kind": "random"}}}, "ask for at most 3"),
        ({"set": {"split": {"kind": "easy"}}}, "mine/sk_feats/e/shift_2_e: no such folder"),
        ({"dataset": "other"}, "data/classes/other.csv: no class list"),
        ({"set": {"model": {"views": ["lb", "MAad"]}}}, "model.views has MAad"),
        ({"set": {"compute": {"device": "cuda:99"}}}, "compute.device is cuda:99"),
    ],
)
def test_what_is_missing(
    entry: dict[str, object], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write(**entry)
    with pytest.raises(SystemExit):
        main()
    error = capsys.readouterr().err
    assert error.startswith("error: tiny-u2: ")
    assert told in error


def test_bad_parameters_end_it(capsys: pytest.CaptureFixture[str]) -> None:
    Path("params.yaml").write_text("benchmarks: [\n")
    with pytest.raises(SystemExit, match=r"error: params\.yaml: not valid YAML"):
        main()
