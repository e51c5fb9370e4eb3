"""Combinations that cannot run are found before any is queued, each with its reason."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from amsf.ablation.checks import Checker, effective
from amsf.ablation.grid import Cell
from amsf.settings.params import parse_params
from tests.support.queue_project import WIDTH, queue_project
from tests.support.small_evaluation import KEY


@pytest.fixture
def raw(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Any]:
    folder = queue_project(tmp_path_factory)
    monkeypatch.chdir(folder)
    return dict(yaml.safe_load((folder / "params.yaml").read_text()))


def findings(raw: dict[str, Any], **overrides: Any) -> list[str]:
    named = {key.replace("__", "."): value for key, value in overrides.items()}
    return Checker(raw).findings(Cell("cell", {}, named, excluded=False))[1]


def test_a_combination_that_can_run(raw: dict[str, Any]) -> None:
    assert findings(raw, model__fusion="MHA") == []


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"model__fusion": "MAH"}, "model.fusion is 'MAH'.*did you mean 'MHA'"),
        ({"model__head": 4}, "model.head is no parameter; did you mean 'heads'"),
        ({"model__fusion": "SA"}, "protocol.name: reference"),
        ({"model__fusion": "MHA", "model__heads": 3}, f"heads is 3, .*does not divide.* {WIDTH}"),
        ({"model__fusion": "MSCA"}, "model.reduction is 3, but .*2"),
        ({"model__fusion": "Add", "model__ratio": 5}, "leave model.ratio null"),
        ({"model__views": ["lb", "MAad"]}, "demo has no text view MAad .has lb, MAmd"),
        ({"text__checkpoint": "vectors"}, "a relative path leads nowhere"),
        ({"text__checkpoint": "/nowhere"}, "/nowhere: no such folder"),
        ({"text__encoder": "clip-vit-b32"}, "weights|no such file|config.json"),
    ],
)
def test_what_cannot_run(raw: dict[str, Any], overrides: dict[str, Any], message: str) -> None:
    (found,) = findings(raw, **overrides)
    assert re.search(message, found), found


def test_a_benchmarks_own_setting_makes_an_axis_idle(raw: dict[str, Any]) -> None:
    raw["benchmarks"][KEY]["set"] = {"model": {"latent": 8}}
    (found,) = findings(raw, model__latent=100)
    assert f"has no effect: benchmarks.{KEY}.set.model.latent overrides it" in found


def test_a_source_that_is_not_there(raw: dict[str, Any]) -> None:
    raw["benchmarks"][KEY]["source"] = "data/external/nowhere"
    assert "data/external/nowhere: no such folder" in findings(raw)[0]


def test_a_real_encoder_is_asked_for_its_width(raw: dict[str, Any]) -> None:
    raw["text"] = {"encoder": "minilm"}
    assert findings(raw, model__fusion="MHA", model__heads=6) == []  # 384 = 6 * 64
    (found,) = findings(raw, model__fusion="MHA", model__heads=5)
    assert "does not divide" in found
    assert "384" in found


def test_texts_that_are_too_long_for_the_encoder(
    raw: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("amsf.text.minilm.MiniLm.count_tokens", lambda _, t: [999] * len(t))
    raw["text"] = {"encoder": "minilm"}
    assert "text too long for minilm" in findings(raw)[0]
    raw["text"]["over_long"] = "truncate"
    assert findings(raw) == []


def test_what_decides_a_result_is_neither_jobs_nor_where_a_value_stands(
    raw: dict[str, Any],
) -> None:
    plain = effective(parse_params({**raw, "train": {"cycles": 3}}, "parameters"))
    assert (
        effective(
            parse_params({**raw, "train": {"cycles": 3}, "compute": {"jobs": 2}}, "parameters")
        )
        == plain
    )
    assert effective(parse_params({**raw, "train": {"cycles": 4}}, "parameters")) != plain
    raw["benchmarks"][KEY]["set"] = {"train": {"cycles": 3}}
    assert effective(parse_params({**raw, "train": {"cycles": 9}}, "parameters")) == plain
