"""Whether two evaluations can be compared, and in what the experiments differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from amsf.base.errors import InputError
from amsf.compare.evaluations import Evaluation

ABSENT = "(absent)"


def check_pair(base: Evaluation, other: Evaluation) -> list[str]:
    """What to keep in mind when comparing the two.

    Raises:
        InputError: the classes, the split, the test samples or their labels differ, or the two
            have no seed in common.
    """
    pair = f"{base.benchmark}: {base.experiment} and {other.experiment}"
    _refuse_other_classes(base, other, pair)
    _refuse_other_samples(base, other, pair)
    if not set(base.seeds) & set(other.seeds):
        raise InputError(
            f"{pair} have no seed in common ({_listed(base.seeds)} against {_listed(other.seeds)})"
            "; run both with the same train.seeds"
        )
    warnings = []
    if base.seeds != other.seeds:
        lone = sorted(set(base.seeds) ^ set(other.seeds))
        warnings.append(f"only one of the two has seed {_listed(lone)}, which is left out")
    for name in base.switches:
        one, two = base.switches[name], other.switches.get(name)
        if one != two:
            warnings.append(f"the protocols differ: {name} is {one} and {two}")
    if "test" in (base.switches["selection"], other.switches["selection"]):
        warnings.append("selection is test: cycles were picked by the very samples compared here")
    if base.val_unseen != other.val_unseen:
        warnings.append("the validation-unseen classes differ")
    if base.origin.source != other.origin.source:
        differing = "recordings" if base.recordings else "features"
        warnings.append(
            f"the source's {differing} differ; that its samples are the same and in the same order "
            "was checked by their " + ("names" if base.recordings else "labels alone")
        )
    if bool(base.gzsl) != bool(other.gzsl):
        warnings.append("one of the two has no GZSL; ZSL alone is compared")
    return warnings


def _refuse_other_classes(base: Evaluation, other: Evaluation, pair: str) -> None:
    if base.labels != other.labels:
        first = next((i for i, (a, b) in enumerate(zip(base.labels, other.labels)) if a != b), None)
        found = (
            f"{len(base.labels)} and {len(other.labels)} classes"
            if first is None
            else f"class {first} is '{base.labels[first]}' and '{other.labels[first]}'"
        )
        raise InputError(f"{pair} have other class lists ({found}); their scores do not compare")
    if not np.array_equal(base.unseen, other.unseen):
        ids = [_listed(np.flatnonzero(e.unseen).tolist()) for e in (base, other)]
        raise InputError(
            f"{pair} have other unseen classes ({ids[0]} against {ids[1]}); compare experiments of "
            "one split"
        )


def _refuse_other_samples(base: Evaluation, other: Evaluation, pair: str) -> None:
    for kind, names in base.recordings.items():
        partner = other.recordings.get(kind, names)
        if names != partner:
            raise InputError(
                f"{pair} were tested on other recordings ({kind}: "
                f"{_first_change(names, partner)}); compare experiments of one source and one "
                "backbone.partition"
            )
    answers = (("ZSL", base.zsl, other.zsl, "label"), ("GZSL", base.gzsl, other.gzsl, "labels"))
    for name, one, two, column in answers:
        if not one or not two:
            continue
        label, paired = (next(iter(side.values()))[column].to_numpy() for side in (one, two))
        if not np.array_equal(label, paired):
            raise InputError(
                f"{pair} were tested on other samples ({name}: {_first_change(label, paired)}); "
                "compare experiments of one source and one split"
            )


def _first_change(one: Any, two: Any) -> str:
    if len(one) != len(two):
        return f"{len(one)} and {len(two)}"
    at = next(i for i, (a, b) in enumerate(zip(one, two)) if a != b)
    return f"sample {at} is {one[at]} and {two[at]}"


def changes(base: Evaluation, other: Evaluation) -> list[str]:
    """The parameters that differ, as ``model.heads 4 -> 8``, and the code files that do."""
    found = parameter_changes(base.origin.params, other.origin.params)
    files = {*base.origin.code, *other.origin.code}
    code = sorted(f for f in files if base.origin.code.get(f) != other.origin.code.get(f))
    if code:
        found.append(f"code: {', '.join(code)}")
    return found


def parameter_changes(base: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """The parameters that differ, as ``model.heads 4 -> 8``."""
    found = []
    for key in sorted({*base, *other}):
        before, after = base.get(key, ABSENT), other.get(key, ABSENT)
        if before != after:
            found.append(f"{key} {_told(before)} -> {_told(after)}")
    return found


def _told(value: Any) -> str:
    return f"[{', '.join(map(str, value))}]" if isinstance(value, list) else str(value)


def _listed(values: Any) -> str:
    return ", ".join(str(v) for v in values)
