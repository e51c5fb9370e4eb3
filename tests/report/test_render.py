"""The templates' pieces: everything is escaped, and what is missing is an error."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError
from PIL import Image

from amsf.base.display import escaped
from amsf.report import render as rendering
from amsf.report.render import TEMPLATES, Table, picture, render
from tests.support.html_reader import Reader

FILES = sorted(path for path in TEMPLATES.iterdir() if path.suffix != ".css")


def made_by(macro: str, **values: Any) -> str:
    """What a macro of ``macros.html`` makes of the values."""
    source = f'{{% from "macros.html" import {macro} %}}{{{{ {macro}({", ".join(values)}) }}}}'
    return rendering._environment().from_string(source).render(values)


@given(st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1))
def test_any_text_is_shown_and_not_obeyed(words: str) -> None:
    read = Reader(made_by("plain", table=Table(words, [words], [[words, words]])))
    assert read.names == [
        *("div", "table", "caption", "thead", "tr", "th", "tbody", "tr", "th", "td")
    ]
    shown = escaped(words)  # what is not seen, such as a change of direction, as its escape
    assert read.words.count(shown) >= 4
    assert read.attributes[0]["aria-label"] == shown


def test_a_table_has_headers_with_scope() -> None:
    made = made_by("plain", table=Table("all", ["name", "H"], [["<x>", 1], ["y", 2]], [1]))
    assert [a.get("scope") for a in Reader(made).all("th")] == ["col", "col", "row", "row"]
    assert '<th scope="col" class="n">H</th>' in made
    assert '<td class="n">1</td>' in made
    assert "&lt;x&gt;" in made
    assert 'aria-label="all"' in made


@pytest.mark.parametrize("wide", [True, False])
def test_a_picture_lies_in_the_page(tmp_path: Path, wide: bool) -> None:
    Image.new("RGB", (900, 150), "red").save(tmp_path / "a.png")
    found = picture(tmp_path / "a.png", 'a "red" box', "caption", wide=wide)
    read = Reader(made_by("pictures", found=[found]))
    [image] = read.all("img")
    head, _, data = (image["src"] or "").partition(",")
    assert head == "data:image/png;base64"
    assert base64.b64decode(data) == (tmp_path / "a.png").read_bytes()
    assert (image["width"], image["height"]) == ("576", "96")
    assert image["style"] == f"min-width: {576 if wide else 374}px"
    assert image["alt"] == 'a "red" box'
    assert read.words.strip() == "caption"
    assert read.all("figure") == [{"class": "wide"} if wide else {}]
    assert read.all("div")[1] == {
        "class": "box", "tabindex": "0", "role": "group", "aria-label": "picture",
    }  # fmt: skip


def test_a_small_picture_needs_no_box_that_scrolls(tmp_path: Path) -> None:
    Image.new("RGB", (300, 150), "red").save(tmp_path / "a.png")
    read = Reader(made_by("pictures", found=[picture(tmp_path / "a.png", "alt", "caption")]))
    assert read.all("div")[1] == {"class": "box"}


def test_properties() -> None:
    assert made_by("properties", pairs={"a": "<b>"}) == ("<div><dt>a</dt><dd>&lt;b&gt;</dd></div>")


def test_a_name_that_is_not_given_is_an_error() -> None:
    with pytest.raises(UndefinedError, match="'run' is undefined"):
        render("run.html")


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_no_template_passes_a_value_unescaped(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "safe" not in text.replace("unsafe-inline", "")
    assert "autoescape" not in text
    assert "<script" not in text
