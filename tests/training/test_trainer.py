"""Training of one phase: batches, noise, cycles, determinism and each protocol switch."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.functional import normalize

from amsf.base.errors import InputError
from amsf.features.checks import ImportedSamples
from amsf.features.phases import PhaseFeatures, SampleSet, load_phase, save_phase
from amsf.model import eager_adam
from amsf.model.aligner import Config
from amsf.settings.params import Settings
from amsf.training.trainer import PhaseTrainer, Streams, draw_batches
from tests.support.small_benchmark import PUBLISHED, SPLIT, small_inputs, small_settings

CPU = torch.device("cpu")


def trainer(
    folder: Path, settings: Settings, seed: int = 0, data: PhaseFeatures | None = None
) -> tuple[PhaseTrainer, PhaseFeatures]:
    inputs = small_inputs(folder, settings)
    data = data or load_phase(folder / "test.safetensors")
    config = Config(
        model=settings.model,
        train=settings.train,
        switches=settings.switches(),
        text_width=inputs.text.shape[2],
        feature_width=data.width,
        phase="test",
        seed=seed,
        seen=SPLIT.seen,
        unseen=SPLIT.unseen,
        cycle=0,
    )
    streams = Streams.seeded(seed, "test", CPU)
    text = torch.from_numpy(inputs.text)
    return PhaseTrainer(settings, config, data.train, text, streams, CPU), data


def final_weights(folder: Path, settings: Settings, seed: int = 0) -> dict[str, torch.Tensor]:
    trained, _ = trainer(folder, settings, seed)
    states = [result.state for result in trained.cycles(settings.train.cycles, None)]
    return states[-1]


def test_batches_hold_no_sample_twice_and_reach_all() -> None:
    batches = draw_batches(np.random.default_rng(0), 50, 8, 200)
    assert batches.shape == (200, 8)
    assert all(len(set(batch)) == 8 for batch in batches.tolist())
    assert set(batches.ravel()) == set(range(50))
    counts = np.bincount(batches.ravel(), minlength=50)
    # Binomial with mean 32 and deviation 5.2: six deviations on either side.
    assert counts.min() > 0
    assert abs(counts - 32).max() < 31


def test_a_batch_is_at_most_all_samples() -> None:
    batches = draw_batches(np.random.default_rng(0), 5, 64, 3)
    assert sorted(batches[0].tolist()) == [0, 1, 2, 3, 4]


def test_same_seed_same_bytes(tmp_path: Path) -> None:
    settings = small_settings()
    first, second = (final_weights(tmp_path, settings) for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)
    other = final_weights(tmp_path, settings, seed=1)
    assert not torch.equal(first["class_prototypes"], other["class_prototypes"])


def test_learns_to_name_unseen_classes(tmp_path: Path) -> None:
    settings = small_settings(train={"cycles": 4, "steps_per_cycle": 300})
    trained, data = trainer(tmp_path, settings)
    results = list(trained.cycles(4, data.zsl))
    assert results[-1].accuracy is not None
    assert results[-1].accuracy > 0.7
    first, last = results[0].points[0], results[-1].points[-1]
    assert last["loss_skeleton_recon"] < 0.5 * first["loss_skeleton_recon"]


def test_curve_rows_are_means_between_rows(tmp_path: Path) -> None:
    settings = small_settings(train={"steps_per_cycle": 45, "cycles": 1}, protocol=PUBLISHED)
    trained, _ = trainer(tmp_path, settings)
    rows = next(iter(trained.cycles(1, None))).points
    assert [row["step"] for row in rows] == [*range(2, 45, 2), 45]
    assert rows[-1]["weight_text_cross"] == rows[-1]["weight_skeleton_cross"] == 1
    assert rows[0]["weight_text_cross"] == rows[0]["weight_skeleton_kl"] == 0
    assert rows[0]["weight_skeleton_recon"] == 1


def test_unobserved_samples_change_nothing(tmp_path: Path) -> None:
    settings = small_settings()
    seen = final_weights(tmp_path, settings)
    trained, data = trainer(tmp_path, settings)
    observed = [result.state for result in trained.cycles(3, data.zsl)][-1]
    assert all(torch.equal(seen[name], observed[name]) for name in seen)


@pytest.mark.parametrize(
    ("switch", "values"),
    [
        ("noise", ("independent", "shared")),
        ("standardise", (True, False)),
        ("centre_texts", (True, False)),
        ("fusion_start", ("linear", "random")),
        ("decoder", ("linear", "relu")),
        ("discriminative_weight", (0.03, 0.0)),
        ("schedule", ("steady", "fraction")),
        ("schedule", ("fraction", "absolute")),
        ("initial_logvar", (-5.0, 0.0)),
        ("kl_weight", (0.0, 0.1)),
    ],
)
def test_each_switch_changes_the_result(
    tmp_path: Path, switch: str, values: tuple[object, object]
) -> None:
    weights = [
        final_weights(tmp_path, small_settings(protocol={switch: value})) for value in values
    ]
    assert any(not torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


@pytest.mark.parametrize("switch", ["classifier_relu", "classifier_restart"])
def test_each_switch_of_the_classifier_changes_the_result(tmp_path: Path, switch: str) -> None:
    weights = [
        final_weights(tmp_path, small_settings(protocol={"read_out": "classifier", switch: value}))
        for value in (False, True)
    ]
    assert any(not torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


@pytest.mark.parametrize("noise", ["independent", "shared"])
def test_noise_shape(tmp_path: Path, noise: str) -> None:
    trained, _ = trainer(tmp_path, small_settings(protocol={"noise": noise}))
    assert trained.model._noise(9, trained.streams.noise).shape == (
        9,
        6 if noise == "independent" else 1,
    )


@pytest.mark.parametrize("large", [1, 2**16])
@pytest.mark.parametrize("restart", [True, False])
def test_classifier_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, restart: bool, large: int
) -> None:
    monkeypatch.setattr(eager_adam, "LARGE", large)
    protocol = {"read_out": "classifier", "classifier_restart": restart}
    settings = small_settings(protocol=protocol, train={"cycles": 2})
    trained, _ = trainer(tmp_path, settings)
    steps = []
    for _ in trained.cycles(2, None):
        steps.append(int(trained.model._classifier_adam.state["0 step"]))
    assert steps == ([60, 60] if restart else [60, 120])


def test_features_are_normalised_unless_told_otherwise(tmp_path: Path) -> None:
    """Normalising the features beforehand changes nothing, unless it is switched off."""
    data = load_phase_of(tmp_path)
    normed = SampleSet(normalize(data.train.features, dim=1), data.train.labels)
    beforehand = PhaseFeatures(normed, data.zsl, data.gzsl)

    def recon(data: PhaseFeatures, normalise: bool) -> float:
        settings = small_settings(
            model={"normalise_features": normalise}, protocol={"standardise": False}
        )
        trained, _ = trainer(tmp_path, settings, data=data)
        return next(iter(trained.cycles(1, None))).points[0]["loss_skeleton_recon"]

    assert recon(data, True) == pytest.approx(recon(beforehand, False), rel=1e-4)
    assert recon(data, False) != pytest.approx(recon(data, True), rel=1e-2)


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="needs Linux's /proc")
def test_features_are_read_where_they_lie(tmp_path: Path) -> None:
    """64 MB of features take no memory of the process's own, in training and in evaluation."""
    small_inputs(tmp_path, small_settings())
    given = load_phase(tmp_path / "test.safetensors")
    repeat = 2**26 // (4 * given.train.features.numel())
    many = ImportedSamples(
        given.train.features.repeat(repeat, 1).numpy(),
        given.train.labels.repeat(repeat).numpy(),
        None,
    )
    few = ImportedSamples(given.zsl.features.numpy(), given.zsl.labels.numpy(), None)
    save_phase(tmp_path / "many.safetensors", {"train": many, "zsl": few})
    del many

    def own_memory() -> int:
        status = Path("/proc/self/status").read_text()
        return int(re.findall(r"RssAnon:\s+(\d+)", status)[0]) * 1024

    before = own_memory()
    data = load_phase(tmp_path / "many.safetensors")
    trained, _ = trainer(tmp_path, small_settings(), data=data)
    next(iter(trained.cycles(1, None)))
    trained.model.embed(data.train.features[:1000])
    grown = own_memory() - before
    # The labels are copied: 8 bytes beside 64 of features.
    assert grown < 2**26 / 2


