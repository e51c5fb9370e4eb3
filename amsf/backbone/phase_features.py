"""The features of one phase, by role: of recordings with an extractor, or off a table.

N = recordings of a role · F = feature width · C = classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from amsf.backbone.extractors import Extractor, fit_extractor
from amsf.backbone.joined import Joined, Material
from amsf.backbone.seen_classifier import Scaling, SeenClassifier
from amsf.backbone.table import FeatureTable
from amsf.settings.params import Backbone


@dataclass(frozen=True)
class PhaseFeatures:
    """What was made of a phase's recordings.

    Attributes:
        roles: role -> features (N, F) and logits (N, C), float32.
        joined: features (N, F) and classes (N,) of the recordings of other datasets, each set
            centred by its own mean; None where no other trains.
        extractor: what made them; None of a table.
    """

    roles: dict[str, tuple[np.ndarray, np.ndarray]]
    joined: tuple[np.ndarray, np.ndarray] | None
    extractor: Extractor | None


def make_features(
    material: Material,
    roles: Mapping[str, np.ndarray],
    seen: Sequence[int],
    classes: int,
    settings: Backbone,
    device: torch.device,
    name: str,
    snapshots: Path | None,
) -> PhaseFeatures:
    """Make the features of a phase; what is fitted sees training recordings alone.

    Args:
        material: what they are made of.
        roles: role -> rows of the benchmark's own set.
        seen: the phase's seen classes.
        classes: C.
        settings: of the skeleton encoder.
        device: where to train it.
        name: what progress lines call the encoder.
        snapshots: folder where interrupted training of the encoder goes on from.
    """
    recorded, motion, joined = material.recorded, material.motion, material.joined
    if isinstance(recorded, FeatureTable):
        return _off_table(recorded, roles, seen, classes, joined)
    extractor = fit_extractor(
        material.kind,
        recorded,
        roles["train"],
        seen,
        classes,
        settings,
        device,
        motion,
        name,
        snapshots,
        joined,
    )
    made = {r: extractor.compute(recorded, rows, device, motion) for r, rows in roles.items()}
    centre = made["train"][0].mean(0)
    others = [extractor.compute_joined(other, device, centre) for other in joined]
    return PhaseFeatures(made, _gather(others, joined), extractor)


def _off_table(
    table: FeatureTable,
    roles: Mapping[str, np.ndarray],
    seen: Sequence[int],
    classes: int,
    joined: Sequence[Joined],
) -> PhaseFeatures:
    """The rows of each role; where there are no logits, a linear classifier gives them."""
    train = roles["train"]
    others = []
    for other in joined:
        assert isinstance(other.recorded, FeatureTable)
        others.append(other.recorded.features[other.rows])
    logits = table.logits
    if logits is None:
        scaling = Scaling.fit(table.features[train])
        scaled = [scaling(table.features[train]), *(Scaling.fit(x)(x) for x in others)]
        labels = np.concatenate([table.label[train], *(other.label for other in joined)])
        fitted = SeenClassifier.fit_first(np.concatenate(scaled), labels, seen, classes)
        logits = fitted.logits(scaling(table.features))
    made = {role: (table.features[rows], logits[rows]) for role, rows in roles.items()}
    centre = table.features[train].mean(0)
    moved = [x - x.mean(0) + centre for x in others]
    return PhaseFeatures(made, _gather(moved, joined), None)


def _gather(
    features: Sequence[np.ndarray], joined: Sequence[Joined]
) -> tuple[np.ndarray, np.ndarray] | None:
    if not joined:
        return None
    return np.concatenate(features), np.concatenate([other.label for other in joined])
