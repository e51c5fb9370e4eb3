"""The gate: is a sample of a seen or of an unseen class?

N = samples · C = classes · U = unseen classes. Input of the gate: the unseen classifier's U
probabilities sorted downward, then the U largest of softmax(seen logits / T), sorted. A logistic
regression on them gives P(unseen). Source: the gating of the AMSF paper (Li et al., IEEE
Transactions on Multimedia 27, 2025), which follows SynSE.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import expit, softmax
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from amsf.base.errors import InputError
from amsf.base.storage import read_json, write_json
from amsf.evaluation.evidence import Evidence

FOLDS = 5  # fewer where there are fewer samples on a side


def gate_input(
    unseen_probabilities: np.ndarray, logits: np.ndarray, temperature: float
) -> np.ndarray:
    """The gate's input.

    Args:
        unseen_probabilities: (N, U) of the unseen classifier.
        logits: (N, C) raw logits of the skeleton encoder, columns of unseen classes included.
        temperature: T.

    Returns:
        (N, 2U): U probabilities sorted downward, then the U largest seen ones sorted downward.
    """
    unseen = unseen_probabilities.shape[1]
    seen = softmax(np.asarray(logits) / temperature, axis=1)
    largest = -np.sort(-seen, axis=1)[:, :unseen]
    return np.concatenate([-np.sort(-np.asarray(unseen_probabilities), axis=1), largest], axis=1)


@dataclass(frozen=True)
class Gate:
    """A fitted gate as plain numbers.

    Attributes:
        coefficients: 2U weights of the gate's input towards unseen.
        intercept: towards unseen.
        threshold: a sample with P(unseen) above it goes to the unseen classifier.
        temperature: T of the seen logits.
    """

    coefficients: tuple[float, ...]
    intercept: float
    threshold: float
    temperature: float

    def probability(self, unseen_probabilities: np.ndarray, logits: np.ndarray) -> np.ndarray:
        """P(unseen) of each sample: (N, U), (N, C) -> (N,).

        The gate takes as many probabilities as it was fitted on: of more classes the largest ones,
        of fewer all, and zeros behind them.
        """
        taken = len(self.coefficients) // 2
        unseen_probabilities = -np.sort(-np.asarray(unseen_probabilities), axis=1)[:, :taken]
        lacking = taken - unseen_probabilities.shape[1]
        unseen_probabilities = np.pad(unseen_probabilities, [(0, 0), (0, lacking)])
        x = gate_input(unseen_probabilities, logits, self.temperature)
        return expit(x @ np.asarray(self.coefficients) + self.intercept)

    def probability_of(self, evidence: Evidence) -> np.ndarray:
        """:meth:`probability` of N samples: (N,)."""
        return self.probability(evidence.unseen_probabilities, evidence.logits)

    def fits(self, unseen: int) -> bool:
        """Whether it was fitted for a benchmark with so many unseen classes."""
        return len(self.coefficients) == 2 * unseen

    def save(self, path: Path) -> None:
        """Write the gate as JSON."""
        write_json(path, asdict(self))

    @classmethod
    def load(cls, path: Path) -> Gate:
        """Read a gate written by :meth:`save`.

        Raises:
            InputError: the file is missing or lacks a field.
        """
        raw: Any = read_json(path)
        try:
            gate = cls(
                coefficients=tuple(float(c) for c in raw["coefficients"]),
                intercept=float(raw["intercept"]),
                threshold=float(raw["threshold"]),
                temperature=float(raw["temperature"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"{path}: not a gate ({error!r}); expected coefficients, intercept, threshold and "
                "temperature, as `stages.evaluate` writes them: run `dvc repro`"
            ) from error
        if not gate.coefficients or len(gate.coefficients) % 2:
            raise InputError(
                f"{path}: {len(gate.coefficients)} coefficients; expected two for each unseen "
                "class: run `dvc repro`"
            )
        if not (0 < gate.threshold < 1 and gate.temperature > 0):
            raise InputError(
                f"{path}: threshold {gate.threshold:.3g}, temperature {gate.temperature:.3g}; "
                "expected a threshold between 0 and 1 and a positive temperature: run `dvc repro`"
            )
        return gate


def check_counts(is_unseen: np.ndarray, fewest: int) -> None:
    """Refuse fewer than ``fewest`` validation samples on one side of (N,) bool.

    Raises:
        InputError: there are fewer.
    """
    unseen, seen = int(is_unseen.sum()), int((~is_unseen).sum())
    if min(unseen, seen) < fewest:
        raise InputError(
            f"the gate has {unseen} validation-unseen and {seen} validation-seen samples; at least "
            f"{fewest} of each are needed: have more recordings train, or set evaluate.task to zsl "
            "and protocol.selection to last, which need no gate"
        )


def fit_gate(
    unseen_probabilities: np.ndarray,
    logits: np.ndarray,
    is_unseen: np.ndarray,
    *,
    temperature: float,
    regularisation: float,
    threshold: float,
    cross_validated: bool,
) -> Gate:
    """Fit the gate on validation samples.

    Args:
        unseen_probabilities: (N, U) of the validation phase's unseen classifier.
        logits: (N, C) of the validation phase's skeleton encoder.
        is_unseen: (N,) bool, whether a sample is of a validation-unseen class.
        temperature: T.
        regularisation: scikit-learn's C. The published two-class multinomial form with C=1
            equals the present binary form with C=2.
        threshold: a number in (0, 1), or 0 for halfway between the mean P(unseen) of the
            unseen and of the seen samples.
        cross_validated: take those means out of fold (5 stratified folds, or as many as there are
            samples on the smaller side) instead of on the very samples that the gate was fitted on.

    Raises:
        InputError: fewer than 2 samples on one side, where folds are asked for, or none.
    """
    is_unseen = np.asarray(is_unseen, dtype=bool)
    check_counts(is_unseen, 2 if cross_validated else 1)
    x = gate_input(unseen_probabilities, logits, temperature).astype(np.float64)
    regression = _regression(regularisation)
    regression.fit(x, is_unseen)
    if threshold == 0:
        if cross_validated:
            probability = _out_of_fold(regression, x, is_unseen)
        else:
            probability = regression.predict_proba(x)[:, 1]
        threshold = (probability[is_unseen].mean() + probability[~is_unseen].mean()) / 2
    return Gate(
        coefficients=tuple(float(c) for c in regression.coef_[0]),
        intercept=float(regression.intercept_[0]),
        threshold=float(threshold),
        temperature=float(temperature),
    )


def _regression(regularisation: float) -> LogisticRegression:
    # The published fit stops early: a tighter tolerance moves P(unseen) by up to 1e-4, which tips
    # samples on the very edge (one of the golden ones).
    return LogisticRegression(C=regularisation, tol=1e-5, max_iter=1000)


def _out_of_fold(
    regression: LogisticRegression, x: np.ndarray, is_unseen: np.ndarray
) -> np.ndarray:
    count = min(FOLDS, int(is_unseen.sum()), int((~is_unseen).sum()))
    folds = StratifiedKFold(count, shuffle=True, random_state=0)
    found = cross_val_predict(regression, x, is_unseen, cv=folds, method="predict_proba")
    return np.asarray(found)[:, 1]
