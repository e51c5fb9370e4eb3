"""Import of the published feature layout: real, tiny and wrong in every way."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from amsf.base.errors import InputError
from amsf.base.storage import write_json, write_tensors
from amsf.dataset.splits import Split, listed_split, make_split
from amsf.features.checks import report_overlap, report_zero_rows
from amsf.features.phases import (
    SETS,
    describe_phase,
    find_folder,
    import_phase,
    load_phase,
    recording_names,
    save_phase,
    source_checksums,
)

ROOT = Path(__file__).parents[2]
C, F = 7, 3
# seen 0 2 3 5 6, validation-seen 2 3 6
SPLIT = make_split("tiny", C, [1, 4], [0, 5], kind="listed", where="")
Arrays = dict[str, np.ndarray]


def published(phase: str, split: Split = SPLIT, width: int = F) -> Arrays:
    """The arrays of a phase's folder by file name, with 3, 2 and 1 samples a class in turn."""
    rng = np.random.default_rng(["test", "val"].index(phase))

    def sample_set(
        classes: tuple[int, ...], features: str, labels: str, logits: str = ""
    ) -> Arrays:
        ids = np.concatenate([np.full(3 - i % 3, c) for i, c in enumerate(classes)])
        arrays = {features: rng.normal(size=(len(ids), width)).astype(np.float32)}
        arrays[labels] = rng.permutation(ids)
        if logits:
            arrays[logits] = rng.normal(size=(len(ids), split.classes)).astype(np.float32)
        return arrays

    if phase == "test":
        return {
            **sample_set(split.seen, "train", "train_label"),
            **sample_set(split.unseen, "ztest", "z_label"),
            **sample_set(tuple(range(split.classes)), "gtest", "g_label", "gtest_out"),
        }
    return {
        **sample_set(split.val_seen, "train", "train_label"),
        **sample_set(split.val_unseen, "ztest", "z_label", "ztest_out"),
        **sample_set(split.val_seen, "val", "val_label", "val_out"),
    }


def write(folder: Path, arrays: Arrays) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
    return folder


# --- a sound folder -----------------------------------------------------------------------------


def test_people_are_read_where_the_features_have_them(tmp_path: Path) -> None:
    arrays = published("test")
    people = np.arange(len(arrays["train"]), dtype=np.int16) % 4
    folder = write(tmp_path / "motion", {**arrays, "train_people": people})
    save_phase(tmp_path / "test.safetensors", import_phase(folder, SPLIT, "test", gated=True))
    read = load_phase(tmp_path / "test.safetensors")
    assert read.train.people is not None
    assert read.train.people.tolist() == people.tolist()
    assert read.zsl.people is None
    assert "train_people.npy" in source_checksums(folder, "test", gated=True)
    without = import_phase(write(tmp_path / "encoder", arrays), SPLIT, "test", gated=True)
    assert without["train"].people is None


@pytest.mark.parametrize(
    ("people", "words"),
    [
        (np.zeros(3, np.int64), r"train_people\.npy has 3; they must describe"),
        (np.zeros((2, 2), np.int64), r"found int64 of shape \(2, 2\); expected a whole number"),
        (np.zeros(9), "found float64 of shape .*run the backbone stage again"),
    ],
)
def test_people_that_do_not_fit(tmp_path: Path, people: np.ndarray, words: str) -> None:
    folder = write(tmp_path, {**published("test"), "train_people": people})
    with pytest.raises(InputError, match=words):
        import_phase(folder, SPLIT, "test", gated=True)


def test_the_sets_of_the_test_phase(tmp_path: Path) -> None:
    arrays = published("test")
    sets = import_phase(write(tmp_path, arrays), SPLIT, "test", gated=True)
    assert list(sets) == ["train", "zsl", "gzsl"]
    for name, (features, labels) in {
        "train": ("train", "train_label"),
        "zsl": ("ztest", "z_label"),
        "gzsl": ("gtest", "g_label"),
    }.items():
        assert np.array_equal(sets[name].features, arrays[features])
        assert np.array_equal(sets[name].labels, arrays[labels])
        assert isinstance(sets[name].features, np.memmap), "large arrays stay on disk"
    assert sets["train"].logits is None
    assert sets["zsl"].logits is None
    assert np.array_equal(sets["gzsl"].logits, arrays["gtest_out"])  # type: ignore[arg-type]


