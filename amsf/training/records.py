"""The record of a training phase: what it has recorded so far, kept with its snapshot."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from torch import default_generator
from torch.optim import Optimizer

from amsf.base.storage import read_metadata
from amsf.machine.snapshots import Parts, restore_snapshot, save_snapshot
from amsf.model.eager_adam import EagerAdam
from amsf.training.trainer import CycleResult, PhaseTrainer


@dataclass
class TrainingRecord:
    """What a phase has recorded so far.

    Attributes:
        cycles: a row a cycle: its number, ZSL accuracy over the observed samples, and the loss that
            learning the classes' texts ended with.
        points: rows of the training curve.
    """

    cycles: list[dict[str, Any]] = field(default_factory=list)
    points: list[dict[str, float]] = field(default_factory=list)

    def best(self, *, smoothed: bool) -> int:
        """The first of the most accurate cycles so far; of no meaning where none is observed.

        Args:
            smoothed: whether a cycle's accuracy is averaged with that of its two neighbours, since
                that of a few classes jumps from one cycle to the next.
        """
        accuracies = np.array([row["zsl_accuracy"] for row in self.cycles], float)
        if len(accuracies) == 0:
            return 0
        if smoothed:
            padded = np.pad(accuracies, 1, constant_values=np.nan)
            accuracies = np.nanmean(np.lib.stride_tricks.sliding_window_view(padded, 3), axis=1)
        return int(accuracies.argmax())

    def add(self, result: CycleResult) -> None:
        """Take in a cycle."""
        self.cycles.append(
            {
                "cycle": result.cycle,
                "zsl_accuracy": result.accuracy,
                "classes_loss": result.classes_loss,
            }
        )
        self.points.extend(result.points)


def save_phase_snapshot(path: Path, trainer: PhaseTrainer, record: TrainingRecord) -> None:
    """Write the trainer as it is between two cycles, with its record."""
    note = {
        "cycle": trainer.cycle,
        "batches": trainer.streams.batches.bit_generator.state,
        "record": vars(record),
    }
    save_snapshot(path, _parts(trainer), note)


def restore_phase_snapshot(path: Path, trainer: PhaseTrainer) -> TrainingRecord:
    """Put a new trainer where the snapshot's was; without a snapshot it stays at its start.

    Raises:
        InputError: the file is not a snapshot of such a trainer.
    """
    note = restore_snapshot(path, _parts(trainer))
    if note is None:
        return TrainingRecord()
    trainer.cycle = note["cycle"]
    trainer.streams.batches.bit_generator.state = note["batches"]
    return TrainingRecord(**note["record"])


def read_record(path: Path) -> TrainingRecord:
    """The record in a phase's snapshot."""
    return TrainingRecord(**read_metadata(path)["note"]["record"])


def _parts(trainer: PhaseTrainer) -> Parts:
    own = {name: o.state for name, o in trainer.optimisers.items() if isinstance(o, EagerAdam)}
    return Parts(
        {"model": trainer.model},
        # A method may draw weights from torch's own stream, as fresh classifiers do.
        {"noise": trainer.streams.noise, "weights": default_generator},
        states={**own, **trainer.model.carried_state()},
        optimisers={name: o for name, o in trainer.optimisers.items() if isinstance(o, Optimizer)},
    )
