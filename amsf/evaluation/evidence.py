"""What a gate may know of samples: a few numbers from the models, none from the labels.

N = samples · C = classes · S = seen classes · U = unseen classes · F = feature width ·
V = text views · D = text width.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.special import logsumexp, softmax

from amsf.base.errors import InputError
from amsf.evaluation.ensemble import Scorer
from amsf.features.phases import SampleSet
from amsf.model.seen_space import SeenSpace

SCORES = ("probability", "energy", "distance", "stacking")


@dataclass(frozen=True)
class Evidence:
    """What is known of N samples before a gate decides.

    Attributes:
        unseen_probabilities: (N, U), the alignment method's.
        logits: (N, C), raw ones of the seen classes' classifier.
        scores: name -> (N,), rising with how likely a sample is of an unseen class.
            ``probability``: the seen classes' largest softmax, negated (Hendrycks and Gimpel, ICLR
            2017); ``energy``: the negated log-sum-exp of their logits (Liu et al., NeurIPS 2020);
            ``distance`` to the seen classes' means (:mod:`amsf.model.seen_space`);
            ``stacking``: the largest cosine to an unseen class's text less the largest to a seen
            one's, in the space that skeletons and texts share (calibrated stacking, Chao et al.,
            ECCV 2016).
    """

    unseen_probabilities: np.ndarray
    logits: np.ndarray
    scores: dict[str, np.ndarray]


def collect_evidence(
    model: Scorer,
    samples: SampleSet,
    space: SeenSpace,
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
    own = logits[:, seen].astype(np.float64) / temperature
    margins = model.margins(
        samples.features, torch.from_numpy(unseen_text), torch.from_numpy(seen_text)
    )
    return Evidence(
        unseen_probabilities=probabilities_of(model, samples),
        logits=logits,
        scores={
            "probability": -softmax(own, axis=1).max(1),
            "energy": -logsumexp(own, axis=1),
            "distance": space.distance(samples.features.numpy()),
            "stacking": margins.numpy().astype(np.float64),
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
