"""The same kernels on every x86-64 processor with AVX2, so that equal input gives equal bytes.

PyTorch, oneDNN, MKL, NumPy and OpenBLAS each look at the processor and choose a code path for it;
each path adds up in another order and rounds otherwise. The pins name one path, AVX2's, which
Intel's processors since Haswell (2013) and AMD's since Excavator (2015) have. The libraries read
them when they are loaded, or at their first product, so they must be set before.

Where there is no AVX2 nothing is pinned: other x86-64 processors, aarch64 and Apple's processors
repeat their own bytes, each kind of processor its own. CUDA and MPS are not pinned either.

    eval "$(python -m amsf.stage.portable)"    # for a shell that starts workers or a notebook
"""

from __future__ import annotations

import os
import platform
import re
import sys
import warnings
from collections.abc import Mapping, MutableMapping
from pathlib import Path

from amsf.base.errors import InputError
from amsf.base.yaml import read_yaml

PARAMS, CPU_INFO = Path("params.yaml"), Path("/proc/cpuinfo")

PINS = {
    "ATEN_CPU_CAPABILITY": "avx2",  # PyTorch's own kernels
    "ONEDNN_MAX_CPU_ISA": "AVX2",  # convolutions and large products
    "MKL_CBWR": "COMPATIBLE",  # other products: the one path that MKL takes on AMD too
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",  # NumPy's paths beyond AVX2
    "OPENBLAS_CORETYPE": "Haswell",  # products of NumPy and SciPy
}
# These read the pins; one that is loaded already has made its choice.
READERS = ("numpy", "torch")


def asked_for(path: Path = PARAMS) -> bool:
    """``compute.portable`` of the parameters; true, the default, where they do not say.

    Read here without their checks: a stage makes those afterwards, with all their messages, and
    by then torch is loaded.
    """
    try:
        raw = read_yaml(path)
    except (InputError, OSError):
        return True
    section = raw.get("compute") if isinstance(raw, dict) else None
    return not (isinstance(section, dict) and section.get("portable") is False)


def has_avx2(cpu_info: Path = CPU_INFO) -> bool:
    """Whether this is an x86-64 processor with AVX2 and FMA."""
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return False
    try:
        flags = re.search(r"^flags\s*:(.*)$", cpu_info.read_text(), re.MULTILINE)
    except OSError:  # no Linux: every x86-64 processor that PyTorch still supports there has both
        return True
    return flags is None or {"avx2", "fma"} <= set(flags[1].split())


def pin(environment: MutableMapping[str, str] = os.environ) -> bool:
    """Set the pins, for this process and all that it starts; whether they hold now.

    Where NumPy or torch was loaded without them it is too late: a warning says so, and nothing is
    set, so that this process and its workers do not differ from each other.
    """
    if pinned(environment):
        return True
    if not has_avx2():
        return False
    late = [name for name in READERS if name in sys.modules]
    if late:
        warnings.warn(
            f"{' and '.join(late)} had been imported before amsf, so that kernels depend on this "
            "processor, and the last digits of results with them. Import amsf.predict first, or "
            "start from a shell with `python -m amsf.stage.portable` (docs/runs.md), or set "
            "compute.portable: false",
            stacklevel=2,
        )
        return False
    environment.update(PINS)
    return True


def pinned(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the pins are set."""
    return all(environment.get(name) == value for name, value in PINS.items())


def kernels() -> dict[str, str]:
    """The variables that choose kernels, as this process has them; those unset are left out.

    Part of what a result depends on: an interrupted training goes on, and a worker takes a task,
    with equal ones alone.
    """
    return {name: os.environ[name] for name in PINS if name in os.environ}


def refuse_other_kernels(asking: Mapping[str, str]) -> None:
    """Stop a worker whose kernels are not those of the process that gives it work.

    Args:
        asking: :func:`kernels` of that process.

    Raises:
        InputError: they differ; the message says what to set.
    """
    own = kernels()
    names = [name for name in PINS if own.get(name) != asking.get(name)]
    if not names:
        return
    change = [f"{name}='{asking[name]}'" for name in names if name in asking]
    lines = [f"export {' '.join(change)}"] if change else []
    unset = [name for name in names if name not in asking]
    lines += [f"unset {' '.join(unset)}"] if unset else []
    raise InputError(
        "this worker chooses other kernels than the process that gives it work, so that the last "
        "digits of results would differ (compute.portable, docs/clusters.md); before starting the "
        f"workers run: {'; '.join(lines)}"
    )


def main() -> None:
    """Print what a shell exports before it starts workers or a notebook."""
    for name, value in PINS.items():
        print(f"export {name}='{value}'")


if __name__ == "__main__":
    main()
