"""Whether each experiment of a grid can run, found out before any of them is queued.

V = text views · D = text width.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from amsf.ablation.grid import Cell, apply_overrides
from amsf.base.artifacts import SIMULATED
from amsf.base.errors import InputError
from amsf.dataset.classes import class_count
from amsf.settings.fusion import find_fault
from amsf.settings.params import Params, Settings, Text, parse_params
from amsf.text.descriptions import LABEL_VIEW, Texts, load_texts
from amsf.text.features import import_published, published_views


def effective(params: Params) -> dict[str, Any]:
    """What decides the results of each benchmark: its entry and its settings, ``set`` applied."""
    return {
        key: {
            "entry": entry.model_dump(exclude={"set"}),
            # Where runs go and how many side by side never changes a result.
            "settings": params.for_benchmark(key).model_dump(
                exclude={"compute": {"jobs", "scheduler"}}
            ),
        }
        for key, entry in params.benchmarks.items()
    }


class Checker:
    """Checks combinations; texts and encoders are read once each.

    Args:
        raw: params.yaml, to be overridden.
    """

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self._raw = raw
        self._texts: dict[str, Texts] = {}
        self._widths: dict[tuple[Text, str, bool], int | str] = {}

    def findings(self, cell: Cell) -> tuple[Params | None, list[str]]:
        """The parameters of a combination, if they are valid, and why it cannot run, if so."""
        try:
            params = parse_params(apply_overrides(self._raw, cell.overrides), "parameters")
        except InputError as error:
            return None, [str(error)]
        found: list[str] = []
        for key in params.benchmarks:
            settings = params.for_benchmark(key)
            found += self._shadowed(params, key, cell)
            found += _source(params, key)
            found += self._text_and_fusion(params.benchmarks[key].dataset, settings)
        return params, list(dict.fromkeys(found))

    def _shadowed(self, params: Params, key: str, cell: Cell) -> list[str]:
        """Parameters of the grid that the benchmark's own ``set`` overrides."""
        own = params.benchmarks[key].set
        return [
            f"{name} has no effect: benchmarks.{key}.set.{name} overrides it; set that instead"
            for name in cell.overrides
            if (parts := name.split("."))[0] in own and parts[1] in own[parts[0]]
        ]

    def _text_and_fusion(self, dataset: str, settings: Settings) -> list[str]:
        recorded = settings.describe.provider == "recorded"
        try:
            if dataset not in self._texts:
                self._texts[dataset] = load_texts(dataset)
            texts = self._texts[dataset]
            wanted = settings.model.views
            if settings.text.encoder == "published":
                folder = Path(settings.text.checkpoint).expanduser()
                there = tuple(published_views(folder, class_count(dataset)))
            else:
                there = tuple(texts)
            missing = [view for view in wanted if view not in there]
            if missing and (recorded or LABEL_VIEW in missing):
                return [f"{dataset} has no text view {', '.join(missing)} (has {', '.join(there)})"]
            width = self._width(settings.text, dataset, recorded)
            if isinstance(width, str):
                return [width]
            whose = f"text.encoder {settings.text.encoder}"
            if fault := find_fault(settings.model, len(wanted), width, whose):
                return [fault]
        except InputError as error:
            return [str(error)]
        return []

    def _width(self, text: Text, dataset: str, recorded: bool) -> int | str:
        """D of an encoder that takes these texts, or why it does not."""
        known = (text, dataset, recorded)
        if known not in self._widths:
            try:
                self._widths[known] = self._encoder_width(text, dataset, recorded)
            except InputError as error:
                self._widths[known] = str(error)
        return self._widths[known]

    def _encoder_width(self, text: Text, dataset: str, recorded: bool) -> int:
        place = Path(text.checkpoint).expanduser()
        if text.checkpoint and place.exists() and not place.is_absolute():
            raise InputError(
                f"text.checkpoint {text.checkpoint}: a queued experiment runs in a folder of its "
                "own, where a relative path leads nowhere; give it from / or ~"
            )
        if text.encoder == "published":
            classes = class_count(dataset)
            found = import_published(place, published_views(place, classes), classes)
            return int(found.features.shape[2])
        from amsf.text.encoders import check_lengths, load_encoder  # imports torch

        encoder = load_encoder(text)
        if recorded:
            views = self._texts[dataset].items()
            rows = [
                (f"{dataset} {v} of class {c}", t)
                for v, f in views
                for c, t in zip(f["id"], f["text"])
            ]
            check_lengths(encoder, [t for _, t in rows], [n for n, _ in rows], text.over_long)
        return encoder.width


def _source(params: Params, key: str) -> list[str]:
    """Whether the data of a benchmark that no stage makes are there."""
    entry = params.benchmarks[key]
    if Path(entry.source) == SIMULATED or Path(entry.source).is_dir():
        return []
    return [
        f"benchmarks.{key}.source {entry.source}: no such folder; docs/data.md says what it holds"
    ]
