"""Numbers and findings of the report in words: scores, mistakes, what a picture shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from amsf.evaluation.headline import ENSEMBLE
from amsf.report.data import BenchmarkData, class_accuracy, confused_pairs
from amsf.settings.params import PART_VIEWS
from amsf.skeleton.partition import BY_RECORDING

ONE_SIDED = 0.01  # of the samples: fewer than that on a side of the gate are as good as none
SCORES = {"zsl": "ZSL", "seen": "S", "unseen": "U", "H": "H"}


def spread(metrics: dict[str, Any], score: str, weighting: str = "overall") -> str:
    """A score in percent: mean ± standard deviation, the mean alone of one seed, – where absent."""
    if score not in metrics["mean"]:
        return "–"
    mean = f"{100 * metrics['mean'][score][weighting]:.1f}"
    if len(metrics["seeds"]) == 1:
        return mean
    return f"{mean} ± {100 * metrics['std'][score][weighting]:.1f}"


def in_percent(scores: Mapping[str, Mapping[str, float]], score: str) -> str:
    """One score of one model in percent, every sample alike; – where absent."""
    return f"{100 * scores[score]['overall']:.1f}" if score in scores else "–"


def beside_name(name: str, seeds: int) -> str:
    """What stands beside a result, in words: the ensemble of the seeds, or a baseline's method."""
    return f"ensemble of {seeds} seeds" if name == ENSEMBLE else f"{name}, closed form"


