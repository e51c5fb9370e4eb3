"""Which recordings play which role when a benchmark's features are made from recordings.

============ =========== ======================== ==========================================
phase        role        partition                classes
============ =========== ======================== ==========================================
``test``     ``train``   training                 seen
``test``     ``gtest``   test                     all
``val``      ``train``   training, three quarters validation-seen
``val``      ``val``     training, a quarter      validation-seen
``val``      ``ztest``   training                 validation-unseen
============ =========== ======================== ==========================================

An encoder is trained on its phase's ``train`` recordings alone. The gate is fitted on ``val`` and
``ztest``, both from the training recordings, so it never meets a test recording; in the
published features it does, since there ``ztest`` comes from the test recordings.

N = recordings.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from amsf.base.errors import InputError
from amsf.dataset.splits import Split
from amsf.skeleton.annotations import Annotations

HELD_OUT = 0.25  # of the validation-seen classes' training recordings
_SUBJECTS = 4  # fewer training subjects than this are not held out as wholes

Roles = dict[str, dict[str, np.ndarray]]


def assign_roles(recordings: Annotations, training: np.ndarray, split: Split, seed: int) -> Roles:
    """Give each recording its roles.

    Args:
        recordings: the N recordings.
        training: (N,) bool, True where a recording trains.
        split: the class split.
        seed: the seed of the choice of the held-out quarter.

    Returns:
        phase -> role -> row numbers in ascending order, as in the table above. ``val`` is absent
        where the split has no validation classes.

    Raises:
        InputError: the recordings are of another dataset, one has no label, or a class that an
            encoder is trained on has no recording for it.
    """
    if recordings.dataset != split.dataset:
        raise InputError(
            f"the recordings are of '{recordings.dataset}', the split is of '{split.dataset}'; "
            "pack the recordings under the benchmark's dataset"
        )
    label = recordings.label
    if (label < 0).any():
        at = int((label < 0).argmax())
        raise InputError(
            f"{int((label < 0).sum())} of {len(label)} recordings have no label, such as "
            f"'{recordings.names[at]}'; the encoder is trained on labelled ones"
        )
    recordings.validate(split.classes)
    train = np.flatnonzero(training & np.isin(label, split.seen))
    _check_covered(train, label, split.seen, "seen")
    roles: Roles = {"test": {"train": train, "gtest": np.flatnonzero(~training)}}
    if split.val_seen:
        rows = np.flatnonzero(training & np.isin(label, split.val_seen))
        held = hold_out(label[rows], recordings.subject[rows], seed)
        roles["val"] = {
            "train": rows[~held],
            "val": rows[held],
            "ztest": np.flatnonzero(training & np.isin(label, split.val_unseen)),
        }
        _check_covered(rows[~held], label, split.val_seen, "validation-seen")
        if not held.any():
            raise InputError(
                f"each of the {len(split.val_seen)} validation-seen classes has a single training "
                "recording, so none can be held out to validate with: have more takes or more "
                "people train, or set evaluate.task to zsl and protocol.selection to last, which "
                "need no validation"
            )
    return roles


def hold_out(label: np.ndarray, subject: np.ndarray, seed: int) -> np.ndarray:
    """Choose about a quarter of some recordings, as whole subjects where there are enough.

    Whole subjects make the held-out part new people, as those of the test are. With fewer than
    four subjects, or where a class would be left with nothing to train on, a quarter of each
    class's recordings is drawn instead; a class with a single recording keeps it.

    Args:
        label, subject: (N,) class ids and subjects of the recordings.
        seed: the seed of the draw.

    Returns:
        (N,) bool, True where held out.
    """
    rng = np.random.default_rng([seed, len(label)])
    subjects = np.unique(subject)
    if len(subjects) >= _SUBJECTS:
        chosen = rng.permutation(subjects)[: max(1, round(HELD_OUT * len(subjects)))]
        held = np.isin(subject, chosen)
        if set(label[~held]) == set(label):
            return held
    held = np.zeros(len(label), bool)
    for c in np.unique(label):
        rows = rng.permutation(np.flatnonzero(label == c))
        held[rows[: min(len(rows) - 1, max(1, round(HELD_OUT * len(rows))))]] = True
    return held


def refuse_copies(recordings: Annotations, training: np.ndarray) -> None:
    """Refuse a recording that is both in training and in test, under whatever names.

    Args:
        recordings: the N recordings.
        training: (N,) bool, True where a recording trains.

    Raises:
        InputError: the joints of a test recording are those of a training recording, to the bit; or
            the features, but for rows of zeros, which an encoder may give to what it cannot read.
    """
    digests = [
        hashlib.sha256(one.tobytes()).digest() if one.any() else None
        for one in (recordings[i] for i in range(len(recordings)))
    ]
    trained = {digests[i]: i for i in np.flatnonzero(training)}
    for i in np.flatnonzero(~training):
        if digests[i] is not None and digests[i] in trained:
            raise InputError(
                f"recordings '{recordings.names[trained[digests[i]]]}' and "
                f"'{recordings.names[i]}' are one and the same; the one trains the encoder and the "
                "other tests it: leave one of them out (--missing of `python -m amsf.pack`)"
            )


def _check_covered(rows: np.ndarray, label: np.ndarray, classes: Sequence[int], kind: str) -> None:
    missing = sorted(set(classes) - {int(c) for c in label[rows]})
    if missing:
        raise InputError(
            f"{kind} classes {', '.join(map(str, missing))} have no recording in the training "
            "partition; the encoder cannot learn them: add recordings or make them unseen"
        )
