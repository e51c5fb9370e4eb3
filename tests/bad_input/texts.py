"""Bad input: class lists, texts, text features, text encoders, and answers of language models."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from amsf.base.storage import write_array, write_json
from amsf.dataset.worded import read_classes
from amsf.text.features import load_text_features
from amsf.text.published import main as published_texts
from stages import describe, encode
from tests.bad_input.cases import Area, Call, Case, run_cli

KEY = "mine-u1"
CLASSES, TEXTS = Path("data/classes/mine.csv"), Path("data/texts/mine")
GOOD_CLASSES = "id,label,persons\n0,hop,1\n1,sit,1\n2,wave,1\n"
GOOD_TEXTS = "id,text\n0,hop\n1,sit\n2,wave\n"


def _project(**sections: Any) -> None:
    """A dataset of one's own with three classes, as far as its texts go."""
    entry = {"dataset": "mine", "unseen": 1, "source": "mine", "features": "published"}
    raw = {"benchmarks": {KEY: entry}, "model": {"views": ["lb"]}, **sections}
    Path("params.yaml").write_text(yaml.safe_dump(raw))
    CLASSES.parent.mkdir(parents=True)
    TEXTS.mkdir(parents=True)
    CLASSES.write_text(GOOD_CLASSES)
    (TEXTS / "lb.csv").write_text(GOOD_TEXTS)
    Path("data/llm_record.jsonl").touch()


def _describe(what: str, path: Path, content: str | bytes | None, **sections: Any) -> Case:
    """One file of the project replaced, or removed, before the stage `describe`."""

    def make() -> Call:
        _project(**sections)
        if content is None:
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return describe.main

    return Case(what, "`stages.describe`", str(path), make)


def _encode(what: str, names: str, prepare: Callable[[], object], **text: str) -> Case:
    """The stage `encode` after `describe`, with other parameters of the encoder."""

    def make() -> Call:
        _project(text=text)
        folder = Path("data/descriptions/mine")
        folder.mkdir(parents=True)
        (folder / "lb.csv").write_text("id,sample,text\n0,0,hop\n1,0,sit\n2,0,wave\n")
        prepare()
        return lambda: encode.main(KEY)

    return Case(what, "`stages.encode`", names, make)


def _descriptions(what: str, content: str) -> Case:
    path = Path("data/descriptions/mine/lb.csv")
    return _encode(what, str(path), lambda: path.write_text(content))


def _vectors(what: str, array: Any = None, **files: Any) -> Case:
    """Published text vectors: ``lb_3.npy``, and others."""
    folder = Path("text_feats")

    def prepare() -> None:
        folder.mkdir()
        (folder / "readme.txt").touch()
        for name, values in {"lb": array, **files}.items():
            if isinstance(values, bytes):
                (folder / f"{name}_3.npy").write_bytes(values)
            elif values is not None:
                np.save(folder / f"{name}_3.npy", values, allow_pickle=True)

    return _encode(what, str(folder), prepare, encoder="published", checkpoint=str(folder))


def _rows(*changes: tuple[int, float]) -> np.ndarray:
    array = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
    for row, value in changes:
        array[row] = value
    return array


def _artifact(what: str, change: Callable[[Path], object]) -> Case:
    """The text features that `encode` wrote, changed before another stage reads them."""
    folder = Path("data/text_features") / KEY

    def make() -> Call:
        manifest = {"classes": 3, "width": 4, "views": ["lb"], "encoder": "x", "dataset": "mine"}
        write_array(folder / "features.npy", _rows()[:, None])
        write_json(folder / "manifest.json", manifest)
        change(folder)
        return lambda: load_text_features(folder)

    return Case(what, "`stages.split`, `stages.train`", str(folder), make)


def _rewrite(name: str, **changes: Any) -> Callable[[Path], object]:
    manifest = {"classes": 3, "width": 4, "views": ["lb"], "encoder": "x", "dataset": "mine"}
    return lambda folder: write_json(folder / name, {**manifest, **changes})


def _sem_info(what: str, name: str, content: bytes) -> Case:
    """Published class texts, of which ``lb_3`` is wrong."""

    def make() -> Call:
        folder = Path("sem_info")
        folder.mkdir()
        if content:
            (folder / name).write_bytes(content)
        return run_cli(lambda words: published_texts(*words), folder, "3", "data/texts/mine")

    return Case(what, "`python -m amsf.text.published`", "sem_info", make)


class _Code:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("harmed",)


