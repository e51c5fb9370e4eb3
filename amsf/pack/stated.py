"""What a user says of recordings: by the options of the commands, and by the names of folders."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any

from amsf.base.artifacts import CLASSES
from amsf.base.errors import InputError
from amsf.dataset.classes import load_classes
from amsf.skeleton.cleaning import Stated
from amsf.skeleton.joints import AXES, layout_of
from amsf.skeleton.recordings import UNKNOWN
from amsf.skeleton.stature import UNITS

_OPTIONS = ("up", "unit", "mirror", "flat", "layout", "pose_model")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what the files do not show."""
    parser.add_argument(
        "--up", choices=AXES, help="the axis that is up in the files (default: found from them)"
    )
    parser.add_argument(
        "--unit", help="the files' unit: metres, centimetres, millimetres, or its length in metres"
    )
    parser.add_argument(
        "--mirror", choices=("yes", "no"), help="swap left and right (default: found from them)"
    )
    parser.add_argument(
        "--flat", action="store_true", help="take 2-D poses, as they are in a picture: depth 0"
    )
    parser.add_argument("--layout", help="the joint layout, where the files do not name the joints")
    parser.add_argument(
        "--pose-model", type=Path, metavar="FILE", help="for videos: a MediaPipe pose model (.task)"
    )


def take_options(given: dict[str, Any]) -> Stated:
    """Take these options out of the parsed ones.

    Raises:
        InputError: the unit is no length, or no layout has that name.
    """
    chosen = {name: given.pop(name) for name in _OPTIONS}
    if chosen["layout"] is not None:
        layout_of(chosen["layout"])
    if chosen["unit"] is not None:
        chosen["unit"] = _metres(chosen["unit"])
    if chosen["mirror"] is not None:
        chosen["mirror"] = chosen["mirror"] == "yes"
    return Stated(**chosen)


def _metres(unit: str) -> float:
    try:
        length = UNITS.get(unit) or float(unit)
    except ValueError:
        length = 0.0
    if not 1e-6 < length < 1e6:
        raise InputError(
            f"--unit is {unit}; expected {', '.join(UNITS)}, or a length in metres such as 0.0254"
        )
    return length


class ClassFolders:
    """The classes of recordings by the folders that they lie in.

    The nearest folder above a file, inside the source, that is named like a class of
    ``data/classes/<dataset>.csv`` (its label, whatever the capitals, spaces and dashes, or its id)
    says the class. Without such a list a folder's number is the id.
    """

    def __init__(self, dataset: str, source: Path) -> None:
        self.source = source.absolute()
        path = CLASSES / f"{dataset}.csv"
        self.hint = f"expected a folder above it with the name or id of a class of {path}"
        self._listed = path.is_file()
        self._ids: dict[str, int] = {}
        if self._listed:
            labels = load_classes(dataset)["label"].astype(str)
            self._ids = {_plain(label): number for number, label in enumerate(labels)}
            self._ids |= {str(number): number for number in range(len(labels))}

    def label_of(self, file: Path) -> int:
        """The class id of a file, -1 where no folder says it."""
        for folder in file.absolute().parents:
            name = _plain(folder.name)
            if name in self._ids:
                return self._ids[name]
            if not self._listed and name.isdecimal() and len(name) < 10:
                return int(name)
            if folder == self.source:
                break
        return UNKNOWN


def _plain(name: str) -> str:
    """A name in small letters without spaces, dashes and the like; a number without zeros."""
    plain = re.sub(r"[\W_]+", "", name.casefold())
    return str(int(plain)) if plain.isdecimal() else plain
