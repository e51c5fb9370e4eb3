"""Evaluate the trained seeds of a benchmark: ``python -m stages.evaluate BENCHMARK``."""

from __future__ import annotations

from amsf.base.artifacts import Artifacts, phase_file, seed_folder
from amsf.base.display import say
from amsf.base.progress import track
from amsf.dataset.classes import load_classes
from amsf.dataset.splits import Split
from amsf.evaluation.baselines import evaluate_beside
from amsf.evaluation.confidence.measured import measure
from amsf.evaluation.evaluate import evaluate_seed, load_seed
from amsf.evaluation.headline import headline
from amsf.evaluation.results import summarise, write_results
from amsf.features.phases import load_phase
from amsf.machine.device import set_up
from amsf.settings.params import load_params
from amsf.text.features import all_texts
from stages import run


def main(key: str) -> None:
    """Write data/evaluation/<benchmark>/."""
    params, artifacts = load_params(), Artifacts(key)
    settings = params.for_benchmark(key)
    set_up(settings.compute)
    split = Split.load(artifacts.split)
    features = artifacts.features
    test = load_phase(phase_file(features, "test"))
    val = load_phase(phase_file(features, "val")) if settings.evaluate.task == "gzsl" else None
    text = all_texts(artifacts.text_features, settings.model.views)
    folders = [seed_folder(artifacts.models, seed) for seed in settings.train.seeds]
    models = [load_seed(folder, validated=val is not None) for folder in folders]
    results = [
        evaluate_seed(*pair, test, val, text, settings) for pair in track(models, "seeds evaluated")
    ]
    beside = evaluate_beside(models, test, val, text, split, settings)
    labels = load_classes(split.dataset)["label"].tolist()
    measured = None if val is None else measure(test, val, text, split, settings)
    write_results(artifacts.evaluation, results, beside, measured, split, labels, settings)
    for name, value in headline(summarise(results, beside, settings)).items():
        say(f"{key} {name}: {value}")


if __name__ == "__main__":
    run(main)
