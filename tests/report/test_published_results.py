"""Published results beside ours: the shipped table, and when the two compare."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from amsf.base.errors import InputError
from amsf.report.published_results import (
    COLUMNS,
    Conditions,
    PublishedResult,
    load_published,
    published_beside,
)

ROOT = Path(__file__).parents[2]
OURS = Conditions("ntu60", 55, 5, False, "published", "clip-vit-b32", "listed", "test")
HEADER = ",".join(COLUMNS)


def write(folder: Path, *rows: str) -> Path:
    path = folder / "published.csv"
    path.write_text("\n".join([HEADER, *rows]) + "\n")
    return path


def test_the_shipped_table() -> None:
    table = load_published(ROOT / "data/published_results.csv")
    # Four benchmarks of NTU for seven methods; UTD-MHAD and NW-UCLA for three.
    assert len(table) == 4 * 7 + 2 * 3
    assert not table.duplicated(["dataset", "unseen", "method"]).any()
    assert (table["source"] != "").all()
    one = table[(table["method"] == "FS-VAE") & (table["dataset"] == "ntu120")]
    assert one[["seen", "unseen", "zsl", "H"]].to_numpy().tolist() == [
        [110, 10, 74.4, 63.3],
        [96, 24, 62.5, 54.7],
    ]
    assert table[table["method"] == "TDSM"]["H"].isna().all()


def test_only_results_on_the_same_classes_stand_beside() -> None:
    table = load_published(ROOT / "data/published_results.csv")
    utd = replace(OURS, dataset="utd27", seen=22)
    assert [(r.method, r.zsl, r.H) for r in published_beside(utd, table)] == [
        ("ReViSE", 29.37, None),
        ("DeViSE", 12.5, None),
        ("PURLS", 57.5, None),
    ]
    assert published_beside(replace(OURS, unseen=12), table) == []
    assert published_beside(replace(OURS, dataset="demo"), table) == []


def test_a_result_that_agrees_leaves_the_imported_features_open(tmp_path: Path) -> None:
    row = "ntu60,55,5,X,80,70,X,Shift-GCN,minilm,listed,val,overall"
    table = load_published(write(tmp_path, row))
    ours = replace(OURS, text_encoder="minilm", selection="val")
    [same] = published_beside(ours, table)
    assert (same.verdict, same.differs, len(same.unknown)) == ("not known", (), 1)
    table["skeleton_encoder"] = ""
    assert published_beside(ours, table)[0].unknown == ("skeleton encoder",)


def test_yes_takes_a_row_without_a_question() -> None:
    assert PublishedResult("X", "X", 1.0, 1.0, (), ()).verdict == "yes"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"features": "backbone"}, "Shift-GCN there, our own encoder here"),
        ({"features": "motion"}, "Shift-GCN there, motion statistics here"),
        ({"features": "backbone+motion"}, "our own encoder with motion statistics here"),
        ({"text_encoder": "minilm"}, "clip-vit-b32 there, minilm here"),
        ({"split": "hard"}, "listed classes there, hard ones here"),
        ({"selection": "val"}, "on the test samples of the unseen classes there, on validation"),
        ({"weighting": "per_class"}, "overall there, per class here"),
        ({"simulated": True}, "recordings: simulated here"),
    ],
)
def test_each_difference_is_named(tmp_path: Path, change: dict[str, str], told: str) -> None:
    row = "ntu60,55,5,X,80,70,X,Shift-GCN,clip-vit-b32,listed,test,overall"
    table = load_published(write(tmp_path, row))
    assert published_beside(OURS, table)[0].differs == ()
    [other] = published_beside(replace(OURS, **change), table)  # type: ignore[arg-type]
    assert other.verdict == "no"
    assert len(other.differs) == 1
    assert told in other.differs[0]


def test_what_is_not_recorded_is_named() -> None:
    table = load_published(ROOT / "data/published_results.csv")
    star = next(r for r in published_beside(OURS, table) if r.method == "STAR")
    assert star.verdict == "not known"
    assert len(star.unknown) == 5
    table["selection"] = "test"
    chosen = next(r for r in published_beside(replace(OURS, selection="val"), table))
    assert chosen.verdict == "no"


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("ntu60,55,5,X,101,70,X,,,,,", "zsl is '101'"),
        ("ntu60,55,5,X,80,-1,X,,,,,", "H is '-1'"),
        ("ntu60,55,5,X,eighty,70,X,,,,,", "zsl is 'eighty'"),
        ("ntu60,,5,X,80,70,X,,,,,", "seen is ''"),
    ],
)
def test_a_wrong_number_is_told(tmp_path: Path, row: str, told: str) -> None:
    with pytest.raises(InputError, match="row 1") as error:
        load_published(write(tmp_path, row))
    assert told in str(error.value)


def test_a_wrong_table_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        load_published(tmp_path / "none.csv")
    (tmp_path / "bad.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="found columns a, b"):
        load_published(tmp_path / "bad.csv")
    (tmp_path / "bytes.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not a readable CSV"):
        load_published(tmp_path / "bytes.csv")
