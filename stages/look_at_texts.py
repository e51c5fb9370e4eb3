"""Show which class texts are alike: ``python -m stages.look_at_texts BENCHMARK``."""

from __future__ import annotations

from amsf.base.artifacts import Artifacts
from amsf.base.display import say
from amsf.dataset.classes import load_classes
from amsf.settings.params import PART_VIEWS, load_params
from amsf.text.features import load_text_features
from amsf.text.report import write_report
from stages import run


def main(benchmark: str) -> None:
    """Write ``data/text_report/<benchmark>/``."""
    artifacts = Artifacts(benchmark)
    dataset = load_params().benchmark(benchmark).dataset
    features = load_text_features(artifacts.text_features)
    labels = load_classes(dataset)["label"].tolist()
    report = write_report(features, labels, artifacts.text_report)
    for view, entry in report["views"].items():
        # A part of the body or of the time may well be alike in several classes.
        for group in [] if view in PART_VIEWS else entry["duplicates"]:
            names = " = ".join(f"{i} {labels[i]}" for i in group)
            say(f"warning: {view}: one and the same text vector: {names}")
        for pair in entry["near_duplicates"]:
            say(f"{view}: nearly alike ({pair['cosine']:.3f}): {' / '.join(pair['labels'])}")
    say(f"{artifacts.text_report}: {len(features.views)} views of {len(labels)} classes")


if __name__ == "__main__":
    run(main)
