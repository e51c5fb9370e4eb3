"""A worker that the system ends, as the kernel does where memory runs out."""

from __future__ import annotations

import os

import pytest
from joblib import Parallel, delayed

from amsf.base.errors import InputError
from amsf.base.workers import workers_alive


def test_a_killed_worker_is_told() -> None:
    calls = [delayed(os._exit)(1) for _ in range(2)]
    told = r"ended by the system.*memory.*lower --jobs \(now 2\)"
    with pytest.raises(InputError, match=told), workers_alive("--jobs (now 2)"):
        Parallel(n_jobs=2)(calls)
