"""The runs of a benchmark: every seed, both phases, several side by side.

C = classes · V = text views · D = text width. A seed's phases run one after the other in one job,
because the validation phase may choose the cycle at which the test phase stops.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from joblib import Parallel, delayed

from amsf.checkpoints import Config, save_model
from amsf.compute import set_up
from amsf.errors import InputError
from amsf.features import PhaseFeatures, load_phase
from amsf.fusion import build_fusion
from amsf.params import Settings
from amsf.progress import track
from amsf.splits import Split
from amsf.storage import write_text
from amsf.training import PhaseTrainer, Streams


@dataclass(frozen=True)
class Inputs:
    """What every run of a benchmark reads.

    Attributes:
        settings: of the benchmark.
        split: its classes.
        text: (C, V, D) text vectors in the order of ``settings.model.views``.
        features: folder of the features stage, one safetensors file a phase.
    """

    settings: Settings
    split: Split
    text: np.ndarray
    features: Path


def phases(settings: Settings) -> tuple[str, ...]:
    """The phases of a seed, in the order in which they run."""
    if settings.evaluate.task == "zsl":
        return ("test",)
    # The validation phase goes first where it chooses the cycle of the test phase.
    return ("val", "test") if settings.switches().selection == "val" else ("test", "val")


def train_benchmark(inputs: Inputs, out: Path) -> None:
    """Train every seed and write ``out/seed{n}/{phase}/`` (checkpoint, training curves).

    Raises:
        InputError: parameters, text and features do not fit; told before any training starts.
    """
    settings = inputs.settings
    if len(inputs.text) != inputs.split.classes:
        raise InputError(
            f"text features have {len(inputs.text)} classes; {inputs.split.dataset} has "
            f"{inputs.split.classes}: run the encode stage again"
        )
    build_fusion(settings.model, inputs.text.shape[1], inputs.text.shape[2])
    set_up(settings.compute)
    for phase in phases(settings):
        load_phase(inputs.features / f"{phase}.safetensors")
    jobs = settings.compute.jobs or max(1, (os.cpu_count() or 1) // settings.compute.threads)
    seeds = settings.train.seeds
    done = Parallel(n_jobs=min(jobs, len(seeds)), return_as="generator_unordered")(
        delayed(train_seed)(inputs, seed, out / f"seed{seed}") for seed in seeds
    )
    for seed in track(done, "seeds trained", total=len(seeds)):
        print(f"seed {seed} done", flush=True)


def train_seed(inputs: Inputs, seed: int, out: Path) -> int:
    """Train both phases of one seed; returns the seed."""
    settings = inputs.settings
    switches = settings.switches()
    device = set_up(settings.compute)
    streams: Streams | None = None
    chosen: int | None = None
    for phase in phases(settings):
        if streams is None or switches.seeding == "run":
            streams = Streams.seeded(seed, phase, device)
        data = load_phase(inputs.features / f"{phase}.safetensors")
        config = _config(inputs, phase, seed, data)
        # Samples of the test phase's unseen classes are looked at by the reference protocol alone.
        observes = phase == "val" or switches.selection == "test"
        if switches.selection == "last":
            stop, best = settings.train.cycles, settings.train.cycles - 1
        elif chosen is not None and switches.selection == "val":
            stop, best = chosen + 1, chosen
        else:
            stop, best = settings.train.cycles, None
        trainer = PhaseTrainer(
            settings, config, data.train, torch.from_numpy(inputs.text), streams, device
        )
        cycle = _train_phase(trainer, stop, best, data if observes else None, out / phase)
        if phase == "val":
            chosen = cycle
    return seed


def _train_phase(
    trainer: PhaseTrainer, stop: int, best: int | None, observed: PhaseFeatures | None, out: Path
) -> int:
    """Train ``stop`` cycles; keep cycle ``best``, or the most accurate where it is None."""
    config = trainer.model.config
    top = -1.0
    kept = 0
    cycles, points = [], []
    results = trainer.cycles(stop, None if observed is None else observed.zsl)
    label = f"seed {config.seed}, {config.phase} phase, cycles"
    for result in track(results, label, total=stop, lines=True):
        accuracy = result.accuracy
        if result.cycle == best or (best is None and accuracy is not None and accuracy > top):
            top, kept = accuracy or 0.0, result.cycle
            state = {name: tensor.clone() for name, tensor in result.state.items()}
        cycles.append(
            {
                "cycle": result.cycle,
                "zsl_accuracy": accuracy,
                "classifier_loss": result.classifier_loss,
            }
        )
        points.extend(result.points)
    save_model(out, replace(config, cycle=kept), state)
    for name, rows in (("cycles", cycles), ("curve", points)):
        write_text(out / f"{name}.csv", pd.DataFrame(rows).to_csv(index=False, lineterminator="\n"))
    return kept


def _config(inputs: Inputs, phase: str, seed: int, data: PhaseFeatures) -> Config:
    settings, split = inputs.settings, inputs.split
    switches = settings.switches()
    return Config(
        model=settings.model,
        text_width=inputs.text.shape[2],
        feature_width=data.width,
        phase=phase,
        seed=seed,
        seen=split.seen if phase == "test" else split.val_seen,
        unseen=split.unseen if phase == "test" else split.val_unseen,
        classifier_relu=switches.classifier_relu,
        normalise_input=settings.model.normalise_features and switches.normalise_at_evaluation,
        selection=switches.selection,
        cycle=0,
    )
