"""How the report's pictures look: size, letters, colours for all kinds of sight.

Pictures are drawn at the size of a phone held upright or little wider, so that letters stay
readable where a page shrinks them. Equal data gives equal bytes.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from amsf.base.display import literal
from amsf.base.storage import atomic_path

# Okabe and Ito (2008), without their yellow, which is faint on white.
BLUE, ORANGE, GREEN, PINK = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
SKY, AMBER, BLACK, GREY = "#56B4E9", "#E69F00", "#000000", "#8A8A8A"
COLOURS = (BLUE, ORANGE, GREEN, PINK, SKY, AMBER, BLACK)
# With the colours a mark of its own for each of 35 classes.
SHAPES = ("o", "s", "^", "D", "v")
SCALE = "cividis"
LONGEST = 30  # letters of a class name in a line of a picture
_STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.labelsize": 10,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "legend.fontsize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": "#DDDDDD",
    "svg.hashsalt": "amsf",  # else names within the file are drawn by chance
}


@contextmanager
def picture(path: Path, width: float, height: float) -> Iterator[Figure]:
    """Give a figure of ``width`` x ``height`` inches; it is written to ``path`` at the end.

    That is a PNG file; an SVG file, for papers and slides, comes to lie beside it.
    """
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(width, height), dpi=150, layout="constrained")
        FigureCanvasAgg(figure)
        yield figure
        with atomic_path(path) as temporary:
            figure.savefig(temporary, format="png", metadata={"Software": None})
        with atomic_path(path.with_suffix(".svg")) as temporary:
            figure.savefig(temporary, format="svg", metadata={"Date": None})


def whole(name: str, width: int = LONGEST) -> str:
    """A class name in lines that fit into a picture; a dollar in it begins no formula."""
    return literal("\n".join(textwrap.wrap(name, width)))


def mark(index: int) -> tuple[str, str]:
    """Colour and shape of the index-th class, which no other of the first 35 has."""
    return COLOURS[index % len(COLOURS)], SHAPES[index // len(COLOURS) % len(SHAPES)]


def write_cells(axes: Axes, values: np.ndarray, template: str, size: float) -> None:
    """Write each finite value into its cell of an image, in the ink that stands out from it."""
    image = axes.images[0]
    for row, line in enumerate(values):
        for column, value in enumerate(line):
            if np.isfinite(value):
                bright = np.dot(image.to_rgba(value)[:3], (0.299, 0.587, 0.114))
                ink = "black" if bright > 0.5 else "white"
                text = template.format(value)
                axes.text(column, row, text, ha="center", va="center", color=ink, fontsize=size)
