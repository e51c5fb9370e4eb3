"""The look at everything before a long run."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from amsf.check import findings, main
from amsf.demo.simulation import simulate
from amsf.settings.params import load_params
from tests.features.test_phases import SPLIT, C, published
from tests.support.small_table import table_arrays, write_table

KEY = "tiny-u2"
IDENTITY = ["-c", "user.name=tests", "-c", "user.email=tests@example.org"]
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
    main([])
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
    main([])
    told = capsys.readouterr().out
    assert "tiny-u2: by its own `set`, train.cycles is 3 instead of 10\n" in told


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
        (
            {"set": {"split": {"kind": "easy", "views": ["lb"]}}},
            "mine/sk_feats/e/shift_2_e: no such folder",
        ),
        ({"set": {"split": {"kind": "hard"}}}, "split.views has MAad, MAmd; data/texts has lb"),
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
        main([])
    error = capsys.readouterr().err
    assert error.startswith("error: tiny-u2: ")
    assert told in error


def fill_in() -> None:
    Path("data/classes/tiny.csv").write_text(
        "\n".join(["id,label,persons", *(f"{i},LABEL OF CLASS {i},1" for i in range(C))])
    )


def no_validation() -> None:
    Path("data/splits/tiny-u2.yaml").write_text(f"dataset: tiny\nunseen: {list(SPLIT.unseen)}\n")


def too_long() -> None:
    words = "to wave " * 300
    rows = ["id,text", *(f"{i},{words if i == 3 else i}" for i in range(C))]
    Path("data/texts/tiny/lb.csv").write_text("\n".join(rows))


def not_finite() -> None:
    path = Path("mine/sk_feats/r/shift_2_r/train.npy")
    array = np.load(path)
    array[1, 0] = np.nan
    np.save(path, array)


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (fill_in, "data/classes/tiny.csv: class 0 is still called 'LABEL OF CLASS 0'"),
        (no_validation, "data/splits/tiny-u2.yaml: no val_unseen classes"),
        (too_long, "tiny lb of class 3 has"),  # found by the stage encode
        (not_finite, "mine/sk_feats/r/shift_2_r/train.npy: row 1, column 0 is nan"),  # by features
    ],
)
def test_what_a_stage_would_find(
    harm: Callable[[], None], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    harm()
    with pytest.raises(SystemExit):
        main([])
    assert told in capsys.readouterr().err


def test_recordings_of_ones_own(capsys: pytest.CaptureFixture[str]) -> None:
    """What the stage backbone would ask for, one thing after another."""
    recordings = simulate(subjects=4, repetitions=1).subset(np.arange(4 * C))
    label = np.arange(4 * C) % C
    simulated = replace(recordings, dataset="tiny", label=label, subject=1 + label // 4)
    write(features="motion")
    simulated.save(Path("mine/skeletons.safetensors"))
    subjects = Path("mine/train_subjects.txt")

    def told() -> str:
        try:
            main([])
        except SystemExit:
            return capsys.readouterr().err
        return capsys.readouterr().out

    assert "write the training subjects into mine/train_subjects.txt" in told()
    subjects.write_text("# none yet\n")
    assert "mine/train_subjects.txt: the list is empty" in told()
    subjects.write_text("1")  # classes 4 and more alone
    assert "seen classes" in (found := told())
    assert "have no recording in the training partition" in found
    replace(simulated, subject=1 + np.arange(4 * C) // (2 * C)).save(
        Path("mine/skeletons.safetensors")
    )
    assert "all that a run needs is there" in told()


def test_other_datasets_that_train_too(capsys: pytest.CaptureFixture[str]) -> None:
    """Their class list, texts and data are looked at as the benchmark's own."""
    write(features="table", also=["theirs"])
    arrays = table_arrays()
    write_table(Path("mine/tiny"), label=np.arange(len(arrays["label"])) % C)

    def told() -> str:
        try:
            main([])
        except SystemExit:
            return capsys.readouterr().err
        return capsys.readouterr().out

    assert "data/classes/theirs.csv: no class list" in told()
    Path("data/classes/theirs.csv").write_text("id,label,persons\n0,bow,1\n1,LABEL OF CLASS 1,1\n")
    assert "data/classes/theirs.csv: class 1 is still called" in told()
    Path("data/classes/theirs.csv").write_text("id,label,persons\n0,bow,1\n1,kick,1\n")
    assert "data/texts/theirs/lb.csv: no such file" in told()
    Path("data/texts/theirs").mkdir()
    Path("data/texts/theirs/lb.csv").write_text("id,text\n0,bow\n1,kick\n")
    assert "mine/theirs/features.npz: no such file. `also` has theirs" in told()
    write_table(Path("mine/theirs"), features=2 + arrays["features"], label=arrays["label"] % 2)
    assert "all that a run needs is there" in told()


def test_an_override_that_does_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """`-S train.cycles=3` where the benchmark sets its own: an error before anything runs."""
    write(set={"train": {"cycles": 7, "seeds": [0]}})
    raw = {"train": {"cycles": 5, "steps_per_cycle": 9, "seeds": [0, 1]}}
    text = Path("params.yaml").read_text()
    Path("params.yaml").write_text(text + yaml.safe_dump(raw))
    assert findings(load_params()) == []  # nothing is committed yet
    for words in (["init", "-q"], ["add", "params.yaml"], [*IDENTITY, "commit", "-qm", "x"]):
        subprocess.run(["git", *words], check=True)
    assert findings(load_params()) == []
    raw["train"] |= {"cycles": 3, "steps_per_cycle": 8, "seeds": [0]}
    Path("params.yaml").write_text(text + yaml.safe_dump(raw))
    (found,) = findings(load_params())
    assert found.startswith("train.cycles was changed from 5 to 3, which does nothing for tiny-u2")
    assert "Change benchmarks.tiny-u2.set.train.cycles instead" in found


def test_bad_parameters_end_it(capsys: pytest.CaptureFixture[str]) -> None:
    Path("params.yaml").write_text("benchmarks: [\n")
    with pytest.raises(SystemExit):
        main([])
    assert capsys.readouterr().err.startswith("error: params.yaml: not valid YAML")
