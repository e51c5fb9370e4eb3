"""Class splits: which classes are unseen, and which play that role in validation.

C = classes of a dataset · U = unseen classes · V = text views · D = text width. A split is two
disjoint pairs: seen and unseen classes, and within the seen ones validation-seen and
validation-unseen. Class ids are 0-based global ids.
"""

from __future__ import annotations

import reprlib
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, get_args

import numpy as np

from amsf.base.cosines import cosine_matrix
from amsf.base.errors import InputError, counted, first_ten
from amsf.base.storage import read_json, write_json
from amsf.base.yaml import read_yaml
from amsf.settings.params import Kind, SplitParams

MOST_CLASSES = 100_000  # more than any dataset has: a number beyond is an error, not a list to make


@dataclass(frozen=True)
class OtherSet:
    """Another dataset whose recordings train too; its classes join the seen ones.

    Attributes:
        dataset: its name.
        classes: the number of its classes.
        first: the id that its class 0 has here, behind the split's own classes.
        alike: pairs of one of its classes, by its own numbering, and a class of the split's
            dataset that mean the same (:mod:`amsf.dataset.others`).
        kept: whether such classes train where the other of the pair is unseen.
    """

    dataset: str
    classes: int
    first: int
    alike: tuple[tuple[int, int], ...]
    kept: bool

    def left_out(self, unseen: Collection[int]) -> tuple[int, ...]:
        """Its classes, by its own numbering, that mean the same as one of ``unseen``."""
        return () if self.kept else tuple(sorted({c for c, own in self.alike if own in unseen}))