@pytest.mark.parametrize("batch_size", [4, 64])
@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_classes_of_a_batch(tmp_path: Path, batch_size: int, device: str) -> None:
    settings = small_settings(train={"batch_size": batch_size}, protocol=PUBLISHED)
    trained, data = trainer(tmp_path, settings)
    batch = torch.arange(0, 420, 420 // batch_size)[:batch_size]
    expected = trained.seen_text[[SPLIT.seen.index(c) for c in data.train.labels[batch].tolist()]]
    if device == "cpu":
        text, labels = trained._classes_of(batch)
        distinct = len(set(data.train.labels[batch].tolist()))
        assert len(text) == 4 * -(-distinct // 4)
        assert torch.equal(text[labels], expected)
        return
    # Where asking for the number of classes would make the host wait, it does not depend on them.
    trained.device = torch.device(device)
    trained.labels, trained.seen_text = trained.labels.to(device), trained.seen_text.to(device)
    text, labels = trained._classes_of(batch.to(device))
    assert len(text) == min(21, batch_size)
    assert text[labels].shape == expected.shape


def test_a_nonfinite_loss_names_terms_and_step(tmp_path: Path) -> None:
    data = load_phase_with_infinite_row(tmp_path)
    settings = small_settings(model={"normalise_features": False}, protocol={"standardise": False})
    trained, _ = trainer(tmp_path, settings, data=data)
    with pytest.raises(InputError, match=r"test phase, seed 0.*skeleton_recon.*step 1 of cycle 1"):
        list(trained.cycles(1, None))


@pytest.mark.parametrize(
    ("train", "named"),
    [
        # The only step's loss is finite; its update is not.
        ({"learning_rate": 1e38, "steps_per_cycle": 1}, "the loss of the unseen classes"),
        ({"classifier_learning_rate": 1e38}, "the loss of the unseen classes"),
        ({"classifier_learning_rate": 1e39, "classifier_steps": 1}, r"classifier\.linear\.weight"),
    ],
)
def test_nonfinite_weights_are_told(tmp_path: Path, train: dict[str, float], named: str) -> None:
    settings = small_settings(train=train, protocol={"read_out": "classifier"})
    trained, _ = trainer(tmp_path, settings)
    with pytest.raises(InputError, match=rf"seed 0.*{named}.*end of cycle 1.*learning_rate"):
        list(trained.cycles(1, None))


def load_phase_of(folder: Path) -> PhaseFeatures:
    small_inputs(folder, small_settings())
    return load_phase(folder / "test.safetensors")


def load_phase_with_infinite_row(folder: Path) -> PhaseFeatures:
    data = load_phase_of(folder)
    features = data.train.features.clone()
    features[:] = 3e38
    return PhaseFeatures(SampleSet(features, data.train.labels), data.zsl, data.gzsl)
