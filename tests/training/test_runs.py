"""The runs of a benchmark: order of phases, chosen cycle, side by side, what is written."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from amsf.base.errors import InputError
from amsf.machine.parallel import side_by_side
from amsf.model.checkpoints import load_model
from amsf.settings.params import Settings
from amsf.training import runs
from amsf.training.records import save_phase_snapshot
from amsf.training.runs import fingerprint, phases, train_benchmark
from amsf.training.trainer import PhaseTrainer
from tests.support.small_benchmark import small_inputs, small_settings

ZSL = {"evaluate": {"task": "zsl"}, "protocol": {"selection": "last"}}


def tree(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def train(folder: Path, **sections: dict[str, Any]) -> Path:
    inputs = small_inputs(folder / "features", small_settings(**sections))
    train_benchmark(inputs, folder / "models", folder / "scratch")
    return folder / "models"


@pytest.mark.parametrize(
    ("sections", "expected"),
    [
        ({}, ("test", "val")),
        (ZSL, ("test",)),
    ],
)
def test_order_of_phases(sections: dict[str, Any], expected: tuple[str, ...]) -> None:
    assert phases(small_settings(**sections)) == expected


def test_validation_chooses_the_cycle_of_both_phases(tmp_path: Path) -> None:
    models = train(tmp_path, train={"cycles": 5}, protocol={"patience": 0})
    cycles = pd.read_csv(models / "seed0/val/cycles.csv")
    best = int(cycles["zsl_accuracy"].idxmax())
    assert len(cycles) == 5
    for phase in ("val", "test"):
        assert load_model(models / f"seed0/{phase}").config.cycle == best
    tested = pd.read_csv(models / "seed0/test/cycles.csv")
    assert len(tested) == 5
    assert tested["zsl_accuracy"].isna().all()


@pytest.mark.parametrize("patience", [1, 3])
def test_validation_sets_the_length_of_training(tmp_path: Path, patience: int) -> None:
    """It ends when the mean of neighbouring cycles has not risen for so many; test ends there."""
    short = {"cycles": 30, "steps_per_cycle": 5}
    models = train(tmp_path, train=short, protocol={"patience": patience})
    accuracy = pd.read_csv(models / "seed0/val/cycles.csv")["zsl_accuracy"]
    means = [accuracy[max(0, i - 1) : i + 2].mean() for i in range(len(accuracy))]
    best = means.index(max(means))
    assert len(accuracy) == best + 1 + patience < 30
    assert len(pd.read_csv(models / "seed0/test/cycles.csv")) == best + 1
    for phase in ("val", "test"):
        assert load_model(models / f"seed0/{phase}").config.cycle == best


def test_a_best_cycle_that_the_next_one_smooths_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After five cycles the last is best, so that four more may follow; the sixth makes it 0."""
    accuracies = iter((0.6, 0.6, 0.2, 0.5, 0.9, 0.0))
    train_on = runs._train_on

    def as_given(trainer: PhaseTrainer, settings: Settings, phase: str, *more: Any) -> Any:
        for result in train_on(trainer, settings, phase, *more):
            yield replace(result, accuracy=next(accuracies)) if phase == "val" else result

    monkeypatch.setattr(runs, "_train_on", as_given)
    short = {"cycles": 30, "steps_per_cycle": 5}
    models = train(tmp_path, train=short, protocol={"patience": 4}, compute={"jobs": 1})
    assert len(pd.read_csv(models / "seed0/val/cycles.csv")) == 6
    assert len(pd.read_csv(models / "seed0/test/cycles.csv")) == 1
    assert load_model(models / "seed0/val").config.cycle == 0


def test_an_ended_validation_phase_is_not_gone_on_with(tmp_path: Path) -> None:
    short = {"cycles": 30, "steps_per_cycle": 5}
    first = tree(train(tmp_path, train=short))
    assert tree(train(tmp_path, train=short)) == first


def test_the_last_cycle(tmp_path: Path) -> None:
    models = train(tmp_path, protocol={"selection": "last"})
    for phase in ("val", "test"):
        assert load_model(models / f"seed0/{phase}").config.cycle == 2


def test_reference_chooses_by_test_samples(tmp_path: Path) -> None:
    models = train(tmp_path, protocol={"name": "reference"}, train={"cycles": 4})
    cycles = pd.read_csv(models / "seed0/test/cycles.csv")
    config = load_model(models / "seed0/test").config
    assert config.cycle == int(cycles["zsl_accuracy"].idxmax())
    assert config.switches.selection == "test"
    assert config.switches.classifier_relu
    assert not config.switches.normalise_at_evaluation


