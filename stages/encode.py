"""Encode the texts of a benchmark's dataset: ``python -m stages.encode BENCHMARK``."""

from __future__ import annotations

from pathlib import Path

from amsf.base.artifacts import DESCRIPTIONS, Artifacts
from amsf.base.display import say
from amsf.dataset.classes import class_count
from amsf.settings.params import load_params
from amsf.text.descriptions import load_descriptions
from amsf.text.encode import encode_texts
from amsf.text.features import import_published, published_views
from stages import run


def main(benchmark: str) -> None:
    """Write ``data/text_features/<benchmark>/``."""
    params = load_params()
    dataset = params.benchmark(benchmark).dataset
    text = params.for_benchmark(benchmark).text
    classes = class_count(dataset)
    output = Artifacts(benchmark).text_features
    if text.encoder == "published":
        folder = Path(text.checkpoint).expanduser()
        views = published_views(folder, classes)
        features = import_published(folder, views, classes, dataset=dataset)
        features.save(output, {"published": views})
    else:
        texts = load_descriptions(DESCRIPTIONS / dataset, classes)
        features, manifest = encode_texts(texts, text, dataset)
        features.save(output, manifest)
    say(f"{output}: {features.encoder}, (C, V, D) = {features.features.shape}")


if __name__ == "__main__":
    run(main)
