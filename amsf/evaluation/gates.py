"""The gates by name: fitting one, reading one back, and all of them side by side.

N = samples · U = unseen classes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy as np

from amsf.base.storage import read_json
from amsf.evaluation.evidence import Evidence
from amsf.evaluation.gate import Gate, fit_gate
from amsf.evaluation.score_gate import fit_score_gate, load_score_gate
from amsf.settings.params import Settings

REGRESSION = "regression"  # the published gate


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


def fit_named_gate(
    name: str, evidence: Evidence, is_unseen: np.ndarray, settings: Settings
) -> FittedGate:
    """Fit the gate of a name on validation samples.

    Args:
        name: one of :data:`amsf.settings.protocol.GATES`.
        evidence: of N validation samples.
        is_unseen: (N,) bool, whether a sample is of a validation-unseen class.
        settings: the benchmark's settings.

    Raises:
        InputError: too few samples on one side.
    """
    knobs: dict[str, Any] = {
        "temperature": settings.evaluate.temperature,
        "regularisation": settings.evaluate.regularisation,
        "threshold": settings.evaluate.threshold,
        "cross_validated": settings.switches().gate_threshold == "cross_validated",
    }
    if name == REGRESSION:
        return fit_gate(evidence.unseen_probabilities, evidence.logits, is_unseen, **knobs)
    return fit_score_gate(name, evidence, is_unseen, **knobs)


def load_gate(path: Path) -> FittedGate:
    """Read a gate of any kind.

    Raises:
        InputError: the file is missing or is no gate.
    """
    raw = read_json(path)
    if isinstance(raw, dict) and "scores" in raw:
        return load_score_gate(path, raw)
    return Gate.load(path)
