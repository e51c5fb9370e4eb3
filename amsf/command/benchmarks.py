"""A benchmark's line in ``params.yaml``, put in and taken out without touching the rest.

A YAML library would write the file anew, without some of its comments and blank lines.
"""

from __future__ import annotations

import re
from typing import Any

from amsf.base.errors import InputError
from amsf.base.yaml import parse_yaml

_BLOCK = re.compile(r"^benchmarks:[ \t]*(?:\{[ \t]*\}|null|~)?[ \t]*(#.*)?$", re.MULTILINE)
# What stands above the first benchmark, and the indentation of that.
_FIRST = re.compile(r"\n(?:[ \t]*(?:#.*)?\n)*( +)[^\s#]")


def with_benchmark(text: str, key: str, entry: dict[str, Any], where: str) -> str:
    """The text of ``params.yaml`` with one benchmark more, the first of them, on a line.

    Args:
        text: the file as it is.
        key: the benchmark's name.
        entry: what it holds: words, numbers, lists and mappings of them.
        where: the file, for messages.

    Raises:
        InputError: the file is not YAML, has the benchmark already, or its ``benchmarks:`` is
            no block.
    """
    before = parse_yaml(text, where)
    benchmarks = (before.get("benchmarks") if isinstance(before, dict) else None) or {}
    if key in benchmarks:
        raise InputError(f"{where}: benchmark {key} is there already; take its line out, or choose "
                         "another name")  # fmt: skip
    line = f"{key}: {_in_flow(entry)}"
    for head in _BLOCK.finditer(text):
        rest = text[head.end() :]
        first = _FIRST.match(rest) if benchmarks else None
        indent = first[1] if first else "  "
        comment = f"  {head[1]}" if head[1] else ""
        changed = f"{text[: head.start()]}benchmarks:{comment}\n{indent}{line}{rest}"
        if parse_yaml(changed, where) == {**before, "benchmarks": {key: entry, **benchmarks}}:
            return changed
    raise InputError(
        f"{where}: no `benchmarks:` on a line of its own with each benchmark below; put it there"
    )


def without_benchmarks(text: str, dataset: str) -> str:
    """The text of ``params.yaml`` without the benchmarks named like a dataset of the user's own.

    DVC's ``-S`` may have written them over several lines.
    """
    return re.sub(rf"^( +){dataset}-u\d+:.*\n(?:\1 +.*\n)*", "", text, flags=re.MULTILINE)


def _in_flow(value: Any) -> str:
    if isinstance(value, dict):
        return f"{{{', '.join(f'{name}: {_in_flow(own)}' for name, own in value.items())}}}"
    return f"[{', '.join(map(_in_flow, value))}]" if isinstance(value, list) else str(value)
