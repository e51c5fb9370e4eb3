"""The gated decision: what two classifiers answer, and which of them the gate believes.

N = samples · C = classes · U = unseen classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from amsf.evaluation.evidence import Evidence
from amsf.evaluation.gates import FittedGate
from amsf.model.aligner import Config


@dataclass(frozen=True)
class GatedAnswers:
    """What is answered to each of N samples.

    Attributes:
        probability: (N,) P(unseen).
        seen_prediction: (N,) the class if the sample counts as seen.
        unseen_prediction: (N,) the class if it counts as unseen.
        prediction: (N,) the class that the gate's threshold picks.
    """

    probability: np.ndarray
    seen_prediction: np.ndarray
    unseen_prediction: np.ndarray
    prediction: np.ndarray


def decide(gate: FittedGate, evidence: Evidence, config: Config) -> GatedAnswers:
    """Both classifiers' answers, and the gate's choice between them.

    The seen answer is the argmax of the skeleton encoder's logits over the seen classes; the
    unseen one is that of the alignment method.

    Args:
        gate: fitted.
        evidence: of N samples.
        config: of the alignment method's model; it has the seen and the unseen classes.
    """
    seen = list(config.seen)
    seen_prediction = np.asarray(seen)[evidence.logits[:, seen].argmax(axis=1)]
    unseen_prediction = np.asarray(config.unseen)[evidence.unseen_probabilities.argmax(axis=1)]
    probability = gate.probability_of(evidence)
    return GatedAnswers(
        probability=probability,
        seen_prediction=seen_prediction,
        unseen_prediction=unseen_prediction,
        prediction=np.where(probability > gate.threshold, unseen_prediction, seen_prediction),
    )
