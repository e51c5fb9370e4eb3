"""The gated decision: what two classifiers answer, and which of them the gate believes.

N = samples · C = classes · U = unseen classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from amsf.evaluation.gate import Gate


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


def decide(
    gate: Gate,
    unseen_probabilities: np.ndarray,
    logits: np.ndarray,
    seen: Sequence[int],
    unseen: Sequence[int],
) -> GatedAnswers:
    """Both classifiers' answers, and the gate's choice between them.

    The seen answer is the argmax of the skeleton encoder's logits over the seen classes; the
    unseen one is that of the alignment method.

    Args:
        gate: fitted.
        unseen_probabilities: (N, U) of the alignment method, columns in the order of ``unseen``.
        logits: (N, C) raw logits of the skeleton encoder.
        seen: ids of the seen classes.
        unseen: U ids.
    """
    seen_prediction = np.asarray(seen)[logits[:, list(seen)].argmax(axis=1)]
    unseen_prediction = np.asarray(unseen)[unseen_probabilities.argmax(axis=1)]
    probability = gate.probability(unseen_probabilities, logits)
    return GatedAnswers(
        probability=probability,
        seen_prediction=seen_prediction,
        unseen_prediction=unseen_prediction,
        prediction=np.where(probability > gate.threshold, unseen_prediction, seen_prediction),
    )