def _worded(what: str, content: str | bytes | None) -> Case:
    path = Path("my_actions.csv")

    def make() -> Call:
        if content is not None:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return lambda: read_classes(path)

    return Case(what, "`amsf.predict --classes`", str(path), make)


def _model_folder(**files: str) -> Callable[[], object]:
    def prepare() -> None:
        Path("model").mkdir()
        for name, content in files.items():
            Path("model", name.replace("__", ".")).write_text(content)

    return prepare


def _no_key() -> Call:
    _project(describe={"provider": "openai", "model": "m"})
    Path("data/prompts").mkdir()
    for view in ("LLMad", "LLMmd"):
        Path(f"data/prompts/{view}.txt").write_text("What is {label}?")
    os.environ.pop("OPENAI_API_KEY", None)
    return describe.main


def _long_text() -> None:
    long = "raise an arm " * 100
    path = Path("data/descriptions/mine/lb.csv")
    path.write_text(f"id,sample,text\n0,0,hop\n1,0,{long}\n2,0,wave\n")


ASKED = {"describe": {"provider": "openai", "model": "m"}}
LB = TEXTS / "lb.csv"
RECORD = Path("data/llm_record.jsonl")
PROMPT = Path("data/prompts/LLMad.txt")
CLIP = {"encoder": "clip-vit-b32"}

CLASS_LISTS = Area(
    "Class lists and texts",
    [
        _describe("no class list", CLASSES, None),
        _describe("an empty class list", CLASSES, ""),
        _describe("a column missing", CLASSES, "id,label\n0,hop\n"),
        _describe("a header alone", CLASSES, "id,label,persons\n"),
        _describe("ids from 1", CLASSES, "id,label,persons\n1,hop,1\n2,sit,1\n"),
        _describe("an id that is no number", CLASSES, "id,label,persons\n0,hop,1\nx,sit,1\n"),
        _describe("a label twice", CLASSES, "id,label,persons\n0,hop,1\n1,hop,1\n2,wave,1\n"),
        _describe("an empty label", CLASSES, "id,label,persons\n0,hop,1\n1, ,1\n2,wave,1\n"),
        _describe("not UTF-8", CLASSES, b"id,label,persons\n0,h\xff\xfep,1\n"),
        _describe("no label view", LB, None),
        _describe("a view that there is not", TEXTS / "LLMxy.csv", GOOD_TEXTS),
        _describe("other columns", LB, "idx,label\n1,hop\n2,sit\n3,wave\n"),
        _describe("a comma outside quotes", LB, "id,text\n0,hop, on one foot\n1,sit\n2,wave\n"),
        _describe("a comma outside quotes, in a later row", LB, "id,text\n0,hop\n1,sit, down\n"),
        _describe("a row without a text", LB, "id,text\n0,hop\n1\n2,wave\n"),
        _describe("a class without a text", LB, "id,text\n0,hop\n1,sit\n"),
        _describe("a class too many", LB, GOOD_TEXTS + "3,clap\n"),
        _describe("an empty text", LB, 'id,text\n0,hop\n1," "\n2,wave\n'),
        _describe("an answer that speaks of the request", TEXTS / "LLMad.csv",
                  "id,text\n0,You hop\n1,The user wants me to sit\n2,You wave\n"),
        _describe("an answer that is thinking alone", TEXTS / "LLMad.csv",
                  "id,text\n0,You hop\n1,<think>They want me to sit\n2,You wave\n"),
        _describe("a class twice", LB, "id,text\n0,hop\n1,sit\n1,sit down\n2,wave\n"),
        _describe("classes out of order", LB, "id,text\n1,sit\n0,hop\n2,wave\n"),
        _describe("binary content", LB, b"\x00\x01\xff\xfe"),
        _descriptions("ids that are fractions", "id,sample,text\n0.0,0,a\n1.0,0,b\n2.0,0,c\n"),
        _descriptions("samples that are words", "id,sample,text\n0,a,a\n1,a,b\n2,a,c\n"),
        _encode("a text beyond the encoder's length", "mine lb of class 1", _long_text),
        _encode("no descriptions", "data/descriptions/mine",
                lambda: Path("data/descriptions/mine/lb.csv").unlink()),
        Case("no key for the endpoint", "`stages.describe`", "OPENAI_API_KEY", _no_key),
        _describe("a prompt without its place", PROMPT, "What is it?", **ASKED),
        _describe("a prompt of no view", Path("data/prompts/llmad.txt"), "{label}?", **ASKED),
        _describe("a record line that is not JSON", RECORD, "{\n"),
        _describe("a record line without a key", RECORD, '{"text": "hop"}\n'),
        _describe("a record line nested too deeply", RECORD, "[" * 100_000 + "\n"),
        _sem_info("a folder without published texts", "", b""),
        _sem_info("a pickle that runs code", "lb_3.pkl", pickle.dumps(["a", _Code(), "c"])),
        _sem_info("a pickle of something else", "lb_3.pkl", pickle.dumps({"a": 1})),
        _sem_info("a pickle cut short", "lb_3.pkl", pickle.dumps(["a", "b", "c"])[:9]),
        _sem_info("a pickle made to fill the memory", "lb_3.pkl", b"]r\xff\xff\xff\x7f."),
        _sem_info("texts of too few classes", "lb_3.csv", b"idx,label\n1,hop\n2,sit\n"),
        _sem_info("idx from 0", "lb_3.csv", b"idx,label\n0,hop\n1,sit\n2,wave\n"),
        _worded("no table of one's own classes", None),
        _worded("no text column in it", "label\nmoonwalk\n"),
        _worded("an unknown column", "label,LLMxy\nmoonwalk,glide\n"),
        _worded("a comma outside quotes, there", "label,description\nsalute,raise a hand, flat\n"),
        _worded("a class without a text, there", "label,lb\nmoonwalk,\n"),
        _worded("a class twice, there", "label,lb\nbig wave,a\nBig  Wave,b\n"),
        _worded("no class in it", "label,lb\n"),
        _worded("not UTF-8, there", b"label,lb\nm\xff\xfe,a\n"),
    ],
)  # fmt: skip

