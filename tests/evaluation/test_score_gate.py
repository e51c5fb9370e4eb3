"""Gates on scores: against scikit-learn, by hand, and damaged files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import hmean
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import recall_score

from amsf.base.errors import InputError
from amsf.evaluation.evidence import SCORES, Evidence, collect_evidence
from amsf.evaluation.gate_space import GateSpace
from amsf.evaluation.gates import (
    Validation,
    choose_gate,
    fit_named_gate,
    load_gate,
    validate_gates,
)
from amsf.evaluation.held_out import Draw, HeldOut
from amsf.evaluation.score_gate import SCORE_GATES, ScoreGate, fit_score_gate
from amsf.features.phases import SampleSet
from amsf.model.aligner import Config, build_aligner
from amsf.settings.protocol import GATES
from tests.support.small_benchmark import small_settings

KNOBS = {"temperature": 2.0, "regularisation": 2.0, "threshold": 0.0}


def evidence(rng: np.random.Generator, count: int = 120) -> tuple[Evidence, np.ndarray]:
    """Made-up evidence in which every score is higher for unseen samples."""
    is_unseen = np.arange(count) % 3 == 0
    scores = {name: 2 * is_unseen + rng.normal(size=count) for name in SCORES}
    p = rng.dirichlet(np.ones(3), count)
    return Evidence(p, rng.normal(size=(count, 8)), scores), is_unseen


def draw(rng: np.random.Generator, count: int = 120, scale: float = 1.0) -> Draw:
    given, is_unseen = evidence(rng, count)
    return Draw({name: scale * scores for name, scores in given.scores.items()}, is_unseen)


@pytest.mark.parametrize("name", SCORE_GATES)
def test_it_is_scikit_learns_regression_on_the_sum_of_standard_scores(name: str) -> None:
    given, is_unseen = evidence(np.random.default_rng(0))
    gate = fit_score_gate(name, [Draw(given.scores, is_unseen)], None, **KNOBS)
    x = np.stack([given.scores[part] for part in SCORE_GATES[name]], 1)
    z = (x - x[~is_unseen].mean(0)) / x[~is_unseen].std(0)
    regression = LogisticRegression(C=2.0, class_weight="balanced", tol=1e-8, max_iter=1000)
    total = (z @ [0.5, 1, 1] if name == "combined" else z[:, 0])[:, None]
    expected = regression.fit(total, is_unseen).predict_proba(total)[:, 1]
    found = gate.probability_of(given)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    halfway = (expected[is_unseen].mean() + expected[~is_unseen].mean()) / 2
    assert gate.threshold == pytest.approx(halfway, abs=1e-4)
    assert ((found > gate.threshold) == is_unseen).mean() > 0.75


def test_draws_on_other_scales_and_other_models_give_the_same_gate() -> None:
    first, second = (draw(np.random.default_rng(seed)) for seed in (1, 2))
    scaled = replace(second, scores={k: 7 * v - 3 for k, v in second.scores.items()})
    known = {name: scores[~first.is_unseen] for name, scores in first.scores.items()}
    one = fit_score_gate("combined", [first, second], None, **KNOBS)
    other = fit_score_gate("combined", [first, scaled], known, **KNOBS)
    np.testing.assert_allclose(np.array(other.coefficients), one.coefficients, rtol=1e-6)
    np.testing.assert_allclose(np.array(other.mean), one.mean, rtol=1e-6)
    assert other.threshold == pytest.approx(one.threshold)
    np.testing.assert_allclose(one.of_draw(scaled), other.of_draw(second))


def test_a_given_threshold_is_kept_and_one_side_alone_is_refused() -> None:
    given = draw(np.random.default_rng(1), 30)
    fixed = {**KNOBS, "threshold": 0.3}
    assert fit_score_gate("distance", [given], None, **fixed).threshold == 0.3
    alone = replace(given, is_unseen=np.zeros(30, bool))
    with pytest.raises(InputError, match="0 validation-unseen and 30 validation-seen samples"):
        fit_score_gate("distance", [alone], None, **KNOBS)


def test_what_was_left_out_replaces_the_one_validation_draw() -> None:
    rng = np.random.default_rng(5)
    given, is_unseen = evidence(rng)
    own = {name: given.scores[name] for name in ("distance", "prototypes", "ridge")}
    left = draw(rng, 60)
    draws = (Draw({name: left.scores[name] for name in own}, left.is_unseen),)
    known = {name: rng.normal(3, 2, 40) for name in (*own, "energy", "probability")}
    settings = small_settings()
    alone = Validation(given, is_unseen, None)
    both = Validation(given, is_unseen, HeldOut(draws, known))
    for name in SCORE_GATES:
        fitted = fit_named_gate(name, both, settings)
        assert isinstance(fitted, ScoreGate)
        there = set(fitted.scores) <= set(own)
        expected = fit_score_gate(
            name,
            draws if there else [Draw(given.scores, is_unseen)],
            None if name == "stacking" else known,
            **KNOBS,
        )
        assert fitted == expected
        assert (fitted == fit_named_gate(name, alone, settings)) == (name == "stacking")


def test_gates_are_chosen_by_several_draws_and_never_by_one() -> None:
    given, is_unseen = evidence(np.random.default_rng(6))
    settings = small_settings()
    alone = Validation(given, is_unseen, None)
    gates = {name: fit_named_gate(name, alone, settings) for name in GATES}
    assert list(validate_gates(gates, alone)) == ["combined"]
    draws = [draw(np.random.default_rng(seed)) for seed in range(3)]
    draws = [
        replace(one, scores={k: v for k, v in one.scores.items() if k != "stacking"})
        for one in draws
    ]
    for one in draws:  # the best of all, on these draws
        one.scores["energy"][one.is_unseen] += 9  # type: ignore[index]
    both = replace(alone, held_out=HeldOut(tuple(draws), draws[0].scores))
    gates = {name: fit_named_gate(name, both, settings) for name in GATES}
    found = validate_gates(gates, both)
    assert set(found) == {"probability", "energy", "distance", "combined"}
    gate = gates["combined"]
    assert isinstance(gate, ScoreGate)
    for one, worth in zip(draws, found["combined"], strict=True):
        truth, said = one.is_unseen, gate.of_draw(one) > gate.threshold
        assert worth == pytest.approx(
            hmean([recall_score(truth, said), recall_score(~truth, ~said)])
        )
    assert choose_gate(found) == "energy"


@pytest.mark.parametrize(
    ("other", "chosen"),
    [
        ([0.8, 0.9, 0.7], "distance"),  # 10 points better in every draw
        ([0.9, 0.9, 0.6], "combined"),  # as much on average, but by luck
        ([0.6, 0.7, 0.5], "combined"),
    ],
)
def test_another_gate_has_to_be_surely_better(other: list[float], chosen: str) -> None:
    usual = np.array([0.7, 0.8, 0.6])
    assert choose_gate({"distance": np.array(other), "combined": usual}) == chosen
    assert choose_gate({"distance": np.array([0.9]), "combined": np.array([0.6])}) == "combined"


@pytest.mark.parametrize("name", GATES)
def test_a_gate_is_read_as_it_was_written(name: str, tmp_path: Path) -> None:
    given, is_unseen = evidence(np.random.default_rng(2))
    gate = fit_named_gate(name, Validation(given, is_unseen, None), small_settings())
    gate.save(tmp_path / "gate.json")
    again = load_gate(tmp_path / "gate.json")
    assert again == gate
    np.testing.assert_array_equal(again.probability_of(given), gate.probability_of(given))
    assert gate.fits(3)
    assert gate.fits(4) == (name != "regression")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"scores": ["mood"]}, "scores are mood"),
        ({"mean": [1.0, 2.0]}, "other numbers of weights"),
        ({"threshold": 2.0}, "threshold 2.0"),
        ({"coefficients": None}, "not a gate"),
    ],
)
def test_a_damaged_gate_is_refused(change: dict[str, object], words: str, tmp_path: Path) -> None:
    gate = ScoreGate(("distance",), (0.0,), (1.0,), (2.0,), 0.0, 0.5, 2.0)
    path = tmp_path / "gate.json"
    gate.save(path)
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(InputError, match=words):
        load_gate(path)


def test_evidence_by_hand() -> None:
    settings = small_settings()
    config = Config(
        settings.model, settings.train, settings.switches(), 8, 4, "test", 0, (0, 2), (1,), 0
    )
    torch.manual_seed(0)
    model = build_aligner(config)
    rng = np.random.default_rng(0)
    x = torch.from_numpy(rng.normal(size=(5, 4)).astype(np.float32))
    logits = torch.tensor([[2.0, 99.0, 0.0]] * 5)  # the unseen class's column is not looked at
    train = rng.normal(size=(8, 4))
    text = rng.normal(size=(3, 2, 8)).astype(np.float32)
    space = GateSpace.fit(train, np.array([0, 0, 0, 0, 2, 2, 2, 2]), text[[0, 2]])
    found = collect_evidence(
        model, SampleSet(x, torch.zeros(5), logits), space, text[[0, 2]], text[[1]], 2.0
    )
    e = np.exp(1.0)
    np.testing.assert_allclose(found.scores["probability"], -e / (e + 1))
    np.testing.assert_allclose(found.scores["energy"], -np.log(e + 1))
    own = space.scores(x.numpy(), text[[0, 2]], text[[1]])
    for name, scores in own.items():
        np.testing.assert_array_equal(found.scores[name], scores)
    a, t = model.embed(x).numpy(), model.embed_text(torch.from_numpy(text)).numpy()
    cosines = (a / np.linalg.norm(a, axis=1, keepdims=True)) @ (
        t / np.linalg.norm(t, axis=1, keepdims=True)
    ).T
    expected = cosines[:, 1] - cosines[:, [0, 2]].max(1)
    np.testing.assert_allclose(found.scores["stacking"], expected, atol=1e-5)
    np.testing.assert_array_equal(found.unseen_probabilities, np.ones((5, 1)))


def test_every_gate_that_the_parameters_name_can_be_fitted() -> None:
    assert set(GATES) == {"regression", *SCORE_GATES}
