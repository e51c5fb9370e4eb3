"""A leak planted in any input is caught, or has nowhere to go.

What is refused outright (unseen classes among the training labels, lists that overlap, a recording
on both sides) is in ``bad_input_*.py``; here are the leaks that are told beside a result, and what
training must not look at.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import softmax

from amsf.base.storage import read_tensors, write_array, write_json, write_tensors
from amsf.dataset.splits import OtherSet
from amsf.model.checkpoints import load_model
from amsf.text.features import TextFeatures, import_published
from amsf.training.runs import Inputs, train_benchmark
from stages import features
from tests.bad_input.features import FOLDERS, KEY, _project
from tests.support.small_benchmark import CLASSES, SPLIT, WIDTH, small_inputs, small_settings

TEST, VAL = FOLDERS["test"], FOLDERS["val"]


def _rows(path: Path) -> np.ndarray:
    return np.load(path)


def _softmax(path: Path) -> None:
    np.save(path, softmax(np.load(path), axis=1))


def _put_row(source: Path, target: Path, row: int = 0) -> None:
    array = _rows(target)
    array[row] = _rows(source)[0]
    write_array(target, array)


def _names(gtest: list[str], ztest: list[str], val: list[str]) -> None:
    write_json(TEST / "names.json", {"train": ["a"], "gtest": gtest, "ztest": gtest[:1]})
    write_json(VAL / "names.json", {"train": ["a"], "ztest": ztest, "val": val})


@pytest.mark.parametrize(
    ("plant", "finding"),
    [
        (lambda: None, None),
        (
            lambda: _put_row(TEST / "train.npy", TEST / "gtest.npy"),
            "test.gzsl: 1 of 15 rows are identical to training rows, so what is trained on",
        ),
        (
            lambda: _put_row(TEST / "train.npy", TEST / "ztest.npy"),
            "test.zsl: 1 of 5 rows are identical to training rows",
        ),
        (
            lambda: _put_row(VAL / "train.npy", VAL / "val.npy"),
            "val.gzsl: 1 of 11 rows are identical to training rows",
        ),
        (
            lambda: _put_row(TEST / "gtest.npy", VAL / "val.npy"),
            "1 validation rows are identical to GZSL test rows",
        ),
        (
            lambda: _softmax(TEST / "gtest_out.npy"),
            "test.gzsl: 15 of 15 rows of logits have no negative value and add up to 1",
        ),
        (lambda: _names(["x", "y"], ["z"], ["w"]), None),
        (
            lambda: _names(["x", "y"], ["z"], ["y"]),
            "1 recordings are both validation and GZSL test samples (y is one)",
        ),
        (
            lambda: _names(["x", "y"], ["x"], ["w"]),
            "1 recordings are both validation and GZSL test samples (x is one)",
        ),
    ],
)
def test_a_planted_sample_is_told_in_the_log_and_the_manifest(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    plant: Callable[[], object],
    finding: str | None,
) -> None:
    monkeypatch.chdir(tmp_path)
    _project()
    plant()
    features.main(KEY)
    manifest = json.loads(Path(f"data/features/{KEY}/manifest.json").read_text())
    told = [line for line in manifest["findings"] if "counts" not in line]
    if finding is None:
        assert told == []
    else:
        assert finding in told[0]
        assert f"warning: {KEY}: {finding}" in capsys.readouterr().err


def test_two_classes_with_one_text_are_told(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(4, 6)).astype(np.float32)
    rows[3] = rows[1]
    write_array(tmp_path / "lb_4.npy", rows)
    with pytest.warns(UserWarning, match="one and the same text vector: 1 = 3"):
        read = import_published(tmp_path, {"lb": "lb"}, 4)
    TextFeatures(read.features, ("lb",), "x", "mine").save(tmp_path / "out")
    manifest = json.loads((tmp_path / "out/manifest.json").read_text())
    assert manifest["duplicates"] == {"lb": [[1, 3]]}


# --- what training must not look at -------------------------------------------------------------

FAST = {"cycles": 2, "steps_per_cycle": 20}


def _train(folder: Path, protocol: dict[str, Any], *spoils: Callable[[Inputs], object]) -> Path:
    settings = small_settings(protocol=protocol, train=FAST)
    inputs = small_inputs(folder, settings)
    for spoil in spoils:
        spoil(inputs)
    train_benchmark(inputs, folder / "models", folder / "scratch")
    return folder / "models/seed0"


def _spoil(phase: str, *names: str) -> Callable[[Inputs], None]:
    """Replace some arrays of a phase by noise, and labels by others of the same classes."""

    def spoil(inputs: Inputs) -> None:
        path = inputs.features / f"{phase}.safetensors"
        rng = np.random.default_rng(9)
        tensors = read_tensors(path)
        for name in names:
            old = tensors[name]
            new = rng.permutation(old) if name.endswith("labels") else rng.normal(size=old.shape)
            tensors[name] = new.astype(old.dtype)
        write_tensors(path, tensors)

    return spoil


def _spoil_unseen_texts(inputs: Inputs) -> None:
    inputs.text[list(SPLIT.unseen)] += 3.0


HELD_OUT = ("zsl.features", "zsl.labels", "gzsl.features", "gzsl.labels", "gzsl.logits")


def _weights(folder: Path) -> bytes:
    return (folder / "model.safetensors").read_bytes()


@pytest.mark.parametrize("protocol", [{}, {"selection": "last"}])
def test_test_samples_reach_no_weight_under_a_clean_protocol(
    tmp_path: Path, protocol: dict[str, Any]
) -> None:
    plain = _train(tmp_path / "plain", protocol)
    other = _train(tmp_path / "other", protocol, _spoil("test", *HELD_OUT))
    for phase in ("test", "val"):
        assert _weights(plain / phase) == _weights(other / phase)


def test_the_reference_protocol_lets_them_choose_the_cycle_and_says_so(tmp_path: Path) -> None:
    seed = _train(tmp_path, {"name": "reference"})
    assert load_model(seed / "test").config.switches.selection == "test"


def test_validation_chooses_the_cycle_and_nothing_else(tmp_path: Path) -> None:
    last = {"selection": "last"}
    plain = _train(tmp_path / "plain", last)
    spoiled = ("train.features", "train.labels", *HELD_OUT)
    other = _train(tmp_path / "other", last, _spoil("val", *spoiled))
    assert _weights(plain / "test") == _weights(other / "test")
    assert _weights(plain / "val") != _weights(other / "val")


def _joined(inputs: Inputs) -> Inputs:
    """Four classes of another dataset train too, the first of which is left out."""
    rng = np.random.default_rng(5)
    other = OtherSet("theirs", 4, CLASSES, ((0, SPLIT.unseen[0]),), kept=False)
    for phase in ("test", "val"):
        path = inputs.features / f"{phase}.safetensors"
        labels = np.repeat(np.arange(CLASSES + 1, CLASSES + 4), 20)
        features = np.abs(rng.normal(size=(60, WIDTH))).astype(np.float32)
        also = {"also.features": features, "also.labels": labels}
        write_tensors(path, {**read_tensors(path), **also})
    text = rng.normal(size=(4, *inputs.text.shape[1:])).astype(np.float32)
    split = replace(SPLIT, also=(other,))
    return replace(inputs, split=split, text=np.concatenate([inputs.text, text]))


@pytest.mark.parametrize("aligner", ["vae", "ridge", "prototypes", "conse", "auto"])
def test_other_datasets_teach_the_alignment_and_what_is_left_out_does_not(
    tmp_path: Path, aligner: str
) -> None:
    settings = small_settings(model={"aligner": aligner}, train=FAST)

    def weights(name: str, change: Callable[[Inputs], Inputs]) -> dict[str, torch.Tensor]:
        inputs = change(small_inputs(tmp_path / name, settings))
        train_benchmark(inputs, tmp_path / name / "models", tmp_path / name / "scratch")
        return load_model(tmp_path / name / "models/seed0/test").state_dict()

    def other_words_for(row: int) -> Callable[[Inputs], Inputs]:
        def change(inputs: Inputs) -> Inputs:
            inputs = _joined(inputs)
            inputs.text[CLASSES + row] += 3.0
            return inputs

        return change

    def equal(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
        return all(torch.equal(a[name], b[name]) for name in a if a[name].shape == b[name].shape)

    joint = weights("joint", _joined)
    assert not equal(joint, weights("alone", lambda inputs: inputs))
    assert equal(joint, weights("left out", other_words_for(0)))
    assert not equal(joint, weights("learnt", other_words_for(1)))


def test_texts_of_unseen_classes_reach_their_prototypes_alone(tmp_path: Path) -> None:
    last = {"selection": "last"}
    plain = load_model(_train(tmp_path / "plain", last) / "test").state_dict()
    other = load_model(_train(tmp_path / "other", last, _spoil_unseen_texts) / "test").state_dict()
    same = {name: torch.equal(plain[name], other[name]) for name in plain}
    assert all(same[name] for name in plain if name.startswith("vae."))
    assert not same["class_prototypes"]
