"""The same bytes on another processor, and however many runs go side by side.

The other processor is Intel's Haswell of 2013, emulated by qemu (Debian: ``apt-get install
qemu-user``). That takes some minutes, so these are left out, and say so, unless ``AMSF_SLOW=1`` is
set; ``.ci/run`` sets it. Without it ``tests/stage/test_portable.py`` looks at each pin, and
``tests/training/test_runs.py`` at smaller runs side by side.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from amsf.stage.portable import has_avx2
from tests.training.test_runs import tree

pytestmark = pytest.mark.skipif(os.environ.get("AMSF_SLOW") != "1", reason="AMSF_SLOW=1 is not set")
ROOT = Path(__file__).parents[2]
QEMU = "qemu-x86_64"
SCORES = "metrics/gzsl.json"
# The rest is the log of the stages and what this run is given.
MADE = (
    *("text.npy", "encoder.safetensors", "features.npy", "logits.npy"),
    *("data/models", "data/evaluation", SCORES),
)

# Of glibc's malloc: what it asks the kernel for at once, and never gives back, in bytes.
LARGE_PIECES = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_TOP_PAD_": str(2**26),
    "MALLOC_TRIM_THRESHOLD_": str(2**30),
    "MALLOC_MMAP_THRESHOLD_": str(2**30),
}


def results(folder: Path) -> dict[str, bytes]:
    return {name: data for name, data in tree(folder).items() if name.startswith(MADE)}


def compute(folder: Path, jobs: int, *emulator: str) -> dict[str, bytes]:
    """What ``tests/support/portable_run.py`` writes, as a process of its own.

    Emulated, a masked load at the end of the memory that a process was given is a segmentation
    fault, though the part beyond the end is masked (qemu 7.2; NumPy sorts by such loads). So the
    emulated process gets its memory in few large pieces, and where it crashes all the same it goes
    on from what it has finished.
    """
    command = [*emulator, sys.executable, "-m", "tests.support.portable_run"]
    memory = LARGE_PIECES if emulator else {}
    for _ in range(5 if emulator else 1):
        done = subprocess.run(
            [*command, str(folder), str(jobs)],
            cwd=ROOT,
            env={**os.environ, **memory, "PYTHONPATH": str(ROOT)},
            check=False,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        if done.returncode != -signal.SIGSEGV:
            break
    assert done.returncode == 0, done.stdout[-3000:]
    return results(folder)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return compute(tmp_path_factory.mktemp("here") / "out", 1)


@pytest.mark.timeout(2400)
@pytest.mark.skipif(not has_avx2(), reason="this processor has no AVX2: nothing is pinned on it")
def test_an_emulated_haswell_gives_the_same_bytes(here: dict[str, bytes], tmp_path: Path) -> None:
    there = compute(tmp_path / "out", 1, QEMU, "-cpu", "Haswell")
    assert set(there) == set(here)
    assert SCORES in here
    assert len([name for name in here if name.endswith("model.safetensors")]) == 2
    assert [name for name in here if there[name] != here[name]] == []


def test_runs_side_by_side_give_the_same_bytes(here: dict[str, bytes], tmp_path: Path) -> None:
    assert compute(tmp_path / "out", 2) == here
