"""Draw README's picture from what the demo left: ``python -m benchmarks.picture``.

Some of the demo's unseen classes: a recording of each, and what the test samples of the class are
taken for, over all seeds.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from amsf.report.data import SEEN, BenchmarkData, gather, unseen_confusion
from amsf.report.figures import GREY, picture
from amsf.report.pose_pictures import draw_row
from amsf.settings.params import load_params

OUT = Path("docs/demo.png")
ROWS = 5  # classes: the first, so that none is chosen for its result


def draw(benchmark: BenchmarkData, path: Path) -> None:
    """A row a class: its poses, and its likeliest answers in percent."""
    poses, counts = benchmark.poses, unseen_confusion(benchmark)
    assert poses is not None
    with picture(path, 6.9, 0.4 + 0.98 * ROWS) as figure:
        grid = figure.subplots(ROWS, 2, width_ratios=(0.72, 1), squeeze=False)
        for row, (drawing, words) in enumerate(grid):
            label = int(poses.labels[row])
            draw_row(drawing, poses, row)
            row_counts: pd.Series[float] = counts.T[label]
            found = row_counts / row_counts.sum()
            words.set_axis_off()
            words.text(0, 0.86, f"never trained on: {benchmark.labels[label]}", fontsize=9)
            for line, (answer, share) in enumerate(found.sort_values(ascending=False)[:2].items()):
                if share == 0:
                    continue
                name = SEEN if answer == SEEN else benchmark.labels[int(str(answer))]
                right = answer == label
                words.text(
                    *(0, 0.55 - 0.3 * line),
                    f"{100 * share:3.0f} %  {name}",
                    fontsize=9,
                    color="#00724f" if right else "#a33c00",
                    weight="bold" if right else "normal",
                )
        figure.supxlabel(
            "SIMULATED recordings; green: right. Of all unseen samples: "
            f"{100 * np.trace(counts.to_numpy()[:, : len(counts)]) / counts.to_numpy().sum():.0f} %"
            f" right, among all {len(benchmark.labels)} classes",
            fontsize=8,
            color=GREY,
        )


def main() -> None:
    """Write docs/demo.png."""
    draw(gather("demo-u8", load_params()), OUT)
    OUT.with_suffix(".svg").unlink()
    with Image.open(OUT) as image:  # few colours make a small file
        image.convert("RGB").quantize(64).save(OUT, optimize=True)
    print(OUT)


if __name__ == "__main__":
    main()
