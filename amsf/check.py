"""Report in seconds what a run would miss: ``python -m amsf.check``.

Every stage checks its own input before it starts to work. What a later stage lacks is reported
late, after minutes or hours of those before it; this looks at all benchmarks of ``params.yaml``.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from amsf.backbone.joined import folder_of, load_others, load_recorded
from amsf.base.artifacts import LISTS, SIMULATED, TEXTS
from amsf.base.command import command
from amsf.base.display import say
from amsf.base.errors import InputError
from amsf.dataset.classes import class_count
from amsf.dataset.splits import listed_split, random_split
from amsf.features.phases import find_folder
from amsf.machine.device import find_device
from amsf.settings.overrides import describe_overrides
from amsf.settings.params import Params, load_params
from amsf.skeleton.partition import training_mask
from amsf.text.descriptions import load_texts


def findings(params: Params) -> list[str]:
    """What is missing or wrong, a sentence each, benchmark by benchmark; empty if nothing is."""
    found = []
    for key in params.benchmarks:
        try:
            check_benchmark(params, key)
        except InputError as error:
            found.append(f"{key}: {error}")
    return found


def check_benchmark(params: Params, key: str) -> None:
    """Look at what a benchmark reads: its classes, texts, views, split, source and device.

    Raises:
        InputError: the first of them that is missing or wrong.
    """
    entry, settings = params.benchmark(key), params.for_benchmark(key)
    find_device(settings.compute.device)
    classes = class_count(entry.dataset)
    for dataset in (entry.dataset, *entry.also) if settings.text.encoder != "published" else ():
        texts = load_texts(dataset)
        missing = [view for view in settings.model.views if view not in texts]
        if missing and settings.describe.provider == "recorded":
            raise InputError(
                f"model.views has {', '.join(missing)}; {TEXTS} has {', '.join(texts)} of "
                f"{dataset}: write the missing texts, or leave the views out"
            )
    if settings.split.kind == "listed":
        split = listed_split(LISTS / f"{key}.yaml", entry.dataset, classes, entry.unseen)
    else:  # which classes it will be does not matter here, but how many can be chosen
        split = random_split(entry.dataset, classes, entry.unseen, settings.split.seed)
        split = replace(split, kind=settings.split.kind)
    source = Path(entry.source)
    if source == SIMULATED:
        return
    if entry.knows_all:
        recorded = load_recorded(source, entry.dataset, entry.features)
        folder = folder_of(source, entry.dataset, entry.features)
        training_mask(recorded, settings.backbone.partition, folder)
        load_others(source, recorded, entry.also, entry.features)
        if entry.features == "table":  # recordings may be gigabytes, and are read by their stage
            recorded.validate(classes)
    else:
        for phase in settings.evaluate.phases:
            find_folder(source, split, phase)


def main() -> None:
    """Print what is missing, and exit with 1 if anything is."""
    with command():
        _run()


def _run() -> None:
    params = load_params()
    found = findings(params)
    for line in found:
        say(f"error: {line}", sys.stderr)
    if found:
        raise SystemExit(1)
    for key in params.benchmarks:
        if overrides := describe_overrides(params, key):
            say(overrides)
    say(f"{', '.join(params.benchmarks) or 'no benchmark'}: all that a run needs is there")


if __name__ == "__main__":
    main()
