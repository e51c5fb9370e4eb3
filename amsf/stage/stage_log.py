"""The log of each stage run: its time, memory and machine, kept beside the outputs.

A log is a small JSON file, ``data/stage_log/<stage>@<benchmark>.json``. It is no output of DVC,
since it differs from run to run; so an output that DVC restores from its cache comes without one,
and a log has the checksum of the output that its run wrote: a log beside another output (one
that other parameters gave and DVC restored) is not used.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from amsf.base.artifacts import STAGE_LOG
from amsf.base.display import say
from amsf.base.errors import InputError
from amsf.base.storage import read_json, sha256, write_json
from amsf.base.yaml import read_yaml
from amsf.stage.portable import kernels

PIPELINE = Path("dvc.yaml")
# ru_maxrss counts KiB on Linux and bytes on macOS.
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024


@contextmanager
def logged(stage: str, benchmark: str | None, began: float) -> Iterator[None]:
    """Log a stage run that ends well; whatever log there was goes away first.

    If the log cannot be written, a line on stderr says so: the work itself is done.

    Args:
        stage: the stage's name in dvc.yaml.
        benchmark: the benchmark's name; None for a stage that serves all.
        began: ``time.perf_counter()`` at the stage's start.
    """
    path = log_path(stage, benchmark)
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        say(f"warning: {path}: an old log stays ({error})", sys.stderr)
    yield
    seconds = time.perf_counter() - began
    start = datetime.now(UTC).timestamp() - seconds
    try:
        log = {
            "host": describe_host(),
            "output": output_digest(stage_outputs(stage, benchmark)),
            "peak_memory": {"main": own_peak(), "largest_worker": workers_peak()},
            "seconds": round(seconds, 2),
            "start": datetime.fromtimestamp(start, UTC).isoformat(timespec="seconds"),
        }
        write_json(path, log)
    except (OSError, InputError) as error:
        say(f"warning: {path}: no record of this run ({error})", sys.stderr)


def log_path(stage: str, benchmark: str | None) -> Path:
    """Where a stage's log lies; what no benchmark can be called becomes ``_``."""
    name = stage if benchmark is None else f"{stage}@{benchmark}"
    return STAGE_LOG / f"{re.sub(r'[^a-z0-9_@-]', '_', name)}.json"


def read_log(stage: str, benchmark: str | None) -> dict[str, Any] | None:
    """The log of the run that wrote the stage's present output; None where there is none."""
    try:
        log = read_json(log_path(stage, benchmark))
        known = log["output"] == output_digest(stage_outputs(stage, benchmark))
        complete = {"host", "peak_memory", "seconds", "start"} <= set(log)
    except (InputError, OSError, KeyError, TypeError):
        return None
    return log if known and complete else None


def pipeline_stages(
    benchmarks: Sequence[str], pipeline: Path = PIPELINE
) -> list[tuple[str, str | None]]:
    """Every (stage, benchmark or None) of the pipeline, in the order of dvc.yaml."""
    stages: list[tuple[str, str | None]] = []
    for name, body in _stages(pipeline).items():
        stages += [(name, key) for key in benchmarks] if "foreach" in body else [(name, None)]
    return stages


def stage_outputs(stage: str, benchmark: str | None, pipeline: Path = PIPELINE) -> list[Path]:
    """What a stage writes, according to dvc.yaml.

    Raises:
        InputError: there is no such stage.
    """
    body = stage_body(stage, pipeline)
    names = [next(iter(out)) if isinstance(out, dict) else out for out in body.get("outs", [])]
    return [Path(name.replace("${key}", benchmark or "")) for name in names]


def stage_body(stage: str, pipeline: Path = PIPELINE) -> dict[str, Any]:
    """What dvc.yaml declares for a stage, ``foreach`` taken off.

    Raises:
        InputError: there is no such stage.
    """
    stages = _stages(pipeline)
    if stage not in stages:
        raise InputError(f"{pipeline}: has no stage '{stage}'")
    return stages[stage].get("do", stages[stage])


def _stages(pipeline: Path) -> dict[str, Any]:
    try:
        return dict(read_yaml(pipeline)["stages"])
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{pipeline}: not a pipeline ({error})") from error


def output_digest(paths: Sequence[Path]) -> str:
    """SHA-256 over the names and contents of files, and of all files below folders."""
    digest = hashlib.sha256()
    for path in paths:
        files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        for file in files:
            digest.update(f"{file.as_posix()} {sha256(file)}\n".encode())
    return digest.hexdigest()


def own_peak() -> int:
    """Most memory that this process held at once, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RSS_UNIT


def workers_peak() -> int:
    """Most memory that one worker process held at once, in bytes; 0 without workers.

    Workers that have ended count, and on Linux those that still wait for work. A process counts
    what its parent held when it was started.
    """
    ended = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * _RSS_UNIT
    parents: dict[int, int] = {}
    peaks: dict[int, int] = {}
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            lines = status.read_text().splitlines()
        except OSError:  # it has just ended
            continue
        fields = dict(line.split(":", 1) for line in lines if ":" in line)
        number = int(status.parent.name)
        parents[number] = int(fields["PPid"])
        peaks[number] = int(fields.get("VmHWM", "0 kB").split()[0]) * 1024
    family = {os.getpid()}
    while more := {n for n, parent in parents.items() if parent in family} - family:
        family |= more
    return max([ended, *(peaks[n] for n in family - {os.getpid()})])


def describe_host() -> dict[str, Any]:
    """The machine: CPU model, cores that may be used, memory in bytes, GPU name or None.

    With it what chooses the kernels of this process (:mod:`amsf.stage.portable`).
    """
    usable = getattr(os, "sched_getaffinity", None)
    return {
        "cores": len(usable(0)) if usable else os.cpu_count(),
        "cpu": _cpu_model(),
        "gpu": _gpu_name(),
        "kernels": kernels(),
        "memory": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
        "system": f"{platform.system()} {platform.machine()}",
    }


def _cpu_model() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        text = ""
    match = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return match[1] if match else platform.processor() or "unknown"


def _gpu_name() -> str | None:
    # Asked of a torch that the stage has loaded anyway: loading it here would take seconds.
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return None
    return str(torch.cuda.get_device_name(0))
