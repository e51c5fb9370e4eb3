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

from amsf.base.errors import InputError, OtherContentError


def read_pickle(path: Path) -> Any:
    """Read a pickle of numbers, texts, lists, tuples, dicts and NumPy arrays of numbers.

    Raises:
        OtherContentError: the pickle names anything else.
        InputError: the file is damaged.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; check the file") from error
    try:
        return _Plain(io.BytesIO(content)).load()
    except _NotAdmittedError as error:
        raise OtherContentError(
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


class _Dtype:
    """What stands for NumPy's data type: of its state the order of the bytes alone is taken."""

    def __init__(self, code: object, *others: object) -> None:
        if not isinstance(code, str) or np.dtype(code).kind not in "biufUS":
            raise _NotAdmittedError(f"an array of {code!r:.40}")
        self.numpy = np.dtype(code)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        if state[1] in ("<", ">"):
            self.numpy = self.numpy.newbyteorder(state[1])


class _Array(np.ndarray):
    """An array whose state must be numbers or texts in a buffer of the right length."""

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        version, shape, dtype, fortran, content = state
        if not isinstance(dtype, _Dtype) or not isinstance(content, bytes):
            raise _NotAdmittedError("an array of objects")
        native: Any = (version, shape, dtype.numpy, bool(fortran), content)
        super().__setstate__(native)


def _empty(kind: object, shape: object, code: object) -> np.ndarray:
    """What NumPy's own function makes: an array that the pickle then fills."""
    return np.empty(0).view(_Array)


def _of_buffer(buffer: Any, dtype: _Dtype, shape: tuple[int, ...], order: str) -> np.ndarray:
    array = np.frombuffer(buffer, dtype.numpy)
    return array.reshape(shape, order="F" if order == "F" else "C")


def _scalar(dtype: _Dtype, content: bytes) -> Any:
    return np.frombuffer(content, dtype.numpy, 1)[0]


def _encoded(text: str, encoding: str) -> bytes:
    """How bytes are written by old protocols."""
    return text.encode("latin-1")


_ARRAY = object()  # stands for the class ndarray, which is named but need not be called
_ADMITTED: dict[tuple[str, str], Callable[..., Any] | object] = {
    ("numpy", "ndarray"): _ARRAY,
    ("numpy", "dtype"): _Dtype,
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
