"""Gates on scores: against scikit-learn, by hand, and damaged files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from amsf.base.errors import InputError
from amsf.evaluation.evidence import SCORES, Evidence, collect_evidence
from amsf.evaluation.gates import fit_named_gate, load_gate
from amsf.evaluation.score_gate import SCORE_GATES, ScoreGate, fit_score_gate
from amsf.features.phases import SampleSet
from amsf.model.aligner import Config, build_aligner
from amsf.model.seen_space import SeenSpace
from amsf.settings.protocol import GATES
from tests.support.small_benchmark import small_settings

KNOBS = {"temperature": 2.0, "regularisation": 2.0, "threshold": 0.0, "cross_validated": False}


def evidence(rng: np.random.Generator, count: int = 120) -> tuple[Evidence, np.ndarray]:
    """Made-up evidence in which every score is higher for unseen samples."""
    is_unseen = np.arange(count) % 3 == 0
    scores = {name: 2 * is_unseen + rng.normal(size=count) for name in SCORES}
    p = rng.dirichlet(np.ones(3), count)
    return Evidence(p, rng.normal(size=(count, 8)), scores), is_unseen


@pytest.mark.parametrize("name", SCORE_GATES)
def test_it_is_scikit_learns_regression(name: str) -> None:
    given, is_unseen = evidence(np.random.default_rng(0))
    gate = fit_score_gate(name, given, is_unseen, **KNOBS)  # type: ignore[arg-type]
    x = np.stack([given.scores[part] for part in SCORE_GATES[name]], 1)
    regression = LogisticRegression(C=2.0, class_weight="balanced", tol=1e-8, max_iter=1000)
    z = StandardScaler().fit_transform(x)
    expected = regression.fit(z, is_unseen).predict_proba(z)[:, 1]
    found = gate.probability_of(given)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    halfway = (expected[is_unseen].mean() + expected[~is_unseen].mean()) / 2
    assert gate.threshold == pytest.approx(halfway, abs=1e-4)
    assert ((found > gate.threshold) == is_unseen).mean() > 0.75


def test_a_threshold_out_of_fold_is_another_and_a_given_one_is_kept() -> None:
    given, is_unseen = evidence(np.random.default_rng(1), 30)
    inside = fit_score_gate("combined", given, is_unseen, **KNOBS)  # type: ignore[arg-type]
    folds = {**KNOBS, "cross_validated": True}
    outside = fit_score_gate("combined", given, is_unseen, **folds)  # type: ignore[arg-type]
    assert inside.coefficients == outside.coefficients
    assert inside.threshold != outside.threshold
    fixed = {**KNOBS, "threshold": 0.3}
    assert fit_score_gate("distance", given, is_unseen, **fixed).threshold == 0.3  # type: ignore[arg-type]


@pytest.mark.parametrize("name", GATES)
def test_a_gate_is_read_as_it_was_written(name: str, tmp_path: Path) -> None:
    given, is_unseen = evidence(np.random.default_rng(2))
    gate = fit_named_gate(name, given, is_unseen, small_settings())
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
    space = SeenSpace.fit(train, np.array([0, 0, 0, 0, 2, 2, 2, 2]))
    text = rng.normal(size=(3, 2, 8)).astype(np.float32)
    found = collect_evidence(
        model, SampleSet(x, torch.zeros(5), logits), space, text[[0, 2]], text[[1]], 2.0
    )
    e = np.exp(1.0)
    np.testing.assert_allclose(found.scores["probability"], -e / (e + 1))
    np.testing.assert_allclose(found.scores["energy"], -np.log(e + 1))
    np.testing.assert_array_equal(found.scores["distance"], space.distance(x.numpy()))
    a, t = model.embed(x).numpy(), model.embed_text(torch.from_numpy(text)).numpy()
    cosines = (a / np.linalg.norm(a, axis=1, keepdims=True)) @ (
        t / np.linalg.norm(t, axis=1, keepdims=True)
    ).T
    expected = cosines[:, 1] - cosines[:, [0, 2]].max(1)
    np.testing.assert_allclose(found.scores["stacking"], expected, atol=1e-5)
    np.testing.assert_array_equal(found.unseen_probabilities, np.ones((5, 1)))


def test_every_gate_that_the_parameters_name_can_be_fitted() -> None:
    assert set(GATES) == {"regression", *SCORE_GATES}
