"""Where several seeds were trained, all of them answer together unless one is named."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from amsf.model.checkpoints import load_model, save_model
from amsf.predict.predictor import Predictor
from amsf.skeleton.recordings import SkeletonSet
from stages import evaluate
from tests.support.small_project import KEY

SKELETONS = "data/simulated/demo/skeletons.safetensors"


@pytest.fixture
def two_seeds(demo_project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The small project with a second seed: the first with noise on its weights."""
    folder = tmp_path / "project"
    shutil.copytree(demo_project, folder, symlinks=True)
    monkeypatch.chdir(folder)
    params = yaml.safe_load(Path("params.yaml").read_text())
    params["train"]["seeds"] = [0, 1]
    Path("params.yaml").write_text(yaml.safe_dump(params))
    generator = torch.Generator().manual_seed(1)
    for phase in ("test", "val"):
        model = load_model(Path(f"data/models/{KEY}/seed0") / phase)
        state = {
            name: tensor + 0.3 * tensor.std() * torch.randn(tensor.shape, generator=generator)
            for name, tensor in model.state_dict().items()
        }
        save_model(Path(f"data/models/{KEY}/seed1") / phase, replace(model.config, seed=1), state)
    evaluate.main(KEY)
    return folder


def scores(predictor: Predictor, names: list[str]) -> dict[str, float]:
    """S, U and H of the answers to some recordings, counted."""
    packed = SkeletonSet.load(SKELETONS)
    place = {name: row for row, name in enumerate(packed.names)}
    rows = [place[name] for name in names]
    answers = predictor.predict_recordings([packed.recording(row) for row in rows])
    right = np.array([p.answer.id for p in answers]) == packed.label[rows]
    unseen = np.isin(packed.label[rows], predictor.model.config.unseen)
    s, u = right[~unseen].mean(), right[unseen].mean()
    return {"seen": s, "unseen": u, "H": 2 * s * u / (s + u)}


def test_the_ensemble_answers_unless_a_seed_is_named(two_seeds: Path) -> None:
    metrics = json.loads(Path(f"data/evaluation/{KEY}/metrics.json").read_text())
    (path,) = Path(f"data/backbone/{KEY}").rglob("shift_8_r/names.json")
    names = json.loads(path.read_text())["gtest"]
    stated = {None: metrics["beside"]["ensemble"], 1: metrics["seeds"]["1"]}
    found = {seed: scores(Predictor.load(KEY, seed), names) for seed in stated}
    assert found[None] != found[1]
    for seed, known in stated.items():
        for name, value in found[seed].items():
            assert value == pytest.approx(known[name]["overall"]), (seed, name)
