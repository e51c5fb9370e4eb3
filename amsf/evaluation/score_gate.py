"""Gates that decide by a few scores instead of by sorted probabilities.

N = samples · K = scores. Each score is standardised by samples of seen classes, and a logistic
regression on their sum gives P(unseen): weights that were learnt from a handful of validation
classes did not hold for others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from amsf.base.errors import InputError
from amsf.base.storage import write_json
from amsf.evaluation.evidence import SCORES, Evidence
from amsf.evaluation.gate import check_counts
from amsf.evaluation.held_out import Draw, Scores

# Name of a gate -> the scores that it adds up, and their weights, chosen on UTKinect, Florence and
# UTD-MHAD's training subjects. `regression`, the published one, is in `gate`.
SCORE_GATES: dict[str, dict[str, float]] = {
    **{name: {name: 1.0} for name in ("probability", "energy", "distance", "stacking")},
    "combined": {"distance": 0.5, "prototypes": 1.0, "ridge": 1.0},
}


@dataclass(frozen=True)
class ScoreGate:
    """A fitted gate as plain numbers.

    Attributes:
        scores: K names of what it weighs.
        mean, deviation: of each score over samples of seen classes.
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
        x = _columns(evidence.scores, self.scores)
        return self._probability((x - np.asarray(self.mean)) / np.asarray(self.deviation))

    def of_draw(self, draw: Draw) -> np.ndarray:
        """P(unseen) of a draw's samples, standardised by its own seen ones: (M,)."""
        return self._probability(_standardised(draw, self.scores))

    def _probability(self, x: np.ndarray) -> np.ndarray:
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
    draws: Sequence[Draw],
    known: Scores | None,
    *,
    temperature: float,
    regularisation: float,
    threshold: float,
) -> ScoreGate:
    """Fit a gate on one or several draws of validation classes.

    Args:
        name: a key of :data:`SCORE_GATES`.
        draws: scores of samples of classes that count as seen and of others; in each draw, by
            models of its own, and standardised by its seen samples.
        known: scores of samples of seen classes by the models that will be asked: what is asked
            is standardised by them. Where None, by the seen samples of the first draw.
        temperature: T, with which the scores were collected.
        regularisation: scikit-learn's C.
        threshold: a number in (0, 1), or 0 for halfway between the mean P(unseen) of the unseen and
            of the seen samples of all draws.

    Raises:
        InputError: no samples on one side.
    """
    names, weights = tuple(SCORE_GATES[name]), np.array([*SCORE_GATES[name].values()])
    is_unseen = np.concatenate([draw.is_unseen for draw in draws])
    check_counts(is_unseen, fewest=1)
    x = np.concatenate([_standardised(draw, names) @ weights for draw in draws])[:, None]
    # Both sides weigh alike, however many samples each has.
    logistic = LogisticRegression(
        C=regularisation, class_weight="balanced", solver="newton-cholesky", tol=1e-8
    ).fit(x, is_unseen)
    if threshold == 0:
        p = logistic.predict_proba(x)[:, 1]
        threshold = (p[is_unseen].mean() + p[~is_unseen].mean()) / 2
    first = draws[0]
    reference = _columns(first.scores, names)[~first.is_unseen]
    mean, deviation = _scaling(reference if known is None else _columns(known, names))
    return ScoreGate(
        scores=names,
        mean=tuple(mean.tolist()),
        deviation=tuple(deviation.tolist()),
        coefficients=tuple((logistic.coef_[0, 0] * weights).tolist()),
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


def _columns(scores: Scores, names: tuple[str, ...]) -> np.ndarray:
    return np.stack([scores[name] for name in names], axis=1)


def _standardised(draw: Draw, names: tuple[str, ...]) -> np.ndarray:
    """A draw's scores, standardised by its seen samples: (M, K)."""
    x = _columns(draw.scores, names)
    mean, deviation = _scaling(x[~draw.is_unseen])
    return (x - mean) / deviation


def _scaling(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation of each column; a constant one, as of a single sample, counts as is."""
    deviation = x.std(0)
    return x.mean(0), np.where(deviation < 1e-9, 1.0, deviation)
