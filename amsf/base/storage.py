"""Read and write artifacts: atomically, with stable bytes, without pickle.

Every writer goes to a temporary name in the same folder and renames at the end, so a file that
exists is whole. JSON has sorted keys; tensors go to safetensors with at most one metadata key,
because the order of several is not stable from run to run.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from amsf.base.errors import InputError

METADATA_KEY = "amsf"
MISSING = "check the path, or run the stage that writes it"
_REFUSALS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EFBIG: "the file is larger than the system allows",
    errno.EROFS: "the file system is read-only",
    errno.EACCES: "access is not allowed",
    errno.EPERM: "access is not allowed",
    errno.EISDIR: "a folder is there",
    errno.ENOTDIR: "a file is where a folder would be",
    errno.EEXIST: "a file is where a folder would be",
    errno.ENOTEMPTY: "a folder that is not empty is there",
    errno.ENAMETOOLONG: "the name is too long",
    errno.ELOOP: "links lead round in a circle",
    errno.EIO: "the disk reports a fault",
    errno.ESTALE: "the network file system has lost it",
    errno.ENOMEM: "the memory is used up",
}
_NO_FILES = "no file can be made there"


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path beside ``path``; what is written there becomes ``path`` on success.

    A folder made at the temporary path replaces a folder at ``path`` as a whole. On an exception
    the temporary file or folder is removed and ``path`` stays as it was.

    Raises:
        InputError: the disk is full, access is not allowed, or the like.
    """
    path = Path(path)
    temporary, old = _temporary_names(path)
    try:
        with refusals_told(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            yield temporary
            if temporary.is_dir() and path.is_dir():
                # Out of the way at once: killed while deleting, half of it would stay under its
                # name.
                path.replace(old)
            temporary.replace(path)
    finally:
        if old.exists() and not path.exists():  # stopped between the two renames
            old.replace(path)
        for remainder in (temporary, old):
            if remainder.is_dir():
                shutil.rmtree(remainder)
            elif remainder.exists():  # unlink alone would fail on a read-only disk
                remainder.unlink()


def _temporary_names(path: Path) -> tuple[Path, Path]:
    """Names beside a path that nothing has: for what is new, and for what was there before."""
    start = f".{path.name}.{secrets.token_hex(4)}"
    return path.with_name(f"{start}.tmp"), path.with_name(f"{start}.old.tmp")


@contextmanager
def refusals_told(path: Path) -> Iterator[None]:
    """Say in one message why ``path`` could not be written in the block.

    Raises:
        InputError: the disk is full, access is not allowed, or the like.
    """
    try:
        yield
    except (OSError, SafetensorError) as error:
        reason = _refusal(error, path)
        if reason is None:
            raise
        raise InputError(
            f"{path}: could not be written: {reason}. What was there before is untouched; correct "
            "that and run the same command again, which goes on from what is finished"
        ) from error


def check_writable(path: Path) -> None:
    """Refuse a name for a file that cannot be written, before the work that fills it.

    Raises:
        InputError: something other than a file is there, or its folder cannot be written to.
    """
    if path.exists() and not path.is_file():
        what = "a folder" if path.is_dir() else "a device or a pipe"
        raise InputError(f"{path}: could not be written: {what} is there; name a file")
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    # What a system allows says less than trying: some folders, such as /proc, take no files.
    trial, _ = _temporary_names(folder / path.name)
    try:
        trial.touch(exist_ok=False)
        trial.unlink()
    except OSError as error:
        reason = refusal(error) or _NO_FILES
        raise InputError(
            f"{path}: could not be written: {folder}: {reason}; name another place"
        ) from error


def refusal(error: OSError) -> str | None:
    """Why the system refused to read or write a file, or None where that is not what went wrong."""
    return _REFUSALS.get(error.errno or 0)


def _refusal(error: OSError | SafetensorError, path: Path) -> str | None:
    """Why the system refused to write at ``path``, or None where the error is another one."""
    if isinstance(error, OSError):
        place, folder = Path(error.filename or path).absolute(), path.absolute().parent
        # Where a folder above could not be made, that one is named.
        own = place.is_relative_to(folder) or folder.is_relative_to(place)
        if own and error.errno == errno.ENOENT:
            return _NO_FILES
        return refusal(error) if own else None
    # safetensors gives the number in its message alone.
    number = re.search(r"\(os error (\d+)\)", str(error))
    return _REFUSALS.get(int(number[1])) if number else None


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write UTF-8 text with ``\\n`` line ends, atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: str | os.PathLike[str], value: Any) -> None:
    """Write JSON with sorted keys and a final newline, atomically; NaN is an error."""
    write_text(path, json.dumps(value, indent=1, sort_keys=True, allow_nan=False) + "\n")