TEXT_FEATURES = Area(
    "Text features and text encoders",
    [
        _encode("no such folder of vectors", "nowhere", lambda: None, encoder="published",
                checkpoint="nowhere"),
        _vectors("no file of a view"),
        _vectors("vectors of another number of classes", np.ones((4, 8), np.float32)),
        _vectors("one axis", np.ones(3, np.float32)),
        _vectors("whole numbers", np.ones((3, 4), np.int64)),
        _vectors("NaN", _rows((1, np.nan))),
        _vectors("a row of zeros", _rows((2, 0.0))),
        _vectors("views of several widths", _rows(), MAad=np.ones((3, 5), np.float32)),
        _vectors("Python objects", np.array([[{}]] * 3, dtype=object)),
        _vectors("text for an array", b"0 1 2\n"),
        _artifact("features without a manifest", lambda f: (f / "manifest.json").unlink()),
        _artifact("a manifest of other features", _rewrite("manifest.json", classes=4)),
        _artifact("a manifest without views", _rewrite("manifest.json", views=None)),
        _artifact("a manifest that is a list", lambda f: write_json(f / "manifest.json", [])),
        _artifact("features cut short",
                  lambda f: (f / "features.npy").write_bytes(b"\x93NUMPY\x01\x00")),
        _artifact("a feature that is not finite",
                  lambda f: write_array(f / "features.npy", _rows((0, np.inf))[:, None])),
        _encode("weights that are not on this machine", "clip-vit-b32", lambda: None, **CLIP),
        _encode("no such checkpoint", "weights/ViT-B-32.pt", lambda: None,
                checkpoint="weights/ViT-B-32.pt", **CLIP),
        _encode("a checkpoint under a known name that is another", "ViT-B-32.pt",
                lambda: Path("ViT-B-32.pt").write_bytes(b"x"),
                checkpoint="ViT-B-32.pt", **CLIP),
        _encode("a checkpoint that runs code", "mine.pt",
                lambda: Path("mine.pt").write_bytes(pickle.dumps(_Code())),
                checkpoint="mine.pt", **CLIP),
        _encode("an empty model folder", "model", _model_folder(), encoder="path",
                checkpoint="model"),
        _encode("a model of another kind", "model", _model_folder(config__json='{"model_type": 1}'),
                encoder="path", checkpoint="model"),
        _encode("a model's config that is a list", "model", _model_folder(config__json="[]"),
                encoder="path", checkpoint="model"),
        _encode("a CLIP folder without weights", "model",
                _model_folder(config__json='{"model_type": "clip"}'), encoder="path",
                checkpoint="model"),
        _encode("a sentence-transformers folder that brings its own code", "model",
                _model_folder(modules__json='[{"idx": 0, "name": "0", "path": "", '
                              '"type": "own_code.Evil"}]',
                              own_code__py="import os\nos.mkdir('harmed')\n"),
                encoder="path", checkpoint="model"),
    ],
)  # fmt: skip