def test_zsl_alone_needs_no_validation_features(tmp_path: Path) -> None:
    inputs = small_inputs(tmp_path / "features", small_settings(**ZSL))
    (tmp_path / "features/val.safetensors").unlink()
    train_benchmark(inputs, tmp_path / "models", tmp_path / "scratch")
    assert sorted(p.name for p in (tmp_path / "models/seed0").iterdir()) == ["test"]


def test_side_by_side_gives_the_same_bytes(tmp_path: Path) -> None:
    seeds = {"train": {"seeds": [0, 1]}}
    one = train(tmp_path / "one", **seeds, compute={"jobs": 1})
    two = train(tmp_path / "two", **seeds, compute={"jobs": 2})
    assert tree(one) == tree(two)
    assert len(tree(one)) == 2 * 2 * 4


def test_a_seed_does_not_depend_on_the_others(tmp_path: Path) -> None:
    both = train(tmp_path / "both", train={"seeds": [5, 1]})
    alone = train(tmp_path / "alone", train={"seeds": [1]})
    assert tree(both / "seed1") == tree(alone / "seed1")


def test_one_stream_makes_a_phase_depend_on_the_one_before(tmp_path: Path) -> None:
    last = {"selection": "last"}
    run = train(tmp_path / "run", protocol={**last, "seeding": "run"})
    stream = train(tmp_path / "stream", protocol={**last, "seeding": "stream"})
    for phase, same in (("test", True), ("val", False)):
        file = f"seed0/{phase}/model.safetensors"
        assert ((run / file).read_bytes() == (stream / file).read_bytes()) == same


def test_a_snapshot_put_back_by_another_process_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a worker does that is presumed dead and still writes."""
    folder = tmp_path / "scratch"
    early: dict[Path, bytes] = {}

    def keep_first(path: Path, *rest: Any) -> None:
        save_phase_snapshot(path, *rest)
        early.setdefault(path, path.read_bytes())

    def put_back(*arguments: Any) -> None:
        side_by_side(*arguments)
        for path, content in early.items():
            path.write_bytes(content)

    monkeypatch.setattr(runs, "save_phase_snapshot", keep_first)
    monkeypatch.setattr(runs, "side_by_side", put_back)
    plain = small_settings(protocol={"patience": 0})
    with pytest.raises(InputError, match=r"snapshot\.safetensors: holds 1 of 3 cycles"):
        train_benchmark(small_inputs(tmp_path, plain), tmp_path / "models", folder)
    assert not (tmp_path / "models").exists()


def test_no_process_loads_the_compiler(tmp_path: Path) -> None:
    """Torch's compiler takes a second and 70 MB; nothing here compiles."""
    code = (
        "import sys; from pathlib import Path; from tests.support.train_small import main\n"
        "main(Path(sys.argv[1]), 1, 1); assert 'torch._dynamo' not in sys.modules"
    )
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], env=env, check=True)


def test_text_of_another_dataset(tmp_path: Path) -> None:
    inputs = small_inputs(tmp_path, small_settings())
    object.__setattr__(inputs, "text", inputs.text[:-1])
    with pytest.raises(InputError, match=r"23 classes; small has 24.*encode"):
        train_benchmark(inputs, tmp_path / "models", tmp_path / "scratch")


def test_missing_features_are_told_before_training(tmp_path: Path) -> None:
    inputs = small_inputs(tmp_path, small_settings())
    (tmp_path / "test.safetensors").unlink()
    with pytest.raises(InputError, match=r"test\.safetensors: no such file"):
        train_benchmark(inputs, tmp_path / "models", tmp_path / "scratch")
    assert not (tmp_path / "models").exists()


def test_heads_are_checked_before_training(tmp_path: Path) -> None:
    inputs = small_inputs(tmp_path, small_settings(model={"heads": 3}))
    with pytest.raises(InputError, match=r"heads is 3"):
        train_benchmark(inputs, tmp_path / "models", tmp_path / "scratch")


def test_other_kernels_are_another_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = small_inputs(tmp_path, small_settings())
    before = fingerprint(inputs)
    monkeypatch.setenv("MKL_CBWR", "AVX512")
    assert fingerprint(inputs) != before
    monkeypatch.undo()
    assert fingerprint(inputs) == before
