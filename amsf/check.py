"""Report in seconds what a run would miss.

    amsf check

Every stage checks its own input before it starts to work. What a later stage lacks is reported
late, after minutes or hours of those before it; this looks at all benchmarks of ``params.yaml``.
The stage ``check``, which DVC runs first, does the same but for what needs all texts and samples.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from amsf.base.artifacts import CLASSES, LISTS, SIMULATED, TEXTS
from amsf.base.command import command
from amsf.base.display import say
from amsf.base.errors import InputError
from amsf.base.project import add_project, inside_project
from amsf.base.yaml import parse_yaml
from amsf.dataset.classes import PLACEHOLDER, load_classes
from amsf.dataset.splits import Split, listed_split, random_split
from amsf.settings.overrides import describe_overrides, void_overrides
from amsf.settings.params import PARAMS, PART_VIEWS, Benchmark, Params, Settings, load_params
from amsf.skeleton.partition import training_mask
from amsf.text.descriptions import Texts, load_texts, only

# torch takes seconds to import, and what needs it is looked at for some benchmarks alone: so the
# modules that import it are imported where they are used.


def findings(params: Params, *, thorough: bool = False) -> list[str]:
    """What is missing or wrong, a sentence each, benchmark by benchmark; empty if nothing is.

    Args:
        params: what is asked for.
        thorough: also read every text as the encoder does, and every sample.
    """
    found = []
    committed = committed_params()
    for key in params.benchmarks:
        found += void_overrides(params, committed, key)
        try:
            check_benchmark(params, key, thorough=thorough)
        except InputError as error:
            found.append(f"{key}: {error}")
    return found


def committed_params() -> dict[str, Any]:
    """``params.yaml`` of git's last commit; empty where there is none that can be read."""
    try:
        done = subprocess.run(["git", "show", f"HEAD:./{PARAMS}"], capture_output=True, check=True)
        raw = parse_yaml(done.stdout, "the committed parameters")
    except (OSError, subprocess.CalledProcessError, InputError):
        return {}
    return raw if isinstance(raw, dict) else {}


def check_benchmark(params: Params, key: str, *, thorough: bool = False) -> None:
    """Look at what a benchmark reads: its classes, texts, views, split, source and device.

    Raises:
        InputError: the first of them that is missing or wrong.
    """
    entry, settings = params.benchmark(key), params.for_benchmark(key)
    if settings.compute.device not in ("auto", "cpu"):
        from amsf.machine.device import find_device

        find_device(settings.compute.device)
    classes = _classes(entry.dataset)
    if settings.text.encoder != "published":
        for dataset in (entry.dataset, *entry.also):
            _classes(dataset)
            texts = load_texts(dataset)
            _check_views(settings, texts, dataset)
            if thorough:
                _check_lengths(settings, texts, dataset)
    if settings.split.kind == "listed":
        split = listed_split(LISTS / f"{key}.yaml", entry.dataset, classes, entry.unseen)
    else:  # of an easy or hard one it does not matter here which classes it will be
        split = random_split(entry.dataset, classes, entry.unseen, settings.split.seed)
        split = replace(split, kind=settings.split.kind)
    if settings.evaluate.task == "gzsl" and not split.val_unseen:
        raise InputError(
            f"{LISTS / key}.yaml: no val_unseen classes, so there is no validation phase to fit "
            "the gate on; list as many as there are unseen ones, or set evaluate.task: zsl and "
            "protocol.selection: last"
        )
    if Path(entry.source) == SIMULATED:
        return
    _check_source(entry, settings, split, thorough=thorough)


def _classes(dataset: str) -> int:
    labels = load_classes(dataset)["label"].astype(str)
    if (open_ones := labels[labels.str.startswith(PLACEHOLDER)]).any():
        raise InputError(
            f"{CLASSES / dataset}.csv: class {open_ones.index[0]} is still called "
            f"'{open_ones.iloc[0]}'; write what it is, or take the row out"
        )
    return len(labels)


def _check_views(settings: Settings, texts: Texts, dataset: str) -> None:
    for section, views, needed in (
        ("model", settings.model.views, True),
        ("split", settings.split.views, settings.split.kind in ("easy", "hard")),
    ):
        missing = [view for view in views if view not in texts]
        if needed and missing and settings.describe.provider == "recorded":
            raise InputError(
                f"{section}.views has {', '.join(missing)}; {TEXTS} has {', '.join(texts)} of "
                f"{dataset}: write the missing texts, or leave the views out"
            )


def _check_lengths(settings: Settings, texts: Texts, dataset: str) -> None:
    from amsf.text.encoders import check_lengths, load_encoder

    asked = settings.describe.provider != "recorded"  # those texts are not there yet
    theirs = [v for v in texts if asked and (v.startswith("LLM") or v in PART_VIEWS)]
    kept = {v: t for v, t in only(texts, settings.text_views).items() if v not in theirs}
    rows = [
        (f"{dataset} {v} of class {c}", t)
        for v, table in kept.items()
        for c, t in zip(table["id"], table["text"])
    ]
    check_lengths(
        load_encoder(settings.text),
        [text for _, text in rows],
        [name for name, _ in rows],
        settings.text.over_long,
    )


def _check_source(entry: Benchmark, settings: Settings, split: Split, *, thorough: bool) -> None:
    source = Path(entry.source)
    known = split.kind not in ("easy", "hard")  # which classes are unseen
    if entry.knows_all:
        from amsf.backbone.joined import folder_of, load_others, load_recorded
        from amsf.backbone.roles import assign_roles

        recorded = load_recorded(source, entry.dataset, entry.features)
        folder = folder_of(source, entry.dataset, entry.features)
        training = training_mask(recorded, settings.backbone.partition, folder)
        load_others(source, recorded, entry.also, entry.features)
        if thorough and known:
            assign_roles(recorded, training, split, settings.backbone.seed)
        return
    from amsf.features.phases import find_folder, import_phase

    gated = settings.evaluate.task == "gzsl"
    folders = {phase: find_folder(source, split, phase) for phase in settings.evaluate.phases}
    if thorough and known:
        for phase, folder in folders.items():
            import_phase(folder, split, phase, gated=gated)


def parser(prog: str = "python -m amsf.check") -> argparse.ArgumentParser:
    """What the command takes."""
    own = argparse.ArgumentParser(prog=prog, description=__doc__.split("\n")[0])
    add_project(own)
    return own


def main(arguments: Sequence[str] | None = None, prog: str = "python -m amsf.check") -> None:
    """Print what is missing, and exit with 1 if anything is."""
    given = parser(prog).parse_args(arguments)
    with command(), inside_project(given):
        _report()


def _report() -> None:
    params = load_params()
    found = findings(params, thorough=True)
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
