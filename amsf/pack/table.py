"""A plain CSV table of joints, a row each: ``frame,joint,x,y,z``.

``joint`` is a name of a layout's joint in any spelling, or its number from 0 in the layout's order;
``z`` may be missing where there is no depth; empty cells are lost joints. ``person``,
``recording``, ``label`` (0-based) and ``subject`` are optional: a file may hold several
recordings, else it is one of the file's name.

K = frames of a body, J = joints.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from amsf.base.errors import InputError
from amsf.base.tables import read_table
from amsf.pack.base import LeftOut, Reading, Task, plan_by_suffix, start_of
from amsf.skeleton.bodies import Track
from amsf.skeleton.cleaning import RawRecording
from amsf.skeleton.joint_names import match_layout

SUFFIX = ".csv"
FORM = "NAME.csv with the columns frame,joint,x,y,z"
_NEEDED = ("frame", "joint", "x", "y")


def fits(path: Path) -> bool:
    """Whether the header has the needed columns."""
    header = start_of(path).split("\n")[0].lower()
    return set(_NEEDED) <= {cell.strip(' "\r') for cell in header.split(",")}


def plan(files: Sequence[Path], classes: int | None) -> tuple[list[Task], list[LeftOut]]:
    """The ``.csv`` files with such a header, and the others."""
    return plan_by_suffix(files, SUFFIX, FORM, fits)


def read(task: Task) -> Reading:
    """Read one file.

    Raises:
        InputError: the file is no such table, or no layout has its joints.
    """
    (path,) = task
    table = read_table(path, "frame,joint,x,y,z", dtype=str)
    table.columns = table.columns.str.strip().str.lower()
    missing = [name for name in _NEEDED if name not in table.columns]
    if missing or table.empty:
        raise InputError(f"{path}: {', '.join(missing) or 'no row'}: not there; expected {FORM}")
    try:
        return _read(table, path)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def _read(table: pd.DataFrame, path: Path) -> Reading:
    axes = [axis for axis in "xyz" if axis in table.columns]
    places = np.stack([_numbers(table, axis) for axis in axes], axis=1)
    frames = _whole(table, "frame")
    names = list(dict.fromkeys(table["joint"].str.strip()))
    layout, order = "", [str(i) for i in range(len(names))]
    if not all(name.isdecimal() for name in names):
        layout, found = match_layout(names)
        order = ["" if i < 0 else names[i] for i in found]
    joint = table["joint"].str.strip().map({name: i for i, name in enumerate(order)})
    if joint.isna().any():
        odd = table["joint"][joint.isna()].iloc[0]
        raise InputError(f"joint {odd} of {len(order)}; expected numbers from 0 without gaps")
    columns = {name: _given(table, name) for name in ("recording", "person")}
    reading = Reading(layout, [])
    rows = pd.DataFrame({"frame": frames, "joint": joint.astype(int), **columns})
    for recording, part in rows.groupby("recording", sort=False):
        bodies = []
        for _, body in part.groupby("person", sort=False):
            if body.duplicated(["frame", "joint"]).any():
                twice = body[body.duplicated(["frame", "joint"])].iloc[0]
                raise InputError(
                    f"frame {twice['frame']} has joint {order[twice['joint']]} twice; add a column "
                    "person or recording"
                )
            seen, at = np.unique(body["frame"], return_inverse=True)
            joints = np.full((len(seen), len(order), len(axes)), np.nan)
            joints[at, body["joint"]] = places[body.index]
            bodies.append(Track(seen, joints))
        numbers = {
            name: int(_whole(table.loc[part.index[:1]], name)[0])
            for name in ("label", "subject")
            if name in table.columns
        }
        reading.recordings.append(RawRecording(bodies, str(recording) or path.stem, numbers))
    return reading


def _numbers(table: pd.DataFrame, column: str) -> np.ndarray:
    cells = table[column].str.strip()
    values = pd.to_numeric(cells, errors="coerce").to_numpy(np.float64)
    wrong = np.isnan(values) & ~cells.str.lower().isin(["", "nan"]).to_numpy()
    if wrong.any():
        at = int(wrong.argmax())
        raise InputError(f"line {table.index[at] + 2}: {column} is '{cells.iloc[at]}', no number")
    return values


def _whole(table: pd.DataFrame, column: str) -> np.ndarray:
    values = _numbers(table, column)
    wrong = ~(np.isfinite(values) & (values == np.round(values)) & (np.abs(values) < 2**31))
    if wrong.any():
        at = int(wrong.argmax())
        cell = table[column].iloc[at]
        raise InputError(f"line {table.index[at] + 2}: {column} is '{cell}', no whole number")
    return values.astype(np.int64)


def _given(table: pd.DataFrame, column: str) -> pd.Series:
    return table[column].str.strip() if column in table.columns else pd.Series("", table.index)
