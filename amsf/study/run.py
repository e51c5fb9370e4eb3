"""All class splits of a benchmark, side by side, going on where an earlier run stopped."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from amsf.backbone.joined import file_of, folder_of, load_others, load_recorded, motion_of
from amsf.backbone.roles import refuse_copies
from amsf.base.errors import InputError
from amsf.base.storage import sha256
from amsf.dataset.others import compared_views, join
from amsf.machine.parallel import side_by_side
from amsf.settings.params import Benchmark, Settings
from amsf.skeleton.partition import training_mask
from amsf.skeleton.recordings import SkeletonSet
from amsf.stage.portable import kernels
from amsf.study.class_split import CODE, Source, draw_split, score_split
from amsf.study.summary import ABOUT, Study

# Parameters that no score depends on; the device and threads are named apart.
UNREAD: dict[str, Any] = {"compute": True, "describe": True, "split": {"kind", "views"}}
ENCODERS, FEATURES = "encoders", "features"  # below a study's scratch folder


def study(
    key: str,
    entry: Benchmark,
    settings: Settings,
    text: np.ndarray,
    out: Path,
    scratch: Path,
    other_texts: Mapping[str, np.ndarray] | None = None,
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
        other_texts: dataset -> (C, V, D) likewise, of the datasets that train too.

    Returns:
        What was written.

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
    own = folder_of(folder, entry.dataset, kind)
    training = training_mask(recordings, settings.backbone.partition, own)
    refuse_copies(recordings, training)
    names = sorted(others)
    sets = {entry.dataset: recordings, **load_others(folder, recordings, names, kind)}
    motions = {name: motion_of(kind, recorded) for name, recorded in sets.items()}
    views = settings.model.views
    by = [views.index(view) for view in compared_views(views)]
    compared = {name: vectors[:, by] for name, vectors in others.items()}
    every = np.concatenate([text, *(others[name] for name in names)])
    files = [place / file_of(kind) for place in (own, *(folder / name for name in names))]
    encoders = (scratch / ENCODERS).resolve()
    source = Source(folder.resolve(), kind, motions, every, encoders)
    features, scores = _fingerprints(entry, settings, source, training, files)
    made, scored = ((scratch / name).resolve() for name in (f"{FEATURES}-{features}", scores))
    made.mkdir(parents=True, exist_ok=True)
    made.touch()  # the newest, also where they are those of an earlier study
    tasks = []
    for number in range(entry.splits):
        split = draw_split(entry.dataset, len(text), entry.unseen, settings.split.seed + number)
        split = join(split, text[:, by], compared, keep=settings.split.same_meaning == "keep")
        places = (made / f"split{number}", scored / f"split{number}")
        tasks.append((number, split, source, settings, *places, CODE))
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
        "also": list(entry.also),
        "unseen": entry.unseen,
        "splits": entry.splits,
        "method": settings.model.aligner,
        "settings": settings.model_dump(mode="json", exclude=UNREAD),
        "simulated": isinstance(recordings, SkeletonSet) and recordings.simulated,
        "recordings": sha256(files[0]),
        "texts": _text_digest(source),
        "code": CODE,
    }
    found = Study(about, table)
    found.save(out)
    return found


def _text_digest(source: Source) -> str:
    return hashlib.sha256(source.text.tobytes()).hexdigest()


def _fingerprints(
    entry: Benchmark,
    settings: Settings,
    source: Source,
    training: np.ndarray,
    files: Sequence[Path],
) -> tuple[str, str]:
    """Names all that a split's features, and its scores, depend on, but its number: 16 hex digits.

    Args:
        entry, settings, source: see :func:`study`.
        training: whether a recording may train.
        files: of the benchmark's own set and of those that train too.
    """
    features = {
        "benchmark": entry.model_dump(exclude={"splits", "set"}),
        "backbone": settings.backbone.model_dump(),
        "seed": settings.split.seed,
        "task": settings.evaluate.task,
        "device": settings.compute.device,
        "threads": settings.compute.threads,
        "kernels": kernels(),
        "recordings": [sha256(file) for file in files],
        # Texts say which classes of other datasets mean the same as an unseen one.
        "others": [settings.split.same_meaning, _text_digest(source)] if entry.also else [],
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
