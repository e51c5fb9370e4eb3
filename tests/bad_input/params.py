"""Bad input: ``params.yaml``, which every stage reads first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from amsf.settings.params import load_params
from stages import encode
from tests.bad_input.cases import Area, Call, Case, run_cli

TEXT = (Path(__file__).parents[2] / "params.yaml").read_text(encoding="utf-8")
ENTRY = {"dataset": "utd27", "unseen": 5, "source": "data/external/utd27", "features": "published"}


def _load() -> object:
    return load_params(Path("params.yaml"))


def _changed(what: str, **values: Any) -> Case:
    """``params.yaml`` with some values replaced, such as ``model__heads=7``."""

    def make() -> Call:
        raw = yaml.safe_load(TEXT)
        for place, value in values.items():
            *above, last = place.split("__")
            section = raw
            for name in above:
                section = section.setdefault(name, {})
            section[last] = value
        Path("params.yaml").write_text(yaml.safe_dump(raw, sort_keys=False))
        return _load

    return Case(what, "every stage", "params.yaml", make)


def _benchmark(what: str, key: str = "utd27-u5", **entry: Any) -> Case:
    return _changed(what, benchmarks={key: {**ENTRY, **entry}})


def _own_set(what: str, **sections: Any) -> Case:
    case = _benchmark(what, set=sections)
    return Case(case.what, case.told_by, "benchmarks.utd27-u5.set", case.make)


def _text(what: str, content: bytes) -> Case:
    def make() -> Call:
        Path("params.yaml").write_bytes(content)
        return _load

    return Case(what, "every stage", "params.yaml", make)


def _absent() -> Call:
    return _load


def _unknown_benchmark() -> Call:
    Path("params.yaml").write_text(TEXT)
    return run_cli(lambda words: encode.main(*words), "demo-u9")


PARAMS = Area(
    "Parameters",
    [
        Case("no such file", "every stage", "params.yaml", _absent),
        _text("not YAML", b"model: {heads: 4"),
        _text("not UTF-8", b"\xff\xfe\x00"),
        _text("empty", b""),
        _text("a list", b"- 1\n"),
        _text("a Python object in it", b"benchmarks: !!python/object/apply:os.getcwd []\n"),
        _text("nested a thousand deep", b"benchmarks: " + b"[" * 1000),
        _text("a section twice", b"benchmarks: {}\nmodel: {heads: 8}\nmodel: {latent: 9}\n"),
        _text("no benchmarks", b"model: {heads: 4}\n"),
        _changed("a typo in a name", model__hedas=8),
        _changed("a typo in a section", evalute={"task": "zsl"}),
        _changed("a typo in a value", model__fusion="MHAA"),
        _changed("a typo in a view", model__views=["lb", "MAmdd"]),
        _changed("text for a number", train__cycles="ten"),
        _changed("a truth value for a number", model__heads=True),
        _changed("a fraction for a whole number", model__latent=2.5),
        _changed("zero", train__batch_size=0),
        _changed("below zero", train__learning_rate=-0.0001),
        _changed("NaN", train__learning_rate=float("nan")),
        _changed("infinity", evaluate__temperature=float("inf")),
        _changed("beyond its range", evaluate__threshold=1.0),
        _changed("not a multiple of 8", backbone__frames=20),
        _changed("an empty list", train__seeds=[]),
        _changed("an entry twice", train__seeds=[0, 1, 0]),
        _changed("an unknown device", compute__device="gpu"),
        _changed("a scheduler that is no address", compute__scheduler="localhost"),
        _changed("several mistakes at once", model__hedas=8, train__cycles="ten", evalute={}),
        _changed("heads that do not divide the width", model__heads=7),
        _changed(
            "heads that do not divide another encoder's width", model__heads=3,
            text__encoder="clip-vit-b32",
        ),
        _changed("a ratio that Add cannot have", model__fusion="Add", model__ratio=5),
        _changed("a ratio that Concat cannot have", model__fusion="Concat", model__ratio=2),
        _changed(
            "fewer views than MSCA's reduction", model__fusion="MSCA", model__views=["lb", "MAad"]
        ),
        _changed("an even kernel", model__fusion="Conv", model__kernel=4),
        _changed("SA under the clean protocol", model__fusion="SA"),
        _changed("selection by test samples under the clean protocol", protocol__selection="test"),
        _changed("ZSL alone, selected on validation", evaluate__task="zsl"),
        _changed("a chat model without a name", describe__provider="openai"),
        _changed(
            "several samples at temperature 0", describe__provider="openai", describe__model="m",
            describe__samples=3,
        ),
        _changed("a password in an address", describe__base_url="https://me:secret@example.org/v1"),
        _changed("a key in an address", describe__base_url="https://example.org/v1?api_key=secret"),
        _changed("a call's whole address",
                 describe__base_url="https://example.org/v1/chat/completions"),
        _changed("a truth value for a fraction", train__learning_rate=True),
        _changed("a time of day for a number", train__cycles="1:30"),
        _changed("a number for a truth value", model__normalise_features=1),
        _changed("a size that no machine holds", model__latent=100_000_000),
        _changed("more threads than a machine has", compute__threads=10_000_000_000),
        _changed("a scheduler of another protocol", compute__scheduler="http://host:8786"),
        _changed("a port that there is not", compute__scheduler="tcp://host:99999999"),
        _changed("a path encoder without a path", text__encoder="path"),
        _changed("a checkpoint for MiniLM", text__checkpoint="weights/ViT-B-32.pt"),
        _benchmark("a benchmark without a source", source=""),
        _benchmark("no unseen class", unseen=0),
        _benchmark("a dataset's name that leads elsewhere", dataset="../../etc"),
        _benchmark("a benchmark's name that leads elsewhere", key="../x"),
        _benchmark("a benchmark's name in capitals", key="UTD27"),
        _benchmark("the benchmark's own dataset among those that train too", also=["utd27"],
                   features="motion"),
        _benchmark("a dataset twice among those that train too", also=["florence9", "florence9"],
                   features="motion"),
        _benchmark("others that train too beside published features", also=["florence9"]),
        _own_set("a typo in a benchmark's own settings", model={"hedas": 8}),
        _own_set("an unknown section in them", modle={"heads": 8}),
        _own_set("heads that do not divide the width, in them", model={"heads": 7}),
        Case("a benchmark that is not switched on", "`stages.encode`", "params.yaml",
             _unknown_benchmark),
    ],
)  # fmt: skip
