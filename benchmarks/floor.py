"""The floor of a training step: its arithmetic and its bytes, at this machine's measured rates.

B = batch · n = distinct classes of a batch · C = classes that train · V = text views ·
D = text width · W = prototype width (V·D) · F = skeleton feature width · L = latent width ·
P = parameters.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import BrokenBarrierError
from typing import Any

import torch
from torch import Tensor
from torch.multiprocessing import get_context

from benchmarks.sizes import VIEWS, Size

# Share of a cycle's steps that have cross terms: e > 1500 of 1900, the paper's longer cycle.
CROSS = 399 / 1900


@dataclass(frozen=True)
class Product:
    """A linear layer's products: (rows, k) by (k, columns), and its two gradients.

    Attributes:
        name: the layer's name.
        rows, k, columns: of the forward product.
        times: how often a step does it (1, or a share of the steps more).
        input_gradient: whether the gradient towards the layer's input is needed.
    """

    name: str
    rows: int
    k: int
    columns: int
    times: float = 1.0
    input_gradient: bool = True

    @property
    def flop(self) -> float:
        """2 rows k columns forward, as much for the weight's gradient and the input's."""
        return self.times * 2 * self.rows * self.k * self.columns * (2 + self.input_gradient)


def distinct_classes(size: Size) -> float:
    """Expected number of distinct classes in a batch: C (1 - (1 - 1/C)^B), classes alike."""
    return size.seen * (1 - (1 - 1 / size.seen) ** size.batch)


def products(size: Size) -> list[Product]:
    """The matrix products of a step, each class of the batch fused and encoded once."""
    n, B, D, L, F = round(distinct_classes(size)), size.batch, size.text, size.latent, size.features
    V, W = len(VIEWS), len(VIEWS) * D
    return [
        Product("queries, keys, values", n * V, D, 3 * D),
        Product("attention output", n * V, D, D),
        Product("fusion V·D -> D", n, V * D, D),
        Product("fusion D -> W", n, D, W),
        Product("text encoder", n, W, 2 * L),
        Product("text decoder", B, L, W, 1 + CROSS),
        Product("skeleton encoder", B, F, 2 * L, input_gradient=False),
        Product("skeleton decoder", B, L, F, 1 + CROSS),
    ]


def attention_flop(size: Size) -> float:
    """Scores and their use, V x V a class: 2 products of 2 n V V D, 3 times with gradients."""
    return 3 * 2 * 2 * round(distinct_classes(size)) * len(VIEWS) ** 2 * size.text


def step_flop(size: Size) -> float:
    """Floating-point operations of a step's matrix products."""
    return sum(p.flop for p in products(size)) + attention_flop(size)


def parameters(size: Size) -> int:
    """P: the weights of the products (biases and norms are less than 1 %)."""
    return sum(p.k * p.columns for p in products(size))


def step_bytes(size: Size) -> int:
    """40 P: Adam reads p, m, v, g and writes p, m, v; the forward and the backward pass read p
    and the latter writes g, 4 bytes each. What a batch adds (under 2 MB) stays in the caches."""
    return 10 * 4 * parameters(size)


# ---- rates


Timer = Callable[[Callable[[], Any]], float]


def _timer(seconds: float, barrier: Any) -> Timer:
    """Median seconds of a call, made again and again in step with the other processes."""

    def measure(call: Callable[[], Any]) -> float:
        call()
        barrier.wait(60)
        taken: list[float] = []
        end = time.perf_counter() + seconds
        while time.perf_counter() < end or len(taken) < 3:
            start = time.perf_counter()
            call()
            taken.append(time.perf_counter() - start)
        return statistics.median(taken)

    return measure


def _onednn(x: Tensor, weight: Tensor) -> Tensor:
    """x @ weight.T by oneDNN, which is not torch's own choice for float32."""
    return torch.ops.mkldnn._linear_pointwise(x, weight, None, "none", [], "")


def _times_of(product: Product, timer: Timer) -> dict[str, float]:
    """Seconds of a product with its gradients by each library, and by the better one of each."""
    x, w = torch.randn(product.rows, product.k), torch.randn(product.columns, product.k)
    g = torch.randn(product.rows, product.columns)
    # y = x w^T; dw = g^T x, or its transpose x^T g; dx = g w.
    calls: list[tuple[Callable[[], Any], tuple[Callable[[], Any], ...]]] = [
        (lambda: torch.mm(x, w.t()), (lambda: _onednn(x, w),)),
        (
            lambda: torch.mm(g.t(), x),
            (lambda: _onednn(g.t(), x.t()), lambda: _onednn(x.t(), g.t())),
        ),
    ]
    if product.input_gradient:
        calls.append((lambda: torch.mm(g, w), (lambda: _onednn(g, w.t()),)))
    times = {"mm": 0.0, "onednn": 0.0, "best": 0.0}
    for mm, onednn in calls:
        seconds = timer(mm)
        other = min(map(timer, onednn)) if torch.backends.mkldnn.is_available() else seconds
        times["mm"] += seconds
        times["onednn"] += other
        times["best"] += min(seconds, other)
    return {name: value * product.times for name, value in times.items()}


def _rates(size: Size, seconds: float, copied: int, barrier: Any) -> dict[str, float]:
    """One process's measurement: seconds of a step's arithmetic, and bytes a second."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    timer = _timer(seconds, barrier)
    each = [_times_of(product, timer) for product in products(size)]
    result = {name: sum(times[name] for times in each) for name in each[0]}
    # The small products of the attention, charged at the rate of the others.
    share = step_flop(size) / sum(p.flop for p in products(size))
    result = {name: value * share for name, value in result.items()}
    a, b = torch.ones(copied // 4), torch.zeros(copied // 4)
    result["copy"] = 2 * copied / timer(lambda: b.copy_(a))
    weight = torch.nn.Parameter(torch.randn(parameters(size)))
    weight.grad = torch.randn_like(weight)
    optimiser = torch.optim.Adam([weight], fused=True)
    result["adam"] = 7 * 4 * parameters(size) / timer(optimiser.step)
    return result


def _worker(queue: Any, barrier: Any, size: Size, seconds: float, copied: int) -> None:
    try:
        queue.put(_rates(size, seconds, copied, barrier))
    except BaseException as error:
        barrier.abort()
        if not isinstance(error, BrokenBarrierError):
            raise


def measure(size: Size, cores: int, seconds: float, copied: int) -> dict[str, float]:
    """Rates with ``cores`` processes side by side; the mean over them.

    Args:
        size: whose products are timed.
        cores: processes, one thread each.
        seconds: how long each timing takes; there are about 80.
        copied: bytes of the large copy.

    Returns:
        ``mm``, ``onednn``, ``best``: seconds of a step's arithmetic by torch's own product, by
        oneDNN, and by the better one of each; ``copy``, ``adam``: bytes a second, in one process.

    Raises:
        RuntimeError: a process failed.
    """
    context = get_context("spawn")
    queue, barrier = context.Queue(), context.Barrier(cores)
    workers = [
        context.Process(target=_worker, args=(queue, barrier, size, seconds, copied))
        for _ in range(cores)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if any(worker.exitcode for worker in workers):
        raise RuntimeError("a process that measures rates failed; see its message above")
    results = [queue.get() for _ in workers]
    return {name: statistics.mean(r[name] for r in results) for name in results[0]}


def floor_seconds(size: Size, rates: dict[str, float]) -> tuple[float, float]:
    """Seconds of a step's arithmetic and of its bytes; the floor lies between max and sum."""
    return rates["best"], step_bytes(size) / max(rates["copy"], rates["adam"])
