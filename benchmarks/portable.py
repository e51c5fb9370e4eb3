"""What ``compute.portable`` costs: ``python -m benchmarks.portable [--rounds N]``.

Steps of the VAE and of the skeleton encoder and the encoding of a text, with the pins and without,
in alternating rounds; each measurement is a process of its own, on one thread, in a folder whose
params.yaml sets ``compute.portable``.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import amsf.stage.pinned  # noqa: F401  (before anything loads NumPy or torch)

# ruff: isort: split
import numpy as np
import torch

from amsf.backbone.network import EncoderShape
from amsf.backbone.preprocessing import prepare
from amsf.backbone.training import train_encoder
from amsf.base.progress import track
from amsf.demo.simulation import simulate
from amsf.machine.device import set_up
from amsf.settings.params import Backbone, Text
from amsf.skeleton.joints import layout_of
from amsf.stage.portable import PINS
from amsf.text.encoders import load_encoder
from benchmarks.ours import Trainings
from benchmarks.processes import ROOT, cpu_name
from benchmarks.sizes import NTU60, TINY, Size

FEW, MANY = 5, 65  # steps; a step is a slope between the two
FRAMES = 64  # as for NTU RGB+D
ROWS = {
    "vae": "step of the VAE, {size} (ms)",
    "encoder": f"step of the skeleton encoder, 32 recordings of {FRAMES} frames (ms)",
    "text": "a text of 32 words through MiniLM (ms)",
}


def slope(seconds: Callable[[int], float], few: int, many: int) -> float:
    """Milliseconds that one more step takes; the better of two pairs."""
    return min(1000 * (seconds(many) - seconds(few)) / (many - few) for _ in range(2))


def vae_step(size: Size, folder: Path, many: int) -> float:
    """Milliseconds of a step of one run."""
    trainings = Trainings(size, folder)
    trainings.seconds(1, FEW, task="zsl", jobs=1)  # the first call allocates
    return slope(lambda steps: trainings.seconds(1, steps, task="zsl", jobs=1), FEW, many)


def encoder_step(epochs: int) -> float:
    """Milliseconds of a step: an epoch of 32 recordings is one."""
    recordings = simulate(subjects=4, repetitions=1)
    rows = np.arange(32)
    samples = prepare(recordings, rows, layout_of(recordings.layout), FRAMES)
    shape = EncoderShape(recordings.layout, 59, FRAMES)

    def seconds(count: int) -> float:
        start = time.perf_counter()
        knobs = Backbone(epochs=count, frames=FRAMES)
        train_encoder(samples, recordings.label[rows], range(59), shape, knobs, torch.device("cpu"))
        return time.perf_counter() - start

    return slope(seconds, 1, epochs)


def text_time(count: int) -> float:
    """Milliseconds a text."""
    encoder = load_encoder(Text())
    texts = [f"{number} " + "raise the left arm slowly " * 6 for number in range(count)]
    encoder.encode(texts[:2])
    start = time.perf_counter()
    encoder.encode(texts)
    return 1000 * (time.perf_counter() - start) / count


def measure_here(size: Size, folder: Path) -> dict[str, float]:
    """All three in this process."""
    tiny = size is TINY
    set_up(size.settings(cycles=1, steps=1).compute)
    return {
        "vae": vae_step(size, folder, MANY),
        "encoder": encoder_step(2 if tiny else 9),
        "text": text_time(4 if tiny else 96),
    }


def measure(size: Size, rounds: int, folder: Path) -> dict[bool, list[dict[str, float]]]:
    """Portable or not -> what each round gave."""
    size.write(folder / "inputs")
    found: dict[bool, list[dict[str, float]]] = {True: [], False: []}
    environment = {name: v for name, v in os.environ.items() if name not in PINS}
    environment |= {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    for number in track(range(2 * rounds), "measurements"):
        portable = number % 2 == 0
        place = folder / str(portable)
        place.mkdir(exist_ok=True)
        text = f"compute: {{portable: {str(portable).lower()}}}"
        (place / "params.yaml").write_text(text, encoding="utf-8")
        command = [sys.executable, "-m", "benchmarks.portable", "--here", str(folder / "inputs")]
        done = subprocess.run(
            [*command, "--size", size.name],
            cwd=place,
            env=environment,
            check=True,
            text=True,
            stdout=subprocess.PIPE,
        )
        found[portable].append(json.loads(done.stdout.splitlines()[-1]))
    return found


def table(size: Size, found: dict[bool, list[dict[str, float]]]) -> str:
    """Medians over the rounds, and the range of the rounds' ratios."""
    lines = [
        f"| {cpu_name()}, torch {torch.__version__}, one thread | portable | native | ratio |",
        "| --- | --- | --- | --- |",
    ]
    for name, title in ROWS.items():
        pinned, free = ([row[name] for row in found[portable]] for portable in (True, False))
        ratios = [a / b for a, b in zip(pinned, free, strict=True)]
        lines.append(
            f"| {title.format(size=size.name)} | {statistics.median(pinned):.1f} "
            f"| {statistics.median(free):.1f} | {statistics.median(ratios):.2f} "
            f"({min(ratios):.2f} to {max(ratios):.2f}) |"
        )
    return "\n".join(lines)


def main(words: list[str] | None = None) -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--size", choices=[NTU60.name, TINY.name], default=NTU60.name)
    parser.add_argument("--here", type=Path, help=argparse.SUPPRESS)  # in a process of its own
    options = parser.parse_args(words)
    size = next(size for size in (NTU60, TINY) if size.name == options.size)
    if options.here:
        print(json.dumps(measure_here(size, options.here)))
        return
    with tempfile.TemporaryDirectory() as name:
        print(table(size, measure(size, options.rounds, Path(name))))


if __name__ == "__main__":
    main()
