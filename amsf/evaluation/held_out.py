"""Gate scores of people and classes that were left out, so that a threshold holds for new ones.

N = samples · M = held-out samples · C = classes · S = seen classes · U = unseen classes ·
V = text views · D = text width · F = feature width. Only where features know neither the classes
nor the people (``features: motion``): a trained encoder has seen both, and its features of them
say nothing of new ones. Then one draw of the validation phase is all there is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from amsf.backbone.seen_classifier import SeenClassifier
from amsf.evaluation.gate_space import GateSpace, Texts, classifier_scores
from amsf.features.phases import PhaseFeatures, SampleSet
from amsf.settings.params import Settings
from amsf.settings.protocol import AUTO

GROUPS = 8  # of classes that are left out
PARTS = 4  # of people that are left out in turn, at most
_SEED = 0

Scores = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Draw:
    """Scores of samples whose people the models do not know, some of them of unknown classes.

    Attributes:
        scores: name -> (M,).
        is_unseen: (M,) bool.
    """

    scores: Scores
    is_unseen: np.ndarray


@dataclass(frozen=True)
class HeldOut:
    """What leaving out has shown.

    Attributes:
        draws: one for each group of classes that was left out.
        known: name -> (M,), scores of seen samples by models of all seen classes and other people.
    """

    draws: tuple[Draw, ...]
    known: Scores


def leave_out(
    features: np.ndarray,
    labels: np.ndarray,
    people: np.ndarray,
    text: np.ndarray,
    unseen: np.ndarray,
    temperature: float,
    *,
    classified: bool = False,
    joined: bool = False,
) -> HeldOut:
    """Leave people out, and with them groups of seen classes.

    A group has as many classes as there are unseen ones, at most half of the seen. Where there is
    a single class or a single person, nothing can be left out, and there are no draws.

    Args:
        features: (N, F) of the training samples.
        labels: (N,) their classes.
        people: (N,) whose recording each is.
        text: (C, V, D) texts of all classes.
        unseen: (U,) the unseen classes; of them, nothing but texts and number is looked at.
        temperature: T of the classifier's logits.
        classified: whether draws, too, have the classifier's ``probability`` and ``energy``, which
            take longer than all else together.
        joined: whether other datasets have taught the classifier, too. It is not fitted with them
            again, so that there are no scores of it here.
    """
    seen = np.unique(labels)

    def scores(
        classes: np.ndarray, others: np.ndarray, *, classified: bool = False
    ) -> tuple[Scores, np.ndarray]:
        """Held-out people's scores by models of ``classes``, and which are of ``others``."""
        found, held_labels = [], []
        known, asked = np.isin(labels, classes), np.isin(labels, np.append(classes, others))
        for out in _parts(people):
            train, held = known & ~out, asked & out
            # A class without a person who stays has no place.
            if held.any() and len(np.unique(labels[train])) == len(classes):
                space = GateSpace.fit(features[train], labels[train], text[classes])
                own = space.scores(features[held], text[classes], text[others])
                if classified:
                    fitted = SeenClassifier.fit(
                        features[train], labels[train], classes.tolist(), len(text)
                    )
                    logits = fitted.logits(features[held])[:, classes]
                    own |= classifier_scores(logits, temperature)
                found.append(own)
                held_labels.append(labels[held])
        if not found:
            return {}, np.zeros(0, bool)
        stacked = {name: np.concatenate([part[name] for part in found]) for name in found[0]}
        return stacked, np.isin(np.concatenate(held_labels), others)

    draws = []
    for group in _groups(seen, len(unseen)):
        draw = Draw(*scores(np.setdiff1d(seen, group), group, classified=classified and not joined))
        if draw.is_unseen.any() and not draw.is_unseen.all():
            draws.append(draw)
    return HeldOut(tuple(draws), scores(seen, unseen, classified=not joined)[0])


def held_out_of(
    test: PhaseFeatures, unseen: tuple[int, ...], text: np.ndarray, settings: Settings
) -> HeldOut | None:
    """:func:`leave_out` of a phase's training samples; None where features know people or classes.

    Args:
        test: features of the test phase.
        unseen: its unseen classes.
        text: (C, V, D) texts of all classes.
        settings: the benchmark's settings.
    """
    return _left_out(
        test.train,
        Texts.of(text),
        unseen,
        settings.evaluate.temperature,
        choose=settings.switches().gate == AUTO,
        joined=test.also is not None,
    )


@lru_cache(maxsize=2)  # every method beside a result asks for the same
def _left_out(
    train: SampleSet,
    texts: Texts,
    unseen: tuple[int, ...],
    temperature: float,
    *,
    choose: bool,
    joined: bool,
) -> HeldOut | None:
    """What leaving out people and classes shows; None where features know them."""
    if train.people is None:
        return None
    return leave_out(
        train.features.numpy(),
        train.labels.numpy(),
        train.people.numpy(),
        texts.vectors,
        np.array(unseen),
        temperature,
        classified=choose,
        joined=joined,
    )


def _parts(people: np.ndarray) -> Iterator[np.ndarray]:
    """Masks (N,) of the samples of some people each, every person in one of them."""
    present = np.unique(people)
    count = min(PARTS, len(present))
    if count > 1:
        for first in range(count):
            yield np.isin(people, present[first::count])


def _groups(seen: np.ndarray, size: int) -> list[np.ndarray]:
    """Random groups of seen classes: :data:`GROUPS` of them, or none of a single class."""
    size = min(size, len(seen) // 2)
    if size == 0:
        return []
    rng = np.random.default_rng(_SEED)
    groups: list[np.ndarray] = []
    while len(groups) < GROUPS:
        drawn = rng.permutation(seen)
        groups += [np.sort(drawn[i : i + size]) for i in range(0, len(seen) - size + 1, size)]
    return groups[:GROUPS]
