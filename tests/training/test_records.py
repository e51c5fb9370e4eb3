"""Records and snapshots of a phase: it goes on to the same bytes; damaged files are told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from amsf.base.errors import InputError
from amsf.base.storage import read_metadata, read_tensors, write_tensors
from amsf.training.records import (
    TrainingRecord,
    read_record,
    restore_phase_snapshot,
    save_phase_snapshot,
)
from amsf.training.trainer import CycleResult
from tests.support.small_benchmark import small_settings
from tests.training.test_trainer import trainer

PROTOCOLS: list[dict[str, Any]] = [{}, {"name": "reference"}]


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("cycles_before", [1, 2])
def test_going_on_equals_never_stopping(
    tmp_path: Path, protocol: dict[str, Any], cycles_before: int
) -> None:
    settings = small_settings(protocol=protocol)
    whole, data = trainer(tmp_path, settings)
    told = TrainingRecord()
    for result in whole.cycles(3, data.zsl):
        told.add(result)
    first, _ = trainer(tmp_path, settings)
    record = TrainingRecord()
    for result in first.cycles(cycles_before, data.zsl):
        record.add(result)
    save_phase_snapshot(tmp_path / "s.safetensors", first, record)

    # Another seed and some draws: nothing of the new trainer's own start may remain.
    second, _ = trainer(tmp_path, settings, seed=7)
    torch.rand(3)
    record = restore_phase_snapshot(tmp_path / "s.safetensors", second)
    assert read_record(tmp_path / "s.safetensors") == record
    assert second.cycle == cycles_before
    for result in second.cycles(3, data.zsl):
        record.add(result)
    assert record == told
    expected = whole.model.state_dict()
    assert all(torch.equal(t, expected[name]) for name, t in second.model.state_dict().items())
    assert torch.equal(second.streams.noise.get_state(), whole.streams.noise.get_state())
    assert second.streams.batches.random() == whole.streams.batches.random()


def test_without_a_snapshot_it_starts_at_the_start(tmp_path: Path) -> None:
    trained, _ = trainer(tmp_path, small_settings())
    assert restore_phase_snapshot(tmp_path / "none.safetensors", trained) == TrainingRecord()
    assert trained.cycle == 0


def test_the_first_of_the_best_cycles_counts() -> None:
    record = TrainingRecord()
    for cycle, accuracy in enumerate([0.2, 0.5, 0.5, 0.4]):
        record.add(CycleResult(cycle, {}, accuracy, 1.0, []))
    assert record.best(smoothed=False) == 1


def test_a_lucky_cycle_does_not_count_where_accuracies_are_smoothed() -> None:
    record = TrainingRecord()
    assert record.best(smoothed=True) == 0
    for cycle, accuracy in enumerate([0.2, 0.9, 0.1, 0.5, 0.6, 0.55]):
        record.add(CycleResult(cycle, {}, accuracy, 1.0, []))
    # By hand: .55, .4, .5, .4, .55, .575; the ends have one neighbour.
    assert record.best(smoothed=True) == 5
    assert record.best(smoothed=False) == 1


def test_a_snapshot_of_another_model(tmp_path: Path) -> None:
    trained, _ = trainer(tmp_path, small_settings())
    save_phase_snapshot(tmp_path / "s.safetensors", trained, TrainingRecord())
    wider, _ = trainer(tmp_path, small_settings(model={"latent": 7}))
    with pytest.raises(InputError, match=r"(?s)not a snapshot of this run.*delete it"):
        restore_phase_snapshot(tmp_path / "s.safetensors", wider)


@pytest.mark.parametrize("kind", ["cast", "scalar", "missing", "unknown", "no note"])
def test_a_snapshot_that_would_fit_by_luck(tmp_path: Path, kind: str) -> None:
    """Torch would cast and broadcast what it copies; nothing is touched before all is compared."""
    trained, _ = trainer(tmp_path, small_settings())
    path = tmp_path / "s.safetensors"
    save_phase_snapshot(path, trained, TrainingRecord())
    arrays, note = read_tensors(path), read_metadata(path)
    name = "state vae 0 exp_avg"
    if kind == "cast":
        arrays[name] = arrays[name].astype(np.float64)
    elif kind == "scalar":
        arrays[name] = np.float32(2).reshape(())
    elif kind == "missing":
        del arrays[name]
    elif kind == "unknown":
        arrays["state vae 999 exp_avg"] = arrays[name]
    else:
        note = None
    write_tensors(path, arrays, note)
    with pytest.raises(InputError, match="not a snapshot of this run"):
        restore_phase_snapshot(path, trained)


@pytest.mark.parametrize("keep", [0, 7, 100, 5000])
def test_a_cut_snapshot(tmp_path: Path, keep: int) -> None:
    trained, _ = trainer(tmp_path, small_settings())
    path = tmp_path / "s.safetensors"
    save_phase_snapshot(path, trained, TrainingRecord())
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(InputError, match=r"s\.safetensors"):
        restore_phase_snapshot(path, trained)


def test_numbers_survive_exactly(tmp_path: Path) -> None:
    trained, _ = trainer(tmp_path, small_settings())
    value = float(np.nextafter(0.1, 1))
    record = TrainingRecord([{"cycle": 0, "zsl_accuracy": None, "classes_loss": value}], [])
    save_phase_snapshot(tmp_path / "s.safetensors", trained, record)
    assert read_record(tmp_path / "s.safetensors").cycles[0]["classes_loss"] == value
