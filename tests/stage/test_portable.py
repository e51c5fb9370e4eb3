"""The pins: what asks for them, where they cannot be set, and who refuses to work without them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from amsf.base.errors import InputError
from amsf.stage import portable
from amsf.stage.portable import PINS, asked_for, has_avx2, kernels, pin, refuse_other_kernels

ROOT = Path(__file__).parents[2]
needs_avx2 = pytest.mark.skipif(not has_avx2(), reason="this processor has no AVX2: nothing to pin")


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("compute: {portable: true}", True),
        ("compute: {portable: false}", False),
        ("compute: {threads: 1}", True),
        ("compute: [", True),  # the stage itself reports what is wrong
        ("[]", True),
    ],
)
def test_params_yaml_asks(tmp_path: Path, text: str, asked: bool) -> None:
    (tmp_path / "params.yaml").write_text(text)
    assert asked_for(tmp_path / "params.yaml") is asked


def test_without_params_yaml_the_default_holds(tmp_path: Path) -> None:
    assert asked_for(tmp_path / "params.yaml")


def test_what_is_no_processor_with_avx2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = tmp_path / "cpuinfo"
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    info.write_text("flags\t\t: sse4_2 avx f16c\n")
    assert not has_avx2(info)
    info.write_text("flags\t\t: sse4_2 avx f16c fma avx2\n")
    assert has_avx2(info)
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    assert not has_avx2(info)


def test_nothing_is_pinned_without_avx2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portable, "has_avx2", lambda: False)
    environment: dict[str, str] = {}
    assert not pin(environment)
    assert environment == {}


def test_too_late_is_a_warning_and_sets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portable, "has_avx2", lambda: True)
    for name in ("numpy", "torch"):
        monkeypatch.setitem(sys.modules, name, sys)
    environment: dict[str, str] = {}
    with pytest.warns(UserWarning, match="numpy and torch had been imported before amsf"):
        assert not pin(environment)
    assert environment == {}
    environment.update(PINS)
    assert pin(environment)


def python(code: str, folder: Path, **environment: str) -> str:
    """What a Python without pins in its environment prints for some code."""
    bare = {name: value for name, value in os.environ.items() if name not in PINS}
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={**bare, "PYTHONPATH": str(ROOT), **environment},
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()


CAPABILITY = "import torch; print(torch.backends.cpu.get_cpu_capability())"


@needs_avx2
@pytest.mark.parametrize("first", ["stages", "amsf.predict", "benchmarks.ours", "tests.conftest"])
def test_every_entrance_pins_before_torch_is_loaded(tmp_path: Path, first: str) -> None:
    assert python(f"import {first}; {CAPABILITY}", tmp_path) == "AVX2"


# Under each pin its library says that it takes AVX2's path. Take a pin away, and it says another:
# MKL everywhere, the others on a processor that goes beyond AVX2.
PATHS = f"""
import amsf.stage.pinned
{CAPABILITY}
import numpy, scipy.linalg, threadpoolctl
from numpy._core._multiarray_umath import __cpu_features__ as found
print([name for name in ("X86_V3", "X86_V4", "AVX512_ICL", "AVX512_SPR") if found.get(name)])
print({{i["architecture"] for i in threadpoolctl.threadpool_info() if "architecture" in i}})
torch.nn.Conv1d(64, 64, 9)(torch.ones(8, 64, 256))
torch.ones(64, 64) @ torch.ones(64, 64)
"""


@needs_avx2
def test_every_pin_is_obeyed(tmp_path: Path) -> None:
    told = python(PATHS, tmp_path, ONEDNN_VERBOSE="1", MKL_VERBOSE="1")
    lines = told.splitlines()
    assert {"AVX2", "['X86_V3']", "{'Haswell'}"} <= set(lines)
    assert "isa:Intel AVX2\n" in told
    assert "avx512" not in told
    products = [line for line in lines if line.startswith("MKL_VERBOSE SGEMM")]
    assert products
    assert all("CNR:COMPATIBLE" in line for line in products)


@needs_avx2
def test_portable_false_pins_nothing(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text("compute: {portable: false}")
    code = "import amsf.stage.pinned as p; from amsf.stage.portable import kernels"
    assert python(f"{code}; print(p.HOLDS, kernels())", tmp_path) == "False {}"


def test_a_worker_with_other_kernels_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in PINS.items():
        monkeypatch.setenv(name, value)
    refuse_other_kernels(kernels())
    monkeypatch.delenv("MKL_CBWR")
    with pytest.raises(InputError, match=r"workers run: export MKL_CBWR='COMPATIBLE'$"):
        refuse_other_kernels(PINS)
    with pytest.raises(InputError, match="unset ATEN_CPU_CAPABILITY ONEDNN_MAX_CPU_ISA"):
        refuse_other_kernels({})


def test_the_module_prints_what_a_shell_exports(capsys: pytest.CaptureFixture[str]) -> None:
    portable.main()
    shell = capsys.readouterr().out + 'printf %s "$NPY_DISABLE_CPU_FEATURES"'
    done = subprocess.run(["sh", "-c", shell], check=True, capture_output=True, text=True)
    assert done.stdout == PINS["NPY_DISABLE_CPU_FEATURES"]
