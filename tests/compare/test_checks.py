"""Which evaluations compare, and in what they differ."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from amsf.base.errors import InputError
from amsf.compare.checks import changes, check_pair
from amsf.compare.evaluations import Evaluation, Origin
from tests.support.small_evaluation import LABELS, UNSEEN, answers


def evaluation(name: str, quality: float = 0.7, seeds: tuple[int, ...] = (0, 1)) -> Evaluation:
    by_seed = {seed: answers(seed, quality) for seed in seeds}
    return Evaluation(
        experiment=name,
        benchmark="tiny",
        switches={"name": "clean", "selection": "val"},
        labels=tuple(LABELS),
        unseen=np.isin(range(len(LABELS)), UNSEEN),
        val_unseen=(0, 3),
        zsl={seed: zsl for seed, (zsl, _) in by_seed.items()},
        gzsl={seed: gzsl for seed, (_, gzsl) in by_seed.items()},
        recordings={"gtest": ("a", "b"), "ztest": ("c",)},
        origin=Origin({"model.heads": 4}, {"amsf/model/vae.py": "1"}, "s"),
    )


BASE = evaluation("one")


def shortened(tables: Any, column: str, label: int | None = None) -> dict[int, Any]:
    """The tables with the last row gone, or with its label changed."""
    if label is None:
        return {seed: table[:-1] for seed, table in tables.items()}
    return {
        seed: table.assign(**{column: [*table[column][:-1], label]})
        for seed, table in tables.items()
    }


def test_two_of_a_kind_compare_without_a_word() -> None:
    assert check_pair(BASE, evaluation("two", 0.4)) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": ("sat", *LABELS[1:])}, "other class lists .class 0 is 'sit' and 'sat'"),
        ({"labels": tuple(LABELS[:-1])}, "6 and 5 classes"),
        ({"unseen": np.array([1, 0, 0, 0, 1, 0], bool)}, "other unseen classes .1, 4 against 0, 4"),
        ({"recordings": {"gtest": ("a", "x")}}, "other recordings .gtest: sample 1 is b and x"),
        ({"recordings": {"ztest": ()}}, "other recordings .ztest: 1 and 0"),
        ({"zsl": shortened(BASE.zsl, "label")}, "other samples .ZSL: 40 and 39"),
        ({"gzsl": shortened(BASE.gzsl, "labels", 0)}, "other samples .GZSL: sample 119 is 5 and 0"),
        ({"zsl": {7: BASE.zsl[0]}}, "no seed in common .0, 1 against 7"),
    ],
)
def test_what_does_not_compare(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=f"tiny: one and two.*{message}"):
        check_pair(BASE, replace(evaluation("two"), **change))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"zsl": {0: BASE.zsl[0]}, "gzsl": {0: BASE.gzsl[0]}}, "only one of the two has seed 1"),
        ({"val_unseen": (2, 3)}, "validation-unseen classes differ"),
        ({"origin": Origin({}, {}, "t")}, "recordings differ; .* checked by their names"),
        ({"gzsl": {}}, "ZSL alone is compared"),
        (
            {"switches": {"name": "reference", "selection": "val"}},
            "protocols differ: name is clean and reference",
        ),
    ],
)
def test_what_is_warned_of(change: dict[str, Any], message: str) -> None:
    (warning,) = check_pair(BASE, replace(evaluation("two"), **change))
    assert re.search(message, warning)


def test_selection_on_the_test_samples_is_told_even_if_both_do_it() -> None:
    switches = {"name": "reference", "selection": "test"}
    (warning,) = check_pair(*(replace(evaluation(n), switches=switches) for n in ("one", "two")))
    assert "picked by the very samples" in warning


def test_imported_features_are_checked_by_their_labels_alone() -> None:
    one, two = (
        replace(evaluation(n), recordings={}, origin=Origin({}, {}, n)) for n in ("one", "two")
    )
    (warning,) = check_pair(one, two)
    assert "features differ" in warning
    assert "by their labels alone" in warning


def test_changes_are_told_parameter_by_parameter() -> None:
    origin = Origin(
        {"model.heads": 8, "model.views": ["lb", "MAmd"]}, {"amsf/model/vae.py": "2"}, "s"
    )
    assert changes(BASE, replace(evaluation("two"), origin=origin)) == [
        "model.heads 4 -> 8",
        "model.views (absent) -> [lb, MAmd]",
        "code: amsf/model/vae.py",
    ]
    assert changes(BASE, evaluation("two")) == []
