"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from amsf.stage import portable

if os.environ.get("AMSF_OTHER_KERNELS") == "1":
    # As on a processor without AVX2 nothing is pinned: the environment names the kernels (.ci/run).
    portable.has_avx2 = lambda *_: False  # type: ignore[assignment]
else:
    import amsf.stage.pinned  # noqa: F401  (before anything loads NumPy or torch)

# Before torch is imported: small tensors gain nothing from threads, and CI has two cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder with real data of others (see README, "Tests"); skips the test where unset."""
    value = os.environ.get("AMSF_DATA_DIR")
    if not value:
        pytest.skip("AMSF_DATA_DIR is not set: tests on real data of others are left out")
    path = Path(value)
    assert path.is_dir(), f"AMSF_DATA_DIR={value} is not a folder"
    return path


@pytest.fixture(scope="session")
def golden_dir(data_dir: Path) -> Path:
    """The golden vectors of the published implementation, kept beside the data folder."""
    path = data_dir.parent / "golden"
    if not path.is_dir():
        pytest.skip(f"{path} is missing: golden vectors are left out")
    return path


@pytest.fixture
def demo_project(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small demo benchmark, trained once for all tests; the test runs in its folder."""
    from tests.support.small_project import small_project  # here, since it imports torch

    folder = small_project(tmp_path_factory)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture(scope="session")
def pose_model(request: pytest.FixtureRequest) -> Path:
    """A pose model for video, fetched once; skips the test where the extra or npm is missing."""
    from tests.support.pose_model import pose_model

    assert request.config.cache is not None
    return pose_model(request.config.cache.mkdir("pose_model"))


@pytest.fixture
def queue_project(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A project whose experiments went through DVC's queue; the test runs in its folder."""
    from tests.support.queue_project import queued_project  # here, for the few tests that need it

    folder = queued_project(tmp_path_factory)
    monkeypatch.chdir(folder)
    return folder
