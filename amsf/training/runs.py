"""The runs of a benchmark: every seed, both phases, side by side.

C = classes · V = text views · D = text width. A run trains one phase of one seed and leaves a
snapshot after each cycle in its scratch folder, together with the weights of every cycle that may
still be chosen; the cycle is chosen when all runs are done. So seeds do not wait for each other,
and what was interrupted goes on from the last snapshot to the same bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from amsf.base.artifacts import phase_file, seed_folder
from amsf.base.errors import InputError
from amsf.base.progress import track
from amsf.base.storage import read_tensors, sha256, write_tensors, write_text
from amsf.dataset.splits import Split
from amsf.features.phases import SampleSet, load_phase
from amsf.machine.device import name_device, set_up
from amsf.machine.parallel import side_by_side
from amsf.machine.snapshots import code_digest
from amsf.model.aligner import Config, aligner_class, build_aligner
from amsf.model.checkpoints import save_model
from amsf.settings.params import Settings
from amsf.stage.portable import kernels
from amsf.training.records import (
    TrainingRecord,
    read_record,
    restore_phase_snapshot,
    save_phase_snapshot,
)
from amsf.training.trainer import CycleResult, PhaseTrainer, Streams

# Rooms that this module imports, itself included: an interrupted run goes on with equal code alone.
ROOMS = ("base", "dataset", "features", "machine", "model", "settings", "stage", "training")
CODE = code_digest(ROOMS)
SNAPSHOT = "snapshot.safetensors"
CURVE = ("cycle", "step")  # columns of every training curve; a method's own stand behind


@dataclass(frozen=True)
class Inputs:
    """What every run of a benchmark reads.

    Attributes:
        settings: the benchmark's settings.
        split: its classes.
        text: (C, V, D) text vectors of all datasets in the order of ``settings.model.views``.
        features: folder of the features stage, one safetensors file a phase.
    """

    settings: Settings
    split: Split
    text: np.ndarray
    features: Path


def phases(settings: Settings) -> tuple[str, ...]:
    """The phases of a seed, in the order in which one random stream runs through them."""
    return settings.evaluate.phases


def train_benchmark(inputs: Inputs, out: Path, scratch: Path) -> None:
    """Train every run and write ``out/seed{n}/{phase}/`` (checkpoint, training curves).

    Args:
        inputs: what the runs read.
        out: folder of the result.
        scratch: where runs keep their snapshots, in a folder named by all that their result
            depends on; remove it when ``out`` is safe. With a Dask cluster ``features`` and
            ``scratch`` are on a file system that the workers share.

    Raises:
        InputError: parameters, text and features do not fit; raised before any training starts.
    """
    settings = inputs.settings
    if len(inputs.text) != inputs.split.total:
        raise InputError(
            f"text features have {len(inputs.text)} classes; {inputs.split.dataset} has "
            f"{inputs.split.total}, with those of other datasets that train too: run the encode "
            "stage again"
        )
    for phase in phases(settings):
        data = load_phase(phase_file(inputs.features, phase))
        with torch.device("meta"):  # what does not fit together raises here, before any training
            build_aligner(_config(inputs, phase, settings.train.seeds[0], data.width))
    if not settings.compute.scheduler:
        set_up(settings.compute)
    inputs = replace(inputs, features=inputs.features.resolve())
    scratch = (scratch / fingerprint(inputs)).resolve()
    tasks = [
        (inputs, seed, chain, seed_folder(scratch, seed), CODE)
        for seed in settings.train.seeds
        for chain in _chains(settings)
    ]
    side_by_side(train_chain, tasks, settings.compute, "runs trained")
    for seed in settings.train.seeds:
        _collect(inputs, seed, seed_folder(scratch, seed), seed_folder(out, seed))


def fingerprint(inputs: Inputs) -> str:
    """Names all that the result of a run depends on, but its seed: 16 hex digits."""
    settings = inputs.settings
    parts = {
        "model": settings.model.model_dump(),
        "train": settings.train.model_dump(exclude={"seeds"}),
        "switches": settings.switches().model_dump(),
        "task": settings.evaluate.task,
        "device": name_device(settings.compute.device),
        "kernels": kernels(),
        "threads": settings.compute.threads,
        "split": asdict(inputs.split),
        "text": hashlib.sha256(inputs.text.tobytes()).hexdigest(),
        "features": [sha256(phase_file(inputs.features, p)) for p in phases(settings)],
        "code": CODE,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def _chains(settings: Settings) -> list[tuple[str, ...]]:
    """The phases that one task trains: each alone, unless one has to wait for another."""
    if settings.switches().seeding == "stream":
        return [phases(settings)]
    if _validation_sets_length(settings):
        return [("val", "test")]
    return [(phase,) for phase in phases(settings)]


def _validation_sets_length(settings: Settings) -> bool:
    """Whether the test phase trains for as many cycles as were best in the validation phase."""
    switches = settings.switches()
    # One random stream runs through the test phase first.
    return switches.selection == "val" and switches.patience > 0 and switches.seeding == "run"


def train_chain(inputs: Inputs, seed: int, chain: tuple[str, ...], folder: Path, code: str) -> None:
    """Train phases of one seed, each in ``folder/{phase}/``, going on from their snapshots.

    Args:
        inputs: what the runs read.
        seed: the runs' seed.
        chain: phases, in order.
        folder: the seed's folder.
        code: :data:`CODE` of the process that asks.

    Raises:
        InputError: this process has other code than the one that asks; the loss is not finite.
    """
    if code != CODE:
        raise InputError(
            "this worker has another version of amsf than the process that asks; restart the "
            "workers in the repository's folder"
        )
    settings = inputs.settings
    device = set_up(settings.compute)
    streams: Streams | None = None
    records: dict[str, TrainingRecord] = {}
    for phase in chain:
        if streams is None or settings.switches().seeding == "run":
            streams = Streams.seeded(seed, phase, device)
        data = load_phase(phase_file(inputs.features, phase))
        config = _config(inputs, phase, seed, data.width)
        text = torch.tensor(inputs.text)  # a copy: joblib hands large arrays over read-only
        trainer = PhaseTrainer(settings, config, data.learnt, text, streams, device)
        record = restore_phase_snapshot(folder / phase / SNAPSHOT, trainer)
        records[phase] = record
        # Samples of the test phase's unseen classes are looked at by the reference protocol alone.
        observes = phase == "val" or settings.switches().selection == "test"
        results = _train_on(trainer, settings, phase, records, data.zsl if observes else None)
        label = f"seed {seed}, {phase} phase, cycles"
        total = _most_cycles(settings) if phase == "val" else _length(settings, phase, records)
        for result in track(results, label, total, trainer.cycle, lines=True):
            record.add(result)
            if _may_be_chosen(settings, phase, result.cycle, records):
                state = {name: t.cpu().numpy() for name, t in result.state.items()}
                write_tensors(_weights(folder / phase, result.cycle), state)
            save_phase_snapshot(folder / phase / SNAPSHOT, trainer, record)


def _train_on(
    trainer: PhaseTrainer,
    settings: Settings,
    phase: str,
    records: dict[str, TrainingRecord],
    observed: SampleSet | None,
) -> Iterator[CycleResult]:
    """Cycle after cycle, until the phase's record says that it is enough."""
    while trainer.cycle < _length(settings, phase, records):
        yield from trainer.cycles(trainer.cycle + 1, observed)


