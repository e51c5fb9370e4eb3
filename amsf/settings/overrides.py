"""What a benchmark sets for itself, over the sections that hold for all."""

from __future__ import annotations

from amsf.settings.params import Params


def describe_overrides(params: Params, key: str) -> str:
    """A sentence with what the ``set`` of a benchmark changes; empty if it changes nothing.

    Told at each training: else ``-S train.cycles=3`` would have no effect on a benchmark that sets
    its own, without a word.
    """
    held, common = params.for_benchmark(key).model_dump(), params.model_dump()
    changed = [
        f"{section}.{name} is {held[section][name]} instead of {common[section][name]}"
        for section, values in params.benchmark(key).set.items()
        for name in values
        if held[section][name] != common[section][name]
    ]
    return f"{key}: by its own `set`, {', '.join(changed)}" if changed else ""
