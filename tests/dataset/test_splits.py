"""Class splits: the published ones, hand-worked ones, properties and refusals."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from amsf.base.errors import InputError
from amsf.dataset.classes import class_count
from amsf.dataset.published_splits import import_split
from amsf.dataset.splits import (
    Split,
    choose_split,
    class_similarity,
    listed_split,
    make_split,
    random_split,
    similarity_split,
)
from amsf.settings.params import SplitParams

ROOT = Path(__file__).parents[2]
SHIPPED = sorted((ROOT / "data" / "splits").glob("*.yaml"))
quick = settings(max_examples=40, deadline=None)


def texts(similarity: np.ndarray) -> np.ndarray:
    """Text vectors (C, 1, C) whose cosine similarities are a given positive-definite matrix."""
    return np.linalg.cholesky(similarity)[:, None, :]


def table(C: int, base: float = 0.0, **pairs: float) -> np.ndarray:
    """A similarity matrix from hundredths: ``p01=12`` is the pair of classes 0 and 1."""
    matrix = np.full((C, C), base / 100)
    for name, value in pairs.items():
        a, b = int(name[1]), int(name[2])
        matrix[a, b] = matrix[b, a] = value / 100
    np.fill_diagonal(matrix, 1)
    return matrix


def check(split: Split, unseen: int) -> None:
    """Everything that holds for each split that was chosen for the user."""
    everything = set(range(split.classes))
    assert set(split.seen) | set(split.unseen) == everything
    assert set(split.val_seen) | set(split.val_unseen) == set(split.seen)
    assert not set(split.seen) & set(split.unseen)
    assert not set(split.val_seen) & set(split.val_unseen)
    assert len(split.unseen) == len(split.val_unseen) == unseen
    assert split.val_seen
    for name in ("seen", "unseen", "val_seen", "val_unseen"):
        ids = getattr(split, name)
        assert list(ids) == sorted(set(ids))


# --- by text similarity -------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["easy", "hard"])
@pytest.mark.parametrize(("dataset", "unseen"), [("60", 5), ("60", 12), ("120", 10), ("120", 24)])
def test_golden_class_splits(
    data_dir: Path, golden_dir: Path, dataset: str, unseen: int, kind: str
) -> None:
    golden = json.loads((golden_dir / "class_splits.json").read_text())
    folder = data_dir / "msf" / "text_feats" / golden["text_features"]
    views = [np.load(folder / f"{view}_{dataset}.npy") for view in golden["views"]]
    split = similarity_split(f"ntu{dataset}", np.stack(views, axis=1), unseen, kind)
    key = f"ntu{dataset}_u{unseen}_{kind}"
    assert list(split.unseen) == golden["splits"][f"{key}_unseen"]
    assert list(split.val_unseen) == golden["splits"][f"{key}_val_unseen"]
    assert split.kind == kind
    check(split, unseen)


def test_similarity_is_the_sum_of_the_views_cosines() -> None:
    # Class 0 and 1: at right angles in one view, at 60 degrees in the other; lengths do not matter.
    root = np.sqrt(3)
    features = np.array([[[2.0, 0.0], [5.0, 0.0]], [[0.0, 7.0], [1.0, root]]])
    assert class_similarity(features) == pytest.approx(np.array([[2.0, 0.5], [0.5, 2.0]]))


def test_easy_by_hand() -> None:
    # Totals beyond the diagonal, in hundredths: 0: 33, 1: 32, 2: 21, 3: 35, 4: 14, 5: 10, 6: 5.
    # (0,1) 12: 0 has the larger total and becomes unseen, 1 its partner.
    # (1,2) 11: 1 would be chosen but is a partner.       (0,2) 10: 0 is chosen already.
    # (0,3)  9: 3 would be chosen but its partner 0 is unseen.
    # (1,3)  8: 3 becomes unseen; 1 is a partner once more. That makes two.
    # Of the rest 1 2 4 5 6, with totals 12 11 5 4 0: (1,2) gives 1, then (4,5) gives 4.
    similarity = table(7, p01=12, p12=11, p02=10, p03=9, p13=8, p34=7, p35=6, p36=5) + table(
        7, p45=4, p04=2, p14=1
    )
    np.fill_diagonal(similarity, 1)
    split = similarity_split("x", texts(similarity), 2, "easy")
    assert split.unseen == (0, 3)
    assert split.val_unseen == (1, 4)
    assert split.letter == "e"


def test_hard_by_hand() -> None:
    # Sums of the five largest of six: 0: 25, 1: 24, 2: 24, 3: 22, 4: 24, 5: 21, 6: 25. The total
    # would single out 0 and 6 for the one pair that they are unlike in, at -40.
    similarity = table(
        7, 5, p06=-40, p13=4, p23=4, p34=4, p35=4, p15=3, p25=2, p45=4
    )  # the rest at 5
    split = similarity_split("x", texts(similarity), 2, "hard")
    assert split.unseen == (3, 5)
    # Only four others each are left, and there -40 counts: 0 and 6 at -25, the others at 20.
    assert split.val_unseen == (0, 6)
    assert split.letter == "h"


@pytest.mark.parametrize("kind", ["easy", "hard"])
@given(C=st.integers(3, 14), unseen=st.integers(1, 5), seed=st.integers(0, 2**32 - 1))
@quick
def test_permuting_the_classes_permutes_the_choice(
    kind: str, C: int, unseen: int, seed: int
) -> None:
    # With fewer, validation would choose among two classes, which are equally like each other.
    assume(2 * unseen < C and C - unseen >= 3)
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(C, 2, 8))
    order = rng.permutation(C)  # class i of the other is class order[i] of the first
    found: list[Any] = []
    for vectors, names in ((features, np.arange(C)), (features[order], order)):
        try:
            split = similarity_split("x", vectors, unseen, kind)
        except InputError as error:
            found.append(str(error))
            continue
        check(split, unseen)
        found.append([{int(names[c]) for c in ids} for ids in (split.unseen, split.val_unseen)])
    assert found[0] == found[1]


@given(C=st.integers(4, 12), seed=st.integers(0, 2**32 - 1))
@quick
def test_the_first_easy_class_is_of_the_most_similar_pair(C: int, seed: int) -> None:
    features = np.random.default_rng(seed).normal(size=(C, 1, 6))
    similarity = class_similarity(features)
    np.fill_diagonal(similarity, -np.inf)
    pair = np.unravel_index(similarity.argmax(), similarity.shape)
    split = similarity_split("x", features, 1, "easy")
    assert set(split.unseen) < {int(c) for c in pair}


def test_easy_may_run_out_of_partners() -> None:
    # (0,1), (2,3) and (4,5) give 0, 2 and 4. Of the rest 1 3 5 6, (1,3) gives 1 and (5,6) gives 5;
    # then all four are unseen or partners, but a third one is wanted.
    similarity = table(7, p01=30, p23=20, p45=10, p02=3, p24=2, p13=0.5, p56=0.4, p15=0.1)
    message = (
        "easy split: 3 unseen classes with a seen partner each were asked for; only 2 can be "
        "chosen from 4 classes"
    )
    with pytest.raises(InputError, match=message):
        similarity_split("x", texts(similarity), 3, "easy")


# --- random -------------------------------------------------------------------------------------


@given(C=st.integers(3, 60), unseen=st.integers(1, 20), seed=st.integers(0, 2**32))
@quick
def test_random_splits(C: int, unseen: int, seed: int) -> None:
    assume(2 * unseen < C)
    split = random_split("x", C, unseen, seed)
    check(split, unseen)
    assert (split.dataset, split.classes, split.kind, split.letter) == ("x", C, "random", "r")
    assert random_split("x", C, unseen, seed) == split


def test_random_splits_are_uniform() -> None:
    splits = [random_split("x", 7, 2, seed) for seed in range(1400)]
    for name in ("unseen", "val_unseen"):
        counts = Counter(c for split in splits for c in getattr(split, name))
        # 400 expected each; five standard deviations are about 85.
        assert all(315 < counts[c] < 485 for c in range(7))


@pytest.mark.parametrize("kind", ["random", "easy", "hard"])
@pytest.mark.parametrize(("C", "unseen", "most"), [(6, 3, 2), (7, 4, 3), (5, 50, 2), (2, 1, 0)])
def test_impossible_requests(kind: str, C: int, unseen: int, most: int) -> None:
    features = np.random.default_rng(0).normal(size=(C, 1, 4))
    message = (
        f"{kind} split: {unseen} unseen and as many validation-unseen classes out of {C} leave no "
        f"seen class; ask for at most {most}"
    )
    with pytest.raises(InputError, match=message):
        choose_split(SplitParams(kind=kind), "x", features, unseen, Path("none"))  # type: ignore[arg-type]


# --- make_split ---------------------------------------------------------------------------------


def test_lists_are_sorted_and_the_rest_is_filled_in() -> None:
    split = make_split("x", 7, [5, 1], list(np.array([4, 0])), kind="listed", where="here")
    assert split == Split("x", 7, (0, 2, 3, 4, 6), (1, 5), (2, 3, 6), (0, 4), "listed")
    assert all(type(c) is int for c in split.val_unseen)


def test_a_phase_has_its_own_seen_and_unseen_classes() -> None:
    split = make_split("d", 6, [1, 4], [0, 5], kind="listed", where="")
    assert split.of_phase("test") == ((0, 2, 3, 5), (1, 4))
    assert split.of_phase("val") == ((2, 3), (0, 5))


def test_validation_may_leave_seen_classes_out_or_be_absent() -> None:
    split = make_split("x", 7, [1], [0], val_seen=[6, 2], kind="listed", where="here")
    assert split.val_seen == (2, 6)
    split = make_split("x", 7, [1], [], kind="listed", where="here")
    assert split.val_seen == split.val_unseen == ()


GOOD = {"unseen": [1, 5], "val_unseen": [0, 4]}


@pytest.mark.parametrize(
    ("lists", "message"),
    [
        ({"unseen": []}, "here: unseen is empty; at least one class is needed"),
        ({"unseen": [0, 1, 2, 3, 4, 5, 6], "val_unseen": []}, "here: seen is empty"),
        ({"unseen": [1, 7]}, r"here: unseen: class ids 7; expected 0 to 6 \(ids are 0-based\)"),
        ({"val_unseen": [-1, 0]}, "here: val_unseen: class ids -1; expected 0 to 6"),
        ({"unseen": [1, 5, 1, 5, 2]}, "here: unseen: class ids 1, 5 appear twice"),
        ({"unseen": [1, 2.0]}, r"here: unseen is \[1, 2.0\]; expected a list of whole-number"),
        (
            {"unseen": [True, 2]},
            "here: unseen is .*; expected a list of whole-number class ids",
        ),
        ({"unseen": "15"}, "here: unseen is '15'; expected a list"),
        ({"unseen": ["1", "5"]}, "here: unseen is .*expected a list of whole-number"),
        ({"unseen": 5}, "here: unseen is 5; expected a list of whole-number class ids"),
        ({"unseen": None}, "here: unseen is None; expected a list of whole-number class ids"),
        ({"val_unseen": None}, "here: val_unseen is None; expected a list of whole-number"),
        ({"seen": [0, 1, 2, 3, 4, 6]}, "here: classes 1 are in both seen and unseen"),
        ({"val_unseen": [0, 5]}, "here: classes 5 are in both val_unseen and unseen"),
        ({"val_seen": [2, 3, 1]}, "here: classes 1 are in both val_seen and unseen"),
        ({"val_seen": [0, 2]}, "here: classes 0 are in both val_seen and val_unseen; a class belo"),
        ({"seen": [0, 2, 4]}, "here: classes 3, 6 of x are neither seen nor unseen; .* 7 classes"),
        ({"val_unseen": [], "val_seen": [2]}, "here: one of val_seen and val_unseen is empty"),
        ({"val_seen": []}, "here: one of val_seen and val_unseen is empty; give both or neither"),
        ({"val_unseen": [0]}, "here: 1 class in val_unseen for 2 in unseen"),
    ],
)
def test_lists_that_make_no_split(lists: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        make_split("x", 7, **{**GOOD, **lists}, kind="listed", where="here")


def test_long_lists_of_wrong_ids_are_cut() -> None:
    with pytest.raises(InputError, match=r"class ids 40, 41, .*, 49 and 10 more; expected 0 to 39"):
        make_split("x", 40, list(range(60)), [], kind="listed", where="here")


# --- files --------------------------------------------------------------------------------------


@given(C=st.integers(3, 12), seed=st.integers(0, 99), kind=st.sampled_from(["random", "hard"]))
@settings(max_examples=10, deadline=None)
def test_saved_splits_read_back(
    tmp_path_factory: pytest.TempPathFactory, C: int, seed: int, kind: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "split.json"
    features = np.random.default_rng(seed).normal(size=(C, 1, 4))
    params = SplitParams(kind=kind, seed=seed)  # type: ignore[arg-type]
    split = choose_split(params, "x", features, (C - 1) // 2, Path("none"))
    split.save(path)
    assert Split.load(path) == split


GOOD_JSON = {"dataset": "x", "classes": 4, "seen": [0, 1, 2], "unseen": [3], "kind": "easy"}
GOOD_JSON |= {"val_seen": [0, 1], "val_unseen": [2]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "not a split"),
        ({}, r"not a split \(KeyError\('seen'\)\); expected what `stages.split` writes"),
        ({**GOOD_JSON, "classes": "4"}, "classes is '4'; expected how many the dataset has"),
        ({**GOOD_JSON, "unseen": 3}, "split.json: (not a split|unseen is 3)"),
        ({**GOOD_JSON, "unseen": [2]}, "split.json: classes 2 are in both seen and unseen"),
        ({**GOOD_JSON, "classes": 3}, "split.json: unseen: class ids 3; expected 0 to 2"),
    ],
)
def test_damaged_split_files(tmp_path: Path, content: Any, message: str) -> None:
    (tmp_path / "split.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match=message):
        Split.load(tmp_path / "split.json")
    (tmp_path / "split.json").write_text(json.dumps(GOOD_JSON))
    assert Split.load(tmp_path / "split.json").letter == "e"


def listed(tmp_path: Path, text: str) -> Split:
    (tmp_path / "mine.yaml").write_text(text)
    return listed_split(tmp_path / "mine.yaml", "x", 7, 2)


def test_a_list_of_ones_own(tmp_path: Path) -> None:
    split = listed(tmp_path, "# ours\ndataset: x\nunseen: [5, 1]\nval_unseen:\n- 4\n- 0\n")
    assert split == make_split("x", 7, **GOOD, kind="listed", where="")
    split = listed(tmp_path, "{dataset: x, unseen: [5, 1], val_unseen: [4, 0], val_seen: [2]}")
    assert split.val_seen == (2,)
    assert listed(tmp_path, "{dataset: x, unseen: [5, 1]}").val_unseen == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("dataset: x\nunseen: [1, 5", "not valid YAML"),
        ("- 1\n- 5\n", "expected a mapping with dataset, unseen"),
        ("", "expected a mapping with dataset, unseen"),
        ("unseen: [1, 5]\n", "expected a mapping with dataset, unseen"),
        ("{dataset: x, unseen: [1, 5], val_unsen: [0, 4]}", "expected a mapping with dataset, uns"),
        ("{dataset: y, unseen: [1, 5]}", "is a split of y; the benchmark is of x"),
        ("{dataset: x, unseen: [1, 5, 6]}", "lists 3 unseen classes; the benchmark says 2"),
        ("{dataset: x, unseen: [1, 7]}", "unseen: class ids 7; expected 0 to 6"),
        ("{dataset: x, unseen: [1, 5], val_unseen: [5, 0]}", "classes 5 are in both val_uns"),
        ("{dataset: x, unseen: 5}", "unseen is 5; expected a list"),
        ("dataset: x\nunseen:\n", "unseen is None; expected a list"),
        ("dataset: x\nunseen: [1, 5]\nval_unseen:\n", "val_unseen is None; expected a list"),
        ("{dataset: x, unseen: {1: 5, 5: 1}}", "unseen is .*; expected a list"),
    ],
)
def test_bad_lists_of_ones_own(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=r"mine\.yaml: " + message):
        listed(tmp_path, text)


def test_a_list_that_is_not_there(tmp_path: Path) -> None:
    message = r"mine\.yaml: no such list of classes; write it .* import .* or set split\.kind to"
    with pytest.raises(InputError, match=message):
        listed_split(tmp_path / "mine.yaml", "x", 7, 2)


def test_choose_split_follows_the_kind(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("{dataset: x, unseen: [5, 1], val_unseen: [4, 0]}")
    features = np.random.default_rng(3).normal(size=(7, 2, 8))
    assert choose_split(SplitParams(), "x", features, 2, path) == listed_split(path, "x", 7, 2)
    params = SplitParams(kind="random", seed=5)
    assert choose_split(params, "x", features, 2, path) == random_split("x", 7, 2, 5)
    for kind in ("easy", "hard"):
        params = SplitParams(kind=kind)
        expected = similarity_split("x", features, 2, kind)
        assert choose_split(params, "x", features, 2, path) == expected


# --- the shipped lists --------------------------------------------------------------------------


def shipped(path: Path) -> Split:
    unseen = re.fullmatch(r"\w+-u(\d+)", path.stem)
    assert unseen is not None
    dataset = yaml.safe_load(path.read_text())["dataset"]
    assert path.stem.split("-")[0] == dataset
    classes = class_count(dataset, ROOT / "data" / "classes")
    return listed_split(path, dataset, classes, int(unseen[1]))


def test_there_is_a_list_for_each_published_random_split() -> None:
    names = {path.stem for path in SHIPPED}
    assert {"ntu60-u5", "ntu60-u12", "ntu120-u10", "ntu120-u24", "utd27-u5"} <= names


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_lists_are_valid_and_have_a_validation_phase(path: Path) -> None:
    split = shipped(path)
    assert split.val_unseen
    assert split.letter == "r"


@pytest.mark.parametrize(
    "path", [p for p in SHIPPED if not p.stem.startswith("demo")], ids=lambda path: path.stem
)
def test_shipped_lists_are_the_published_ones(data_dir: Path, path: Path) -> None:
    split = shipped(path)
    own = split.dataset == "utd27"
    folder = data_dir / ("utd-mhad/splits" if own else "msf/label_splits")
    published = import_split(folder, split.dataset, split.classes, len(split.unseen))
    for name in ("seen", "unseen", "val_seen", "val_unseen"):
        assert getattr(split, name) == getattr(published, name)