def _most_cycles(settings: Settings) -> int:
    return aligner_class(settings.model.aligner).cycles(settings.train)


def _length(settings: Settings, phase: str, records: dict[str, TrainingRecord]) -> int:
    """How many cycles a phase trains, as far as can be said by what has been recorded."""
    most = _most_cycles(settings)
    if not _validation_sets_length(settings):
        return most
    best = _best(settings, records["val"])
    if phase == "test":
        return best + 1
    return min(best + 1 + settings.switches().patience, most)


def _has_just_ended(settings: Settings, phase: str, records: dict[str, TrainingRecord]) -> bool:
    """Whether a phase's record goes as far as the phase, and no farther.

    A new cycle may smooth away the best one before it, so that the length of the validation phase
    falls below the number of its cycles: it ends there.
    """
    whole = records[phase]

    def goes_on_after(cycles: int) -> bool:
        first = {**records, phase: replace(whole, cycles=whole.cycles[:cycles])}
        return cycles < _length(settings, phase, first)

    ended = len(whole.cycles)
    return not goes_on_after(ended) and all(goes_on_after(cycles) for cycles in range(ended))


def _may_be_chosen(
    settings: Settings, phase: str, cycle: int, records: dict[str, TrainingRecord]
) -> bool:
    """Whether the cycle that has just ended is to be kept."""
    open_still = phase == "val" or not _validation_sets_length(settings)
    if settings.switches().selection == "val" and open_still:
        return True
    return cycle == _chosen(settings, phase, records)


def _chosen(settings: Settings, phase: str, records: dict[str, TrainingRecord]) -> int:
    """The cycle whose model is used, by what the phases have recorded."""
    selection = settings.switches().selection
    if selection == "last":
        return _length(settings, phase, records) - 1
    # The validation phase chooses for both; the reference protocol lets each phase choose its own.
    return _best(settings, records["val" if selection == "val" else phase])


def _best(settings: Settings, record: TrainingRecord) -> int:
    switches = settings.switches()
    return record.best(smoothed=switches.selection == "val" and switches.patience > 0)


def _weights(folder: Path, cycle: int) -> Path:
    return folder / f"cycle{cycle}.safetensors"


def _collect(inputs: Inputs, seed: int, folder: Path, out: Path) -> None:
    """Choose the cycle of each phase and write what is kept of the runs."""
    settings = inputs.settings
    records = {p: read_record(folder / p / SNAPSHOT) for p in phases(settings)}
    for phase, record in records.items():
        if not _has_just_ended(settings, phase, records):
            length = _length(settings, phase, records)
            raise InputError(
                f"{folder / phase / SNAPSHOT}: holds {len(record.cycles)} of {length} cycles, "
                "though its run has ended: another process writes there too; wait for it, or stop "
                "it, and run the same command again"
            )
    for phase, record in records.items():
        cycle = _chosen(settings, phase, records)
        data = load_phase(phase_file(inputs.features, phase))
        arrays = read_tensors(_weights(folder / phase, cycle))
        state = {name: torch.from_numpy(array) for name, array in arrays.items()}
        config = replace(_config(inputs, phase, seed, data.width), cycle=cycle)
        save_model(out / phase, config, state)
        # A method that learns without steps has a curve without rows.
        curve = pd.DataFrame(record.points) if record.points else pd.DataFrame(columns=CURVE)
        for name, frame in (("cycles", pd.DataFrame(record.cycles)), ("curve", curve)):
            write_text(out / phase / f"{name}.csv", frame.to_csv(index=False, lineterminator="\n"))


def _config(inputs: Inputs, phase: str, seed: int, width: int) -> Config:
    return Config.of(inputs.settings, inputs.split, phase, seed, inputs.text.shape[2], width)
