"""The results of a grid as one Markdown and one CSV table. Percent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from amsf.ablation.experiments import Experiment
from amsf.ablation.grid import Cell, Grid
from amsf.compare.pairs import METRICS

ABOUT = ("protocol", "selection", "seeds")
WORDS = {
    "done": "done",
    "running": "running",
    "queued": "in the queue",
    "failed": "failed",
    "changed": "other parameters",
    "absent": "not run",
    "invalid": "cannot run",
    "excluded": "excluded",
}


@dataclass(frozen=True)
class Line:
    """One combination's result for one benchmark.

    Attributes:
        cell: the combination.
        experiment: where its experiment stands; None if the grid leaves it out.
        benchmark: the benchmark's key.
        row: its row of metrics/gzsl.json; empty if there is none.
    """

    cell: Cell
    experiment: Experiment | None
    benchmark: str
    row: Mapping[str, Any]

    @property
    def state(self) -> str:
        """In words: ``done``, ``failed``, ``not run`` ..."""
        return WORDS[self.experiment.state if self.experiment else "excluded"]

    @property
    def reason(self) -> str:
        """Why there is no result, as far as it is known."""
        return self.experiment.reason if self.experiment else ""


def as_frame(grid: Grid, lines: Sequence[Line], simulated: Sequence[str]) -> pd.DataFrame:
    """A row for each combination and benchmark; means and deviations are empty where not done."""
    frame = pd.DataFrame(
        [
            {
                **line.cell.points,
                "benchmark": line.benchmark,
                "simulated": line.benchmark in simulated,
                "experiment": line.cell.name,
                "state": line.state,
                "reason": line.reason,
                **{
                    f"{shown}_{moment}": line.row.get(metric, {}).get(moment)
                    for metric, shown in METRICS.items()
                    for moment in ("mean", "std")
                },
                **{name: line.row.get(name) for name in ABOUT},
                "revision": line.experiment.named.revision[:10]
                if line.experiment and line.experiment.named
                else "",
                "commit": line.experiment.named.baseline[:10]
                if line.experiment and line.experiment.named
                else "",
            }
            for line in lines
        ]
    )
    return frame.astype({"seeds": "Int64"})


def as_markdown(grid: Grid, lines: Sequence[Line], simulated: Sequence[str]) -> str:
    """A table a benchmark; the best mean of each column in bold; what is missing is listed."""
    page = [f"# Ablation `{grid.name}`: {' × '.join(grid.axes)}", ""]
    for benchmark in dict.fromkeys(line.benchmark for line in lines):
        own = [line for line in lines if line.benchmark == benchmark]
        page += _section(grid, benchmark, own, benchmark in simulated)
    commits = {
        line.experiment.named.baseline[:10]
        for line in lines
        if line.experiment and line.experiment.named
    }
    if len(commits) > 1:
        page += [
            f"The experiments start from {len(commits)} commits ({', '.join(sorted(commits))}), "
            "so their code may differ.",
            "",
        ]
    page += _missing(lines)
    done = [line.cell.name for line in lines if line.row]
    if len(set(done)) > 1:
        page += [
            "Whether a difference would hold with other seeds and test samples is shown by "
            f"`python -m amsf.compare {done[0]} {done[-1]}`; the bold figure is the highest mean, "
            "no more.",
            "",
        ]
    return "\n".join(page)


def _section(grid: Grid, benchmark: str, lines: Sequence[Line], simulated: bool) -> list[str]:
    rows = [line.row for line in lines if line.row]
    metrics = [m for m in METRICS if not rows or any(m in row for row in rows)]
    best = {m: max((r[m]["mean"] for r in rows if m in r), default=None) for m in metrics}
    # What is the same everywhere stands above the table, the rest in columns of its own.
    about = {name: {row[name] for row in rows} for name in ABOUT}
    columns = [name for name in ABOUT if len(about[name]) > 1]
    same = [f"{name} {next(iter(v))}" for name, v in about.items() if len(v) == 1]
    kind = "**SIMULATED recordings.** " if simulated else ""
    page = [
        f"## {benchmark}",
        "",
        f"{kind}Percent, mean ± standard deviation over seeds. {len(rows)} of {len(lines)} "
        f"combinations done. {', '.join(same).capitalize()}{'.' if same else ''}".rstrip(),
        "",
    ]
    head = [*grid.axes, *(METRICS[m] for m in metrics), *columns]
    page += [
        f"| {' | '.join(head)} |",
        "|" + "---|" * len(grid.axes) + "---:|" * len(metrics) + "---|" * len(columns),
    ]
    for line in lines:
        if line.row:
            cells = [_score(line.row.get(m), best[m]) for m in metrics]
            cells += [str(line.row[name]) for name in columns]
        else:
            cells = [line.state, *[""] * (len(metrics) - 1 + len(columns))]
        page.append(f"| {' | '.join([*line.cell.points.values(), *cells])} |")
    return [*page, ""]


def _score(value: Mapping[str, float] | None, best: float | None) -> str:
    if value is None:
        return ""
    mean = f"{value['mean']:.1f}"
    page = f"**{mean}**" if value["mean"] == best else mean
    return f"{page} ± {value['std']:.1f}" if "std" in value else page


def _missing(lines: Sequence[Line]) -> list[str]:
    """Each combination without a result once, with the reason."""
    found = {
        line.cell.name: f"- `{line.cell.name}`: {line.state}"
        + (f": {line.reason}" if line.reason else "")
        for line in lines
        if not line.row
    }
    return ["Without a result:", "", *found.values(), ""] if found else []