def test_the_sets_of_the_validation_phase(tmp_path: Path) -> None:
    arrays = published("val")
    sets = import_phase(write(tmp_path, arrays), SPLIT, "val", gated=True)
    assert np.array_equal(sets["train"].features, arrays["train"])
    assert np.array_equal(sets["zsl"].labels, arrays["z_label"])
    gated = sets["gzsl"]
    assert gated.logits is not None
    for found, (unseen, seen) in zip(
        (gated.features, gated.labels, gated.logits),
        (("ztest", "val"), ("z_label", "val_label"), ("ztest_out", "val_out")),
        strict=True,
    ):
        assert np.array_equal(found, np.concatenate([arrays[unseen], arrays[seen]]))


@pytest.mark.parametrize("phase", ["test", "val"])
def test_other_dtypes_give_the_same_bytes(tmp_path: Path, phase: str) -> None:
    plain = published(phase)
    # Doubles in Fortran order, and labels as a column of small integers.
    other = {
        name: np.asfortranarray(array.astype(np.float64))
        if array.dtype == np.float32
        else array.astype(np.uint8)[:, None]
        for name, array in plain.items()
    }
    for name, arrays in (("one", plain), ("two", other), ("three", plain)):
        folder = write(tmp_path / name, arrays)
        save_phase(tmp_path / f"{name}.file", import_phase(folder, SPLIT, phase, gated=True))
    one, two, three = ((tmp_path / f"{n}.file").read_bytes() for n in ("one", "two", "three"))
    assert one == three
    assert one == two


@pytest.mark.parametrize("width", [1, F, 256])
def test_saved_sets_read_back_as_tensors(tmp_path: Path, width: int) -> None:
    arrays = published("test", width=width)
    path = tmp_path / "test.safetensors"
    save_phase(path, import_phase(write(tmp_path / "in", arrays), SPLIT, "test", gated=True))
    phase = load_phase(path)
    assert phase.width == width
    assert phase.gzsl is not None
    for found, name in (
        (phase.train.features, "train"),
        (phase.train.labels, "train_label"),
        (phase.zsl.features, "ztest"),
        (phase.zsl.labels, "z_label"),
        (phase.gzsl.features, "gtest"),
        (phase.gzsl.logits, "gtest_out"),
    ):
        assert found is not None
        assert np.array_equal(found.numpy(), arrays[name])
    assert phase.train.features.dtype == torch.float32
    assert phase.train.labels.dtype == torch.int64
    assert phase.train.logits is None


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs Linux's list of mappings")
def test_saved_sets_are_mapped_and_never_written_to(tmp_path: Path) -> None:
    path = tmp_path / "test.safetensors"
    folder = write(tmp_path / "in", published("test"))
    save_phase(path, import_phase(folder, SPLIT, "test", gated=True))
    before = path.read_bytes()
    phase = load_phase(path)
    assert str(path) in Path("/proc/self/maps").read_text()
    phase.train.features.zero_()
    assert path.read_bytes() == before


def test_zsl_alone_needs_neither_gate_data_nor_logits(tmp_path: Path) -> None:
    arrays = published("test")
    few = {name: arrays[name] for name in ("train", "train_label", "ztest", "z_label")}
    folder = write(tmp_path / "in", few)
    sets = import_phase(folder, SPLIT, "test", gated=False)
    assert list(sets) == ["train", "zsl"]
    save_phase(tmp_path / "file", sets)
    assert load_phase(tmp_path / "file").gzsl is None
    assert set(source_checksums(folder, "test", gated=False)) == {f"{name}.npy" for name in few}
    with pytest.raises(InputError, match=r"gtest\.npy: no such file"):
        import_phase(folder, SPLIT, "test", gated=True)


