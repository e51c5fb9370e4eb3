"""How strange recordings are to known classes, and how often that refuses them, by any method.

N = samples · C = classes · S = seen classes · U = unseen classes · V = text views · D = text width.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from amsf.dataset.splits import Split
from amsf.evaluation.confidence.strangeness import Distances, Refusals, Strangeness
from amsf.evaluation.gate_space import UNSEEN_DISTANCE, GateSpace, space_of
from amsf.evaluation.held_out import held_out_of
from amsf.features.phases import PhaseFeatures
from amsf.settings.params import Settings

FALSE_ALARMS = (0.05, 0.1, 0.2)  # rates at which "none of these" is measured


@dataclass(frozen=True)
class Measured:
    """What features and texts say of a benchmark, whatever the alignment method.

    Attributes:
        space: what gates measure by themselves.
        strangeness: of recordings to all classes.
        refusals: how often "none of these" is answered to test samples, at each of
            :data:`FALSE_ALARMS`.
    """

    space: GateSpace
    strangeness: Strangeness
    refusals: tuple[Refusals, ...]


def measure(
    test: PhaseFeatures, val: PhaseFeatures, text: np.ndarray, split: Split, settings: Settings
) -> Measured:
    """Fit what does not depend on the alignment method; see :func:`fit_strangeness`."""
    strangeness = fit_strangeness(test, val, text, split, settings)
    refusals = measure_refusals(strangeness, test, text, split)
    return Measured(space_of(test, text[list(split.seen)]), strangeness, tuple(refusals))


def fit_strangeness(
    test: PhaseFeatures, val: PhaseFeatures, text: np.ndarray, split: Split, settings: Settings
) -> Strangeness:
    """Fit how strange recordings are to known classes, whatever the alignment method.

    On people who were left out, and on groups of classes that were too; where features know both,
    on the one draw of the validation phase. Of test samples nothing is looked at.

    Args:
        test, val: features of the phases.
        text: (C, V, D) text vectors of all classes.
        split: the benchmark's classes.
        settings: the benchmark's settings.
    """
    held_out = held_out_of(test, split.unseen, text, settings)
    if held_out is not None and held_out.draws:
        seen = held_out.known
        unseen = {
            name: np.concatenate([draw.scores[name][draw.is_unseen] for draw in held_out.draws])
            for name in ("distance", UNSEEN_DISTANCE)
        }
    else:
        gated = val.gated
        seen_text, unseen_text = text[list(split.val_seen)], text[list(split.val_unseen)]
        found = space_of(val, seen_text).scores(gated.features.numpy(), seen_text, unseen_text)
        is_unseen = np.isin(gated.labels.numpy(), split.val_unseen)
        seen, unseen = (
            {name: values[side] for name, values in found.items()}
            for side in (~is_unseen, is_unseen)
        )
    return Strangeness.fit(
        *(Distances(side["distance"], side[UNSEEN_DISTANCE]) for side in (seen, unseen))
    )


def measure_refusals(
    strangeness: Strangeness, test: PhaseFeatures, text: np.ndarray, split: Split
) -> list[Refusals]:
    """How often "none of these" is answered to test samples, at each of :data:`FALSE_ALARMS`.

    For what is found, each unseen class's texts are left out in turn: its samples then are of none
    of the classes named. Where there is one unseen class alone, the seen ones are all that is left.

    Args:
        strangeness: fitted.
        test: features of the test phase.
        text: (C, V, D) text vectors of all classes.
        split: the benchmark's classes.
    """
    samples, seen_text = test.gated, text[list(split.seen)]
    space, unseen = space_of(test, seen_text), np.array(split.unseen)
    features, labels = samples.features.numpy(), samples.labels.numpy()
    to_seen = space.space.distance(features)
    to_unseen = space.unseen_distances(features, text[unseen])
    numbers = len(split.seen), len(unseen)
    known = strangeness.p_values(Distances(to_seen, to_unseen.min(1)), *numbers)
    is_unseen = np.isin(labels, unseen)
    own = labels[is_unseen][:, None] == unseen
    others = np.where(own, np.inf, to_unseen[is_unseen]).min(1)
    left_out = strangeness.p_values(Distances(to_seen[is_unseen], others), *numbers)

    def share(p_values: np.ndarray, rate: float) -> float:
        return float((p_values <= rate).mean())

    return [
        Refusals(
            rate,
            share(known, rate),
            share(known[~is_unseen], rate),
            share(known[is_unseen], rate),
            share(left_out, rate),
        )
        for rate in FALSE_ALARMS
    ]
