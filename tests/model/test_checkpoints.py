"""Checkpoints rebuild the model that wrote them, and damaged ones are told apart."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch.nn.functional import normalize

from amsf.base.errors import InputError
from amsf.model.aligner import Aligner, Config, build_aligner
from amsf.model.checkpoints import load_model, save_model
from amsf.model.vae_aligner import VaeAligner
from amsf.settings.params import Model, Settings, Train


def config(**changes: object) -> Config:
    values = {
        "model": Model(views=("lb", "MAmd"), heads=2, latent=5),
        "train": Train(seeds=(3,)),
        "switches": Settings().switches(),
        "text_width": 8,
        "feature_width": 12,
        "phase": "test",
        "seed": 3,
        "seen": (0, 2),
        "unseen": (1, 3, 4),
        "cycle": 1,
    }
    return Config(**{**values, **changes})  # type: ignore[arg-type]


def saved(folder: Path) -> Aligner:
    torch.manual_seed(0)
    model = build_aligner(config())
    save_model(folder, model.config, model.state_dict())
    return model


def test_round_trip(tmp_path: Path) -> None:
    model = saved(tmp_path)
    again = load_model(tmp_path)
    assert again.config == model.config
    x = torch.randn(4, 12)
    assert torch.equal(again.probabilities(x), model.probabilities(x))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["config.json", "model.safetensors"]


def test_same_model_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        saved(tmp_path / name)
    for file in ("config.json", "model.safetensors"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


@pytest.mark.parametrize("normed", [True, False])
def test_normalisation_at_evaluation(normed: bool) -> None:
    protocol = {
        "normalise_at_evaluation": normed,
        "standardise": False,
        "read_out": "classifier",
    }
    switches = Settings(protocol=protocol).switches()
    model = build_aligner(config(switches=switches))
    assert isinstance(model, VaeAligner)
    x = torch.randn(4, 12)
    expected = model.vae.skeleton_encoder.mu(normalize(x, dim=1) if normed else x)
    torch.testing.assert_close(model.embed(x), expected)


def test_probabilities_sum_to_one() -> None:
    probabilities = build_aligner(config()).probabilities(torch.randn(4, 12))
    assert probabilities.shape == (4, 3)
    torch.testing.assert_close(probabilities.sum(1), torch.ones(4))


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"config\.json: no such file"):
        load_model(tmp_path)
    saved(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(InputError, match=r"model\.safetensors: no such file"):
        load_model(tmp_path)


def test_truncated_weights(tmp_path: Path) -> None:
    saved(tmp_path)
    path = tmp_path / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(InputError, match=r"model\.safetensors: not a readable safetensors"):
        load_model(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"feature_width": 13}, r"(?s)does not fit.*train again"),
        ({"model": {"heads": "many"}}, r"not a model's config"),
        ({"strange": 1}, r"not a model's config"),
    ],
)
def test_config_that_does_not_fit(tmp_path: Path, change: dict[str, object], message: str) -> None:
    saved(tmp_path)
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(InputError, match=message):
        load_model(tmp_path)