@pytest.mark.parametrize("phase", ["test", "val"])
def test_manifest(tmp_path: Path, phase: str) -> None:
    arrays = published(phase)
    folder = write(tmp_path, arrays)
    found = describe_phase(import_phase(folder, SPLIT, phase, gated=True))
    assert list(found) == ["train", "zsl", "gzsl"]
    assert {part["width"] for part in found.values()} == {F}
    labels = arrays["train_label"].tolist()
    assert found["train"]["samples"] == len(labels)
    assert found["train"]["per_class"] == {str(c): labels.count(c) for c in sorted(set(labels))}
    assert sum(found["gzsl"]["per_class"].values()) == found["gzsl"]["samples"]
    assert source_checksums(folder, phase, gated=True) == {
        f"{name}.npy": hashlib.sha256((folder / f"{name}.npy").read_bytes()).hexdigest()
        for name in arrays
    }


# --- where the folder is ------------------------------------------------------------------------


@pytest.mark.parametrize("above", ["sk_feats/r", "sk_feats", "r", "."])
@pytest.mark.parametrize(("phase", "name"), [("test", "shift_2_r"), ("val", "shift_val_2_r")])
def test_layouts_of_newer_and_older_copies(
    tmp_path: Path, above: str, phase: str, name: str
) -> None:
    folder = tmp_path / above / name
    folder.mkdir(parents=True)
    assert find_folder(tmp_path, SPLIT, phase) == folder


@pytest.mark.parametrize(("kind", "letter"), [("easy", "e"), ("hard", "h"), ("random", "r")])
def test_the_folder_is_that_of_the_kind_of_split(tmp_path: Path, kind: str, letter: str) -> None:
    for x in "reh":
        (tmp_path / "sk_feats" / x / f"shift_2_{x}").mkdir(parents=True)
    split = make_split("tiny", C, [1, 4], [0, 5], kind=kind, where="")
    assert find_folder(tmp_path, split, "test").name == f"shift_2_{letter}"


@pytest.mark.parametrize(
    ("dataset", "origin"),
    [("ntu60", "request form of Nanyang Technological University"), ("mine", "your own encoder")],
)
@pytest.mark.parametrize("phase", ["test", "val"])
def test_a_missing_folder_names_the_files_and_their_origin(
    tmp_path: Path, dataset: str, origin: str, phase: str
) -> None:
    split = make_split(dataset, C, [1, 4], [0, 5], kind="listed", where="")
    with pytest.raises(InputError) as caught:
        find_folder(tmp_path, split, phase)
    message = str(caught.value)
    name = "shift_2_r" if phase == "test" else "shift_val_2_r"
    assert f"{tmp_path / 'sk_feats' / 'r' / name}: no such folder" in message
    for expected in (origin, f"{dataset} with 2 unseen classes", "`features: backbone`"):
        assert expected in message
    for file in published(phase):
        assert f"{file}.npy" in message


# --- wrong folders ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("phase", "name"), [(phase, name) for phase in SETS for name in published(phase)]
)
def test_files_that_are_missing_or_cut_short(tmp_path: Path, phase: str, name: str) -> None:
    path = write(tmp_path, published(phase)) / f"{name}.npy"
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(InputError, match=rf"{name}\.npy: not a readable \.npy array"):
        import_phase(tmp_path, SPLIT, phase, gated=True)
    path.unlink()
    with pytest.raises(InputError, match=rf"{name}\.npy: no such file"):
        import_phase(tmp_path, SPLIT, phase, gated=True)


def put(value: Any, *where: int) -> Callable[[np.ndarray], np.ndarray]:
    """A copy of an array with one value replaced."""

    def change(array: np.ndarray) -> np.ndarray:
        array = array.copy()
        array[where] = value
        return array

    return change


def relabel(old: int, new: int) -> Callable[[np.ndarray], np.ndarray]:
    """All samples of one class given to another."""
    return lambda labels: np.where(labels == old, new, labels)


