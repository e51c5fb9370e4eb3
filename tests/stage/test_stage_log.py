"""The log of a stage run: written by runs that end well, believed beside its own output alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from amsf.base.errors import InputError
from amsf.stage.stage_log import (
    describe_host,
    log_path,
    logged,
    output_digest,
    own_peak,
    pipeline_stages,
    read_log,
    stage_outputs,
    workers_peak,
)

ROOT = Path(__file__).parents[2]
PIPELINE = """
stages:
  first:
    cmd: x
    outs: [data/first]
  second:
    foreach: ${benchmarks}
    do:
      cmd: x
      outs:
      - data/second/${key}.json
      - data/kept:
          cache: false
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "dvc.yaml").write_text(PIPELINE)
    (tmp_path / "data/first").mkdir(parents=True)
    (tmp_path / "data/first/a.txt").write_text("result")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_run_that_ends_well_is_logged() -> None:
    began = time.perf_counter()
    with logged("first", None, began):
        time.sleep(0.05)
    log = read_log("first", None)
    assert log is not None
    assert 0.05 <= log["seconds"] < 5
    assert log["start"].endswith("+00:00")
    assert log["host"]["cores"] >= 1
    assert log["peak_memory"]["main"] > 2**20


def test_a_failed_run_leaves_no_log_and_takes_the_old_one_away() -> None:
    with logged("first", None, 0.0):
        pass
    assert read_log("first", None) is not None

    def fail() -> None:
        with logged("first", None, 0.0):
            raise InputError("no such file")

    with pytest.raises(InputError, match="no such file"):
        fail()
    assert not log_path("first", None).exists()


def test_a_log_beside_another_output_is_not_believed(project: Path) -> None:
    with logged("first", None, 0.0):
        pass
    (project / "data/first/a.txt").write_text("another result, out of the cache")
    assert read_log("first", None) is None
    (project / "data/first/a.txt").write_text("result")
    assert read_log("first", None) is not None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"output": 1}', "null"])
def test_a_damaged_log_is_none(text: str) -> None:
    log_path("first", None).parent.mkdir()
    log_path("first", None).write_text(text)
    assert read_log("first", None) is None


def test_a_log_that_lacks_an_entry_is_none(project: Path) -> None:
    with logged("first", None, 0.0):
        pass
    log = json.loads(log_path("first", None).read_text())
    del log["seconds"]
    log_path("first", None).write_text(json.dumps(log))
    assert read_log("first", None) is None


def test_a_log_that_cannot_be_written_warns(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "data/stage_log").write_text("a file in the way")
    with logged("first", None, 0.0):
        pass
    assert "no record of this run" in capsys.readouterr().err


def test_a_stage_outside_the_pipeline_warns(capsys: pytest.CaptureFixture[str]) -> None:
    with logged("third", None, 0.0):
        pass
    assert "no stage 'third'" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b", "/abs", ".."])
def test_a_name_cannot_leave_the_folder(name: str) -> None:
    assert log_path("train", name).parent == Path("data/stage_log")
    assert "/" not in log_path("train", name).name


def test_outputs_and_stages_follow_the_pipeline() -> None:
    assert stage_outputs("second", "b1") == [Path("data/second/b1.json"), Path("data/kept")]
    expected = [("first", None), ("second", "b1"), ("second", "b2")]
    assert pipeline_stages(["b1", "b2"]) == expected


def test_every_stage_of_this_repository_has_outputs() -> None:
    pipeline = ROOT / "dvc.yaml"
    found = pipeline_stages(["demo-u8"], pipeline)
    assert ("train", "demo-u8") in found
    for stage, key in found:
        if stage != "summarize":
            outputs = stage_outputs(stage, key, pipeline)
            assert outputs
            assert all(path.parts[0] == "data" for path in outputs)


@pytest.mark.parametrize("text", ["", "stages", "a: [", "[]"])
def test_no_pipeline_is_told(project: Path, text: str) -> None:
    (project / "dvc.yaml").write_text(text)
    with pytest.raises(InputError, match="not a pipeline"):
        pipeline_stages(["b1"])


def test_digest_knows_names_and_contents(project: Path) -> None:
    folder = project / "data/first"
    before = output_digest([folder])
    (folder / "a.txt").rename(folder / "b.txt")
    renamed = output_digest([folder])
    (folder / "b.txt").rename(folder / "a.txt")
    (folder / "a.txt").write_text("resulT")
    assert len({before, renamed, output_digest([folder])}) == 3


def test_peaks_of_this_process_and_of_a_waiting_worker() -> None:
    assert own_peak() > 10 * 2**20
    code = "import sys; b = bytearray(300 * 2**20); print(1, flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as worker:
        assert worker.stdout is not None
        worker.stdout.readline()
        waiting = workers_peak()
        assert worker.stdin is not None
        worker.stdin.close()
    assert workers_peak() > 300 * 2**20
    if Path("/proc").is_dir():
        assert waiting > 300 * 2**20


def test_the_host_is_described() -> None:
    host = describe_host()
    assert host["cores"] <= (os.cpu_count() or 1)
    assert host["memory"] > 2**28
    assert host["cpu"]
    json.dumps(host)


def call_stage(folder: Path, body: str) -> subprocess.CompletedProcess[str]:
    (folder / "first.py").write_text(
        f"from stages import run\ndef main():\n    {body}\nrun(main)\n"
    )
    return subprocess.run(
        [sys.executable, "-m", "first"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_stages_log_themselves(project: Path) -> None:
    assert call_stage(project, "pass").returncode == 0
    assert read_log("first", None) is not None
    wrong = "from amsf.base.errors import InputError; raise InputError('bad input')"
    failed = call_stage(project, wrong)
    assert (failed.returncode, failed.stderr) == (1, "error: bad input\n")
    assert read_log("first", None) is None
