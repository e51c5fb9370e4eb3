"""The partition: which recordings train and which test (cross-subject, cross-setup, cross-view).

It is the official one of a known dataset, or follows a user's own list of training subjects (for
PKU-MMD: of training videos) in ``train_subjects.txt`` beside the skeleton set. Where all recordings
are of one person, or nothing says of whom, they can be dealt out one by one.

N = recordings.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

from amsf.base.errors import InputError, first_ten
from amsf.base.plain_text import read_plain_text
from amsf.skeleton.annotations import Annotations
from amsf.skeleton.recordings import UNKNOWN

LIST_NAME = "train_subjects.txt"

# Shahroudy et al., NTU RGB+D, CVPR 2016, section 3.2.
NTU60_SUBJECTS = (1, 2, 4, 5, 8, 9, 13, 14, 15, 16, 17, 18, 19, 25, 27, 28, 31, 34, 35, 38)
# Liu et al., NTU RGB+D 120, TPAMI 2020, section 3.2.
NTU120_SUBJECTS = (
    *NTU60_SUBJECTS,
    *(45, 46, 47, 49, 50, 52, 53, 54, 55, 56, 57, 58, 59, 70, 74, 78, 80, 81, 82, 83, 84, 85, 86),
    *(89, 91, 92, 93, 94, 95, 97, 98, 100, 103),
)

Rule = Callable[[np.ndarray], np.ndarray]


def _among(*numbers: int) -> Rule:
    return lambda values: np.isin(values, numbers)


def _odd(values: np.ndarray) -> np.ndarray:
    return values % 2 == 1


def _even(values: np.ndarray) -> np.ndarray:
    return values % 2 == 0


# dataset -> partition -> which numbers train. The cameras 2 and 3 of NTU RGB+D stand at 0 and 45
# degrees; those of PKU-MMD are the middle and the right one (Liu et al., PKU-MMD, 2017).
OFFICIAL: dict[str, dict[str, Rule]] = {
    "ntu60": {"subject": _among(*NTU60_SUBJECTS), "view": _among(2, 3)},
    "ntu120": {"subject": _among(*NTU120_SUBJECTS), "setup": _even},
    "pku51": {"view": _among(2, 3)},
    "utd27": {"subject": _odd},
    "demo": {"subject": _odd},
}
_COLUMN = {"subject": "subject", "setup": "setup", "view": "camera"}
BY_RECORDING = "recording"  # no rule of a dataset


def training_mask(
    skeletons: Annotations, partition: str, source: str | Path | None = None
) -> np.ndarray:
    """Mark the recordings that train; the others test.

    Args:
        skeletons: the N recordings.
        partition: ``subject``, ``setup`` or ``view`` (by camera); or ``recording``, which deals out
            the recordings of each class in turn, the first to training.
        source: the folder of the skeleton set; a ``train_subjects.txt`` in it takes the place of
            the official list under ``subject``. It holds numbers of subjects, or names of
            recordings or videos, separated by spaces, commas or lines; ``#`` starts a comment. The
            list that comes with PKU-MMD can be used as it is: what follows its line of validation
            videos is not read.

    Returns:
        (N,) bool, True where a recording trains.

    Raises:
        InputError: the dataset has no such partition, a recording lacks the number that decides,
            the list is wrong, or one side would be empty.
    """
    known = (*_COLUMN, BY_RECORDING)
    if partition not in known:
        raise InputError(f"partition '{partition}' is not known; there are {', '.join(known)}")
    own = None if source is None else Path(source) / LIST_NAME
    official = OFFICIAL.get(skeletons.dataset, {})
    if partition == BY_RECORDING:
        where = f"partition '{partition}'"
        mask = _in_turn(skeletons.label)
    elif partition == "subject" and own is not None and own.is_file():
        where = f"'{own}'"
        mask = _listed(skeletons, own)
    elif partition in official:
        where = f"partition '{partition}' of dataset '{skeletons.dataset}'"
        mask = official[partition](_known(skeletons, _COLUMN[partition], where))
    else:
        others = [f"'{name}'" for name in official]
        hint = f"use {' or '.join(others)}, or " if others else ""
        file = own or f"{LIST_NAME} beside the skeleton set"
        raise InputError(
            f"dataset '{skeletons.dataset}' has no official partition '{partition}'; {hint}write "
            f"the training subjects into {file} and use 'subject'; or, where nothing says who "
            f"acts, use '{BY_RECORDING}'"
        )
    if mask.all() or not mask.any():
        remedy = "change the list, or add recordings of other people"
        if partition == BY_RECORDING:
            remedy = "record every class that is to train twice or more"
        elif not where.endswith(f"{LIST_NAME}'"):
            remedy = "add the recordings that are missing"
        raise InputError(
            f"{where} puts {int(mask.sum())} of {len(mask)} recordings into training and "
            f"{int((~mask).sum())} into test; expected some in both: {remedy}"
        )
    return mask


def read_training_list(path: Path) -> list[str]:
    """The words of a list of training subjects, recordings or videos.

    Raises:
        InputError: the list is empty, or mixes numbers and names.
    """
    words: list[str] = []
    for line in read_plain_text(path).splitlines():
        text = line.partition("#")[0].strip()
        if re.match(r"(valid|test)", text, re.IGNORECASE):
            break
        if not text.endswith(":"):  # a heading such as "Training videos:"
            words += [word for word in re.split(r"[\s,;]+", text) if word]
    if not words:
        raise InputError(f"{path}: the list is empty; expected numbers of training subjects")
    numbers = [word.isdecimal() for word in words]
    if any(numbers) and not all(numbers):
        name = words[numbers.index(False)]
        raise InputError(f"{path}: '{name}' stands among numbers of subjects; expected one kind")
    return words


def _listed(skeletons: Annotations, path: Path) -> np.ndarray:
    wanted = set(read_training_list(path))
    if next(iter(wanted)).isdecimal():
        subjects = _known(skeletons, "subject", f"'{path}'")
        names = [{str(subject)} for subject in subjects]
        wanted = {str(int(word)) for word in wanted}
    else:  # a recording of PKU-MMD is named VIDEO_INTERVAL
        videos = wanted.difference(skeletons.names)
        names = [{name, *({name.rpartition("_")[0]} & videos)} for name in skeletons.names]
    absent = wanted.difference(*names)
    if absent and len(absent) < len(wanted):
        warnings.warn(
            f"{path}: {len(wanted) - len(absent)} of its {len(wanted)} entries are found; not "
            f"found: {first_ten(sorted(absent))}",
            stacklevel=2,
        )
    return np.array([not wanted.isdisjoint(own) for own in names])


def _in_turn(label: np.ndarray) -> np.ndarray:
    mask = np.zeros(len(label), bool)
    for c in np.unique(label):
        mask[np.flatnonzero(label == c)[::2]] = True
    return mask


def _known(skeletons: Annotations, column: str, where: str) -> np.ndarray:
    values = getattr(skeletons, column)
    if (values == UNKNOWN).any():
        at = int((values == UNKNOWN).argmax())
        raise InputError(
            f"{where} depends on the {column}, which is unknown for "
            f"{int((values == UNKNOWN).sum())} of {len(values)} recordings, such as "
            f"'{skeletons.names[at]}'"
        )
    return values
