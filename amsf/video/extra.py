"""The two packages that only video needs: imported when a video is read, and not before."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from amsf.base.errors import InputError

INSTALL = "pip install -r requirements-video.txt"


def mediapipe() -> Any:
    """MediaPipe.

    Raises:
        InputError: it is not installed, or a library of the system that it needs is missing.
    """
    return _extra("mediapipe", "mediapipe")


def opencv() -> Any:
    """OpenCV.

    Raises:
        InputError: as :func:`mediapipe`.
    """
    return _extra("cv2", "opencv-python-headless")


def _extra(module: str, package: str) -> Any:
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise InputError(
            f"video needs {package}, and there is no module {error.name}; run `{INSTALL}`"
        ) from error
    # Of both, parts in C link to libraries of the system.
    except (ImportError, OSError) as error:
        raise InputError(
            f"video needs {package}, which does not load: {error}; install what it misses, or run "
            f"`{INSTALL}` in a new environment"
        ) from error
