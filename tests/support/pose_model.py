"""A pose model for tests, put together from npm's ``@mediapipe/pose`` (Apache-2.0), and clips.

PyPI's mediapipe ships no model. That package has the two networks of one, without the metadata that
a ``.task`` file needs: how pictures are to be normalised. Nothing of it is in this repository.
"""

from __future__ import annotations

import hashlib
import subprocess
import tarfile
import zipfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib.cbook
import numpy as np
import pytest
from PIL import Image

from amsf.base.storage import atomic_path

PACKAGE = "@mediapipe/pose@0.5.1675469404"
# Member of the package -> its name in a .task file, its SHA-256, and the mean and standard
# deviation by which pictures are normalised for it.
NETWORKS = {
    "pose_solution_packed_assets.data": (
        "pose_detector.tflite",
        "a63c614bef30d35947f13be361820b1e4e3bec9cfeebf4d11216a18373108e85",
        (127.5, 127.5),
    ),
    "pose_landmark_lite.tflite": (
        "pose_landmarks_detector.tflite",
        "f17bfbecadb61c3be1baa8b8d851cc6619c870a87167b32848ad20db306b9d61",
        (0.0, 255.0),
    ),
}


def pose_model(folder: Path) -> Path:
    """The model, made once and kept in a folder; skips the test where it cannot be.

    Args:
        folder: an existing one.
    """
    reason = "requirements-video.txt is not installed: the video path is left out"
    pytest.importorskip("mediapipe", reason=reason)
    pytest.importorskip("cv2", reason=reason)
    model = folder / "lite.task"
    if not model.is_file():
        with TemporaryDirectory(dir=folder) as own:  # of several processes that fetch it
            networks = _fetched(Path(own))
        with atomic_path(model) as place, zipfile.ZipFile(place, "w") as archive:  # stored
            for name, network in networks.items():
                archive.writestr(name, network)
    return model


def _fetched(folder: Path) -> dict[str, bytes]:
    """The two networks with their metadata, by their names in a ``.task`` file."""
    command = ["npm", "pack", "--silent", PACKAGE]
    try:
        packed = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=120, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"npm does not give {PACKAGE} ({error}): the video path is left out")
    archive = folder / packed.stdout.split()[-1]
    networks = {}
    with tarfile.open(archive) as package:
        for member, (name, expected, (mean, deviation)) in NETWORKS.items():
            content = package.extractfile(f"package/{member}")
            assert content is not None
            network = content.read()
            found = hashlib.sha256(network).hexdigest()
            assert found == expected, f"{member} of {PACKAGE} is another file"
            networks[name] = _with_normalisation(network, mean, deviation)
    return networks


def _with_normalisation(network: bytes, mean: float, deviation: float) -> bytes:
    """A TFLite network with metadata that say how its pictures are normalised."""
    import flatbuffers
    from mediapipe.tasks.metadata import metadata_schema_py_generated as metadata
    from mediapipe.tasks.metadata import schema_py_generated as tflite

    normalisation = metadata.NormalizationOptionsT()
    normalisation.mean, normalisation.std = [mean], [deviation]
    unit = metadata.ProcessUnitT()
    unit.optionsType = metadata.ProcessUnitOptions.NormalizationOptions
    unit.options = normalisation
    picture = metadata.TensorMetadataT()
    picture.processUnits = [unit]
    graph = metadata.SubGraphMetadataT()
    graph.inputTensorMetadata = [picture]
    described = metadata.ModelMetadataT()
    described.subgraphMetadata = [graph]
    builder = flatbuffers.Builder()
    builder.Finish(described.Pack(builder), b"M001")
    model = tflite.ModelT.InitFromObj(tflite.Model.GetRootAsModel(network, 0))
    buffer, entry = tflite.BufferT(), tflite.MetadataT()
    buffer.data = builder.Output()
    entry.name, entry.buffer = "TFLITE_METADATA", len(model.buffers)
    model.buffers.append(buffer)
    model.metadata = [*model.metadata, entry]
    builder = flatbuffers.Builder()
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


@cache
def portrait(size: float) -> Image.Image:
    """Grace Hopper, who faces the camera, from matplotlib's examples: 512 x 600 times the size."""
    with matplotlib.cbook.get_sample_data("grace_hopper.jpg") as file:
        return Image.open(file).convert("RGB").resize((round(512 * size), round(600 * size)))


def scene(
    *people: tuple[float, float, float], width: int = 800, height: int = 640, flip: bool = False
) -> np.ndarray:
    """A (H, W, 3) picture with the portrait at each (left, top, size) on grey, nearer ones last."""
    picture = Image.new("RGB", (width, height), (200, 200, 200))
    for left, top, size in people:
        picture.paste(portrait(size), (round(left), round(top)))
    pixels = np.asarray(picture)
    return np.ascontiguousarray(pixels[:, ::-1]) if flip else pixels


def write_clip(path: Path, frames: Sequence[np.ndarray], fps: float = 30.0) -> Path:
    """Write (H, W, 3) uint8 frames as MPEG-4, in the container that the suffix says."""
    import cv2

    height, width = frames[0].shape[:2]
    code = cv2.VideoWriter.fourcc(*("mp4v" if path.suffix == ".mp4" else "MJPG"))
    writer = cv2.VideoWriter(str(path), code, fps, (width, height))
    for frame in frames:
        writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    writer.release()
    return path
