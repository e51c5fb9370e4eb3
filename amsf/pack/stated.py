"""What a user says of recordings: by the options of the commands, by names of folders and files."""

from __future__ import annotations

import argparse
import re
import string
import unicodedata
from dataclasses import replace
from pathlib import Path
from typing import Any

from amsf.base.artifacts import CLASSES
from amsf.base.errors import InputError
from amsf.dataset.classes import load_classes
from amsf.skeleton.cleaning import Stated
from amsf.skeleton.joints import AXES, layout_of
from amsf.skeleton.recordings import UNKNOWN, Recording
from amsf.skeleton.stature import UNITS

_OPTIONS = ("up", "unit", "mirror", "flat", "layout", "pose_model")
_ANYTHING = "[^/]+?"  # within a name, as little as will do
_SIGNS = r"(?:[^\w/]|_)*?"  # between the words of a label and around it


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
        self.path = CLASSES / f"{dataset}.csv"
        self.hint = (
            f"expected a folder above it with the name or id of a class of {self.path}, or --names "
            "FORM with a {label} in it"
        )
        self._listed = self.path.is_file()
        self.meant = (
            f"a class of {self.path}" if self._listed else f"an id: there is no {self.path}"
        )
        self.labels: list[str] = []
        if self._listed:
            self.labels = load_classes(dataset)["label"].astype(str).tolist()
        self._ids: dict[str, set[int]] = {}  # spelling -> the classes that it may mean
        for number, label in enumerate(self.labels):
            for spelling in (_plain(label), str(number)):
                self._ids.setdefault(spelling, set()).add(number)

    def label_of(self, file: Path) -> int:
        """The class id of a file, -1 where no folder says it.

        Raises:
            InputError: a folder's name may be that of several classes.
        """
        for folder in file.absolute().parents:
            if (label := self.id_of(folder.name)) != UNKNOWN:
                return label
            if folder == self.source:
                break
        return UNKNOWN

    def id_of(self, name: str) -> int:
        """The id of the class that is called so, -1 where none is.

        Raises:
            InputError: several may be.
        """
        plain = _plain(name)
        if not self._listed and plain.isdecimal() and len(plain) < 10:
            return int(plain)
        found = sorted(self._ids.get(plain, ()))
        if len(found) > 1:
            meant = " or ".join(f"{number} ({self.labels[number]})" for number in found)
            raise InputError(
                f"'{name}' may be class {meant} of {self.path}; expected "
                "labels that differ in more than signs and spaces, and that are no ids of others: "
                "rename one there"
            )
        return found[0] if found else UNKNOWN


class NameForm:
    """What the names of recordings, and of the folders that they lie in, say by a user's form.

    ``{subject}/{label}_{}`` reads ``anna/sit_down_01``: ``{subject}`` is who acts, ``{label}`` the
    class, by its label or id, ``{}`` anything. A form with a slash reads as many folders as it has
    slashes. Capitals make no difference.

    Attributes:
        people: name -> number, in the order in which they come; empty where they are numbers.

    Raises:
        InputError: the form is none of these.
    """

    def __init__(self, form: str, folders: ClassFolders) -> None:
        self._form, self._folders = form, folders
        # A label may hold what stands between the fields: the longest that fits is meant.
        spelled = [_SIGNS.join(words) for label in folders.labels if (words := _words(label))]
        known = "|".join([*sorted(spelled, key=len, reverse=True), r"\d+"])
        known = f"{_SIGNS}(?:{known}){_SIGNS}"
        self._pattern = _pattern(form, known if folders.labels else r"\d+")
        self.people: dict[str, int] = {}
        self._numbers: list[str] = []

    def told(self, recording: Recording, file: Path) -> Recording:
        """A recording of a file with what its name says.

        Raises:
            InputError: the name has another form.
        """
        above = file.absolute().parent
        source = self._folders.source
        inside = above.relative_to(source).parts if above.is_relative_to(source) else ()
        depth = self._form.count("/") + 1
        name = _composed("/".join((*inside, recording.name)[-depth:]))
        found = self._pattern.fullmatch(name)
        if found is None:
            where = f", where {{label}} is {self._folders.meant}"
            raise InputError(
                f"its name, {name}, is not of the form {self._form} (--names)"
                f"{where if '{label}' in self._form else ''}"
            )
        said = found.groupdict()
        if "label" in said:
            recording = replace(recording, label=self._folders.id_of(said["label"]))
        if "subject" in said:
            recording = replace(recording, subject=self._number_of(said["subject"]))
        return recording

    def _number_of(self, person: str) -> int:
        if person.isdecimal() and len(person) < 10:
            self._numbers.append(person)
            return int(person)
        return self.people.setdefault(person.casefold(), len(self.people) + 1)

    def refuse_mixture(self) -> None:
        """Refuse people of whom some have a number and some a name.

        Raises:
            InputError: there are such people.
        """
        if self.people and self._numbers:
            raise InputError(
                f"--names {self._form}: by the names, '{next(iter(self.people))}' and "
                f"'{self._numbers[0]}' are people; expected words or numbers: rename them, or "
                "choose another form"
            )


def _pattern(form: str, label: str) -> re.Pattern[str]:
    """A form as a regular expression, where ``label`` is that of a class."""
    form = _composed(form)
    fields = {"": _ANYTHING, "subject": f"(?P<subject>{_ANYTHING})", "label": f"(?P<label>{label})"}
    pattern, given = "", list[str]()
    try:
        for text, field, spec, conversion in string.Formatter().parse(form):
            if field is None:
                pattern += re.escape(text)
                continue
            if field not in fields or spec or conversion:
                raise ValueError(f"'{field}' is no field")
            if field and field in given:
                raise ValueError(f"{{{field}}} comes twice")
            if given and not text:
                raise ValueError("nothing stands between two fields")
            pattern += re.escape(text) + fields[field]
            given.append(field)
        if not any(given):
            raise ValueError("it names no field")
    except ValueError as error:
        raise InputError(
            f"--names {form}: {error}; expected {{subject}}, {{label}} and, for anything else, {{}}"
            ", such as '{subject}/{label}_{}'"
        ) from error
    return re.compile(pattern, re.IGNORECASE)


def _plain(name: str) -> str:
    """A name in small letters without spaces, dashes and the like; a number without zeros."""
    plain = "".join(_words(name.casefold()))
    return str(int(plain)) if plain.isdecimal() else plain


def _words(text: str) -> list[str]:
    """The runs of letters, digits and the marks that belong to letters, as in Hindi."""
    kept = [c if unicodedata.category(c)[0] in "LMN" else " " for c in _composed(text)]
    return "".join(kept).split()


def _composed(text: str) -> str:
    """Letters with their accents as one sign; names of files on a Mac have them as two."""
    return unicodedata.normalize("NFC", text)
