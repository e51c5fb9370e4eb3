"""Which modules of this repository a file imports, read from its text."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("amsf", "stages")


@cache
def imported(path: Path) -> frozenset[Path]:
    """The files that a file imports itself, with the packages above them."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative import"
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    found = set()
    for parts in (name.split(".") for name in names):
        if parts[0] in PACKAGES:
            for depth in range(1, len(parts) + 1):
                place = ROOT.joinpath(*parts[:depth])
                found |= {place / "__init__.py", place.with_suffix(".py")}
    return frozenset(p for p in found if p.is_file())


def closure(path: Path) -> set[Path]:
    """A file, what it imports, what that imports, and so on."""
    done: set[Path] = set()
    waiting = {path}
    while waiting:
        path = waiting.pop()
        done.add(path)
        waiting |= imported(path) - done
    return done
