"""Choose the unseen classes: ``python -m stages.split BENCHMARK``."""

from __future__ import annotations

from amsf.base.artifacts import LISTS, Artifacts
from amsf.base.display import say
from amsf.base.errors import InputError
from amsf.dataset.classes import class_count
from amsf.dataset.others import compared_views, join
from amsf.dataset.splits import choose_split
from amsf.settings.params import load_params
from amsf.text.features import load_other_texts, load_text_features
from stages import run


def main(key: str) -> None:
    """Write data/split/<benchmark>.json."""
    params, artifacts = load_params(), Artifacts(key)
    entry, settings = params.benchmark(key), params.for_benchmark(key).split
    text = load_text_features(artifacts.text_features)
    classes = class_count(entry.dataset)
    if len(text.features) != classes:
        raise InputError(
            f"{artifacts.text_features}: it has texts of {len(text.features)} classes; "
            f"{entry.dataset} has {classes}: run `dvc repro encode@{key}`"
        )
    listed = LISTS / f"{key}.yaml"
    # Other kinds look at no text, and a dataset may lack the views.
    chosen = settings.views if settings.kind in ("easy", "hard") else text.views
    features = text.select(chosen)
    split = choose_split(settings, entry.dataset, features, entry.unseen, listed)
    others = load_other_texts(artifacts.text_features)
    shared = [v for v in text.views if all(v in other.views for other in others.values())]
    views = compared_views(shared)
    vectors = {name: other.select(views) for name, other in others.items()}
    keep = settings.same_meaning == "keep"
    split = join(split, text.select(views), vectors, keep=keep)
    split.save(artifacts.split)
    say(f"{split.kind} split: {len(split.seen)} seen, {len(split.unseen)} unseen {split.unseen}")
    for other in split.also:
        out = len(split.left_out(other, "test"))
        say(
            f"{other.dataset} trains too: {other.classes - out} classes; {out} mean the same as an "
            "unseen one and are left out"
        )


if __name__ == "__main__":
    run(main)
