"""What a stage read must still be there when it ends.

DVC records parameters and dependencies as they are when a stage has ended. Edited while it runs,
they would stand in dvc.lock beside a result of what was there before. A stage compares both, of
what dvc.yaml declares, and fails where they differ; DVC then records nothing.

Code edited in the seconds in which Python imports it, before the stage begins, is not noticed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from amsf.base.errors import InputError
from amsf.base.storage import sha256
from amsf.base.yaml import read_yaml
from amsf.stage.reads import outdated, refuse_outdated
from amsf.stage.stage_log import stage_body

PARAMS, IGNORED = Path("params.yaml"), Path(".dvcignore")
# Bytes up to which a file's content is compared; of larger ones size and time of the last change.
HASHED = 1 << 24


@dataclass(frozen=True)
class Stamp:
    """A file as it was; ``digest`` is its SHA-256, None for a large one."""

    size: int
    changed: int
    digest: str | None


@dataclass(frozen=True)
class Inputs:
    """Parameters by their dotted names, files by their paths."""

    parameters: dict[str, Any]
    files: dict[Path, Stamp]


@contextmanager
def unchanged(stage: str, benchmark: str | None) -> Iterator[None]:
    """Compare what a stage reads before and after the block; outside a pipeline, nothing.

    Raises:
        InputError: a parameter or a dependency was changed meanwhile, or since the stage check.
    """
    try:
        before = look(stage, benchmark)
    except InputError:  # no pipeline, or parameters that the stage itself is about to refuse
        before = None
    if before is not None:
        refuse_outdated(read_yaml(PARAMS), stage, benchmark)
    yield
    if before is None:
        return
    try:
        found = changes(before, look(stage, benchmark, before.files))
        # Parameters that dvc.yaml declares by the file that the stage check writes of them.
        names = outdated(read_yaml(PARAMS), stage, benchmark)
        found += [f"{PARAMS}: {name}" for name in names]
    except InputError as error:
        found = [str(error)]
    if found:
        more = f", and {len(found) - 5} more" if len(found) > 5 else ""
        raise InputError(
            f"changed while this stage ran: {'; '.join(found[:5])}{more}. Its result is that of "
            "what was there before, so it is not recorded; run the same command again"
        )


def look(stage: str, benchmark: str | None, before: dict[Path, Stamp] | None = None) -> Inputs:
    """The parameters and files that dvc.yaml declares for a stage, as they are now.

    Args:
        stage: its name in dvc.yaml.
        benchmark: None for a stage that serves all.
        before: earlier stamps; a file of the same size and time is not read again.

    Raises:
        InputError: there is no such stage, or params.yaml cannot be read.
    """
    body = stage_body(stage)
    if not PARAMS.is_file():
        raise InputError(f"{PARAMS}: no such file")
    raw = read_yaml(PARAMS)
    entry = _value(raw, f"benchmarks.{benchmark}")
    names = {"key": benchmark or ""}
    names |= {f"item.{name}": value for name, value in (entry or {}).items()}
    parameters = [_filled(name, names) for name in body.get("params", [])]
    paths = [Path(_filled(name, names)) for name in body.get("deps", [])]
    return Inputs(
        {name: _value(raw, name) for name in parameters},
        {file: _stamp(file, (before or {}).get(file)) for path in paths for file in _files(path)},
    )


def changes(before: Inputs, after: Inputs) -> list[str]:
    """What differs, a few words each."""
    found = [
        f"{PARAMS}: {name}"
        for name in before.parameters
        if before.parameters[name] != after.parameters.get(name)
    ]
    for path in sorted(before.files.keys() | after.files.keys()):
        old, new = before.files.get(path), after.files.get(path)
        if old is None or new is None:
            found.append(f"{path} ({'new' if old is None else 'gone'})")
        elif old != new and (old.digest is None or old.digest != new.digest):
            found.append(str(path))
    return found


def _filled(text: str, names: dict[str, Any]) -> str:
    """``${key}`` and ``${item.<name>}`` of dvc.yaml's ``foreach`` with their values."""
    return re.sub(r"\$\{([^}]*)\}", lambda found: str(names.get(found[1], found[0])), text)


def _value(raw: Any, name: str) -> Any:
    for part in name.split("."):
        raw = raw.get(part) if isinstance(raw, dict) else None
    return raw


def _files(path: Path) -> list[Path]:
    """The file itself, or all below a folder but by-products of Python and of editors."""
    if path.is_file():
        return [path]
    lines = IGNORED.read_text(encoding="utf-8").splitlines() if IGNORED.is_file() else []
    patterns = [line.replace("\\", "") for line in lines if line and line[0] != "#"]
    return [
        file
        for file in path.rglob("*")
        if file.is_file()
        and not any(fnmatch(part, pattern) for part in file.parts for pattern in patterns)
    ]


def _stamp(path: Path, before: Stamp | None) -> Stamp:
    status = path.stat()
    if before is not None and (before.size, before.changed) == (status.st_size, status.st_mtime_ns):
        return before
    digest = sha256(path) if status.st_size <= HASHED else None
    return Stamp(status.st_size, status.st_mtime_ns, digest)
