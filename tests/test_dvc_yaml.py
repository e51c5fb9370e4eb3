"""The pipeline's declarations: code deps, params, and how many stages there are."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
import yaml
from dvc.utils.serialize import modify_yaml

from amsf.params import load_params

ROOT = Path(__file__).parent.parent
STAGES: dict[str, Any] = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]


# Stages that compute something from parameters; `summarize` shows them all.
COMPUTING = [name for name in STAGES if name != "summarize"]


def body(name: str) -> dict[str, Any]:
    return STAGES[name].get("do", STAGES[name])


def imported(path: Path) -> set[Path]:
    """The modules of this repository that a file imports, with the packages above them."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative import"
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    found = set()
    for name in names:
        parts = name.split(".")
        if parts[0] in ("amsf", "stages"):
            found |= {ROOT / parts[0] / "__init__.py", (ROOT / Path(*parts)).with_suffix(".py")}
    return {p for p in found if p.is_file()}


def closure(script: Path) -> set[Path]:
    done: set[Path] = set()
    waiting = {script}
    while waiting:
        path = waiting.pop()
        done.add(path)
        waiting |= imported(path) - done
    return done


@pytest.mark.parametrize("name", STAGES)
def test_code_deps_are_the_import_closure(name: str) -> None:
    expected = {str(p.relative_to(ROOT)) for p in closure(ROOT / f"stages/{name}.py")}
    declared = {d for d in body(name)["deps"] if d.endswith(".py")}
    assert declared == expected


def test_every_stage_script_is_in_the_pipeline() -> None:
    scripts = {p.stem for p in (ROOT / "stages").glob("*.py")} - {"__init__"}
    assert scripts == set(STAGES)


def test_demo_and_the_whole_catalogue_stay_below_sixty_stages() -> None:
    # The first run of DVC takes time quadratic in the number of stages.
    benchmarks = 8
    count = sum(benchmarks if "foreach" in stage else 1 for stage in STAGES.values())
    assert count < 60


# Stages that read a parameter, worked out from what each computes.
READERS = {
    "describe.model": {"describe"},
    "text.encoder": {"describe", "encode"},
    "split.seed": {"split"},
    "backbone.epochs": {"backbone"},
    "model.heads": {"train"},
    "train.learning_rate": {"train"},
    "train.seeds": {"train", "evaluate"},
    "protocol.name": {"train", "evaluate"},
    "protocol.noise": {"train", "evaluate"},
    "protocol.gate_threshold": {"evaluate"},
    "evaluate.threshold": {"evaluate"},
    "evaluate.task": {"features", "train", "evaluate"},
    "compute.threads": {"backbone", "train"},
    "compute.jobs": set(),
    "compute.scheduler": set(),
}


@pytest.mark.parametrize(("parameter", "readers"), READERS.items())
def test_a_parameter_reaches_exactly_its_stages(parameter: str, readers: set[str]) -> None:
    found = {
        name
        for name in COMPUTING
        for declared in body(name).get("params", [])
        if parameter == declared or parameter.startswith(f"{declared}.")
    }
    assert found == readers


def test_every_parameter_but_jobs_reaches_a_stage() -> None:
    declared = {p for name in COMPUTING for p in body(name).get("params", [])}
    sections = load_params(ROOT / "params.yaml").model_dump(exclude={"benchmarks"})
    leaves = {f"{section}.{name}" for section, values in sections.items() for name in values}
    unread = {
        leaf for leaf in leaves if not any(leaf == d or leaf.startswith(f"{d}.") for d in declared)
    }
    assert unread == {"compute.jobs", "compute.scheduler"}


def test_the_report_is_made_anew_for_every_section_that_it_shows() -> None:
    sections = set(load_params(ROOT / "params.yaml").model_dump())
    assert {p.split(".")[0] for p in body("summarize")["params"]} == sections


def test_logs_of_stage_runs_are_kept_by_nobody() -> None:
    assert "/data/stage_log/" in (ROOT / ".gitignore").read_text().splitlines()
    assert "data/stage_log" in (ROOT / ".dvcignore").read_text().splitlines()


def test_params_yaml_states_every_parameter() -> None:
    raw = yaml.safe_load((ROOT / "params.yaml").read_text())
    for section, values in load_params(ROOT / "params.yaml").model_dump().items():
        assert set(raw[section]) == set(values), section


def test_heads_differ_from_the_papers() -> None:
    # `dvc exp run -S model.heads=8` must show a difference.
    assert load_params(ROOT / "params.yaml").model.heads != 8


def test_comments_survive_an_override(tmp_path: Path) -> None:
    copy = tmp_path / "params.yaml"
    before = (ROOT / "params.yaml").read_text()
    copy.write_text(before)
    with modify_yaml(str(copy)) as params:  # what `dvc exp run -S` does
        params["model"]["heads"] = 8

    def comments(text: str) -> list[str]:
        return [line.strip() for line in text.splitlines() if line.strip().startswith("#")]

    assert comments(copy.read_text()) == comments(before)