BAD: list[tuple[str, str, Callable[[np.ndarray], np.ndarray], str]] = [
    # shape
    ("test", "train", lambda a: a[:, 0], r"found shape \(11,\); expected \(samples, feature width"),
    ("test", "ztest", lambda a: a[:, :, None], r"found shape \(5, 3, 1\); expected \(samples, fea"),
    ("test", "gtest", lambda a: a[:0], r"found shape \(0, 3\); expected .*, not empty"),
    ("test", "train", lambda a: a[:, :0], r"found shape \(11, 0\); expected .*, not empty"),
    (
        "test",
        "train_label",
        lambda a: a.reshape(1, 1, -1),
        r"found shape \(1, 1, 11\); expected \(",
    ),
    ("test", "z_label", lambda a: np.stack([a, a]), r"found shape \(2, 5\); expected \(samples,\)"),
    ("test", "z_label", lambda a: a[:0], r"found shape \(0,\); expected \(samples,\), not empty"),
    ("test", "gtest_out", lambda a: a.ravel(), r"found shape \(105,\); expected \(samples, 7\)"),
    # dtype
    ("test", "train", lambda a: a.astype(str), "found dtype <U.*; expected floating-point"),
    ("test", "train", lambda a: a > 0, "found dtype bool; expected floating-point numbers"),
    ("val", "ztest", lambda a: a + 0j, "found dtype complex64; expected floating-point numbers"),
    ("test", "g_label", lambda a: a + 0.5, "found dtype float64; expected whole-number class ids"),
    ("test", "train_label", lambda a: a.astype(str), "found dtype <U.*; expected whole-number"),
    # NaN or infinity
    ("test", "train", put(np.nan, 4, 1), "row 4, column 1 is nan; every value must be finite"),
    ("val", "ztest", put(-np.inf, 1, 0), "row 1, column 0 is -inf; every value must be finite"),
    ("val", "val_out", put(np.nan, 3, 6), "row 3, column 6 is nan; every value must be finite"),
    # label outside the dataset
    ("test", "g_label", put(7, 0), r"label 7 \(1 samples\); tiny has classes 0 to 6"),
    ("val", "train_label", put(-1, 0), r"label -1 \(1 samples\); tiny has classes 0 to 6"),
    ("test", "z_label", lambda a: a + 3, r"label 7 \(2 samples\); .* \(labels are 0-based\)"),
    # rows that disagree
    ("test", "train", lambda a: a[:-1], "has 10 rows and .*train_label.npy has 11; they must desc"),
    (
        "test",
        "g_label",
        lambda a: np.append(a, 0),
        "gtest.npy has 15 rows and .*g_label.npy has 16",
    ),
    ("val", "val_out", lambda a: a[1:], "val.npy has 6 rows and .*val_out.npy has 5; they must"),
    # logits without one column a class
    (
        "test",
        "gtest_out",
        lambda a: a[:, :5],
        "5 columns of logits; expected 7, one a class of the",
    ),
    (
        "val",
        "ztest_out",
        lambda a: np.hstack([a, a]),
        "14 columns of logits; expected 7, one a cla",
    ),
    # training samples of an unseen class
    ("test", "train_label", put(4, 0), r"1 TRAINING SAMPLES OF UNSEEN CLASSES \(4\)"),
    ("val", "train_label", put(5, 0), r"1 TRAINING SAMPLES OF UNSEEN CLASSES \(5\)"),
    ("val", "train_label", put(1, 0), r"1 TRAINING SAMPLES OF UNSEEN CLASSES \(1\)"),
    # empty class
    ("test", "train_label", relabel(6, 5), "no sample of classes 6; each needs at least one"),
    ("test", "z_label", relabel(1, 4), "no sample of classes 1; each needs at least one"),
    ("val", "val_label", relabel(2, 3), "no sample of classes 2; each needs at least one"),
    # classes where the split has none
    ("test", "z_label", put(2, 0), "samples of classes 2, which the split does not put there"),
    ("val", "z_label", put(3, 0), "samples of classes 3, which the split does not put there"),
    ("val", "val_label", put(4, 0), "samples of classes 4, which the split does not put there"),
    # widths that disagree
    ("test", "ztest", lambda a: a[:, :2], "features are 2 wide; those of train.npy are 3 wide"),
    (
        "val",
        "val",
        lambda a: np.hstack([a, a]),
        "features are 6 wide; those of train.npy are 3 wid",
    ),
    # pickles
    ("test", "train", lambda a: a.astype(object), r"not a readable \.npy array"),
    ("val", "z_label", lambda a: a.astype(object), r"not a readable \.npy array"),
]


