"""UTD-MHAD: ``aA_sS_tT_skeleton.mat`` files of Kinect v1, 27 actions, 8 subjects, 861 files.

The key ``d_skel`` holds (20, 3, T) metres. The axes are those of the canonical set already: y is
up (in the released files heads are at +0.45 m and feet at -1.05 m on average), z away from the
sensor, and the right hand of the person, who faces the sensor, at larger x.

T = frames, J = joints (20).
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
import scipy.io

from amsf.base.errors import InputError, OtherContentError
from amsf.pack.base import LeftOut, Reading, Task, plan_by_name
from amsf.skeleton.bodies import Track
from amsf.skeleton.cleaning import RawRecording

SUFFIX = ".mat"
FORM = "aA_sS_tT_skeleton.mat"
LAYOUT = "kinect20"
KEY = "d_skel"
_NAME = re.compile(r"a(\d+)_s(\d+)_t(\d+)(_skeleton)?")
_JOINTS = 20
# Coordinates shrink to a half by compression. What grows beyond this many times the file, and is
# large, is made to fill the memory.
_EXPANSION, _SMALL, _BLOCK = 20, 32 << 20, 1 << 20
_COMPRESSED = 15  # MATLAB's miCOMPRESSED


def parse_name(stem: str) -> dict[str, int] | None:
    """``label`` (0-based) and ``subject`` of a file's name, or None."""
    match = _NAME.fullmatch(stem)
    return match and {"label": int(match[1]) - 1, "subject": int(match[2])}


def plan(files: Sequence[Path], classes: int | None) -> tuple[list[Task], list[LeftOut]]:
    """The files that are recordings by their names, and the others."""
    return plan_by_name(files, SUFFIX, FORM, parse_name, classes)


def read(task: Task) -> Reading:
    """Read one file with what its name says; numbers are -1 where the name has another form.

    Raises:
        InputError: as :func:`read_joints`.
    """
    (path,) = task
    numbers = parse_name(path.stem) or {}
    name = path.stem.removesuffix("_skeleton")
    joints = read_joints(path)
    body = Track(np.arange(len(joints)), joints)
    return Reading(LAYOUT, [RawRecording([body], name, numbers)])


def read_joints(path: Path) -> np.ndarray:
    """Read one ``.mat`` file.

    Returns:
        (T, 20, 3) numbers, as they are in the file.

    Raises:
        OtherContentError: the file has no ``d_skel``.
        InputError: the file is no MATLAB file, or ``d_skel`` has another shape or is not numbers.
    """
    _refuse_bomb(path)
    try:
        array = scipy.io.loadmat(path, variable_names=[KEY]).get(KEY)
    # A damaged file makes scipy raise whatever its parser stumbles upon.
    except Exception as error:
        raise InputError(
            f"{path}: not a readable .mat file ({error}); expected MATLAB's form up to version "
            "7.2: fetch it again or save it with -v7"
        ) from error
    if not isinstance(array, np.ndarray):  # none, or a sparse one
        raise OtherContentError(
            f"{path}: no array '{KEY}' in the file; expected UTD-MHAD's ({_JOINTS}, 3, frames)"
        )
    if array.ndim == 2:  # MATLAB drops the last axis of a single frame
        array = array[:, :, None]
    if array.ndim != 3 or array.shape[:2] != (_JOINTS, 3) or array.shape[2] == 0:
        raise InputError(f"{path}: {KEY} is {array.shape}; expected ({_JOINTS}, 3, frames)")
    if array.dtype.kind not in "fiu":
        raise InputError(f"{path}: {KEY} holds {array.dtype}; expected real numbers")
    return array.transpose(2, 0, 1).astype(np.float64)


def _refuse_bomb(path: Path) -> None:
    """Refuse a file whose compressed elements hold far more than its size, without unpacking them.

    MATLAB's level 5 files are a header of 128 bytes, and elements of a type, a length and as many
    bytes (MAT-File Format, MathWorks, chapter 1). Other files are left to scipy.
    """
    size = path.stat().st_size
    room = most = max(_SMALL, _EXPANSION * size)
    with path.open("rb") as file:
        head = file.read(128)
        order = {b"IM": "<", b"MI": ">"}.get(head[126:128])
        while order and len(tag := file.read(8)) == 8:
            kind, length = struct.unpack(f"{order}II", tag)
            end = file.tell() + length
            if kind == _COMPRESSED:
                room -= _content(file, length, room)
            if room < 0:
                raise InputError(
                    f"{path}: its arrays take more than {most / 2**20:.0f} MiB, out of a file of "
                    f"{size / 2**20:.1f} MiB; expected at most {_EXPANSION} times as much: fetch "
                    "it again"
                )
            file.seek(end)


def _content(file: BinaryIO, length: int, most: int) -> int:
    """The bytes in a compressed element, counted until there are more than ``most``."""
    unpacker, count = zlib.decompressobj(), 0
    while length > 0 and count <= most and (block := file.read(min(length, _BLOCK))):
        length -= len(block)
        while block and count <= most:
            try:
                count += len(unpacker.decompress(block, _BLOCK))
            except zlib.error:
                return count  # scipy will say so
            block = unpacker.unconsumed_tail
    return count
