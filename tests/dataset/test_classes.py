"""Class lists: the shipped ones and a user's own."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from amsf.base.errors import InputError
from amsf.dataset.classes import KNOWN, class_count, load_classes, texts_of

SHIPPED = Path(__file__).parents[2] / "data" / "classes"


@pytest.mark.parametrize(
    ("dataset", "count", "first"),
    [
        ("ntu60", 60, "drink water"),
        ("ntu120", 120, "drink water"),
        ("pku51", 51, "bow"),
        ("utd27", 27, "right arm swipe to the left"),
        ("demo", 59, "drink with the right hand"),
    ],
)
def test_shipped_lists(dataset: str, count: int, first: str) -> None:
    table = load_classes(dataset, SHIPPED)
    assert class_count(dataset, SHIPPED) == len(table) == count
    assert table["id"].tolist() == list(range(count))
    assert table["label"].str.strip().ne("").all()
    assert table["label"].is_unique
    assert set(table["persons"]) <= {1, 2}
    assert table["label"][0] == first


def test_every_known_dataset_has_a_list_and_an_origin() -> None:
    for dataset, info in KNOWN.items():
        assert info.origin
        assert (SHIPPED / f"{dataset}.csv").is_file()


def test_ntu60_is_the_first_half_of_ntu120() -> None:
    assert texts_of("ntu60") == "ntu120"
    assert texts_of("ntu120") == "ntu120"
    assert texts_of("mine") == "mine"
    half = load_classes("ntu60", SHIPPED)
    pd.testing.assert_frame_equal(half, load_classes("ntu120", SHIPPED).head(60))


def test_the_official_two_person_classes_of_ntu() -> None:
    # NTU RGB+D: A50 to A60 are mutual actions; NTU RGB+D 120 adds A106 to A120.
    table = load_classes("ntu120", SHIPPED)
    assert table["id"][table["persons"] == 2].tolist() == [*range(49, 60), *range(105, 120)]


def test_a_list_of_ones_own(tmp_path: Path) -> None:
    # "null" and "NA" are labels like any other, and further columns are kept.
    (tmp_path / "mine.csv").write_text("id,label,persons,note\n0,null,1,a\n1,NA,2,b\n")
    table = load_classes("mine", tmp_path)
    assert table["label"].tolist() == ["null", "NA"]
    assert table["persons"].tolist() == [1, 2]


HEADER = "id,label,persons\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "id,name,persons\n0,a,1\n",
            "the columns are id, name, persons; expected id,label,persons",
        ),
        ("", "not a readable CSV file"),
        (HEADER + "0,a,1\n1,b,1,1,1\n", "line 3 has 5 cells, the header 3"),
        (HEADER + "1,a,1\n2,b,1\n", "row 1 has id 1; expected 0: ids run from 0 without gaps"),
        (HEADER + "0,a,1\n2,b,1\n", "row 2 has id 2; expected 1"),
        (HEADER + "1,a,1\n0,b,1\n", "row 1 has id 1; expected 0"),
        (HEADER + "0,a,1\nx,b,1\n", "row 2 has id x; expected 1"),
        (HEADER + "0,a,1\n1,,1\n", r"class 1 has an empty label \(''\)"),
        (HEADER + "0,a,1\n1, ,1\n", "class 1 has an empty label"),
        (HEADER + "0,a,1\n1,b,1\n2,a ,1\n", r"class 2 has a repeated label \('a'\)"),
        (HEADER, r"mine\.csv: .*no class"),
    ],
)
def test_bad_lists(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "mine.csv").write_text(text)
    with pytest.raises(InputError, match=message) as caught:
        load_classes("mine", tmp_path)
    assert "mine.csv" in str(caught.value)


def test_a_list_that_is_not_text(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_bytes(HEADER.encode() + b"0,\xff\xfe,1\n")
    with pytest.raises(InputError, match=r"mine\.csv: not a readable CSV file"):
        load_classes("mine", tmp_path)


def test_a_missing_list_names_the_known_ones(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text(HEADER + "0,a,1\n")
    with pytest.raises(InputError, match=r"ours\.csv: no class list for dataset 'ours'") as caught:
        load_classes("ours", tmp_path)
    message = str(caught.value)
    assert "demo, florence9, mine, ntu120, ntu60, pku51, utd27, utkinect10" in message
    assert "write this file with columns id,label,persons" in message


def test_numbers_are_labels_as_they_are_written(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("id,label,persons\n0,007,1\n1,12,1\n2,1e3,1\n")
    assert load_classes("mine", tmp_path)["label"].tolist() == ["007", "12", "1e3"]


@pytest.mark.parametrize(
    ("char", "shown"),
    [
        ("\x1b[2J", r"\x1b[2J"), ("\x07", r"\x07"), ("\u202e", r"\u202e"), ("\u2066", r"\u2066"),
        ("\u200b", r"\u200b"), ("\u200f", r"\u200f"), ("\ufeff", r"\ufeff"), ("\n", " "),
    ],
)  # fmt: skip
def test_what_is_not_seen_of_a_label_is_shown(tmp_path: Path, char: str, shown: str) -> None:
    (tmp_path / "mine.csv").write_text(f'id,label,persons\n0,sit,1\n1,"sta{char}nd",1\n')
    assert load_classes("mine", tmp_path)["label"].tolist() == ["sit", f"sta{shown}nd"]


def test_blanks_of_all_kinds_become_one(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("id,label,persons\n0, sit\u00a0\u3000 down ,1\n")
    assert load_classes("mine", tmp_path)["label"].tolist() == ["sit down"]
