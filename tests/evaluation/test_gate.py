"""The gate against scikit-learn, hand-worked inputs and the published one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from amsf.base.errors import InputError
from amsf.evaluation.gate import Gate, fit_gate, gate_input
from amsf.evaluation.metrics import accuracy, harmonic_mean

PUBLISHED: dict[str, Any] = {"temperature": 2.0, "regularisation": 2.0, "cross_validated": False}


def samples(seen: int = 40, unseen: int = 30, U: int = 3, C: int = 8, seed: int = 0) -> dict:
    """Overlapping validation samples: unseen ones have flatter seen logits."""
    rng = np.random.default_rng(seed)
    is_unseen = np.arange(seen + unseen) < unseen
    logits = rng.normal(size=(seen + unseen, C))
    logits[~is_unseen, 0] += 2.5
    raw = rng.exponential(size=(seen + unseen, U))
    raw[is_unseen, 0] += 1.0
    return {
        "unseen_probabilities": raw / raw.sum(axis=1, keepdims=True),
        "logits": logits,
        "is_unseen": is_unseen,
    }


# --- the gate's input ---------------------------------------------------------------------------


def test_input_by_hand() -> None:
    # exp(ln(w) * T / T) makes the softmax of the logits w over their sum: 4 2 1 1 8 over 16.
    weights = np.array([[4.0, 2.0, 1.0, 1.0, 8.0], [1.0, 1.0, 2.0, 4.0, 8.0]])
    probabilities = np.array([[0.2, 0.8], [0.7, 0.3]])
    expected = [[0.8, 0.2, 8 / 16, 4 / 16], [0.7, 0.3, 8 / 16, 4 / 16]]
    for temperature in (1.0, 2.0, 0.5):
        found = gate_input(probabilities, np.log(weights) * temperature, temperature)
        assert found == pytest.approx(np.array(expected))


@given(st.integers(1, 4), st.integers(4, 9), st.integers(0, 99), st.floats(-50, 50))
@settings(max_examples=20, deadline=None)
def test_input_is_sorted_and_forgets_columns_and_shifts(
    U: int, C: int, seed: int, shift: float
) -> None:
    case = samples(5, 5, U, C, seed)
    p, logits = case["unseen_probabilities"], case["logits"]
    x = gate_input(p, logits, 2.0)
    assert x.shape == (10, 2 * U)
    assert (np.diff(x[:, :U]) <= 0).all()
    assert (np.diff(x[:, U:]) <= 0).all()
    rng = np.random.default_rng(seed)
    other = gate_input(p[:, rng.permutation(U)], logits[:, rng.permutation(C)] + shift, 2.0)
    assert other == pytest.approx(x, rel=1e-9)


def test_input_survives_large_logits() -> None:
    x = gate_input(np.full((1, 2), 0.5), np.array([[3e4, 0.0, -3e4]]), 2.0)
    assert x == pytest.approx(np.array([[0.5, 0.5, 1.0, 0.0]]))


# --- the fit ------------------------------------------------------------------------------------


def plain_input(case: dict[str, np.ndarray], temperature: float) -> np.ndarray:
    """The gate's input, sample by sample, in Python."""
    rows = []
    for p, logits in zip(case["unseen_probabilities"], case["logits"], strict=True):
        e = [float(np.exp(v / temperature)) for v in logits]
        seen = sorted((v / sum(e) for v in e), reverse=True)
        rows.append(sorted(p.tolist(), reverse=True) + seen[: len(p)])
    return np.array(rows)


@pytest.mark.parametrize(("temperature", "regularisation"), [(2.0, 2.0), (1.0, 0.3)])
def test_probability_is_that_of_scikit_learn(temperature: float, regularisation: float) -> None:
    case, new = samples(), samples(seed=1)
    gate = fit_gate(
        **case,
        temperature=temperature,
        regularisation=regularisation,
        threshold=0.4,
        cross_validated=False,
    )
    regression = LogisticRegression(C=regularisation, tol=1e-5, max_iter=1000)
    regression.fit(plain_input(case, temperature), case["is_unseen"])
    assert list(regression.classes_) == [False, True]
    expected = regression.predict_proba(plain_input(new, temperature))[:, 1]
    found = gate.probability(new["unseen_probabilities"], new["logits"])
    assert found == pytest.approx(expected, rel=1e-5)
    assert found[new["is_unseen"]].mean() > found[~new["is_unseen"]].mean()
    assert gate.threshold == 0.4
    assert gate.temperature == temperature


def test_two_class_multinomial_with_half_the_strength_is_the_same() -> None:
    # Softmax over two classes with weights +w/2 and -w/2: their squares sum to |w|^2 / 2.
    case = samples()
    gate = fit_gate(**case, **PUBLISHED, threshold=0.5)
    x, y = plain_input(case, 2.0), case["is_unseen"]
    w = np.array([*gate.coefficients, gate.intercept])

    def loss(w: np.ndarray) -> float:
        margin = np.where(y, 1, -1) * (x @ w[:-1] + w[-1])
        return float(np.logaddexp(0, -margin).sum() + (w[:-1] ** 2).sum() / 4)

    for direction in np.vstack([np.eye(len(w)), -np.eye(len(w))]):
        assert loss(w) <= loss(w + 0.01 * direction), "a step in any direction is no better"


