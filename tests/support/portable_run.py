"""A few texts, steps of the skeleton encoder and steps of the VAE, at their real widths.

``python -m tests.support.portable_run FOLDER JOBS`` writes what the pipeline computes: text
vectors, the encoder's weights and features, both phases' models, their evaluation, and
``metrics/gzsl.json``. It is run on this processor and on an emulated one, whose results must have
the same bytes.

C = 24 classes of :mod:`tests.support.small_benchmark` · F = 512 · V = 2 views · D = 384.
"""

from __future__ import annotations

import amsf.stage.pinned  # noqa: F401  (before anything loads NumPy or torch)

# ruff: isort: split
import os
import sys
from pathlib import Path

import numpy as np
import torch
import yaml

from amsf.backbone.network import EncoderShape
from amsf.backbone.preprocessing import prepare
from amsf.backbone.training import encode, save_encoder, train_encoder
from amsf.base.artifacts import CLASSES as CLASS_LISTS
from amsf.base.artifacts import METRICS, Artifacts, phase_file
from amsf.base.storage import read_array, read_json, write_array, write_json
from amsf.demo.simulation import simulate
from amsf.evaluation.headline import headline
from amsf.features.checks import ImportedSamples
from amsf.features.phases import save_phase
from amsf.machine.device import set_up
from amsf.settings.params import Backbone, Settings, Text, load_params
from amsf.skeleton.joints import layout_of
from amsf.text.encoders import load_encoder
from amsf.text.features import TextFeatures
from stages import evaluate, train
from tests.support.small_benchmark import CLASSES, SPLIT, VIEWS, small_settings

KEY = "small-u3"
ARTIFACTS = Artifacts(KEY)
TEXT, FEATURES_FILE, TRAINED = Path("text.npy"), Path("features.npy"), Path("trained")
# Small, since the emulated processor is some hundred times slower.
RECORDINGS, FRAMES, TEXTS = 16, 16, 3
WORDS = ("a person", "two people", "the left arm", "raise", "lower slowly", "turn and jump")


def encode_few() -> np.ndarray:
    """(TEXTS, D): the vectors of a few texts of several lengths."""
    return load_encoder(Text()).encode([" ".join(WORDS[: 2 * i + 1]) for i in range(TEXTS)])


def mixed(vectors: np.ndarray) -> np.ndarray:
    """Mixtures of a few vectors, for all classes: (TEXTS, D) -> (C, V, D)."""
    parts = np.random.default_rng(0).random((CLASSES, len(VIEWS), TEXTS), np.float32)
    return np.einsum("cvt,td->cvd", parts, vectors)


def train_backbone(out: Path) -> np.ndarray:
    """Features (RECORDINGS, F) of an encoder after two steps, whose logits are kept too."""
    recordings = simulate(subjects=4, repetitions=1)
    layout, classes = layout_of(recordings.layout), sorted(set(recordings.label.tolist()))
    rows = np.arange(0, len(recordings), len(recordings) // RECORDINGS)[:RECORDINGS]
    samples = prepare(recordings, rows, layout, FRAMES)
    shape = EncoderShape(recordings.layout, len(classes), FRAMES)
    settings = Backbone(epochs=1, batch_size=8, frames=FRAMES)
    device = torch.device("cpu")
    encoder = train_encoder(samples, recordings.label[rows], classes, shape, settings, device)
    save_encoder(out, "encoder", encoder, {})
    features, logits = encode(encoder, samples, device)
    write_array(out / "logits.npy", logits.numpy())
    return features.numpy()


def small_run(jobs: int) -> Settings:
    """Write params.yaml, the class list and the split; both phases of a seed train two steps."""
    settings = small_settings(
        model={"heads": 4, "latent": 200},
        train={"cycles": 1, "steps_per_cycle": 2, "batch_size": 8, "classifier_steps": 3},
        evaluate={"baselines": ["ridge"]},
        compute={"jobs": jobs},
    )
    entry = {"dataset": SPLIT.dataset, "unseen": len(SPLIT.unseen), "source": "data"}
    benchmarks = {KEY: {**entry, "features": "published"}}
    params = {"benchmarks": benchmarks, **settings.model_dump(mode="json")}
    Path("params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    CLASS_LISTS.mkdir(parents=True, exist_ok=True)
    lines = ["id,label,persons", *(f"{c},class {c},1" for c in range(CLASSES))]
    (CLASS_LISTS / f"{SPLIT.dataset}.csv").write_text("\n".join(lines), encoding="utf-8")
    SPLIT.save(ARTIFACTS.split)
    return load_params().for_benchmark(KEY)


def save_phases(features: np.ndarray) -> None:
    """Both phases' samples, drawn from the features whatever their class."""
    rng = np.random.default_rng(0)

    def samples(classes: tuple[int, ...], *, scored: bool = False) -> ImportedSamples:
        labels = np.repeat(classes, 4)
        found = features[rng.integers(len(features), size=len(labels))]
        scores = rng.normal(size=(len(labels), CLASSES)).astype(np.float32) if scored else None
        return ImportedSamples(found, labels, scores)

    every = tuple(range(CLASSES))
    for phase, (seen, unseen) in {
        "test": (SPLIT.seen, SPLIT.unseen),
        "val": (SPLIT.val_seen, SPLIT.val_unseen),
    }.items():
        sets = {"train": samples(seen), "zsl": samples(unseen)}
        sets["gzsl"] = samples(every if phase == "test" else SPLIT.seen, scored=True)
        save_phase(phase_file(ARTIFACTS.features, phase), sets)
    write_json(ARTIFACTS.features / "manifest.json", {})


def main(out: Path, jobs: int) -> None:
    """Compute all of it below ``out``; what an interrupted run finished there is not done again."""
    out.mkdir(parents=True, exist_ok=True)
    os.chdir(out)
    set_up(small_run(jobs).compute)
    if not TEXT.is_file():
        write_array(TEXT, encode_few())
    if not FEATURES_FILE.is_file():
        write_array(FEATURES_FILE, train_backbone(Path()))
    text, features = read_array(TEXT), read_array(FEATURES_FILE)
    TextFeatures(mixed(text), VIEWS, "minilm", SPLIT.dataset).save(ARTIFACTS.text_features)
    save_phases(features)
    if not TRAINED.is_file():
        train.main(KEY)
        TRAINED.touch()
    evaluate.main(KEY)
    # As the stage summarize, but for its page and pictures.
    write_json(METRICS.scores, {KEY: headline(read_json(ARTIFACTS.evaluation / "metrics.json"))})


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
