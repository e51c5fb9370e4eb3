"""What each fusion module allows, and that the modules agree."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any, get_args

import pytest

from amsf.base.errors import InputError
from amsf.model.fusion import build_fusion
from amsf.settings.fusion import find_fault, fixed_ratio
from amsf.settings.params import Fusion, Model

FAULTS: list[tuple[dict[str, Any], int, int | None, str]] = [
    ({"fusion": "MHA", "heads": 5}, 5, 16, "heads is 5, .* 16, the width of it.* 1, 2, 4, 8, 16$"),
    ({"fusion": "Former", "heads": 3}, 5, 16, "Former takes one of"),
    ({"fusion": "MSCA", "reduction": 3}, 2, 16, "reduction is 3, .* 2 or less"),
    ({"fusion": "MSCA", "reduction": 3}, 2, None, "reduction is 3, .* 2 or less"),
    ({"fusion": "Concat", "ratio": 2}, 5, 16, "ratio is 2, .* 5 times as wide"),
    ({"fusion": "Add", "ratio": 5}, 5, None, "ratio is 5, .* 1 times as wide"),
]


@pytest.mark.parametrize(("own", "views", "width", "told"), FAULTS)
def test_faults(own: dict[str, Any], views: int, width: int | None, told: str) -> None:
    model = Model.model_validate(own)
    fault = find_fault(model, views, width, "it")
    assert fault is not None
    assert re.search(told, fault)
    with pytest.raises(InputError, match=re.escape(fault.split(";")[1])):
        build_fusion(model, views, width or 16)


@pytest.mark.parametrize("name", get_args(Fusion))
@pytest.mark.parametrize("ratio", [None, 1, 2, 5])
def test_what_is_allowed_is_built_as_wide_as_told(name: str, ratio: int | None) -> None:
    model = Model(fusion=name, ratio=ratio)
    own = fixed_ratio(name, 5)
    if find_fault(model, 5, 16) is not None:
        assert own not in (None, ratio)
        return
    assert build_fusion(model, 5, 16).out_features == 16 * (own or ratio or 5)


def test_heads_are_not_judged_before_the_width_is_known() -> None:
    assert find_fault(Model(fusion="MHA", heads=7), 5, None) is None


def test_it_is_told_without_torch() -> None:
    code = (
        "import sys, amsf.settings.params, amsf.settings.fusion; assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