def read_json(path: str | os.PathLike[str]) -> Any:
    """Read JSON.

    Raises:
        InputError: the file is missing or is not JSON.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file; {MISSING}")
    try:
        return json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:  # of the text's encoding, too
        raise InputError(f"{path}: not valid JSON ({error}); write it again") from error


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON value")


def write_array(path: str | os.PathLike[str], array: np.ndarray) -> None:
    """Write one ``.npy`` file, atomically."""
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        # Through `write` alone: with a file of the system numpy hides why a write failed.
        np.save(SimpleNamespace(write=file.write), array, allow_pickle=False)


def read_array(path: str | os.PathLike[str], *, mmap: bool = False) -> np.ndarray:
    """Read one ``.npy`` file without unpickling; ``mmap`` maps it read-only instead.

    Raises:
        InputError: the file is missing, is not ``.npy``, is cut short or holds Python objects.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file; {MISSING}")
    try:
        if mmap:
            return np.lib.format.open_memmap(path, mode="r")
        # Not np.load, which opens .npz archives as well.
        with path.open("rb") as file:
            return np.lib.format.read_array(file, allow_pickle=False)
    except Exception as error:  # numpy's header parser lets many kinds through
        reason = str(error) or type(error).__name__
        raise InputError(
            f"{path}: not a readable .npy array ({reason}); expected what numpy.save writes: write "
            "it again"
        ) from error


def write_tensors(
    path: str | os.PathLike[str],
    tensors: Mapping[str, np.ndarray],
    metadata: Any = None,
) -> None:
    """Write named arrays to one safetensors file, atomically.

    Args:
        path: the file to write.
        tensors: arrays of any shape by name; memory maps are written without being loaded whole.
        metadata: a JSON value, kept under one metadata key; None for none.
    """
    note = None if metadata is None else {METADATA_KEY: json.dumps(metadata, sort_keys=True)}
    with atomic_path(path) as temporary:
        temporary.touch()
        mode = temporary.stat().st_mode
        save_file({k: np.asarray(v, order="C") for k, v in tensors.items()}, temporary, note)
        # safetensors makes its file readable for its owner alone, whatever the umask says.
        temporary.chmod(mode)


def read_tensors(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """Read every array of a safetensors file.

    Raises:
        InputError: the file is missing, cut short or not safetensors.
    """
    with open_tensors(path) as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def read_metadata(path: str | os.PathLike[str]) -> Any:
    """Read the JSON value that :func:`write_tensors` kept with the arrays, or None."""
    with open_tensors(path) as file:
        note = (file.metadata() or {}).get(METADATA_KEY)
    try:
        return None if note is None else json.loads(note)
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{path}: its metadata is not valid JSON ({error}); write it again"
        ) from error


@contextmanager
def open_tensors(path: str | os.PathLike[str], framework: str = "np") -> Iterator[Any]:
    """Open a safetensors file for reading array by array; ``framework="pt"`` maps its memory.

    Raises:
        InputError: the file is missing, cut short or not safetensors.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file; {MISSING}")
    try:
        handle = safe_open(path, framework=framework)
    except (SafetensorError, OSError) as error:
        raise InputError(
            f"{path}: not a readable safetensors file ({error}); run the stage that writes it"
        ) from error
    with handle as file:
        yield file


def sha256(path: str | os.PathLike[str]) -> str:
    """The SHA-256 of a file, as 64 hex digits."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
