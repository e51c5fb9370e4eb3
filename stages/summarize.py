"""Gather the benchmarks' results for `dvc metrics`: `python -m stages.summarize`."""

from __future__ import annotations

from pathlib import Path

from amsf.params import load_params
from amsf.results import headline
from amsf.storage import read_json, write_json
from stages import run


def main() -> None:
    """Write metrics/gzsl.json, one row a benchmark, in percent."""
    rows = {
        key: headline(read_json(Path(f"data/evaluation/{key}/metrics.json")))
        for key in load_params().benchmarks
    }
    write_json("metrics/gzsl.json", rows)


if __name__ == "__main__":
    run(main)
