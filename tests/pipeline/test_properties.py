"""What must not matter does not: the order of classes, samples and views, from text to score.

C = classes · V = views · D = text width · N = samples · U = unseen classes.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, balanced_accuracy_score
from torch import Tensor

from amsf.base.storage import read_tensors, write_tensors
from amsf.evaluation.decision import GatedAnswers
from amsf.evaluation.evaluate import (
    GzslPredictions,
    SeedResult,
    evaluate_seed,
    load_seed,
    score_gzsl,
)
from amsf.evaluation.gate import fit_gate
from amsf.features.phases import PhaseFeatures, SampleSet, load_phase
from amsf.model.aligner import Aligner
from amsf.model.checkpoints import load_model, save_model
from amsf.model.fusion import FusionModule, build_fusion
from amsf.settings.params import Fusion, Model
from amsf.training.runs import Inputs, train_benchmark
from tests.support.small_benchmark import CLASSES, SPLIT, small_inputs, small_settings

SETTINGS = small_settings(
    protocol={"gate_threshold": "training"}, train={"cycles": 2, "steps_per_cycle": 150}
)
V, D = 3, 8
TEXT = np.ones((CLASSES, 2, 8), np.float32)  # the map alone reads it in evaluation
quick = settings(max_examples=15, deadline=None)
seeds = st.integers(0, 2**31 - 1)


def _trained(folder: Path, inputs: Inputs) -> Path:
    train_benchmark(inputs, folder / "models", folder / "scratch")
    return folder / "models/seed0"


def _phases(folder: Path) -> dict[str, PhaseFeatures]:
    return {name: load_phase(folder / f"{name}.safetensors") for name in ("test", "val")}


@pytest.fixture(scope="module")
def benchmark(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, PhaseFeatures]]:
    """A trained seed and the features of both phases."""
    folder = tmp_path_factory.mktemp("properties")
    return _trained(folder, small_inputs(folder, SETTINGS)), _phases(folder)


@pytest.fixture(scope="module")
def result(benchmark: tuple[Path, dict[str, PhaseFeatures]]) -> SeedResult:
    seed, phases = benchmark
    return evaluate_seed(
        *load_seed(seed, validated=True), phases["test"], phases["val"], TEXT, SETTINGS
    )


def _same_scores(a: SeedResult, b: SeedResult) -> None:
    assert a.scores.keys() == b.scores.keys()
    for name, scores in a.scores.items():
        # The calibration's temperature is where a search stops.
        tolerance = 1e-6 if name == "ece" else 1e-12
        assert b.scores[name] == pytest.approx(scores, abs=tolerance), name


# --- samples ------------------------------------------------------------------------------------


def _ordered(samples: SampleSet, order: np.ndarray) -> SampleSet:
    rows = torch.from_numpy(order)
    logits = None if samples.logits is None else samples.logits[rows]
    return SampleSet(samples.features[rows], samples.labels[rows], logits)


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_samples_matters_nowhere(
    benchmark: tuple[Path, dict[str, PhaseFeatures]], result: SeedResult, seed: int
) -> None:
    folder, phases = benchmark
    rng = np.random.default_rng(seed)
    shuffled, orders = {}, {}
    for name, data in phases.items():
        assert data.gzsl is not None
        orders[name] = (
            rng.permutation(len(data.zsl.labels)),
            rng.permutation(len(data.gzsl.labels)),
        )
        zsl, gzsl = orders[name]
        shuffled[name] = PhaseFeatures(
            data.train, _ordered(data.zsl, zsl), _ordered(data.gzsl, gzsl)
        )
    again = evaluate_seed(
        *load_seed(folder, validated=True), shuffled["test"], shuffled["val"], TEXT, SETTINGS
    )
    assert result.gzsl is not None
    assert again.gzsl is not None
    zsl, gzsl = orders["test"]
    np.testing.assert_array_equal(again.zsl_prediction, result.zsl_prediction[zsl])
    np.testing.assert_array_equal(again.gzsl.prediction, result.gzsl.prediction[gzsl])
    # The gate's fit adds the validation samples in another order.
    np.testing.assert_allclose(
        again.gzsl.answers.probability, result.gzsl.answers.probability[gzsl], atol=1e-4
    )
    _same_scores(result, again)


def test_the_order_of_validation_samples_does_not_move_the_gate() -> None:
    rng = np.random.default_rng(0)
    p, logits = rng.dirichlet(np.ones(3), 80), rng.normal(size=(80, 9))
    is_unseen = rng.random(80) < 0.4
    order = rng.permutation(80)
    knobs = {"temperature": 2.0, "regularisation": 2.0, "threshold": 0.0, "cross_validated": False}
    a = fit_gate(p, logits, is_unseen, **knobs)  # type: ignore[arg-type]
    b = fit_gate(p[order], logits[order], is_unseen[order], **knobs)  # type: ignore[arg-type]
    np.testing.assert_allclose(a.coefficients, b.coefficients, atol=1e-3)
    assert a.threshold == pytest.approx(b.threshold, abs=1e-4)


# --- classes ------------------------------------------------------------------------------------


def _renamed(samples: SampleSet, new: np.ndarray) -> SampleSet:
    """The same samples where class c is called ``new[c]``, in labels and logit columns."""
    logits = None
    if samples.logits is not None:
        logits = torch.empty_like(samples.logits)
        logits[:, torch.from_numpy(new)] = samples.logits
    return SampleSet(samples.features, torch.from_numpy(new[samples.labels.numpy()]), logits)


def _renamed_model(folder: Path, new: np.ndarray, out: Path) -> None:
    """The checkpoint of the same model under new names: outputs follow the sorted unseen ids."""
    model = load_model(folder)
    seen, unseen = (new[list(ids)] for ids in (model.config.seen, model.config.unseen))
    order = torch.from_numpy(np.argsort(unseen))
    state = dict(model.state_dict())
    state["class_prototypes"] = state["class_prototypes"][order].clone()
    config = replace(
        model.config, seen=tuple(np.sort(seen).tolist()), unseen=tuple(np.sort(unseen).tolist())
    )
    save_model(out, config, state)


@pytest.mark.parametrize("seed", range(3))
def test_the_names_of_classes_do_not_matter(
    benchmark: tuple[Path, dict[str, PhaseFeatures]],
    result: SeedResult,
    tmp_path: Path,
    seed: int,
) -> None:
    folder, phases = benchmark
    new = np.random.default_rng(seed).permutation(CLASSES)
    renamed = {}
    for name, data in phases.items():
        _renamed_model(folder / name, new, tmp_path / name)
        assert data.gzsl is not None
        renamed[name] = PhaseFeatures(data.train, _renamed(data.zsl, new), _renamed(data.gzsl, new))
    again = evaluate_seed(
        *load_seed(tmp_path, validated=True), renamed["test"], renamed["val"], TEXT, SETTINGS
    )
    assert result.gzsl is not None
    assert again.gzsl is not None
    np.testing.assert_array_equal(again.zsl_prediction, new[result.zsl_prediction])
    np.testing.assert_array_equal(again.gzsl.prediction, new[result.gzsl.prediction])
    _same_scores(result, again)


def test_training_binds_texts_to_labels_and_not_to_positions(tmp_path: Path) -> None:
    """Renaming seen classes in labels and texts alike gives the same model, in texts alone not.

    The first shows that each sample meets its own class's text; float sums run in another order,
    hence the tolerance.
    """
    short = small_settings(
        evaluate={"task": "zsl"},
        protocol={"selection": "last"},
        train={"cycles": 1, "steps_per_cycle": 40},
    )
    new = np.arange(CLASSES)
    new[list(SPLIT.seen)] = np.random.default_rng(3).permutation(SPLIT.seen)
    models = {}
    for kind, labels_too in (("plain", False), ("both", True), ("texts", False)):
        inputs = small_inputs(tmp_path / kind, short)
        if kind != "plain":
            text = np.empty_like(inputs.text)
            text[new] = inputs.text
            inputs = replace(inputs, text=text)
        if labels_too:
            _rename_training_labels(tmp_path / kind / "test.safetensors", new)
        seed = _trained(tmp_path / kind, inputs)
        models[kind] = load_model(seed / "test").state_dict()
    plain, both, texts = (models[kind] for kind in ("plain", "both", "texts"))
    for name, tensor in plain.items():
        torch.testing.assert_close(both[name], tensor, atol=2e-3, rtol=1e-2)
    name = "vae.text_encoder.mu.weight"
    assert (texts[name] - plain[name]).abs().max() > 10 * (both[name] - plain[name]).abs().max()


def _rename_training_labels(path: Path, new: np.ndarray) -> None:
    tensors = read_tensors(path)
    tensors["train.labels"] = new[tensors["train.labels"]]
    write_tensors(path, tensors)


# --- views --------------------------------------------------------------------------------------


def _module(name: str) -> FusionModule:
    torch.manual_seed(0)
    module = build_fusion(
        Model.model_validate(
            {"fusion": name, "heads": 2, "kernel": 3, "views": ("lb", "MAad", "MAmd")}
        ),
        V,
        D,
    ).eval()
    for parameter in module.parameters():  # scales of 1 and biases of 0 would hide a mix-up
        torch.nn.init.normal_(parameter, std=0.5)
    return module


def _per_view(tensor: Tensor, order: list[int]) -> Tensor:
    """A tensor over V*D inputs, with its blocks of D in another order."""
    return tensor.unflatten(-1, (V, D))[..., order, :].flatten(-2)


def _with_views_in(module: FusionModule, order: list[int]) -> dict[str, Tensor]:
    """The weights of the same function on views in another order, where they tell views apart."""
    state = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    for name, tensor in state.items():
        if name == "w":
            state[name] = tensor[order]
        elif name == "conv.0.weight":
            state[name] = tensor[:, order]
        elif tensor.shape[-1] == V * D and not name.startswith(("mlp.4", "mlp.3")):
            state[name] = _per_view(tensor, order)
    return state


@pytest.mark.parametrize("name", ["MHA", "Former", "MLP", "Linear", "Conv", "Weighted_Add"])
@given(order=st.permutations(range(V)), seed=seeds)
@quick
def test_views_in_another_order_under_weights_in_that_order(
    name: str, order: list[int], seed: int
) -> None:
    module = _module(name)
    x = torch.randn(4, V, D, generator=torch.Generator().manual_seed(seed))
    expected = module(x)
    other = _module(name)
    other.load_state_dict(_with_views_in(module, order))
    torch.testing.assert_close(other(x[:, order]), expected, atol=1e-4, rtol=1e-4)
    if order != sorted(order):
        assert not torch.allclose(module(x[:, order]), expected, atol=1e-3), "views are told apart"


@given(order=st.permutations(range(V)), seed=seeds)
@quick
def test_attention_has_no_position(order: list[int], seed: int) -> None:
    x = torch.randn(4, V, D, generator=torch.Generator().manual_seed(seed))
    for name, blocks in (("MHA", "mha"), ("Former", "transformer")):
        attention = getattr(_module(name), blocks)
        torch.testing.assert_close(attention(x[:, order]), attention(x)[:, order])
    add, concat = _module("Add"), _module("Concat")
    torch.testing.assert_close(add(x[:, order]), add(x))
    torch.testing.assert_close(concat(x[:, order]), _per_view(concat(x), order))


@pytest.mark.parametrize("name", get_args(Fusion))
@given(order=st.permutations(range(5)), seed=seeds)
@quick
def test_the_order_of_classes_is_kept_by_fusion(name: str, order: list[int], seed: int) -> None:
    module = _module(name)
    x = torch.randn(5, V, D, generator=torch.Generator().manual_seed(seed))
    torch.testing.assert_close(module(x[order]), module(x)[order], atol=1e-4, rtol=1e-4)


# --- scores -------------------------------------------------------------------------------------


@given(seed=seeds, count=st.integers(2, 60))
@quick
def test_scores_are_those_of_scikit_learn_on_random_answers(seed: int, count: int) -> None:
    """S, U, H and the area under the curve, against their definitions by other means."""
    rng = np.random.default_rng(seed)
    unseen, seen = np.array([1, 4]), np.array([0, 2, 3])
    labels = np.concatenate([rng.choice(unseen, count), rng.choice(seen, count)])
    probability = rng.integers(0, 8, 2 * count) / 8  # with ties
    answers = {"seen": rng.choice(seen, 2 * count), "unseen": rng.choice(unseen, 2 * count)}

    def at(threshold: float) -> np.ndarray:
        return np.where(probability > threshold, answers["unseen"], answers["seen"])

    gzsl = GzslPredictions(
        labels, GatedAnswers(probability, answers["seen"], answers["unseen"], at(0.5))
    )
    scores, _ = score_gzsl(gzsl, unseen)
    sides = {"unseen": slice(0, count), "seen": slice(count, None)}
    for weighting, score in (("overall", accuracy_score), ("per_class", _balanced)):
        found = {side: score(labels[rows], at(0.5)[rows]) for side, rows in sides.items()}
        for side, value in found.items():
            assert scores[side][weighting] == pytest.approx(value)
        s, u = found["seen"], found["unseen"]
        assert scores["H"][weighting] == pytest.approx(2 * s * u / (s + u) if s + u else 0.0)
        # Every threshold between the probabilities, from all unseen to all seen, by hand.
        points = [
            [score(labels[rows], at(t)[rows]) for rows in (sides["seen"], sides["unseen"])]
            for t in [-1, *(k / 8 + 1 / 16 for k in range(8))]
        ]
        area = sum((s1 - s0) * (u0 + u1) / 2 for (s0, u0), (s1, u1) in pairwise(points))
        assert scores["ausuc"][weighting] == pytest.approx(area)


def _balanced(labels: np.ndarray, predicted: np.ndarray) -> float:
    with warnings.catch_warnings():  # of a predicted class without samples
        warnings.simplefilter("ignore", UserWarning)
        return float(balanced_accuracy_score(labels, predicted))


def test_a_model_says_the_same_of_a_sample_alone_and_among_others(
    benchmark: tuple[Path, dict[str, PhaseFeatures]],
) -> None:
    folder, phases = benchmark
    model: Aligner = load_model(folder / "test")
    features = phases["test"].zsl.features
    together = model.probabilities(features)
    alone = torch.cat([model.probabilities(row[None]) for row in features])
    torch.testing.assert_close(alone, together)
