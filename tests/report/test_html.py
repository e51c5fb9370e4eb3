"""Pieces of a page: everything is escaped, and the page needs nothing beside itself."""

from __future__ import annotations

import base64
from html.parser import HTMLParser
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from amsf.report.html import Html, details, element, join, page, picture, properties, table, text


class Reader(HTMLParser):
    """What a browser makes of markup: elements, attributes, text."""

    def __init__(self, markup: str) -> None:
        super().__init__(convert_charrefs=True)
        self.names: list[str] = []
        self.attributes: list[dict[str, str | None]] = []
        self.words = ""
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes.append(dict(attrs))

    def handle_data(self, data: str) -> None:
        self.words += data


@given(st.text(st.characters(blacklist_categories=("Cs", "Cc"))))
def test_any_text_is_shown_and_not_obeyed(words: str) -> None:
    read = Reader(element("p", words, title=words))
    assert read.names == ["p"]
    assert read.words == words
    assert read.attributes[0] == {"title": words}


def test_markup_of_ours_passes() -> None:
    inner = element("b", "a < b")
    assert text(inner) is inner
    assert element("p", inner, " & c") == "<p><b>a &lt; b</b> &amp; c</p>"
    assert join(["<", Html("<i>")], "&") == "&lt;&amp;<i>"
    assert element("a", "x", class_="soft", aria_label='"q"') == (
        '<a class="soft" aria-label="&quot;q&quot;">x</a>'
    )


def test_a_table_has_headers_with_scope() -> None:
    made = table("all", ["name", "H"], [["<x>", 1], ["y", 2]], numbers=[1], marked=[0])
    read = Reader(made)
    scopes = [a.get("scope") for n, a in zip(read.names, read.attributes) if n == "th"]
    assert scopes == ["col", "col", "row", "row"]
    assert [a.get("class") for n, a in zip(read.names, read.attributes) if n == "tr"] == [
        None,
        "own",
        None,
    ]
    assert '<td class="n">1</td>' in made
    assert "&lt;x&gt;" in made
    assert 'aria-label="all"' in made


def test_a_picture_lies_in_the_page(tmp_path: Path) -> None:
    Image.new("RGB", (300, 150), "red").save(tmp_path / "a.png")
    read = Reader(picture(tmp_path / "a.png", 'a "red" box', "caption", wide=True))
    [image] = [a for n, a in zip(read.names, read.attributes) if n == "img"]
    head, _, data = (image["src"] or "").partition(",")
    assert head == "data:image/png;base64"
    assert base64.b64decode(data) == (tmp_path / "a.png").read_bytes()
    assert (image["width"], image["height"]) == ("192", "96")
    assert image["style"] == "min-width: 192px"
    assert image["alt"] == 'a "red" box'
    assert read.words == "caption"
    assert read.attributes[0] == {"class": "wide"}


def test_details_and_properties() -> None:
    assert details("<more>", "text") == ("<details><summary>&lt;more&gt;</summary>text</details>")
    assert Reader(properties({"a": "<b>"})).words == "a<b>"


def test_a_page_is_whole_and_loads_nothing() -> None:
    made = page("<t>", element("h1", "x"))
    read = Reader(made)
    assert made.startswith("<!DOCTYPE html>")
    assert read.attributes[0] == {"lang": "en"}
    assert "script" not in read.names
    assert "link" not in read.names
    assert "http:" not in made
    assert "https:" not in made
    assert "default-src 'none'" in made
