"""Tasks side by side: here, on a Dask cluster on loopback, and with a worker that is killed."""

from __future__ import annotations

import gc
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import torch
from joblib.externals.loky.process_executor import TerminatedWorkerError

from amsf.base.errors import InputError
from amsf.machine import parallel
from amsf.machine.parallel import side_by_side
from amsf.settings.params import Compute
from tests.support.train_small import main
from tests.training.test_runs import tree

ROOT = Path(__file__).parents[2]


def note(folder: Path, name: str) -> str:
    (folder / name).write_text(f"{os.getpid()} {torch.get_num_threads()}")
    return name


def fail(folder: Path, name: str) -> None:
    if name == "b":
        raise InputError("what b found")


@pytest.mark.parametrize("jobs", [1, 2])
def test_every_task_is_done(tmp_path: Path, jobs: int) -> None:
    tasks = [(tmp_path, name) for name in "abc"]
    assert side_by_side(note, tasks, Compute(jobs=jobs), "notes") == ["a", "b", "c"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b", "c"]
    processes = {p.read_text().split()[0] for p in tmp_path.iterdir()}
    assert (str(os.getpid()) in processes) == (jobs == 1)


def test_threads_are_pinned(tmp_path: Path) -> None:
    side_by_side(note, [(tmp_path, "a"), (tmp_path, "b")], Compute(jobs=2, threads=1), "notes")
    assert all(p.read_text().split()[1] == "1" for p in tmp_path.iterdir())


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_error_reaches_the_caller(tmp_path: Path, jobs: int) -> None:
    with pytest.raises(InputError, match="what b found"):
        side_by_side(fail, [(tmp_path, name) for name in "abc"], Compute(jobs=jobs), "failures")


def test_no_scheduler_at_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("amsf.machine.cluster.ANSWER_WITHIN", 1)
    with pytest.raises(InputError, match=r"tcp://127\.0\.0\.1:9, but no Dask scheduler answers"):
        side_by_side(note, [], Compute(scheduler="tcp://127.0.0.1:9"), "notes")


class Cluster:
    """A scheduler and workers, each a process of its own on loopback."""

    def __init__(self, folder: Path, stack: ExitStack, workers: int, threads: int) -> None:
        self.file = folder / "scheduler.json"
        self.folder = folder
        self.stack = stack
        self.threads = threads
        self._start("dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
        self.workers = [self.start_worker() for _ in range(workers)]
        from distributed import Client

        with Client(scheduler_file=str(self.file), timeout=60, set_as_default=False) as client:
            client.wait_for_workers(workers, timeout=60)
            self.address = client.scheduler.address

    def start_worker(self) -> subprocess.Popen[bytes]:
        options = ("--nthreads", str(self.threads), "--no-nanny", "--no-dashboard")
        return self._start("dask_worker", *options, "--host", "127.0.0.1")

    def _start(self, program: str, *options: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.{program}", *options]
        process = subprocess.Popen(
            [*command, "--scheduler-file", str(self.file)],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.stack.callback(process.wait)
        self.stack.callback(process.kill)
        return process


@pytest.fixture(params=[(2, 1)])
def cluster(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Cluster]:
    with ExitStack() as stack:
        (tmp_path / "dask").mkdir()
        yield Cluster(tmp_path / "dask", stack, *request.param)


def test_a_dask_worker_with_other_kernels_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ExitStack() as stack:
        with monkeypatch.context() as patch:
            own = os.environ.get("ATEN_CPU_CAPABILITY")
            patch.setenv("ATEN_CPU_CAPABILITY", "avx2" if own == "default" else "default")
            cluster = Cluster(tmp_path, stack, 1, 2)
        compute = Compute(scheduler=cluster.address)
        with pytest.raises(InputError, match=r"this worker chooses other kernels.*docs/clusters"):
            side_by_side(note, [(tmp_path, "a")], compute, "notes")
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("cluster", [(1, 3)], indirect=True)
def test_threads_of_a_dask_worker_do_not_disturb_each_other(
    tmp_path: Path, cluster: Cluster
) -> None:
    """They share torch's own random stream, from which models draw their weights."""
    main(tmp_path / "here", 3, jobs=1)
    main(tmp_path / "there", 3, 0, cluster.address)
    assert tree(tmp_path / "there/models") == tree(tmp_path / "here/models")


def test_a_dask_cluster_with_a_worker_killed_gives_the_same_bytes(
    tmp_path: Path, cluster: Cluster
) -> None:
    cycles = 12
    main(tmp_path / "here", cycles, jobs=1)
    command = [sys.executable, str(ROOT / "tests/support/train_small.py"), str(tmp_path / "there")]
    process = subprocess.Popen(
        [*command, str(cycles), "0", cluster.address],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
    )
    snapshots = "scratch/*/seed*/*/snapshot.safetensors"
    while len(list((tmp_path / "there").glob(snapshots))) < 2:
        assert process.poll() is None, process.communicate()[1].decode()
        time.sleep(0.01)
    # Both workers are in the middle of a run.
    cluster.workers[0].send_signal(signal.SIGKILL)
    assert process.poll() is None
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors.decode()
    assert cluster.workers[1].poll() is None
    assert tree(tmp_path / "there/models") == tree(tmp_path / "here/models")


def test_a_worker_that_the_system_ends_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def ended(*given: object, **more: object) -> None:
        raise TerminatedWorkerError("a worker was killed")

    monkeypatch.setattr(parallel, "Parallel", ended)
    with pytest.raises(InputError, match=r"ended by the system.*memory.*compute\.jobs.*2 runs"):
        side_by_side(fill, [(1,), (1,)], Compute(jobs=2), "arrays")


def fill(elements: int) -> int:
    return torch.zeros(elements).numel()


def overflow(kind: str) -> None:
    if kind == "memory":
        raise MemoryError
    raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")


def test_an_array_that_cannot_be_had_is_told() -> None:
    with pytest.raises(InputError, match=r"does not fit into the memory.*model\.latent"):
        side_by_side(fill, [(10**16,)], Compute(jobs=1), "arrays")
    with pytest.raises(InputError, match=r"does not fit into the memory .none is left"):
        side_by_side(overflow, [("memory",)], Compute(jobs=1), "arrays")
    with pytest.raises(RuntimeError, match="shapes"):
        side_by_side(overflow, [("other",)], Compute(jobs=1), "arrays")


@pytest.mark.parametrize("address", ["tls://127.0.0.1:9", "ucx://127.0.0.1:9", "ws://127.0.0.1:9"])
def test_schedulers_of_other_protocols(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setattr("amsf.machine.cluster.ANSWER_WITHIN", 1)
    with pytest.raises(InputError, match=f"{address}, but no Dask scheduler answers there"):
        side_by_side(note, [], Compute(scheduler=address), "notes")


def test_a_scheduler_that_takes_the_call_and_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """As one that hangs, or another program at a wrong port."""
    monkeypatch.setattr("amsf.machine.cluster.ANSWER_WITHIN", 1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(InputError, match=f"{address}, but no Dask scheduler answers there"):
            side_by_side(note, [], Compute(scheduler=address), "notes")


def test_a_client_that_finds_no_scheduler_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is closed when it is collected may wait for the next one, which waits for it."""
    from distributed import Client

    monkeypatch.setattr("amsf.machine.cluster.ANSWER_WITHIN", 1)
    for address in ("tcp://127.0.0.1:9", "ws://127.0.0.1:9"):
        with pytest.raises(InputError, match="no Dask scheduler answers there") as told:
            side_by_side(note, [], Compute(scheduler=address), "notes")
        there = [item for item in gc.get_objects() if issubclass(type(item), Client)]
        assert told.value.__cause__ is not None  # which keeps the client
        assert {client.status for client in there} == {"closed"}
