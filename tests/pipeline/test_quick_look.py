"""The notebook: its cells run in order on what the pipeline leaves, and no output is committed."""

from __future__ import annotations

import json
from pathlib import Path
from shutil import copytree
from typing import Any

from tests.support.small_project import KEY, ROOT

NOTEBOOK: dict[str, Any] = json.loads((ROOT / "docs/quick_look.ipynb").read_text())
CELLS = [cell for cell in NOTEBOOK["cells"] if cell["cell_type"] == "code"]


def test_no_output_is_committed() -> None:
    for cell in CELLS:
        assert cell["outputs"] == []
        assert cell["execution_count"] is None


def test_its_cells_run(demo_project: Path) -> None:
    copytree(ROOT / "data/examples", "data/examples", dirs_exist_ok=True)
    names: dict[str, Any] = {}
    for cell in CELLS:
        exec("".join(cell["source"]), names)
    assert names["scores"].index[0] == KEY
    assert list(names["scores"].columns) == ["ZSL", "S", "U", "H"]
    assert set(names["texts"].index) == {"lb", "MAmd"}
    assert names["shares"].sum(axis=1).between(97, 103).all()
    assert len(names["answers"]) == 3
    assert Path("quick_look.gif").read_bytes().startswith(b"GIF89a")
