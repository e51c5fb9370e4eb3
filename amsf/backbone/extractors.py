"""From recordings to features and logits: the trained skeleton encoder, the motion summary, both.

All that later stages and prediction know of a benchmark's features is an :class:`Extractor`. One
is fitted a phase, on its training recordings alone, and saved as ``<name>.json`` (what it is) and
``<name>.safetensors`` (its numbers); where both kinds stand side by side, their scalings are in
``<name>_scaling.safetensors``.

Axis letters: N recordings asked for, R recordings of the set, F feature width, C classes of the
dataset.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from amsf.backbone.joined import Joined
from amsf.backbone.motion import motion_features, motion_names
from amsf.backbone.network import EncoderShape, SkeletonEncoder, keep_classes
from amsf.backbone.preprocessing import join_samples, prepare
from amsf.backbone.seen_classifier import Scaling, SeenClassifier
from amsf.backbone.training import encode, load_encoder, save_encoder, train_encoder
from amsf.base.errors import InputError
from amsf.base.storage import read_json, read_tensors, write_json, write_tensors
from amsf.settings.params import Backbone
from amsf.skeleton.joints import layout_of
from amsf.skeleton.recordings import SkeletonSet

Note = dict[str, Any]
_MOST_CLASSES = 1 << 16  # before memory is taken for as many as a file may claim
_MOTION = len(motion_names())


class Extractor(Protocol):
    """What gives features and logits of recordings."""

    @property
    def layout(self) -> str:
        """The joints that it takes, a key of :data:`amsf.skeleton.joints.LAYOUTS`."""

    @property
    def joints(self) -> frozenset[int] | None:
        """Those of the layout's joints that it looks at; None for all."""

    @property
    def width(self) -> int:
        """F."""

    def compute(
        self,
        recordings: SkeletonSet,
        rows: Sequence[int] | np.ndarray,
        device: torch.device,
        motion: np.ndarray | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Features (N, F) and logits (N, C), float32.

        Args:
            recordings: R of them, of this layout.
            rows: which, N; others are not touched.
            device: for the skeleton encoder.
            motion: (R, ·) the motion summaries of all of them, where they were made already.
        """

    def compute_joined(
        self, joined: Joined, device: torch.device, centre: np.ndarray
    ) -> np.ndarray:
        """Features (N, F) float32 of another dataset's training recordings, by its own mean.

        Args:
            joined: N recordings that train.
            device: for the skeleton encoder.
            centre: (F,) the mean of the benchmark's own training recordings.
        """

    def save(self, folder: Path, name: str, note: Note) -> None:
        """Write it to a folder that exists, with a note of what it was fitted on."""


@dataclass(frozen=True)
class EncoderExtractor:
    """``features: backbone``: the skeleton encoder's features and logits."""

    encoder: SkeletonEncoder

    @property
    def layout(self) -> str:
        """The joints that it takes."""
        return self.encoder.shape.layout

    @property
    def joints(self) -> None:
        """It looks at all joints."""
        return None

    @property
    def width(self) -> int:
        """F."""
        return self.encoder.shape.features

    def compute(
        self,
        recordings: SkeletonSet,
        rows: Sequence[int] | np.ndarray,
        device: torch.device,
        motion: np.ndarray | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Features (N, F) and logits (N, C), float32."""
        shape = self.encoder.shape
        samples = prepare(recordings, rows, layout_of(shape.layout), shape.frames)
        features, logits = encode(self.encoder, samples, device)
        return features.numpy(), logits.numpy()

    def compute_joined(
        self, joined: Joined, device: torch.device, centre: np.ndarray
    ) -> np.ndarray:
        """Features (N, F), moved so that their mean is ``centre``."""
        features, _ = self.compute(_skeletons(joined), joined.rows, device)
        return features - features.mean(0) + centre

    def save(self, folder: Path, name: str, note: Note) -> None:
        """Write the network and the note."""
        save_encoder(folder, name, self.encoder, {**note, "features": "backbone"})


@dataclass(frozen=True)
class MotionExtractor:
    """``features: motion``: the standardised motion summary, and a linear classifier's logits."""

    layout: str
    scaling: Scaling
    classifier: SeenClassifier

    @property
    def joints(self) -> frozenset[int]:
        """Those of the layout's joints that it looks at."""
        layout = layout_of(self.layout)
        return frozenset((*layout.parts.values(), *layout.spine, *layout.hips, *layout.shoulders))

    @property
    def width(self) -> int:
        """F."""
        return len(self.scaling.mean)

    def compute(
        self,
        recordings: SkeletonSet,
        rows: Sequence[int] | np.ndarray,
        device: torch.device,
        motion: np.ndarray | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Features (N, F) and logits (N, C), float32."""
        features = self.scaling(_motion(recordings, rows, motion))
        return features, self.classifier.logits(features)

    def compute_joined(
        self, joined: Joined, device: torch.device, centre: np.ndarray
    ) -> np.ndarray:
        """Features (N, F), standardised by their own mean and deviation."""
        return _standardised(_motion(_skeletons(joined), joined.rows, joined.motion))

    def save(self, folder: Path, name: str, note: Note) -> None:
        """Write the numbers and the note."""
        tensors = {**_tensors("motion", self.scaling), "columns": self.classifier.columns}
        tensors |= {"weight": self.classifier.weight, "bias": self.classifier.bias}
        write_tensors(folder / f"{name}.safetensors", tensors)
        shape = {"layout": self.layout, "classes": self.classifier.classes}
        write_json(folder / f"{name}.json", {**note, "shape": shape, "features": "motion"})


@dataclass(frozen=True)
class CombinedExtractor:
    """``features: backbone+motion``: both kinds side by side, and the encoder's logits.

    Each kind is standardised by the training samples, so that neither outweighs the other.
    """

    encoder: EncoderExtractor
    encoder_scaling: Scaling
    motion_scaling: Scaling

    @property
    def layout(self) -> str:
        """The joints that it takes."""
        return self.encoder.layout

    @property
    def joints(self) -> None:
        """It looks at all joints."""
        return None

    @property
    def width(self) -> int:
        """F."""
        return len(self.encoder_scaling.mean) + len(self.motion_scaling.mean)

    def compute(
        self,
        recordings: SkeletonSet,
        rows: Sequence[int] | np.ndarray,
        device: torch.device,
        motion: np.ndarray | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Features (N, F) and logits (N, C), float32."""
        encoded, logits = self.encoder.compute(recordings, rows, device)
        moved = self.motion_scaling(_motion(recordings, rows, motion))
        return np.concatenate([self.encoder_scaling(encoded), moved], axis=1), logits

    def compute_joined(
        self, joined: Joined, device: torch.device, centre: np.ndarray
    ) -> np.ndarray:
        """Features (N, F), each kind standardised by its own mean and deviation."""
        encoded, _ = self.encoder.compute(_skeletons(joined), joined.rows, device)
        moved = _motion(_skeletons(joined), joined.rows, joined.motion)
        return np.concatenate([_standardised(encoded), _standardised(moved)], axis=1)

    def save(self, folder: Path, name: str, note: Note) -> None:
        """Write the network, both scalings and the note."""
        tensors = _tensors("backbone", self.encoder_scaling)
        tensors |= _tensors("motion", self.motion_scaling)
        write_tensors(folder / f"{name}_scaling.safetensors", tensors)
        save_encoder(folder, name, self.encoder.encoder, {**note, "features": "backbone+motion"})


def fit_extractor(
    kind: str,
    recordings: SkeletonSet,
    rows: np.ndarray,
    seen: Sequence[int],
    classes: int,
    settings: Backbone,
    device: torch.device,
    motion: np.ndarray | None = None,
    name: str = "encoder",
    snapshots: Path | None = None,
    joined: Sequence[Joined] = (),
) -> Extractor:
    """Fit an extractor on the given recordings; nothing else is looked at.

    Recordings of other datasets teach the encoder and the classifier their classes too, whose
    columns are then forgotten.

    Args:
        kind: ``backbone``, ``motion`` or ``backbone+motion``.
        recordings: R of them.
        rows: those to learn from.
        seen: the classes to recognise; each has one of these recordings, and no other has.
        classes: C.
        settings: of the skeleton encoder.
        device: where to train it.
        motion: (R, ·) the motion summaries of all recordings, where they were made already.
        name: for the progress lines.
        snapshots: folder where interrupted training of the encoder goes on from.
        joined: what trains of other datasets.
    """
    label = np.concatenate([recordings.label[rows], *(other.label for other in joined)])
    if kind == "motion":
        found = _motion(recordings, rows, motion)
        scaling = Scaling.fit(found)
        others = [
            _standardised(_motion(_skeletons(other), other.rows, other.motion)) for other in joined
        ]
        x = np.concatenate([scaling(found), *others])
        classifier = SeenClassifier.fit_first(x, label, seen, classes)
        return MotionExtractor(recordings.layout, scaling, classifier)
    columns = [*seen, *np.unique(label[label >= classes]).tolist()]
    total = max(classes, max(columns) + 1)
    shape = EncoderShape(recordings.layout, total, settings.frames)
    layout = layout_of(recordings.layout)
    samples = join_samples(
        [
            prepare(recordings, rows, layout, settings.frames),
            *(prepare(_skeletons(o), o.rows, layout, settings.frames) for o in joined),
        ]
    )
    encoder = EncoderExtractor(
        keep_classes(
            train_encoder(samples, label, columns, shape, settings, device, name, snapshots),
            classes,
        )
    )
    if kind == "backbone":
        return encoder
    encoded, _ = encoder.compute(recordings, rows, device)
    moved = _motion(recordings, rows, motion)
    return CombinedExtractor(encoder, Scaling.fit(encoded), Scaling.fit(moved))


def load_extractor(folder: Path, name: str) -> tuple[Extractor, Note]:
    """Read what :meth:`Extractor.save` wrote; returns it with its note.

    Raises:
        InputError: a file is missing or damaged, or they do not fit each other.
    """
    path = folder / f"{name}.json"
    note = read_json(path)
    kind = note.get("features") if isinstance(note, dict) else None
    if kind == "motion":
        return _load_motion(folder, name, note), note
    encoder, note = load_encoder(folder, name)
    if kind != "backbone+motion":
        return EncoderExtractor(encoder), note
    file = folder / f"{name}_scaling.safetensors"
    tensors = read_tensors(file)
    try:
        widths = {"backbone": encoder.shape.features, "motion": _MOTION}
        scalings = [_scaling(k, tensors, w) for k, w in widths.items()]
    except (KeyError, ValueError) as error:
        raise InputError(
            f"{file}: not the scalings of this version ({error}); run the backbone stage again"
        ) from error
    return CombinedExtractor(EncoderExtractor(encoder), *scalings), note


def _load_motion(folder: Path, name: str, note: Note) -> MotionExtractor:
    tensors = read_tensors(folder / f"{name}.safetensors")
    try:
        layout, classes = str(note["shape"]["layout"]), int(note["shape"]["classes"])
        layout_of(layout)
        columns = tensors["columns"]
        if not 0 < classes <= _MOST_CLASSES:
            raise ValueError(f"classes is {classes}")
        if columns.ndim != 1 or not np.isin(columns, range(classes)).all():
            raise ValueError(f"columns are {columns}; expected some of {classes} classes")
        weight = _finite("weight", tensors, (len(columns), _MOTION))
        classifier = SeenClassifier(
            columns, weight, _finite("bias", tensors, (len(columns),)), classes
        )
        return MotionExtractor(layout, _scaling("motion", tensors, _MOTION), classifier)
    except (KeyError, TypeError, ValueError, InputError) as error:
        raise InputError(
            f"{folder / name}.json and .safetensors: not a motion extractor of this version "
            f"({error}); run the backbone stage again"
        ) from error


def _motion(
    recordings: SkeletonSet, rows: Sequence[int] | np.ndarray, motion: np.ndarray | None
) -> np.ndarray:
    return motion_features(recordings, rows) if motion is None else motion[rows]


def _standardised(features: np.ndarray) -> np.ndarray:
    return Scaling.fit(features)(features)


def _skeletons(joined: Joined) -> SkeletonSet:
    assert isinstance(joined.recorded, SkeletonSet)
    return joined.recorded


def _tensors(kind: str, scaling: Scaling) -> dict[str, np.ndarray]:
    return {f"{kind}.mean": scaling.mean, f"{kind}.deviation": scaling.deviation}


def _scaling(kind: str, tensors: Mapping[str, np.ndarray], width: int) -> Scaling:
    mean, deviation = (
        _finite(f"{kind}.{part}", tensors, (width,)) for part in ("mean", "deviation")
    )
    if not (deviation > 0).all():
        raise ValueError(f"{kind}.deviation has a value that is not positive")
    return Scaling(mean, deviation)


def _finite(name: str, tensors: Mapping[str, np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    found = tensors[name]
    if found.shape != shape or not np.isfinite(found).all():
        raise ValueError(f"{name} is {found.shape}; {shape} fits, of finite numbers")
    return found
