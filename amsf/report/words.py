"""Numbers and findings of the report in words: scores, mistakes, what a picture shows."""

from __future__ import annotations

from typing import Any

import numpy as np

from amsf.report.data import BenchmarkData, class_accuracy, confused_pairs

SCORES = {"zsl": "ZSL", "seen": "S", "unseen": "U", "H": "H"}


def spread(metrics: dict[str, Any], score: str, weighting: str = "overall") -> str:
    """A score in percent: mean ± standard deviation, the mean alone of one seed, – where absent."""
    if score not in metrics["mean"]:
        return "–"
    mean = f"{100 * metrics['mean'][score][weighting]:.1f}"
    if len(metrics["seeds"]) == 1:
        return mean
    return f"{mean} ± {100 * metrics['std'][score][weighting]:.1f}"


def confusion_sentences(found: BenchmarkData, side: str, count: int = 5) -> list[str]:
    """The likeliest mistakes on the classes of one side, a sentence each."""
    return [
        f"“{found.labels[true]}” is taken for “{found.labels[other]}”"
        f"{_side(found, side, other)} in {100 * share:.0f} % of its samples."
        for true, other, share in confused_pairs(found, side, count)
    ]


def _side(found: BenchmarkData, side: str, other: int) -> str:
    """Worth saying only where the mistake crosses the line between seen and unseen."""
    actual = "unseen" if other in found.split.unseen else "seen"
    return "" if actual == side else f" (a{'n' if actual == 'unseen' else ''} {actual} class)"


def findings(found: BenchmarkData) -> list[str]:
    """What a reader of the results must know: warnings of the manifests."""
    lines = list(found.features["findings"])
    for view, groups in found.text["duplicates"].items():
        for group in groups:
            names = ", ".join(f"“{found.labels[c]}”" for c in group)
            lines.append(f"texts, view {view}: one and the same vector for {names}")
    if found.metrics["selection"] == "test":
        lines.append(
            "the cycle was chosen by the accuracy on the very test samples that ZSL and U are "
            "measured on (protocol.selection: test), so these are higher than on new samples"
        )
    return lines


def describe_curve(found: BenchmarkData) -> str:
    """Alternative text of the seen-unseen curve."""
    return (
        "Line chart of the accuracy on unseen classes, U, against that on seen classes, S, over "
        f"all thresholds of the gate. At the gate's own threshold S is {_words(found, 'seen')} and "
        f"U {_words(found, 'unseen')}; the area under the curve is {_words(found, 'ausuc')}."
    )


def describe_confusion(found: BenchmarkData) -> str:
    """Alternative text of the confusion matrix."""
    worst = " ".join(confusion_sentences(found, "unseen", 3)) or "No sample is mistaken."
    return f"Confusion matrix of the {len(found.split.unseen)} unseen classes. {worst}"


def describe_classes(found: BenchmarkData) -> str:
    """Alternative text of the accuracies of the unseen classes."""
    task = "zsl" if found.gzsl is None else "gzsl"
    unseen = np.array(found.split.unseen)
    mean = class_accuracy(found, task)[:, unseen].mean(axis=0)
    best, worst = int(mean.argmax()), int(mean.argmin())
    ends = (f"{found.labels[unseen[i]]}, {100 * mean[i]:.0f} %" for i in (best, worst))
    return "Dot chart of the accuracy of each unseen class. Best: {}. Worst: {}.".format(*ends)


def describe_accuracy(found: BenchmarkData) -> str:
    """Alternative text of the schedule and the accuracy a cycle."""
    chosen = ", ".join(f"{found.chosen['test', seed]} (seed {seed})" for seed in found.seeds)
    return (
        "Two line charts: the weights of the loss terms over the steps, and the accuracy on the "
        f"phase's own unseen classes after each cycle. Chosen cycles: {chosen}."
    )


def nearest_texts(found: BenchmarkData) -> list[tuple[str, str, str, float]]:
    """Of each unseen class the nearest other class by text: (label, other, its side, cosine)."""
    rows = []
    for c in found.split.unseen:
        others = found.text_similarity[c].copy()
        others[c] = -np.inf
        near = int(others.argmax())
        side = "unseen" if near in found.split.unseen else "seen"
        rows.append((found.labels[c], found.labels[near], side, float(others[near])))
    return rows


def _words(found: BenchmarkData, score: str) -> str:
    return spread(found.metrics, score) + " %"
