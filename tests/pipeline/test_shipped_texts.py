"""The shipped classes and texts: whole, distinct, with a known origin."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import yaml

from amsf.dataset.classes import KNOWN, load_classes, texts_of
from amsf.settings.params import PART_VIEWS, WHOLE_VIEWS
from amsf.text.descriptions import load_texts

ROOT = Path(__file__).parents[2]
DATASETS = sorted({texts_of(dataset) for dataset in KNOWN})
SIZES = {"demo": 59, "ntu60": 60, "ntu120": 120, "pku51": 51, "utd27": 27}
SIZES |= {"utkinect10": 10, "florence9": 9}
ALONE = {"utd27", "utkinect10", "florence9"}  # whose actions are of one person
IN_PARTS = {*ALONE, "demo"}  # whose texts say what each part does, too


@pytest.mark.parametrize(("dataset", "classes"), SIZES.items())
def test_class_lists(dataset: str, classes: int) -> None:
    table = load_classes(dataset, ROOT / "data/classes")
    assert len(table) == classes
    assert set(table["persons"]) == ({1} if dataset in ALONE else {1, 2})


@pytest.mark.parametrize("view", WHOLE_VIEWS)
@pytest.mark.parametrize("dataset", DATASETS)
def test_every_class_has_its_own_text(dataset: str, view: str) -> None:
    table = pd.read_csv(ROOT / f"data/texts/{dataset}/{view}.csv")
    assert table["id"].tolist() == list(range(SIZES[dataset]))
    assert table["text"].is_unique
    assert table["text"].str.isascii().all()
    assert not table["text"].str.contains("\n").any()


@pytest.mark.parametrize("dataset", sorted(IN_PARTS))
def test_every_class_has_a_sentence_on_every_part(dataset: str) -> None:
    texts = load_texts(dataset, ROOT / "data/texts", ROOT / "data/classes")
    parts = pd.DataFrame({view: texts[view]["text"] for view in PART_VIEWS})
    assert len(parts) == SIZES[dataset]
    for view, column in parts.items():
        assert column.str.fullmatch(r"[A-Z][a-z ,;'-]+\.").all(), view
        assert column.str.split().str.len().between(3, 30).all(), view
        assert column.nunique() >= len(column) / 4, view
    # A part may do the same in several classes, but not all of them.
    assert not parts.duplicated().any()
    bodily = {"arms": "arm|hand|elbow|fist", "legs": "leg|feet|foot|knee", "trunk": "trunk|hips"}
    for view, words in bodily.items():
        assert parts[view].str.contains(words).all(), view


@pytest.mark.parametrize("dataset", ["utd27", "demo"])
def test_parts_name_the_side_that_moves(dataset: str) -> None:
    texts = load_texts(dataset, ROOT / "data/texts", ROOT / "data/classes")
    labels = load_classes(dataset, ROOT / "data/classes")["label"]
    limbs = {"arms": ("arm", "hand", "fist"), "legs": ("foot",)}
    named = 0
    for view, own in limbs.items():
        for side in ("right", "left"):
            of_side = labels.str.contains("|".join(f"{side} {limb}" for limb in own))
            assert texts[view]["text"][of_side].str.contains(f"{side} ").all(), (view, side)
            named += of_side.sum()
    assert named >= 10


def test_every_view_has_a_provenance() -> None:
    provenance = yaml.safe_load((ROOT / "data/texts/provenance.yaml").read_text())
    assert set(provenance) == set(DATASETS)
    for dataset, views in provenance.items():
        parts = PART_VIEWS if dataset in IN_PARTS else ()
        assert set(views) == {*WHOLE_VIEWS, *parts}, dataset
        for entry in views.values():
            assert entry["author_kind"] in ("project", "llm")
            assert entry["date"]
            if entry["author_kind"] == "llm":
                assert (ROOT / entry["prompt"]).is_file()
                assert entry["model"]


def test_pku_classes_correspond_to_the_right_ntu_classes() -> None:
    pku = load_classes("pku51", ROOT / "data/classes")
    ntu = load_classes("ntu120", ROOT / "data/classes")["label"]
    label_of = dict(zip(pku["label"], pku["ntu120"].map(ntu), strict=True))
    # The published map has "standing up" as "sitting down".
    assert "stand" in label_of["standing up"]
    assert "sit" in label_of["sitting down"]
    shared = pku[pku["ntu120"].duplicated(keep=False)]["label"].tolist()
    assert len(shared) == 2
    assert all("pocket" in label for label in shared)
