"""A small table of features: the row of a class and recording is the class's code, with noise.

N = 144 recordings: 6 subjects with four of each of C = 6 classes · F = 5.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

CLASSES, SUBJECTS, REPETITIONS, WIDTH = 6, 6, 4, 5


def table_arrays(seed: int = 0) -> dict[str, np.ndarray]:
    """The arrays of ``features.npz``, without logits."""
    rng = np.random.default_rng(seed)
    subject, label, _ = (a.ravel() for a in np.indices((SUBJECTS, CLASSES, REPETITIONS)))
    codes = rng.normal(size=(CLASSES, WIDTH))
    features = 3 + codes[label] + 0.3 * rng.normal(size=(len(label), WIDTH))
    names = np.array([f"s{s + 1}_a{a}_{i}" for i, (s, a) in enumerate(zip(subject, label))])
    return {"features": features, "label": label, "subject": subject + 1, "names": names}


def write_table(folder: Path, **arrays: np.ndarray | None) -> Path:
    """Write the table, and that odd subjects train; arrays named here differ, None is left out."""
    folder.mkdir(parents=True, exist_ok=True)
    found = {key: value for key, value in {**table_arrays(), **arrays}.items() if value is not None}
    np.savez(folder / "features.npz", allow_pickle=True, **found)  # type: ignore[arg-type]
    (folder / "train_subjects.txt").write_text("1 3 5\n")
    return folder / "features.npz"