def test_training_threshold_is_midway_between_the_means() -> None:
    case = samples()
    gate = fit_gate(**case, **PUBLISHED, threshold=0.0)
    p = gate.probability(case["unseen_probabilities"], case["logits"])
    middle = (p[case["is_unseen"]].mean() + p[~case["is_unseen"]].mean()) / 2
    assert gate.threshold == pytest.approx(middle)


def test_cross_validated_threshold_by_an_explicit_loop() -> None:
    case = samples()
    options: dict[str, Any] = {"temperature": 2.0, "regularisation": 2.0, "threshold": 0.0}
    gate = fit_gate(**case, **options, cross_validated=True)
    x, y = plain_input(case, 2.0), case["is_unseen"]
    p = np.full(len(y), np.nan)
    for train, held_out in StratifiedKFold(5, shuffle=True, random_state=0).split(x, y):
        regression = LogisticRegression(C=2.0, tol=1e-5, max_iter=1000).fit(x[train], y[train])
        p[held_out] = regression.predict_proba(x[held_out])[:, 1]
    assert gate.threshold == pytest.approx((p[y].mean() + p[~y].mean()) / 2, rel=1e-6)
    # The coefficients come from all samples either way; the threshold does not.
    on_training = fit_gate(**case, **options, cross_validated=False)
    assert gate.coefficients == on_training.coefficients
    assert gate.threshold != pytest.approx(on_training.threshold, rel=1e-6)


@pytest.mark.parametrize(
    ("seen", "unseen", "cross_validated", "needed"),
    [(1, 9, True, 2), (9, 1, True, 2), (0, 9, False, 1), (9, 0, False, 1)],
)
def test_too_few_samples(seen: int, unseen: int, cross_validated: bool, needed: int) -> None:
    message = (
        f"{unseen} validation-unseen and {seen} validation-seen samples; at least {needed} of each"
    )
    with pytest.raises(InputError, match=message):
        fit_gate(
            **samples(seen, unseen),
            temperature=2.0,
            regularisation=2.0,
            threshold=0.0,
            cross_validated=cross_validated,
        )


def test_just_enough_samples() -> None:
    options: dict[str, Any] = {"temperature": 2.0, "regularisation": 2.0, "threshold": 0.0}
    for count in (2, 5):
        gate = fit_gate(**samples(count, count), **options, cross_validated=True)
        assert 0 < gate.threshold < 1
    assert 0 < fit_gate(**samples(1, 1), **options, cross_validated=False).threshold < 1


# --- the file -----------------------------------------------------------------------------------


def test_saved_gate_reads_back_to_the_last_bit(tmp_path: Path) -> None:
    gate = fit_gate(**samples(), **PUBLISHED, threshold=0.0)
    gate.save(tmp_path / "gate.json")
    assert Gate.load(tmp_path / "gate.json") == gate


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "{}",
        '"gate"',
        '{"coefficients": [1], "intercept": 0, "threshold": 0.5}',
        '{"coefficients": 1, "intercept": 0, "threshold": 0.5, "temperature": 2}',
        '{"coefficients": ["x"], "intercept": 0, "threshold": 0.5, "temperature": 2}',
        '{"coefficients": [1], "intercept": null, "threshold": 0.5, "temperature": 2}',
        '{"coefficients": [1], "intercept": 0, "threshold": NaN, "temperature": 2}',
        '{"coefficients": [1',
    ],
)
def test_damaged_gate_files(tmp_path: Path, text: str) -> None:
    (tmp_path / "gate.json").write_text(text)
    with pytest.raises(InputError, match=r"gate\.json: not (a gate|valid JSON)"):
        Gate.load(tmp_path / "gate.json")


# --- the published one --------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "threshold"), [("th0", 0.0), ("th50", 0.5)])
def test_golden_gate(golden_dir: Path, name: str, threshold: float) -> None:
    with np.load(golden_dir / "gate.npz") as file:
        golden: dict[str, Any] = dict(file)
    probabilities = np.concatenate([golden["val_unseen_prob"], golden["val_seen_prob"]])
    logits = np.concatenate([golden["val_unseen_logits"], golden["val_seen_logits"]])
    is_unseen = np.arange(len(logits)) < len(golden["val_unseen_logits"])
    assert golden["temperature"] == PUBLISHED["temperature"]
    gate = fit_gate(probabilities, logits, is_unseen, **PUBLISHED, threshold=threshold)
    # The published gate predicts seen = 1.
    assert gate.coefficients == pytest.approx(-golden["coef"][0], rel=1e-2)
    assert gate.intercept == pytest.approx(-golden["intercept"][0], rel=1e-2)

    labels, test_probabilities = golden["test_label"], golden["test_prob"]
    prediction = np.where(
        gate.probability(test_probabilities, golden["test_logits"]) > gate.threshold,
        golden["unseen"][test_probabilities.argmax(axis=1)],
        golden["seen"][golden["test_logits"][:, golden["seen"]].argmax(axis=1)],
    )
    side = np.isin(labels, golden["unseen"])
    for key, per_class in (("ova", False), ("avg", True)):
        S, U, H, percent = golden[f"result.{key}_{name}"]
        seen = accuracy(labels[~side], prediction[~side], per_class=per_class)
        unseen = accuracy(labels[side], prediction[side], per_class=per_class)
        assert (seen, unseen, harmonic_mean(seen, unseen)) == pytest.approx((S, U, H), abs=1e-6)
        assert gate.threshold == pytest.approx(percent / 100, abs=1e-4)
