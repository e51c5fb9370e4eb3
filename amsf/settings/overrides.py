"""What a benchmark sets for itself, over the sections that hold for all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from amsf.settings.params import Params


def describe_overrides(params: Params, key: str) -> str:
    """Describe in a sentence what a benchmark's ``set`` changes; empty if it changes nothing.

    Each training prints it, because ``-S train.cycles=3`` does not change a benchmark that sets its
    own cycles.
    """
    held, common = params.for_benchmark(key).model_dump(), params.model_dump()
    changed = [
        f"{section}.{name} is {_shown(held[section][name])} instead of "
        f"{_shown(common[section][name])}"
        for section, values in params.benchmark(key).set.items()
        for name in values
        if held[section][name] != common[section][name]
    ]
    return f"{key}: by its own `set`, {', '.join(changed)}" if changed else ""


def _shown(value: Any) -> str:
    return f"[{', '.join(map(str, value))}]" if isinstance(value, tuple) else str(value)


def void_overrides(params: Params, committed: Mapping[str, Any], key: str) -> list[str]:
    """Changes of a section that do nothing for a benchmark, since its ``set`` lies over them.

    ``-S train.cycles=3`` writes into the section; a benchmark that sets its own cycles would run
    as before.

    Args:
        params: the parameters as they are now.
        committed: those of the last commit, as the file has them; empty if there is none.
        key: the benchmark.

    Returns:
        A sentence for each, that begins with what was changed.
    """
    held, now = params.for_benchmark(key).model_dump(), params.model_dump()
    found = []
    for section, values in params.benchmark(key).set.items():
        before = committed.get(section)
        for name in values:
            value = now[section][name]
            if not isinstance(before, Mapping) or name not in before:
                continue
            if _plain(value) not in (_plain(before[name]), _plain(held[section][name])):
                found.append(
                    f"{section}.{name} was changed from {before[name]} to {value}, which does "
                    f"nothing for {key}: its own `set` says {held[section][name]}. Change "
                    f"benchmarks.{key}.set.{section}.{name} instead (for other benchmarks theirs), "
                    f"or commit params.yaml if that is meant"
                )
    return found


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
