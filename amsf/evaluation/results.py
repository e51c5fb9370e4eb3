"""What evaluation writes of a benchmark, and the few numbers that `dvc metrics` shows.

N = samples · C = classes. Fractions in the evaluation's own files; percent in ``metrics/``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from amsf.base.artifacts import EvaluationFiles
from amsf.base.storage import atomic_path, write_json, write_text
from amsf.base.tables import csv_text
from amsf.dataset.splits import Split
from amsf.evaluation.confidence.measured import Measured
from amsf.evaluation.confidence.record import Confidence
from amsf.evaluation.evaluate import Result, Scores, SeedResult
from amsf.evaluation.headline import ENSEMBLE
from amsf.evaluation.metrics import class_accuracies
from amsf.settings.params import Settings

CURVE_POINTS = 501


def write_results(
    out: Path,
    results: Sequence[SeedResult],
    beside: Mapping[str, Result],
    measured: Measured | None,
    split: Split,
    labels: Sequence[str],
    settings: Settings,
) -> None:
    """Write a benchmark's evaluation as one folder, replacing an older one as a whole.

    ``metrics.json`` (scores of each seed, mean and standard deviation over seeds, scores of what
    stands beside them, protocol and selection), ``per_class.csv``, ``map.json`` (the first seed's
    shared space), and for each seed ``zsl_predictions_seed{n}.csv``; for GZSL also
    ``gate_seed{n}.json``, ``gate_ensemble.json``, ``gate_space.safetensors``, ``confidence.json``
    (temperatures, and how strange recordings are to known classes), ``predictions_seed{n}.csv``,
    ``curve.csv`` and ``confusion.csv`` (C x C counts over all seeds, rows true, columns predicted).
    """
    with atomic_path(out) as folder:
        files = EvaluationFiles(folder)
        write_json(files.metrics, summarise(results, beside, settings, measured))
        write_json(files.latent_map, results[0].latent.to_json())
        _write_csv(files.per_class, per_class_table(results, split, labels))
        for result in results:
            table = {
                "label": result.zsl_labels,
                "prediction": result.zsl_prediction,
                "confidence": result.zsl_probabilities.max(axis=1),
            }
            _write_csv(files.zsl_predictions(result.seed), pd.DataFrame(table))
            if result.gzsl is not None and result.gate is not None:
                result.gate.save(files.gate(result.seed))
                gzsl = {"labels": result.gzsl.labels, **vars(result.gzsl.answers)}
                _write_csv(files.predictions(result.seed), pd.DataFrame(gzsl))
        ensemble = beside.get(ENSEMBLE)
        if measured is not None:
            measured.space.save(files.gate_space)
            temperatures = {str(result.seed): result.temperature for result in results}
            if ensemble is not None:
                temperatures[ENSEMBLE] = ensemble.temperature
            Confidence(temperatures, measured.strangeness).save(files.confidence)
        if ensemble is not None and ensemble.gate is not None:  # predictions are made with it
            ensemble.gate.save(files.gate(ENSEMBLE))
        if all(result.gzsl is not None for result in results):
            _write_csv(files.curve, curve_table(results))
            confusion = confusion_counts(results, split.classes)
            names = [f"{c} {labels[c]}" for c in range(split.classes)]
            frame = pd.DataFrame(confusion, index=pd.Index(names, name="true"), columns=names)
            write_text(files.confusion, csv_text(frame, index=True))


def _write_csv(path: Path, table: pd.DataFrame) -> None:
    write_text(path, csv_text(table, float_format="%.6g"))


def summarise(
    results: Sequence[SeedResult],
    beside: Mapping[str, Result],
    settings: Settings,
    measured: Measured | None = None,
) -> dict[str, Any]:
    """Scores of each seed, their mean and sample standard deviation, and how they came about.

    One seed has no deviation: ``std`` is empty then. Transductive scores, where there are any, are
    in a section of their own, ``transductive``, which has ``beside``, ``mean``, ``seeds`` and
    ``std`` like the whole.
    """
    switches = settings.switches()
    summary: dict[str, Any] = {
        "beside": {name: result.scores for name, result in beside.items()},
        "alternatives": {
            name: float(np.mean([r.alternatives[name] for r in results]))
            for name in results[0].alternatives
        },
        "methods": {str(r.seed): r.method for r in results},
        "gates": {name: _gate_worth([r.gates[name] for r in results]) for name in results[0].gates},
        "used_gates": {str(r.seed): r.gate_name for r in results if r.gate_name},
        "cycles": {str(r.seed): r.cycle + 1 for r in results},
        "temperatures": {str(r.seed): r.temperature for r in results},
        "none_of_these": [asdict(one) for one in measured.refusals] if measured else [],
        "protocol": switches.name,
        "selection": switches.selection,
        "switches": switches.model_dump(),
        **_over_seeds({str(r.seed): r.scores for r in results}),
    }
    if settings.evaluate.transductive:
        summary["transductive"] = {
            "beside": {name: result.transductive for name, result in beside.items()},
            **_over_seeds({str(r.seed): r.transductive for r in results}),
        }
    return summary


def _over_seeds(seeds: Mapping[str, Scores]) -> dict[str, Any]:
    """Scores by seed, with their mean and sample standard deviation."""

    def reduced(reduce: Callable[[list[float]], Any]) -> Scores:
        first = next(iter(seeds.values()))
        return {
            name: {
                weighting: float(reduce([scores[name][weighting] for scores in seeds.values()]))
                for weighting in first[name]
            }
            for name in sorted(first)
        }

    return {
        "mean": reduced(np.mean),
        "seeds": seeds,
        "std": reduced(lambda x: np.std(x, ddof=1)) if len(seeds) > 1 else {},
    }


def _gate_worth(over_seeds: Sequence[dict[str, float]]) -> dict[str, float | bool]:
    """Means over seeds, and whether they are more than a coin's."""
    mean = {what: float(np.mean([one[what] for one in over_seeds])) for what in over_seeds[0]}
    return {**mean, "better_than_chance": mean["auc"] > 0.5 and mean["H"] > mean["H_chance"]}


