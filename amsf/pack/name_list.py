"""A list of recordings to leave out, as people and authors of datasets write them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from amsf.base.errors import InputError, counted, first_ten
from amsf.base.plain_text import read_plain_text

_QUOTES = "\"'`\u2018\u2019\u201c\u201d()[]"
_SUFFIX = re.compile(r"\.(skeleton|mat|txt|npz|npy|csv|json|pkl|avi|mp4|mov|mkv|jpg|png|zip)$")
# What the files of one sample of a dataset end in, one for each sensor.
_SENSOR = re.compile(r"_(skeleton|rgb|depth|maskeddepth|ir|color|inertial)$")


def spellings(word: str) -> list[str]:
    """What a word of a list may mean: as it is, then without folder, suffix and sensor."""
    whole = word.strip().strip(_QUOTES).casefold()
    file = re.split(r"[\\/]", whole)[-1]
    stem = _SUFFIX.sub("", file)
    return list(dict.fromkeys([whole, file, stem, _SENSOR.sub("", stem)]))


class NameList:
    """Names of recordings, and which of them were found."""

    def __init__(self, path: str | Path) -> None:
        """Read a list: a name a line, or several separated by spaces, commas or semicolons.

        The official lists of missing and incomplete samples of NTU RGB+D have prose at their top;
        its words are no names of recordings and do no harm.

        Raises:
            InputError: no such file, it is not readable, UTF-16 or empty.
        """
        self.path = Path(path)
        if not self.path.is_file():
            raise InputError(f"{path}: no such list of recordings to leave out; check --missing")
        self._means: dict[str, str] = {}  # spelling -> the word as it is written
        self._certain: list[str] = []  # words that have a line of their own, so are no prose
        self._found: set[str] = set()
        for line in read_plain_text(self.path).splitlines():
            words = [word for word in re.split(r"[\s,;]+", line) if word.strip(_QUOTES)]
            if len(words) == 1:
                self._certain += words
            for word in words if len(words) == 1 else [*words, line.strip()]:
                for spelling in spellings(word):
                    self._means.setdefault(spelling, word)
        self._means.pop("", None)
        if not self._means:
            raise InputError(f"{path}: the list of recordings to leave out is empty")

    def has(self, names: Iterable[str]) -> bool:
        """Whether one of a recording's names (its own, its file's) is in the list; noted."""
        words = {self._means[key] for name in names if (key := name.casefold()) in self._means}
        self._found |= words
        return bool(words)

    def refuse_others(self, stems: Iterable[str]) -> None:
        """Refuse a list that has nothing to do with files, before they are read.

        Args:
            stems: names of files of one recording, or of several named ``STEM_PART``.

        Raises:
            InputError: no name in the list is one of these.
        """
        parts = {key.rpartition("_")[0] for key in self._means}
        if not any(key in self._means or key in parts for key in map(str.casefold, stems)):
            self.outcome()

    def outcome(self) -> str:
        """How many of its names a recording had, as a sentence.

        Raises:
            InputError: none had.
        """
        absent = [word for word in dict.fromkeys(self._certain) if word not in self._found]
        total = len(self._found) + len(absent)
        if not self._found:
            examples = first_ten(absent[:3] or list(self._means)[:3])
            raise InputError(
                f"{self.path}: none of its names ({examples}) is that of a recording; expected "
                "names as the files have them, one a line: correct the list, or leave out --missing"
            )
        names = counted(total, "name")
        sentence = f"{self.path}: found and left out: {len(self._found)} of {names}"
        return f"{sentence}; not found: {first_ten(absent)}" if absent else sentence
