"""The shipped classes and texts: whole, distinct, with a known origin."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pandas as pd
import pytest
import yaml

from amsf.dataset.classes import KNOWN, load_classes, texts_of
from amsf.settings.params import View

ROOT = Path(__file__).parents[2]
DATASETS = sorted({texts_of(dataset) for dataset in KNOWN})
SIZES = {"demo": 59, "ntu60": 60, "ntu120": 120, "pku51": 51, "utd27": 27}
SIZES |= {"utkinect10": 10, "florence9": 9}
ALONE = {"utd27", "utkinect10", "florence9"}  # whose actions are of one person


@pytest.mark.parametrize(("dataset", "classes"), SIZES.items())
def test_class_lists(dataset: str, classes: int) -> None:
    table = load_classes(dataset, ROOT / "data/classes")
    assert len(table) == classes
    assert set(table["persons"]) == ({1} if dataset in ALONE else {1, 2})


@pytest.mark.parametrize("view", get_args(View))
@pytest.mark.parametrize("dataset", DATASETS)
def test_every_class_has_its_own_text(dataset: str, view: str) -> None:
    table = pd.read_csv(ROOT / f"data/texts/{dataset}/{view}.csv")
    assert table["id"].tolist() == list(range(SIZES[dataset]))
    assert table["text"].is_unique
    assert table["text"].str.isascii().all()
    assert not table["text"].str.contains("\n").any()


def test_every_view_has_a_provenance() -> None:
    provenance = yaml.safe_load((ROOT / "data/texts/provenance.yaml").read_text())
    assert set(provenance) == set(DATASETS)
    for dataset, views in provenance.items():
        assert set(views) == set(get_args(View)), dataset
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
