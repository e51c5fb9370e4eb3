"""What a report was made with: versions, the commit, the log of every stage."""

from __future__ import annotations

import platform
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from amsf.base.errors import InputError
from amsf.stage.stage_log import describe_host, pipeline_stages, read_log

PACKAGES = ("torch", "numpy", "scikit-learn", "pandas", "transformers", "dvc")


@dataclass(frozen=True)
class StageRecord:
    """What a stage's run took; ``log`` is None where its output was restored, not made, here."""

    stage: str
    benchmark: str | None
    log: dict[str, Any] | None


@dataclass(frozen=True)
class Provenance:
    """How the results came about, as the page shows it.

    Attributes:
        versions: package -> version.
        commit: the git commit, or None outside a repository.
        changed: tracked files that differ from that commit.
        host: the machine that wrote the page.
        stages: in the order of the pipeline, without the one that writes the page.
    """

    versions: dict[str, str]
    commit: str | None
    changed: tuple[str, ...]
    host: dict[str, Any]
    stages: tuple[StageRecord, ...]


def collect_provenance(benchmarks: Sequence[str]) -> Provenance:
    """Look around; nothing here fails where git, DVC or a log is missing."""
    try:
        stages = pipeline_stages(benchmarks)
    except InputError:  # the stages were called by hand, outside a DVC project
        stages = []
    return Provenance(
        versions=package_versions(),
        commit=_git("rev-parse", "HEAD"),
        changed=tuple((_git("diff", "--name-only", "HEAD", "--") or "").splitlines()),
        host=describe_host(),
        stages=tuple(
            StageRecord(stage, key, read_log(stage, key))
            for stage, key in stages
            if stage != "summarize"
        ),
    )


def package_versions() -> dict[str, str]:
    """Versions of Python and of the packages that results hang on, where they are installed."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _git(*words: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", *words], cwd=Path.cwd(), capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
