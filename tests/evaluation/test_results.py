"""What evaluation writes: tables worked out by hand, means and deviations over seeds."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import confusion_matrix

from amsf.dataset.splits import make_split
from amsf.evaluation.decision import GatedAnswers
from amsf.evaluation.evaluate import GzslPredictions, SeedResult, score_gzsl
from amsf.evaluation.gate import Gate
from amsf.evaluation.headline import headline
from amsf.evaluation.latent_map import LatentMap
from amsf.evaluation.results import (
    CURVE_POINTS,
    confusion_counts,
    curve_table,
    per_class_table,
    summarise,
    write_results,
)
from tests.support.small_benchmark import small_settings

SPLIT = make_split("tiny", 4, [2], [0], kind="listed", where="test")
LABELS = ["sit", "stand", "wave", "kick"]

MAP = LatentMap(np.zeros((4, 2)), np.array([2, 2, 2, 2]), np.ones((1, 2)), np.array([2]), 0.5)


def seed_result(seed: int, samples: int = 60) -> SeedResult:
    rng = np.random.default_rng(seed)
    labels = np.arange(samples) % 4
    probability = rng.random(samples)
    seen_prediction = rng.choice([0, 1, 3], samples)
    unseen_prediction = np.full(samples, 2)
    answers = GatedAnswers(
        probability,
        seen_prediction,
        unseen_prediction,
        np.where(probability > 0.5, unseen_prediction, seen_prediction),
    )
    gzsl = GzslPredictions(labels, answers)
    scores, curve = score_gzsl(gzsl, np.array([2]))
    scores["zsl"] = {"overall": 0.25 * (seed + 1), "per_class": 0.5}
    gate = Gate((1.0, 2.0), 0.0, 0.5, 2.0)
    zsl = np.array([2, 2, 2, 2])
    return SeedResult(
        scores=scores,
        zsl_labels=zsl,
        zsl_prediction=np.array([2, 2, 1, 0]),
        zsl_probabilities=np.array([[0.5], [0.75], [0.5], [0.25]]),
        temperature=1.5,
        gate_name="regression",
        gate=gate,
        gzsl=gzsl,
        curve=curve,
        gates={"regression": {"auc": 0.6, "ausuc": 0.1, "H": 0.2, "H_best": 0.3, "H_chance": 0.15}},
        seed=seed,
        cycle=seed,
        latent=MAP,
        method="vae",
        alternatives={},
    )


RESULTS = [seed_result(seed) for seed in (0, 1, 2)]


def zsl_only(seed: int) -> SeedResult:
    full = seed_result(seed)
    zsl = {"zsl": full.scores["zsl"]}
    bare = {"gate_name": None, "gate": None, "gzsl": None, "curve": None, "gates": {}}
    return replace(full, cycle=0, scores=zsl, **bare)


def test_means_and_deviations_over_seeds() -> None:
    summary = summarise(RESULTS, {}, small_settings())
    assert summary["mean"]["zsl"] == pytest.approx({"overall": 0.5, "per_class": 0.5})
    assert summary["std"]["zsl"] == pytest.approx({"overall": 0.25, "per_class": 0.0})
    assert summary["cycles"] == {"0": 1, "1": 2, "2": 3}
    assert (summary["protocol"], summary["selection"]) == ("clean", "val")
    assert summary["switches"]["noise"] == "independent"


def test_one_seed_has_no_spread() -> None:
    summary = summarise(RESULTS[:1], {}, small_settings())
    assert summary["std"] == {}
    assert headline(summary)["zsl"] == {"mean": 25.0}


def test_headline_is_in_percent() -> None:
    row = headline(summarise(RESULTS, {}, small_settings()))
    assert row["zsl"] == {"mean": 50.0, "std": 25.0}
    assert row["H"]["mean"] == pytest.approx(
        100 * np.mean([r.scores["H"]["overall"] for r in RESULTS]), abs=0.01
    )
    assert (row["seeds"], row["protocol"], row["selection"]) == (3, "clean", "val")


def test_a_gate_like_a_coin_is_marked() -> None:
    assert headline(summarise(RESULTS, {}, small_settings()))["gate_better_than_chance"]
    for worse in ({"auc": 0.5}, {"H": 0.15}):
        gates = {"regression": {**RESULTS[0].gates["regression"], **worse}}
        summary = summarise([replace(RESULTS[0], gates=gates)], {}, small_settings())
        assert not summary["gates"]["regression"]["better_than_chance"]
        assert not headline(summary)["gate_better_than_chance"]


def test_what_was_chosen_and_by_how_much() -> None:
    first = replace(RESULTS[0], method="ridge", gate_name="combined")
    first = replace(first, alternatives={"ridge": 0.5, "conse": 0.5})
    second = replace(RESULTS[1], method="conse", alternatives={"ridge": 0.25, "conse": 0.75})
    third = replace(second, seed=2)
    gates = {**RESULTS[0].gates, "combined": RESULTS[0].gates["regression"]}
    each = [replace(one, gates=gates) for one in (first, second, third)]
    summary = summarise(each, {}, small_settings())
    assert summary["methods"] == {"0": "ridge", "1": "conse", "2": "conse"}
    row = headline(summary)
    assert row["chosen"] == "conse (2 seeds), ridge (1)"
    assert row["gate"] == "regression (2 seeds), combined (1)"
    assert row["on_validation_classes"] == {"ridge": 33.33, "conse": 66.67}
    assert "chosen" not in headline(summarise(RESULTS, {}, small_settings()))


def test_headline_of_zsl_alone() -> None:
    row = headline(summarise([zsl_only(0)], {}, small_settings()))
    assert set(row) == {"zsl", "beside", "protocol", "selection", "seeds"}


def test_transductive_scores_stand_apart() -> None:
    looked = [
        replace(r, transductive={"zsl": {"overall": 0.5 + 0.1 * r.seed, "per_class": 0.5}})
        for r in RESULTS
    ]
    asked = small_settings(evaluate={"transductive": True})
    beside = {"ridge": replace(looked[0], transductive={"zsl": {"overall": 0.7, "per_class": 1}})}
    summary = summarise(looked, beside, asked)
    plain = summarise(looked, beside, small_settings())
    apart = summary.pop("transductive")
    assert summary == plain
    assert apart["mean"]["zsl"]["overall"] == pytest.approx(0.6)
    assert apart["std"]["zsl"] == pytest.approx({"overall": 0.1, "per_class": 0.0})
    assert apart["seeds"]["2"]["zsl"]["overall"] == 0.7
    row = headline({**summary, "transductive": apart})
    assert row.pop("transductive") == {
        "zsl": {"mean": 60.0, "std": 10.0},
        "beside": {"ridge": {"zsl": 70.0}},
    }
    assert row == headline(plain)


def test_confusion_equals_scikit_learn() -> None:
    expected = sum(
        confusion_matrix(r.gzsl.labels, r.gzsl.prediction, labels=range(4)) for r in RESULTS
    )
    np.testing.assert_array_equal(confusion_counts(RESULTS, 4), expected)


def test_per_class_table() -> None:
    table = per_class_table(RESULTS, SPLIT, LABELS)
    assert table["label"].tolist() == LABELS
    assert table["side"].tolist() == ["seen", "seen", "unseen", "seen"]
    assert table["samples"].tolist() == [15] * 4
    assert table["zsl_accuracy"].tolist() == pytest.approx(
        [np.nan] * 2 + [0.5, np.nan], nan_ok=True
    )
    recalls = [np.mean((r.gzsl.prediction == 3)[r.gzsl.labels == 3]) for r in RESULTS]
    assert table["gzsl_accuracy"][3] == pytest.approx(np.mean(recalls))


def test_long_curves_are_thinned_and_keep_their_ends() -> None:
    result = seed_result(0, samples=4000)
    assert result.curve is not None
    table = curve_table([result])
    assert len(table) == CURVE_POINTS
    for name in ("seen", "unseen", "threshold"):
        whole = getattr(result.curve, name)
        assert (table[name].iloc[0], table[name].iloc[-1]) == (whole[0], whole[-1])


def test_files_of_gzsl(tmp_path: Path) -> None:
    write_results(tmp_path / "out", RESULTS, {}, None, SPLIT, LABELS, small_settings())
    names = {p.name for p in (tmp_path / "out").iterdir()}
    assert names == {
        "map.json", "metrics.json", "per_class.csv", "confusion.csv", "curve.csv",
        *(f"{kind}_seed{n}.csv" for kind in ("predictions", "zsl_predictions") for n in range(3)),
        *(f"gate_seed{n}.json" for n in range(3)),
    }  # fmt: skip
    confusion = pd.read_csv(tmp_path / "out/confusion.csv", index_col="true")
    assert confusion.loc["2 wave"].sum() == 45
    predictions = pd.read_csv(tmp_path / "out/predictions_seed1.csv")
    np.testing.assert_array_equal(predictions["prediction"], RESULTS[1].gzsl.prediction)


def test_zsl_alone_writes_no_gate(tmp_path: Path) -> None:
    write_results(tmp_path / "out", [zsl_only(0)], {}, None, SPLIT, LABELS, small_settings())
    names = {p.name for p in (tmp_path / "out").iterdir()}
    assert names == {"map.json", "metrics.json", "per_class.csv", "zsl_predictions_seed0.csv"}


def test_a_rerun_replaces_the_folder_as_a_whole(tmp_path: Path) -> None:
    write_results(tmp_path / "out", RESULTS, {}, None, SPLIT, LABELS, small_settings())
    first = (tmp_path / "out/metrics.json").read_bytes()
    write_results(tmp_path / "out", RESULTS[:1], {}, None, SPLIT, LABELS, small_settings())
    assert not (tmp_path / "out/gate_seed1.json").exists()
    write_results(tmp_path / "out", RESULTS, {}, None, SPLIT, LABELS, small_settings())
    assert (tmp_path / "out/metrics.json").read_bytes() == first
    assert json.loads(first)["mean"]
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
