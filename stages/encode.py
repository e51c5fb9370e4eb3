"""Encode the texts of a benchmark's classes: ``python -m stages.encode BENCHMARK``."""

from __future__ import annotations

from pathlib import Path

from amsf.base.artifacts import DESCRIPTIONS, Artifacts, other_descriptions
from amsf.base.display import say
from amsf.base.storage import atomic_path
from amsf.dataset.classes import class_count
from amsf.settings.params import load_params
from amsf.text.descriptions import load_descriptions, only
from amsf.text.encode import encode_texts
from amsf.text.features import ALSO, import_published, published_views
from stages import run


def main(benchmark: str) -> None:
    """Write ``data/text_features/<benchmark>/``."""
    params = load_params()
    entry = params.benchmark(benchmark)
    dataset = entry.dataset
    settings = params.for_benchmark(benchmark)
    text = settings.text
    classes = class_count(dataset)
    output = Artifacts(benchmark).text_features
    if text.encoder == "published":
        folder = Path(text.checkpoint).expanduser()
        views = published_views(folder, classes)
        features = import_published(folder, views, classes, dataset=dataset)
        features.save(output, {"published": views})
    else:
        folders = {dataset: DESCRIPTIONS / dataset}
        folders |= {other: other_descriptions(dataset, benchmark, other) for other in entry.also}
        made = {}
        for name, folder in folders.items():
            texts = only(load_descriptions(folder, class_count(name)), settings.text_views)
            made[name] = encode_texts(texts, text, name)
        features, manifest = made.pop(dataset)
        with atomic_path(output) as temporary:
            features.save(temporary, manifest)
            for name, (others, about) in made.items():
                others.save(temporary / ALSO / name, about)
    say(f"{output}: {features.encoder}, (C, V, D) = {features.features.shape}")


if __name__ == "__main__":
    run(main)
