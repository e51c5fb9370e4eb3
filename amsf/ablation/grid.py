"""The grid of an ablation: which parameters go together in which experiment.

A grid is a YAML file:

    name: demo
    set: {train.seeds: [0, 1]}          # in every experiment; may be left out
    axes:
      views:                            # an axis; its points name what they set
        lb: {model.views: [lb]}
        lb+md: {model.views: [lb, MAmd]}
      fusion:
        Add: {model.fusion: Add}
        MHA: {model.fusion: MHA}
    exclude:                            # combinations that make no sense; may be left out
    - {views: lb, fusion: Add}

Every combination of one point an axis is an experiment, here `demo-lb-MHA` and so on.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amsf.base.errors import InputError
from amsf.base.yaml import read_yaml

FIELDS = ("name", "set", "axes", "exclude")


@dataclass(frozen=True)
class Cell:
    """One combination.

    Attributes:
        name: the experiment's name.
        points: axis -> point.
        overrides: parameter with its section -> value.
        excluded: whether the grid leaves it out.
    """

    name: str
    points: Mapping[str, str]
    overrides: Mapping[str, Any]
    excluded: bool


@dataclass(frozen=True)
class Grid:
    """A grid file: its name, its axes in order, and its combinations, the last axis fastest."""

    name: str
    axes: tuple[str, ...]
    cells: tuple[Cell, ...]


def load_grid(path: Path) -> Grid:
    """Read and check a grid file.

    Raises:
        InputError: it is missing, not YAML, or not a grid; the message says what is wrong where.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; give a grid such as data/ablations/demo.yaml")
    raw = _mapping(read_yaml(path), f"{path}")
    strange = [str(key) for key in raw if key not in FIELDS]
    if strange:
        raise InputError(f"{path}: {strange[0]} is no part of a grid; it has {', '.join(FIELDS)}")
    name = raw.get("name")
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name):
        raise InputError(f"{path}: name is {name!r}; expected a word for the experiments' names")
    common = _overrides(raw.get("set") or {}, f"{path}: set")
    axes: dict[str, dict[str, dict[str, Any]]] = {}
    for axis, points in _mapping(raw.get("axes"), f"{path}: axes").items():
        where = f"{path}: axes.{axis}"
        axes[str(axis)] = {
            str(point): _overrides(values, f"{where}.{point}")
            for point, values in _mapping(points, where).items()
        }
    excluded = [
        _exclusion(entry, axes, f"{path}: exclude {place}")
        for place, entry in enumerate(raw.get("exclude") or [])
    ]
    cells = []
    for combination in itertools.product(*axes.values()):
        points = dict(zip(axes, combination))
        cells.append(
            Cell(
                name=_slug("-".join([name, *combination])),
                points=points,
                overrides=_joined(points, axes, common, path),
                excluded=any(entry.items() <= points.items() for entry in excluded),
            )
        )
    _refuse_same_names(cells, path)
    return Grid(name, tuple(axes), tuple(cells))


def apply_overrides(params: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters as ``dvc exp run -S`` would leave them; ``params`` stays as it is."""
    changed = deepcopy(dict(params))
    for key, value in overrides.items():
        *sections, last = key.split(".")
        place = changed
        for section in sections:
            place = place.setdefault(section, {})
        place[last] = deepcopy(value)
    return changed


def set_param(params: Mapping[str, Any], key: str, value: Any) -> str:
    """One override in the form of ``-S``; ``++`` adds what params.yaml does not have."""
    place: Any = params
    for part in key.split("."):
        if not isinstance(place, Mapping) or part not in place:
            return f"++{key}={_hydra(value)}"
        place = place[part]
    return f"{key}={_hydra(value)}"


def _hydra(value: Any) -> str:
    """A value in Hydra's grammar: lists and mappings in flow style, text in double quotes."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{key}:{_hydra(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_hydra, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _mapping(value: Any, where: str) -> dict[Any, Any]:
    if not isinstance(value, dict) or not value:
        raise InputError(f"{where}: found {value!r}; expected a mapping with at least one entry")
    return value


def _overrides(values: Any, where: str) -> dict[str, Any]:
    if not isinstance(values, dict):
        raise InputError(f"{where}: found {values!r}; expected parameters, {{model.fusion: MHA}}")
    for key, value in values.items():
        if not isinstance(key, str) or "." not in key:
            raise InputError(f"{where}: {key} is no parameter; write its section too: model.heads")
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError):  # a date, as YAML reads 2026-01-31, or .inf
            raise InputError(
                f"{where}.{key}: {value!r} is no value of a parameter; expected text, numbers, "
                "true, false, null, lists or mappings: put text in quotes"
            ) from None
        if re.search(r"[\\\"$]", str(value)):
            raise InputError(f"{where}.{key}: {value!r} has a backslash, a quote or a dollar sign")
    return values


def _exclusion(entry: Any, axes: Mapping[str, Mapping[str, Any]], where: str) -> dict[str, str]:
    found = {str(axis): str(point) for axis, point in _mapping(entry, where).items()}
    for axis, point in found.items():
        if point not in axes.get(axis, {}):
            raise InputError(f"{where}: the axes have no {axis}: {point}")
    return found


def _joined(
    points: Mapping[str, str],
    axes: Mapping[str, Mapping[str, dict[str, Any]]],
    common: Mapping[str, Any],
    path: Path,
) -> dict[str, Any]:
    """The overrides of a combination; a parameter that is set twice would be a silent choice."""
    joined = dict(common)
    for axis, point in points.items():
        for key, value in axes[axis][point].items():
            if key in joined:
                raise InputError(f"{path}: {key} is set twice in {'-'.join(points.values())}")
            joined[key] = value
    return joined


def _slug(name: str) -> str:
    """A name that git takes for a reference."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-")


def _refuse_same_names(cells: list[Cell], path: Path) -> None:
    names = [cell.name for cell in cells]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise InputError(f"{path}: two combinations would be called {twice}; rename a point")
