"""Other datasets that train too: which of their classes mean the same as one of ours.

A recording of a class that means the same as an unseen one would be a recording of the unseen
class, whatever its dataset calls it. Such classes are found by their texts.

C = classes of a dataset · K = classes of another · V = text views · D = text width.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from amsf.base.cosines import cosine_matrix
from amsf.dataset.splits import OtherSet, Split
from amsf.settings.params import WHOLE_VIEWS

# Alikeness from which two classes mean the same. Of the 603 pairs across UTD-MHAD, UTKinect and
# Florence 3D, by MiniLM's five views, 17 mean the same by hand: they have 0.42 to 1. Seven others
# lie above 0.4, all of them opposites (sitting down and standing up, pulling and pushing), and the
# next has 0.38. To leave out a few too many is safe; to miss one is not.
SAME = 0.4


def join(split: Split, own: np.ndarray, others: Mapping[str, np.ndarray], *, keep: bool) -> Split:
    """The split with other datasets that train too.

    Args:
        split: of our dataset alone.
        own: (C, V, D) text vectors of its classes.
        others: dataset -> (K, V, D) text vectors of its classes, by the same encoder.
        keep: whether classes that mean the same as an unseen one train, too.
    """
    joined, first = [], split.classes
    for dataset in sorted(others):
        text = others[dataset]
        pairs = np.argwhere(alikeness(text, own) >= SAME).tolist()
        alike = tuple((int(c), int(o)) for c, o in pairs)
        joined.append(OtherSet(dataset, len(text), first, alike, keep))
        first += len(text)
    return replace(split, also=tuple(joined))


def compared_views(views: Sequence[str]) -> list[str]:
    """Of some views those by which classes are compared: of the whole action, if there are any.

    A part of the body does the same in many classes that are not the same.
    """
    return [view for view in views if view in WHOLE_VIEWS] or list(views)


def describe_other(split: Split, other: OtherSet) -> dict[str, Any]:
    """What a manifest records of another dataset: how many classes train, and which do not."""
    phases = ("test", "val") if split.val_unseen else ("test",)
    left_out = {phase: list(split.left_out(other, phase)) for phase in phases}
    return {"classes": other.classes, "alike": list(map(list, other.alike)), "left_out": left_out}


def alikeness(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """How alike classes of two datasets are by their texts: (K, V, D), (C, V, D) -> (K, C).

    The mean cosine over the views, put on a scale where 1 is the same text and 0 is the mean
    cosine of different classes, which encoders set at very different heights.
    """
    every = np.concatenate([a, b])
    views = range(every.shape[1])
    cosines = np.mean([cosine_matrix(every[:, view]) for view in views], axis=0)
    base = cosines[~np.eye(len(every), dtype=bool)].mean()
    found: np.ndarray = (cosines[: len(a), len(a) :] - base) / (1 - base)
    return found
