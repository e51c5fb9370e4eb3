"""The pipeline's declarations: code deps, params, and how many stages there are."""

from __future__ import annotations

import ast
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from dvc.repo import Repo
from dvc.utils.serialize import modify_yaml

from amsf.backbone import training as backbone_training
from amsf.base.yaml import read_yaml
from amsf.machine.snapshots import code_digest
from amsf.report.render import TEMPLATES
from amsf.settings.params import load_params
from amsf.stage.reads import READS, values_of
from amsf.training import runs as training_runs
from tests.support.imports import PACKAGES, closure, imported

ROOT = Path(__file__).parents[2]
STAGES: dict[str, Any] = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]


# Stages that compute something from parameters; `check` and `summarize` read them all.
COMPUTING = [name for name in STAGES if name not in ("check", "simulate", "summarize")]
RAW: dict[str, Any] = read_yaml(ROOT / "params.yaml")


def body(name: str) -> dict[str, Any]:
    return STAGES[name].get("do", STAGES[name])


def code_deps(name: str) -> set[str]:
    return {d for d in body(name)["deps"] if d.split("/")[0] in PACKAGES}


def covers(dep: str, module: str) -> bool:
    return module == dep or module.startswith(f"{dep}/")


def uncovered(name: str, deps: set[str]) -> set[str]:
    """The modules that a stage imports and no dep covers; a room's own file has no code."""
    modules = {p.relative_to(ROOT).as_posix() for p in closure(ROOT / f"stages/{name}.py")}
    bare = {m for m in modules if m.startswith("amsf/") and m.endswith("/__init__.py")}
    return {m for m in modules - bare if not any(covers(dep, m) for dep in deps)}


@pytest.mark.parametrize("name", STAGES)
def test_code_deps_cover_the_import_closure_and_no_room_more(name: str) -> None:
    deps = code_deps(name)
    assert uncovered(name, deps) == set()
    for dep in deps:  # each is needed: without it something is uncovered
        assert uncovered(name, deps - {dep}), dep


def test_the_reports_templates_rerun_the_report() -> None:
    templates = [path.relative_to(ROOT).as_posix() for path in TEMPLATES.iterdir()]
    assert len(templates) > 5
    for path in templates:
        assert any(covers(dep, path) for dep in body("summarize")["deps"]), path


def test_a_rooms_own_file_has_no_code() -> None:
    rooms = [p for p in ROOT.glob("amsf/**/__init__.py") if p.parent.name != "predict"]
    assert len(rooms) > 10
    for path in rooms:
        (statement,) = ast.parse(path.read_text()).body
        assert isinstance(statement, ast.Expr), path  # its docstring


# Room -> the stages that an edit in it reruns. What a stage needs of a room may be one file alone.
ROOMS = {
    "base": set(STAGES),
    "settings": set(STAGES) - {"simulate"},
    "skeleton": {"check", "simulate", "backbone", "summarize"},
    "dataset": {"check", "describe", "encode", "look_at_texts", "split", "backbone", "features",
                "train", "evaluate", "summarize"},
    "stage": set(STAGES),
    "machine": {"check", "backbone", "train", "evaluate"},
    "demo": {"simulate"},
    "text": {"check", "describe", "encode", "look_at_texts", "split", "train", "evaluate",
             "summarize"},
    "video": set(),
    "pack": set(),
    "backbone": {"check", "backbone", "evaluate"},
    "features": {"check", "features", "train", "evaluate"},
    "model": {"train", "evaluate"},
    "training": {"train"},
    "evaluation": {"evaluate", "summarize"},
    "study": {"summarize"},
    "report": {"summarize"},
    "predict": set(),
    "compare": set(),
    "ablation": set(),
    "command": set(),
}  # fmt: skip


def test_an_edit_in_a_room_reruns_the_stages_that_use_it_and_no_others() -> None:
    assert set(ROOMS) == {p.parent.name for p in ROOT.glob("amsf/*/__init__.py")}
    found = {
        room: {
            name for name in STAGES if any(d.startswith(f"amsf/{room}") for d in code_deps(name))
        }
        for room in ROOMS
    }
    assert found == ROOMS


# A stage that needs little of a room depends on these files alone.
DOORS = {
    "amsf/check.py": {"check"},
    "amsf/dataset/classes.py": {"describe", "encode", "look_at_texts"},
    "amsf/study/summary.py": {"summarize"},
    "amsf/text/features.py": {"split", "train", "evaluate", "summarize"},
}


