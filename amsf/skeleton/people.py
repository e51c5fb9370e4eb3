"""Half of the people to train on, for recordings without a partition of their own.

N = recordings · S = people · C = classes.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from amsf.base.errors import first_ten
from amsf.base.storage import write_text
from amsf.skeleton.annotations import Annotations
from amsf.skeleton.partition import BY_RECORDING, LIST_NAME
from amsf.skeleton.recordings import UNKNOWN

_DRAWS = 1000


def half_of(subject: np.ndarray, label: np.ndarray) -> tuple[int, ...]:
    """Choose who trains, so that as many classes as can be have recordings on both sides.

    It is every other person, unless classes that not everyone did come out better otherwise: then
    random halves are tried, the same ones each time.

    Args:
        subject: (N,) whose recording each is.
        label: (N,) class ids.

    Returns:
        Numbers of people, ascending; none where somebody is unknown, or there is one person alone.
    """
    people, who = np.unique(subject, return_inverse=True)
    if len(people) < 2 or UNKNOWN in people:
        return ()
    classes, what = np.unique(label, return_inverse=True)
    did = np.zeros((len(people), len(classes)), bool)  # (S, C)
    did[who, what] = True

    def on_both_sides(training: np.ndarray) -> int:
        return int((did[training].any(0) & did[~training].any(0)).sum())

    best, most = np.zeros(len(people), bool), -1
    for training in itertools.islice(_halves(len(people)), _DRAWS):
        if (found := on_both_sides(training)) > most:
            best, most = training, found
        if most == len(classes):
            break
    return tuple(int(person) for person in people[best])


def _halves(count: int) -> Iterator[np.ndarray]:
    """Masks (S,): every other person, then random halves without end."""
    training = np.arange(count) % 2 == 0
    rng = np.random.default_rng(0)
    while True:
        yield training
        training = rng.permutation(training)


def divide(
    recordings: Annotations, path: Path, called: Mapping[str, int], labels: Sequence[str] = ()
) -> list[str]:
    """Write the list of those who train, if there is none and it is known who acts.

    Args:
        recordings: N of them.
        path: the list, beside the set.
        called: people's names -> their numbers, where they have names.
        labels: of the classes, by id, where they are known.

    Returns:
        What a user should know of it, in sentences.
    """
    if path.exists():
        return [
            f"{path} was there and stays: it says which recordings train",
            *_others(path, called),
        ]
    subject, label = recordings.subject, recordings.label
    training = half_of(subject, label)
    if not training:
        whose = "nothing says who acts in" if UNKNOWN in subject else "one person acts in all"
        return [
            f"{whose} the recordings, so that no others can be tested than those who train. Say "
            "who acts by --names, such as --names '{subject}_{}'; or set the benchmark's "
            f"backbone.partition to {BY_RECORDING} (`amsf new-dataset --one-person` does): every "
            "other recording of each class tests, and scores say nothing of new people"
        ]
    names = {number: name for name, number in called.items()}
    lines = [f"{one}  # {names[one]}" if one in names else str(one) for one in training]
    head = "# The people whose recordings train; those of the others test. Written by amsf pack."
    write_text(path, "\n".join([head, *lines]) + "\n")
    those, others = (
        first_ten(names.get(one, one) for one in people)
        for people in (training, np.setdiff1d(subject, training).tolist())
    )
    notes = [f"{path}: recordings of {those} train, those of {others} test"]
    train = np.isin(subject, training)
    lacking = {*np.setxor1d(label[train], label[~train]).tolist()}
    if lacking:
        which = first_ten(labels[c] if c < len(labels) else f"class {c}" for c in sorted(lacking))
        notes.append(
            f"{which}: recordings of people on one side of {LIST_NAME} alone; add recordings of "
            "others, change the list, or set the benchmark's backbone.partition to "
            f"{BY_RECORDING} (scores then say nothing of new people)"
        )
    return notes


def _others(path: Path, called: Mapping[str, int]) -> list[str]:
    """Say which numbers of a list that was there before are now other people's."""
    now = {str(number): name for name, number in called.items()}
    written = re.findall(r"^(\d+)  # (.+)$", path.read_text("utf-8", "replace"), re.MULTILINE)
    moved = [
        f"{number} was {name} and is {now.get(number, 'nobody')}"
        for number, name in written
        if now.get(number, "nobody") != name
    ]
    if not moved:
        return []
    return [
        f"{path}: people are numbered anew: {first_ten(moved)}; correct or delete it and pack again"
    ]
