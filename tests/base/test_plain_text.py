"""Text files of all kinds."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amsf.base.errors import InputError
from amsf.base.plain_text import read_plain_text
from amsf.base.tables import read_table


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0\r")))
def test_utf_8_is_read_with_and_without_a_mark(tmp_path_factory, text: str) -> None:
    path = tmp_path_factory.mktemp("text") / "a.txt"
    if text.startswith("\ufeff"):
        return
    for mark in (b"", b"\xef\xbb\xbf"):
        path.write_bytes(mark + text.encode())
        assert read_plain_text(path) == text


def test_latin_1_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"gr\xfc\xdfe")
    assert read_plain_text(path) == "grüße"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_wide_encodings_are_named(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes("103\n1\n".encode(encoding))
    with pytest.raises(InputError, match=r"a\.txt: the text is UTF-\d\d; expected UTF-8: save"):
        read_plain_text(path)


def test_what_cannot_be_opened_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        read_plain_text(tmp_path / "none")
    with pytest.raises(InputError, match="Is a directory"):
        read_plain_text(tmp_path)


def test_tables_name_wide_encodings_too(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,label\n0,hop\n", encoding="utf-16")
    with pytest.raises(InputError, match=r"a\.csv: the text is UTF-16; expected UTF-8"):
        read_table(path, "id,label")
    path.write_text("id,label\r\n0,hüpfen\r\n", encoding="utf-8-sig", newline="")
    assert read_table(path, "id,label").to_dict("list") == {"id": [0], "label": ["hüpfen"]}


@pytest.mark.parametrize(("sign", "called"), [(";", "semicolons"), ("\t", "tabs")])
def test_tables_name_what_else_stands_between_cells(tmp_path: Path, sign: str, called: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"id{sign}label\n0{sign}hop, and skip\n")
    with pytest.raises(InputError, match=rf"a\.csv: {called} stand between its cells; expected co"):
        read_table(path, "id,label")
    path.write_text("label\nhop; and skip\n")
    assert read_table(path, "label").to_dict("list") == {"label": ["hop; and skip"]}
