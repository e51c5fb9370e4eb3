"""Evaluation of trained models: ZSL, the gate, GZSL, and the seen-unseen curve.

N = samples · C = classes · U = unseen classes. All scores are fractions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

from amsf.evaluation.confidence.reliability import reliability_curve
from amsf.evaluation.confidence.temperature import fit_temperature, temper
from amsf.evaluation.decision import GatedAnswers, decide
from amsf.evaluation.ensemble import Scorer
from amsf.evaluation.evidence import Evidence, collect_evidence, probabilities_of
from amsf.evaluation.gate_space import space_of
from amsf.evaluation.gates import (
    FittedGate,
    Validation,
    choose_gate,
    fit_named_gate,
    validate_gates,
)
from amsf.evaluation.held_out import held_out_of
from amsf.evaluation.latent_map import LatentMap
from amsf.evaluation.metrics import (
    SeenUnseenCurve,
    accuracy,
    harmonic_mean,
    sample_weights,
    seen_unseen_curve,
)
from amsf.evaluation.projection import latent_map, shown_classes
from amsf.evaluation.transductive import look_again
from amsf.features.phases import PhaseFeatures, SampleSet
from amsf.model.aligner import Aligner
from amsf.model.checkpoints import load_model
from amsf.settings.params import Settings
from amsf.settings.protocol import AUTO, GATES

Scores = dict[str, dict[str, float]]
WEIGHTINGS = ("overall", "per_class")


@dataclass(frozen=True)
class GzslPredictions:
    """The gated answers to all test samples, beside the truth.

    Attributes:
        labels: (N,) true classes.
        answers: what is answered to the N samples.
    """

    labels: np.ndarray
    answers: GatedAnswers

    @property
    def prediction(self) -> np.ndarray:
        """(N,) the classes that the gate's threshold picks."""
        return self.answers.prediction


@dataclass(frozen=True, kw_only=True)
class Result:
    """The evaluation of a method; the GZSL part is None where only ZSL was asked for.

    Attributes:
        scores: metric -> weighting (``overall``, ``per_class``) -> fraction.
        zsl_labels, zsl_prediction: (N,) of the unseen classes' samples.
        zsl_probabilities: (N, U) of the unseen classes, at ``temperature``.
        temperature: fitted on validation classes; 1 for ZSL alone, which has none.
        gate_name: which gate is used.
        gate: fitted on validation classes.
        gzsl: answers to all test samples.
        curve: the seen-unseen curve, every sample alike.
        gates: each gate's name -> what it is worth on the test samples (:func:`compare_gate`).
        transductive: scores after a second look (:func:`transductive_scores`); empty unless
            ``evaluate.transductive``.
    """

    scores: Scores
    zsl_labels: np.ndarray
    zsl_prediction: np.ndarray
    zsl_probabilities: np.ndarray
    temperature: float
    gate_name: str | None
    gate: FittedGate | None
    gzsl: GzslPredictions | None
    curve: SeenUnseenCurve | None
    gates: dict[str, dict[str, float]]
    transductive: Scores = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class SeedResult(Result):
    """The evaluation of one trained seed.

    Attributes:
        seed: the run's seed.
        cycle: the chosen cycle, counted from 0.
        latent: a map of the shared space.
        method: the name of the alignment method that answers.
        alternatives: what it was chosen from, each one's accuracy on validation classes
            (:meth:`amsf.model.aligner.Aligner.alternatives`).
    """

    seed: int
    cycle: int
    latent: LatentMap
    method: str
    alternatives: dict[str, float]


def load_seed(folder: Path, *, validated: bool) -> tuple[Aligner, Aligner | None]:
    """The models of one seed's test phase and, where ``validated``, of its validation phase.

    Raises:
        InputError: a checkpoint is missing or damaged.
    """
    return load_model(folder / "test"), load_model(folder / "val") if validated else None


def evaluate_seed(
    model: Aligner,
    val_model: Aligner | None,
    test: PhaseFeatures,
    val: PhaseFeatures | None,
    text: np.ndarray,
    settings: Settings,
) -> SeedResult:
    """Evaluate the models of one seed, with a map of the space that they share with texts.

    Args:
        model, val_model, test, val, text, settings: see :func:`evaluate`.

    Raises:
        InputError: a model does not belong to these features.
    """
    result = evaluate(model, val_model, test, val, text, settings)
    samples = test.zsl if result.gzsl is None or test.gzsl is None else test.gzsl
    taken_for = None if result.gzsl is None else result.gzsl.prediction
    return SeedResult(
        seed=model.config.seed,
        cycle=model.config.cycle,
        method=model.method,
        alternatives=model.alternatives(),
        latent=latent_map(model, samples, text, shown_classes(model.config, samples, taken_for)),
        **vars(result),
    )


