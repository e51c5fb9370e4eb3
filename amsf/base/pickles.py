"""Read pickles of arrays and plain containers without running anything that is in them.

A pickle is a program: an ordinary unpickler calls whatever the file names. This one knows the few
functions with which NumPy writes its arrays, in forms of its own that do nothing but build one.
"""

from __future__ import annotations

import io
import pickle
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from amsf.base.errors import InputError


def read_pickle(path: Path) -> Any:
    """Read a pickle of numbers, texts, lists, tuples, dicts, sets and NumPy arrays of numbers.

    Raises:
        InputError: the file is damaged, or names anything else.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; check the file") from error
    try:
        return _Plain(io.BytesIO(content)).load()
    except _NotAdmittedError as error:
        raise InputError(
            f"{path}: the pickle names {error}; expected arrays of numbers, texts, lists and dicts "
            "alone: nothing else is read from a pickle, because it could run a program"
        ) from error
    # A damaged pickle makes the unpickler raise whatever it stumbles upon.
    except Exception as error:
        raise InputError(
            f"{path}: not a readable pickle ({type(error).__name__}: {error}); write it again"
        ) from error


class _NotAdmittedError(Exception):
    """A name that a pickle may not use."""


def _empty(kind: object, shape: tuple[int, ...], code: bytes) -> np.ndarray:
    """What NumPy's own function makes: an array that the pickle then fills."""
    return np.empty(0)


def _of_buffer(buffer: Any, dtype: np.dtype, shape: tuple[int, ...], order: str) -> np.ndarray:
    return np.frombuffer(buffer, dtype).reshape(shape, order="F" if order == "F" else "C")


def _dtype(code: str, *others: object) -> np.dtype:
    dtype = np.dtype(code) if isinstance(code, str) else None
    if dtype is None or dtype.kind not in "biufUS":
        raise _NotAdmittedError(f"an array of {code!r}")
    return dtype


def _scalar(dtype: np.dtype, content: bytes) -> Any:
    return np.frombuffer(content, dtype, 1)[0]


def _encoded(text: str, encoding: str) -> bytes:
    """How bytes are written by old protocols."""
    return text.encode("latin-1")


_ARRAY = object()  # stands for the class ndarray, which is named but need not be called
_ADMITTED: dict[tuple[str, str], Callable[..., Any] | object] = {
    ("numpy", "ndarray"): _ARRAY,
    ("numpy", "dtype"): _dtype,
    ("_codecs", "encode"): _encoded,
    ("collections", "OrderedDict"): OrderedDict,
}
for _core in ("numpy.core", "numpy._core"):  # NumPy 1 and 2
    _ADMITTED |= {
        (f"{_core}.multiarray", "_reconstruct"): _empty,
        (f"{_core}.multiarray", "scalar"): _scalar,
        (f"{_core}.numeric", "_frombuffer"): _of_buffer,
    }


class _Plain(pickle.Unpickler):
    """Gives the functions of :data:`_ADMITTED` for their names, and nothing for others."""

    def find_class(self, module: str, name: str) -> Any:
        found = _ADMITTED.get((module, name))
        if found is None:
            raise _NotAdmittedError(f"{module}.{name}")
        return found

    def persistent_load(self, pid: Any) -> Any:
        raise _NotAdmittedError("an object outside the file")
