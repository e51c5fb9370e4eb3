"""Class texts in the published forms."""

from __future__ import annotations

import csv
import os
import pickle
from pathlib import Path
from typing import Any

import pytest

from amsf.base.errors import InputError
from amsf.text.published import find_published_texts, main, read_published_texts

TEXTS = ["drink water", 'say "hi", twice', "NA"]


def test_csv_and_pickle_give_the_same_texts(tmp_path: Path) -> None:
    (tmp_path / "ad_3.csv").write_text('idx,label\n1,drink water\n2,"say ""hi"", twice"\n3,NA\n')
    (tmp_path / "LLMad_3.pkl").write_bytes(pickle.dumps(TEXTS))
    (tmp_path / "md_3.csv").write_text("idx,dcp\n1,a\n2,b\n3,c\n")
    found = find_published_texts(tmp_path, 3)
    assert list(found) == ["MAad", "MAmd", "LLMad"]
    assert read_published_texts(found["MAad"], 3) == TEXTS
    assert read_published_texts(found["LLMad"], 3) == TEXTS
    main(str(tmp_path), "3", str(tmp_path / "out"))
    with (tmp_path / "out" / "LLMad.csv").open(newline="") as file:
        assert list(csv.reader(file)) == [
            ["id", "text"],
            *([str(i), t] for i, t in enumerate(TEXTS)),
        ]


class _Harm:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (["a", 2, "c"], "it holds list; expected a list of strings"),
        ({"a": "b"}, "it holds dict"),
        (["a", "b"], "2 texts; expected 3"),
        (["a", " ", "c"], "text of class 1 is empty"),
        ([Path("x")], "not a pickled list of strings"),
    ],
)
def test_other_pickles_are_refused(tmp_path: Path, value: Any, told: str) -> None:
    path = tmp_path / "lb_3.pkl"
    path.write_bytes(pickle.dumps(value))
    with pytest.raises(InputError, match=told):
        read_published_texts(path, 3)


@pytest.mark.parametrize("protocol", [0, 2, 5])
def test_code_in_a_pickle_is_not_run(tmp_path: Path, protocol: int) -> None:
    path, trace = tmp_path / "lb_3.pkl", tmp_path / "harmed"
    path.write_bytes(pickle.dumps(["a", _Harm(trace), "c"], protocol))
    with pytest.raises(InputError, match=r"it asks for (posix|nt)\.mkdir"):
        read_published_texts(path, 3)
    assert not trace.exists()
    path.write_bytes(path.read_bytes()[:7])
    with pytest.raises(InputError, match="not a pickled list"):
        read_published_texts(path, 3)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("idx,text\n1,a\n", "the columns are idx,text"),
        ("idx,label\n0,a\n1,b\n2,c\n", "does not run from 1"),
        ("", "not a readable CSV"),
    ],
)
def test_other_tables_are_refused(tmp_path: Path, content: str, told: str) -> None:
    (tmp_path / "lb_3.csv").write_text(content)
    with pytest.raises(InputError, match=told):
        read_published_texts(tmp_path / "lb_3.csv", 3)
    with pytest.raises(InputError, match="no texts of 4 classes"):
        find_published_texts(tmp_path, 4)


@pytest.mark.parametrize("classes", [60, 120])
def test_real_published_texts_import(data_dir: Path, classes: int) -> None:
    found = find_published_texts(data_dir / "msf" / "sem_info", classes)
    assert list(found) == ["lb", "MAad", "MAmd"]
    texts = {view: read_published_texts(path, classes) for view, path in found.items()}
    assert texts["lb"][0] == "drink water"
    assert all(len(set(found)) > classes - 3 for found in texts.values())
