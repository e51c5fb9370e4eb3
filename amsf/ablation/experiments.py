"""The experiments of a grid in DVC: which are done, waiting or failed, and what one needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from amsf.ablation.checks import effective
from amsf.ablation.tasks import failure, queue_tasks
from amsf.base.errors import InputError
from amsf.base.yaml import parse_yaml
from amsf.compare.commands import git
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
class Experiment:
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


class Experiments:
    """The state of every experiment, by name, as it is now."""

    def __init__(self, revisions: Revisions) -> None:
        self._revisions = revisions
        self._done = revisions.experiments()
        # A later state outweighs an earlier one.
        self._waiting = {task.name: task for task in queue_tasks(revisions.root)}

    def of(self, name: str, params: Params) -> Experiment:
        """Where the experiment of this name and these parameters stands."""
        expected = effective(params)
        reasons = []
        for named in self._done.get(name, []):
            reason = self._difference(named.revision, expected)
            if not reason:
                return Experiment("done", named=named)
            reasons.append(reason)
        if name in self._waiting:
            task = self._waiting[name]
            if task.state != "failed":
                reason = self._difference(task.revision, expected)
                return (
                    Experiment("changed", f"in the queue with {reason}")
                    if reason
                    else Experiment(task.state)
                )
            if not reasons:
                # One that failed is run anew, whatever its parameters were.
                return Experiment("failed", failure(self._revisions.root, task))
        return Experiment("changed", f"run with {reasons[0]}") if reasons else Experiment("absent")

    def _difference(self, revision: str, expected: Mapping[str, Any]) -> str:
        """The first parameter in which a revision differs, or nothing."""
        try:
            snapshot = self._revisions.open(revision)
            raw = parse_yaml(snapshot.read("params.yaml"), "params.yaml")
            found = effective(parse_params(raw, revision))
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


def untracked_code(revisions: Revisions) -> list[str]:
    """Files of the pipeline that git does not know, so that a queued experiment would miss them."""
    listed = git(revisions.root, "ls-files", "-z", "--others", "--exclude-standard")
    return sorted(path for path in listed.split("\0") if path.startswith(TRACKED))


def copied_paths(revisions: Revisions, params: Params) -> list[str]:
    """The users' own data in the sources of the benchmarks, for queued experiments to copy.

    A queued experiment runs in a folder of its own, with what git tracks and DVC has made.
    """
    from dvc.api import DVCFileSystem

    files = DVCFileSystem(str(revisions.root))
    found = set()
    for entry in params.benchmarks.values():
        source = revisions.root / entry.source
        made = files.isdvc(Path(entry.source).as_posix())
        if made or Path(entry.source).is_absolute() or not source.is_dir():
            continue
        listed = git(revisions.root, "ls-files", "-z", "--", entry.source)
        known = {Path(path) for path in listed.split("\0") if path}
        inside = [path.relative_to(revisions.root) for path in source.iterdir()]
        own = [path for path in inside if path not in known]
        found |= {str(path) for path in own} if known else {entry.source}
    return sorted(found)


def _told(value: Any) -> str:
    return f"[{', '.join(map(str, value))}]" if isinstance(value, (list, tuple)) else str(value)