def test_doors() -> None:
    found = {
        dep: {name for name in STAGES if dep in code_deps(name)}
        for name in STAGES
        for dep in code_deps(name)
        if dep.startswith("amsf/") and dep.endswith(".py") and dep != "amsf/__init__.py"
    }
    assert found == DOORS


def test_the_declarations_are_short() -> None:
    lines = (ROOT / "dvc.yaml").read_text().splitlines()
    code = [line for line in lines if line.strip().startswith(("- amsf/", "- stages/"))]
    assert len(code) < 100
    assert len({line.strip() for line in code}) <= 30  # columns of `dvc exp show`


def test_imports_go_one_way() -> None:
    for path in ROOT.glob("amsf/*/*.py"):
        above = list(ROOMS).index(path.parent.name)
        for other in imported(path):
            room = other.relative_to(ROOT).parts[1]
            if room in ROOMS:
                assert list(ROOMS).index(room) <= above, f"{path} imports {other}"


def test_rooms_are_small() -> None:
    for room in ROOMS:
        assert 2 < len(list(ROOT.glob(f"amsf/{room}/*.py"))) <= 17, (
            room
        )  # 16 modules beside its own file
    assert {p.name for p in ROOT.glob("amsf/*.py")} == {"__init__.py", "check.py"}


@pytest.mark.parametrize(
    ("module", "rooms"),
    [("training/runs.py", training_runs.ROOMS), ("backbone/training.py", backbone_training.ROOMS)],
)
def test_an_interrupted_run_goes_on_with_equal_code_alone(
    module: str, rooms: tuple[str, ...], tmp_path: Path
) -> None:
    modules = [p for p in closure(ROOT / "amsf" / module) if p.name != "__init__.py"]
    assert {p.parent.name for p in modules} == set(rooms)
    package = tmp_path / "amsf"
    for path in modules:
        copy = tmp_path / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    whole = code_digest(rooms, package)
    for path in modules:  # an edit in any of them, or its absence, is another digest
        copy = tmp_path / path.relative_to(ROOT)
        copy.write_bytes(path.read_bytes() + b"\n")
        assert code_digest(rooms, package) != whole, path
        copy.unlink()
        assert code_digest(rooms, package) != whole, path
        copy.write_bytes(path.read_bytes())
    assert code_digest(rooms, package) == whole


BY_PRODUCTS = (
    "__pycache__/errors.cpython-313.pyc", "errors.py~", ".errors.py.swp", "errors.py.bak",
    ".ipynb_checkpoints/errors.py", ".DS_Store", ".errors.py.0a1b.tmp", "#errors.py#",
    ".#errors.py",
)  # fmt: skip


def test_by_products_of_editors_and_of_python_rerun_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    room = tmp_path / "amsf/base"
    room.mkdir(parents=True)
    (room / "errors.py").write_text("1")
    (tmp_path / "dvc.yaml").write_text("stages: {one: {cmd: echo, deps: [amsf/base]}}")
    with Repo.init(no_scm=True) as repo:
        (tmp_path / ".dvcignore").write_bytes((ROOT / ".dvcignore").read_bytes())
        repo.reproduce()
    for name in BY_PRODUCTS:
        (room / name).parent.mkdir(exist_ok=True)
        (room / name).write_text("2")
    with Repo() as repo:
        assert repo.status() == {}
        (room / "errors.py").write_text("2")
        assert repo.status() == {"one": [{"changed deps": {"amsf/base": "modified"}}]}


def test_every_stage_script_is_in_the_pipeline() -> None:
    scripts = {p.stem for p in (ROOT / "stages").glob("*.py")} - {"__init__"}
    assert scripts == set(STAGES)


def test_demo_and_the_whole_catalogue_stay_within_sixty_stages() -> None:
    # The first run of DVC takes time quadratic in the number of stages.
    benchmarks = 8
    count = sum(benchmarks if "foreach" in stage else 1 for stage in STAGES.values())
    assert count <= 60


