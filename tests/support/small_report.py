"""A benchmark's artifacts made by hand in a second: untrained models, made-up training curves.

C classes, the last U unseen and the U before them validation-unseen · 8 wide features ·
the views lb and MAmd, 6 wide.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from amsf.base.storage import write_json
from amsf.dataset.splits import Split, make_split
from amsf.evaluation.baselines import evaluate_beside
from amsf.evaluation.confidence.measured import measure
from amsf.evaluation.evaluate import evaluate_seed, load_seed
from amsf.evaluation.results import write_results
from amsf.features.checks import ImportedSamples
from amsf.features.phases import describe_phase, load_phase, save_phase
from amsf.model.aligner import Config, build_aligner
from amsf.model.checkpoints import save_model
from amsf.model.vae import TERMS
from amsf.report.data import BenchmarkData, gather
from amsf.settings.params import Settings, load_params
from amsf.text.features import TextFeatures
from stages import summarize

VIEWS = ("lb", "MAmd")
CYCLES, STEPS = 3, 40
PUBLISHED = Path(__file__).parents[2] / "data/published_results.csv"
HOSTILE = "<script>alert(1)</script>"
LABELS = ("sit", "wave", "kick", "jump & turn", "cost $5 or $6", "bow", "clap", HOSTILE, "nod")


def small_reports(factory: pytest.TempPathFactory) -> Path:
    """A folder with `two-u3` (GZSL, seeds 0 and 1) and `one-u3` (ZSL alone, seed 4)."""
    return _build(factory.getbasetemp() / "small_reports")


def found_in(factory: pytest.TempPathFactory, key: str) -> BenchmarkData:
    """A benchmark of :func:`small_reports`, gathered."""
    folder = small_reports(factory)
    return gather(key, load_params(folder / "params.yaml"), folder / "data")


def summarised(factory: pytest.TempPathFactory) -> Path:
    """The folder of :func:`small_reports` after `python -m stages.summarize`."""
    return _summarise(small_reports(factory))


@cache
def _summarise(folder: Path) -> Path:
    shutil.copyfile(PUBLISHED, folder / "data/published_results.csv")
    before = Path.cwd()
    os.chdir(folder)
    try:
        summarize.main()
    finally:
        os.chdir(before)
    return folder


@cache
def _build(folder: Path) -> Path:
    small_report(folder, "two-u3", LABELS, 3)
    small_report(folder, "one-u3", LABELS, 3, seeds=(4,), task="zsl")
    return folder


def small_report(
    folder: Path,
    key: str,
    labels: Sequence[str],
    unseen: int,
    *,
    seeds: Sequence[int] = (0, 1),
    task: str = "gzsl",
    dataset: str = "mine",
    switches: dict[str, str] | None = None,
) -> None:
    """Add a benchmark to ``folder``: params.yaml and everything that `summarize` reads."""
    C = len(labels)
    rng = np.random.default_rng(C)
    rows = "".join(f'{i},"{label}",1\n' for i, label in enumerate(labels))
    (folder / "data/classes").mkdir(parents=True, exist_ok=True)
    (folder / f"data/classes/{dataset}.csv").write_text("id,label,persons\n" + rows)
    for view in VIEWS:
        texts = "".join(f'{i},0,"{view} of {label}"\n' for i, label in enumerate(labels))
        path = folder / f"data/descriptions/{dataset}/{view}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("id,sample,text\n" + texts)
    settings = _add_params(folder, key, dataset, unseen, seeds, task, switches or {})
    first, second = C - unseen, C - 2 * unseen
    split = make_split(
        dataset, C, range(first, C), range(second, first), kind="listed", where="test"
    )
    split.save(folder / f"data/split/{key}.json")
    vectors = rng.normal(size=(C, len(VIEWS), 6)).astype(np.float32)
    text = TextFeatures(vectors, VIEWS, "minilm", dataset)
    text.save(folder / f"data/text_features/{key}", {"texts_sha256": dict.fromkeys(VIEWS, "ab12")})
    phases = {"test": (split.seen, split.unseen), "val": (split.val_seen, split.val_unseen)}
    if task == "zsl":
        del phases["val"]
    _write_features(folder / f"data/features/{key}", split, phases, rng)
    models = folder / f"data/models/{key}"
    for seed in seeds:
        for phase, (known, new) in phases.items():
            _write_model(models / f"seed{seed}" / phase, settings, phase, seed, known, new, rng)
    loaded = {p: load_phase(folder / f"data/features/{key}/{p}.safetensors") for p in phases}
    trained = [load_seed(models / f"seed{seed}", validated="val" in loaded) for seed in seeds]
    test, val = loaded["test"], loaded.get("val")
    results = [evaluate_seed(*pair, test, val, vectors, settings) for pair in trained]
    beside = evaluate_beside(trained, test, val, vectors, split, settings)
    measured = None if val is None else measure(test, val, vectors, split, settings)
    out = folder / f"data/evaluation/{key}"
    write_results(out, results, beside, measured, split, labels, settings)


def _add_params(
    folder: Path,
    key: str,
    dataset: str,
    unseen: int,
    seeds: Sequence[int],
    task: str,
    switches: dict[str, str],
) -> Settings:
    path = folder / "params.yaml"
    raw = yaml.safe_load(path.read_text()) if path.is_file() else {"benchmarks": {}}
    sections = {
        "model": {"views": list(VIEWS), "heads": 2, "latent": 5},
        "train": {"cycles": CYCLES, "steps_per_cycle": STEPS, "seeds": list(seeds)},
        "evaluate": {"task": task, "baselines": ["ridge"]},
        "protocol": {**({"selection": "last"} if task == "zsl" else {}), **switches},
    }
    raw["benchmarks"][key] = {
        "dataset": dataset,
        "unseen": unseen,
        "source": f"data/external/{dataset}",
        "features": "published",
        "set": sections,
    }
    path.write_text(yaml.safe_dump(raw))
    return load_params(path).for_benchmark(key)


def _write_features(
    out: Path,
    split: Split,
    phases: dict[str, tuple[tuple[int, ...], tuple[int, ...]]],
    rng: np.random.Generator,
) -> None:
    def samples(classes: Sequence[int], *, logits: bool = False) -> ImportedSamples:
        labels = np.repeat(classes, 6)
        features = np.abs(rng.normal(size=(len(labels), 8)) + labels[:, None] % 5)
        scores = rng.normal(size=(len(labels), split.classes)) + 3 * np.eye(split.classes)[labels]
        return ImportedSamples(
            features.astype(np.float32), labels, scores.astype(np.float32) if logits else None
        )

    sets = {}
    for phase, (seen, unseen) in phases.items():
        sets[phase] = {"train": samples(seen), "zsl": samples(unseen)}
        if len(phases) > 1:
            sets[phase]["gzsl"] = samples(sorted(seen + unseen), logits=True)
        save_phase(out / f"{phase}.safetensors", sets[phase])
    manifest = {
        "findings": ["a finding with <b>markup</b>"],
        "phases": {phase: describe_phase(found) for phase, found in sets.items()},
        "sources": {phase: {"train.npy": "cd34"} for phase in sets},
    }
    write_json(out / "manifest.json", manifest)


def _write_model(
    out: Path,
    settings: Settings,
    phase: str,
    seed: int,
    seen: tuple[int, ...],
    unseen: tuple[int, ...],
    rng: np.random.Generator,
) -> None:
    torch.manual_seed(seed)
    config = Config(
        model=settings.model, train=settings.train, switches=settings.switches(),
        text_width=6, feature_width=8, phase=phase, seed=seed, seen=seen,
        unseen=unseen, cycle=1,
    )  # fmt: skip
    save_model(out, config, build_aligner(config).state_dict())
    looked_at = phase == "val" or settings.switches().selection == "test"
    cycles = pd.DataFrame(
        {
            "cycle": range(CYCLES),
            "zsl_accuracy": rng.random(CYCLES) if looked_at else np.nan,
            "classes_loss": rng.random(CYCLES),
        }
    )
    cycles.to_csv(out / "cycles.csv", index=False)
    points = [
        {"cycle": c, "step": s}
        | {f"loss_{t}": rng.random() * (s > 30 or "cross" not in t) for t in TERMS}
        | {"weight_skeleton_recon": 1.0, "weight_text_recon": 1.0}
        | {"weight_skeleton_kl": 1e-4 * (s > 20), "weight_text_kl": 1e-4 * (c > 1)}
        | {"weight_text_cross": float(s > 30), "weight_skeleton_cross": float(s > 30)}
        for c in range(CYCLES)
        for s in range(2, STEPS + 1, 2)
    ]
    pd.DataFrame(points).to_csv(out / "curve.csv", index=False)
