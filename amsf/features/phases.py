"""Skeleton features: import of the published layout into one validated file a phase.

N = samples · F = feature width · C = classes. Source folders have the published layout
(:mod:`amsf.dataset.layout`); the result is one byte-stable safetensors file a phase, read through
a memory map, and a manifest.

=========== ================================ ==============================================
samples     test phase                       validation phase
=========== ================================ ==============================================
``train``   training samples, seen classes   training samples, validation-seen classes
``zsl``     test samples, unseen classes     samples of the validation-unseen classes
``gzsl``    all test samples, with logits    validation-unseen, then validation-seen samples
=========== ================================ ==============================================
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from amsf.base.errors import InputError
from amsf.base.storage import open_tensors, read_array, read_json, sha256, write_tensors
from amsf.dataset.classes import origin_of
from amsf.dataset.layout import ALSO, FILES, NAMES, PEOPLE, TOP, array_file, folder_name
from amsf.dataset.splits import Split
from amsf.features.checks import (
    ImportedSamples,
    check_features,
    check_labels,
    check_logits,
    check_people,
    check_rows,
    check_widths,
)

# phase -> set -> its roles in the published layout, stacked where there are several.
SETS: dict[str, dict[str, tuple[str, ...]]] = {
    "test": {"train": ("train",), "zsl": ("ztest",), "gzsl": ("gtest",)},
    "val": {"train": ("train",), "zsl": ("ztest",), "gzsl": ("ztest", "val")},
}


@dataclass(frozen=True)
class SampleSet:
    """Features (N, F) float32, labels (N,) int64 and, for gated sets, logits (N, C) float32.

    ``people`` (N,) int64 says whose recording each training sample is, where features know neither
    the classes nor the people: then a part of either can be left out and stands for new ones.
    """

    features: Tensor
    labels: Tensor
    logits: Tensor | None = None
    people: Tensor | None = None


@dataclass(frozen=True)
class PhaseFeatures:
    """The sample sets of a phase.

    ``gzsl`` is absent where only ZSL is wanted, ``also``, training samples of other datasets, where
    no other one trains.
    """

    train: SampleSet
    zsl: SampleSet
    gzsl: SampleSet | None
    also: SampleSet | None = None

    @property
    def learnt(self) -> SampleSet:
        """All training samples, those of other datasets behind, for methods of alignment.

        People are left out: gates alone ask for them, and are fitted on the own ones (``train``).
        """
        if self.also is None:
            return self.train
        pairs = (self.train, self.also)
        return SampleSet(
            torch.cat([part.features for part in pairs]), torch.cat([p.labels for p in pairs])
        )

    @property
    def gated(self) -> SampleSet:
        """``gzsl``, the samples that a gate is asked about.

        Raises:
            InputError: they are absent.
        """
        if self.gzsl is None:
            raise InputError(
                "the features were imported for evaluate.task: zsl, without the gate's samples; "
                "run the `features` stage again with evaluate.task: gzsl"
            )
        return self.gzsl

    @property
    def width(self) -> int:
        """F."""
        return self.train.features.shape[1]


def load_phase(path: Path) -> PhaseFeatures:
    """Open a phase's file; rows are read from the memory map when they are used.

    Raises:
        InputError: the file is missing or not one that this module wrote.
    """
    with open_tensors(path, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    if not {"train.features", "train.labels", "zsl.features", "zsl.labels"} <= set(tensors):
        raise InputError(f"{path}: not a features file; run the `features` stage again")
    sets = {
        name: SampleSet(
            tensors[f"{name}.features"],
            tensors[f"{name}.labels"],
            tensors.get(f"{name}.logits"),
            tensors.get(f"{name}.people"),
        )
        for name in ("train", "zsl", "gzsl", "also")
        if f"{name}.features" in tensors
    }
    for name, part in sets.items():
        rows = {len(t) for t in vars(part).values() if t is not None}
        if len(rows) > 1 or part.features.ndim != 2:
            raise InputError(
                f"{path}: the parts of {name} differ in rows, {sorted(rows)}; run the `features` "
                "stage again"
            )
    return PhaseFeatures(sets["train"], sets["zsl"], sets.get("gzsl"), sets.get("also"))


def find_folder(source: Path, split: Split, phase: str) -> Path:
    """The published folder of a phase, with or without the ``sk_feats`` and letter folders above.

    Raises:
        InputError: there is none; the message names what is expected and where it comes from.
    """
    letter, name = split.letter, folder_name(split, phase)
    tried = [source / TOP / letter, source / TOP, source / letter, source]
    for parent in tried:
        if (parent / name).is_dir():
            return parent / name
    files = [path.name for path in _files(source, phase, gated=True)]
    origin = origin_of(split.dataset, "your own encoder")
    raise InputError(
        f"{tried[0] / name}: no such folder. Expected the published features of {split.dataset} "
        f"with {len(split.unseen)} unseen classes: {', '.join(files)}. They come from the "
        f"authors of the method, or are made from recordings ({origin}) by setting the "
        "benchmark's `features: backbone` or `features: motion`"
    )


def import_phase(
    folder: Path, split: Split, phase: str, *, gated: bool
) -> dict[str, ImportedSamples]:
    """Read and check the published files of a phase.

    Args:
        folder: holds the ``.npy`` files.
        split: the class split they must agree with.
        phase: ``test`` or ``val``.
        gated: whether the sets of the gate and of GZSL are wanted too.

    Returns:
        set name -> its samples; large arrays stay memory-mapped.

    Raises:
        InputError: see :mod:`amsf.features.checks` for what is checked.
    """
    seen, unseen = split.of_phase(phase)
    leaks = sorted({*split.unseen, *unseen})
    allowed = {"train": [seen], "zsl": [unseen], "gzsl": [unseen, seen]}
    if phase == "test":
        allowed["gzsl"] = [tuple(sorted(seen + unseen))]
    first: ImportedSamples | None = None
    result = {}
    for name, roles in _sets(phase, gated=gated).items():
        parts = []
        for role, classes in zip(roles, allowed[name], strict=True):
            paths = _paths(folder, phase, role, logits=name == "gzsl")
            part = _read_part(paths, split, classes, leaks if name == "train" else ())
            first = first or part
            check_widths(paths[0], part, first)
            if name == "train" and (people := array_file(folder, PEOPLE)).is_file():
                found = check_people(read_array(people), people)
                check_rows(paths[0], len(part.features), people, len(found))
                part = replace(part, people=found)
            parts.append(part)
        result[name] = parts[0] if len(parts) == 1 else ImportedSamples.stack(parts)
    joined = split.joined(phase)
    if split.also:
        paths = [array_file(folder, name) for name in ALSO if name]
        left_out = [c for c in range(split.classes, split.total) if c not in joined]
        part = _read_part(paths, split, joined, left_out)
        check_widths(paths[0], part, result["train"])
        result["also"] = part
    return result


def _files(folder: Path, phase: str, *, gated: bool) -> list[Path]:
    """Every published file that a phase is imported from, by name."""
    paths = {
        path
        for name, roles in _sets(phase, gated=gated).items()
        for role in roles
        for path in _paths(folder, phase, role, logits=name == "gzsl")
    }
    people = array_file(folder, PEOPLE)
    return sorted(paths | ({people} if people.is_file() else set()))


def _sets(phase: str, *, gated: bool) -> dict[str, tuple[str, ...]]:
    """set -> its roles; the set that has logits too is left out where no gate is fitted."""
    return {name: roles for name, roles in SETS[phase].items() if gated or name != "gzsl"}


def _paths(folder: Path, phase: str, role: str, *, logits: bool) -> list[Path]:
    """A role's features, labels and, if wanted, logits."""
    files = FILES[phase][role]
    return [array_file(folder, f) for f in (files if logits else files[:2]) if f]


