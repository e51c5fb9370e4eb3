"""Files of DVC experiments, git revisions and the workspace, read without checking anything out.

Nothing else of the comparison asks DVC, and nothing here goes below its API and commands.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from amsf.base.errors import InputError
from amsf.compare.commands import dvc, git

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

    Attributes:
        root: the top folder of the DVC repository.
        head: the commit that is checked out.

    Raises:
        InputError: there is no DVC repository with a commit of git.
    """

    def __init__(self, folder: Path = Path()) -> None:
        try:
            self.root = (folder / dvc(folder, "root").strip()).resolve()
        except InputError as error:
            raise InputError(f"{folder.resolve()}: no DVC repository ({error})") from None
        try:
            self.head = git(self.root, "rev-parse", "--verify", "HEAD").strip()
        except InputError as error:
            raise InputError(f"{self.root}: no commit of git to start from ({error})") from None
        self._stack = ExitStack()

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
        """The experiments of every name, those that start from HEAD first.

        Each is a reference of git, ``refs/exps/<commit that it starts from>/<name>``. To
        `dvc.api.exp_show` one has to give the commits, whose every file of metrics it reads; and
        it gives seven digits of a revision.
        """
        listed = git(self.root, "for-each-ref", "--format=%(objectname) %(refname)", "refs/exps")
        found = re.findall(r"^(\w+) refs/exps/(\w{2})/(\w{38})/(.+)$", listed, re.MULTILINE)
        named: dict[str, list[Named]] = {}
        for revision, start, rest, name in found:
            named.setdefault(name, []).append(Named(revision, start + rest))
        return {
            name: sorted(own, key=lambda one: one.baseline != self.head)
            for name, own in named.items()
        }

    def open(self, name: str) -> Snapshot:
        """The files of an experiment, a branch, a tag, a commit, or of ``workspace``.

        Raises:
            InputError: there is no such revision, or several experiments have the name.
        """
        if name == WORKSPACE:
            return Snapshot(name, name, self._read_workspace, self._find_workspace)
        from dvc.api import DVCFileSystem

        # No part of dvc.api, which yet lets it through.
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
        """The revision, by the rules of DVC: git's names first, then those of experiments."""
        if not name.startswith("-"):
            with suppress(InputError):
                return git(self.root, "rev-parse", "--verify", f"{name}^{{commit}}").strip()
        named = self.experiments()
        own = named.get(name, [])
        if len(own) == 1 or (own and own[0].baseline == self.head):
            return own[0].revision
        if own:
            choices = ", ".join(found.revision[:10] for found in own)
            raise InputError(
                f"{name}: {len(own)} experiments of other commits have this name; "
                f"give one by its revision: {choices}"
            )
        from dvc.api import all_branches, all_tags

        root = str(self.root)
        known = [*named, *all_branches(root), *all_tags(root), WORKSPACE]
        close = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
        hint = f"; did you mean {' or '.join(close)}?" if close else ";"
        raise InputError(
            f"{name}: no experiment, branch, tag or commit of this name{hint} "
            "`dvc exp list --all-commits` lists the experiments"
        )

    def _read_workspace(self, path: str) -> bytes:
        return (self.root / path).read_bytes()

    def _find_workspace(self, folder: str) -> list[str]:
        found = (p for p in (self.root / folder).rglob("*") if p.is_file())
        return sorted(p.relative_to(self.root).as_posix() for p in found)