def evaluate(
    model: Scorer,
    val_model: Scorer | None,
    test: PhaseFeatures,
    val: PhaseFeatures | None,
    text: np.ndarray,
    settings: Settings,
    compared: Sequence[str] = GATES,
) -> Result:
    """Evaluate one model, or several that answer together.

    Args:
        model: trained in the test phase.
        val_model: trained in the validation phase; None for ZSL alone.
        test: features of the test phase.
        val: features of the validation phase, which the gate is fitted on; None for ZSL alone.
        text: (C, V, D) text vectors of all classes, in the order of the model's views.
        settings: the benchmark's settings.
        compared: names of gates that stand beside the protocol's own.

    Raises:
        InputError: a model does not belong to these features.
    """
    unseen = np.array(model.config.unseen)
    probabilities = probabilities_of(model, test.zsl)
    zsl_prediction = unseen[probabilities.argmax(axis=1)]
    zsl_labels = test.zsl.labels.numpy()
    scores = {"zsl": _both(zsl_labels, zsl_prediction)}
    # Gates take probabilities as they are: a temperature is for those who read them.
    temperature = 1.0 if val is None or val_model is None else temperature_of(val_model, val)
    probabilities = temper(probabilities, temperature)
    scores["ece"] = _calibration_error(zsl_labels, zsl_prediction, probabilities)
    gate_name, gate, gzsl, curve = None, None, None, None
    gates: dict[str, dict[str, float]] = {}
    if val is not None and val_model is not None:
        validation = _validation(val_model, val, test, model.config.unseen, text, settings)
        new = _evidence(model, test, text, settings)
        labels = test.gated.labels.numpy()
        named = settings.switches().gate
        wanted = GATES if named == AUTO else tuple(dict.fromkeys([*compared, named]))
        fitted = {name: fit_named_gate(name, validation, settings) for name in wanted}
        validated = validate_gates(fitted, validation) if named == AUTO else {}
        gate_name = choose_gate(validated) if validated else named
        for name, one in fitted.items():
            answers = GzslPredictions(labels, decide(one, new, model.config))
            gzsl_scores, found = score_gzsl(answers, unseen)
            gates[name] = compare_gate(answers, gzsl_scores, found, unseen)
            if name in validated:
                gates[name]["validation"] = float(validated[name].mean())
            if name == gate_name:
                gate, gzsl, curve = one, answers, found
                scores.update(gzsl_scores)
    return Result(
        scores=scores,
        zsl_labels=zsl_labels,
        zsl_prediction=zsl_prediction,
        zsl_probabilities=probabilities,
        temperature=temperature,
        gate_name=gate_name,
        gate=gate,
        gzsl=gzsl,
        curve=curve,
        gates=gates,
        transductive=transductive_scores(model, test, gzsl)
        if settings.evaluate.transductive
        else {},
    )


def temperature_of(val_model: Scorer, val: PhaseFeatures) -> float:
    """The temperature that fits a model's probabilities of the validation-unseen classes."""
    truth = np.searchsorted(val_model.config.unseen, val.zsl.labels.numpy())
    return fit_temperature(probabilities_of(val_model, val.zsl), truth)


def transductive_scores(model: Scorer, test: PhaseFeatures, gzsl: GzslPredictions | None) -> Scores:
    """Scores after a second look at the test samples that count as unseen, all at once.

    Args:
        model: trained in the test phase.
        test: features of the test phase.
        gzsl: what is answered at first; its gate says which samples count as unseen.

    Returns:
        ``zsl``, over the samples of unseen classes; with ``gzsl`` also ``seen``, ``unseen`` and
        ``H``. No sample changes sides, so that ``seen`` is that of the first look.
    """
    unseen = np.array(model.config.unseen)

    def answers(samples: SampleSet, rows: np.ndarray) -> np.ndarray:
        return unseen[look_again(model, samples.features[rows]).argmax(axis=1)]

    labels = test.zsl.labels.numpy()
    scores = {"zsl": _both(labels, answers(test.zsl, np.arange(len(labels))))}
    if gzsl is not None:
        prediction = gzsl.prediction.copy()
        counted = np.flatnonzero(np.isin(prediction, unseen))
        prediction[counted] = answers(test.gated, counted)
        scores |= _sides(gzsl.labels, prediction, np.isin(gzsl.labels, unseen))
    return scores


