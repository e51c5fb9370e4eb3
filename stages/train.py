"""Train every seed and phase of a benchmark: `python -m stages.train BENCHMARK`."""

from __future__ import annotations

import shutil
from pathlib import Path

from amsf.base.storage import atomic_path
from amsf.dataset.splits import Split
from amsf.settings.overrides import told_overrides
from amsf.settings.params import load_params
from amsf.text.features import load_text_features
from amsf.training.runs import Inputs, train_benchmark
from stages import run


def main(key: str) -> None:
    """Write data/models/<benchmark>/seed<n>/{val,test}/; data/training/ holds what is under way."""
    params = load_params()
    settings = params.for_benchmark(key)
    if told := told_overrides(params, key):
        print(told)
    inputs = Inputs(
        settings=settings,
        split=Split.load(Path(f"data/split/{key}.json")),
        text=load_text_features(Path("data/text_features") / key).select(settings.model.views),
        features=Path("data/features") / key,
    )
    scratch = Path("data/training") / key
    with atomic_path(Path("data/models") / key) as out:
        train_benchmark(inputs, out, scratch)
    shutil.rmtree(scratch)


if __name__ == "__main__":
    run(main)
