"""Which parameters each stage reads, and the values that hold for a benchmark.

DVC reruns a stage where a parameter changed that dvc.yaml lists for it, and it can list no place
that is not there. A benchmark's ``set`` lies over the sections and holds what its owner chose, so
dvc.yaml could list it as a whole alone, and each change in it would rerun every stage. Hence the
stage ``check`` writes, for each stage and benchmark, the values that hold for the two of them into
a file of their own, and the stage depends on that file: it runs again exactly where one of its
values is another.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from amsf.base.artifacts import LISTS, SETTINGS, Artifacts
from amsf.base.errors import InputError
from amsf.base.storage import read_json, write_json
from amsf.base.yaml import read_yaml

# Stage -> sections and parameters of params.yaml, and fields of the benchmark's entry.
READS: dict[str, tuple[str, ...]] = {
    "encode": (
        "text",
        "model.views",
        "split.views",
        "compute.portable",
        "benchmark.dataset",
        "benchmark.also",
    ),
    "look_at_texts": ("compute.portable", "benchmark.dataset"),
    "split": ("split", "compute.portable", "benchmark.dataset", "benchmark.unseen"),
    "backbone": (
        "backbone",
        "compute.device",
        "compute.portable",
        "compute.threads",
        "benchmark.features",
        "benchmark.source",
    ),
    "features": ("evaluate.task", "benchmark.features", "benchmark.source"),
    "train": (
        "model",
        "train",
        "protocol.name",
        "protocol.selection",
        "protocol.patience",
        "protocol.normalise_at_evaluation",
        "protocol.standardise",
        "protocol.centre_texts",
        "protocol.fusion_start",
        "protocol.noise",
        "protocol.initial_logvar",
        "protocol.kl_weight",
        "protocol.decoder",
        "protocol.discriminative_weight",
        "protocol.read_out",
        "protocol.classifier_relu",
        "protocol.classifier_restart",
        "protocol.schedule",
        "protocol.seeding",
        "evaluate.task",
        "compute.device",
        "compute.portable",
        "compute.threads",
    ),
    "evaluate": (
        "evaluate",
        "model.aligner",
        "model.views",
        "protocol",
        "train.seeds",
        "compute.portable",
    ),
}
# What `describe`, which serves all benchmarks, reads of each.
OF_EACH = ("benchmark.dataset", "benchmark.also", "text", "model.views", "split.views")
LISTED = "listed"  # the benchmark's own list of unseen classes, among what `split` reads


def values_of(raw: Mapping[str, Any], stage: str, key: str | None) -> dict[str, Any]:
    """The values that a stage reads, by their dotted names.

    Args:
        raw: params.yaml as it stands.
        stage: a key of :data:`READS`, or ``describe``.
        key: the benchmark's name; None for ``describe``.
    """
    if key is None:
        each = {name: _held(raw, name, OF_EACH) for name in raw["benchmarks"]}
        return {"benchmarks": each, "describe": raw.get("describe")}
    values = _held(raw, key, READS[stage])
    if stage == "split":
        path = LISTS / f"{key}.yaml"
        listed = (values["split"] or {}).get("kind", "listed") == "listed"
        values[LISTED] = read_yaml(path) if listed and path.is_file() else None
    return values


def write_values(raw: Mapping[str, Any], folder: Path) -> None:
    """Write ``describe.json``, and ``<stage>.json`` in a folder for each benchmark."""
    write_json(folder / "describe.json", values_of(raw, "describe", None))
    for key in raw["benchmarks"]:
        for stage in READS:
            write_json(folder / key / f"{stage}.json", values_of(raw, stage, key))


def values_file(stage: str, key: str | None) -> Path:
    """Where the values of a stage lie."""
    return SETTINGS / "describe.json" if key is None else Artifacts(key).settings(stage)


def outdated(raw: Mapping[str, Any], stage: str, key: str | None) -> list[str]:
    """What params.yaml says otherwise now than when the stage ``check`` ran, by name.

    Empty, too, where no such file is there, or for a stage that has none.
    """
    if stage != "describe" and (key is None or stage not in READS):
        return []
    path = values_file(stage, key)
    if not path.is_file():
        return []
    try:
        now = json.loads(json.dumps(values_of(raw, stage, key)))
    except (AttributeError, KeyError, TypeError):  # the stage itself is about to refuse that
        return []
    before = read_json(path)
    return sorted(name for name in {*before, *now} if before.get(name, ...) != now.get(name, ...))


def _held(raw: Mapping[str, Any], key: str, names: tuple[str, ...]) -> dict[str, Any]:
    entry = raw["benchmarks"][key]
    own = entry.get("set") or {}
    found: dict[str, Any] = {}
    for name in names:
        section, _, field = name.partition(".")
        if section == "benchmark":
            found[name] = entry.get(field)
            continue
        values = {**(raw.get(section) or {}), **(own.get(section) or {})}
        found[name] = values.get(field) if field else values
    return found


def refuse_outdated(raw: Mapping[str, Any], stage: str, key: str | None) -> None:
    """Stop a stage whose parameters are others than ``check`` wrote down.

    Raises:
        InputError: they are; DVC would put the old ones beside the stage's result.
    """
    if names := outdated(raw, stage, key):
        raise InputError(
            f"params.yaml was changed after the stage check had read it ({', '.join(names)}); run "
            "the same command again, which begins with that stage and keeps what is finished. "
            "(Where you call a stage by hand, call `python -m stages.check` before it.)"
        )
