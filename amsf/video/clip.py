"""The frames of a video file, decoded by OpenCV's FFmpeg.

H, W = height and width of a frame in pixels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from amsf.base.errors import InputError
from amsf.video.extra import opencv

SUFFIXES = (".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv")
FORM = "NAME.mp4, or another video (.avi, .mov, .mkv, .webm, ...)"
# Of 8K; a header that says more is wrong, or meant to fill the memory.
MOST_PIXELS = 7680 * 4320
_USUAL_FPS = 30.0


@dataclass(frozen=True)
class Clip:
    """An open video.

    Attributes:
        path: the file.
        frames: their number by the file's header, which may be wrong; 0 where it does not say.
        fps: frames a second, by the header; 30 where that is none that a camera has.
    """

    path: Path
    frames: int
    fps: float
    _capture: Any

    @classmethod
    def open(cls, path: Path) -> Clip:
        """Open a file.

        Raises:
            InputError: OpenCV is not installed, the file is no video that it can decode, or its
                pictures are too large.
        """
        cv2 = opencv()
        # An absolute path, so that no name is taken for an address.
        capture = cv2.VideoCapture(str(path.absolute()), cv2.CAP_FFMPEG)
        if not capture.isOpened():
            raise InputError(
                f"{path}: it cannot be opened as a video; expected one that OpenCV decodes, such "
                "as H.264 in .mp4: convert it, or record it again if it is cut off"
            )
        width = capture.get(cv2.CAP_PROP_FRAME_WIDTH)
        height = capture.get(cv2.CAP_PROP_FRAME_HEIGHT)
        if width * height > MOST_PIXELS:
            capture.release()
            raise InputError(
                f"{path}: pictures of {width:.0f} x {height:.0f}; expected at most those of 8K, "
                "7680 x 4320: scale it down, which costs no accuracy"
            )
        fps = float(capture.get(cv2.CAP_PROP_FPS))
        count = max(0, int(capture.get(cv2.CAP_PROP_FRAME_COUNT)))
        return cls(path, count, fps if 1 <= fps <= 1000 else _USUAL_FPS, capture)

    def __iter__(self) -> Iterator[np.ndarray]:
        """The frames from the first on, once: (H, W, 3) uint8, RGB, turned as the file says."""
        cv2 = opencv()
        try:
            while True:
                there, frame = self._capture.read()
                if not there:
                    return
                yield cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
        finally:
            self._capture.release()
