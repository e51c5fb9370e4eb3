"""Train every seed and phase of a benchmark: ``python -m stages.train BENCHMARK``."""

from __future__ import annotations

import shutil

from amsf.base.artifacts import Artifacts
from amsf.base.display import say
from amsf.base.storage import atomic_path
from amsf.dataset.splits import Split
from amsf.settings.overrides import describe_overrides
from amsf.settings.params import load_params
from amsf.text.features import all_texts
from amsf.training.runs import Inputs, train_benchmark
from stages import run


def main(key: str) -> None:
    """Write data/models/<benchmark>/seed<n>/{val,test}/; data/training/ holds unfinished runs."""
    params, artifacts = load_params(), Artifacts(key)
    settings = params.for_benchmark(key)
    if overrides := describe_overrides(params, key):
        say(overrides)
    inputs = Inputs(
        settings=settings,
        split=Split.load(artifacts.split),
        text=all_texts(artifacts.text_features, settings.model.views),
        features=artifacts.features,
    )
    with atomic_path(artifacts.models) as out:
        train_benchmark(inputs, out, artifacts.training)
    shutil.rmtree(artifacts.training)


if __name__ == "__main__":
    run(main)
