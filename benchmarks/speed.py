"""Our speed beside a straightforward loop's, in one run: ``python -m benchmarks.speed``.

Both are measured in alternating short rounds, so that a machine that slows down slows both. See
benchmarks/README.md for what each number is.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import joblib
import torch

from amsf.base.progress import track
from amsf.base.storage import read_json, write_text
from benchmarks import floor, ours
from benchmarks.processes import cpu_name, run_together
from benchmarks.report import Measured, Times, report
from benchmarks.sizes import NTU60, NTU120, TINY, Size

README = Path(__file__).parent / "README.md"
BEGIN, END = "<!-- tables: begin -->", "<!-- tables: end -->"


@dataclass(frozen=True)
class Plan:
    """How much is measured.

    Attributes:
        sizes: which; evaluation is timed at the last.
        rounds: how often both sides are measured.
        steps: how many a straightforward run has.
        few, many: steps of our shortened runs.
        seconds: how long each timing of the floor's rates takes.
        copied: bytes of the floor's large copy.
        multiples: how many times the test samples are taken.
        watched: look at memory while the rounds are timed, instead of afterwards.
        jobs: ``compute.jobs`` of ours; 0 is the default, as many as there are cores.
    """

    sizes: tuple[Size, ...] = (NTU60, NTU120)
    rounds: int = 3
    steps: int = 45
    few: int = 5
    many: int = 185
    seconds: float = 0.1
    copied: int = 1 << 28
    multiples: tuple[int, ...] = (1, 2, 4)
    watched: bool = False
    jobs: int = 0


FULL = Plan()
QUICK = Plan((TINY,), 1, 8, 4, 24, 0.005, 1 << 20, (1, 2), watched=True, jobs=1)


class Bench:
    """The measurements of one size; each method is one of them."""

    def __init__(self, plan: Plan, size: Size, folder: Path, cores: int) -> None:
        self.plan, self.size, self.folder, self.cores = plan, size, folder, cores
        self.inputs = folder / "inputs"
        self.measured = Measured(size)

    def write_inputs(self) -> None:
        self.size.write(self.inputs)

    def _straightforward(self, out: Path, threads: int | None) -> list[str]:
        """A straightforward run of one shortened cycle."""
        size = self.size
        options = {
            "cycles": 1,
            "steps": self.plan.steps,
            "batch-size": size.batch,
            "heads": size.heads,
            "latent": size.latent,
            "classifier-samples": size.classifier_samples,
            "classifier-steps": size.classifier_steps,
            **({} if threads is None else {"threads": threads}),
        }
        words = [f"--{name}={value}" for name, value in options.items()]
        return ["benchmarks.straightforward", str(self.inputs), str(out), *words]

    def _run(
        self, memory_of: str, commands: list[list[str]], threads: int | None, *, watch: bool
    ) -> float:
        seconds, memory = run_together(commands, threads, watch=watch)
        if memory is not None:
            self.measured.memory[memory_of] = memory
        return seconds

    def _run_straightforward(self, count: int, threads: int | None, *, watch: bool) -> Times:
        outs = [self.folder / f"straightforward{i}" for i in range(count)]
        commands = [self._straightforward(out, threads) for out in outs]
        wall = self._run("theirs", commands, threads, watch=watch)
        parts = [read_json(out / "seconds.json") for out in outs]
        mean = {name: sum(t[name] for t in parts) / count for name in parts[0]}
        return {
            "step": mean["step"],
            "cycle_end": mean["cycle_end"],
            "start": wall - mean["counted"],
        }

    def threaded(self) -> None:
        self.measured.threaded.append(self._run_straightforward(1, None, watch=False))

    def single(self) -> None:
        watch = self.plan.watched
        self.measured.single.append(self._run_straightforward(self.cores, 1, watch=watch))

    def _run_ours(self, memory: str, what: str, *numbers: int, watch: bool) -> Times:
        result = self.folder / "ours.json"
        words = [what, self.size.name, str(self.inputs), str(result)]
        command = ["benchmarks.ours", *words, *map(str, numbers)]
        self._run(memory, [command], None, watch=watch)
        return read_json(result)

    def ours(self) -> None:
        plan = self.plan
        numbers = plan.few, plan.many, self.cores, plan.jobs
        self.measured.ours.append(self._run_ours("ours", "timings", *numbers, watch=plan.watched))

    def memory(self) -> None:
        plan = self.plan
        self._run_straightforward(self.cores, 1, watch=True)
        numbers = 3, 4 * plan.few, self.cores, plan.jobs
        self._run_ours("ours", "train", *numbers, watch=True)
        # Long enough for several looks.
        self._run_ours("evaluation", "assess", 4, watch=True)

    def rates(self, busy: int) -> None:
        plan = self.plan
        self.measured.rates[busy] = floor.measure(self.size, busy, plan.seconds, plan.copied)

    def evaluation(self) -> None:
        rows = ours.evaluate(self.size, self.inputs, self.plan.multiples)
        self.measured.evaluation.extend(rows)


def measure(plan: Plan, folder: Path, cores: int) -> list[Measured]:
    """Take all measurements of a plan, in ``folder``."""
    benches = [Bench(plan, size, folder / size.name, cores) for size in plan.sizes]
    tasks: list[Callable[[], None]] = [bench.write_inputs for bench in benches]
    for _ in range(plan.rounds):
        for bench in benches:
            tasks += [bench.threaded, bench.ours, bench.single]
    for bench in benches:
        tasks += [partial(bench.rates, busy) for busy in sorted({1, cores})]
        if not plan.watched:
            tasks.append(bench.memory)
    tasks.append(benches[-1].evaluation)
    for task in track(tasks, "measurements"):
        task()
    return [bench.measured for bench in benches]


def describe_machine(cores: int) -> str:
    """CPU, cores, torch and its libraries."""
    used = f"{cores} cores used; torch {torch.__version__}"
    libraries = [
        name
        for name, there in (
            ("MKL", torch.backends.mkl.is_available()),
            ("oneDNN", torch.backends.mkldnn.is_available()),
        )
        if there
    ]
    kernels = torch.backends.cpu.get_cpu_capability()
    return f"{cpu_name()}, {used}, {kernels}, {' and '.join(libraries) or 'no libraries'}"


def replace_tables(text: str, tables: str) -> str:
    """A README with new tables between its markers."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{tables}\n{END}{after}"


def main(words: list[str] | None = None) -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--quick", action="store_true", help="tiny sizes: does the script work?")
    parser.add_argument("--write", action="store_true", help="put the tables into the README")
    options = parser.parse_args(words)
    if options.quick and options.write:
        parser.error("--write keeps the tables of a whole measurement; leave --quick out")
    cores = 1 if options.quick else joblib.cpu_count()
    machine = describe_machine(cores)
    with tempfile.TemporaryDirectory() as name:
        measured = measure(QUICK if options.quick else FULL, Path(name), cores)
    tables = report(measured, cores, machine)
    print(tables)
    if options.write:
        write_text(README, replace_tables(README.read_text(encoding="utf-8"), tables))


if __name__ == "__main__":
    main()
