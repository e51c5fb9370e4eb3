"""The published layout of skeleton features: names of its folders and files.

N = samples · F = feature width · C = classes · U = unseen classes. A phase has one folder,
``sk_feats/{x}/shift_{U}_{x}`` for the test phase and ``shift_val_{U}_{x}`` for validation, x = r,
e or h for random, easy or hard unseen classes. In it are the samples of three roles: features
(N, F), labels (N,) and, where the gate needs them, logits (N, C), a ``.npy`` file each.

It stands among the datasets, since the backbone writes this layout and the features room, which
is above it, reads it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from amsf.dataset.splits import Split

TOP = "sk_feats"
NAMES = "names.json"  # ours: the recording behind each row of a role's files
# Ours: whose recording each training sample is (N,), beside features that know no people.
PEOPLE = "train_people"


class RoleFiles(NamedTuple):
    """The names of a role's files, without their ``.npy``."""

    features: str
    labels: str
    logits: str | None = None


# phase -> role -> its files. A role is called like its features.
FILES: dict[str, dict[str, RoleFiles]] = {
    "test": {
        "train": RoleFiles("train", "train_label"),
        "ztest": RoleFiles("ztest", "z_label"),
        "gtest": RoleFiles("gtest", "g_label", "gtest_out"),
    },
    "val": {
        "train": RoleFiles("train", "train_label"),
        "ztest": RoleFiles("ztest", "z_label", "ztest_out"),
        "val": RoleFiles("val", "val_label", "val_out"),
    },
}


# Ours: samples of other datasets that train in a phase too, where there are such.
ALSO = RoleFiles("also", "also_label")


def array_file(folder: Path, name: str) -> Path:
    """One of a role's files."""
    return folder / f"{name}.npy"


def folder_name(split: Split, phase: str) -> str:
    """The folder of a phase."""
    return f"shift_{'val_' if phase == 'val' else ''}{len(split.unseen)}_{split.letter}"


def phase_of(folder: str) -> str | None:
    """The phase that a folder's name belongs to; None if it is no folder of this layout."""
    match = re.fullmatch(r"shift_(val_)?\d+_[reh]", folder)
    return match and ("val" if match[1] else "test")


def phase_folder(top: Path, split: Split, phase: str) -> Path:
    """Where a phase's files lie below the folder that holds ``sk_feats``."""
    return top / TOP / split.letter / folder_name(split, phase)
