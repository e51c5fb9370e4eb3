"""What a gate may know of samples: a few numbers from the models, none from the labels.

N = samples · C = classes · S = seen classes · U = unseen classes · V = text views · D = text width.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from amsf.base.errors import InputError
from amsf.evaluation.ensemble import Scorer
from amsf.evaluation.gate_space import OWN_SCORES, GateSpace, classifier_scores
from amsf.features.phases import SampleSet

SCORES = ("probability", "energy", "stacking", *OWN_SCORES)


@dataclass(frozen=True)
class Evidence:
    """What is known of N samples before a gate decides.

    Attributes:
        unseen_probabilities: (N, U), the alignment method's.
        logits: (N, C), raw ones of the seen classes' classifier.
        scores: name -> (N,), rising with how likely a sample is of an unseen class.
            ``probability``: the seen classes' largest softmax, negated (Hendrycks and Gimpel, ICLR
            2017); ``energy``: the negated log-sum-exp of their logits (Liu et al., NeurIPS 2020);
            ``stacking``: the largest cosine to an unseen class's text less the largest to a seen
            one's, in the space that skeletons and texts share (calibrated stacking, Chao et al.,
            ECCV 2016); ``distance``, ``prototypes`` and ``ridge`` know nothing of the alignment
            method (:mod:`amsf.evaluation.gate_space`).
    """

    unseen_probabilities: np.ndarray
    logits: np.ndarray
    scores: dict[str, np.ndarray]


def collect_evidence(
    model: Scorer,
    samples: SampleSet,
    space: GateSpace,
    seen_text: np.ndarray,
    unseen_text: np.ndarray,
    temperature: float,
) -> Evidence:
    """Ask the models about samples that have logits.

    Args:
        model: the alignment method's.
        samples: N of them.
        space: fitted on the training features that the model was trained on.
        seen_text: (S, V, D) text vectors of the seen classes, in the order of the model's config.
        unseen_text: (U, V, D) those of the unseen ones, likewise.
        temperature: T of the seen logits.

    Raises:
        InputError: the features have another width than the model was trained on.
    """
    assert samples.logits is not None
    seen = list(model.config.seen)
    logits = samples.logits.numpy()
    margins = model.margins(
        samples.features, torch.from_numpy(unseen_text), torch.from_numpy(seen_text)
    )
    return Evidence(
        unseen_probabilities=probabilities_of(model, samples),
        logits=logits,
        scores={
            **classifier_scores(logits[:, seen], temperature),
            "stacking": margins.numpy().astype(np.float64),
            **space.scores(samples.features.numpy(), seen_text, unseen_text),
        },
    )


def probabilities_of(model: Scorer, samples: SampleSet) -> np.ndarray:
    """The alignment method's probabilities of the unseen classes: (N, U).

    Raises:
        InputError: the features have another width than the model was trained on.
    """
    if samples.features.shape[1] != model.config.feature_width:
        raise InputError(
            f"features are {samples.features.shape[1]} wide; the model was trained on "
            f"{model.config.feature_width}: run the `train` stage again"
        )
    return model.probabilities(samples.features).numpy()
