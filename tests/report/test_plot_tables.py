"""The tables for `dvc plots`, against the evaluation they come from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from amsf.report.data import SEEN, BenchmarkData
from amsf.report.plot_tables import COLUMNS, write_plot_tables
from tests.support.small_report import CYCLES, STEPS, found_in

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> list[BenchmarkData]:
    return [found_in(tmp_path_factory, key) for key in ("two-u3", "one-u3")]


@pytest.fixture(scope="module")
def tables(
    both: list[BenchmarkData], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, pd.DataFrame]:
    folder = tmp_path_factory.mktemp("plots")
    write_plot_tables(both, folder)
    return {path.stem: pd.read_csv(path) for path in folder.iterdir()}


def test_columns(tables: dict[str, pd.DataFrame]) -> None:
    assert {name: tuple(table.columns) for name, table in tables.items()} == COLUMNS


def test_curve_holds_the_scores_of_each_seed(
    tables: dict[str, pd.DataFrame], both: list[BenchmarkData]
) -> None:
    table = tables["curve"]
    assert set(table["benchmark"]) == {"two-u3"}
    chosen = table[table["point"] == "the gate's threshold"]
    for row in chosen.to_dict("records"):
        scores = both[0].metrics["seeds"][str(row["seed"])]
        assert row["seen"] == pytest.approx(100 * scores["seen"]["overall"], rel=1e-4)
        assert row["unseen"] == pytest.approx(100 * scores["unseen"]["overall"], rel=1e-4)
        on_it = table[(table["seed"] == row["seed"]) & (table["point"] == "any threshold")]
        # The gate's threshold is one of all, so its point lies on the curve.
        distance = np.hypot(on_it["seen"] - row["seen"], on_it["unseen"] - row["unseen"])
        assert distance.min() < 0.01
    assert len(chosen) == 2


def test_confusion_counts_every_sample_once(
    tables: dict[str, pd.DataFrame], both: list[BenchmarkData]
) -> None:
    table = tables["confusion"]
    gzsl = table[table["benchmark"] == "two-u3"]
    assert len(gzsl) == 2 * 3 * 4
    assert gzsl.groupby(["seed", "true"])["samples"].sum().tolist() == [6] * 6
    assert SEEN in set(gzsl["predicted"])
    right = gzsl[gzsl["true"] == gzsl["predicted"]]["samples"].sum()
    mean = both[0].metrics["mean"]["unseen"]["overall"]
    assert right / gzsl["samples"].sum() == pytest.approx(mean)
    zsl = table[table["benchmark"] == "one-u3"]
    assert len(zsl) == 3 * 3
    assert SEEN not in set(zsl["predicted"])


def test_training_tables(tables: dict[str, pd.DataFrame]) -> None:
    accuracy = tables["accuracy"]
    assert set(accuracy["phase"]) == {"val"}
    assert accuracy["cycle"].max() == CYCLES
    losses = tables["losses"]
    assert set(losses["benchmark"]) == {"two-u3", "one-u3"}
    cross = losses[losses["term"] == "text cross"]
    assert ((cross["step"] - 1) % STEPS + 1 > 30).all()
    weights = tables["weights"]
    assert not weights.duplicated(["benchmark", "step", "term"]).any()


def test_a_table_without_rows_is_not_written(both: list[BenchmarkData], tmp_path: Path) -> None:
    write_plot_tables([both[1]], tmp_path)
    assert {p.stem for p in tmp_path.iterdir()} == {"confusion", "losses", "weights"}


def test_equal_data_gives_equal_bytes(both: list[BenchmarkData], tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_plot_tables(both, tmp_path / name)
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def fields_of(node: Any) -> set[str]:
    """Every field that a Vega-Lite template reads or makes."""
    if isinstance(node, list):
        return set().union(*map(fields_of, node))
    if not isinstance(node, dict):
        return set()
    own = {node["field"]} if isinstance(node.get("field"), str) else set()
    return own.union(*map(fields_of, node.values()))


def made_by(node: Any) -> set[str]:
    """Fields that the template computes."""
    if isinstance(node, list):
        return set().union(*map(made_by, node))
    if not isinstance(node, dict):
        return set()
    own = {node["as"]} if isinstance(node.get("as"), str) else set()
    return own.union(*map(made_by, node.values()))


PLOTS = {
    name: plot
    for entry in yaml.safe_load((ROOT / "dvc.yaml").read_text())["plots"]
    for name, plot in entry.items()
}


@pytest.mark.parametrize("name", PLOTS)
def test_each_plot_of_the_pipeline_reads_columns_that_are_there(name: str) -> None:
    plot = PLOTS[name]
    [(path, y)] = plot["y"].items()
    columns = {*COLUMNS[Path(path).stem], "rev"}
    assert Path(path).parent == Path("metrics/plots")
    assert {plot["x"], y} <= columns
    template = json.loads((ROOT / f".dvc/plots/{plot['template']}.json").read_text())
    assert fields_of(template) - made_by(template) <= columns
    assert template["data"] == {"values": "<DVC_METRIC_DATA>"}


def test_every_table_and_template_is_drawn() -> None:
    drawn = {Path(path).stem for plot in PLOTS.values() for path in plot["y"]}
    assert drawn == set(COLUMNS)
    templates = {path.stem for path in (ROOT / ".dvc/plots").iterdir()}
    assert templates == {plot["template"] for plot in PLOTS.values()}