def _read_part(
    paths: list[Path], split: Split, classes: Sequence[int], forbidden: Sequence[int]
) -> ImportedSamples:
    features = check_features(read_array(paths[0], mmap=True), paths[0])
    labels = check_labels(read_array(paths[1]), paths[1], split, classes, forbidden)
    check_rows(paths[0], len(features), paths[1], len(labels))
    if len(paths) == 2:
        return ImportedSamples(features, labels, None)
    logits = check_logits(read_array(paths[2], mmap=True), paths[2], split.classes)
    check_rows(paths[0], len(features), paths[2], len(logits))
    return ImportedSamples(features, labels, logits)


def source_checksums(folder: Path, phase: str, *, gated: bool) -> dict[str, str]:
    """SHA-256 of every file that a phase was imported from, by file name."""
    others = [array_file(folder, name) for name in ALSO if name]
    paths = _files(folder, phase, gated=gated) + [path for path in others if path.is_file()]
    return {path.name: sha256(path) for path in paths}


def recording_names(folders: Mapping[str, Path]) -> tuple[set[str], set[str]] | None:
    """The recordings behind the GZSL test and the validation samples, from ``names.json``.

    Args:
        folders: phase -> its published folder. The backbone stage writes the file; features of
            others have none, and the answer is None.

    Raises:
        InputError: a file is not what that stage writes.
    """
    paths = [folders[phase] / NAMES for phase in ("test", "val")]
    if not all(path.is_file() for path in paths):
        return None
    names: list[set[str]] = []
    for path, phase in zip(paths, ("test", "val")):
        roles = SETS[phase]["gzsl"]
        raw = read_json(path)
        if not isinstance(raw, dict) or not all(isinstance(raw.get(role), list) for role in roles):
            raise InputError(
                f"{path}: no lists {' and '.join(roles)} of recordings; expected what the backbone "
                "stage writes: run it again, or delete the file if the features are not its own"
            )
        names.append({str(name) for role in roles for name in raw[role]})
    return names[0], names[1]


def save_phase(path: Path, samples: dict[str, ImportedSamples]) -> None:
    """Write a phase's sets to one safetensors file."""
    tensors: dict[str, np.ndarray] = {}
    for name, part in samples.items():
        tensors[f"{name}.features"] = part.features
        tensors[f"{name}.labels"] = part.labels
        for kind, array in (("logits", part.logits), ("people", part.people)):
            if array is not None:
                tensors[f"{name}.{kind}"] = array
    write_tensors(path, tensors)


def describe_phase(samples: dict[str, ImportedSamples]) -> dict[str, Any]:
    """What a manifest records of a phase: for each set width, samples and counts per class."""
    return {
        name: {
            "samples": len(part.labels),
            "width": int(part.features.shape[1]),
            "per_class": {
                str(c): int(n) for c, n in zip(*np.unique(part.labels, return_counts=True))
            },
        }
        for name, part in samples.items()
    }
