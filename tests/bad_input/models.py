"""Bad input: trained models, gates, skeleton encoders, and what is asked of them."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from amsf.base.storage import write_array, write_json, write_tensors
from amsf.predict.__main__ import Predictor
from amsf.predict.__main__ import main as predict
from stages import backbone, evaluate, split, train
from tests.bad_input.cases import Area, Call, Case, run_cli
from tests.support.small_project import KEY, write_params

# Where the small project is; `tests/test_bad_input.py` has it made.
PROJECT: list[Path] = []

MODEL = Path(f"data/models/{KEY}/seed0/test")
GATE = Path(f"data/evaluation/{KEY}/gate_seed0.json")
ENCODER = Path(f"data/backbone/{KEY}/encoder_test.json")
TEXT = Path(f"data/text_features/{KEY}")
FEATURES = Path(f"data/features/{KEY}/test.safetensors")
SPLIT = Path(f"data/split/{KEY}.json")


def _copy_project() -> None:
    """The demo in small, as hard links: a changed file must be replaced, not written into."""
    shutil.copytree(PROJECT[0], Path(), dirs_exist_ok=True, symlinks=True, copy_function=os.link)


def _case(
    what: str, told_by: str, names: Path | str, spoil: Callable[[], object], call: Call
) -> Case:
    def make() -> Call:
        _copy_project()
        spoil()
        return call

    return Case(what, told_by, str(names), make)


def _json(path: Path, **changes: Any) -> Callable[[], None]:
    """Replace some entries of a JSON file (None: leave them out)."""

    def spoil() -> None:
        raw = {**json.loads(path.read_text()), **changes}
        path.unlink()
        write_json(path, {k: v for k, v in raw.items() if v is not None})

    return spoil


def _bytes(path: Path, content: bytes | None = None) -> Callable[[], None]:
    """Replace a file's content, or cut it short."""

    def spoil() -> None:
        old = path.read_bytes()
        path.unlink()
        path.write_bytes(old[:-10] if content is None else content)

    return spoil


def _load() -> object:
    return Predictor.load(KEY)


def _used(what: str, names: Path, spoil: Callable[[], object]) -> Case:
    return _case(what, "`amsf.predict`", names, spoil, _load)


def _model(what: str, **changes: Any) -> Case:
    return _used(what, MODEL / "config.json", _json(MODEL / "config.json", **changes))


def _gate(what: str, **changes: Any) -> Case:
    return _used(what, GATE, _json(GATE, **changes))


def _asked(what: str, names: str, *words: str, **entry: Any) -> Case:
    """The command line of prediction, with an entry of the benchmark changed."""

    def spoil() -> None:
        seen = json.loads(SPLIT.read_text())["seen"][0]
        rows = Path("data/classes/demo.csv").read_text().splitlines()
        label = rows[seen + 1].split(",")[1]
        Path("own.csv").write_text(f"label,lb\n{label},{label}\n")
        if entry:
            Path("params.yaml").unlink()
            write_params(Path(), **entry)

    return _case(what, "`amsf.predict`", names, spoil, run_cli(predict, *words))


def _with(what: str, told_by: str, names: str, call: Call, **sections: dict[str, Any]) -> Case:
    """A stage under parameters that do not go with what earlier stages left."""

    def spoil() -> None:
        raw = yaml.safe_load(Path("params.yaml").read_text())
        Path("params.yaml").unlink()
        for name, values in sections.items():
            raw[name] = {**raw.get(name, {}), **values}
        Path("params.yaml").write_text(yaml.safe_dump(raw))

    return _case(what, told_by, names, spoil, call)


def _short_texts() -> None:
    array = np.load(TEXT / "features.npy")[:-1]
    (TEXT / "features.npy").unlink()
    write_array(TEXT / "features.npy", array)
    _json(TEXT / "manifest.json", classes=len(array))()


def _narrow_features() -> None:
    FEATURES.unlink()
    tensors = {f"{s}.features": np.zeros((2, 3), np.float32) for s in ("train", "zsl")}
    labels = {f"{s}.labels": np.zeros(2, np.int64) for s in ("train", "zsl")}
    write_tensors(FEATURES, {**tensors, **labels})


def _train() -> object:
    train.main(KEY)
    return None


