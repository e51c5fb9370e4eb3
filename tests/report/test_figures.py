"""How pictures look: marks that differ, ink that stands out, equal bytes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from amsf.report.figures import COLOURS, SCALE, SHAPES, mark, picture, whole, write_cells


def test_thirty_five_classes_have_marks_of_their_own() -> None:
    assert len({mark(i) for i in range(35)}) == 35
    assert mark(35) == mark(0)
    assert len(set(COLOURS)) == len(COLOURS)
    assert len(set(SHAPES)) == len(SHAPES)


def luminance(colour: str) -> float:
    """WCAG 2's relative luminance of #rrggbb."""
    parts = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def test_colours_show_on_white() -> None:
    assert all(1.05 / (luminance(colour) + 0.05) > 2 for colour in COLOURS)


def test_names_that_are_long_or_hold_dollars() -> None:
    assert whole("wave") == "wave"
    assert whole("wave with both hands above the head") == "wave with both hands above the\nhead"
    assert whole("x" * 80).replace("\n", "") == "x" * 80
    assert whole("$5") == r"\$5"


def test_a_dollar_begins_no_formula(tmp_path: Path) -> None:
    with picture(tmp_path / "a.png", 2, 1) as figure:
        figure.text(0, 0, whole("$\\frac{ and $"))  # as a formula an error
    assert Image.open(tmp_path / "a.png").size == (300, 150)


def test_equal_pictures_have_equal_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        with picture(tmp_path / name, 2, 2) as figure:
            figure.add_subplot().plot([1, 3, 2])
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_picture_that_fails_leaves_no_file(tmp_path: Path) -> None:
    def fail() -> None:
        with picture(tmp_path / "a.png", 2, 2):
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_numbers_in_cells_stand_out_from_them(tmp_path: Path) -> None:
    with picture(tmp_path / "a.png", 2, 2) as figure:
        axes = figure.add_subplot()
        values = np.array([[0.0, 1.0], [np.nan, 0.5]])
        axes.imshow(values, cmap=SCALE)
        write_cells(axes, values, "{:.1f}", 8)
        told = {text.get_text(): text.get_color() for text in axes.texts}
    assert told.keys() == {"0.0", "1.0", "0.5"}
    # cividis goes from dark blue to light yellow
    assert (told["0.0"], told["1.0"]) == ("white", "black")
