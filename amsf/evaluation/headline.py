"""The few numbers of a benchmark that `dvc metrics` shows, from its ``metrics.json``.

Read by the report too, which loads no model: so nothing here imports torch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

HEADLINE = ("zsl", "seen", "unseen", "H", "ausuc", "ece")
ENSEMBLE = "ensemble"  # all seeds together, where a baseline's name stands


def headline(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """One benchmark's row of ``metrics/gzsl.json``, in percent, from its ``metrics.json``."""
    row = _scores(metrics)
    if "transductive" in metrics:
        row["transductive"] = _scores(metrics["transductive"])
    if metrics["alternatives"]:
        row["chosen"] = _counted(metrics["methods"].values())
        row["on_validation_classes"] = {
            name: round(100 * accuracy, 2) for name, accuracy in metrics["alternatives"].items()
        }
    if metrics["used_gates"]:
        used = metrics["used_gates"].values()
        row["gate"] = _counted(used)
        row["gate_better_than_chance"] = all(
            metrics["gates"][gate]["better_than_chance"] for gate in used
        )
    row["protocol"] = metrics["protocol"]
    row["selection"] = metrics["selection"]
    row["seeds"] = len(metrics["seeds"])
    return row


def _scores(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Mean and deviation over seeds, and what stands beside them, in percent."""
    row: dict[str, Any] = {
        name: {
            moment: round(100 * metrics[moment][name]["overall"], 2)
            for moment in ("mean", "std")
            if name in metrics[moment]
        }
        for name in HEADLINE
        if name in metrics["mean"]
    }
    row["beside"] = {
        other: {
            name: round(100 * scores[name]["overall"], 2) for name in HEADLINE if name in scores
        }
        for other, scores in metrics["beside"].items()
    }
    return row


def _counted(names: Iterable[str]) -> str:
    """What each seed chose, such as ``ridge`` or ``prototypes (2 seeds), ridge (1)``."""
    counts = Counter(names).most_common()
    if len(counts) == 1:
        return counts[0][0]
    (first, seeds), *others = counts
    return ", ".join([f"{first} ({seeds} seeds)", *(f"{name} ({n})" for name, n in others)])
