"""Class texts: reading, checking, and writing for the encoder."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from amsf.base.errors import InputError
from amsf.dataset.classes import KNOWN, load_classes
from amsf.settings.params import WHOLE_VIEWS
from amsf.text.descriptions import (
    VIEWS,
    load_descriptions,
    load_texts,
    text_digests,
    write_descriptions,
)

SHIPPED = ("demo", "ntu60", "ntu120", "pku51", "utd27")


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A dataset of the user's own with three classes and two views."""
    (tmp_path / "classes").mkdir()
    (tmp_path / "texts" / "mine").mkdir(parents=True)
    (tmp_path / "classes" / "mine.csv").write_text("id,label,persons\n0,hop,1\n1,NA,1\n2,sit,1\n")
    texts = tmp_path / "texts" / "mine"
    (texts / "lb.csv").write_text('id,text\n0,"hop, twice"\n1,NA\n2,  sit   down \n')
    (texts / "MAad.csv").write_text("id,text\n0,a\n1,b\n2,c\n")
    return tmp_path


def load(own: Path) -> dict[str, pd.DataFrame]:
    return load_texts("mine", own / "texts", own / "classes")


def test_own_texts_with_some_views(own: Path) -> None:
    texts = load(own)
    assert list(texts) == ["lb", "MAad"]
    # "NA" is a text and not a missing value; blanks are made single.
    assert texts["lb"]["text"].tolist() == ["hop, twice", "NA", "sit down"]
    assert texts["lb"]["sample"].tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("file", "content", "told"),
    [
        ("lb.csv", None, "needs at least this view"),
        ("lb.csv", "id,label\n0,a\n1,b\n2,c\n", "the columns are id,label; expected id,text"),
        ("lb.csv", "id,text\n0,a\n2,c\n", "no text for class 1"),
        ("lb.csv", "id,text\n0,a\n1,b\n2,c\n3,d\n", "an id 3"),
        ("lb.csv", "id,text\n0,a\n1,b\n1,b\n2,c\n", "comes twice"),
        ("lb.csv", "id,text\n1,a\n0,b\n2,c\n", "out of order"),
        ("lb.csv", "id,text\n0,a\n1,  \n2,c\n", "text of class 1 is empty"),
        ("lb.csv", "id,text\n0,a,b,c\n1,b\n2,c\n", "lb.csv"),
        ("LLMAD.csv", "id,text\n0,a\n1,b\n2,c\n", "'LLMAD' is no view"),
    ],
)
def test_bad_texts_are_refused(own: Path, file: str, content: str | None, told: str) -> None:
    path = own / "texts" / "mine" / file
    if content is None:
        path.unlink()
    else:
        path.write_text(content)
    with pytest.raises(InputError, match=told):
        load(own)


def test_descriptions_round_trip_with_samples(own: Path) -> None:
    texts = load(own)
    rows = [(i, s, f'text "{i}", sample {s}\u2019') for i in range(3) for s in range(2)]
    texts["LLMad"] = pd.DataFrame(rows, columns=["id", "sample", "text"])
    write_descriptions(texts, own / "out")
    back = load_descriptions(own / "out", 3)
    assert list(back) == list(texts)
    for view, table in texts.items():
        pd.testing.assert_frame_equal(back[view], table, check_dtype=False)
    assert text_digests(back) == text_digests(texts)
    with pytest.raises(InputError, match="no text for class 3"):
        load_descriptions(own / "out", 4)
    with pytest.raises(InputError, match="run the stage describe"):
        load_descriptions(own / "nowhere", 3)


@pytest.mark.parametrize("dataset", SHIPPED)
def test_shipped_texts_are_whole(dataset: str) -> None:
    classes = load_classes(dataset)
    texts = load_texts(dataset)
    assert tuple(texts) in (VIEWS, WHOLE_VIEWS)
    for view in WHOLE_VIEWS:
        table = texts[view]
        assert table["id"].tolist() == classes["id"].tolist(), view
        # Two classes with one text could not be told apart.
        assert not table["text"].str.lower().duplicated().any(), view


def test_ntu60_has_the_first_texts_of_ntu120() -> None:
    assert KNOWN["ntu60"].texts_of == "ntu120"
    for view, table in load_texts("ntu60").items():
        expected = load_texts("ntu120")[view]["text"][:60]
        assert table["text"].tolist() == expected.tolist()
