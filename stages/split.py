"""Choose the unseen classes: `python -m stages.split BENCHMARK`."""

from __future__ import annotations

from pathlib import Path

from amsf.base.errors import InputError
from amsf.dataset.classes import class_count
from amsf.dataset.splits import LISTS, choose_split
from amsf.settings.params import load_params
from amsf.text.features import load_text_features
from stages import run


def main(key: str) -> None:
    """Write data/split/<benchmark>.json."""
    params = load_params()
    entry, settings = params.benchmark(key), params.for_benchmark(key).split
    text = load_text_features(Path("data/text_features") / key)
    classes = class_count(entry.dataset)
    if len(text.features) != classes:
        raise InputError(
            f"data/text_features/{key}: texts of {len(text.features)} classes; {entry.dataset} has "
            f"{classes}: run `dvc repro encode@{key}`"
        )
    listed = LISTS / f"{key}.yaml"
    features = text.select(settings.views)
    split = choose_split(settings, entry.dataset, features, entry.unseen, listed)
    split.save(Path(f"data/split/{key}.json"))
    print(f"{split.kind} split: {len(split.seen)} seen, {len(split.unseen)} unseen {split.unseen}")


if __name__ == "__main__":
    run(main)
