"""All class splits of a benchmark, side by side, going on where an earlier run stopped."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from amsf.backbone.joined import file_of, folder_of, load_others, load_recorded, motion_of
from amsf.backbone.roles import refuse_copies
from amsf.base.errors import InputError
from amsf.base.storage import atomic_path, sha256, write_json, write_text
from amsf.dataset.others import join
from amsf.machine.parallel import side_by_side
from amsf.machine.snapshots import code_digest
from amsf.settings.params import Benchmark, Settings
from amsf.skeleton.partition import training_mask
from amsf.stage.portable import kernels
from amsf.study.class_split import Source, draw_split, score_split
from amsf.study.summary import summarise_splits

# Rooms that this module imports, itself included: scores are gone on from with equal code alone.
ROOMS = (
    "backbone", "base", "dataset", "evaluation", "features", "machine", "model", "settings",
    "skeleton", "stage", "study", "training",
)  # fmt: skip
CODE = code_digest(ROOMS)


def study(
    key: str,
    entry: Benchmark,
    settings: Settings,
    text: np.ndarray,
    out: Path,
    scratch: Path,
    other_texts: Mapping[str, np.ndarray] | None = None,
) -> dict[str, Any]:
    """Score every method on each of the benchmark's random class splits.

    Args:
        key: the benchmark's name, for messages.
        entry: its line in params.yaml; ``splits`` says how many.
        settings: its settings.
        text: (C, V, D) text vectors in the order of ``settings.model.views``.
        out: the folder to fill: ``scores.csv``, a row for each split, method and seed, and
            ``summary.json`` (:func:`amsf.study.summary.summarise_splits`).
        scratch: where finished splits are kept until all are; remove it when ``out`` is safe.
        other_texts: dataset -> (C, V, D) likewise, of the datasets that train too.

    Returns:
        The summary.

    Raises:
        InputError: the features were published, so that they know one split alone; there are no
            recordings, or they do not fit.
    """
    if not entry.knows_all:
        raise InputError(
            f"benchmarks.{key}.splits is {entry.splits}, but its features were published for one "
            "class split; set its `features` to motion, backbone or backbone+motion, which are "
            "made from recordings, or to table, or leave splits out"
        )
    folder, kind, others = Path(entry.source), entry.features, other_texts or {}
    recordings = load_recorded(folder, entry.dataset, kind)
    beside = folder_of(folder, entry.dataset, kind)
    refuse_copies(recordings, training_mask(recordings, settings.backbone.partition, beside))
    sets = {entry.dataset: recordings, **load_others(folder, recordings, sorted(others), kind)}
    motions = {name: motion_of(kind, recorded) for name, recorded in sets.items()}
    every = np.concatenate([text, *(others[name] for name in sorted(others))])
    files = [beside / file_of(kind), *(folder / name / file_of(kind) for name in sorted(others))]
    source = Source(folder.resolve(), kind, motions, every)
    scratch = (scratch / _fingerprint(entry, settings, source, files)).resolve()
    tasks = []
    for number in range(entry.splits):
        split = draw_split(entry.dataset, len(text), entry.unseen, settings.split.seed + number)
        split = join(split, text, others, keep=settings.split.same_meaning == "keep")
        tasks.append((number, split, source, settings, scratch / f"split{number}"))
    rows = [
        row
        for found in side_by_side(score_split, tasks, settings.compute, "class splits scored")
        for row in found
    ]
    summary = summarise_splits(rows, settings.model.aligner)
    with atomic_path(out) as temporary:
        # In an order of its own: a split that was read has its columns in another.
        first = ["split", "method", "seed"]
        table = pd.DataFrame(rows, columns=[*first, *sorted({*rows[0]} - {*first})])
        write_text(temporary / "scores.csv", table.to_csv(index=False, lineterminator="\n"))
        write_json(temporary / "summary.json", summary)
    return summary


def _fingerprint(
    entry: Benchmark, settings: Settings, source: Source, files: Sequence[Path]
) -> str:
    """Names all that a split's scores depend on, but its number: 16 hex digits."""
    parts = {
        "benchmark": entry.model_dump(exclude={"splits", "set"}),
        "settings": settings.model_dump(exclude={"compute", "describe"}),
        "device": settings.compute.device,
        "threads": settings.compute.threads,
        "kernels": kernels(),
        "text": hashlib.sha256(source.text.tobytes()).hexdigest(),
        "recordings": [sha256(file) for file in files],
        "code": CODE,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:16]
