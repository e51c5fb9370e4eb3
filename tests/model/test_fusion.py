"""Fusion modules against the published outputs, torch's own layers and hand-worked cases."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch
from torch import nn

from amsf.base.errors import InputError
from amsf.model.fusion import FusionModule, build_fusion
from amsf.settings.params import Fusion, Model

NAMES = get_args(Fusion)
# Width of the prototype in units of the text width D, for 5 views.
WIDTHS = dict.fromkeys(NAMES, 5) | {"Add": 1, "Weighted_Add": 1, "Conv": 1}


def build(name: str, views: int = 5, width: int = 16, **others: object) -> FusionModule:
    torch.manual_seed(0)
    return build_fusion(Model(fusion=name, **others), views, width)


@pytest.mark.parametrize("name", NAMES)
def test_output_of_the_published_implementation(name: str, golden_dir: Path) -> None:
    golden = np.load(golden_dir / f"fusion_{name}.npz")
    model = Model(
        fusion=name,
        heads=max(1, int(golden["heads"])),
        layers=max(1, int(golden["layers"])),
        kernel=9 if name == "Conv" else 1,
        ratio=1 if name == "SA" else None,
    )
    module = build_fusion(model, 5, 32)
    prefix = "param."
    weights = {k[len(prefix) :]: torch.from_numpy(golden[k]) for k in golden if prefix in k}
    module.load_state_dict(weights)
    with torch.no_grad():
        output = module(torch.from_numpy(golden["input"])).numpy()
    difference = np.linalg.norm(output - golden["output"]) / np.linalg.norm(golden["output"])
    assert difference < 1e-5


@pytest.mark.parametrize("name", NAMES)
def test_true_output_width(name: str) -> None:
    module = build(name)
    output = module(torch.randn(3, 5, 16))
    assert output.shape == (3, module.out_features)
    assert module.out_features == WIDTHS[name] * 16


@pytest.mark.parametrize("name", [n for n in NAMES if n != "SA"])
def test_a_class_does_not_depend_on_the_others(name: str) -> None:
    module = build(name)
    x = torch.randn(6, 5, 16)
    with torch.no_grad():
        torch.testing.assert_close(module(x)[2:3], module(x[2:3]))
    assert not module.across_batch


def test_sa_depends_on_the_others() -> None:
    module = build("SA")
    x = torch.randn(6, 5, 16)
    assert module.across_batch
    with torch.no_grad():
        assert not torch.allclose(module(x)[2:3], module(x[2:3]), atol=1e-3)


def test_mha_equals_attention_written_out() -> None:
    module = build("MHA", heads=2)
    x = torch.randn(4, 5, 16)
    block = module.mha[0]
    h = nn.functional.layer_norm(x, (16,), block.ln.weight, block.ln.bias)
    q, k, v = (
        (h @ w.T).unflatten(-1, (2, 8)).transpose(1, 2) for w in block.mha.in_proj_weight.chunk(3)
    )
    weights = (q @ k.transpose(-1, -2) / 8**0.5).softmax(-1)
    h = h + (weights @ v).transpose(1, 2).flatten(2) @ block.mha.out_proj.weight.T
    with torch.no_grad():
        torch.testing.assert_close(module(x), module.mlp(h.flatten(1)))


@pytest.mark.parametrize("name", ["Add", "Weighted_Add"])
def test_sums_ignore_the_order_of_views(name: str) -> None:
    module = build(name)
    x = torch.randn(3, 5, 16)
    with torch.no_grad():
        torch.testing.assert_close(module(x), module(x.flip(1)))


def test_hand_worked_sums() -> None:
    x = torch.tensor([[[1.0, 3.0], [10.0, 30.0]]])
    assert build("Add", 2, 2)(x).tolist() == [[11.0, 33.0]]
    assert build("Concat", 2, 2)(x).tolist() == [[1.0, 3.0, 10.0, 30.0]]
    # LayerNorm of (1, 3) and of (10, 30) is (-1, 1) but for its epsilon; both weights start at 1.
    torch.testing.assert_close(
        build("Weighted_Add", 2, 2)(x), torch.tensor([[-2.0, 2.0]]), atol=1e-4, rtol=0
    )


def test_views_change_mha() -> None:
    module = build("MHA", heads=2)
    x = torch.randn(3, 5, 16)
    with torch.no_grad():
        assert not torch.allclose(module(x), module(x.flip(1)), atol=1e-3)


def test_heads_must_divide_the_width() -> None:
    with pytest.raises(InputError, match=r"heads is 5.* 16, the width.*1, 2, 4, 8, 16"):
        build("MHA", heads=5)


@pytest.mark.parametrize("name", ["Add", "Concat", "Conv", "MSCA", "Weighted_Add"])
def test_a_wrong_ratio_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=r"ratio is 3.*leave model.ratio null"):
        build(name, ratio=3)


def test_msca_needs_as_many_views_as_its_reduction() -> None:
    with pytest.raises(InputError, match=r"reduction is 3.*has 2"):
        build("MSCA", views=2)


def cosines(x: np.ndarray) -> np.ndarray:
    x = x / np.linalg.norm(x, axis=1, keepdims=True)
    return x @ x.T


@pytest.mark.parametrize("ratio", [2, 5])
def test_a_linear_start_keeps_the_cosines_of_texts(ratio: int) -> None:
    """The bottleneck and the GELU of a random start do not."""
    text = torch.randn(6, 5, 16)
    flat = text.flatten(1).numpy().astype(float)
    given = cosines(flat - flat.mean(1, keepdims=True))  # LayerNorm takes the mean away
    module = build("MLP", ratio=ratio)
    before = cosines(module(text).detach().numpy())
    module.start_linear(text)
    after = cosines(module(text).detach().numpy())
    assert np.abs(after - given).max() < 1e-4
    assert np.abs(before - given).max() > 0.05


def test_a_linear_start_of_more_texts_than_fit_keeps_the_strongest_directions() -> None:
    directions, amounts = torch.randn(3, 80), torch.randn(40, 3)
    text = (amounts @ directions + 1e-3 * torch.randn(40, 80)).unflatten(1, (5, 16))
    flat = text.flatten(1).numpy().astype(float)
    module = build("MLP")
    module.start_linear(text)
    after = cosines(module(text).detach().numpy())
    assert np.abs(after - cosines(flat - flat.mean(1, keepdims=True))).max() < 0.02


@pytest.mark.parametrize("name", [n for n in NAMES if n not in ("MHA", "MLP")])
def test_a_linear_start_leaves_modules_without_a_bottleneck(name: str) -> None:
    module = build(name, ratio=1 if name == "SA" else None)
    weights = {key: value.clone() for key, value in module.state_dict().items()}
    module.start_linear(torch.randn(6, 5, 16))
    assert all(torch.equal(value, weights[key]) for key, value in module.state_dict().items())


def test_a_linear_start_does_not_hang_on_the_order_of_texts() -> None:
    text = torch.randn(6, 5, 16)
    one, two = build("MHA", heads=4), build("MHA", heads=4)
    one.start_linear(text)
    two.start_linear(text[torch.tensor([3, 0, 5, 1, 4, 2])])
    for name, weight in one.state_dict().items():
        torch.testing.assert_close(weight, two.state_dict()[name], atol=1e-4, rtol=0)
