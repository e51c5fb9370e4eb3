"""Published results to set ours beside, and whether the two can be compared.

The numbers are data, ``data/published_results.csv``: one row a method and benchmark, percent; an
empty field is not recorded. They compare with ours only where the skeleton features, the texts'
encoder, the class split, the selection of the cycle and the weighting of the samples agree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from amsf.base.artifacts import PUBLISHED_RESULTS
from amsf.base.errors import InputError

NUMBERS = ("zsl", "H")
COLUMNS = (
    *("dataset", "seen", "unseen", "method", *NUMBERS, "source", "skeleton_encoder"),
    *("text_encoder", "split", "selection", "weighting"),
)
_ASKED = {
    "text encoder": "text encoder",
    "split": "which classes are unseen",
    "metric": "whether samples or classes weigh alike",
}
_SELECTIONS = {
    "test": "on the test samples of the unseen classes",
    "val": "on validation classes",
    "last": "as the last one",
}

_OURS = {
    "backbone": "our own encoder",
    "motion": "motion statistics",
    "backbone+motion": "our own encoder with motion statistics",
    "table": "another encoder",
}


@dataclass(frozen=True)
class Conditions:
    """What of a run of ours decides whether it compares.

    Attributes:
        dataset: its name.
        seen, unseen: numbers of classes.
        simulated: whether the recordings are made, not measured.
        features: the benchmark's ``features``.
        text_encoder: such as ``minilm``.
        split: ``split.kind``.
        selection: how the cycle was chosen: ``val``, ``last`` or ``test``.
        weighting: ``overall`` or ``per_class``.
        also: other datasets that were trained on too.
    """

    dataset: str
    seen: int
    unseen: int
    simulated: bool
    features: str
    text_encoder: str
    split: str
    selection: str
    weighting: str = "overall"
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class PublishedResult:
    """One row of the table beside a run of ours.

    Attributes:
        method, source: as the table has them.
        zsl, H: percent, or None where not published.
        differs: what is known to differ, in words.
        unknown: what is not recorded of it, in words.
    """

    method: str
    source: str
    zsl: float | None
    H: float | None
    differs: tuple[str, ...]
    unknown: tuple[str, ...]

    @property
    def verdict(self) -> str:
        """``no`` with a known difference, ``not known`` with only unknown ones, else ``yes``."""
        return "no" if self.differs else "not known" if self.unknown else "yes"


def load_published(path: Path = PUBLISHED_RESULTS) -> pd.DataFrame:
    """The table: one row a method and benchmark; text columns are '' where nothing is recorded.

    Raises:
        InputError: the file is missing, is no such table, or a score is no percentage.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; expected the table of published results")
    try:
        table = pd.read_csv(path, keep_default_na=False, dtype=str)
    except (ValueError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not a readable CSV file ({error})") from error
    if tuple(table.columns) != COLUMNS:
        raise InputError(
            f"{path}: found columns {', '.join(table.columns)}; expected {', '.join(COLUMNS)}"
        )
    for name in ("seen", "unseen", *NUMBERS):
        values = pd.to_numeric(table[name], errors="coerce")
        wrong = (values.isna() & (table[name] != "")) | (values < 0)
        wrong |= values.isna() if name in ("seen", "unseen") else values > 100
        if wrong.any():
            row = int(wrong.to_numpy().argmax())
            raise InputError(
                f"{path}: row {row + 1}: {name} is '{table[name][row]}'; expected a "
                f"{'percentage, or nothing' if name in NUMBERS else 'number of classes'}"
            )
        table[name] = values
    return table


def published_beside(ours: Conditions, table: pd.DataFrame) -> list[PublishedResult]:
    """The published results on a run's dataset and numbers of classes, in the table's order."""
    same = (table["dataset"] == ours.dataset) & (table["unseen"] == ours.unseen)
    found = []
    for row in table[same & (table["seen"] == ours.seen)].to_dict("records"):
        differs, unknown = _compare({str(k): str(v) for k, v in row.items()}, ours)
        scores = {n: None if pd.isna(row[n]) else float(row[n]) for n in NUMBERS}
        found.append(
            PublishedResult(
                row["method"], row["source"], **scores, differs=differs, unknown=unknown
            )
        )
    return found


def _compare(
    theirs: Mapping[str, str], ours: Conditions
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What differs and what is not known between a row and a run, each as a phrase."""
    differs, unknown = [], []
    if ours.simulated:
        differs.append("recordings: simulated here")
    if ours.also:
        differs.append(f"training: also on {', '.join(ours.also)} here")
    encoder = theirs["skeleton_encoder"]
    if not encoder:
        unknown.append("skeleton encoder")
    elif ours.features in _OURS:
        differs.append(f"skeleton features: {encoder} there, {_OURS[ours.features]} here")
    else:
        unknown.append(f"whether {encoder}, theirs, made the features imported here")
    pairs = (
        ("text encoder", theirs["text_encoder"], ours.text_encoder, "{theirs} there, {ours} here"),
        ("split", theirs["split"], ours.split, "{theirs} classes there, {ours} ones here"),
        ("metric", theirs["weighting"], ours.weighting, "{theirs} there, {ours} here"),
    )
    for what, their_value, our_value, words in pairs:
        if not their_value:
            unknown.append(_ASKED[what])
        elif their_value != our_value:
            wording = words.format(theirs=their_value, ours=our_value).replace(
                "per_class", "per class"
            )
            differs.append(f"{what}: {wording}")
    if not theirs["selection"]:
        unknown.append("how the cycle was chosen")
    elif theirs["selection"] != ours.selection:
        differs.append(
            f"selection: the cycle is chosen {_SELECTIONS[theirs['selection']]} there, "
            f"{_SELECTIONS[ours.selection]} here"
        )
    return tuple(differs), tuple(unknown)
