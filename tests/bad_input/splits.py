"""Bad input: class splits, as lists that people write, as published files and as artifacts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import yaml

from amsf.base.storage import write_json
from amsf.dataset.published_splits import main as split_files
from amsf.dataset.splits import Split, listed_split, random_split
from tests.bad_input.cases import Area, Call, Case, run_cli

LIST = Path("data/splits/mine-u2.yaml")
GOOD = {"dataset": "mine", "unseen": [1, 4], "val_unseen": [0, 5]}
ARTIFACT = Path("data/split/mine-u2.json")


def _read_list() -> object:
    return listed_split(LIST, "mine", 8, 2)


def _listed(what: str, drop: str = "", **changes: Any) -> Case:
    """The list of a benchmark of 8 classes, 2 of them unseen, with some entries changed."""

    def make() -> Call:
        content = {k: v for k, v in {**GOOD, **changes}.items() if k != drop}
        LIST.parent.mkdir(parents=True)
        LIST.write_text(yaml.safe_dump(content))
        return _read_list

    return Case(what, "`stages.split`", str(LIST), make)


def _list_text(what: str, content: str) -> Case:
    def make() -> Call:
        LIST.parent.mkdir(parents=True)
        LIST.write_text(content)
        return _read_list

    return Case(what, "`stages.split`", str(LIST), make)


def _no_list() -> Call:
    return _read_list


def _published(what: str, file: str, array: np.ndarray | bytes | None) -> Case:
    """The four lists of a published split of UTD-MHAD, one of them changed."""

    def make() -> Call:
        folder = Path("splits")
        folder.mkdir()
        Path("data/classes").mkdir(parents=True)
        rows = "".join(f"{i},class {i},1\n" for i in range(8))
        Path("data/classes/mine.csv").write_text(f"id,label,persons\n{rows}")
        lists = {"rs6": [0, 2, 3, 5, 6, 7], "ru2": [1, 4], "rs4_0": [2, 3, 6, 7], "rv2_0": [0, 5]}
        for name, ids in lists.items():
            np.save(folder / f"{name}.npy", np.array(ids))
        if array is None:
            (folder / file).unlink()
        elif isinstance(array, bytes):
            (folder / file).write_bytes(array)
        else:
            np.save(folder / file, array, allow_pickle=True)
        words = ["import", folder, "--dataset", "mine", "--unseen", 2, "--to", "list.yaml"]
        return run_cli(split_files, *words)

    return Case(what, "`python -m amsf.dataset.published_splits import`", "splits", make)


def _artifact(what: str, **changes: Any) -> Case:
    def make() -> Call:
        split = {"dataset": "mine", "classes": 4, "kind": "listed", "seen": [0, 1, 2]}
        split |= {"unseen": [3], "val_seen": [0, 1], "val_unseen": [2]}
        kept = {k: v for k, v in {**split, **changes}.items() if v is not None}
        write_json(ARTIFACT, kept)
        return lambda: Split.load(ARTIFACT)

    return Case(what, "every stage after `split`", str(ARTIFACT), make)


def _too_many() -> Call:
    return lambda: random_split("mine", 8, 4, 0)


SPLITS = Area(
    "Class splits",
    [
        Case("no list", "`stages.split`", str(LIST), _no_list),
        _list_text("not YAML", "unseen: [1, 2"),
        _list_text("a key twice", "dataset: mine\nunseen: [1, 4]\nunseen: [0, 5]\n"),
        _list_text("not a mapping", "[1, 4]\n"),
        _listed("no dataset", drop="dataset"),
        _listed("an unknown entry", unsen=[1]),
        _listed("the list of another dataset", dataset="utd27"),
        _listed("another number of unseen classes", unseen=[1], val_unseen=[0]),
        _listed("a class id beyond the dataset", unseen=[1, 8]),
        _listed("1-based or negative ids", unseen=[-1, 4]),
        _listed("an id twice", unseen=[4, 4]),
        _listed("labels in the place of ids", unseen=["hop", "sit"]),
        _listed("no list but a number", unseen=2),
        _listed("no unseen class", unseen=[], val_unseen=[]),
        _listed("a class both seen and unseen", seen=[0, 1, 2, 3, 5, 6, 7]),
        _listed("a class on neither side", seen=[0, 2, 3]),
        _listed("a class both unseen and validation-unseen", val_unseen=[1, 5]),
        _listed("fewer validation-unseen than unseen classes", val_unseen=[0]),
        _listed("an unknown kind", kind="odd"),
        Case("more unseen classes than a random split can give", "`stages.split`", "random split",
             _too_many),
        _published("a published list missing", "ru2.npy", None),
        _published("not a .npy file", "ru2.npy", b"1 4\n"),
        _published("a pickled list", "ru2.npy", np.array([[1], 4], dtype=object)),
        _published("a table for a list", "ru2.npy", np.zeros((2, 2), int)),
        _published("fractions for ids", "ru2.npy", np.array([1.0, 4.0])),
        _published("seen and unseen lists that overlap", "ru2.npy", np.array([1, 2])),
        _artifact("a split artifact without a list", seen=None),
        _artifact("a split artifact of 10^12 classes", classes=10**12),
        _artifact("a split artifact of an unknown kind", kind="odd"),
    ],
)  # fmt: skip
