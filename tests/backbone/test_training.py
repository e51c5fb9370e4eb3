"""Training and checkpoints of the skeleton encoder."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from amsf.backbone import training as backbone_training
from amsf.backbone.network import EncoderShape
from amsf.backbone.preprocessing import SkeletonSamples, prepare
from amsf.backbone.training import encode, load_encoder, save_encoder, train_encoder
from amsf.base.errors import InputError
from amsf.demo.simulation import simulate
from amsf.machine.snapshots import save_snapshot
from amsf.settings.params import Backbone
from amsf.skeleton.joints import LAYOUTS

CPU = torch.device("cpu")
CLASSES = (0, 12, 34, 41)  # drink, raise an arm, sit down, walk in place
SHAPE = EncoderShape("kinect25", classes=59, frames=16, graph_width=8, width=64)
KNOBS = Backbone(epochs=30, batch_size=8, learning_rate=4e-3, frames=16)


@pytest.fixture(scope="module")
def data() -> dict[str, tuple[SkeletonSamples, np.ndarray]]:
    recordings = simulate(subjects=8, repetitions=1)
    known = np.isin(recordings.label, CLASSES)
    parts = {}
    for name, parity in (("train", 1), ("test", 0)):
        rows = np.flatnonzero(known & (recordings.subject % 2 == parity))
        samples = prepare(recordings, rows, LAYOUTS["kinect25"], 16)
        parts[name] = samples, recordings.label[rows]
    return parts


def test_it_learns_classes_that_carry_to_other_people(
    data: dict[str, tuple[SkeletonSamples, np.ndarray]],
) -> None:
    encoder = train_encoder(*data["train"], CLASSES, SHAPE, KNOBS, CPU)
    samples, label = data["test"]
    features, logits = encode(encoder, samples, CPU)
    assert features.shape == (len(label), 2 * 64)
    assert logits.shape == (len(label), 59)
    found = np.asarray(CLASSES)[logits[:, CLASSES].argmax(1)]
    assert (found == label).mean() > 0.8


def test_equal_seeds_give_equal_weights_and_leave_torch_alone(
    data: dict[str, tuple[SkeletonSamples, np.ndarray]],
) -> None:
    knobs = KNOBS.model_copy(update={"epochs": 1})
    torch.manual_seed(5)
    first = train_encoder(*data["train"], CLASSES, SHAPE, knobs, CPU).state_dict()
    drawn = torch.rand(1)
    torch.manual_seed(5)
    assert torch.equal(torch.rand(1), drawn)
    second = train_encoder(*data["train"], CLASSES, SHAPE, knobs, CPU).state_dict()
    other = knobs.model_copy(update={"seed": 1})
    third = train_encoder(*data["train"], CLASSES, SHAPE, other, CPU).state_dict()
    assert all(torch.equal(first[k], second[k]) for k in first)
    assert not torch.equal(first["classify.weight"], third["classify.weight"])


def test_columns_of_other_classes_get_no_gradient(
    data: dict[str, tuple[SkeletonSamples, np.ndarray]],
) -> None:
    biases = []
    for epochs in (1, 3):
        knobs = KNOBS.model_copy(update={"epochs": epochs})
        encoder = train_encoder(*data["train"], CLASSES, SHAPE, knobs, CPU)
        biases.append(encoder.classify.bias.detach())
    others = [c for c in range(59) if c not in CLASSES]
    # Weight decay alone: a common factor.
    ratio = biases[1][others] / biases[0][others]
    torch.testing.assert_close(ratio, ratio[:1].expand_as(ratio), atol=1e-4, rtol=1e-4)
    assert (biases[1] / biases[0])[list(CLASSES)].std() > 1e-3


def test_a_saved_encoder_encodes_the_same(
    data: dict[str, tuple[SkeletonSamples, np.ndarray]], tmp_path: Path
) -> None:
    knobs = KNOBS.model_copy(update={"epochs": 1})
    encoder = train_encoder(*data["train"], CLASSES, SHAPE, knobs, CPU)
    save_encoder(tmp_path, "encoder_test", encoder, {"classes": list(CLASSES)})
    loaded, note = load_encoder(tmp_path, "encoder_test")
    assert note == {"classes": list(CLASSES)}
    assert loaded.shape == SHAPE
    for a, b in zip(encode(loaded, data["test"][0], CPU), encode(encoder, data["test"][0], CPU)):
        assert torch.equal(a, b)


def test_a_damaged_checkpoint_is_told(
    data: dict[str, tuple[SkeletonSamples, np.ndarray]], tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="no such file"):
        load_encoder(tmp_path, "encoder_test")
    knobs = KNOBS.model_copy(update={"epochs": 1})
    encoder = train_encoder(*data["train"], CLASSES, SHAPE, knobs, CPU)
    save_encoder(tmp_path, "encoder_test", encoder, {})
    note = tmp_path / "encoder_test.json"
    note.write_text(note.read_text().replace("kinect25", "kinect20"))
    with pytest.raises(InputError, match="not an encoder of this version"):
        load_encoder(tmp_path, "encoder_test")


def test_an_interrupted_training_goes_on_to_the_same_weights(
    tmp_path: Path,
    data: dict[str, tuple[SkeletonSamples, np.ndarray]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    knobs = KNOBS.model_copy(update={"epochs": 4})
    whole = train_encoder(*data["train"], CLASSES, SHAPE, knobs, CPU).state_dict()
    epochs = iter([False, False, True])

    def interrupted(*args: object) -> None:
        save_snapshot(*args)  # type: ignore[arg-type]
        if next(epochs):
            raise KeyboardInterrupt

    monkeypatch.setattr(backbone_training, "save_snapshot", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train_encoder(*data["train"], CLASSES, SHAPE, knobs, CPU, snapshots=tmp_path)
    monkeypatch.undo()
    torch.rand(3)
    rest = train_encoder(*data["train"], CLASSES, SHAPE, knobs, CPU, snapshots=tmp_path)
    assert all(torch.equal(whole[name], tensor) for name, tensor in rest.state_dict().items())
    # Training on other samples has a snapshot of its own.
    samples, label = data["train"]
    fewer = samples[torch.arange(8)], label[:8]
    train_encoder(
        *fewer, CLASSES, SHAPE, KNOBS.model_copy(update={"epochs": 1}), CPU, "e", tmp_path
    )
    assert len(list(tmp_path.iterdir())) == 2
    # And so has one with another number of threads, which changes the order of sums.
    before = torch.get_num_threads()
    torch.set_num_threads(before + 1)
    try:
        train_encoder(
            *fewer, CLASSES, SHAPE, KNOBS.model_copy(update={"epochs": 1}), CPU, "e", tmp_path
        )
    finally:
        torch.set_num_threads(before)
    assert len(list(tmp_path.iterdir())) == 3
    # Or with other kernels than this process has, whatever those are.
    other = "AVX" if os.environ.get("ONEDNN_MAX_CPU_ISA") == "SSE41" else "SSE41"
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", other)  # read too late to have an effect here
    train_encoder(
        *fewer, CLASSES, SHAPE, KNOBS.model_copy(update={"epochs": 1}), CPU, "e", tmp_path
    )
    assert len(list(tmp_path.iterdir())) == 4


@pytest.mark.parametrize("rate", [1e30, float("inf")])
def test_a_loss_that_is_not_finite_is_told(
    data: dict[str, tuple[SkeletonSamples, np.ndarray]], rate: float
) -> None:
    samples, labels = data["train"]
    knobs = KNOBS.model_copy(update={"learning_rate": rate, "epochs": 2})
    with pytest.raises(InputError, match=r"encoder is not finite in epoch 1.*learning_rate"):
        train_encoder(samples, labels, CLASSES, SHAPE, knobs, CPU)
