"""Gather the texts of every dataset in use: ``python -m stages.describe``."""

from __future__ import annotations

from functools import partial

from amsf.base.artifacts import ANSWERS, DESCRIPTIONS, other_descriptions
from amsf.base.display import say
from amsf.base.errors import InputError
from amsf.base.storage import atomic_path
from amsf.dataset.classes import load_classes, texts_of
from amsf.settings.params import load_params
from amsf.text.descriptions import load_texts, only, write_descriptions
from amsf.text.record import AnswerRecord
from stages import run


def main() -> None:
    """Write ``data/descriptions/<dataset>/<view>.csv`` and add to ``data/llm_record.jsonl``."""
    params = load_params()
    for key, entry in params.benchmarks.items():
        if "describe" in entry.set:
            raise InputError(
                f"benchmarks.{key}.set.describe: texts are made once for all benchmarks; set "
                "describe at the top of params.yaml"
            )
    own = {entry.dataset for entry in params.benchmarks.values()}
    others = {other for entry in params.benchmarks.values() for other in entry.also}
    datasets = sorted(own | others)
    used = {view for key in params.benchmarks for view in params.for_benchmark(key).text_views}
    texts = {dataset: only(load_texts(dataset), used) for dataset in datasets}
    record = AnswerRecord(ANSWERS)
    if params.describe.provider != "recorded":
        # What these need takes seconds to import, and shipped texts need none of it.
        from amsf.text.describe import ask_model, length_check, load_prompts
        from amsf.text.providers import load_provider

        prompts = only(load_prompts(), used)
        encoders = [params.for_benchmark(key).text for key in params.benchmarks]
        check = length_check(encoders)
        for dataset in datasets:
            labels = load_classes(dataset)["label"].tolist()
            known = load_classes(texts_of(dataset))["label"].tolist()
            provider = partial(load_provider, params.describe)
            texts[dataset] |= ask_model(
                labels, known, prompts, params.describe, record, provider, check
            )
    with atomic_path(DESCRIPTIONS) as temporary:
        for dataset in sorted(own):
            write_descriptions(texts[dataset], temporary / dataset)
        for key, entry in params.benchmarks.items():
            for other in entry.also:
                place = other_descriptions(entry.dataset, key, other).relative_to(DESCRIPTIONS)
                write_descriptions(texts[other], temporary / place)
        for dataset, views in texts.items():
            count = views["lb"]["id"].nunique()
            say(f"{dataset}: {count} classes, {', '.join(views)}")


if __name__ == "__main__":
    run(main)
