"""One measurement of ours, in a process of its own: ``python -m benchmarks.ours WHAT ...``.

Only the public entry is called: `amsf.training.runs.train_benchmark` on shortened benchmarks, and
`amsf.evaluation.evaluate`. The time of a step is a slope: what more steps cost over fewer.
"""

from __future__ import annotations

import argparse
import math
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

import amsf.stage.pinned  # noqa: F401  (before anything loads NumPy or torch)

# ruff: isort: split
import torch

from amsf.base.artifacts import phase_file
from amsf.base.storage import write_json
from amsf.evaluation.evaluate import evaluate_seed, load_seed
from amsf.evaluation.results import write_results
from amsf.features.phases import PhaseFeatures, SampleSet, load_phase
from amsf.machine.device import set_up
from amsf.training.runs import train_benchmark
from benchmarks.sizes import SIZES, Size

Result = dict[str, Any]
# Steps before the schedule's first term sets in: no cross terms in absolute steps.
PLAIN = {"name": "reference", "seeding": "run", "schedule": "absolute"}


class Trainings:
    """Shortened trainings of one size, each into a fresh folder."""

    def __init__(self, size: Size, folder: Path) -> None:
        self.size, self.folder = size, folder

    def seconds(self, cycles: int, steps: int, **more: Any) -> float:
        """Wall time of `train_benchmark`."""
        settings = self.size.settings(cycles=cycles, steps=steps, **more)
        inputs = self.size.inputs(self.folder, settings)
        with _scratch() as out:
            start = time.perf_counter()
            train_benchmark(inputs, out / "models", out / "scratch")
            return time.perf_counter() - start


@contextmanager
def _scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def timings(size: Size, folder: Path, few: int, many: int, seeds: int, jobs: int) -> Result:
    """Seconds of one run alone, then of all (phase, seed) runs by the default parallel path.

    Args:
        size: the benchmark's size.
        folder: its inputs.
        few, many: steps of a cycle that are compared.
        seeds: how many, two runs each.
        jobs: ``compute.jobs`` of the parallel path.

    Returns:
        ``alone`` and ``alone_plain``: of a step of one run, as the schedule mixes steps with and
        without cross terms, and without; ``runs``; ``step`` and ``cycle_end``: what one more
        step, and one more cycle less its steps, cost ``runs`` runs together; ``start``: what
        else the first call takes, which starts the workers and reads the inputs.
    """
    trainings = Trainings(size, folder)
    one = {"task": "zsl", "jobs": 1}
    trainings.seconds(1, few, **one)  # the first call allocates
    result: Result = {"runs": 2 * seeds}
    for name, protocol in (("alone_plain", PLAIN), ("alone", None)):
        short, long = (trainings.seconds(1, n, protocol=protocol, **one) for n in (few, many))
        result[name] = (long - short) / (many - few)
    every: dict[str, Any] = {"seeds": list(range(seeds)), "jobs": jobs}
    first = trainings.seconds(1, few, **every)
    # joblib replaces a worker whose memory has grown, which takes seconds: once a run at most, but
    # often in ones as short as these.
    short, long, cycles = (
        min(trainings.seconds(*lengths, **every) for _ in range(2))
        for lengths in ((1, few), (1, many), (3, few))
    )
    step = (long - short) / (many - few)
    cycle_end = max(0.0, (cycles - short) / 2 - few * step)
    start = max(0.0, first - few * step - cycle_end)
    return {**result, "step": step, "cycle_end": cycle_end, "start": start}


def train(size: Size, folder: Path, cycles: int, steps: int, seeds: int, jobs: int) -> Result:
    """A parallel training alone, for whoever watches the memory; leaves ``folder/models``."""
    settings = size.settings(cycles=cycles, steps=steps, seeds=list(range(seeds)), jobs=jobs)
    with _scratch() as out:
        train_benchmark(size.inputs(folder, settings), folder / "models", out)
    return {"runs": 2 * seeds}


def assess(size: Size, folder: Path, repetitions: int) -> Result:
    """Evaluation of a seed in ``folder/models``, for whoever watches the memory."""
    settings = size.settings(cycles=1, steps=1, protocol={"name": "clean"})
    set_up(settings.compute)
    test, val = (load_phase(phase_file(folder, phase)) for phase in ("test", "val"))
    text = size.inputs(folder, settings).text
    for _ in range(repetitions):
        evaluate_seed(
            *load_seed(folder / "models/seed0", validated=True), test, val, text, settings
        )
    return {"repetitions": repetitions}


def evaluate(size: Size, folder: Path, multiples: Sequence[int]) -> list[Result]:
    """Seconds to evaluate a seed (ZSL, gate, GZSL, curve), and to write the results.

    Args:
        size: the benchmark's size; trained for a few steps first.
        folder: its inputs.
        multiples: how many times the test samples are taken.

    Returns:
        For each multiple ``samples`` and seconds, the best of three: ``evaluate``, ``write``.
    """
    settings = size.settings(cycles=1, steps=20, protocol={"name": "clean"}, jobs=1)
    val = load_phase(phase_file(folder, "val"))
    names = [str(c) for c in range(size.classes)]
    rows = []
    with _scratch() as out:
        inputs = size.inputs(folder, settings)
        train_benchmark(inputs, out / "models", out / "scratch")
        set_up(settings.compute)
        for multiple in multiples:
            test = _test_phase(size, folder, multiple)
            best = [math.inf, math.inf]
            for _ in range(3):
                start = time.perf_counter()
                result = evaluate_seed(
                    *load_seed(out / "models/seed0", validated=True),
                    test,
                    val,
                    inputs.text,
                    settings,
                )
                middle = time.perf_counter()
                write_results(out / "evaluation", [result], {}, None, size.split, names, settings)
                taken = middle - start, time.perf_counter() - middle
                best = [min(pair) for pair in zip(best, taken, strict=True)]
            rows.append({"samples": size.test * multiple, "evaluate": best[0], "write": best[1]})
    return rows


def _test_phase(size: Size, folder: Path, multiple: int) -> PhaseFeatures:
    if multiple == 1:
        return load_phase(phase_file(folder, "test"))
    arrays = size.test_samples(multiple)
    sets = {
        name: SampleSet(
            torch.from_numpy(part.features),
            torch.from_numpy(part.labels),
            None if part.logits is None else torch.from_numpy(part.logits),
        )
        for name, part in arrays.items()
    }
    return PhaseFeatures(sets["train"], sets["zsl"], sets["gzsl"])


MEASUREMENTS: dict[str, Callable[..., Result]] = {
    "timings": timings,
    "train": train,
    "assess": assess,
}


def main(words: list[str] | None = None) -> None:
    """Measure, and write the result as JSON; ``imports`` is what came before, in seconds."""
    imports = time.time() - psutil.Process().create_time()
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=MEASUREMENTS)
    parser.add_argument("size", choices=SIZES)
    parser.add_argument("folder", type=Path, help="what Size.write wrote")
    parser.add_argument("result", type=Path)
    parser.add_argument("numbers", type=int, nargs="+")
    options = parser.parse_args(words)
    measure = MEASUREMENTS[options.what]
    result = measure(SIZES[options.size], options.folder, *options.numbers)
    write_json(options.result, {**result, "imports": imports})


if __name__ == "__main__":
    main()