def per_class_table(
    results: Sequence[SeedResult], split: Split, labels: Sequence[str]
) -> pd.DataFrame:
    """One row a class: id, label, side, test samples, and accuracies averaged over seeds.

    ``zsl_accuracy`` is empty for seen classes; ``gzsl_accuracy`` is there where GZSL was evaluated.
    """
    first = results[0]
    counted = first.gzsl.labels if first.gzsl is not None else first.zsl_labels
    table = pd.DataFrame(
        {
            "id": range(split.classes),
            "label": list(labels),
            "side": ["unseen" if c in split.unseen else "seen" for c in range(split.classes)],
            "samples": np.bincount(counted, minlength=split.classes),
            "zsl_accuracy": np.mean(
                [class_accuracies(r.zsl_labels, r.zsl_prediction, split.classes) for r in results],
                axis=0,
            ),
        }
    )
    gzsl = [r.gzsl for r in results if r.gzsl is not None]
    if gzsl:
        table["gzsl_accuracy"] = np.mean(
            [class_accuracies(g.labels, g.prediction, split.classes) for g in gzsl], axis=0
        )
    return table


def curve_table(results: Sequence[SeedResult]) -> pd.DataFrame:
    """The seen-unseen curve of each seed, thinned to at most 501 points."""
    parts = []
    for result in results:
        curve = result.curve
        if curve is None:
            continue
        count = min(CURVE_POINTS, len(curve.seen))
        keep = np.unique(np.linspace(0, len(curve.seen) - 1, count).round().astype(int))
        parts.append(
            pd.DataFrame(
                {
                    "seed": result.seed,
                    "threshold": curve.threshold[keep],
                    "seen": curve.seen[keep],
                    "unseen": curve.unseen[keep],
                }
            )
        )
    return pd.concat(parts)


def confusion_counts(results: Sequence[SeedResult], classes: int) -> np.ndarray:
    """GZSL confusion summed over seeds: (C, C), rows true, columns predicted."""
    counts = np.zeros((classes, classes), dtype=np.int64)
    for result in results:
        if result.gzsl is not None:
            np.add.at(counts, (result.gzsl.labels, result.gzsl.prediction), 1)
    return counts
