"""A benchmark's line goes into params.yaml, and nothing else there changes."""

from __future__ import annotations

from pathlib import Path

import pytest
from dvc.utils.hydra import apply_overrides

from amsf.base.errors import InputError
from amsf.base.yaml import parse_yaml
from amsf.command.benchmarks import with_benchmark, without_benchmarks

ROOT = Path(__file__).parents[2]
ENTRY = {"dataset": "mine", "unseen": 2, "set": {"model": {"views": ["lb", "MAad"]}}}
LINE = "mine-u2: {dataset: mine, unseen: 2, set: {model: {views: [lb, MAad]}}}"


def test_the_projects_own_file() -> None:
    before = (ROOT / "params.yaml").read_text()
    after = with_benchmark(before, "mine-u2", ENTRY, "params.yaml")
    assert after.splitlines().count(f"  {LINE}") == 1
    assert [line for line in after.splitlines() if line != f"  {LINE}"] == before.splitlines()
    assert without_benchmarks(after, "mine") == before
    assert without_benchmarks(after, "min") == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("benchmarks:\n", f"benchmarks:\n  {LINE}\n"),
        ("benchmarks: {}", f"benchmarks:\n  {LINE}"),
        ("a: 1\nbenchmarks:  # mine\n\n    # one\n    b: {}\nc: 2\n",
         f"a: 1\nbenchmarks:  # mine\n    {LINE}\n\n    # one\n    b: {{}}\nc: 2\n"),
        ("x: |\n  benchmarks:\nbenchmarks: ~\n", f"x: |\n  benchmarks:\nbenchmarks:\n  {LINE}\n"),
    ],
)  # fmt: skip
def test_files_written_otherwise(before: str, after: str) -> None:
    assert with_benchmark(before, "mine-u2", ENTRY, "params.yaml") == after
    found = parse_yaml(after, "after")
    old = parse_yaml(before, "before")
    assert found == {**old, "benchmarks": {"mine-u2": ENTRY, **(old["benchmarks"] or {})}}


def test_what_dvc_has_rewritten_is_taken_out_too(tmp_path: Path) -> None:
    path, long = tmp_path / "params.yaml", {**ENTRY, "source": "data/external/mine", "splits": 40}
    before = (ROOT / "params.yaml").read_text()
    path.write_text(with_benchmark(before, "mine-u2", long, "params.yaml"))
    apply_overrides(path, ["+benchmarks.mine-u2.set.split.seed=1"])
    assert "seed: 1" in path.read_text()
    after = without_benchmarks(path.read_text(), "mine")
    assert parse_yaml(after, "after") == parse_yaml(before, "before")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("benchmarks:\n  mine-u2: {}\n", "benchmark mine-u2 is there already"),
        ("benchmarks: {a: {}}\n", "no `benchmarks:` on a line of its own"),
        ("model: {}\n", "no `benchmarks:` on a line of its own"),
        ("benchmarks: [\n", "not valid YAML"),
    ],
)
def test_what_cannot_be_changed_is_told(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        with_benchmark(text, "mine-u2", ENTRY, "params.yaml")