def compare_gate(
    gzsl: GzslPredictions, scores: Scores, curve: SeenUnseenCurve, unseen: np.ndarray
) -> dict[str, float]:
    """What a gate is worth, its ranking and its threshold apart; fractions, every sample alike.

    Returns:
        ``auc``: how well P(unseen) ranks unseen before seen samples, 0.5 being chance; ``ausuc``;
        ``H`` at the chosen threshold; ``H_best`` at the best one, which looks at the test labels;
        ``H_chance``, the H of the best coin in the gate's place. A coin that says unseen with
        probability q makes of the accuracies s and u of the two classifiers (1 - q) s and q u; H is
        largest, ``2 s u / (sqrt(s) + sqrt(u))^2``, at ``q = sqrt(s) / (sqrt(s) + sqrt(u))``.
    """
    best = max(harmonic_mean(s, u) for s, u in zip(curve.seen.tolist(), curve.unseen.tolist()))
    is_unseen = np.isin(gzsl.labels, unseen)
    s, u = float(curve.seen[-1]), float(curve.unseen[0])
    return {
        "auc": float(roc_auc_score(is_unseen, gzsl.answers.probability)),
        "ausuc": scores["ausuc"]["overall"],
        "H": scores["H"]["overall"],
        "H_best": best,
        "H_chance": 2 * s * u / (s**0.5 + u**0.5) ** 2 if s + u > 0 else 0.0,
    }


def _validation(
    val_model: Scorer,
    val: PhaseFeatures,
    test: PhaseFeatures,
    unseen: tuple[int, ...],
    text: np.ndarray,
    settings: Settings,
) -> Validation:
    """What gates are fitted on; of the test phase, its training samples alone are looked at."""
    return Validation(
        evidence=_evidence(val_model, val, text, settings),
        is_unseen=np.isin(val.gated.labels.numpy(), val_model.config.unseen),
        held_out=held_out_of(test, unseen, text, settings),
    )


def _evidence(
    model: Scorer, phase: PhaseFeatures, text: np.ndarray, settings: Settings
) -> Evidence:
    """What a gate may know of a phase's samples."""
    seen, unseen = text[list(model.config.seen)], text[list(model.config.unseen)]
    space = space_of(phase, seen)
    return collect_evidence(model, phase.gated, space, seen, unseen, settings.evaluate.temperature)


def score_gzsl(gzsl: GzslPredictions, unseen: np.ndarray) -> tuple[Scores, SeenUnseenCurve]:
    """S, U, H, the gate's accuracies and the area under the curve; and the curve (overall).

    Args:
        gzsl: predictions of all test samples.
        unseen: (U,) unseen class ids.
    """
    is_unseen = np.isin(gzsl.labels, unseen)
    said_unseen = np.isin(gzsl.prediction, unseen)
    scores: Scores = {
        **_sides(gzsl.labels, gzsl.prediction, is_unseen),
        "gate_seen": _share(gzsl.labels[~is_unseen], ~said_unseen[~is_unseen]),
        "gate_unseen": _share(gzsl.labels[is_unseen], said_unseen[is_unseen]),
    }
    curves = {
        weighting: seen_unseen_curve(
            gzsl.labels,
            gzsl.answers.seen_prediction,
            gzsl.answers.unseen_prediction,
            gzsl.answers.probability,
            is_unseen,
            per_class=weighting == "per_class",
        )
        for weighting in WEIGHTINGS
    }
    scores["ausuc"] = {weighting: curve.area for weighting, curve in curves.items()}
    return scores, curves["overall"]


def _both(labels: np.ndarray, prediction: np.ndarray) -> dict[str, float]:
    return {w: accuracy(labels, prediction, per_class=w == "per_class") for w in WEIGHTINGS}


def _calibration_error(
    labels: np.ndarray, prediction: np.ndarray, probabilities: np.ndarray
) -> dict[str, float]:
    """Both weightings of the expected calibration error."""
    confidence, right = probabilities.max(axis=1), labels == prediction
    return {
        w: reliability_curve(
            confidence, right, sample_weights(labels, per_class=w == "per_class")
        ).error
        for w in WEIGHTINGS
    }


def _sides(labels: np.ndarray, prediction: np.ndarray, is_unseen: np.ndarray) -> Scores:
    """S, U and their harmonic mean, of answers among all classes."""
    seen = _both(labels[~is_unseen], prediction[~is_unseen])
    unseen = _both(labels[is_unseen], prediction[is_unseen])
    H = {w: harmonic_mean(seen[w], unseen[w]) for w in WEIGHTINGS}
    return {"seen": seen, "unseen": unseen, "H": H}


def _share(labels: np.ndarray, right: np.ndarray) -> dict[str, float]:
    """Both weightings of the share of samples for which ``right`` holds."""
    return _both(labels, np.where(right, labels, -1))
