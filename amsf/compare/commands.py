"""git and DVC as commands, for what ``dvc.api`` does not give."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from amsf.base.errors import InputError


def git(folder: Path, *words: str) -> str:
    """What git prints.

    Raises:
        InputError: it fails; the message is what it says.
    """
    return _printed(subprocess.run(["git", *words], cwd=folder, check=False, capture_output=True))


def dvc(folder: Path, *words: str) -> str:
    """What DVC prints, the one beside this Python.

    Raises:
        InputError: it fails; the message is what it says.
    """
    return _printed(
        subprocess.run(
            [sys.executable, "-m", "dvc", *words], cwd=folder, check=False, capture_output=True
        )
    )


def _printed(done: subprocess.CompletedProcess[bytes]) -> str:
    if done.returncode:
        raise InputError(done.stderr.decode(errors="replace").strip())
    return done.stdout.decode(errors="replace")
