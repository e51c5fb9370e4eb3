"""The features of one phase, by role: of recordings with an extractor, or off a table.

N = recordings of a role · R = recordings of the set · F = feature width · C = classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from amsf.backbone.extractors import Extractor, fit_extractor
from amsf.backbone.motion import motion_features
from amsf.backbone.seen_classifier import Scaling, SeenClassifier
from amsf.backbone.table import TABLE_NAME, FeatureTable
from amsf.base.errors import InputError
from amsf.dataset.classes import origin_of
from amsf.settings.params import Backbone
from amsf.skeleton.recordings import FILE_NAME, SkeletonSet

RecordedSet = SkeletonSet | FeatureTable


def load_recorded(source: Path, dataset: str, kind: str) -> RecordedSet:
    """Open what a benchmark's features are made of: its skeleton set, or its table of features.

    Args:
        source: the benchmark's source folder.
        dataset: its dataset's name.
        kind: its ``features``.

    Raises:
        InputError: there is none; the message says where it comes from.
    """
    if kind == "table":
        return FeatureTable.load(source / file_of(kind), dataset)
    return load_recordings(source, dataset)


def file_of(kind: str) -> str:
    """The name of the file that features of a kind are made of."""
    return TABLE_NAME if kind == "table" else FILE_NAME


def motion_of(kind: str, recorded: RecordedSet) -> np.ndarray | None:
    """The motion summaries of all recordings (R, ·), where a kind of features uses them."""
    if kind == "backbone" or isinstance(recorded, FeatureTable):
        return None
    return motion_features(recorded)


def load_recordings(source: Path, dataset: str) -> SkeletonSet:
    """Open the skeleton set of a benchmark's source folder.

    Raises:
        InputError: there is none; the message says where recordings come from and how to pack them.
    """
    path = source / FILE_NAME
    if not path.is_file():
        origin = origin_of(dataset, "your own recordings")
        raise InputError(
            f"{path}: no such file, so there are no recordings to make the features of "
            f"'{dataset}' from. They come from {origin}. Pack them with `python -m amsf.pack` (see "
            f"its --help) into {source}, or set the benchmark's `features: published`"
        )
    return SkeletonSet.load(path)


def make_features(
    kind: str,
    recorded: RecordedSet,
    roles: Mapping[str, np.ndarray],
    seen: Sequence[int],
    classes: int,
    settings: Backbone,
    device: torch.device,
    motion: np.ndarray | None,
    name: str,
    snapshots: Path | None,
) -> tuple[dict[str, tuple[np.ndarray, np.ndarray]], Extractor | None]:
    """Make the features of a phase; what is fitted sees the role ``train`` alone.

    Args:
        kind: the benchmark's ``features``, any but ``published``.
        recorded: R recordings, or rows of a table.
        roles: role -> its rows.
        seen: the phase's seen classes.
        classes: C.
        settings: of the skeleton encoder.
        device: where to train it.
        motion: (R, ·) the motion summaries of all recordings; None where they are not used.
        name: what progress lines call the encoder.
        snapshots: folder where interrupted training of the encoder goes on from.

    Returns:
        role -> features (N, F) and logits (N, C), float32; and the extractor, None of a table.
    """
    if isinstance(recorded, FeatureTable):
        logits = _logits(recorded, roles["train"], seen, classes)
        return {role: (recorded.features[r], logits[r]) for role, r in roles.items()}, None
    extractor = fit_extractor(
        *(kind, recorded, roles["train"], seen, classes),
        *(settings, device, motion, name, snapshots),
    )
    made = {r: extractor.compute(recorded, rows, device, motion) for r, rows in roles.items()}
    return made, extractor


def _logits(
    table: FeatureTable, train: np.ndarray, seen: Sequence[int], classes: int
) -> np.ndarray:
    """The table's logits (R, C); where it has none, those of a linear classifier."""
    if table.logits is not None:
        return table.logits
    scaled = Scaling.fit(table.features[train])(table.features)
    fitted = SeenClassifier.fit(scaled[train], table.label[train], seen, classes)
    return fitted.logits(scaled)
