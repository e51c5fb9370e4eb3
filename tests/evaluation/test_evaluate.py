"""Evaluation against scores worked out with scikit-learn, and the properties that must hold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, balanced_accuracy_score

from amsf.base.errors import InputError
from amsf.evaluation.baselines import evaluate_beside, fit_closed_form
from amsf.evaluation.confidence.measured import measure
from amsf.evaluation.confidence.strangeness import Distances
from amsf.evaluation.confidence.temperature import fit_temperature, temper
from amsf.evaluation.decision import GatedAnswers
from amsf.evaluation.ensemble import Ensemble
from amsf.evaluation.evaluate import (
    GzslPredictions,
    Result,
    SeedResult,
    evaluate,
    evaluate_seed,
    load_seed,
    score_gzsl,
)
from amsf.evaluation.evidence import probabilities_of
from amsf.evaluation.gate_space import space_of
from amsf.evaluation.transductive import look_again, refine
from amsf.features.phases import PhaseFeatures, SampleSet, load_phase
from amsf.model.checkpoints import load_model
from amsf.settings.aligners import ALIGNERS, Method
from amsf.settings.params import Evaluate
from amsf.training.runs import train_benchmark
from tests.support.small_benchmark import CLASSES, SPLIT, small_inputs, small_settings

UNSEEN = np.array(SPLIT.unseen)
SETTINGS = small_settings(train={"cycles": 4, "steps_per_cycle": 300})


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    train_benchmark(small_inputs(folder, SETTINGS), folder / "models", folder / "scratch")
    return folder


def text(folder: Path) -> np.ndarray:
    return small_inputs(folder / "again", SETTINGS).text


def phase(folder: Path, name: str) -> PhaseFeatures:
    return load_phase(folder / f"{name}.safetensors")


@pytest.fixture(scope="module")
def result(trained: Path) -> SeedResult:
    seed = trained / "models/seed0"
    test, val = phase(trained, "test"), phase(trained, "val")
    return evaluate_seed(*load_seed(seed, validated=True), test, val, text(trained), SETTINGS)


def test_scores_equal_scikit_learn(result: SeedResult) -> None:
    gzsl = result.gzsl
    assert gzsl is not None
    is_unseen = np.isin(gzsl.labels, UNSEEN)
    for name, side in (("seen", ~is_unseen), ("unseen", is_unseen)):
        labels, predicted = gzsl.labels[side], gzsl.prediction[side]
        assert result.scores[name]["overall"] == pytest.approx(accuracy_score(labels, predicted))
        with pytest.warns(UserWarning, match="y_pred contains classes not in y_true"):
            balanced = balanced_accuracy_score(labels, predicted)
        assert result.scores[name]["per_class"] == pytest.approx(balanced)
    assert result.scores["zsl"]["overall"] == pytest.approx(
        accuracy_score(result.zsl_labels, result.zsl_prediction)
    )
    s, u = result.scores["seen"]["overall"], result.scores["unseen"]["overall"]
    assert result.scores["H"]["overall"] == pytest.approx(2 / (1 / s + 1 / u))


def test_learns_and_beats_chance(result: SeedResult) -> None:
    assert result.scores["zsl"]["overall"] > 0.6  # chance is 1/3
    # A coin for a gate gives S near 0.4, U near 0.17 and H near 0.24.
    assert result.scores["H"]["overall"] > 0.3


def test_answers_stay_on_their_side(result: SeedResult) -> None:
    gzsl, gate = result.gzsl, result.gate
    assert gzsl is not None
    assert gate is not None
    assert set(gzsl.answers.unseen_prediction) <= set(SPLIT.unseen)
    assert set(gzsl.answers.seen_prediction) <= set(SPLIT.seen)
    says_unseen = np.isin(gzsl.prediction, UNSEEN)
    np.testing.assert_array_equal(says_unseen, gzsl.answers.probability > gate.threshold)


def test_seen_answers_are_the_argmax_over_seen_columns(trained: Path, result: SeedResult) -> None:
    samples = phase(trained, "test").gzsl
    assert samples is not None
    assert samples.logits is not None
    assert result.gzsl is not None
    logits = samples.logits.numpy().copy()
    logits[:, UNSEEN] = -np.inf
    np.testing.assert_array_equal(result.gzsl.answers.seen_prediction, logits.argmax(1))


def test_the_curve_passes_through_the_chosen_threshold(result: SeedResult) -> None:
    assert result.curve is not None
    assert result.gate is not None
    at = np.searchsorted(result.curve.threshold, result.gate.threshold, side="right") - 1
    assert result.curve.seen[at] == pytest.approx(result.scores["seen"]["overall"])
    assert result.curve.unseen[at] == pytest.approx(result.scores["unseen"]["overall"])


def test_permuting_test_samples_permutes_predictions(trained: Path, result: SeedResult) -> None:
    test = phase(trained, "test")
    order = np.random.default_rng(0).permutation(len(test.gzsl.labels))
    shuffled = SampleSet(
        test.gzsl.features[order], test.gzsl.labels[order], test.gzsl.logits[order]
    )
    again = evaluate_seed(
        *load_seed(trained / "models/seed0", validated=True),
        PhaseFeatures(test.train, test.zsl, shuffled),
        phase(trained, "val"),
        text(trained),
        SETTINGS,
    )
    np.testing.assert_array_equal(again.gzsl.prediction, result.gzsl.prediction[order])
    for name, scores in result.scores.items():
        assert again.scores[name] == pytest.approx(scores)


def test_refusals_are_counted_as_a_loop_would(trained: Path) -> None:
    test, val, vectors = phase(trained, "test"), phase(trained, "val"), text(trained)
    found = measure(test, val, vectors, SPLIT, SETTINGS)
    # Features without people: the measure is fitted on the validation phase.
    seen, new = (vectors[list(classes)] for classes in (SPLIT.val_seen, SPLIT.val_unseen))
    assert val.gzsl is not None
    assert test.gzsl is not None
    known = np.isin(val.gzsl.labels.numpy(), SPLIT.val_seen)
    own = space_of(val, seen).scores(val.gzsl.features.numpy(), seen, new)
    assert len(found.strangeness.seen) == known.sum()
    assert len(found.strangeness.unseen) == (~known).sum()
    assert found.strangeness.mean[0] == pytest.approx(own["distance"][known].mean())
    assert found.strangeness.mean[1] == pytest.approx(own["unseen_distance"][~known].mean())
    counts = len(SPLIT.seen), len(UNSEEN)
    alarms, strangers = [], []
    for x, label in zip(test.gzsl.features.numpy(), test.gzsl.labels.numpy()):
        named = [UNSEEN, UNSEEN[label != UNSEEN]]
        p_values = []
        for classes in named:
            scores = found.space.scores(x[None], vectors[list(SPLIT.seen)], vectors[classes])
            distances = Distances(scores["distance"], scores["unseen_distance"])
            p_values.append(found.strangeness.p_values(distances, *counts)[0])
        alarms.append(p_values[0])
        if label in UNSEEN:
            strangers.append(p_values[1])
    for refusals in found.refusals:
        assert refusals.false_alarms == pytest.approx(np.mean(np.array(alarms) <= refusals.rate))
        assert refusals.found == pytest.approx(np.mean(np.array(strangers) <= refusals.rate))


def test_the_temperature_is_fitted_on_validation_classes_and_changes_no_answer(
    trained: Path, result: SeedResult
) -> None:
    pair = load_seed(trained / "models/seed0", validated=True)
    assert pair[1] is not None
    val = phase(trained, "val")
    raw = probabilities_of(pair[1], val.zsl)
    truth = np.searchsorted(SPLIT.val_unseen, val.zsl.labels.numpy())
    assert result.temperature == fit_temperature(raw, truth) != 1
    plain = probabilities_of(pair[0], phase(trained, "test").zsl)
    np.testing.assert_allclose(result.zsl_probabilities, temper(plain, result.temperature))
    assert (result.zsl_prediction == UNSEEN[plain.argmax(1)]).all()


def test_zsl_alone(trained: Path) -> None:
    test = phase(trained, "test")
    alone = evaluate_seed(
        *load_seed(trained / "models/seed0", validated=True),
        PhaseFeatures(test.train, test.zsl, None),
        None,
        text(trained),
        SETTINGS,
    )
    assert set(alone.scores) == {"zsl", "ece"}
    assert alone.temperature == 1  # there are no validation classes
    assert alone.gate is alone.gzsl is alone.curve is None
    assert alone.transductive == {}


def test_a_second_look_changes_what_counts_as_unseen_alone(
    trained: Path, result: SeedResult
) -> None:
    asked = SETTINGS.model_copy(update={"evaluate": Evaluate(transductive=True)})
    pair = load_seed(trained / "models/seed0", validated=True)
    test, val = phase(trained, "test"), phase(trained, "val")
    again = evaluate_seed(*pair, test, val, text(trained), asked)
    assert again.scores == result.scores  # the inductive ones stay what they are
    assert result.transductive == {}
    assert result.gzsl is not None
    assert test.gzsl is not None
    prediction = result.gzsl.prediction.copy()
    rows = np.isin(prediction, UNSEEN)
    x = test.gzsl.features[torch.from_numpy(rows)]
    cosines = refine(pair[0].probabilities(x).numpy(), pair[0].embed_samples(x).numpy())
    prediction[rows] = UNSEEN[cosines.argmax(1)]
    assert (prediction != result.gzsl.prediction).any()
    labels = result.gzsl.labels
    is_unseen = np.isin(labels, UNSEEN)
    u = accuracy_score(labels[is_unseen], prediction[is_unseen])
    s = result.scores["seen"]["overall"]
    found = {name: scores["overall"] for name, scores in again.transductive.items()}
    cosines = refine(
        pair[0].probabilities(test.zsl.features).numpy(),
        pair[0].embed_samples(test.zsl.features).numpy(),
    )
    zsl = accuracy_score(result.zsl_labels, UNSEEN[cosines.argmax(1)])
    assert found == pytest.approx({"zsl": zsl, "seen": s, "unseen": u, "H": 2 / (1 / s + 1 / u)})
    only = evaluate_seed(pair[0], None, test, None, text(trained), asked)
    assert only.transductive == {"zsl": again.transductive["zsl"]}


def test_no_sample_to_look_at_again(trained: Path) -> None:
    model, _ = load_seed(trained / "models/seed0", validated=True)
    assert look_again(model, torch.empty(0, 16)).shape == (0, len(UNSEEN))


def test_features_imported_for_zsl_cannot_be_gated(trained: Path) -> None:
    test, val = phase(trained, "test"), phase(trained, "val")
    with pytest.raises(InputError, match=r"evaluate\.task: zsl.*features. stage again"):
        evaluate_seed(
            *load_seed(trained / "models/seed0", validated=True),
            test,
            PhaseFeatures(val.train, val.zsl, None),
            text(trained),
            SETTINGS,
        )


def test_features_of_another_width(trained: Path) -> None:
    test = phase(trained, "test")
    narrow = SampleSet(test.zsl.features[:, :-1], test.zsl.labels)
    with pytest.raises(InputError, match=r"15 wide.*trained on 16"):
        evaluate_seed(
            *load_seed(trained / "models/seed0", validated=True),
            PhaseFeatures(test.train, narrow, None),
            None,
            text(trained),
            SETTINGS,
        )


def test_gate_accuracies_by_hand() -> None:
    answers = GatedAnswers(
        probability=np.array([0.9, 0.2, 0.8, 0.1, 0.7, 0.3]),
        seen_prediction=np.array([0, 0, 1, 0, 1, 0]),
        unseen_prediction=np.array([2, 2, 2, 7, 7, 2]),
        prediction=np.array([2, 0, 2, 0, 7, 0]),
    )
    gzsl = GzslPredictions(np.array([2, 2, 7, 0, 1, 1]), answers)
    scores, curve = score_gzsl(gzsl, np.array([2, 7]))
    assert scores["gate_unseen"] == pytest.approx({"overall": 2 / 3, "per_class": 0.75})
    assert scores["gate_seen"] == pytest.approx({"overall": 2 / 3, "per_class": 0.75})
    assert scores["unseen"] == pytest.approx({"overall": 1 / 3, "per_class": 0.25})
    assert scores["seen"] == pytest.approx({"overall": 1 / 3, "per_class": 0.5})
    assert curve.unseen[0] == pytest.approx(2 / 3)
    assert curve.seen[-1] == pytest.approx(2 / 3)


def test_probability_uses_the_model_of_its_phase(trained: Path) -> None:
    for name, classes in (("test", SPLIT.unseen), ("val", SPLIT.val_unseen)):
        model = load_model(trained / f"models/seed0/{name}")
        assert model.config.unseen == classes
        assert len(model.class_prototypes) == len(classes)
    assert len(SPLIT.unseen) + len(SPLIT.seen) == CLASSES


def test_an_ensemble_answers_by_the_mean_of_its_members(trained: Path, result: SeedResult) -> None:
    model, val_model = load_seed(trained / "models/seed0", validated=True)
    assert val_model is not None
    test, val = phase(trained, "test"), phase(trained, "val")
    other = model.for_classes(SPLIT.unseen, torch.from_numpy(text(trained)[::-1].copy()[:3]))
    pair = Ensemble([model, other])
    x = test.zsl.features
    expected = (model.probabilities(x) + other.probabilities(x)) / 2
    torch.testing.assert_close(pair.probabilities(x), expected)
    # Twice the same model answers as that model does.
    twice = evaluate(
        Ensemble([model, model]),
        Ensemble([val_model, val_model]),
        test,
        val,
        text(trained),
        SETTINGS,
    )
    for name, scores in result.scores.items():
        assert twice.scores[name] == pytest.approx(scores)
    words = torch.from_numpy(text(trained)[:2])
    again = pair.for_classes((7, 8), words)
    assert again.config.unseen == (7, 8)
    assert torch.equal(
        again.members[0].probabilities(x), model.for_classes((7, 8), words).probabilities(x)
    )


def test_baselines_stand_beside_the_result(trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ALIGNERS, "at_once", Method("tests.support.toy_aligners:AtOnce"))
    settings = small_settings(evaluate={"baselines": ["at_once"]})
    test, val = phase(trained, "test"), phase(trained, "val")
    models = [load_seed(trained / "models/seed0", validated=True)]
    found = evaluate_beside(models, test, val, text(trained), SPLIT, settings)
    assert set(found) == {"at_once"}
    model = fit_closed_form("at_once", settings, SPLIT, "test", test, text(trained))
    said = UNSEEN[model.probabilities(test.zsl.features).argmax(1)]
    expected = accuracy_score(test.zsl.labels, said)
    assert found["at_once"].scores["zsl"]["overall"] == pytest.approx(expected)
    both = evaluate_beside(models * 2, test, val, text(trained), SPLIT, settings)
    assert set(both) == {"at_once", "ensemble"}
    assert isinstance(both["ensemble"], Result)


def test_a_baseline_that_learns_by_steps_is_refused(trained: Path) -> None:
    with pytest.raises(InputError, match=r"evaluate\.baselines has vae, which learns by steps"):
        fit_closed_form("vae", SETTINGS, SPLIT, "test", phase(trained, "test"), text(trained))
