"""From measurements to whole runs, and the Markdown tables of both.

A run is one phase of one seed. What is measured is seconds a step, a cycle's end and a start;
whole runs are derived: ``start + cycles (steps · step + cycle_end)``.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.floor import CROSS, floor_seconds, step_bytes, step_flop
from benchmarks.processes import Memory
from benchmarks.sizes import Size

BENCHMARK_RUNS = 6  # 2 phases x 3 seeds
Times = dict[str, float]


@dataclass
class Measured:
    """All measurements of one size.

    Attributes:
        size: which.
        threaded: for each round, the straightforward run with all cores as threads: seconds of a
            ``step``, a ``cycle_end`` and the ``start``.
        single: for each round, the same of one-thread runs side by side, one a core.
        ours: for each round, what `benchmarks.ours.timings` gives.
        rates: processes side by side -> what `benchmarks.floor.measure` gives.
        memory: bytes of the straightforward runs side by side (``theirs``), of our training
            (``ours``) and, where it was looked at, of our ``evaluation``.
        evaluation: what `benchmarks.ours.evaluate` gives.
    """

    size: Size
    threaded: list[Times] = field(default_factory=list)
    single: list[Times] = field(default_factory=list)
    ours: list[Times] = field(default_factory=list)
    rates: dict[int, Times] = field(default_factory=dict)
    memory: dict[str, Memory] = field(default_factory=dict)
    evaluation: list[dict[str, Any]] = field(default_factory=list)


def derive(size: Size, cores: int, threaded: Times, single: Times, ours: Times) -> Times:
    """Whole runs of one round: runs a minute, and minutes a benchmark of 6 runs.

    Args:
        size: its cycles and steps of a full run.
        cores: one-thread runs side by side.
        threaded, single, ours: a round's measurements, see :class:`Measured`.
    """

    def run(part: Times) -> float:
        return part["start"] + size.cycles * (size.steps * part["step"] + part["cycle_end"])

    waves = math.ceil(BENCHMARK_RUNS / cores)
    together = size.cycles * (size.steps * ours["step"] + ours["cycle_end"])
    start = ours["imports"] + ours["start"]
    result = {
        "threaded_rate": 60 / run(threaded),
        "single_rate": 60 * cores / run(single),
        "ours_rate": 60 * ours["runs"] / (start + together),
        "theirs_benchmark": min(BENCHMARK_RUNS * run(threaded), waves * run(single)) / 60,
        "ours_benchmark": (start + together * waves * cores / ours["runs"]) / 60,
        # Of one run while the others run beside it.
        "ours_step": ours["step"] * cores / ours["runs"],
        "ours_cycle_end": ours["cycle_end"] * cores / ours["runs"],
    }
    result["theirs_rate"] = max(result["threaded_rate"], result["single_rate"])
    result["rate_ratio"] = result["ours_rate"] / result["theirs_rate"]
    return result


def _median(rounds: Iterable[Times], name: str) -> float:
    return statistics.median(r[name] for r in rounds)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def comparison_table(measured: Measured, cores: int) -> str:
    """The straightforward loop beside ours, medians over the rounds."""
    m, size = measured, measured.size
    parts = zip(m.threaded, m.single, m.ours, strict=True)
    derived = [derive(size, cores, *part) for part in parts]
    ratios = [d["rate_ratio"] for d in derived]

    def row(name: str, theirs: float, ours: float, digits: int, *, more: bool = False) -> list[str]:
        over, under = (ours, theirs) if more else (theirs, ours)
        # A slope over few short steps may be lost in the noise.
        ratio = f"{over / under:.2f}" if under > 0 else "–"
        return [name, f"{theirs:.{digits}f}", f"{ours:.{digits}f}", ratio]

    alone, plain = _median(m.ours, "alone"), _median(m.ours, "alone_plain")
    mib = 2**20
    rows = [
        row(f"step, one run alone (ms): {cores} threads, ours 1", 1e3 * _median(m.threaded, "step"),
            1e3 * alone, 1),
        ["… a step without cross terms, with", "", f"{1e3 * plain:.1f}, "
         f"{1e3 * (plain + (alone - plain) / CROSS):.1f}", ""],
        row(f"step, {cores} one-thread runs side by side (ms)", 1e3 * _median(m.single, "step"),
            1e3 * _median(derived, "ours_step"), 1),
        row("end of a cycle, side by side (s)", _median(m.single, "cycle_end"),
            _median(derived, "ours_cycle_end"), 2),
        ["runs a minute*, one run with all cores", f"{_median(derived, 'threaded_rate'):.3f}",
         "", ""],
        ["runs a minute*, one-thread runs side by side", f"{_median(derived, 'single_rate'):.3f}",
         f"{_median(derived, 'ours_rate'):.3f}", ""],
        [*row("**runs a minute***, the better of both", _median(derived, "theirs_rate"),
              _median(derived, "ours_rate"), 3, more=True)[:3],
         f"**{statistics.median(ratios):.2f}** ({min(ratios):.2f} to {max(ratios):.2f} in "
         f"{len(ratios)} rounds)"],
        row("whole benchmark*, 2 phases × 3 seeds (min)", _median(derived, "theirs_benchmark"),
            _median(derived, "ours_benchmark"), 1),
        row("peak memory of a run's process (MiB)", m.memory["theirs"].process / mib,
            m.memory["ours"].process / mib, 0),
        row(f"peak memory of all, {cores} runs side by side (MiB)", m.memory["theirs"].group / mib,
            m.memory["ours"].group / mib, 0),
    ]  # fmt: skip
    if "evaluation" in m.memory:
        peak = m.memory["evaluation"].process / mib
        rows.append([f"peak memory of evaluating {size.test} samples (MiB)", "", f"{peak:.0f}", ""])
    unseen, seen = size.unseen, size.seen
    head = f"{size.name}: {seen}/{unseen}, {size.train} training samples, L = {size.latent}, "
    head += f"{size.cycles} cycles of {size.steps} steps"
    return _table([head, "straightforward", "ours", "ratio"], rows)


def floor_table(measured: Sequence[Measured], cores: int) -> str:
    """Arithmetic, bytes, rates and the floor; one column a size and number of busy cores."""
    columns = []
    for m in measured:
        for busy in sorted(m.rates):
            size, rates = m.size, m.rates[busy]
            arithmetic, moved = floor_seconds(size, rates)
            sides = zip(m.threaded, m.single, m.ours, strict=True)
            step = _median(m.ours, "alone")
            if busy > 1:
                step = _median([derive(size, cores, *side) for side in sides], "ours_step")
            larger, total = max(arithmetic, moved), arithmetic + moved
            columns.append(
                [
                    f"{size.name}, {busy} core{'s' if busy > 1 else ''} busy",
                    f"{step_flop(size) / 1e9:.2f}",
                    f"{step_bytes(size) / 1e6:.0f}",
                    f"{step_flop(size) / rates['mm'] / 1e9:.0f}",
                    f"{step_flop(size) / rates['onednn'] / 1e9:.0f}",
                    f"{rates['copy'] / 1e9:.1f}",
                    f"{rates['adam'] / 1e9:.1f}",
                    f"{1e3 * arithmetic:.1f}",
                    f"{1e3 * moved:.1f}",
                    f"{1e3 * larger:.1f} to {1e3 * total:.1f}",
                    f"{1e3 * step:.1f}",
                    f"{step / larger:.2f} to {step / total:.2f}",
                ]
            )
    names = [
        "a step, of one run", "arithmetic (GFLOP)", "bytes (MB)", "torch.mm (GFLOP/s)",
        "oneDNN (GFLOP/s)", "large copy (GB/s)", "fused Adam (GB/s)",
        "arithmetic at the better rate (ms)", "bytes at the better rate (ms)",
        "floor: the larger of both, to their sum (ms)", "ours (ms)", "ours / floor",
    ]  # fmt: skip
    head, *rows = zip(names, *columns, strict=True)
    return _table(head, rows)


def evaluation_table(measured: Measured) -> str:
    """Evaluation of growing numbers of test samples."""
    rows = [
        [
            str(row["samples"]),
            f"{row['evaluate']:.2f}",
            f"{1e6 * row['evaluate'] / row['samples']:.1f}",
            f"{row['write']:.2f}",
        ]
        for row in measured.evaluation
    ]
    head = [
        f"test samples, {measured.size.name}", "ZSL, gate, GZSL, curve (s)", "µs a sample",
        "writing the results (s)",
    ]  # fmt: skip
    return _table(head, rows)


def report(measured: Sequence[Measured], cores: int, machine: str) -> str:
    """All tables."""
    parts = [f"Machine: {machine}."]
    parts += [comparison_table(m, cores) for m in measured]
    parts.append("\\* derived from the rows above it, see below; all else is measured.")
    parts.append(floor_table(measured, cores))
    parts += [evaluation_table(m) for m in measured if m.evaluation]
    return "\n\n".join(parts)