@pytest.mark.parametrize(
    ("phase", "name", "change", "message"),
    BAD,
    ids=[f"{phase}.{name}: {message[:24]}" for phase, name, _, message in BAD],
)
def test_bad_arrays(
    tmp_path: Path,
    phase: str,
    name: str,
    change: Callable[[np.ndarray], np.ndarray],
    message: str,
) -> None:
    arrays = published(phase)
    folder = write(tmp_path, arrays)
    import_phase(folder, SPLIT, phase, gated=True)
    np.save(folder / f"{name}.npy", change(arrays[name]), allow_pickle=True)
    with pytest.raises(InputError, match=message) as caught:
        import_phase(folder, SPLIT, phase, gated=True)
    assert f"{folder / name}.npy" in str(caught.value)


@pytest.mark.parametrize("phase", ["test", "val"])
def test_a_folder_of_another_split(tmp_path: Path, phase: str) -> None:
    # As many unseen classes, hence the same folder name, but other ones.
    other = make_split("tiny", C, [2, 3], [1, 6], kind="listed", where="")
    folder = write(tmp_path, published(phase, other))
    with pytest.raises(InputError, match=r"TRAINING SAMPLES OF UNSEEN|does not put there"):
        import_phase(folder, SPLIT, phase, gated=True)


def test_files_that_are_no_features(tmp_path: Path) -> None:
    write_tensors(tmp_path / "file", {"weights": np.zeros(3)})
    with pytest.raises(InputError, match="file: not a features file; run the `features` stage"):
        load_phase(tmp_path / "file")
    with pytest.raises(InputError, match=r"ztest\.npy: not a readable safetensors file"):
        load_phase(write(tmp_path, published("test")) / "ztest.npy")


# --- the real ones ------------------------------------------------------------------------------


def test_utd_mhad_features_import(data_dir: Path, tmp_path: Path) -> None:
    split = listed_split(ROOT / "data" / "splits" / "utd27-u5.yaml", "utd27", 27, 5)
    phases = {}
    for phase, counts in (("test", (351, 160, 430)), ("val", (203, 80, 148))):
        folder = find_folder(data_dir / "utd-mhad", split, phase)
        sets = import_phase(folder, split, phase, gated=True)
        assert tuple(len(sets[name].labels) for name in ("train", "zsl", "gzsl")) == counts
        save_phase(tmp_path / phase, sets)
        found = load_phase(tmp_path / phase)
        assert found.width == 256
        assert np.array_equal(found.train.features.numpy(), np.load(folder / "train.npy"))
        assert np.array_equal(found.zsl.labels.numpy(), np.load(folder / "z_label.npy"))
        phases[phase] = sets
        assert report_zero_rows(sets, phase) == []
    # UTD-MHAD has 4 recordings of nearly every class and subject, and half of the subjects train.
    (finding,) = report_overlap(phases["test"], phases["val"])
    assert "cannot be known from counts" in finding


def test_recording_names_are_read_where_both_phases_have_them(tmp_path: Path) -> None:
    folders = {"test": tmp_path / "a", "val": tmp_path / "b"}
    for folder in folders.values():
        folder.mkdir()
    assert recording_names(folders) is None
    write_json(folders["test"] / "names.json", {"gtest": ["x", "y"], "train": ["z"]})
    assert recording_names(folders) is None
    write_json(folders["val"] / "names.json", {"train": ["q"], "val": ["z"], "ztest": ["w"]})
    assert recording_names(folders) == ({"x", "y"}, {"z", "w"})
