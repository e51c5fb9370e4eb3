"""The demo's classes: complete, distinct, and unseen ones composed of what seen ones have."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import yaml

from amsf.dataset.classes import load_classes
from amsf.demo.programs import PLACES, PRIMITIVES, PROGRAMS
from amsf.demo.simulation import TIMINGS

ROOT = Path(__file__).parents[2]
VIEWS = {"lb": (1, 12), "MAad": (10, 30), "MAmd": (25, 50), "LLMad": (60, 110), "LLMmd": (60, 110)}


def primitives(label: int) -> set[str]:
    return set(PROGRAMS[label].first) | set(PROGRAMS[label].second)


def test_programs_name_only_what_exists() -> None:
    used = {name for program in PROGRAMS for name in (*program.first, *program.second)}
    assert used <= set(PRIMITIVES)
    moves = [move for name in used for move in PRIMITIVES[name]]
    assert {move.timing for move in moves} <= set(TIMINGS)
    assert {move.place for move in moves if move.channel == "hand"} <= set(PLACES)


def test_at_least_forty_classes_that_all_differ() -> None:
    assert len(PROGRAMS) >= 40
    assert len({(p.first, p.second, p.persons) for p in PROGRAMS}) == len(PROGRAMS)
    assert 5 <= sum(p.persons == 2 for p in PROGRAMS) < len(PROGRAMS) / 2


def test_the_class_list_is_that_of_the_programs() -> None:
    classes = load_classes("demo", ROOT / "data/classes")
    assert classes["label"].tolist() == [p.label for p in PROGRAMS]
    assert classes["persons"].tolist() == [p.persons for p in PROGRAMS]


@pytest.mark.parametrize("role", ["unseen", "val_unseen"])
def test_unseen_classes_are_new_combinations_of_seen_primitives(role: str) -> None:
    lists = yaml.safe_load((ROOT / "data/splits/demo-u8.yaml").read_text())
    assert len(lists[role]) == 8
    hidden = set(lists["unseen"]) | set(lists[role])
    seen = [c for c in range(len(PROGRAMS)) if c not in hidden]
    known = set().union(*(primitives(c) for c in seen))
    for c in lists[role]:
        assert primitives(c) <= known, PROGRAMS[c].label


@pytest.mark.parametrize("view", VIEWS)
def test_texts_have_their_length_and_differ(view: str) -> None:
    table = pd.read_csv(ROOT / f"data/texts/demo/{view}.csv")
    assert table["id"].tolist() == list(range(len(PROGRAMS)))
    assert table["text"].is_unique
    low, high = VIEWS[view]
    assert table["text"].str.split().str.len().between(low, high).all()
    assert all(text.isascii() for text in table["text"])


@pytest.mark.parametrize("view", VIEWS)
def test_texts_name_the_side_that_moves(view: str) -> None:
    table = pd.read_csv(ROOT / f"data/texts/demo/{view}.csv")
    for label, text in zip((p.label for p in PROGRAMS), table["text"]):
        for side in ("right", "left"):
            if f"{side} hand" in label or f"{side} foot" in label or f"{side} fist" in label:
                assert f"{side} " in text, (label, text)
