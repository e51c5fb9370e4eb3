"""Pieces of an HTML page that needs nothing beside itself.

Every function escapes the text it is given, so that a class name with ``<`` in it is shown and
not obeyed; only what these functions made themselves, :class:`Html`, passes as it is.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

# Points to an inch of a screen, of our pictures' files; the smallest scale at which letters of 9
# points stay readable; and the room on a phone.
_SCREEN, _FILE, _LEAST, _PHONE = 96, 150, 0.65, 360


class Html(str):
    """Markup that is escaped already."""


def text(value: object) -> Html:
    """Escape anything but :class:`Html`."""
    return value if isinstance(value, Html) else Html(html.escape(str(value)))


def join(parts: Iterable[object], between: str = "") -> Html:
    """Escape the parts and put them in a row."""
    return Html(text(between).join(text(part) for part in parts))


def element(name: str, *content: object, **attributes: object) -> Html:
    """``<name attributes>content</name>``; ``class_`` stands for ``class``."""
    told = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(str(value))}"'
        for key, value in attributes.items()
    )
    return Html(f"<{name}{told}>{join(content)}</{name}>")


def table(
    caption: object,
    header: Sequence[object],
    rows: Iterable[Sequence[object]],
    *,
    numbers: Sequence[int] = (),
    marked: Sequence[int] = (),
) -> Html:
    """A table in a box of its own that scrolls sideways where the screen is narrow.

    Args:
        caption: told above it, and to screen readers.
        header: of the columns.
        rows: their cells; the first is the row's header.
        numbers: columns that are set flush right.
        marked: rows that stand out.
    """

    def kind(column: int) -> dict[str, str]:
        return {"class_": "n"} if column in numbers else {}

    head = [element("th", cell, scope="col", **kind(i)) for i, cell in enumerate(header)]
    body = []
    for number, row in enumerate(rows):
        cells = [element("th", row[0], scope="row")]
        cells += [element("td", cell, **kind(i)) for i, cell in enumerate(row[1:], start=1)]
        body.append(element("tr", *cells, **({"class_": "own"} if number in marked else {})))
    whole = element(
        "table",
        element("caption", caption),
        element("thead", element("tr", *head)),
        element("tbody", *body),
    )
    return element("div", whole, class_="box", tabindex=0, role="group", aria_label=str(caption))


def picture(path: Path, alt: str, caption: object, *, wide: bool = False) -> Html:
    """A PNG file as part of the page, with words for those who cannot see it.

    It shrinks with the screen as far as its letters stay readable; beyond, its box scrolls.

    Args:
        path: of the file.
        alt: what the picture shows, in words.
        caption: told below it.
        wide: whether it takes a row of its own, at its full size.
    """
    data = path.read_bytes()
    pixels = (int.from_bytes(data[i : i + 4], "big") for i in (16, 20))  # of its header
    width, height = (round(count * _SCREEN / _FILE) for count in pixels)
    least = width if wide else round(_LEAST * width)
    source = "data:image/png;base64," + base64.b64encode(data).decode()
    image = Html(
        f'<img src="{source}" alt="{html.escape(alt)}" width="{width}" height="{height}" '
        f'style="min-width: {least}px">'
    )
    scrolls = {"tabindex": 0, "role": "group", "aria_label": "picture"} if least > _PHONE else {}
    kind = {"class_": "wide"} if wide else {}
    box = element("div", image, class_="box", **scrolls)
    return element("figure", box, element("figcaption", caption), **kind)


def details(summary: object, *content: object) -> Html:
    """Content that opens on demand."""
    return element("details", element("summary", summary), *content)


def properties(pairs: Mapping[str, object]) -> Html:
    """A list of names and values."""
    rows = [element("div", element("dt", name), element("dd", v)) for name, v in pairs.items()]
    return element("dl", *rows)


def page(title: str, *content: object) -> str:
    """A whole document with its style inside."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        # Whatever slipped through could load and run nothing.
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "img-src data:; style-src 'unsafe-inline'\">\n"
        f"<title>{text(title)}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n"
        f"{join(content, chr(10))}\n</body>\n</html>\n"
    )


