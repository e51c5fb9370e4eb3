"""Evaluation of trained seeds: ZSL, the gate, GZSL, and the seen-unseen curve.

N = samples · C = classes · U = unseen classes. All scores are fractions.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from amsf.base.errors import InputError
from amsf.evaluation.gate import Gate, fit_gate
from amsf.evaluation.metrics import SeenUnseenCurve, accuracy, harmonic_mean, seen_unseen_curve
from amsf.features.phases import PhaseFeatures, SampleSet
from amsf.model.checkpoints import TrainedModel, load_model
from amsf.settings.params import Settings

Scores = dict[str, dict[str, float]]
WEIGHTINGS = ("overall", "per_class")


@dataclass(frozen=True)
class GzslPredictions:
    """What the gated classifier says of each test sample.

    Attributes:
        labels: (N,) true classes.
        probability: (N,) P(unseen).
        seen_prediction: (N,) the class if the sample counts as seen.
        unseen_prediction: (N,) the class if it counts as unseen.
        prediction: (N,) the class that the gate's threshold picks.
    """

    labels: np.ndarray
    probability: np.ndarray
    seen_prediction: np.ndarray
    unseen_prediction: np.ndarray
    prediction: np.ndarray


@dataclass(frozen=True)
class SeedResult:
    """The evaluation of one seed; the GZSL part is None where only ZSL was asked for.

    Attributes:
        seed: of the run.
        cycle: the chosen cycle, counted from 0.
        scores: metric -> weighting (``overall``, ``per_class``) -> fraction.
        zsl_labels, zsl_prediction: (N,) of the unseen classes' samples.
    """

    seed: int
    cycle: int
    scores: Scores
    zsl_labels: np.ndarray
    zsl_prediction: np.ndarray
    gate: Gate | None
    gzsl: GzslPredictions | None
    curve: SeenUnseenCurve | None


def evaluate_seed(
    folder: Path, test: PhaseFeatures, val: PhaseFeatures | None, settings: Settings
) -> SeedResult:
    """Evaluate the checkpoints of one seed.

    Args:
        folder: holds ``test/`` and, for GZSL, ``val/`` checkpoints.
        test: features of the test phase.
        val: features of the validation phase, which the gate is fitted on; None for ZSL alone.
        settings: of the benchmark.

    Raises:
        InputError: a checkpoint is missing, or does not belong to these features.
    """
    model = load_model(folder / "test")
    unseen = np.array(model.config.unseen)
    zsl_prediction = unseen[_probabilities(model, test.zsl).argmax(axis=1)]
    zsl_labels = test.zsl.labels.numpy()
    scores = {"zsl": _both(zsl_labels, zsl_prediction)}
    gate, gzsl, curve = None, None, None
    if val is not None:
        gate = _fit(load_model(folder / "val"), val, settings)
        gzsl = predict_gzsl(model, gate, _gated(test))
        gzsl_scores, curve = score_gzsl(gzsl, unseen)
        scores.update(gzsl_scores)
    return SeedResult(
        model.config.seed, model.config.cycle, scores, zsl_labels, zsl_prediction, gate, gzsl, curve
    )


def predict_gzsl(model: TrainedModel, gate: Gate, samples: SampleSet) -> GzslPredictions:
    """Both classifiers' answers for each sample, and the gate's choice between them.

    The seen answer is the argmax of the skeleton encoder's logits over the seen classes; the
    unseen one is that of the unseen classifier.
    """
    assert samples.logits is not None
    probabilities = _probabilities(model, samples)
    logits = samples.logits.numpy()
    seen = np.array(model.config.seen)
    seen_prediction = seen[logits[:, seen].argmax(axis=1)]
    unseen_prediction = np.array(model.config.unseen)[probabilities.argmax(axis=1)]
    probability = gate.probability(probabilities, logits)
    return GzslPredictions(
        labels=samples.labels.numpy(),
        probability=probability,
        seen_prediction=seen_prediction,
        unseen_prediction=unseen_prediction,
        prediction=np.where(probability > gate.threshold, unseen_prediction, seen_prediction),
    )


def score_gzsl(gzsl: GzslPredictions, unseen: np.ndarray) -> tuple[Scores, SeenUnseenCurve]:
    """S, U, H, the gate's accuracies and the area under the curve; and the curve (overall).

    Args:
        gzsl: predictions of all test samples.
        unseen: (U,) unseen class ids.
    """
    is_unseen = np.isin(gzsl.labels, unseen)
    said_unseen = np.isin(gzsl.prediction, unseen)
    scores: Scores = {
        "seen": _both(gzsl.labels[~is_unseen], gzsl.prediction[~is_unseen]),
        "unseen": _both(gzsl.labels[is_unseen], gzsl.prediction[is_unseen]),
        "gate_seen": _share(gzsl.labels[~is_unseen], ~said_unseen[~is_unseen]),
        "gate_unseen": _share(gzsl.labels[is_unseen], said_unseen[is_unseen]),
    }
    scores["H"] = {w: harmonic_mean(scores["seen"][w], scores["unseen"][w]) for w in WEIGHTINGS}
    curves = {
        weighting: seen_unseen_curve(
            gzsl.labels,
            gzsl.seen_prediction,
            gzsl.unseen_prediction,
            gzsl.probability,
            is_unseen,
            per_class=weighting == "per_class",
        )
        for weighting in WEIGHTINGS
    }
    scores["ausuc"] = {weighting: curve.area for weighting, curve in curves.items()}
    return scores, curves["overall"]


def _fit(model: TrainedModel, val: PhaseFeatures, settings: Settings) -> Gate:
    samples = _gated(val)
    assert samples.logits is not None
    return fit_gate(
        _probabilities(model, samples),
        samples.logits.numpy(),
        np.isin(samples.labels.numpy(), model.config.unseen),
        temperature=settings.evaluate.temperature,
        regularisation=settings.evaluate.regularisation,
        threshold=settings.evaluate.threshold,
        cross_validated=settings.switches().gate_threshold == "cross_validated",
    )


def _gated(phase: PhaseFeatures) -> SampleSet:
    if phase.gzsl is None:
        raise InputError(
            "the features were imported for evaluate.task: zsl, without the gate's samples; run "
            "the `features` stage again with evaluate.task: gzsl"
        )
    return phase.gzsl


def _probabilities(model: TrainedModel, samples: SampleSet) -> np.ndarray:
    if samples.features.shape[1] != model.config.feature_width:
        raise InputError(
            f"features are {samples.features.shape[1]} wide; the model was trained on "
            f"{model.config.feature_width}: run the `train` stage again"
        )
    return model.unseen_probabilities(samples.features).numpy()


def _both(labels: np.ndarray, prediction: np.ndarray) -> dict[str, float]:
    return {w: accuracy(labels, prediction, per_class=w == "per_class") for w in WEIGHTINGS}


def _share(labels: np.ndarray, right: np.ndarray) -> dict[str, float]:
    """Both weightings of the share of samples for which ``right`` holds."""
    return _both(labels, np.where(right, labels, -1))
