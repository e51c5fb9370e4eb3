"""The part of the report on what was run, where, and what it took: ``run.html``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from amsf.report.data import BenchmarkData
from amsf.report.provenance import Provenance, StageRecord
from amsf.settings.params import Settings
from amsf.stage.portable import pinned


@dataclass(frozen=True)
class Parameter:
    """A parameter as it held for a benchmark.

    Attributes:
        name: with its section.
        value: in words.
        default: in words where it is another, else empty.
        own: whether the benchmark sets it for itself.
    """

    name: str
    value: str
    default: str
    own: bool


def run_section(provenance: Provenance) -> dict[str, Any]:
    """Versions, commit, machine and its kernels, and a row a stage."""
    commit = provenance.commit
    return {
        "commit": None if commit is None else commit[:12],
        "changed": _changes(provenance.changed),
        "host": _host(provenance.host),
        "versions": provenance.versions,
        "stages": [_stage(record) for record in provenance.stages],
    }


def parameters(benchmark: BenchmarkData) -> list[Parameter]:
    """Every parameter as it held for this benchmark; the protocol's switches are filled in."""
    settings = benchmark.settings
    defaults = Settings().model_dump()
    rows = []
    for section, values in settings.model_dump().items():
        if section == "protocol":
            values = settings.switches().model_dump()
        for name, value in values.items():
            default = defaults[section].get(name)
            same = section == "protocol" or value == default
            own = name in benchmark.entry.set.get(section, {})
            standard = "" if same else _shown(default)
            rows.append(Parameter(f"{section}.{name}", _shown(value), standard, own))
    return rows


def _shown(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    return {"": "(empty)", None: "(none)"}.get(value, str(value))


def _changes(changed: tuple[str, ...]) -> str:
    if not changed:
        return ""
    more = len(changed) - 8
    return f" with changes in {', '.join(changed[:8])}" + (f" and {more} more" if more > 0 else "")


def _host(host: dict[str, Any]) -> dict[str, str]:
    return {
        "Machine": f"{host['cpu']}, {host['cores']} cores, {_size(host['memory'])}",
        "GPU": host["gpu"] or "none",
        "System": host["system"],
        "Kernels": _kernels(host),
    }


def _kernels(host: dict[str, Any]) -> str:
    """What chose the code paths of the libraries, on which the last digits of results depend."""
    kernels: dict[str, str] | None = host.get("kernels")
    if kernels is None:  # the log of an earlier version
        return "not recorded"
    if pinned(kernels):
        return "portable, AVX2"
    return " ".join(f"{name}={value}" for name, value in kernels.items()) or "the processor's own"


def _stage(record: StageRecord) -> dict[str, Any]:
    """A stage's name, and its log in words; None where its output was restored."""
    name = record.stage if record.benchmark is None else f"{record.stage}@{record.benchmark}"
    if record.log is None:
        return {"name": name, "log": None}
    log, host, peak = record.log, record.log["host"], record.log["peak_memory"]
    log = {
        "started": log["start"].replace("T", " ").replace("+00:00", " UTC"),
        "time": _duration(log["seconds"]),
        "memory": _size(peak["main"]),
        "worker": _size(peak["largest_worker"]) if peak["largest_worker"] else "–",
        "machine": f"{host['cpu']}, {host['cores']} cores"
        + (f", {host['gpu']}" if host["gpu"] else "")
        + f"; kernels: {_kernels(host)}",
    }
    return {"name": name, "log": log}


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"


def _size(count: int) -> str:
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.0f} MiB"
