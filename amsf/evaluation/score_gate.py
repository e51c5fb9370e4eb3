"""Gates that decide by a few scores instead of by sorted probabilities.

N = samples · K = scores. A logistic regression on standardised scores gives P(unseen).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from amsf.base.errors import InputError
from amsf.base.storage import write_json
from amsf.evaluation.evidence import SCORES, Evidence
from amsf.evaluation.gate import FOLDS, check_counts

# Name of a gate -> the scores that it weighs. `regression`, the published one, is in `gate`.
SCORE_GATES: dict[str, tuple[str, ...]] = {
    **{name: (name,) for name in SCORES},
    "combined": ("probability", "distance", "stacking"),
}


@dataclass(frozen=True)
class ScoreGate:
    """A fitted gate as plain numbers.

    Attributes:
        scores: K names of what it weighs.
        mean, deviation: of each score over the samples that it was fitted on.
        coefficients: K weights of the standardised scores towards unseen.
        intercept: towards unseen.
        threshold: a sample with P(unseen) above it counts as unseen.
        temperature: T of the seen logits.
    """

    scores: tuple[str, ...]
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    coefficients: tuple[float, ...]
    intercept: float
    threshold: float
    temperature: float

    def probability_of(self, evidence: Evidence) -> np.ndarray:
        """P(unseen) of each sample: (N,)."""
        x = _columns(evidence, self.scores)
        x = (x - np.asarray(self.mean)) / np.asarray(self.deviation)
        return expit(x @ np.asarray(self.coefficients) + self.intercept)

    def fits(self, unseen: int) -> bool:
        """Whether it serves a number of unseen classes: it serves any."""
        return unseen > 0

    def save(self, path: Path) -> None:
        """Write the gate as JSON."""
        write_json(path, asdict(self))

    @classmethod
    def from_json(cls, raw: Any) -> ScoreGate:
        """Build a gate from what :meth:`save` wrote; raises ValueError where it is none."""
        names = tuple(str(name) for name in raw["scores"])
        mean, deviation, coefficients = (
            tuple(float(value) for value in raw[part])
            for part in ("mean", "deviation", "coefficients")
        )
        if not names or set(names) - set(SCORES):
            raise ValueError(f"scores are {', '.join(names)}")
        if {len(mean), len(deviation), len(coefficients)} != {len(names)}:
            raise ValueError(f"{len(names)} scores, but other numbers of weights")
        threshold, temperature = float(raw["threshold"]), float(raw["temperature"])
        if not (0 < threshold < 1 and temperature > 0 and min(deviation) > 0):
            raise ValueError(f"threshold {threshold}, temperature {temperature}")
        intercept = float(raw["intercept"])
        return cls(names, mean, deviation, coefficients, intercept, threshold, temperature)


def fit_score_gate(
    name: str,
    evidence: Evidence,
    is_unseen: np.ndarray,
    *,
    temperature: float,
    regularisation: float,
    threshold: float,
    cross_validated: bool,
) -> ScoreGate:
    """Fit a gate on validation samples.

    Args:
        name: a key of :data:`SCORE_GATES`.
        evidence: of N validation samples.
        is_unseen: (N,) bool, whether a sample is of a validation-unseen class.
        temperature: T, with which the evidence was collected.
        regularisation: scikit-learn's C.
        threshold: a number in (0, 1), or 0 for halfway between the mean P(unseen) of the unseen and
            of the seen samples.
        cross_validated: take those means out of fold (5 stratified folds).

    Raises:
        InputError: too few samples on one side.
    """
    is_unseen = check_counts(is_unseen, cross_validated=cross_validated)
    x = _columns(evidence, SCORE_GATES[name])
    # Both sides weigh alike, however many samples each has.
    logistic = LogisticRegression(
        C=regularisation, class_weight="balanced", solver="newton-cholesky", tol=1e-8
    )
    regression = make_pipeline(StandardScaler(), logistic)
    regression.fit(x, is_unseen)
    if threshold == 0:
        if cross_validated:
            folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
            p = cross_val_predict(regression, x, is_unseen, cv=folds, method="predict_proba")[:, 1]
        else:
            p = regression.predict_proba(x)[:, 1]
        threshold = (p[is_unseen].mean() + p[~is_unseen].mean()) / 2
    scaler, logistic = regression[0], regression[1]
    return ScoreGate(
        scores=SCORE_GATES[name],
        mean=tuple(scaler.mean_.tolist()),
        deviation=tuple(scaler.scale_.tolist()),
        coefficients=tuple(logistic.coef_[0].tolist()),
        intercept=float(logistic.intercept_[0]),
        threshold=float(threshold),
        temperature=float(temperature),
    )


def load_score_gate(path: Path, raw: Any) -> ScoreGate:
    """Build a gate from a file's JSON.

    Raises:
        InputError: it is something else.
    """
    try:
        return ScoreGate.from_json(raw)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{path}: not a gate ({error!r}); expected what `stages.evaluate` writes: run "
            "`dvc repro`"
        ) from error


def _columns(evidence: Evidence, names: tuple[str, ...]) -> np.ndarray:
    return np.stack([evidence.scores[name] for name in names], axis=1)
