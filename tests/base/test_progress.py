"""Progress of long loops on a terminal and elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
import tqdm.std
from hypothesis import given, settings
from hypothesis import strategies as st

from amsf.base.progress import track


def run(
    monkeypatch: pytest.MonkeyPatch, steps: list[float], *, terminal: bool, lines: bool = False
) -> None:
    """Work on items that take so many seconds each, by a clock of our own."""
    now = 1000.0
    monkeypatch.setattr(tqdm.std, "time", lambda: now)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    for step in track(steps, "reading recordings", lines=lines):
        now += step


@given(st.lists(st.integers()))
@settings(max_examples=10, deadline=None)
def test_items_pass_unchanged(items: list[int]) -> None:
    assert list(track(items, "x")) == items
    assert list(track(iter(items), "x", len(items))) == items


@pytest.mark.parametrize("lines", [False, True])
def test_a_log_gets_a_line_every_fifteen_seconds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], lines: bool
) -> None:
    # `lines` asks for the same on a terminal.
    run(monkeypatch, [1.0] * 60, terminal=lines, lines=lines)
    text = capsys.readouterr()
    assert text.out == ""
    assert "\r" not in text.err
    printed = text.err.splitlines()
    assert len(printed) == 60 // 15
    for line, done in zip(printed, (15, 30, 45, 60), strict=True):
        assert line.startswith("reading recordings:")
        assert f" {done}/60 " in line
        assert line.isascii()


def test_slow_items_get_a_line_each(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, [100.0] * 4, terminal=False)
    assert len(capsys.readouterr().err.splitlines()) == 4


def test_slow_items_after_many_quick_ones_get_their_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, [0.01] * 2000 + [1.0] * 60, terminal=False)
    assert len(capsys.readouterr().err.splitlines()) == 80 // 15


def test_a_short_loop_is_silent_in_a_log(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, [0.02] * 100, terminal=False)
    assert capsys.readouterr().err == ""


def test_a_terminal_gets_a_bar_that_stays(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, [1.0] * 10, terminal=True)
    err = capsys.readouterr().err
    assert "\rreading recordings: 100%" in err
    assert err.count("\n") == 1, "one line, redrawn in place"


def test_an_error_in_the_loop_comes_through() -> None:
    def failing() -> Iterator[int]:
        yield 1
        raise OSError("disk gone")

    with pytest.raises(OSError, match="disk gone"):
        list(track(failing(), "x", 2))
