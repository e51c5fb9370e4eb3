"""Read a user's ``.npz`` archive of named arrays: nothing is unpickled, no size believed."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from amsf.base.errors import InputError

# Arrays shrink to a half, maybe a fifth, by compression. What would grow beyond this many times
# the file, and is large, is made to fill the memory.
_EXPANSION, _SMALL = 100, 64 << 20


def read_archive(
    path: Path, required: Sequence[str], optional: Sequence[str], page: str
) -> dict[str, np.ndarray]:
    """Read the named arrays of an ``.npz`` file; others are not looked at.

    Args:
        path: the file.
        required: names that must be there.
        optional: names that may be there.
        page: the document that describes the file, for messages.

    Raises:
        InputError: the file is not a readable archive, lacks an array, or an array holds Python
            objects or another number of bytes than its header says. The message leaves the path
            out.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            # Members are looked up by name and never unpacked, so a name cannot lead elsewhere.
            members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            wanted = {key: members[key] for key in (*required, *optional) if key in members}
            _refuse_bomb(wanted.values(), path.stat().st_size)
            arrays = {key: _member(archive, info) for key, info in wanted.items()}
    except InputError:
        raise
    # A damaged archive makes zipfile, zlib and numpy raise whatever they stumble upon.
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(
            f"not a readable .npz file ({reason}); expected an .npz of several arrays, as "
            "numpy.savez writes it"
        ) from error
    missing = [key for key in required if key not in arrays]
    if missing:
        present = ", ".join(members) or "none"
        raise InputError(f"no array {', '.join(missing)}; the file has {present}: add it ({page})")
    return arrays


def expect_texts(key: str, array: np.ndarray) -> None:
    """Refuse what is not one axis of unicode text.

    Raises:
        InputError: it is not; the message leaves the path out.
    """
    if array.ndim != 1 or array.dtype.kind != "U":
        raise InputError(f"{key} is {array.dtype}; expected one axis of unicode text")


def expect_integers(key: str, array: np.ndarray, length: int) -> None:
    """Refuse what is not one axis of ``length`` integers.

    Raises:
        InputError: it is not; the message leaves the path out.
    """
    if array.shape != (length,) or array.dtype.kind not in "iu":
        raise InputError(f"{key} is {array.dtype} {array.shape}; expected {length} integers")


def _refuse_bomb(members: Iterable[zipfile.ZipInfo], size: int) -> None:
    """Refuse an archive that declares far more content than its ``size`` in bytes can hold."""
    content = sum(info.file_size for info in members)
    if content > max(_SMALL, _EXPANSION * size):
        raise InputError(
            f"its arrays would take {content / 2**20:.0f} MiB, out of a file of "
            f"{size / 2**20:.1f} MiB; expected at most {_EXPANSION} times as much: write it again "
            "from the recordings"
        )


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> np.ndarray:
    """Read one array whose header agrees with its length, without unpickling."""
    with archive.open(info) as file:
        version = np.lib.format.read_magic(file)
        header = {(1, 0): np.lib.format.read_array_header_1_0}.get(
            version, np.lib.format.read_array_header_2_0
        )
        shape, _, dtype = header(file)
        # numpy would first take the memory that the header claims.
        if (
            not dtype.hasobject
            and math.prod(shape) * dtype.itemsize != info.file_size - file.tell()
        ):
            raise InputError(
                f"{info.filename} holds {info.file_size} bytes; its header claims shape {shape} of "
                f"{dtype}: write the file again"
            )
    with archive.open(info) as file:
        return np.lib.format.read_array(file, allow_pickle=False)
