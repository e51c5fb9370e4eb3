"""The paths of artifacts: those of dvc.yaml, and spelled nowhere else."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from amsf.base import artifacts
from amsf.base.artifacts import METRICS, Artifacts, EvaluationFiles, seed_folder
from amsf.stage.reads import READS, values_file

ROOT = Path(__file__).parents[2]


def given(place: object) -> set[Path]:
    """The paths that an object gives, but for those that ask for a seed or a phase."""
    values = [getattr(place, name) for name in dir(place) if not name.startswith("_")]
    return {value for value in values if isinstance(value, Path)}


def declared(word: str) -> set[Path]:
    """What dvc.yaml lists as ``outs``, ``metrics`` or ``deps``, of the benchmark ``some-u5``."""
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"].values()
    entries = [entry for stage in stages for entry in stage.get("do", stage).get(word, [])]
    names = [next(iter(entry)) if isinstance(entry, dict) else entry for entry in entries]
    return {Path(name.replace("${key}", "some-u5")) for name in names}


def test_every_output_of_the_pipeline_has_its_path_here() -> None:
    outs = declared("outs") | declared("metrics")
    assert len(outs) > 10
    assert outs <= given(artifacts) | given(Artifacts("some-u5")) | given(METRICS)


def test_every_input_of_the_pipeline_has_its_path_here() -> None:
    data = {path for path in declared("deps") if path.parts[0] == "data"}
    here = given(artifacts) | given(Artifacts("some-u5"))
    here |= {path.parent for path in given(Artifacts("some-u5"))}  # `summarize` reads all of them
    # Texts and class list of the one dataset; foreach fills in its name.
    here |= {artifacts.DESCRIPTIONS / "${item.dataset}", artifacts.CLASSES / "${item.dataset}.csv"}
    here |= {Artifacts("some-u5").settings(stage) for stage in READS}
    here.add(values_file("describe", None))
    assert data <= here


def test_nothing_lies_in_the_place_of_something_else() -> None:
    for one, other in ((Artifacts("a"), Artifacts("b")), (Artifacts("a"), Artifacts("a-b"))):
        shared = {one.classes, one.data}
        assert given(one) & given(other) == shared
    for place in (Artifacts("a"), METRICS, EvaluationFiles(Path("e"))):
        names = [name for name in dir(place) if not name.startswith("_")]
        found = [value for name in names if isinstance(value := getattr(place, name), Path)]
        assert len(set(found)) == len(found)


def test_another_folder_moves_everything() -> None:
    moved = Artifacts("a", Path("elsewhere"))
    assert {path.parts[0] for path in given(moved)} == {"elsewhere"}
    assert moved.model(3, "val") == seed_folder(moved.models, 3) / "val"
    assert moved.evaluation_files.gate(3).parent == moved.evaluation


def test_logs_and_snapshots_are_outputs_of_no_stage() -> None:
    kept = declared("outs")
    for path in (artifacts.STAGE_LOG, Artifacts("a").training, Artifacts("a").backbone_training):
        assert not any(path == out or out in path.parents for out in kept)


def spelled(path: Path) -> Iterator[str]:
    """The texts in a module's code that begin like an artifact's path; docstrings are not code."""
    tree = ast.parse(path.read_text())
    told = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        text = node.value if isinstance(node, ast.Constant) and id(node) not in told else None
        if isinstance(text, str) and re.match(r"(data|metrics)(/\w|$)", text):
            yield text


def test_no_other_module_spells_a_path_of_the_pipeline() -> None:
    modules = [*ROOT.glob("amsf/**/*.py"), *ROOT.glob("stages/*.py")]
    found = {path.relative_to(ROOT).as_posix(): list(spelled(path)) for path in modules}
    assert set(found.pop("amsf/base/artifacts.py")) == {"data", "metrics"}
    # Of these git is asked which it knows: beginnings of its own list of files.
    found.pop("amsf/ablation/experiments.py")
    assert set(found.pop("amsf/pack/openpose.py")) == {"data"}  # a key of Kinetics-skeleton's JSON
    assert {path: texts for path, texts in found.items() if texts} == {}