def beside_in_order(beside: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """What stands beside a result, the ensemble first, then the baselines by their names."""
    return sorted(beside.items(), key=lambda one: (one[0] != ENSEMBLE, one[0]))


def confusion_sentences(benchmark: BenchmarkData, side: str, count: int = 5) -> list[str]:
    """The likeliest mistakes on the classes of one side, a sentence each."""
    return [
        f"“{benchmark.labels[true]}” is taken for “{benchmark.labels[other]}”"
        f"{_side(benchmark, side, other)} in {100 * share:.0f} % of its samples."
        for true, other, share in confused_pairs(benchmark, side, count)
    ]


def _side(benchmark: BenchmarkData, side: str, other: int) -> str:
    """Worth saying only where the mistake crosses the line between seen and unseen."""
    actual = "unseen" if other in benchmark.split.unseen else "seen"
    return "" if actual == side else f" (a{'n' if actual == 'unseen' else ''} {actual} class)"


def findings(benchmark: BenchmarkData) -> list[str]:
    """What a reader of the results must know: what to distrust, and warnings of the manifests."""
    split = benchmark.split
    lines = doubts(benchmark.metrics, len(split.seen), len(split.unseen))
    lines += benchmark.features["findings"]
    for view, groups in benchmark.text["duplicates"].items():
        if view in PART_VIEWS:  # a part may well do the same in several classes
            continue
        for group in groups:
            names = ", ".join(f"“{benchmark.labels[c]}”" for c in group)
            lines.append(f"texts, view {view}: one and the same vector for {names}")
    if benchmark.settings.backbone.partition == BY_RECORDING and benchmark.entry.knows_all:
        lines.append(
            "training and test recordings are of the same people (backbone.partition: "
            f"{BY_RECORDING}), so that these scores say nothing of new people"
        )
    if benchmark.metrics["selection"] == "test":
        lines.append(
            "the cycle was chosen by the accuracy on the very test samples that ZSL and U are "
            "measured on (protocol.selection: test), so these are higher than on new samples"
        )
    return lines


def doubts(metrics: Mapping[str, Any], seen: int, unseen: int) -> list[str]:
    """What to distrust in a benchmark's results, a sentence each; empty where there is nothing.

    Args:
        metrics: ``metrics.json`` of the evaluation.
        seen, unseen: the numbers of classes.
    """
    lines = []
    chances = {"zsl": ("ZSL", unseen), "seen": ("S", seen + unseen), "unseen": ("U", seen + unseen)}
    for score, (name, classes) in chances.items():
        if score not in metrics["mean"]:
            continue
        mean = metrics["mean"][score]["overall"]
        if mean <= 1 / classes:
            lines.append(
                f"{name} is {100 * mean:.1f} %, no better than chance, {100 / classes:.1f} % (one "
                f"of {classes} classes)"
            )
    one_sided: dict[str, list[str]] = {}
    models = {f"seed {seed}": scores for seed, scores in metrics["seeds"].items()}
    if ENSEMBLE in metrics["beside"]:
        models["the ensemble"] = metrics["beside"][ENSEMBLE]
    for model, scores in models.items():
        if side := _only_side(scores):
            one_sided.setdefault(side, []).append(model)
    for side, names in one_sided.items():
        article = "an" if side == "unseen" else "a"
        lines.append(
            f"the gate of {', '.join(names)} takes nearly every sample for {article} {side} "
            "class, so that S, U and H say nothing of telling the two apart"
        )
    return lines


def _only_side(scores: Mapping[str, Any]) -> str:
    if "gate_unseen" not in scores:
        return ""
    right_seen, right_unseen = (scores[f"gate_{s}"]["overall"] for s in ("seen", "unseen"))
    if right_unseen < ONE_SIDED and right_seen > 1 - ONE_SIDED:
        return "seen"
    return "unseen" if right_seen < ONE_SIDED and right_unseen > 1 - ONE_SIDED else ""


def describe_curve(benchmark: BenchmarkData) -> str:
    """Alternative text of the seen-unseen curve."""
    return (
        "Line chart of the accuracy on unseen classes, U, against that on seen classes, S, over "
        "all thresholds of the gate. At the gate's own threshold S is "
        f"{_words(benchmark, 'seen')} and U {_words(benchmark, 'unseen')}; the area under the "
        f"curve is {_words(benchmark, 'ausuc')}."
    )


def describe_confusion(benchmark: BenchmarkData) -> str:
    """Alternative text of the confusion matrix."""
    worst = " ".join(confusion_sentences(benchmark, "unseen", 3)) or "No sample is mistaken."
    return f"Confusion matrix of the {len(benchmark.split.unseen)} unseen classes. {worst}"


def describe_reliability(benchmark: BenchmarkData) -> str:
    """What the reliability curve shows."""
    confidence = benchmark.zsl["confidence"].mean()
    return (
        "Reliability curve of the answers among the unseen classes: mean confidence "
        f"{100 * confidence:.1f} %, accuracy {_words(benchmark, 'zsl')}; expected calibration "
        f"error {_words(benchmark, 'ece')}."
    )


def describe_classes(benchmark: BenchmarkData) -> str:
    """Alternative text of the accuracies of the unseen classes."""
    task = "zsl" if benchmark.gzsl is None else "gzsl"
    unseen = np.array(benchmark.split.unseen)
    mean = class_accuracy(benchmark, task)[:, unseen].mean(axis=0)
    best, worst = int(mean.argmax()), int(mean.argmin())
    ends = (f"{benchmark.labels[unseen[i]]}, {100 * mean[i]:.0f} %" for i in (best, worst))
    return "Dot chart of the accuracy of each unseen class. Best: {}. Worst: {}.".format(*ends)


def describe_accuracy(benchmark: BenchmarkData) -> str:
    """Alternative text of the schedule and the accuracy a cycle."""
    chosen = ", ".join(
        f"{benchmark.chosen['test', seed]} (seed {seed})" for seed in benchmark.seeds
    )
    return (
        "Two line charts: the weights of the loss terms over the steps, and the accuracy on the "
        f"phase's own unseen classes after each cycle. Chosen cycles: {chosen}."
    )


def nearest_texts(benchmark: BenchmarkData) -> list[tuple[str, str, str, float]]:
    """Of each unseen class the nearest other class by text: (label, other, its side, cosine)."""
    rows = []
    for c in benchmark.split.unseen:
        others = benchmark.text_similarity[c].copy()
        others[c] = -np.inf
        near = int(others.argmax())
        side = "unseen" if near in benchmark.split.unseen else "seen"
        rows.append((benchmark.labels[c], benchmark.labels[near], side, float(others[near])))
    return rows


def _words(benchmark: BenchmarkData, score: str) -> str:
    return spread(benchmark.metrics, score) + " %"
