"""Comparisons as text, Markdown and CSV."""

from __future__ import annotations

import io

import pandas as pd
import pytest

from amsf.compare.pairs import compare_experiments, compare_seeds
from amsf.compare.tables import Report, as_csv, as_markdown, as_text, of_evaluations
from tests.compare.test_checks import evaluation

SEEDS = (0, 1, 2)
BASE, HIGH = evaluation("low", 0.55, SEEDS), evaluation("high", 0.85, SEEDS)


def report(*others: str, seeds: tuple[int, ...] = SEEDS) -> Report:
    made = [evaluation(name, 0.85, seeds) for name in others]
    found = compare_experiments(BASE, made, ["zsl", "H"], per_class=False)
    return of_evaluations("tiny", BASE, "overall", found)


def test_text_says_how_much_how_sure_and_in_words() -> None:
    told = as_text(report("high"))
    (line,) = [line for line in told.splitlines() if line.strip().startswith("ZSL")]
    d = report("high").comparisons[0].rows[0].difference
    assert f"{100 * d.mean:+.1f}" in line
    assert f"[{100 * d.interval.low:.1f}, {100 * d.interval.high:.1f}]" in line
    assert line.endswith("better")
    assert "high against low, paired by seed (0, 1, 2) and sample" in told
    assert "3 seeds make wide intervals" in told
    assert "Holm" not in told


def test_columns_are_aligned() -> None:
    told = as_text(report("high")).splitlines()
    rows = [line for line in told if line.startswith(("  ZSL", "  H "))]
    assert len(rows) == 2
    assert len({line.index("]") for line in rows}) == 1


def test_several_comparisons_are_said_to_be_adjusted() -> None:
    assert "p is adjusted for 2 comparisons (Holm)" in as_text(report("high", "higher"))


def test_one_seed_and_seeds_among_themselves_are_told_apart() -> None:
    assert "Whether it would hold with other seeds is not known" in as_text(
        report("high", seeds=(1,))
    )
    seeds = of_evaluations("tiny", BASE, "overall", compare_seeds(BASE, ["zsl"], per_class=False))
    told = as_text(seeds)
    assert "a seed is compared with a seed" in told
    assert "other seeds alone" not in told


def test_markdown_has_whole_tables() -> None:
    lines = as_markdown(report("high")).splitlines()
    rows = [line for line in lines if line.startswith("|")]
    assert len(rows) == 4
    assert len({line.count("|") for line in rows}) == 1


def test_csv_has_every_number() -> None:
    made = report("high")
    table = pd.read_csv(io.StringIO(as_csv([made])))
    assert table["metric"].tolist() == ["ZSL", "H"]
    for row, known in zip(table.itertuples(), made.comparisons[0].rows, strict=True):
        d = known.difference
        assert row.difference == pytest.approx(100 * d.mean, rel=1e-4)
        assert (row.low, row.high) == pytest.approx(
            (100 * d.interval.low, 100 * d.interval.high), rel=1e-4
        )
        assert row.p_holm == pytest.approx(known.adjusted, rel=1e-4)
        assert row.verdict == "better"