@dataclass(frozen=True)
class Split:
    """A validated class split.

    Attributes:
        dataset: the dataset's name.
        classes: the number of its classes, C.
        seen, unseen: the class ids on the two sides of the test phase, sorted.
        val_seen, val_unseen: the two sides of the validation phase, both within ``seen``, sorted.
            They need not be all of it: the published validation list of NTU-120 110/10 lacks
            the classes from 100 on. Both are empty where there is no validation phase.
        kind: ``listed``, ``random``, ``easy`` or ``hard``.
        also: other datasets that train too, by name.
    """

    dataset: str
    classes: int
    seen: tuple[int, ...]
    unseen: tuple[int, ...]
    val_seen: tuple[int, ...]
    val_unseen: tuple[int, ...]
    kind: str
    also: tuple[OtherSet, ...] = ()

    @property
    def total(self) -> int:
        """The number of classes of all datasets."""
        return self.classes + sum(other.classes for other in self.also)

    def joined(self, phase: str) -> tuple[int, ...]:
        """The classes of other datasets that train in a phase, by their ids here, sorted."""
        return tuple(
            other.first + c
            for other in self.also
            for c in range(other.classes)
            if c not in self.left_out(other, phase)
        )

    def left_out(self, other: OtherSet, phase: str) -> tuple[int, ...]:
        """The classes of another dataset, by its own numbering, that do not train in a phase."""
        # What is unseen in the test is not seen in the validation either.
        return other.left_out({*self.unseen, *self.of_phase(phase)[1]})

    @property
    def letter(self) -> str:
        """The published layout's letter of this kind: r, e or h."""
        return {"easy": "e", "hard": "h"}.get(self.kind, "r")

    def of_phase(self, phase: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The classes that play seen and unseen in a phase, ``test`` or ``val``."""
        if phase == "test":
            return self.seen, self.unseen
        return self.val_seen, self.val_unseen

    def save(self, path: Path) -> None:
        """Write the split as JSON."""
        write_json(path, asdict(self))

    @classmethod
    def load(cls, path: Path) -> Split:
        """Read a split written by :meth:`save`.

        Raises:
            InputError: the file is missing, lacks a field or holds no valid split.
        """
        raw: Any = read_json(path)
        try:
            lists = {name: raw[name] for name in ("seen", "unseen", "val_seen", "val_unseen")}
            split = make_split(
                raw["dataset"], raw["classes"], kind=raw["kind"], where=str(path), **lists
            )
            return replace(split, also=tuple(_other(entry) for entry in raw.get("also", ())))
        except (KeyError, TypeError) as error:
            raise InputError(
                f"{path}: not a split ({error!r}); expected what `stages.split` writes: run "
                "`dvc repro`"
            ) from error


def _other(raw: dict[str, Any]) -> OtherSet:
    return OtherSet(**{**raw, "alike": tuple((int(c), int(own)) for c, own in raw["alike"])})


def make_split(
    dataset: str,
    classes: int,
    unseen: Sequence[int],
    val_unseen: Sequence[int],
    *,
    kind: str,
    where: str,
    seen: Sequence[int] | None = None,
    val_seen: Sequence[int] | None = None,
) -> Split:
    """Check and sort the lists of a split; a list left None is all the classes that remain.

    Args:
        dataset: the dataset's name.
        classes: the number of its classes, C.
        unseen, val_unseen, seen, val_seen: lists of class ids.
        kind: how the split was made, such as ``listed``.
        where: the file or parameter that the lists come from, for messages.

    Raises:
        InputError: the kind or the number of classes is not valid; a list is empty,
            repeats an id, leaves 0..C-1, or overlaps where it may not; seen and unseen do not cover
            the dataset; the two unseen lists differ in length.
    """
    if kind not in get_args(Kind):
        raise InputError(
            f"{where}: kind is {reprlib.repr(kind)}; expected one of {', '.join(get_args(Kind))}"
        )
    if type(classes) is not int or not 1 <= classes <= MOST_CLASSES:
        raise InputError(
            f"{where}: classes is {reprlib.repr(classes)}; expected how many the dataset has, 1 to "
            f"{MOST_CLASSES}"
        )
    unseen_ids = _ids(unseen, classes, f"{where}: unseen")
    val_unseen_ids = _ids(val_unseen, classes, f"{where}: val_unseen")
    rest = [c for c in range(classes) if c not in unseen_ids]
    seen_ids = _ids(rest if seen is None else seen, classes, f"{where}: seen")
    if val_seen is None:
        val_seen = [c for c in seen_ids if c not in val_unseen_ids] if val_unseen_ids else []
    val_seen_ids = _ids(val_seen, classes, f"{where}: val_seen")

    def refuse_overlap(name_a: str, a: tuple[int, ...], name_b: str, b: tuple[int, ...]) -> None:
        both = sorted(set(a) & set(b))
        if both:
            raise InputError(
                f"{where}: classes {first_ten(both)} are in both {name_a} and {name_b}; a class "
                "belongs to one side"
            )

    refuse_overlap("seen", seen_ids, "unseen", unseen_ids)
    refuse_overlap("val_seen", val_seen_ids, "val_unseen", val_unseen_ids)
    for name, ids in (("val_seen", val_seen_ids), ("val_unseen", val_unseen_ids)):
        refuse_overlap(name, ids, "unseen", unseen_ids)
    for name, ids in (("unseen", unseen_ids), ("seen", seen_ids)):
        if not ids:
            raise InputError(f"{where}: {name} is empty; at least one class is needed: name it")
    missing = sorted(set(range(classes)) - set(seen_ids) - set(unseen_ids))
    if missing:
        raise InputError(
            f"{where}: classes {first_ten(missing)} of {dataset} are neither seen nor unseen; give "
            "each of the "
            f"{classes} classes a side"
        )
    if bool(val_seen_ids) != bool(val_unseen_ids):
        raise InputError(f"{where}: one of val_seen and val_unseen is empty; give both or neither")
    if val_unseen_ids and len(val_unseen_ids) != len(unseen_ids):
        raise InputError(
            f"{where}: {counted(len(val_unseen_ids), 'class', 'classes')} in val_unseen for "
            f"{len(unseen_ids)} in unseen; the gate's input has two numbers for each unseen class, "
            "so both phases need as many"
        )
    return Split(dataset, classes, seen_ids, unseen_ids, val_seen_ids, val_unseen_ids, kind)


def _ids(ids: Sequence[int], classes: int, where: str) -> tuple[int, ...]:
    if not isinstance(ids, (list, tuple, range, np.ndarray)) or not all(
        isinstance(c, (int, np.integer)) and not isinstance(c, bool) for c in ids
    ):
        raise InputError(
            f"{where} is {reprlib.repr(ids)}; expected a list of whole-number class ids"
        )
    wrong = sorted({int(c) for c in ids if not 0 <= c < classes})
    if wrong:
        raise InputError(
            f"{where}: class ids {first_ten(wrong)}; expected 0 to {classes - 1} (ids are 0-based)"
        )
    if len(set(ids)) < len(ids):
        twice = sorted({int(c) for c in ids if list(ids).count(c) > 1})
        raise InputError(f"{where}: class ids {first_ten(twice)} appear twice; name each once")
    return tuple(sorted(int(c) for c in ids))


def listed_split(path: Path, dataset: str, classes: int, unseen: int) -> Split:
    """Read a split from a small YAML list: ``unseen``, ``val_unseen``, and where they are not all
    the remaining classes ``seen`` and ``val_seen``.

    Raises:
        InputError: the file is missing or not such a list, or it has another number of unseen
            classes than the benchmark, or another dataset.
    """
    if not path.is_file():
        raise InputError(
            f"{path}: no such list of classes; write it (dataset, unseen, val_unseen), import the "
            "published .npy files with `python -m amsf.dataset.published_splits import`, or set "
            "split.kind to random, easy or hard"
        )
    raw = read_yaml(path)
    known = {"dataset", "unseen", "val_unseen", "seen", "val_seen", "kind"}
    if not isinstance(raw, dict) or not {"dataset", "unseen"} <= set(raw) <= known:
        raise InputError(
            f"{path}: expected a mapping with dataset, unseen and, where there is a validation "
            "phase, val_unseen; seen and val_seen where they are not all the rest; it "
            "holds "
            f"{reprlib.repr(raw)}"
        )
    if raw["dataset"] != dataset:
        raise InputError(
            f"{path}: is a split of {raw['dataset']!s:.60}; the benchmark is of {dataset}: "
            "write one for it"
        )
    split = make_split(
        dataset,
        classes,
        raw["unseen"],
        raw.get("val_unseen", []),
        seen=raw.get("seen"),
        val_seen=raw.get("val_seen"),
        kind=raw.get("kind", "listed"),
        where=str(path),
    )
    if len(split.unseen) != unseen:
        raise InputError(
            f"{path}: lists {counted(len(split.unseen), 'unseen class', 'unseen classes')}; the "
            f"benchmark says {unseen}: change one of them"
        )
    return split


def choose_split(
    params: SplitParams, dataset: str, features: np.ndarray, unseen: int, listed: Path
) -> Split:
    """The split that the parameters ask for.

    Args:
        params: the ``split`` section of the parameters.
        dataset: the dataset's name.
        features: (C, V, D) text vectors of ``params.views``; easy and hard splits use them.
        unseen: the number of unseen classes, U.
        listed: the YAML list that ``kind: listed`` reads.

    Raises:
        InputError: see the functions below.
    """
    if params.kind == "listed":
        return listed_split(listed, dataset, len(features), unseen)
    if params.kind == "random":
        return random_split(dataset, len(features), unseen, params.seed)
    return similarity_split(dataset, features, unseen, params.kind)


def random_split(dataset: str, classes: int, unseen: int, seed: int) -> Split:
    """Draw the unseen classes uniformly, then the validation-unseen ones from the seen.

    Raises:
        InputError: fewer than 2 U + 1 classes.
    """
    _refuse_impossible(classes, unseen, "random")
    drawn = np.random.default_rng(seed).permutation(classes)[: 2 * unseen].tolist()
    return make_split(
        dataset, classes, drawn[:unseen], drawn[unseen:], kind="random", where="random split"
    )


def similarity_split(dataset: str, features: np.ndarray, unseen: int, kind: str) -> Split:
    """Choose the unseen classes by text similarity.

    Args:
        dataset: the dataset's name.
        features: (C, V, D) text vectors of the chosen views.
        unseen: the number of unseen classes, U.
        kind: ``easy``: each unseen class has a near seen one. ``hard``: the classes least like
            their neighbours. Validation-unseen classes are drawn the same way from the seen ones.

    Raises:
        InputError: more classes asked for than can be chosen.
    """
    classes = len(features)
    _refuse_impossible(classes, unseen, kind)
    choose = _easy if kind == "easy" else _hard
    similarity = class_similarity(features)
    chosen = choose(similarity, unseen)
    seen = np.setdiff1d(np.arange(classes), chosen)
    val_chosen = seen[choose(similarity[np.ix_(seen, seen)], unseen)]
    return make_split(
        dataset,
        classes,
        sorted(chosen),
        sorted(val_chosen.tolist()),
        kind=kind,
        where=f"{kind} split",
    )


def class_similarity(features: np.ndarray) -> np.ndarray:
    """Sum over the views of the cosine similarity of every pair: (C, V, D) -> (C, C)."""
    return np.sum([cosine_matrix(features[:, view]) for view in range(features.shape[1])], axis=0)


def _refuse_impossible(classes: int, unseen: int, kind: str) -> None:
    if 2 * unseen >= classes:
        raise InputError(
            f"{kind} split: {unseen} unseen and as many validation-unseen classes out of "
            f"{classes} leave no seen class; ask for at most {(classes - 1) // 2}"
        )


def _easy(similarity: np.ndarray, unseen: int) -> list[int]:
    """Take the most similar pair again and again: (C, C) -> U indices.

    Of a pair the member with the larger total similarity becomes unseen, if it is neither unseen
    nor a partner yet and the other is not unseen; the other is then its partner, and stays seen.
    """
    rows, columns = np.triu_indices(len(similarity), 1)
    total = similarity.sum(axis=1)
    chosen: set[int] = set()
    partners: set[int] = set()
    for pair in np.argsort(-similarity[rows, columns], kind="stable"):
        a, b = int(rows[pair]), int(columns[pair])
        candidate, partner = (a, b) if total[a] > total[b] else (b, a)
        if candidate in chosen or candidate in partners or partner in chosen:
            continue
        chosen.add(candidate)
        partners.add(partner)
        if len(chosen) == unseen:
            return sorted(chosen)
    raise InputError(
        f"easy split: {unseen} unseen classes with a seen partner each were asked for; only "
        f"{len(chosen)} can be chosen from {len(similarity)} classes"
    )


def _hard(similarity: np.ndarray, unseen: int) -> list[int]:
    """The classes with the smallest sum of their five largest similarities: (C, C) -> U indices."""
    others = similarity.copy()
    np.fill_diagonal(others, -np.inf)
    nearest = -np.sort(-others, axis=1)[:, : min(5, len(others) - 1)].sum(axis=1)
    return sorted(np.argsort(nearest, kind="stable")[:unseen].tolist())
