"""Text of unknown origin on terminals, in pictures and in spreadsheets."""

from __future__ import annotations

import copy
import csv
import io

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from amsf.base.display import as_cell, escaped, from_cell, hidden_character, literal, say
from amsf.base.errors import LONGEST, MOST_LINES, InputError
from amsf.base.tables import csv_text

HIDDEN = {
    "\x1b": r"\x1b", "\x00": r"\x00", "\x07": r"\x07", "\x9b": r"\x9b", "\u202e": r"\u202e",
    "\u2066": r"\u2066", "\u200b": r"\u200b", "\u200d": r"\u200d", "\ufeff": r"\ufeff",
    "\u2028": r"\u2028", "\u00ad": r"\xad", "\u3164": r"\u3164", "\ufe0f": r"\ufe0f",
    "\ud800": r"\ud800", "\U000e0041": r"\U000e0041", "\r": r"\r", "\t": r"\t", "\n": r"\n",
}  # fmt: skip
SEEN = "drink water, é ü ß 喝水 питьё مرحبا ไทย हिन्दी 🙂 $ \\ \u00a0\u3000"


@pytest.mark.parametrize("char", HIDDEN)
def test_what_is_not_seen_is_escaped(char: str) -> None:
    assert escaped(f"a{char}b") == f"a{HIDDEN[char]}b"
    assert hidden_character(f"a{char}b") == f"U+{ord(char):04X}"
    assert HIDDEN[char] in str(InputError(f"a{char}b"))


def test_what_is_seen_stays() -> None:
    assert escaped(SEEN) == SEEN
    assert hidden_character(SEEN) is None


def test_lines_of_our_own_stay_lines(capsys: pytest.CaptureFixture[str]) -> None:
    say("one\ntwo \x1b[31m")
    assert capsys.readouterr().out == "one\ntwo \\x1b[31m\n"


def test_a_message_has_a_bound_and_survives_a_process() -> None:
    error = InputError(f"start {'x' * 10**6}\x1b end", *["- a line"] * 1000)
    again = copy.copy(error)  # rebuilt from its arguments, as where joblib sends it
    assert str(error) == str(again)
    first, *lines = str(error).split("\n")
    assert len(first) <= LONGEST + 40
    assert first.startswith("start x")
    assert first.endswith(r"\x1b end")
    assert len(lines) == MOST_LINES - 1


@pytest.mark.parametrize(
    "cell", ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "=cmd|' /C calc'!A0", "＝1", "-a", "'=1", "''+a"]
)
def test_what_a_spreadsheet_runs_is_quoted(cell: str) -> None:
    assert as_cell(cell) == f"'{cell}"
    assert from_cell(as_cell(cell)) == cell


@pytest.mark.parametrize("cell", ["drink", "-1", "+1.5e-3", "-0.25", "'", "'a'", "", "a=b", "1-2"])
def test_other_cells_stay(cell: str) -> None:
    assert as_cell(cell) == from_cell(cell) == cell


@given(st.text())
def test_every_cell_is_read_back(text: str) -> None:
    assert from_cell(as_cell(text)) == text


def test_tables_are_quoted_where_they_hold_text() -> None:
    table = pd.DataFrame({"=x": ["=1", "a\x1b"], "n": [-1, 2], "f": [-0.5, float("nan")]})
    rows = list(csv.reader(io.StringIO(csv_text(table))))
    assert rows == [["'=x", "n", "f"], ["'=1", "-1", "-0.5"], [r"a\x1b", "2", ""]]
    named = csv_text(pd.DataFrame({"a": [1]}, index=pd.Index(["@x"], name="true")), index=True)
    assert named == "true,a\n'@x,1\n"


@pytest.mark.parametrize(
    "label", ["$$", "50% & $x^$", r"$\undefined{x}$", "pay $5 or $10", r"a \$ b", "$", r"\$x\$"]
)
def test_a_dollar_is_drawn_as_one(label: str) -> None:
    figure = Figure()
    canvas = FigureCanvasAgg(figure)
    text = figure.text(0.5, 0.5, literal(label))
    assert text._preprocess_math(literal(label)) == (label, False)
    canvas.draw()
