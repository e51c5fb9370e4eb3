"""Grids: their combinations, names and overrides, these against DVC's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from dvc.utils.hydra import apply_overrides as dvc_apply
from hypothesis import given
from hypothesis import strategies as st

from amsf.ablation.grid import apply_overrides, load_grid, set_param
from amsf.base.errors import InputError
from amsf.base.yaml import parse_yaml, read_yaml
from amsf.settings.params import load_params

ROOT = Path(__file__).parents[2]
GRID: dict[str, Any] = {
    "name": "small",
    "set": {"train.cycles": 3},
    "axes": {
        "views": {"lb": {"model.views": ["lb"]}, "lb+md": {"model.views": ["lb", "MAmd"]}},
        "fusion": {"Add": {"model.fusion": "Add"}, "MSCA": {"model.fusion": "MSCA"}},
    },
    "exclude": [{"views": "lb", "fusion": "MSCA"}],
}


def write(folder: Path, grid: Any) -> Path:
    path = folder / "grid.yaml"
    path.write_text(grid if isinstance(grid, str) else yaml.safe_dump(grid, sort_keys=False))
    return path


def test_every_combination_in_order(tmp_path: Path) -> None:
    grid = load_grid(write(tmp_path, GRID))
    assert grid.axes == ("views", "fusion")
    assert [(c.name, c.excluded) for c in grid.cells] == [
        ("small-lb-Add", False),
        ("small-lb-MSCA", True),
        ("small-lb-md-Add", False),
        ("small-lb-md-MSCA", False),
    ]
    assert grid.cells[2].points == {"views": "lb+md", "fusion": "Add"}
    assert grid.cells[2].overrides == {
        "train.cycles": 3,
        "model.views": ["lb", "MAmd"],
        "model.fusion": "Add",
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("a: [", "not valid YAML"),
        ("name: a\nname: b", "'name' is there twice"),
        ("- 1", "expected a mapping"),
        ({"axis": {}}, "axis is no part of a grid; it has name, set, axes, exclude"),
        ({"name": "two words"}, "name is 'two words'"),
        ({"name": None}, "name is None"),
        ({"axes": {}}, "axes: found {}; expected a mapping"),
        ({"axes": {"views": ["lb"]}}, r"axes.views: found \['lb'\]"),
        ({"axes": {"views": {"lb": "lb"}}}, r"axes.views.lb: found 'lb'; expected parameters"),
        ({"axes": {"views": {"lb": {"views": 1}}}}, "views is no parameter; write its section"),
        ({"set": {"text.checkpoint": 'a"b'}}, "has a backslash, a quote or a dollar sign"),
        ("name: a\nset: {model.heads: 2026-01-31}", "is no value of a parameter; .*in quotes"),
        ("name: a\nset: {model.heads: .inf}", "inf is no value of a parameter"),
        ({"set": {"model.fusion": "Add"}}, "model.fusion is set twice in lb-Add"),
        ({"exclude": [{"views": "ad"}]}, "exclude 0: the axes have no views: ad"),
        ({"exclude": [{}]}, "exclude 0: found {}"),
        (
            {"axes": {"v": {"a+b": {"model.heads": 1}, "a b": {"model.heads": 2}}}, "exclude": []},
            "two combinations would be called small-a-b",
        ),
    ],
)
def test_bad_grids(tmp_path: Path, change: Any, message: str) -> None:
    path = write(tmp_path, change if isinstance(change, str) else {**GRID, **change})
    with pytest.raises(InputError, match=rf"grid\.yaml: .*{message}|grid\.yaml: {message}"):
        load_grid(path)


def test_a_missing_grid(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file; give a grid such as"):
        load_grid(tmp_path / "none.yaml")


text = st.text(
    st.characters(codec="utf-8", exclude_characters='\\"$', exclude_categories=["C", "Z"])
)
values = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**9), 10**9), st.floats(1e-3, 1e6), text
)


@given(values | st.lists(values, max_size=4))
def test_overrides_are_what_dvc_makes_of_them(
    tmp_path_factory: pytest.TempPathFactory, value: Any
) -> None:
    params = {
        "model": {"views": ["lb", "MAad"], "heads": 4},
        "benchmarks": {"demo-u8": {"set": {}}},
    }
    path = tmp_path_factory.getbasetemp() / "overridden.yaml"
    overrides = {
        "model.views": value,
        "model.heads": value,
        "benchmarks.demo-u8.set.train.cycles": value,
    }
    path.write_text(yaml.safe_dump(params))
    dvc_apply(path, [set_param(params, key, v) for key, v in overrides.items()])
    assert read_yaml(path) == apply_overrides(params, overrides)
    assert params["model"]["heads"] == 4


def test_small_numbers_reach_the_settings(tmp_path: Path) -> None:
    # YAML 1.1 would read 1e-05, without a dot, as text.
    path = tmp_path / "params.yaml"
    path.write_text((ROOT / "params.yaml").read_text())
    word = set_param(read_yaml(path), "train.learning_rate", 1e-05)
    dvc_apply(path, [word])
    assert load_params(path).train.learning_rate == 1e-05


@pytest.mark.parametrize("scalar", ["010", "0o10", "1e-4", "yes", "'1e-4'", "'010'", "~", "1:30"])
def test_a_value_of_a_grid_is_what_it_is_in_params_yaml(tmp_path: Path, scalar: str) -> None:
    value = parse_yaml(f"v: {scalar}", "grid")["v"]
    path = tmp_path / "params.yaml"
    path.write_text("model: {heads: 4}\n")
    dvc_apply(path, [set_param(read_yaml(path), "model.heads", value)])
    found = read_yaml(path)["model"]["heads"]
    assert (type(found), found) == (type(value), value)


def test_an_override_keeps_the_comments_of_params_yaml(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    before = (ROOT / "params.yaml").read_text()
    path.write_text(before)
    params = yaml.safe_load(before)
    dvc_apply(
        path, [set_param(params, "model.views", ["lb"]), set_param(params, "text.encoder", "x")]
    )

    def comments(text: str) -> list[str]:
        return [line.strip() for line in text.splitlines() if line.strip().startswith("#")]

    assert comments(path.read_text()) == comments(before)
    assert yaml.safe_load(path.read_text())["model"]["views"] == ["lb"]


@pytest.mark.parametrize(
    "path", sorted((ROOT / "data/ablations").glob("*.yaml")), ids=lambda p: p.stem
)
def test_shipped_grids_are_named_after_their_file(path: Path) -> None:
    assert load_grid(path).name == path.stem


def test_the_papers_grid_has_its_fusion_modules_and_views() -> None:
    cells = load_grid(ROOT / "data/ablations/paper.yaml").cells
    assert {c.overrides["model.fusion"] for c in cells} == {
        "MHA", "Former", "MLP", "Linear", "Conv", "MSCA", "Concat", "Add", "Weighted_Add",
    }  # fmt: skip
    assert ["lb"] in [c.overrides["model.views"] for c in cells]
    assert max(len(c.overrides["model.views"]) for c in cells) == 5
    assert all(c.overrides["model.heads"] == 8 for c in cells)
