"""The part of the report on one benchmark: ``benchmark.html``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from amsf.report.data import BenchmarkData, class_accuracy, loss_terms
from amsf.report.published_results import published_beside
from amsf.report.render import Picture, Table, picture
from amsf.report.run_section import parameters
from amsf.report.words import (
    SCORES,
    confusion_sentences,
    describe_accuracy,
    describe_classes,
    describe_confusion,
    describe_curve,
    findings,
    nearest_texts,
    spread,
)

FEATURES = {
    "backbone": "our encoder",
    "motion": "motion statistics",
    "backbone+motion": "our encoder and motion statistics",
    "published": "imported",
}
_OTHER_SCORES = {
    **SCORES,
    "zsl_transductive": "ZSL, transductive",
    "ausuc": "AUSUC",
    "gate_seen": "gate, seen",
    "gate_unseen": "gate, unseen",
}
# A picture of more unseen classes takes a row of its own.
_MANY = 12


def benchmark_section(
    found: BenchmarkData, published: pd.DataFrame, pictures: Path
) -> dict[str, Any]:
    """The values of ``benchmark.html``, by name."""
    sides = ("unseen", "seen") if found.gzsl is not None else ("unseen",)
    return {
        "key": found.key,
        "dataset": found.split.dataset,
        "simulated": found.simulated,
        "seen": len(found.split.seen),
        "unseen": len(found.split.unseen),
        "seed_count": len(found.seeds),
        "facts": _facts(found),
        "findings": findings(found),
        "own_scores": [spread(found.metrics, score) for score in ("zsl", "H")],
        "published": published_beside(found.conditions, published),
        "scores": _score_table(found),
        "seeds": _seed_table(found),
        "recognition": _recognition(found, pictures),
        "confused": {side: confusion_sentences(found, side) for side in sides},
        "classes": _class_table(found),
        "training": _training(found, pictures),
        "spaces": _spaces(found, pictures),
        "nearest": _nearest_table(found),
        "parameters": parameters(found),
        "checksums": _checksums(found),
    }


def _facts(found: BenchmarkData) -> dict[str, str]:
    model = found.settings.model
    return {
        "Dataset": found.split.dataset,
        "Classes": f"{len(found.split.seen)} seen, {len(found.split.unseen)} unseen",
        "Split": found.split.kind,
        "Skeleton features": FEATURES[found.entry.features],
        "Texts": f"{found.text['encoder']}, views {', '.join(model.views)}",
        "Alignment": model.aligner,
        "Fusion": model.fusion,
        "Protocol": found.metrics["protocol"],
        "Selection of the cycle": found.metrics["selection"],
    }


def _score_table(found: BenchmarkData) -> Table:
    names = {n: label for n, label in _OTHER_SCORES.items() if n in found.metrics["mean"]}
    rows = [
        [label, *(spread(found.metrics, name, weighting) for name in names)]
        for weighting, label in (
            ("overall", "every sample alike"),
            ("per_class", "every class alike"),
        )
    ]
    caption = "In percent" + (
        "; AUSUC: area under the seen-unseen curve; gate: share of the seen or unseen samples "
        "that it puts on the right side"
        if found.gzsl is not None
        else ""
    )
    return Table(caption, ["Weighting", *names.values()], rows, range(1, len(names) + 1))


def _seed_table(found: BenchmarkData) -> Table:
    names = {n: label for n, label in _OTHER_SCORES.items() if n in found.metrics["mean"]}
    rows = []
    for seed in found.seeds:
        scores = found.metrics["seeds"][str(seed)]
        percent = [f"{100 * scores[name]['overall']:.1f}" for name in names]
        rows.append([seed, found.chosen["test", seed], *percent])
    header = ["Seed", "Chosen cycle", *names.values()]
    return Table("In percent, every sample alike", header, rows, range(1, len(header)))


def _class_table(found: BenchmarkData) -> Table:
    tasks = ["zsl", *(["gzsl"] if found.gzsl is not None else [])]
    means = [class_accuracy(found, task).mean(axis=0) for task in tasks]
    counted = found.zsl if found.gzsl is None else found.gzsl
    samples = counted[counted["seed"] == found.seeds[0]]["label"].value_counts()
    rows = []
    for c, label in enumerate(found.labels):
        if c in samples.index:
            shown = ["" if pd.isna(mean[c]) else f"{100 * mean[c]:.1f}" for mean in means]
            side = "unseen" if c in found.split.unseen else "seen"
            rows.append([f"{c} {label}", side, samples[c], *shown])
    header = ["Class", "Side", "Test samples", *(task.upper() for task in tasks)]
    caption = "Accuracy in percent, mean over seeds"
    return Table(caption, header, rows, range(2, len(header)))


def _nearest_table(found: BenchmarkData) -> Table:
    rows = [[a, b, side, f"{cosine:.2f}"] for a, b, side, cosine in nearest_texts(found)]
    header = ["Unseen class", "Nearest", "Side", "Cosine"]
    return Table("The nearest other class by text", header, rows, [3])


def _recognition(found: BenchmarkData, pictures: Path) -> list[Picture]:
    many = len(found.split.unseen) > _MANY
    items = []
    if found.curve is not None:
        caption = "Seen-unseen curve: what moving the gate's threshold would give up and gain."
        items.append(picture(pictures / "curve.png", describe_curve(found), caption))
    caption = "What samples of each unseen class are taken for, over all seeds."
    alt = describe_confusion(found)
    items.append(picture(pictures / "confusion.png", alt, caption, wide=many))
    caption = "Accuracy of each unseen class."
    items.append(picture(pictures / "classes.png", describe_classes(found), caption))
    return items


def _training(found: BenchmarkData, pictures: Path) -> list[Picture]:
    terms = loss_terms(found)
    if not terms:  # the method learns without steps
        return []
    alt = (
        f"Line charts of the loss terms over the training steps: {', '.join(terms.values())}; mean "
        "and range over seeds."
    )
    losses = "Loss terms without their weights: mean over seeds, and the range as a band."
    weights = "Above: when each loss term counts. Below: a line a seed, the chosen cycle circled."
    return [
        picture(pictures / "losses.png", alt, losses),
        picture(pictures / "schedule.png", describe_accuracy(found), weights),
    ]


def _spaces(found: BenchmarkData, pictures: Path) -> list[Picture]:
    many = len(found.split.unseen) > _MANY
    names = ", ".join(found.labels[c] for c in found.latent.classes)
    map_caption = (
        f"Latent space of seed {found.seeds[0]}: latent means of test samples (dots), each class "
        "tied to the prototype made from its texts (its number). Grey: the seen classes that "
        "unseen samples are most often taken for. Plane of the first two principal components of "
        f"class means and prototypes; it shows {100 * found.latent.explained:.0f} % of the "
        "samples' variance."
    )
    texts = "How alike the texts of the unseen classes are, averaged over the views in use."
    alt = f"Scatter plot of test samples and prototypes in two dimensions. Classes: {names}."
    closest = max(nearest_texts(found), key=lambda row: row[3])
    text_alt = (
        "Heat map of the cosines between the texts of the unseen classes. Closest to any class: "
        f"{closest[0]}, to {closest[1]}, {closest[3]:.2f}."
    )
    return [
        picture(pictures / "map.png", alt, map_caption, wide=many),
        picture(pictures / "texts.png", text_alt, texts, wide=many),
    ]


def _checksums(found: BenchmarkData) -> list[tuple[str, str]]:
    """What was read, in words, and its SHA-256."""
    rows = [
        (f"features, {phase} phase: {name}", digest)
        for phase, files in found.features["sources"].items()
        for name, digest in files.items()
    ]
    for name, value in found.text.items():
        if name.endswith("_sha256"):
            digests: dict[str, Any] = value if isinstance(value, dict) else {"": value}
            what = name.removesuffix("_sha256")
            rows += [(f"{what} {view}".strip(), digest) for view, digest in digests.items()]
    return rows
