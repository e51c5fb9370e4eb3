"""The tasks of DVC's queue: which there are, why one failed, and a new one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from amsf.base.errors import InputError
from amsf.compare.commands import dvc, git

TaskState = Literal["running", "queued", "failed"]
_STATES: dict[str, TaskState] = {"Failed": "failed", "Queued": "queued", "Running": "running"}


@dataclass(frozen=True)
class Task:
    """An experiment that is in the queue, or failed there.

    Attributes:
        name: the experiment's name.
        state: where it stands.
        revision: the commit that holds its parameters.
    """

    name: str
    state: TaskState
    revision: str


def queue_tasks(root: Path) -> list[Task]:
    """The tasks of every commit that failed, wait or run: in this order, and the oldest first.

    `dvc.api.exp_show` would have to be given the commits that experiments were queued from, and
    reads all their files of metrics.
    """
    head, *lines = dvc(root, "queue", "status").splitlines()
    name, created, status = (head.find(title) for title in ("Name", "Created", "Status"))
    found = [
        (line[:name].strip(), line[name:created].strip(), _STATES[line[status:].strip()])
        for line in lines
        if status > 0 and line[status:].strip() in _STATES
    ]
    if not found:
        return []
    revisions = [revision for revision, _, _ in found]
    newest = git(root, "log", "--no-walk=sorted", "--format=%H", *revisions).split()
    order = list(_STATES.values())
    tasks = [
        Task(name, state, revision)
        for short, name, state in found
        for revision in newest
        if revision.startswith(short)
    ]
    return sorted(tasks, key=lambda t: (order.index(t.state), -newest.index(t.revision)))


def failure(root: Path, task: Task) -> str:
    """The error in the log of a task that failed."""
    try:
        lines = dvc(root, "queue", "logs", task.revision[:7]).splitlines()
    except InputError:  # it has no log
        lines = []
    for mark in ("error: ", "ERROR: "):
        errors = [line.removeprefix(mark) for line in lines if line.startswith(mark)]
        if errors:
            return errors[-1]
    return f"see `dvc queue logs {task.name}`"


def queue_run(root: Path, name: str, set_params: Sequence[str], copied: Sequence[str]) -> None:
    """Put one experiment into DVC's queue: ``dvc exp run --queue``.

    Args:
        root: the repository.
        name: the experiment's name.
        set_params: overrides in the form of ``-S``.
        copied: files and folders of the user's that git does not know, and that DVC is to copy.

    Raises:
        InputError: DVC refuses.
    """
    words = [word for override in set_params for word in ("--set-param", override)]
    words += [word for path in copied for word in ("--copy-paths", path)]
    try:
        dvc(root, "exp", "run", "--queue", "--name", name, *words)
    except InputError as error:
        raise InputError(f"{name}: DVC did not queue it: {error}") from None
