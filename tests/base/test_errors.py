"""Lists in messages."""

from __future__ import annotations

import pytest

from amsf.base.errors import counted, first_ten


@pytest.mark.parametrize(
    ("count", "told"),
    [(0, ""), (1, "0"), (3, "0, 1, 2"), (10, "0, 1, 2, 3, 4, 5, 6, 7, 8, 9")],
)
def test_ten_are_all_told(count: int, told: str) -> None:
    assert first_ten(range(count)) == told


def test_a_noun_agrees_with_its_count() -> None:
    assert [counted(n, "file") for n in range(3)] == ["0 files", "1 file", "2 files"]
    assert [counted(n, "entry", "entries") for n in (1, 2)] == ["1 entry", "2 entries"]


def test_the_rest_is_counted() -> None:
    assert first_ten(range(11)) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 1 more"
    names = [f"n{i}" for i in range(25)]
    assert first_ten(names, "; ", "; and ").endswith("n8; n9; and 15 more")
