"""Where nothing is to be learnt, accuracy is at chance; where the loss is no number, nothing is.

Bounds are those of the binomial distribution. A trained model puts whole classes right or wrong, so
the unit is a class of a run: n = runs x U, p = 1/U.
"""

from __future__ import annotations

import re
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from scipy.stats import binom

import stages
from amsf.base.storage import read_tensors, write_tensors
from amsf.dataset.splits import make_split
from amsf.evaluation.metrics import accuracy
from amsf.features.phases import load_phase
from amsf.model.checkpoints import load_model
from amsf.training.runs import train_benchmark
from stages import train
from tests.support.small_benchmark import CLASSES, SPLIT, small_inputs, small_settings
from tests.support.small_project import KEY

# Six unseen classes, so that few runs give a narrow bound: those of both phases.
UNSEEN = tuple(sorted(SPLIT.unseen + SPLIT.val_unseen))
WIDE = make_split("small", CLASSES, UNSEEN, [], kind="listed", where="test")
RUNS, U = 4, len(UNSEEN)
SURE = 0.999
LOWEST, HIGHEST = (k / (RUNS * U) for k in binom.interval(SURE, RUNS * U, 1 / U))
SETTINGS = small_settings(
    evaluate={"task": "zsl"},
    protocol={"selection": "last"},
    train={"cycles": 3, "steps_per_cycle": 300, "learning_rate": 0.01},
)


def _zsl(folder: Path, kind: str) -> float:
    """Mean ZSL accuracy per class over the runs, each with a small benchmark of its own."""
    found = []
    for seed in range(RUNS):
        here = folder / str(seed)
        inputs = replace(small_inputs(here, SETTINGS, seed=seed), split=WIDE)
        test, val = (read_tensors(here / f"{phase}.safetensors") for phase in ("test", "val"))
        rng = np.random.default_rng(seed)
        if kind == "shuffled texts":
            inputs = replace(inputs, text=inputs.text[rng.permutation(len(inputs.text))])
        if kind == "shuffled labels":
            val["train.labels"] = rng.permutation(val["train.labels"])
        tensors = {name: val[name] for name in ("train.features", "train.labels")}
        for name in ("zsl.features", "zsl.labels"):
            tensors[name] = np.concatenate([test[name], val[name]])
        write_tensors(here / "test.safetensors", tensors)
        train_benchmark(inputs, here / "models", here / "scratch")
        samples = load_phase(here / "test.safetensors").zsl
        model = load_model(here / "models/seed0/test")
        predicted = np.array(UNSEEN)[model.probabilities(samples.features).argmax(1)]
        found.append(accuracy(samples.labels.numpy(), predicted, per_class=True))
    return float(np.mean(found))


@pytest.mark.parametrize("kind", ["shuffled texts", "shuffled labels"])
def test_what_tells_nothing_gives_chance(tmp_path: Path, kind: str) -> None:
    assert LOWEST <= _zsl(tmp_path, kind) <= HIGHEST


def test_the_same_runs_on_true_texts_and_labels_are_beyond_chance(tmp_path: Path) -> None:
    assert _zsl(tmp_path, "true") > HIGHEST


def test_random_labels_of_test_samples_give_chance() -> None:
    """Here each sample counts by itself, and the bound is narrow."""
    rng = np.random.default_rng(0)
    count, classes = 4000, 20
    predicted, labels = rng.integers(0, classes, (2, count))
    low, high = binom.interval(SURE, count, 1 / classes)
    for per_class in (False, True):
        assert low / count <= accuracy(labels, predicted, per_class=per_class) <= high / count


# --- a loss that is no number -------------------------------------------------------------------


def test_a_loss_that_is_no_number_ends_the_run_with_step_and_terms(
    demo_project: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    shutil.copytree(demo_project, tmp_path / "project", symlinks=True)
    monkeypatch.chdir(tmp_path / "project")
    params = yaml.safe_load(Path("params.yaml").read_text())
    params["train"] = {**params["train"], "learning_rate": 100.0}
    Path("params.yaml").write_text(yaml.safe_dump(params))
    models = Path(f"data/models/{KEY}")
    before = {path: path.read_bytes() for path in models.rglob("*") if path.is_file()}
    monkeypatch.setattr(sys, "argv", ["stages/train.py", KEY])
    with pytest.raises(SystemExit) as ended:
        stages.run(train.main)
    assert ended.value.code == 1
    told = capfd.readouterr().err
    (message,) = re.findall(r"^error: .*", told, re.MULTILINE)
    assert re.search(r"[st]_(recon|kl|cross)", message), "no term is named"
    assert re.search(r"step \d+", message)
    assert re.search(r"cycle \d+", message)
    assert "Traceback" not in told
    after = {path: path.read_bytes() for path in models.rglob("*") if path.is_file()}
    assert after == before, "the models of before are gone or mixed with others"
