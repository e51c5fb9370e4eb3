"""Files of DVC experiments, git revisions and the workspace, read without checking anything out.

Nothing else of the comparison imports DVC.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from amsf.base.errors import InputError

WORKSPACE = "workspace"


@dataclass(frozen=True)
class Snapshot:
    """The files of one revision.

    Attributes:
        name: as the user gave it.
        revision: 40 hex digits, or ``workspace``.
        read: path -> its bytes, of what git or DVC tracks; raises FileNotFoundError where the
            revision has no such file, and InputError where its content is not at hand.
        find: folder -> the paths of the files in it, sorted; none where there is no such folder.
    """

    name: str
    revision: str
    read: Callable[[str], bytes]
    find: Callable[[str], list[str]]


@dataclass(frozen=True)
class Named:
    """One experiment of a name: its revision, and the commit that it starts from."""

    revision: str
    baseline: str


class Revisions:
    """The revisions of the DVC repository in a folder; to be used in a ``with`` statement.

    Raises:
        InputError: there is no DVC repository with git.
    """

    def __init__(self, folder: Path = Path()) -> None:
        from dvc.exceptions import DvcException
        from dvc.repo import Repo

        self._stack = ExitStack()
        try:
            self.repo = self._stack.enter_context(Repo(str(folder)))
        except DvcException as error:
            raise InputError(f"{folder.resolve()}: no DVC repository ({error})") from None
        self.root = Path(self.repo.root_dir)

    def __enter__(self) -> Revisions:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def experiments(self) -> dict[str, list[Named]]:
        """The experiments of every name, those that start from HEAD first."""
        head = self.repo.scm.get_rev()
        listed = self.repo.experiments.ls(all_commits=True)
        found: dict[str, list[Named]] = {}
        for baseline in sorted(listed, key=lambda rev: rev != head):
            for name, revision in listed[baseline]:
                found.setdefault(name, []).append(Named(str(revision), baseline))
        return found

    def open(self, name: str) -> Snapshot:
        """The files of an experiment, a branch, a tag, a commit, or of ``workspace``.

        Raises:
            InputError: there is no such revision, or several experiments have the name.
        """
        if name == WORKSPACE:
            return Snapshot(name, name, self._read_workspace, self._find_workspace)
        from dvc.api import DVCFileSystem
        from dvc_data.index import DataIndexError

        revision = self._resolve(name)
        files = DVCFileSystem(str(self.root), rev=revision)
        self._stack.callback(files.close)

        def read(path: str) -> bytes:
            try:
                return bytes(files.read_bytes(path))
            except FileNotFoundError:
                if not files.exists(path):
                    raise FileNotFoundError(path) from None
            except DataIndexError:
                pass  # the list of the folder's files
            raise InputError(
                f"{name}: {path} was made, but is neither in DVC's cache nor on a remote; fetch "
                "it with `dvc pull` or `dvc exp pull`, or run it again"
            )

        def find(folder: str) -> list[str]:
            return sorted(str(path) for path in files.find(folder))

        return Snapshot(name, revision, read, find)

    def _resolve(self, name: str) -> str:
        from dvc.scm import RevError, resolve_rev

        try:
            return str(resolve_rev(self.repo.scm, name))
        except RevError as error:
            named = self.experiments()
            if len(named.get(name, [])) > 1:
                told = ", ".join(found.revision[:10] for found in named[name])
                raise InputError(
                    f"{name}: {len(named[name])} experiments of other commits have this name; "
                    f"give one by its revision: {told}"
                ) from None
            scm = self.repo.scm
            known = [*named, *scm.list_branches(), *scm.list_tags(), WORKSPACE]
            close = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
            hint = f"; did you mean {' or '.join(close)}?" if close else ""
            raise InputError(
                f"{name}: no experiment, branch, tag or commit of this name{hint} "
                f"`dvc exp list --all-commits` lists the experiments ({error})"
            ) from None

    def _read_workspace(self, path: str) -> bytes:
        return (self.root / path).read_bytes()

    def _find_workspace(self, folder: str) -> list[str]:
        found = (p for p in (self.root / folder).rglob("*") if p.is_file())
        return sorted(p.relative_to(self.root).as_posix() for p in found)
