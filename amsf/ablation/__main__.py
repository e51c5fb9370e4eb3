"""Ablations: run a grid of experiments through DVC's queue and gather one table.

    python -m amsf.ablation check data/ablations/demo.yaml    # can all of them run?
    python -m amsf.ablation queue data/ablations/demo.yaml    # then: dvc queue start
    python -m amsf.ablation table data/ablations/demo.yaml    # metrics/ablation.md and .csv

runs from the repository's top folder. See docs/experiments.md.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from amsf.ablation.checks import Checker
from amsf.ablation.experiments import Experiment, Experiments, copied_paths, untracked_code
from amsf.ablation.grid import Cell, Grid, apply_overrides, load_grid, set_param
from amsf.ablation.table import Line, as_frame, as_markdown
from amsf.ablation.tasks import queue_run
from amsf.base.artifacts import METRICS
from amsf.base.command import command
from amsf.base.display import say
from amsf.base.errors import InputError
from amsf.base.progress import track
from amsf.base.project import add_project, inside_project
from amsf.base.storage import write_text
from amsf.base.tables import csv_text
from amsf.base.yaml import read_yaml
from amsf.compare.revisions import Revisions
from amsf.settings.params import PARAMS, Params, load_params, parse_params


def check(grid: Grid, path: Path) -> dict[str, Params]:
    """Validate every combination of a grid.

    Returns:
        The parameters of each experiment, by name.

    Raises:
        InputError: some cannot run; each reason is given once, with the experiments that it stops.
    """
    load_params()
    checker = Checker(_raw_params())
    valid: dict[str, Params] = {}
    stopped: dict[str, list[str]] = {}
    cells = [cell for cell in grid.cells if not cell.excluded]
    for cell in track(cells, "combinations checked"):
        params, reasons = checker.findings(cell)
        for reason in reasons:
            stopped.setdefault(reason, []).append(cell.name)
        if params is not None and not reasons:
            valid[cell.name] = params
    if stopped:
        reasons = [
            line
            for reason, names in stopped.items()
            for line in (f"- {reason}", f"  {len(names)} of them: {', '.join(names)}")
        ]
        raise InputError(
            f"{path}: {len(cells) - len(valid)} of {len(cells)} combinations cannot run, and "
            "nothing was queued. Mend them, or list them under `exclude`:",
            *reasons,
        )
    return valid


def queue(grid: Grid, path: Path) -> str:
    """Queue what is neither done nor waiting; what was done, in words.

    Raises:
        InputError: a combination cannot run, or an experiment of its name has other parameters, or
            git does not know a file that the experiments need. Nothing is queued then.
    """
    with Revisions() as revisions:
        unknown = untracked_code(revisions)
        if unknown:
            raise InputError(
                f"git does not know {', '.join(unknown)}; a queued experiment runs in a folder of "
                "its own, without them: `git add` them first"
            )
        valid = check(grid, path)
        experiments = Experiments(revisions)
        states = {name: experiments.of(name, params) for name, params in valid.items()}
        _refuse_changed(states)
        raw = _raw_params()
        new = [cell for cell in grid.cells if _is_new(cell, states)]
        for cell in track(new, "experiments queued"):
            words = [set_param(raw, key, value) for key, value in cell.overrides.items()]
            queue_run(revisions.root, cell.name, words, copied_paths(revisions, valid[cell.name]))
        head = revisions.head
    lines = [f"{name}: {_outcome(experiment, head)}" for name, experiment in states.items()]
    lines.append(
        f"{len(new)} queued. Run them with `dvc queue start`, look with `dvc queue status`, then "
        f"`python -m amsf.ablation table {path}`"
        if new
        else f"nothing to queue; `python -m amsf.ablation table {path}` gathers the results"
    )
    return "\n".join(lines)


def table(grid: Grid, out: Path = METRICS.ablation) -> str:
    """Write ``out``.md and ``out``.csv from the experiments that are done; the Markdown."""
    base, raw = load_params(), _raw_params()
    lines = []
    with Revisions() as revisions:
        experiments = Experiments(revisions)
        for cell in track(grid.cells, "experiments read"):
            experiment = None if cell.excluded else _experiment_of(cell, experiments, raw)
            rows = _rows(revisions, experiment)
            lines += [Line(cell, experiment, key, rows.get(key, {})) for key in base.benchmarks]
    simulated = [key for key, entry in base.benchmarks.items() if entry.dataset == "demo"]
    markdown = as_markdown(grid, lines, simulated)
    frame = as_frame(grid, lines, simulated)
    write_text(out.with_suffix(".md"), markdown)
    write_text(out.with_suffix(".csv"), csv_text(frame))
    return markdown


def _outcome(experiment: Experiment, head: str) -> str:
    """What became of one combination, in words."""
    if experiment.named is not None and experiment.named.baseline != head:
        return f"already done from commit {experiment.named.baseline[:10]}, left alone"
    return {
        "absent": "queued",
        "failed": "queued again after it failed",
        "done": "already done, left alone",
        "running": "already running",
    }.get(experiment.state, "already in the queue")


def _is_new(cell: Cell, states: Mapping[str, Experiment]) -> bool:
    return not cell.excluded and states[cell.name].state in ("absent", "failed")


def _experiment_of(cell: Cell, experiments: Experiments, raw: Mapping[str, Any]) -> Experiment:
    try:
        params = parse_params(apply_overrides(raw, cell.overrides), "parameters")
    except InputError as error:
        return Experiment("invalid", str(error))
    return experiments.of(cell.name, params)


def _refuse_changed(states: Mapping[str, Experiment]) -> None:
    changed = [
        f"{name} ({experiment.reason})"
        for name, experiment in states.items()
        if experiment.state == "changed"
    ]
    if changed:
        raise InputError(
            "experiments of these names have other parameters than the grid and params.yaml say "
            f"now; nothing was queued: {'; '.join(changed)}. Remove them with `dvc exp remove` (or "
            "`dvc queue remove`), or give the grid another name"
        )


def _rows(revisions: Revisions, experiment: Experiment | None) -> dict[str, Any]:
    """The scores of an experiment that is done."""
    if experiment is None or experiment.named is None:
        return {}
    return dict(json.loads(revisions.open(experiment.named.revision).read(str(METRICS.scores))))


def _raw_params() -> dict[str, Any]:
    return dict(read_yaml(PARAMS))


def parser(prog: str = "python -m amsf.ablation") -> argparse.ArgumentParser:
    """What the command takes."""
    own = argparse.ArgumentParser(prog=prog, description=__doc__.split("\n")[0])
    own.add_argument("action", choices=["check", "queue", "table"])
    own.add_argument("grid", type=Path, help="such as data/ablations/demo.yaml")
    add_project(own)
    return own


def main(arguments: Sequence[str] | None = None, prog: str = "python -m amsf.ablation") -> None:
    """The command line."""
    given = parser(prog).parse_args(arguments)
    with command(), inside_project(given):
        _run(given)


def _run(given: argparse.Namespace) -> None:
    grid = load_grid(given.grid)
    if given.action == "check":
        say(f"all {len(check(grid, given.grid))} combinations can run")
    else:
        say(queue(grid, given.grid) if given.action == "queue" else table(grid))


if __name__ == "__main__":
    main()