def _evaluate() -> object:
    evaluate.main(KEY)
    return None


VAE, RECORDS = MODEL / "model.safetensors", "data/simulated/demo/skeletons.safetensors"
SHAPE = {"layout": "kinect25", "classes": 10**12, "frames": 16, "graph_width": 24, "width": 256}
MODELS = Area(
    "Trained models and prediction",
    [
        _used("no model yet", MODEL, lambda: shutil.rmtree(MODEL)),
        _used("a model without its config", MODEL / "config.json", (MODEL / "config.json").unlink),
        _used("weights cut short", VAE, _bytes(VAE)),
        _used("text for weights", VAE, _bytes(VAE, b"weights")),
        _model("a config without the classes", unseen=None),
        _model("a config with an unknown entry", colour="red"),
        _model("a config with an unknown fusion", model={"fusion": "MHAA"}),
        _model("a config of other widths", feature_width=17),
        _used("a config that is a list", MODEL / "config.json",
              _bytes(MODEL / "config.json", b"[]\n")),
        _used("no gate yet", GATE, GATE.unlink),
        _gate("a gate without its threshold", threshold=None),
        _gate("a gate with words", intercept="high"),
        _gate("a threshold that is no probability", threshold=7.5),
        _gate("a temperature of zero", threshold=0.5, temperature=0.0),
        _gate("a gate with more weights than scores", coefficients=[1.0, 2.0, 3.0, 4.0]),
        _gate("a gate of scores that nobody knows", scores=["height", "weight", "age"]),
        _used("the published gate with an odd number of coefficients", GATE,
              _bytes(GATE, b'{"coefficients": [1, 2, 3], "intercept": 0, "temperature": 2, '
                     b'"threshold": 0.5}\n')),
        _used("NaN in a gate", GATE, _bytes(GATE, b'{"threshold": NaN}\n')),
        _used("no skeleton encoder", ENCODER, ENCODER.unlink),
        _used("an encoder of 10^12 classes", ENCODER.with_suffix(""), _json(ENCODER, shape=SHAPE)),
        _used("an encoder of other joints", ENCODER.with_suffix(""),
              _json(ENCODER, shape={**SHAPE, "classes": 59, "layout": "kinect20"})),
        _used("an encoder's note without its shape", ENCODER.with_suffix(""),
              _json(ENCODER, shape=None)),
        _with("other parameters than the model's", "`amsf.predict`", f"data/models/{KEY}",
              _load, model={"latent": 33}),
        _asked("a seed that was not trained", "no seed 9", RECORDS, "--benchmark", KEY, "--seed",
               "9"),
        _asked("a benchmark that is not switched on", "'demo-u9'", RECORDS, "--benchmark",
               "demo-u9"),
        _asked("a benchmark with published features", KEY, RECORDS, "--benchmark", KEY,
               features="published"),
        _asked("an animation that is no GIF", "out.mp4", RECORDS, "--benchmark", KEY, "--gif",
               "out.mp4"),
        _asked("words for a class that was seen", "own.csv", RECORDS, "--benchmark", KEY,
               "--classes", "own.csv"),
        _case("texts of another number of classes", "`stages.split`", TEXT, _short_texts,
              lambda: split.main(KEY)),
        _case("no recordings for the encoder", "`stages.backbone`", RECORDS,
              Path(RECORDS).unlink, lambda: backbone.main(KEY)),
        _case("no features yet", "`stages.train`", FEATURES, FEATURES.unlink, _train),
        _case("no text features yet", "`stages.train`", TEXT, lambda: shutil.rmtree(TEXT), _train),
        _case("a split cut short", "`stages.train`", SPLIT, _bytes(SPLIT), _train),
        _with("a view that has no features", "`stages.train`", "LLMad", _train,
              model={"views": ["lb", "LLMad"]}),
        _with("a device that is not there", "`stages.train`", "compute.device", _train,
              compute={"device": "cuda:99"}),
        _with("a seed that was not trained, in evaluation", "`stages.evaluate`", "seed7",
              _evaluate, train={"seeds": [7]}),
        _case("features of another width than the model's", "`stages.evaluate`", "features",
              _narrow_features, _evaluate),
    ],
)  # fmt: skip
