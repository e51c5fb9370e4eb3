"""Scores, mistakes and findings in words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from amsf.report.closing import closing_table
from amsf.report.data import BenchmarkData, confused_pairs
from amsf.report.words import (
    confusion_sentences,
    describe_accuracy,
    describe_classes,
    describe_confusion,
    describe_curve,
    describe_reliability,
    doubts,
    findings,
    nearest_texts,
    spread,
)
from tests.support.small_report import HOSTILE, found_in

METRICS = {
    "mean": {"zsl": {"overall": 0.4567, "per_class": 0.5}},
    "std": {"zsl": {"overall": 0.0123, "per_class": 0.0}},
    "seeds": {"0": {}, "1": {}},
}


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> BenchmarkData:
    return found_in(tmp_path_factory, "two-u3")


def test_spread_by_hand() -> None:
    assert spread(METRICS, "zsl") == "45.7 ± 1.2"
    assert spread(METRICS, "zsl", "per_class") == "50.0 ± 0.0"
    assert spread({**METRICS, "seeds": {"0": {}}}, "zsl") == "45.7"
    assert spread(METRICS, "H") == "–"


def test_sentences_name_both_classes_and_the_side_they_cross_to(two: BenchmarkData) -> None:
    assert two.gzsl is not None
    # Shuffled answers, so that mistakes of every kind are among them.
    answers = np.random.default_rng(0).permutation(two.gzsl["prediction"])
    mixed = replace(two, gzsl=two.gzsl.assign(prediction=answers))
    for side in ("unseen", "seen"):
        pairs = confused_pairs(mixed, side, 5)
        sentences = confusion_sentences(mixed, side)
        assert len(sentences) == len(pairs) == 5
        for (true, other, share), sentence in zip(pairs, sentences):
            assert f"“{two.labels[true]}”" in sentence
            assert f"“{two.labels[other]}”" in sentence
            assert f"{100 * share:.0f} %" in sentence
            crosses = (true in two.split.unseen) != (other in two.split.unseen)
            assert ("seen class)" in sentence) == crosses
        assert any("seen class)" in sentence for sentence in sentences)


def test_findings_of_features_texts_and_selection(two: BenchmarkData) -> None:
    # Whether so short a training beats chance is not what is tested here.
    usual = findings(two)
    assert usual[-1] == "a finding with <b>markup</b>"
    told = findings(
        replace(
            two,
            metrics={**two.metrics, "selection": "test"},
            text={**two.text, "duplicates": {"lb": [[0, 7]], "MAmd": [], "legs": [[0, 1]]}},
        )
    )
    assert told[: len(usual)] == usual
    assert len(told) == len(usual) + 2
    assert told[-2] == f"texts, view lb: one and the same vector for “sit”, “{HOSTILE}”"
    assert "higher than on new samples" in told[-1]


def test_findings_where_the_same_people_train_and_test(two: BenchmarkData) -> None:
    backbone = two.settings.backbone.model_copy(update={"partition": "recording"})
    settings = two.settings.model_copy(update={"backbone": backbone})
    entry = two.entry.model_copy(update={"features": "motion"})
    assert findings(replace(two, settings=settings)) == findings(two)  # published: not by us
    (told,) = set(findings(replace(two, settings=settings, entry=entry))) - {*findings(two)}
    assert "of the same people (backbone.partition: recording)" in told


def test_alternative_texts_hold_the_numbers(two: BenchmarkData) -> None:
    assert spread(two.metrics, "seen") in describe_curve(two)
    assert spread(two.metrics, "ausuc") in describe_curve(two)
    assert confusion_sentences(two, "unseen", 1)[0] in describe_confusion(two)
    assert "Best: " in describe_classes(two)
    assert f"error {spread(two.metrics, 'ece')} %" in describe_reliability(two)
    assert "2 (seed 0), 2 (seed 1)" in describe_accuracy(two)


def test_nearest_texts_by_plain_search(two: BenchmarkData) -> None:
    for (label, near, side, cosine), c in zip(nearest_texts(two), (6, 7, 8), strict=True):
        others = {i: two.text_similarity[c, i] for i in range(9) if i != c}
        best = max(others, key=lambda i: others[i])
        expected = (two.labels[c], two.labels[best], "unseen" if best >= 6 else "seen")
        assert (label, near, side) == expected
        assert cosine == pytest.approx(others[best])


def metrics_of(**scores: float) -> dict[str, Any]:
    found = {name: {"overall": value} for name, value in scores.items()}
    return {"mean": found, "seeds": {"0": found, "1": found}, "beside": {}}


GOOD = {"zsl": 0.6, "seen": 0.7, "unseen": 0.4, "gate_seen": 0.8, "gate_unseen": 0.7}


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({}, []),
        ({"zsl": 0.2}, ["ZSL is 20.0 %, no better than chance, 20.0 % (one of 5 classes)"]),
        ({"zsl": 0.21}, []),
        ({"unseen": 0.04, "seen": 0.05}, ["S is 5.0 %, no better", "U is 4.0 %, no better"]),
        (
            {"gate_unseen": 0.005, "gate_seen": 0.995},
            ["the gate of seed 0, seed 1 takes nearly every sample for a seen class"],
        ),
        (
            {"gate_unseen": 1.0, "gate_seen": 0.0},
            ["the gate of seed 0, seed 1 takes nearly every sample for an unseen class"],
        ),
        ({"gate_unseen": 0.005, "gate_seen": 0.9}, []),
    ],
)
def test_what_to_distrust(changed: dict[str, float], told: list[str]) -> None:
    found = doubts(metrics_of(**(GOOD | changed)), seen=15, unseen=5)
    assert len(found) == len(told)
    for line, beginning in zip(found, told):
        assert line.startswith(beginning)


def test_of_one_seed_and_the_ensemble_too() -> None:
    metrics = metrics_of(**GOOD)
    bad = {"gate_unseen": {"overall": 0.0}, "gate_seen": {"overall": 1.0}}
    metrics["seeds"]["1"] = bad
    metrics["beside"] = {"ensemble": bad, "ridge": bad}
    (line,) = doubts(metrics, seen=15, unseen=5)
    assert line.startswith("the gate of seed 1, the ensemble takes")


def test_a_run_ends_with_a_table(tmp_path_factory: pytest.TempPathFactory) -> None:
    both = [found_in(tmp_path_factory, key) for key in ("two-u3", "one-u3")]
    lines = closing_table(both, Path("metrics/report.html")).splitlines()
    assert lines[0].split() == ["ZSL", "S", "U", "H", "chance", "of", "ZSL"]
    row = next(line for line in lines if line.startswith("two-u3"))
    for score in ("zsl", "seen", "unseen", "H"):
        assert spread(both[0].metrics, score) in row
    assert row.endswith(" 33.3")
    assert lines[-1] == "Report: metrics/report.html"
    assert "Percent; ± is the standard deviation over seeds." in lines
    # One that is at chance is marked, and the page says so too.
    bad = {**both[1].metrics, "mean": {"zsl": {"overall": 0.3, "per_class": 0.3}}}
    lines = closing_table([replace(both[1], metrics=bad)], Path("r.html")).splitlines()
    assert lines[1].startswith("one-u3 !")
    assert lines[-2].startswith("! one-u3: ZSL is 30.0 %, no better than chance, 33.3 %")
    assert findings(replace(both[1], metrics=bad))[0].startswith("ZSL is 30.0 %")