STYLE = """\
:root { color-scheme: light dark; --ink: #1c1e21; --soft: #5b6168; --line: #d9dce0;
  --paper: #ffffff; --tint: #f4f6f8; --accent: #00588a; --warn: #8a3b00; --warn-tint: #fdf0e4; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e9eb; --soft: #a5abb3; --line: #3a3f46;
  --paper: #16181b; --tint: #202328; --accent: #7cc4f2; --warn: #ffc58f; --warn-tint: #3a2a1b; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 80rem; padding: 1.5rem clamp(1rem, 4vw, 3rem) 4rem;
  background: var(--paper); color: var(--ink);
  font: 1rem/1.55 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 .4rem; letter-spacing: -.01em; }
h2 { font-size: 1.4rem; line-height: 1.25; margin: 3.2rem 0 .6rem; padding-top: 1.2rem;
  border-top: 3px solid var(--accent); }
h3 { font-size: 1.1rem; margin: 2.2rem 0 .5rem; }
p, li { max-width: 46rem; }
a { color: var(--accent); } th a { white-space: nowrap; }
nav { margin: .6rem 0 1.4rem; } nav a { display: inline-block; margin-right: 1.1rem; }
.soft { color: var(--soft); }
/* A shadow on the right for as long as there is more to scroll to. */
.box { overflow-x: auto; margin: .8rem 0 1.2rem; background:
  linear-gradient(to left, var(--paper) 40%, transparent) right / 3rem 100% local no-repeat,
  linear-gradient(to left, var(--line), transparent) right / .8rem 100% scroll no-repeat; }
.box:focus-visible, summary:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .94rem; }
caption { text-align: left; color: var(--soft); font-size: .9rem; padding-bottom: .4rem;
  max-width: min(46rem, calc(100vw - 2rem)); }
th, td { text-align: left; vertical-align: top; padding: .4rem .8rem .4rem 0;
  border-bottom: 1px solid var(--line); }
thead th { color: var(--soft); font-weight: 600; vertical-align: bottom;
  border-bottom: 2px solid var(--line); }
tbody th { font-weight: 600; min-width: 6rem; }
.words { min-width: 12rem; }
th.n, td.n { text-align: right; } td.n { white-space: nowrap; }
tr.own { background: var(--tint); } tr.own th, tr.own td:first-child { padding-left: .4rem; }
td ul { margin: 0; padding-left: 1.1rem; min-width: 17rem; }
.mark { display: inline-block; font-size: .8rem; font-weight: 700; letter-spacing: .03em;
  padding: .05rem .45rem; border-radius: .25rem; color: var(--warn); background: var(--warn-tint);
  border: 1px solid currentColor; white-space: nowrap; }
.note { border-left: 4px solid var(--warn); background: var(--warn-tint); padding: .6rem .9rem;
  margin: 1rem 0; max-width: 48rem; }
.pictures > .wide { grid-column: 1 / -1; }
.pictures { display: grid; gap: 1.6rem 2.2rem; align-items: start;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); }
figure { margin: 0; min-width: 0; } figure .box { margin: 0; }
img { max-width: 100%; height: auto; display: block; background: #fff; border-radius: .3rem; }
figcaption { color: var(--soft); font-size: .92rem; margin-top: .5rem; max-width: 40rem; }
details { margin: .8rem 0; } summary { cursor: pointer; color: var(--accent); font-weight: 600; }
dl { display: grid; gap: .3rem 2rem;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); }
dl div { display: flex; gap: .2rem .7rem; border-bottom: 1px solid var(--line); }
dt { color: var(--soft); white-space: nowrap; } dd { margin: 0; overflow-wrap: anywhere; }
code { font: .88em/1.4 ui-monospace, "SF Mono", Menlo, Consolas, monospace;
  overflow-wrap: anywhere; }
@media (max-width: 40rem) { body { padding-top: 1rem; } h1 { font-size: 1.45rem; } }
@media print { .box { overflow: visible; } h2 { break-before: page; } }
"""
