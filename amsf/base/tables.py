"""Read CSV tables that people write, where pandas would guess; write those that people open."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pandas as pd
from pandas.api.types import is_numeric_dtype

from amsf.base.display import as_cell, escaped
from amsf.base.errors import InputError
from amsf.base.plain_text import refuse_wide


def read_table(path: Path, columns: str, **options: Any) -> pd.DataFrame:
    """Read a UTF-8 CSV file with a header; cells stay as written, so that ``NA`` is a text.

    Args:
        path: the file to read.
        columns: the expected columns, for messages.
        options: further arguments of ``pandas.read_csv``.

    Raises:
        InputError: the file is missing, not UTF-8 or not CSV, or a row has more or fewer cells than
            the header. With more cells pandas would take the first for the row's name and
            shift the others; with fewer it would leave the missing ones empty.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; expected the columns {columns}, as CSV")
    hint = f"expected the columns {columns} (a text with a comma in it stands in double quotes)"
    try:
        content = path.read_bytes()
        refuse_wide(content, path)
        # Line ends as in a file that is opened as text.
        text = content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
        reader = csv.reader(io.StringIO(text, newline=""))
        header = next(reader, [])
        for sign, called in ((";", "semicolons"), ("\t", "tabs")):
            if len(header) == 1 and sign in header[0]:
                raise InputError(
                    f"{path}: {called} stand between its cells; expected commas, and the columns "
                    f"{columns}: save it with commas"
                )
        for row in reader:
            if row and len(row) != len(header):
                raise InputError(
                    f"{path}: line {reader.line_num} has {len(row)} cells, the header "
                    f"{len(header)}; {hint}"
                )
        return pd.read_csv(io.StringIO(text), keep_default_na=False, **options)
    except InputError:
        raise
    except (ValueError, csv.Error) as error:  # pandas and the decoder raise ValueError
        reason = " ".join(str(error).split())
        raise InputError(f"{path}: not a readable CSV file ({reason}); {hint}, in UTF-8") from error


def csv_text(table: pd.DataFrame, *, index: bool = False, float_format: str | None = None) -> str:
    """A table as CSV that is safe to open in a spreadsheet.

    Texts that it would run as a formula begin with an apostrophe, and hidden characters are
    escaped (:mod:`amsf.base.display`). Rows that are named keep their names with ``index``.
    """
    safe = table.apply(lambda cells: cells if is_numeric_dtype(cells) else cells.map(_safe))
    safe = safe.rename(columns=_safe, index=_safe if index else None)
    return safe.to_csv(index=index, lineterminator="\n", float_format=float_format)


def _safe(value: Any) -> Any:
    return as_cell(escaped(value)) if isinstance(value, str) else value
