"""The part of the report's page that tells what was run, where, and what it took."""

from __future__ import annotations

from typing import Any

from amsf.report.data import BenchmarkData
from amsf.report.html import Html, details, element, join, properties, table
from amsf.report.provenance import Provenance, StageRecord
from amsf.settings.params import Settings

RESTORED = "restored from the cache, not run here"


def run_section(provenance: Provenance) -> Html:
    """Versions, commit, machine, and a row a stage."""
    versions = {name: element("code", v) for name, v in provenance.versions.items()}
    return join(
        [
            element("h2", "What was run", id="run"),
            properties({"git commit": _commit(provenance), **_host(provenance.host), **versions}),
            element("h3", "Time and memory of each stage"),
            _stage_table(provenance.stages),
            details(
                "How these are measured",
                element(
                    "p",
                    "Time is that of the stage's process, without DVC's own; memory is the "
                    "largest resident set of that process, and of any one process it started. "
                    "Memory of a GPU is not counted. A stage whose output was made elsewhere or "
                    "earlier, and came out of DVC's cache, has no record.",
                ),
            ),
        ],
        "\n",
    )


def parameter_table(found: BenchmarkData) -> Html:
    """Every parameter as it held for this benchmark; those it sets for itself stand out."""
    settings = found.settings
    defaults = Settings().model_dump()
    rows: list[list[object]] = []
    own = []
    for section, values in settings.model_dump().items():
        if section == "protocol":
            values = settings.switches().model_dump()
        for name, value in values.items():
            if name in found.entry.set.get(section, {}):
                own.append(len(rows))
            default = defaults[section].get(name)
            changed = "" if section == "protocol" or value == default else _shown(default)
            rows.append([f"{section}.{name}", element("code", _shown(value)), changed])
    caption = (
        "As they held for this benchmark; a shaded row is set in its own entry of params.yaml. "
        "The protocol's switches are filled in."
    )
    return table(caption, ["Parameter", "Value", "Default, where another"], rows, marked=own)


def _shown(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    return {"": "(empty)", None: "(none)"}.get(value, str(value))


def _commit(provenance: Provenance) -> Html:
    if provenance.commit is None:
        return Html("not in a git repository")
    parts: list[object] = [element("code", provenance.commit[:12])]
    if provenance.changed:
        shown = ", ".join(provenance.changed[:8])
        more = len(provenance.changed) - 8
        parts.append(f" with changes in {shown}" + (f" and {more} more" if more > 0 else ""))
    return join(parts)


def _host(host: dict[str, Any]) -> dict[str, object]:
    return {
        "Machine": f"{host['cpu']}, {host['cores']} cores, {_size(host['memory'])}",
        "GPU": host["gpu"] or "none",
        "System": host["system"],
    }


def _stage_table(stages: tuple[StageRecord, ...]) -> Html:
    if not stages:
        return element("p", "The stages were called one by one, without a pipeline.")
    rows: list[list[object]] = []
    for record in stages:
        name = record.stage if record.benchmark is None else f"{record.stage}@{record.benchmark}"
        if record.log is None:
            rows.append([name, element("span", RESTORED, class_="soft"), "", "", "", ""])
            continue
        log, peak = record.log, record.log["peak_memory"]
        machine = f"{log['host']['cpu']}, {log['host']['cores']} cores"
        rows.append(
            [
                name,
                log["start"].replace("T", " ").replace("+00:00", " UTC"),
                _duration(log["seconds"]),
                _size(peak["main"]),
                _size(peak["largest_worker"]) if peak["largest_worker"] else "–",
                machine + (f", {log['host']['gpu']}" if log["host"]["gpu"] else ""),
            ]
        )
    header = ["Stage", "Started", "Time", "Memory", "Largest worker", "Machine"]
    return table("In the order of the pipeline", header, rows, numbers=[2, 3, 4])


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"


def _size(count: int) -> str:
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.0f} MiB"
