"""The page's last part: parameters, versions, and what each stage took."""

from __future__ import annotations

import re

import pytest

from amsf.report.provenance import Provenance, StageRecord
from amsf.report.render import render
from amsf.report.run_section import parameters, run_section
from amsf.stage.portable import PINS
from tests.support.html_reader import Reader
from tests.support.small_report import found_in

HOST = {
    "cores": 2,
    "cpu": "A <CPU>",
    "gpu": None,
    "kernels": dict(PINS),
    "memory": 8 * 2**30,
    "system": "Linux x86_64",
}


def log(seconds: float, worker: int = 0, gpu: str | None = None) -> dict[str, object]:
    return {
        "host": {**HOST, "gpu": gpu},
        "peak_memory": {"main": 300 * 2**20, "largest_worker": worker},
        "seconds": seconds,
        "start": "2026-11-23T10:00:00+00:00",
    }


def words(*stages: StageRecord, commit: str | None = None, changed: tuple[str, ...] = ()) -> str:
    made = Provenance({"torch": "2.13.0"}, commit, changed, HOST, stages)
    return Reader(render("run.html", run=run_section(made))).words


def test_a_stage_that_ran_and_one_that_was_restored() -> None:
    told = words(
        StageRecord("split", "b1", log(1.25)),
        StageRecord("train", "b1", log(3725, 3 * 2**29, "H200")),
        StageRecord("describe", None, None),
    )
    assert "split@b1" in told
    assert "2026-11-23 10:00:00 UTC" in told
    assert "1.2 s" in told
    assert "300 MiB" in told
    assert "1 h 02 min" in told
    assert "1.5 GiB" in told
    assert "H200" in told
    assert "describerestored from the cache, not run here" in told
    assert "A <CPU>" in told


@pytest.mark.parametrize(
    ("host", "told"),
    [
        ({"kernels": dict(PINS)}, "kernels: portable, AVX2"),
        ({"kernels": {}}, "kernels: the processor's own"),
        ({"kernels": {"MKL_CBWR": "AVX2"}}, "kernels: MKL_CBWR=AVX2"),
        ({}, "kernels: not recorded"),  # a log of before kernels were told
    ],
)
def test_kernels(host: dict[str, object], told: str) -> None:
    machine = {name: value for name, value in HOST.items() if name != "kernels"}
    ran = StageRecord("train", "b1", {**log(1.0), "host": {**machine, **host}})
    assert told in words(ran)
    assert "Kernelsportable, AVX2" in words(ran)  # of the machine that wrote the page


def test_minutes() -> None:
    assert "2 min 05 s" in words(StageRecord("split", "b1", log(125.2)))


def test_commit_and_changes() -> None:
    assert "not in a git repository" in words()
    assert "abcdef123456" in words(commit="abcdef1234567890")
    assert "7890" not in words(commit="abcdef1234567890")
    told = words(commit="abc", changed=tuple(f"f{i}" for i in range(10)))
    assert "with changes in f0, f1" in told
    assert "f7 and 2 more" in told


def test_without_a_pipeline() -> None:
    assert "one by one" in words()


def test_parameters_are_resolved(tmp_path_factory: pytest.TempPathFactory) -> None:
    rows = parameters(found_in(tmp_path_factory, "two-u3"))
    by_name = {row.name: row for row in rows}
    assert (by_name["model.latent"].value, by_name["model.latent"].default) == ("5", "200")
    assert by_name["protocol.noise"].value == "independent"
    assert by_name["text.checkpoint"].value == "(empty)"
    assert by_name["train.seeds"].value == "0, 1"
    own = {row.name for row in rows if row.own}
    assert {name.split(".")[0] for name in own} == {"model", "train", "evaluate"}
    made = render("parameters.html", benchmark={"parameters": rows})
    shaded = re.findall(r'<tr class="own"><th scope="row">([^<]*)</th><td><code>([^<]*)', made)
    assert shaded == [(row.name, row.value) for row in rows if row.own]
