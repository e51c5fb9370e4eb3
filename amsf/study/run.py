"""All class splits of a benchmark, side by side, going on where an earlier run stopped."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd

from amsf.backbone.export import load_recordings
from amsf.backbone.motion import motion_features
from amsf.backbone.roles import refuse_copies
from amsf.base.errors import InputError
from amsf.base.storage import sha256
from amsf.machine.parallel import side_by_side
from amsf.machine.snapshots import code_digest
from amsf.settings.params import Benchmark, Settings
from amsf.skeleton.partition import training_mask
from amsf.skeleton.recordings import FILE_NAME
from amsf.stage.portable import kernels
from amsf.study.class_split import Source, draw_split, score_split
from amsf.study.summary import ABOUT, Study

# Rooms that this module imports, itself included: scores are gone on from with equal code alone.
ROOMS = (
    "backbone", "base", "dataset", "evaluation", "features", "machine", "model", "settings",
    "skeleton", "stage", "study", "training",
)  # fmt: skip
CODE = code_digest(ROOMS)
ENCODERS = "encoders"  # below a study's scratch folder: trained ones, of all its splits


def study(
    key: str, entry: Benchmark, settings: Settings, text: np.ndarray, out: Path, scratch: Path
) -> Study:
    """Score every method on each of the benchmark's random class splits.

    Args:
        key: the benchmark's name, for messages.
        entry: its line in params.yaml; ``splits`` says how many.
        settings: its settings.
        text: (C, V, D) text vectors in the order of ``settings.model.views``.
        out: the folder to fill (:meth:`amsf.study.summary.Study.save`).
        scratch: where finished splits are kept until all are; remove them when ``out`` is safe, but
            for :data:`ENCODERS`, which a study with other methods can use.

    Returns:
        What was written.

    Raises:
        InputError: the features were published, so that they know one split alone; there are no
            recordings, or they do not fit.
    """
    if not entry.reads_recordings:
        raise InputError(
            f"benchmarks.{key}.splits is {entry.splits}, but its features were published for one "
            "class split; set its `features` to motion, backbone or backbone+motion, which are "
            "made from recordings, or leave splits out"
        )
    folder = Path(entry.source)
    recordings = load_recordings(folder, entry.dataset)
    refuse_copies(recordings, training_mask(recordings, settings.backbone.partition, folder))
    motion = None if entry.features == "backbone" else motion_features(recordings)
    encoders = (scratch / ENCODERS).resolve()
    source = Source(folder.resolve(), entry.features, motion, text, encoders)
    scratch = (scratch / _fingerprint(entry, settings, source)).resolve()
    tasks = []
    for number in range(entry.splits):
        split = draw_split(entry.dataset, len(text), entry.unseen, settings.split.seed + number)
        tasks.append((number, split, source, settings, scratch / f"split{number}"))
    rows = [
        row
        for found in side_by_side(score_split, tasks, settings.compute, "class splits scored")
        for row in found
    ]
    # In an order of its own: a split that was read has its columns in another.
    table = pd.DataFrame(rows, columns=[*ABOUT, *sorted({*rows[0]} - {*ABOUT})])
    about = {
        "benchmark": key,
        "dataset": entry.dataset,
        "features": entry.features,
        "unseen": entry.unseen,
        "splits": entry.splits,
        "method": settings.model.aligner,
        "settings": settings.model_dump(mode="json", exclude={"compute", "describe"}),
        "simulated": recordings.simulated,
        "recordings": sha256(folder / FILE_NAME),
        "texts": _text_digest(source),
        "code": CODE,
    }
    found = Study(about, table)
    found.save(out)
    return found


def _text_digest(source: Source) -> str:
    return hashlib.sha256(source.text.tobytes()).hexdigest()


def _fingerprint(entry: Benchmark, settings: Settings, source: Source) -> str:
    """Names all that a split's scores depend on, but its number: 16 hex digits."""
    parts = {
        "benchmark": entry.model_dump(exclude={"splits", "set"}),
        "settings": settings.model_dump(exclude={"compute", "describe"}),
        "device": settings.compute.device,
        "threads": settings.compute.threads,
        "kernels": kernels(),
        "text": _text_digest(source),
        "recordings": sha256(source.folder / FILE_NAME),
        "code": CODE,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:16]
