"""All class splits of a benchmark, side by side, going on where an earlier run stopped."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from amsf.backbone.export import load_recordings
from amsf.backbone.motion import motion_features
from amsf.backbone.roles import refuse_copies
from amsf.base.errors import InputError
from amsf.base.storage import sha256
from amsf.machine.parallel import side_by_side
from amsf.settings.params import Benchmark, Settings
from amsf.skeleton.partition import training_mask
from amsf.skeleton.recordings import FILE_NAME
from amsf.stage.portable import kernels
from amsf.study.class_split import CODE, Source, draw_split, score_split
from amsf.study.summary import ABOUT, Study

# Parameters that no score depends on; the device and threads are named apart.
UNREAD: dict[str, Any] = {"compute": True, "describe": True, "split": {"kind", "views"}}
ENCODERS, FEATURES = "encoders", "features"  # below a study's scratch folder


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
        scratch: where finished splits are kept until all are: their features, scores, and trained
            encoders (:func:`clear`).

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
    training = training_mask(recordings, settings.backbone.partition, folder)
    refuse_copies(recordings, training)
    motion = None if entry.features == "backbone" else motion_features(recordings)
    encoders = (scratch / ENCODERS).resolve()
    source = Source(folder.resolve(), entry.features, motion, text, encoders)
    features, scores = _fingerprints(entry, settings, source, training)
    made, scored = ((scratch / name).resolve() for name in (f"{FEATURES}-{features}", scores))
    made.mkdir(parents=True, exist_ok=True)
    made.touch()  # the newest, also where they are those of an earlier study
    tasks = []
    for number in range(entry.splits):
        split = draw_split(entry.dataset, len(text), entry.unseen, settings.split.seed + number)
        own = (made / f"split{number}", scored / f"split{number}")
        tasks.append((number, split, source, settings, *own, CODE))
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
        "settings": settings.model_dump(mode="json", exclude=UNREAD),
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


def _fingerprints(
    entry: Benchmark, settings: Settings, source: Source, training: np.ndarray
) -> tuple[str, str]:
    """Names all that a split's features, and its scores, depend on, but its number: 16 hex digits.

    Args:
        entry, settings, source: see :func:`study`.
        training: whether a recording may train.
    """
    features = {
        "benchmark": entry.model_dump(exclude={"splits", "set"}),
        "backbone": settings.backbone.model_dump(),
        "seed": settings.split.seed,
        "task": settings.evaluate.task,
        "device": settings.compute.device,
        "threads": settings.compute.threads,
        "kernels": kernels(),
        "recordings": sha256(source.folder / FILE_NAME),
        "training": hashlib.sha256(training.tobytes()).hexdigest(),
        "code": CODE,
    }
    scores = {
        **features,
        "settings": settings.model_dump(exclude=UNREAD),
        "text": _text_digest(source),
    }
    return _named(features), _named(scores)


def _named(parts: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:16]


def clear(scratch: Path) -> None:
    """Remove what an ended study leaves in its scratch folder, but for the newest features.

    They are small, and spare a study of the same splits with other methods the encoder's training.
    """
    folders = sorted(scratch.iterdir(), key=lambda folder: folder.stat().st_mtime)
    kept = [folder for folder in folders if folder.name.startswith(FEATURES)][-1:]
    for folder in folders:
        if folder not in kept:
            shutil.rmtree(folder)
