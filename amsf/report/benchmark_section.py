"""The part of the report on one benchmark: ``benchmark.html``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from amsf.evaluation.headline import headline
from amsf.report.data import BenchmarkData, class_accuracy, loss_terms
from amsf.report.published_results import published_beside
from amsf.report.render import Picture, Table, picture
from amsf.report.run_section import parameters
from amsf.report.splits_section import splits_section
from amsf.report.words import (
    SCORES,
    beside_in_order,
    beside_name,
    confusion_sentences,
    describe_accuracy,
    describe_classes,
    describe_confusion,
    describe_curve,
    describe_reliability,
    findings,
    in_percent,
    nearest_texts,
    spread,
)
from amsf.settings.protocol import GATES

FEATURES = {
    "backbone": "our encoder",
    "motion": "motion statistics",
    "backbone+motion": "our encoder and motion statistics",
    "published": "imported",
    "table": "a table, made by an encoder outside this pipeline",
}
_OTHER_SCORES = {
    **SCORES,
    "ausuc": "AUSUC",
    "gate_seen": "gate, seen",
    "gate_unseen": "gate, unseen",
    "ece": "ECE",
}
_GATE_COLUMNS = {
    "auc": "AUC",
    "ausuc": "AUSUC",
    "H": "H at the chosen threshold",
    "H_best": "H at the best threshold",
    "H_chance": "H of a coin",
    "validation": "Right on validation classes",
}
VIEWS_IN_WORDS = {
    "lb": "the label, in words",
    "MAad": "what the action is, written by people",
    "MAmd": "how the body moves, written by people",
    "LLMad": "what the action is, in the fuller style of a language model",
    "LLMmd": "how the body moves, in the fuller style of a language model",
    "arms": "what the arms do",
    "legs": "what the legs do",
    "trunk": "what the trunk and the head do",
    "start": "the first third",
    "middle": "the middle third",
    "end": "the last third",
}
# A picture of more unseen classes takes a row of its own.
_MANY = 12


def benchmark_section(
    benchmark: BenchmarkData, published: pd.DataFrame, pictures: Path
) -> dict[str, Any]:
    """The values of ``benchmark.html``, by name."""
    sides = ("unseen", "seen") if benchmark.gzsl is not None else ("unseen",)
    return {
        "key": benchmark.key,
        "dataset": benchmark.split.dataset,
        "simulated": benchmark.simulated,
        "seen": len(benchmark.split.seen),
        "unseen": len(benchmark.split.unseen),
        "seed_count": len(benchmark.seeds),
        "facts": _facts(benchmark),
        "findings": findings(benchmark),
        "own_scores": [spread(benchmark.metrics, score) for score in ("zsl", "H")],
        "published": published_beside(benchmark.conditions, published),
        "unseen_table": _unseen_table(benchmark),
        "views": {view: VIEWS_IN_WORDS[view] for view in benchmark.settings.model.views},
        "poses": _poses(benchmark, pictures),
        "scores": _score_table(benchmark),
        "seeds": _seed_table(benchmark),
        "transductive": _transductive_table(benchmark),
        "gates": _gate_table(benchmark),
        "none_of_these": _none_table(benchmark),
        "splits": None if benchmark.study is None else splits_section(benchmark),
        "recognition": _recognition(benchmark, pictures),
        "confused": {side: confusion_sentences(benchmark, side) for side in sides},
        "classes": _class_table(benchmark),
        "training": _training(benchmark, pictures),
        "spaces": _spaces(benchmark, pictures),
        "nearest": _nearest_table(benchmark),
        "parameters": parameters(benchmark),
        "checksums": _checksums(benchmark),
    }


def _facts(benchmark: BenchmarkData) -> dict[str, str]:
    model = benchmark.settings.model
    row = headline(benchmark.metrics)
    gate = {} if benchmark.gzsl is None else {"Gate": row["gate"]}
    return {
        "Dataset": benchmark.split.dataset,
        "Classes": f"{len(benchmark.split.seen)} seen, {len(benchmark.split.unseen)} unseen",
        "Split": benchmark.split.kind,
        "Skeleton features": FEATURES[benchmark.entry.features],
        **_also(benchmark),
        "Texts": f"{benchmark.text['encoder']}, views {', '.join(model.views)}",
        "Alignment": _alignment(model.aligner, row),
        "Fusion": model.fusion,
        "Protocol": benchmark.metrics["protocol"],
        "Selection of the cycle": benchmark.metrics["selection"],
        **gate,
    }


def _also(benchmark: BenchmarkData) -> dict[str, str]:
    """Which other datasets train too, and which of their classes do not."""
    if not benchmark.split.also:
        return {}
    parts = []
    for other in benchmark.split.also:
        out = benchmark.split.left_out(other, "test")
        labels = benchmark.other_labels[other.dataset]
        names = f"; same as an unseen one: {', '.join(labels[c] for c in out)}" if out else ""
        kept = "; classes that mean the same as an unseen one are kept" if other.kept else ""
        trained = f"{other.classes - len(out)} of {other.classes} classes"
        parts.append(f"{other.dataset} ({trained}{names}{kept})")
    return {"Trained also on": ", ".join(parts)}


def _alignment(name: str, row: dict[str, Any]) -> str:
    """The method, and what it chose by how much where it had a choice."""
    if "chosen" not in row:
        return name
    falling = sorted(row["on_validation_classes"].items(), key=lambda one: -one[1])
    shown = ", ".join(f"{other} {accuracy:.1f} %" for other, accuracy in falling)
    return f"{name}: {row['chosen']}, by seen classes left out ({shown})"


def _unseen_table(benchmark: BenchmarkData) -> Table:
    """What the model knows of the unseen classes: their texts."""
    header = ["Unseen class", *benchmark.texts]
    rows = [
        [f"{c} {benchmark.labels[c]}", *(texts[c] for texts in benchmark.texts.values())]
        for c in benchmark.split.unseen
    ]
    caption = (
        "The texts of the unseen classes, all that the model knows of them"
        if benchmark.texts
        else "The unseen classes; their text vectors were imported, without the texts"
    )
    return Table(caption, header, rows)


def _poses(benchmark: BenchmarkData, pictures: Path) -> list[Picture]:
    if benchmark.poses is None or not len(benchmark.poses.labels):
        return []
    names = ", ".join(benchmark.labels[c] for c in benchmark.poses.labels)
    alt = f"Stick figures in five poses each, one recording of each unseen class: {names}."
    caption = "One test recording of each unseen class, which no model was trained on."
    return [picture(pictures / "poses.png", alt, caption)]


def _score_table(benchmark: BenchmarkData) -> Table:
    names = {n: label for n, label in _OTHER_SCORES.items() if n in benchmark.metrics["mean"]}
    rows = [
        [label, *(spread(benchmark.metrics, name, weighting) for name in names)]
        for weighting, label in (
            ("overall", "every sample alike"),
            ("per_class", "every class alike"),
        )
    ]
    caption = "In percent; ECE: expected calibration error of ZSL answers" + (
        "; AUSUC: area under the seen-unseen curve; gate: share of the seen or unseen samples "
        "that it puts on the right side"
        if benchmark.gzsl is not None
        else ""
    )
    return Table(caption, ["Weighting", *names.values()], rows, range(1, len(names) + 1))


def _seed_table(benchmark: BenchmarkData) -> Table:
    names = {n: label for n, label in _OTHER_SCORES.items() if n in benchmark.metrics["mean"]}
    rows = []
    for seed in benchmark.seeds:
        scores = benchmark.metrics["seeds"][str(seed)]
        percent = [f"{100 * scores[name]['overall']:.1f}" for name in names]
        rows.append([seed, benchmark.chosen["test", seed], *percent])
    header = ["Seed", "Chosen cycle", *names.values()]
    return Table("In percent, every sample alike", header, rows, range(1, len(header)))


def _transductive_table(benchmark: BenchmarkData) -> Table | None:
    """Every method after a second look, each row marked; None where nobody asked for it."""
    found = benchmark.metrics.get("transductive")
    if found is None:
        return None
    count = len(benchmark.seeds)
    names = {n: label for n, label in SCORES.items() if n in found["mean"]}
    own = f"{benchmark.settings.model.aligner}, transductive"
    rows = [[own, *(spread(found, name) for name in names)]]
    rows += [
        [f"{beside_name(method, count)}, transductive", *(in_percent(scores, n) for n in names)]
        for method, scores in beside_in_order(found["beside"])
    ]
    caption = "Transductive scores, in percent, every sample alike"
    return Table(caption, ["Method", *names.values()], rows, range(1, len(names) + 1))


def _gate_table(benchmark: BenchmarkData) -> Table | None:
    """Every gate on the same test samples, the used ones shaded; None for ZSL alone."""
    gates = benchmark.metrics["gates"]
    if not gates:
        return None
    names = [name for name in GATES if name in gates]
    used = set(benchmark.metrics["used_gates"].values())
    columns = {k: v for k, v in _GATE_COLUMNS.items() if any(k in gates[n] for n in names)}
    rows = []
    for name in names:
        worth = gates[name]
        remarks = ["used"] if name in used else []
        remarks += [] if worth["better_than_chance"] else ["no better than chance"]
        percent = [f"{100 * worth[c]:.1f}" if c in worth else "" for c in columns]
        rows.append([name, *percent, ", ".join(remarks)])
    header = ["Gate", *columns.values(), "Remark"]
    caption = "In percent, every sample alike, mean over seeds"
    marked = [n for n, name in enumerate(names) if name in used]
    return Table(caption, header, rows, range(1, len(header) - 1), marked)


def _none_table(benchmark: BenchmarkData) -> Table | None:
    """What "none of these" is worth on the test samples; None for ZSL alone."""
    names = {
        "rate": "Named", "false_alarms": "False alarms", "seen": "of seen classes",
        "unseen": "of unseen classes", "found": "Found",
    }  # fmt: skip
    rows = [[f"{100 * row[n]:.1f}" for n in names] for row in benchmark.metrics["none_of_these"]]
    if not rows:
        return None
    return Table("In percent of test samples", list(names.values()), rows, range(1, len(names)))


def _class_table(benchmark: BenchmarkData) -> Table:
    tasks = ["zsl", *(["gzsl"] if benchmark.gzsl is not None else [])]
    means = [class_accuracy(benchmark, task).mean(axis=0) for task in tasks]
    counted = benchmark.zsl if benchmark.gzsl is None else benchmark.gzsl
    samples = counted[counted["seed"] == benchmark.seeds[0]]["label"].value_counts()
    rows = []
    for c, label in enumerate(benchmark.labels):
        if c in samples.index:
            shown = ["" if pd.isna(mean[c]) else f"{100 * mean[c]:.1f}" for mean in means]
            side = "unseen" if c in benchmark.split.unseen else "seen"
            rows.append([f"{c} {label}", side, samples[c], *shown])
    header = ["Class", "Side", "Test samples", *(task.upper() for task in tasks)]
    caption = "Accuracy in percent, mean over seeds"
    return Table(caption, header, rows, range(2, len(header)))


def _nearest_table(benchmark: BenchmarkData) -> Table:
    rows = [[a, b, side, f"{cosine:.2f}"] for a, b, side, cosine in nearest_texts(benchmark)]
    header = ["Unseen class", "Nearest", "Side", "Cosine"]
    return Table("The nearest other class by text", header, rows, [3])


def _recognition(benchmark: BenchmarkData, pictures: Path) -> list[Picture]:
    many = len(benchmark.split.unseen) > _MANY
    items = []
    if benchmark.curve is not None:
        caption = "Seen-unseen curve: what moving the gate's threshold would give up and gain."
        items.append(picture(pictures / "curve.png", describe_curve(benchmark), caption))
    caption = "What samples of each unseen class are taken for, over all seeds."
    alt = describe_confusion(benchmark)
    items.append(picture(pictures / "confusion.png", alt, caption, wide=many))
    caption = (
        "Reliability: how often answers among the unseen classes are right, by how sure they are; "
        "15 bins of equal width."
    )
    items.append(picture(pictures / "reliability.png", describe_reliability(benchmark), caption))
    caption = "Accuracy of each unseen class."
    items.append(picture(pictures / "classes.png", describe_classes(benchmark), caption))
    return items


def _training(benchmark: BenchmarkData, pictures: Path) -> list[Picture]:
    terms = loss_terms(benchmark)
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
        picture(pictures / "schedule.png", describe_accuracy(benchmark), weights),
    ]


def _spaces(benchmark: BenchmarkData, pictures: Path) -> list[Picture]:
    many = len(benchmark.split.unseen) > _MANY
    names = ", ".join(benchmark.labels[c] for c in benchmark.latent.classes)
    map_caption = (
        f"Latent space of seed {benchmark.seeds[0]}: latent means of test samples (dots), each "
        "class tied to the prototype made from its texts (its number). Grey: the seen classes that "
        "unseen samples are most often taken for. Plane of the first two principal components of "
        f"class means and prototypes; it shows {100 * benchmark.latent.explained:.0f} % of the "
        "samples' variance."
    )
    texts = "How alike the texts of the unseen classes are, averaged over the views in use."
    alt = f"Scatter plot of test samples and prototypes in two dimensions. Classes: {names}."
    closest = max(nearest_texts(benchmark), key=lambda row: row[3])
    text_alt = (
        "Heat map of the cosines between the texts of the unseen classes. Closest to any class: "
        f"{closest[0]}, to {closest[1]}, {closest[3]:.2f}."
    )
    return [
        picture(pictures / "map.png", alt, map_caption, wide=many),
        picture(pictures / "texts.png", text_alt, texts, wide=many),
    ]


def _checksums(benchmark: BenchmarkData) -> list[tuple[str, str]]:
    """What was read, in words, and its SHA-256."""
    rows = [
        (f"features, {phase} phase: {name}", digest)
        for phase, files in benchmark.features["sources"].items()
        for name, digest in files.items()
    ]
    for name, value in benchmark.text.items():
        if name.endswith("_sha256"):
            digests: dict[str, Any] = value if isinstance(value, dict) else {"": value}
            what = name.removesuffix("_sha256")
            rows += [(f"{what} {view}".strip(), digest) for view, digest in digests.items()]
    return rows
