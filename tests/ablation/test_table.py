"""One Markdown and one CSV table of a grid."""

from __future__ import annotations

import pandas as pd

from amsf.ablation.experiments import Experiment
from amsf.ablation.grid import Cell, Grid
from amsf.ablation.table import Line, as_frame, as_markdown
from amsf.compare.revisions import Named

NAMES = ("zsl", "seen", "unseen", "H", "ausuc")


def row(h: float, protocol: str = "clean", **more: object) -> dict[str, object]:
    scores = {name: {"mean": 50.0, "std": 1.25} for name in NAMES} | {"H": {"mean": h, "std": 2.0}}
    return {**scores, "protocol": protocol, "selection": "val", "seeds": 3, **more}


def cell(fusion: str, excluded: bool = False) -> Cell:
    return Cell(f"g-{fusion}", {"fusion": fusion}, {"model.fusion": fusion}, excluded)


CELLS = (cell("Add"), cell("MHA"), cell("MLP"), cell("SA", excluded=True))
GRID = Grid("g", ("fusion",), CELLS)


def done(commit: str) -> Experiment:
    return Experiment("done", named=Named("r" * 40, commit * 40))


LINES = [
    Line(CELLS[0], done("a"), "demo-u8", row(41.26)),
    Line(CELLS[1], done("a"), "demo-u8", row(47.84)),
    Line(CELLS[2], Experiment("failed", "no memory"), "demo-u8", {}),
    Line(CELLS[3], None, "demo-u8", {}),
]


def test_best_is_bold_and_the_rest_is_not() -> None:
    told = as_markdown(GRID, LINES, ["demo-u8"])
    assert "| Add | **50.0** ± 1.2 |" in told  # a tie: both are the best
    assert "| **47.8** ± 2.0 |" in told
    assert "| 41.3 ± 2.0 |" in told


def test_what_is_missing_is_marked_with_its_reason() -> None:
    told = as_markdown(GRID, LINES, ["demo-u8"])
    assert "| MLP | failed |" in told
    assert "- `g-MLP`: failed: no memory" in told
    assert "- `g-SA`: excluded" in told
    assert "2 of 4 combinations done" in told


def test_every_row_of_a_table_has_as_many_cells() -> None:
    other = [*LINES[:1], Line(CELLS[1], done("a"), "demo-u8", row(47, "reference")), *LINES[2:]]
    for lines in (LINES, other, LINES[2:]):
        rows = [r for r in as_markdown(GRID, lines, []).splitlines() if r.startswith("|")]
        assert len({r.count("|") for r in rows}) == 1


def test_protocol_and_seeds_stand_above_or_in_columns_where_they_differ() -> None:
    told = as_markdown(GRID, LINES, ["demo-u8"])
    assert "Protocol clean, selection val, seeds 3." in told
    mixed = [LINES[0], Line(CELLS[1], done("a"), "demo-u8", row(47, "reference"))]
    told = as_markdown(GRID, mixed, [])
    assert "| AUSUC | protocol |" in told
    assert "| reference |" in told


def test_simulated_data_says_so() -> None:
    assert "**SIMULATED recordings.**" in as_markdown(GRID, LINES, ["demo-u8"])
    assert "SIMULATED" not in as_markdown(GRID, LINES, [])


def test_experiments_of_several_commits_are_told() -> None:
    two = [LINES[0], Line(CELLS[1], done("b"), "demo-u8", row(47))]
    assert f"2 commits ({'a' * 10}, {'b' * 10})" in as_markdown(GRID, two, [])
    assert "commits" not in as_markdown(GRID, LINES, [])


def test_a_benchmark_without_gzsl_has_one_score() -> None:
    only = {"zsl": {"mean": 60.0, "std": 3.0}, "protocol": "clean", "selection": "last", "seeds": 2}
    told = as_markdown(GRID, [Line(CELLS[0], done("a"), "x", only)], [])
    assert "| fusion | ZSL |" in told
    assert "| Add | **60.0** ± 3.0 |" in told


def test_one_table_a_benchmark() -> None:
    both = [*LINES, *(Line(li.cell, li.experiment, "utd27-u5", li.row) for li in LINES)]
    told = as_markdown(GRID, both, ["demo-u8"])
    assert told.count("| fusion |") == 2
    assert told.count("- `g-MLP`") == 1


def test_csv_has_a_line_a_combination_and_benchmark() -> None:
    frame = as_frame(GRID, LINES, ["demo-u8"])
    assert frame["state"].tolist() == ["done", "done", "failed", "excluded"]
    assert frame["H_mean"].tolist()[:2] == [41.26, 47.84]
    assert pd.isna(frame["H_mean"][2])
    assert frame["reason"][2] == "no memory"
    assert frame["commit"].tolist() == ["a" * 10, "a" * 10, "", ""]
    assert frame["simulated"].all()
