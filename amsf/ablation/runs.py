"""The experiments of a grid in DVC: which are done, waiting or failed, and how to queue one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from amsf.ablation.checks import effective
from amsf.base.errors import InputError
from amsf.compare.revisions import Named, Revisions
from amsf.settings.params import Params, parse_params

State = Literal["done", "running", "queued", "failed", "changed", "absent", "invalid"]

# What an experiment's code and shipped data are; a file there that git does not know would be
# missing in the experiment's own folder.
TRACKED = (
    *("amsf/", "stages/", ".dvc/plots/"),
    *("data/classes/", "data/prompts/", "data/splits/", "data/texts/", "data/published_results"),
)


@dataclass(frozen=True)
class Run:
    """Where an experiment stands.

    Attributes:
        state: ``changed`` if one of this name was run with other parameters, ``invalid`` if its
            parameters are.
        reason: why it failed, or in what it differs.
        named: its revision and commit, if it is done.
    """

    state: State
    reason: str = ""
    named: Named | None = None


class Runs:
    """The state of every experiment, by name, as it is now."""

    def __init__(self, revisions: Revisions) -> None:
        self._revisions = revisions
        self._done = revisions.experiments()
        self._waiting: dict[str, tuple[State, str]] = {}
        states: dict[str, State] = {"Failed": "failed", "Queued": "queued", "Running": "running"}
        tasks = revisions.repo.experiments.celery_queue.status()
        for shown, state in states.items():  # a later state outweighs an earlier one
            for task in sorted(tasks, key=lambda t: t["timestamp"]):
                if task["status"] == shown:
                    self._waiting[task["name"]] = (state, task["rev"])

    def of(self, name: str, params: Params) -> Run:
        """Where the experiment of this name and these parameters stands."""
        expected = effective(params)
        reasons = []
        for named in self._done.get(name, []):
            reason = self._difference(named.revision, expected)
            if not reason:
                return Run("done", named=named)
            reasons.append(reason)
        if name in self._waiting:
            state, revision = self._waiting[name]
            if state != "failed":
                reason = self._difference(revision, expected)
                return Run("changed", f"in the queue with {reason}") if reason else Run(state)
            if not reasons:
                # One that failed is run anew, whatever its parameters were.
                return Run(state, self._failure(name, revision))
        return Run("changed", f"run with {reasons[0]}") if reasons else Run("absent")

    def _difference(self, revision: str, expected: Mapping[str, Any]) -> str:
        """The first parameter in which a revision differs, or nothing."""
        try:
            snapshot = self._revisions.open(revision)
            found = effective(parse_params(yaml.safe_load(snapshot.read("params.yaml")), revision))
        except InputError as error:
            return f"parameters that are not valid now ({error})"
        for key in sorted({*expected, *found}):
            if key not in found or key not in expected:
                return f"other benchmarks ({', '.join(found)})"
            for section, values in expected[key]["settings"].items():
                for name, value in values.items():
                    other = found[key]["settings"][section][name]
                    if other != value:
                        return f"{section}.{name} {_told(other)} instead of {_told(value)}"
            if found[key] != expected[key]:
                return f"another entry benchmarks.{key}"
        return ""

    def _failure(self, name: str, revision: str) -> str:
        """The error in the log of a failed task."""
        process = self._revisions.repo.experiments.celery_queue.proc.get(revision)
        log = Path(process.stdout) if process is not None else None
        lines = log.read_text(errors="replace").splitlines() if log and log.is_file() else []
        for mark in ("error: ", "ERROR: "):
            told = [line.removeprefix(mark) for line in lines if line.startswith(mark)]
            if told:
                return told[-1]
        return f"see `dvc queue logs {name}`"


def queue_run(root: Path, name: str, set_params: Sequence[str], copied: Sequence[str]) -> None:
    """Put one experiment into DVC's queue: ``dvc exp run --queue``.

    Args:
        root: the repository.
        name: of the experiment.
        set_params: overrides in the form of ``-S``.
        copied: files and folders of the user's that git does not know, and that DVC is to copy.

    Raises:
        InputError: DVC refuses.
    """
    words = ["exp", "run", "--queue", "--name", name]
    words += [word for override in set_params for word in ("--set-param", override)]
    words += [word for path in copied for word in ("--copy-paths", path)]
    done = subprocess.run(
        [sys.executable, "-m", "dvc", *words], cwd=root, check=False, text=True, capture_output=True
    )
    if done.returncode:
        raise InputError(f"{name}: DVC did not queue it: {done.stderr.strip()}")


def untracked_code(revisions: Revisions) -> list[str]:
    """Files of the pipeline that git does not know, so that a queued experiment would miss them."""
    found = (str(path) for path in revisions.repo.scm.untracked_files())
    return sorted(path for path in found if path.startswith(TRACKED))


def copied_paths(revisions: Revisions, params: Params) -> list[str]:
    """The users' own data in the sources of the benchmarks, for queued experiments to copy.

    A queued experiment runs in a folder of its own, with what git tracks and DVC has made.
    """
    repo = revisions.repo
    outs = [Path(out.fs_path) for out in repo.index.outs]
    found = set()
    for entry in params.benchmarks.values():
        source = revisions.root / entry.source
        made = any(source.is_relative_to(out) for out in outs)
        if made or Path(entry.source).is_absolute() or not source.is_dir():
            continue
        known = {Path(path) for path in _tracked(revisions.root, entry.source)}
        inside = [path.relative_to(revisions.root) for path in source.iterdir()]
        own = [path for path in inside if path not in known]
        found |= {str(path) for path in own} if known else {entry.source}
    return sorted(found)


def _tracked(root: Path, folder: str) -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--", folder],
        cwd=root,
        check=True,
        text=True,
        capture_output=True,
    )
    return [path for path in listed.stdout.split("\0") if path]


def _told(value: Any) -> str:
    return f"[{', '.join(map(str, value))}]" if isinstance(value, (list, tuple)) else str(value)
