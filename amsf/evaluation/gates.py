"""The gates by name: fitting one, reading one back, and all of them side by side.

N = samples · U = unseen classes · G = draws of left-out classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from amsf.base.storage import read_json
from amsf.evaluation.evidence import Evidence
from amsf.evaluation.gate import Gate, fit_gate
from amsf.evaluation.held_out import Draw, HeldOut
from amsf.evaluation.metrics import harmonic_mean
from amsf.evaluation.score_gate import SCORE_GATES, ScoreGate, fit_score_gate, load_score_gate
from amsf.settings.params import Settings

REGRESSION = "regression"  # the published gate
DEFAULT = "combined"
SURELY = 2.0  # standard errors

Worth = np.ndarray  # of a gate, in each draw


class FittedGate(Protocol):
    """What evaluation and prediction know of a gate."""

    @property
    def threshold(self) -> float:
        """A sample with P(unseen) above it counts as unseen."""

    @property
    def temperature(self) -> float:
        """T of the seen logits."""

    def probability_of(self, evidence: Evidence) -> np.ndarray:
        """P(unseen) of N samples: (N,)."""

    def fits(self, unseen: int) -> bool:
        """Whether it was fitted for a benchmark with so many unseen classes."""

    def save(self, path: Path) -> None:
        """Write the gate as JSON."""


@dataclass(frozen=True)
class Validation:
    """What gates are fitted on.

    Attributes:
        evidence: of N samples of the validation phase, by its models.
        is_unseen: (N,) bool, whether a sample is of a validation-unseen class.
        held_out: what leaving out people and classes has shown; None where that cannot be done.
    """

    evidence: Evidence
    is_unseen: np.ndarray
    held_out: HeldOut | None


def fit_named_gate(name: str, validation: Validation, settings: Settings) -> FittedGate:
    """Fit the gate of a name on validation classes.

    Scores that were held out are fitted on all of these draws; others on the one of the validation
    phase.

    Args:
        name: one of :data:`amsf.settings.protocol.GATES`, but ``auto``.
        validation: what it is fitted on.
        settings: the benchmark's settings.

    Raises:
        InputError: too few samples on one side.
    """
    knobs: dict[str, Any] = {
        "temperature": settings.evaluate.temperature,
        "regularisation": settings.evaluate.regularisation,
        "threshold": settings.evaluate.threshold,
    }
    evidence, is_unseen = validation.evidence, validation.is_unseen
    if name == REGRESSION:
        cross_validated = settings.switches().gate_threshold == "cross_validated"
        return fit_gate(
            evidence.unseen_probabilities,
            evidence.logits,
            is_unseen,
            **knobs,
            cross_validated=cross_validated,
        )
    names, held_out = set(SCORE_GATES[name]), validation.held_out
    draws: Sequence[Draw] = (Draw(evidence.scores, is_unseen),)
    known = None
    if held_out is not None and names <= held_out.known.keys():
        known = held_out.known
        if held_out.draws and names <= held_out.draws[0].scores.keys():
            draws = held_out.draws
    return fit_score_gate(name, draws, known, **knobs)


def validate_gates(gates: Mapping[str, FittedGate], validation: Validation) -> dict[str, Worth]:
    """What gates are worth on validation classes, to choose one by.

    Args:
        gates: name -> fitted.
        validation: what they were fitted on.

    Returns:
        name -> (G,) in each draw the harmonic mean of the shares of seen and of unseen samples that
        the gate puts on their side; of gates alone that were fitted on several draws. By one draw
        of classes the worse gate is chosen too often: :data:`DEFAULT` alone is there then.
    """
    held_out = validation.held_out
    draws = held_out.draws if held_out is not None else ()
    found = {
        name: _share_kept(gate, draws)
        for name, gate in gates.items()
        if isinstance(gate, ScoreGate) and draws and {*gate.scores} <= draws[0].scores.keys()
    }
    if not found and DEFAULT in gates:
        gate = gates[DEFAULT]
        assert isinstance(gate, ScoreGate)
        found[DEFAULT] = _share_kept(gate, [Draw(validation.evidence.scores, validation.is_unseen)])
    return found


def choose_gate(worth: Mapping[str, Worth]) -> str:
    """:data:`DEFAULT`, unless another gate is surely better: the best of those.

    Surely is by more than :data:`SURELY` standard errors of the paired difference over draws. The
    largest mean is chosen too often by luck: it was worse than always taking the default on
    UTKinect and Florence.

    Args:
        worth: as :func:`validate_gates` returns it.
    """
    best, lead = DEFAULT, 0.0
    for name, values in worth.items():
        gain = values - worth[DEFAULT]
        error = gain.std(ddof=1) / len(gain) ** 0.5 if len(gain) > 1 else np.inf
        if gain.mean() > max(SURELY * error, lead):
            best, lead = name, float(gain.mean())
    return best


def _share_kept(gate: ScoreGate, draws: Sequence[Draw]) -> Worth:
    """Harmonic mean of the shares of seen and of unseen samples on their side, in each draw: (G,).

    A draw of one side alone cannot be: :mod:`amsf.evaluation.held_out` leaves it out.
    """
    said = [gate.of_draw(draw) > gate.threshold for draw in draws]
    return np.array(
        [
            harmonic_mean(float((~one[~draw.is_unseen]).mean()), float(one[draw.is_unseen].mean()))
            for one, draw in zip(said, draws)
        ]
    )


def load_gate(path: Path) -> FittedGate:
    """Read a gate of any kind.

    Raises:
        InputError: the file is missing or is no gate.
    """
    raw = read_json(path)
    if isinstance(raw, dict) and "scores" in raw:
        return load_score_gate(path, raw)
    return Gate.load(path)
