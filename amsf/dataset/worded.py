"""Classes described in words: a user's CSV file of labels and texts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from amsf.base.display import escaped, from_cell
from amsf.base.errors import InputError
from amsf.base.tables import read_table
from amsf.settings.params import PART_VIEWS, View

_LABEL, *_OTHERS = _VIEWS = get_args(View)
# What an action is, and how the body moves: each in people's words and in a language model's.
_COUNTERPART = {"MAad": "LLMad", "MAmd": "LLMmd", "LLMad": "MAad", "LLMmd": "MAmd"}
_FREE = re.compile(r"description\d*")
_COLUMNS = f"label and one or more of {', '.join(_VIEWS)}, description, description2 and so on"


@dataclass(frozen=True)
class WordedClass:
    """A class described in words.

    Attributes:
        label: its name.
        given: view -> text, of the views that were given.
        free: descriptions that are of no view in particular.
    """

    label: str
    given: dict[str, str]
    free: tuple[str, ...] = ()

    def text_of(self, view: str) -> str:
        """The text of a view; one that was not given takes the nearest that was.

        That is, for the label view the label; for a part of the body or of the time what MAmd has,
        how the whole body moves; for another its counterpart by the other author (MAad and LLMad,
        MAmd and LLMmd); else the free descriptions, in turn over the views that are left; else the
        first description of another view; else what the label view has.
        """
        if view in self.given:
            return self.given[view]
        if view == _LABEL:
            return self.label
        if view in PART_VIEWS:
            return self.text_of("MAmd")
        if _COUNTERPART[view] in self.given:
            return self.given[_COUNTERPART[view]]
        if self.free:
            left = [v for v in _COUNTERPART if not {v, _COUNTERPART[v]} & set(self.given)]
            return self.free[left.index(view) % len(self.free)]
        others = [self.given[v] for v in _OTHERS if v in self.given]
        return others[0] if others else self.text_of(_LABEL)


def read_classes(path: str | Path) -> list[WordedClass]:
    """Read a user's CSV file of classes.

    Args:
        path: columns ``label`` and one or more of the views' names and ``description``,
            ``description2`` ...; an empty cell counts as not given.

    Raises:
        InputError: the file is missing or not CSV, a column is unknown, a label is empty or comes
            twice, or a class has no text.
    """
    path = Path(path)
    table = read_table(path, _COLUMNS, dtype=str)
    columns = [str(name) for name in table.columns]
    free = [name for name in columns if _FREE.fullmatch(name)]
    strange = [name for name in columns if name not in ("label", *_VIEWS, *free)]
    if "label" not in columns or len(columns) < 2 or strange:
        raise InputError(
            f"{path}: found columns {','.join(columns)}; expected the columns {_COLUMNS} (a text "
            "with a comma in it stands in double quotes)"
        )
    if table.empty:
        raise InputError(f"{path}: no class in it; give one row a class")
    classes: list[WordedClass] = []
    for number, row in enumerate(table.to_dict("records"), start=1):
        cells = {str(name): " ".join(from_cell(str(text)).split()) for name, text in row.items()}
        label = escaped(cells.pop("label"))
        if not label:
            raise InputError(f"{path}: row {number} has no label; name the class")
        if key_of(label) in (key_of(c.label) for c in classes):
            raise InputError(f"{path}: label '{label}' comes twice; give each class one row")
        given = {view: cells[view] for view in _VIEWS if cells.get(view)}
        texts = tuple(cells[name] for name in free if cells[name])
        if not given and not texts:
            raise InputError(f"{path}: class '{label}' has no text; describe it in words")
        classes.append(WordedClass(label, given, texts))
    return classes


def key_of(label: str) -> str:
    """A label as it is compared with others: without regard to case and spacing."""
    return " ".join(label.casefold().split())
