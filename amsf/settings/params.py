"""The parameters of the pipeline: ``params.yaml`` read into validated, frozen settings.

``params.yaml`` documents each parameter; :mod:`amsf.settings.sections` holds its type and range,
this module the checks that cross sections. Nothing here imports torch, so that a typo is reported
before anything long starts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any, get_args

from pydantic import model_validator

from amsf.base.errors import InputError
from amsf.base.yaml import read_yaml
from amsf.settings.findings import FORMS, NAME, nearest, validate
from amsf.settings.fusion import find_fault
from amsf.settings.protocol import AUTO, PROTOCOLS, Protocol, Section, Switches
from amsf.settings.sections import (
    TEXT_WIDTHS,
    Backbone,
    Benchmark,
    Compute,
    Describe,
    Evaluate,
    Model,
    SplitParams,
    Text,
    Train,
)
from amsf.settings.values import PART_VIEWS, WHOLE_VIEWS, Fusion, Kind, View

PARAMS = Path("params.yaml")

__all__ = [
    "PARAMS", "PART_VIEWS", "PROTOCOLS", "WHOLE_VIEWS", "Backbone", "Benchmark", "Compute",
    "Describe", "Evaluate", "Fusion", "Kind", "Model", "Params", "Protocol", "Settings",
    "SplitParams", "Text", "Train", "View", "load_params", "parse_params",
]  # fmt: skip


class Settings(Section):
    """All sections with the values that hold for one benchmark."""

    describe: Describe = Describe()
    text: Text = Text()
    split: SplitParams = SplitParams()
    backbone: Backbone = Backbone()
    model: Model = Model()
    protocol: Protocol = Protocol()
    train: Train = Train()
    evaluate: Evaluate = Evaluate()
    compute: Compute = Compute()

    @model_validator(mode="after")
    def _fusion_fits(self) -> Settings:
        if not self.model.fused:
            return self
        width = TEXT_WIDTHS.get(self.text.encoder)
        whose = f"text.encoder {self.text.encoder}"
        if fault := find_fault(self.model, len(self.model.views), width, whose):
            raise ValueError(fault)
        return self

    @model_validator(mode="after")
    def _protocol_allows(self) -> Settings:
        switches = self.switches()
        if self.model.fused and self.model.fusion == "SA" and self.protocol.name != "reference":
            raise ValueError(
                "model.fusion is SA, which attends across the batch, so that a class's prototype "
                "depends on which others are there; it needs protocol.name: reference"
            )
        if switches.selection == "test" and self.protocol.name != "reference":
            raise ValueError(
                "protocol.selection is test, which picks the cycle by the test samples; it needs "
                "protocol.name: reference; use val or last"
            )
        if switches.selection == "val" and self.evaluate.task == "zsl":
            raise ValueError(
                "protocol.selection is val, but evaluate.task is zsl, which has no validation "
                "phase; set protocol.selection: last"
            )
        return self

    @property
    def text_views(self) -> tuple[View, ...]:
        """The views whose texts are gathered and encoded, where there are any.

        Those of the whole action, and of the others those that a section names.
        """
        named = {*WHOLE_VIEWS, *self.model.views, *self.split.views}
        return tuple(view for view in get_args(View) if view in named)

    def switches(self) -> Switches:
        """Fill in every switch of the protocol: the value that is set, else what the name says."""
        own = {k: v for k, v in self.protocol.model_dump().items() if v is not None}
        if self.model.aligner == AUTO and self.protocol.name == "clean":
            own = {"gate": AUTO, **own}
        return Switches(**{**PROTOCOLS[self.protocol.name], **own})


class Params(Settings):
    """All of ``params.yaml``."""

    benchmarks: dict[str, Benchmark]

    def for_benchmark(self, key: str) -> Settings:
        """The settings of one benchmark: the global sections with its ``set`` laid over them.

        Raises:
            InputError: no such benchmark, or its ``set`` holds an unknown or bad value.
        """
        entry = self.benchmark(key)
        sections = self.model_dump(exclude={"benchmarks"})
        if "portable" in entry.set.get("compute", {}):
            raise InputError(
                f"benchmarks.{key}.set.compute.portable: it holds for whole processes, so for all "
                "benchmarks; set compute.portable at the top of params.yaml"
            )
        for name, values in entry.set.items():
            if name not in sections:
                raise InputError(
                    f"benchmarks.{key}.set.{name}: no such section{nearest(name, list(sections))}"
                )
            sections[name] = {**sections[name], **deepcopy(values)}
        settings = validate(Settings, sections, f"benchmarks.{key}.set")
        if entry.also and settings.text.encoder == "published":
            raise InputError(
                f"benchmarks.{key}.also is set, but text.encoder is published: the texts of all "
                "datasets must come from one encoder; choose one that runs here"
            )
        return settings

    def benchmark(self, key: str) -> Benchmark:
        """The entry of one benchmark.

        Raises:
            InputError: no benchmark has that name.
        """
        if key not in self.benchmarks:
            raise InputError(
                f"benchmark '{key}' is not switched on; params.yaml has "
                f"{', '.join(self.benchmarks) or 'none'}{nearest(key, list(self.benchmarks))}"
            )
        return self.benchmarks[key]


def load_params(path: Path = PARAMS) -> Params:
    """Read and validate the parameters, with every benchmark's overrides.

    Raises:
        InputError: the file is missing or not YAML, or a name, type, range or combination is
            wrong; the message lists all mistakes, each with the nearest valid name.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; run from the repository's top folder")
    raw = read_yaml(path)
    if not isinstance(raw, dict):
        content = "nothing" if raw is None else f"a {type(raw).__name__}"
        raise InputError(
            f"{path}: it holds {content}; expected a mapping of sections, as in the "
            "repository's file"
        )
    return parse_params(raw, str(path))


def parse_params(raw: Mapping[str, Any], where: str) -> Params:
    """Validate parameters as :func:`load_params` does; ``where`` names them in messages."""
    params = validate(Params, dict(raw), where)
    for key in params.benchmarks:
        if not re.fullmatch(NAME, key):
            message = f"{where}: benchmark name '{key}'; expected {FORMS[NAME]}: rename it"
            raise InputError(message)
        try:
            params.for_benchmark(key)
        except InputError as error:
            raise InputError(f"{where}: {error}") from error
    return params
