"""The report's page: results first, then each benchmark, then what was run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from amsf.report.data import BenchmarkData, class_accuracy
from amsf.report.html import Html, details, element, join, page, picture, properties, table, text
from amsf.report.provenance import Provenance
from amsf.report.published_results import published_beside
from amsf.report.run_section import parameter_table, run_section
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

SIMULATED = element("span", "SIMULATED", class_="mark")
_FEATURES = {"backbone": "our encoder", "published": "imported"}
_OTHER_SCORES = {
    **SCORES,
    "ausuc": "AUSUC",
    "gate_seen": "gate, seen",
    "gate_unseen": "gate, unseen",
}


def build_page(
    benchmarks: Sequence[BenchmarkData],
    published: pd.DataFrame,
    provenance: Provenance,
    pictures: Path,
) -> str:
    """The whole page.

    Args:
        benchmarks: at least one.
        published: the table of published results.
        provenance: what was run.
        pictures: folder with a folder of PNG files a benchmark.
    """
    links = [element("a", found.key, href=f"#{found.key}") for found in benchmarks]
    return page(
        "AMSF results",
        element("h1", "Generalized zero-shot skeleton-based action recognition: results"),
        summary_table(benchmarks),
        _legend(benchmarks),
        element("nav", *links, element("a", "What was run", href="#run"), aria_label="Sections"),
        *(_section(found, published, pictures / found.key) for found in benchmarks),
        run_section(provenance),
    )


def summary_table(benchmarks: Sequence[BenchmarkData]) -> Html:
    """One row a benchmark."""
    header = [
        "Benchmark", "Data", "ZSL", "S", "U", "H", "Seeds", "Protocol", "Selection",
        "Seen / unseen", "Chance of ZSL", "Features, texts",
    ]  # fmt: skip
    rows = [
        [
            element("a", found.key, href=f"#{found.key}"),
            join([found.split.dataset, SIMULATED], " ") if found.simulated else found.split.dataset,
            *(spread(found.metrics, score) for score in SCORES),
            len(found.seeds),
            found.metrics["protocol"],
            found.metrics["selection"],
            f"{len(found.split.seen)} / {len(found.split.unseen)}",
            f"{100 / len(found.split.unseen):.1f}",
            f"{_FEATURES[found.entry.features]}, {found.text['encoder']}",
        ]
        for found in benchmarks
    ]
    return table("Accuracies in percent", header, rows, numbers=[2, 3, 4, 5, 6, 9, 10])


def _legend(benchmarks: Sequence[BenchmarkData]) -> Html:
    spreads = any(len(found.seeds) > 1 for found in benchmarks)
    parts = [
        "ZSL: samples of unseen classes, to be told apart among these alone. S and U: samples of "
        "seen and of unseen classes, to be recognised among all; H = 2SU/(S+U). Every sample "
        "weighs the same."
    ]
    if spreads:
        parts.append(" ± is the standard deviation over seeds.")
    if any(found.simulated for found in benchmarks):
        parts.append(" SIMULATED recordings are made by a program and say nothing of real ones.")
    parts.append(
        " Selection tells how the training cycle was chosen: val, on validation classes; last, "
        "not at all; test, on the very test samples, which makes results look better."
    )
    return element("p", *parts, class_="soft")


def _section(found: BenchmarkData, published: pd.DataFrame, pictures: Path) -> Html:
    told = findings(found)
    notes = [element("p", element("strong", "To be known with these results:"))]
    notes.append(element("ul", *(element("li", line) for line in told)))
    head = [element("h2", found.key, id=found.key), _facts(found)]
    if found.simulated:
        words = "The recordings of this benchmark are made by a program, not measured."
        head.append(element("p", SIMULATED, " ", words, class_="note"))
    if told:
        head.append(element("div", *notes, class_="note"))
    return join(
        [
            *head,
            element("h3", "Beside published results"),
            _published_table(found, published),
            element("h3", "All scores"),
            _score_table(found),
            details("Each seed", _seed_table(found)),
            element("h3", "Recognition"),
            _recognition(found, pictures),
            element("h3", "Most confused"),
            _confused(found),
            details("Every class", _class_table(found)),
            element("h3", "Training"),
            _training(found, pictures),
            element("h3", "Latent space and texts"),
            _spaces(found, pictures),
            element("h3", "Parameters and data"),
            details("Parameters", parameter_table(found)),
            details("Checksums of the data", _checksums(found)),
        ],
        "\n",
    )


def _facts(found: BenchmarkData) -> Html:
    model = found.settings.model
    return properties(
        {
            "Dataset": found.split.dataset,
            "Classes": f"{len(found.split.seen)} seen, {len(found.split.unseen)} unseen",
            "Split": found.split.kind,
            "Skeleton features": _FEATURES[found.entry.features],
            "Texts": f"{found.text['encoder']}, views {', '.join(model.views)}",
            "Fusion": model.fusion,
            "Protocol": found.metrics["protocol"],
            "Selection of the cycle": found.metrics["selection"],
        }
    )


def _published_table(found: BenchmarkData, published: pd.DataFrame) -> Html:
    others = published_beside(found.run, published)
    if not others:
        return element(
            "p",
            f"No published result is known for {found.split.dataset} with "
            f"{len(found.split.seen)} seen and {len(found.split.unseen)} unseen classes.",
        )
    own: list[object] = [
        join(["this run", SIMULATED], " ") if found.simulated else "this run",
        *(spread(found.metrics, score) for score in ("zsl", "H")),
        f"{len(found.seeds)} seed{'s' if len(found.seeds) > 1 else ''}, every sample alike", "", "",
    ]  # fmt: skip
    rows: list[list[object]] = [own]
    for other in others:
        reasons = [element("li", line) for line in other.differs]
        if other.unknown:
            told = f"not recorded: {', '.join(other.unknown)}"
            reasons.append(element("li", told, class_="soft"))
        why = element("ul", *reasons) if reasons else ""
        scores = ["–" if v is None else f"{v:g}" for v in (other.zsl, other.H)]
        source = element("div", other.source, class_="words")
        rows.append([other.method, *scores, source, other.verdict, why])
    header = ["Method", "ZSL", "H", "Source", "Comparable", "What differs"]
    caption = "In percent; published numbers as data/published_results.csv has them"
    return table(caption, header, rows, numbers=[1, 2], marked=[0])


def _score_table(found: BenchmarkData) -> Html:
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
    numbers = range(1, len(names) + 1)
    return table(caption, ["Weighting", *names.values()], rows, numbers=numbers)


def _seed_table(found: BenchmarkData) -> Html:
    names = {n: label for n, label in _OTHER_SCORES.items() if n in found.metrics["mean"]}
    rows = []
    for seed in found.seeds:
        scores = found.metrics["seeds"][str(seed)]
        percent = [f"{100 * scores[name]['overall']:.1f}" for name in names]
        rows.append([seed, found.chosen["test", seed], *percent])
    header = ["Seed", "Chosen cycle", *names.values()]
    return table("In percent, every sample alike", header, rows, numbers=range(1, len(header)))


def _recognition(found: BenchmarkData, pictures: Path) -> Html:
    many = len(found.split.unseen) > 12
    items = []
    if found.curve is not None:
        caption = "Seen-unseen curve: what moving the gate's threshold would give up and gain."
        items.append(picture(pictures / "curve.png", describe_curve(found), caption))
    caption = "What samples of each unseen class are taken for, over all seeds."
    alt = describe_confusion(found)
    items.append(picture(pictures / "confusion.png", alt, caption, wide=many))
    caption = "Accuracy of each unseen class."
    items.append(picture(pictures / "classes.png", describe_classes(found), caption))
    return element("div", *items, class_="pictures")


def _confused(found: BenchmarkData) -> Html:
    parts: list[Html] = []
    for side in ("unseen", "seen") if found.gzsl is not None else ("unseen",):
        sentences = confusion_sentences(found, side)
        parts.append(element("p", f"Of the {side} classes:"))
        if sentences:
            parts.append(element("ul", *(element("li", line) for line in sentences)))
        else:
            parts.append(element("p", "No sample is mistaken."))
    return join(parts)


def _class_table(found: BenchmarkData) -> Html:
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
    return table(
        "Accuracy in percent, mean over seeds", header, rows, numbers=range(2, len(header))
    )


def _training(found: BenchmarkData, pictures: Path) -> Html:
    alt = (
        "Six line charts of the loss terms over the training steps: reconstruction, KL divergence "
        "and cross reconstruction of skeleton features and of texts, mean and range over seeds."
    )
    losses = "Loss terms without their weights: mean over seeds, and the range as a band."
    weights = "Above: when each loss term counts. Below: a line a seed, the chosen cycle circled."
    return element(
        "div",
        picture(pictures / "losses.png", alt, losses),
        picture(pictures / "schedule.png", describe_accuracy(found), weights),
        class_="pictures",
    )


def _spaces(found: BenchmarkData, pictures: Path) -> Html:
    many = len(found.split.unseen) > 12
    names = ", ".join(found.labels[c] for c in found.latent.classes)
    map_caption = (
        f"Latent space of seed {found.seeds[0]}: latent means of test samples (dots), each class "
        "tied to the prototype made from its texts (its number). Grey: the seen classes that "
        "unseen samples are most often taken for. Plane of the first two principal components of "
        f"class means and prototypes; it shows {100 * found.latent.explained:.0f} % of the "
        "samples' variance."
    )
    texts = "How alike the texts of the unseen classes are, averaged over the views in use."
    near = table(
        "The nearest other class by text",
        ["Unseen class", "Nearest", "Side", "Cosine"],
        [[a, b, side, f"{cosine:.2f}"] for a, b, side, cosine in nearest_texts(found)],
        numbers=[3],
    )
    alt = f"Scatter plot of test samples and prototypes in two dimensions. Classes: {names}."
    closest = max(nearest_texts(found), key=lambda row: row[3])
    text_alt = (
        "Heat map of the cosines between the texts of the unseen classes. Closest to any class: "
        f"{closest[0]}, to {closest[1]}, {closest[3]:.2f}."
    )
    return join(
        [
            element(
                "div",
                picture(pictures / "map.png", alt, map_caption, wide=many),
                picture(pictures / "texts.png", text_alt, texts, wide=many),
                class_="pictures",
            ),
            near,
        ]
    )


def _checksums(found: BenchmarkData) -> Html:
    rows: list[list[object]] = [
        [f"features, {phase} phase: {name}", element("code", digest)]
        for phase, files in found.features["sources"].items()
        for name, digest in files.items()
    ]
    for name, value in found.text.items():
        if name.endswith("_sha256"):
            told: dict[str, Any] = value if isinstance(value, dict) else {"": value}
            what = name.removesuffix("_sha256")
            rows += [[f"{what} {view}".strip(), element("code", v)] for view, v in told.items()]
    return table("SHA-256 of what was read", ["File", "SHA-256"], [[text(a), b] for a, b in rows])
