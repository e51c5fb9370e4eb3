"""Bad input: published skeleton features, and the files that the stage `features` made of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from amsf.base.storage import write_json, write_tensors
from amsf.dataset.splits import make_split
from amsf.features.phases import load_phase
from stages import backbone, features
from tests.bad_input.cases import Area, Call, Case
from tests.features.test_phases import SPLIT, published
from tests.support.small_table import CLASSES, table_arrays, write_table

KEY = "tiny-u2"
SOURCE = Path("data/external/tiny")
FOLDERS = {"test": SOURCE / "sk_feats/r/shift_2_r", "val": SOURCE / "sk_feats/r/shift_val_2_r"}
Change = Callable[[np.ndarray], np.ndarray]


def _project() -> None:
    """A benchmark of 7 classes, unseen 1 and 4, validation-unseen 0 and 5, up to `features`."""
    entry = {"dataset": "tiny", "unseen": 2, "source": str(SOURCE), "features": "published"}
    Path("params.yaml").write_text(yaml.safe_dump({"benchmarks": {KEY: entry}}))
    SPLIT.save(Path(f"data/split/{KEY}.json"))
    for phase, folder in FOLDERS.items():
        folder.mkdir(parents=True)
        for name, array in published(phase).items():
            np.save(folder / f"{name}.npy", array)


def _case(what: str, names: str, spoil: Callable[[], object]) -> Case:
    def make() -> Call:
        _project()
        spoil()
        return lambda: features.main(KEY)

    return Case(what, "`stages.features`", names, make)


def _array(what: str, place: str, change: Change) -> Case:
    """One array of the test phase's folder (of the validation phase's: ``val/...``) changed."""
    phase, _, name = place.rpartition("/")
    path = FOLDERS[phase or "test"] / f"{name}.npy"

    def spoil() -> None:
        np.save(path, change(np.load(path)), allow_pickle=True)

    return _case(what, str(path), spoil)


def _put(value: Any, *where: int) -> Change:
    def change(array: np.ndarray) -> np.ndarray:
        array = array.copy()
        array[where] = value
        return array

    return change


def _names_json() -> None:
    for folder in FOLDERS.values():
        write_json(folder / "names.json", {"train": ["a"]})


def _artifact(what: str, prepare: Callable[[Path], object]) -> Case:
    path = Path(f"data/features/{KEY}/test.safetensors")

    def make() -> Call:
        path.parent.mkdir(parents=True)
        prepare(path)
        return lambda: load_phase(path)

    return Case(what, "`stages.train`, `stages.evaluate`", str(path), make)


TABLE = SOURCE / "features.npz"


def _table(
    what: str, prepare: Callable[[], object], names: str = str(TABLE), **entry: object
) -> Case:
    """The stage `backbone` on a table; ``prepare`` writes or spoils it."""

    def make() -> Call:
        line = {"dataset": "tiny", "unseen": 1, "source": str(SOURCE), "features": "table"}
        Path("params.yaml").write_text(yaml.safe_dump({"benchmarks": {KEY: {**line, **entry}}}))
        make_split("tiny", CLASSES, [1], [4], kind="random", where="test").save(
            Path(f"data/split/{KEY}.json")
        )
        Path("data/classes").mkdir(parents=True)
        rows = "".join(f"{i},action {i},1\n" for i in range(CLASSES))
        Path("data/classes/tiny.csv").write_text(f"id,label,persons\n{rows}")
        Path("data/backbone").mkdir()
        prepare()
        return lambda: backbone.main(KEY)

    return Case(what, "`stages.backbone`", names, make)


def _entry(what: str, key: str, change: Change, names: str = str(TABLE)) -> Case:
    """One array of the table changed."""
    return _table(what, lambda: write_table(SOURCE, **{key: change(table_arrays()[key])}), names)


def _with_logits(logits: np.ndarray) -> Callable[[], Path]:
    return lambda: write_table(SOURCE, logits=logits)


TENSORS: dict[str, np.ndarray] = {
    "train.features": np.zeros((3, 2), np.float32), "train.labels": np.zeros(3, np.int64),
    "zsl.features": np.zeros((3, 2), np.float32), "zsl.labels": np.zeros(2, np.int64),
}  # fmt: skip
TRAIN = FOLDERS["test"] / "train.npy"

FEATURES = Area(
    "Skeleton features",
    [
        _case("no split yet", f"data/split/{KEY}.json",
              lambda: Path(f"data/split/{KEY}.json").unlink()),
        _case("no source folder", str(FOLDERS["test"]), lambda: SOURCE.rename("elsewhere")),
        _case("no folder of the validation phase", str(FOLDERS["val"]),
              lambda: FOLDERS["val"].rename("elsewhere")),
        _case("a file missing", str(TRAIN), TRAIN.unlink),
        _case("a file cut short", str(TRAIN),
              lambda: TRAIN.write_bytes(TRAIN.read_bytes()[:-3])),
        _case("text for an array", str(TRAIN), lambda: TRAIN.write_text("0.1 0.2\n")),
        _case("a header that claims 10^12 rows", str(TRAIN),
              lambda: TRAIN.write_bytes(TRAIN.read_bytes().replace(b"(11, 3), }" + b" " * 11,
                                                                   b"(1000000000000, 3), }"))),
        _array("Python objects", "train", lambda a: a.astype(object)),
        _array("one axis", "train", lambda a: a[:, 0]),
        _array("no rows", "gtest", lambda a: a[:0]),
        _array("words for numbers", "train", lambda a: a.astype(str)),
        _array("NaN", "train", _put(np.nan, 4, 1)),
        _array("infinity", "val/ztest", _put(-np.inf, 1, 0)),
        _array("numbers beyond float32", "gtest", lambda a: a.astype(np.float64) * 1e300),
        _array("features whose squares overflow", "train", lambda a: a * 1e20),
        _array("features whose squares vanish", "val/train", lambda a: a * 1e-13),
        _array("NaN in logits", "val/val_out", _put(np.nan, 3, 6)),
        _array("labels that are fractions", "g_label", lambda a: a + 0.5),
        _array("labels from 1", "g_label", lambda a: a + 1),
        _array("a negative label", "val/train_label", _put(-1, 0)),
        _array("a table of labels", "z_label", lambda a: np.stack([a, a])),
        _array("fewer features than labels", "train", lambda a: a[:-1]),
        _array("fewer logits than features", "val/val_out", lambda a: a[1:]),
        _array("logits of the seen classes alone", "gtest_out", lambda a: a[:, :5]),
        _array("features of several widths", "ztest", lambda a: a[:, :2]),
        _array("a training sample of an unseen class", "train_label", _put(4, 0)),
        _array("a training sample of a validation-unseen class, in the validation phase",
               "val/train_label", _put(5, 0)),
        _array("a training sample of an unseen class, in the validation phase", "val/train_label",
               _put(1, 0)),
        _array("a class without training samples", "train_label",
               lambda a: np.where(a == 6, 5, a)),
        _array("a class without test samples", "z_label", lambda a: np.where(a == 1, 4, a)),
        _array("a seen class among the samples of the unseen", "z_label", _put(2, 0)),
        _array("an unseen class among the gate's samples", "val/val_label", _put(4, 0)),
        _case("a list of recordings without its roles", str(FOLDERS["test"] / "names.json"),
              _names_json),
        _artifact("an artifact of something else",
                  lambda path: write_tensors(path, {"weights": np.zeros(3)})),
        _artifact("an artifact whose parts differ in rows",
                  lambda path: write_tensors(path, TENSORS)),
        _artifact("an artifact that is no safetensors file", lambda path: path.write_bytes(b"x")),
        _artifact("an artifact whose header claims 2^60 bytes",
                  lambda path: path.write_bytes((2**60).to_bytes(8, "little") + b"{}")),
    ],
)  # fmt: skip

N = len(table_arrays()["label"])
LOGITS = np.zeros((N, CLASSES))
TABLES = Area(
    "Tables of features",
    [
        _table("no table", lambda: None),
        _table("no archive", lambda: (SOURCE.mkdir(parents=True), TABLE.write_text("a,b\n"))),
        _table("no names", lambda: write_table(SOURCE, names=None)),
        _entry("numbers for names", "names", lambda a: np.arange(len(a))),
        _entry("a name twice", "names", lambda a: np.where(np.arange(len(a)) == 5, a[4], a)),
        _entry("control characters in a name", "names", _put("a\x1b[2J", 3)),
        _entry("names as Python objects", "names", lambda a: a.astype(object)),
        _entry("fewer features than names", "features", lambda a: a[:-1]),
        _entry("one axis of features", "features", lambda a: a[:, 0]),
        _entry("words for features", "features", lambda a: a.astype(str)),
        _entry("NaN in the features", "features", _put(np.nan, 7, 2)),
        _entry("features beyond float32", "features", lambda a: a * 1e300),
        _entry("fewer labels than names", "label", lambda a: a[1:]),
        _entry("labels that are fractions", "label", lambda a: a + 0.5),
        _entry("labels from 1", "label", lambda a: a + 1),
        _entry("a label below -1", "label", _put(-2, 0)),
        _entry("a recording without a label", "label", _put(-1, 0), "'s1_a0_0'"),
        _entry("a seen class without a training recording", "label",
               lambda a: np.where(a == 2, 3, a), "classes 2"),
        _table("no subjects, where they say who trains",
               lambda: write_table(SOURCE, subject=None), "train_subjects.txt"),
        _table("logits without a column for each class", _with_logits(LOGITS[:, :5])),
        _table("fewer logits than names", _with_logits(LOGITS[1:])),
        _table("infinity in the logits", _with_logits(LOGITS + np.inf)),
    ],
)  # fmt: skip
