"""What a benchmark sets for itself, over the sections that hold for all."""

from __future__ import annotations

from amsf.settings.params import Params


def describe_overrides(params: Params, key: str) -> str:
    """Describe in a sentence what a benchmark's ``set`` changes; empty if it changes nothing.

    Each training prints it, because ``-S train.cycles=3`` does not change a benchmark that sets its
    own cycles.
    """
    held, common = params.for_benchmark(key).model_dump(), params.model_dump()
    changed = [
        f"{section}.{name} is {held[section][name]} instead of {common[section][name]}"
        for section, values in params.benchmark(key).set.items()
        for name in values
        if held[section][name] != common[section][name]
    ]
    return f"{key}: by its own `set`, {', '.join(changed)}" if changed else ""