# Stages that read a parameter, worked out from what each computes.
READERS = {
    "describe.model": {"describe"},
    "text.encoder": {"describe", "encode"},
    "split.seed": {"split"},
    "split.same_meaning": {"split"},
    "backbone.epochs": {"backbone"},
    "model.heads": {"train"},
    "model.style": {"train"},
    # The evaluation leaves the method itself out of its baselines.
    "model.aligner": {"train", "evaluate"},
    "train.learning_rate": {"train"},
    "train.seeds": {"train", "evaluate"},
    "protocol.name": {"train", "evaluate"},
    "protocol.noise": {"train", "evaluate"},
    "protocol.gate": {"evaluate"},
    "protocol.gate_threshold": {"evaluate"},
    "evaluate.baselines": {"evaluate"},
    "evaluate.threshold": {"evaluate"},
    "evaluate.transductive": {"evaluate"},
    "evaluate.task": {"features", "train", "evaluate"},
    "compute.threads": {"backbone", "train"},
    # All that add up floats but `simulate`, whose sums come out alike.
    "compute.portable": {"encode", "look_at_texts", "split", "backbone", "train", "evaluate"},
    "compute.jobs": set(),
    "compute.scheduler": set(),
}


def readers_of(raw: dict[str, Any]) -> set[str]:
    """The stages whose values for the demo differ from those of params.yaml."""
    keys = {name: None if name == "describe" else "demo-u8" for name in COMPUTING}
    return {n for n, key in keys.items() if values_of(raw, n, key) != values_of(RAW, n, key)}


@pytest.mark.parametrize("own", [False, True], ids=["section", "set"])
@pytest.mark.parametrize(("parameter", "readers"), READERS.items())
def test_a_parameter_reaches_exactly_its_stages(
    parameter: str, readers: set[str], own: bool
) -> None:
    raw = deepcopy(RAW)
    section, _, name = parameter.partition(".")
    sections = raw["benchmarks"]["demo-u8"]["set"] if own else raw
    if (own and section == "describe") or parameter == "compute.portable":
        sections = raw  # they hold for all benchmarks, and `set` cannot have them
    sections.setdefault(section, {})[name] = "another value"
    assert readers_of(raw) == readers


def test_another_benchmark_reruns_nothing_of_the_demo() -> None:
    raw = deepcopy(RAW)
    raw["benchmarks"]["mine-u3"] = {"dataset": "mine", "unseen": 3, "set": {"train": {"cycles": 9}}}
    assert readers_of(raw) == {"describe"}  # whose texts of the demo stay as they are
    for name in set(COMPUTING) - {"describe"}:
        assert "data/classes" not in body(name)["deps"]  # where its class list comes to lie
        assert "data/splits" not in body(name)["deps"]


def test_other_datasets_that_train_too_reach_the_rest_as_texts() -> None:
    raw = deepcopy(RAW)
    raw["benchmarks"]["demo-u8"]["also"] = ["florence9"]
    assert readers_of(raw) == {"describe", "encode"}


def test_an_override_that_the_benchmarks_own_hides_reruns_nothing() -> None:
    before, after = deepcopy(RAW), deepcopy(RAW)
    for raw in (before, after):
        raw["benchmarks"]["demo-u8"]["set"] = {"train": {"cycles": 9}}
    after["train"]["cycles"] = 3
    assert values_of(after, "train", "demo-u8") == values_of(before, "train", "demo-u8")


def test_the_benchmarks_own_list_of_classes_reaches_the_split_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("data/splits").mkdir(parents=True)
    list_file = Path("data/splits/demo-u8.yaml")
    found = []
    for text in (None, "unseen: [1]", "unseen: [2]"):
        if text:
            list_file.write_text(text)
        found.append({name: values_of(RAW, name, "demo-u8") for name in READS})
    for name in READS:
        same = [found[0][name] == other[name] for other in found[1:]]
        assert same == ([False, False] if name == "split" else [True, True])
    raw = deepcopy(RAW)
    raw["split"]["kind"] = "random"
    assert values_of(raw, "split", "demo-u8")["listed"] is None


def test_each_stage_depends_on_its_values() -> None:
    for name in COMPUTING:
        place = (
            "data/settings/describe.json"
            if name == "describe"
            else (f"data/settings/${{key}}/{name}.json")
        )
        assert place in body(name)["deps"]
        assert "params" not in body(name)
    assert {"describe", *READS} == set(COMPUTING)


def test_every_parameter_but_jobs_reaches_a_stage() -> None:
    declared = {p for names in READS.values() for p in names} | {"describe"}
    sections = load_params(ROOT / "params.yaml").model_dump(exclude={"benchmarks"})
    leaves = {f"{section}.{name}" for section, values in sections.items() for name in values}
    unread = {
        leaf for leaf in leaves if not any(leaf == d or leaf.startswith(f"{d}.") for d in declared)
    }
    assert unread == {"compute.jobs", "compute.scheduler"}
    assert set(body("check")["params"]) == set(body("summarize")["params"])


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
