"""What readers share: sorting files by name, reasons for the report."""

from __future__ import annotations

from pathlib import Path

from amsf.base.errors import InputError
from amsf.pack.base import plan_by_name, reason_of


def test_every_file_is_a_task_or_left_out_with_a_reason() -> None:
    files = [Path(name) for name in ("1.x", "2.x", "3.x", "0.x", "1.y", "readme")]

    def parse_name(stem: str) -> dict[str, int] | None:
        return {"label": int(stem) - 1} if stem.isdecimal() else None

    tasks, left_out = plan_by_name(files, ".x", "N.x", parse_name, 2)
    assert tasks == [(Path("1.x"),), (Path("2.x"),)]
    assert {item.file.name: item.reason for item in left_out} == {
        "3.x": "action 3 is not one of the dataset's 1 to 2",
        "0.x": "action 0 is not one of the dataset's 1 to 2",
        "1.y": "the name is not of the form N.x",
        "readme": "the name is not of the form N.x",
    }


def test_a_reason_does_not_repeat_the_file() -> None:
    file = Path("folder/a.x")
    assert reason_of(InputError(f"{file}: line 3 is empty"), file) == "line 3 is empty"
    assert reason_of(MemoryError("too long"), file) == "MemoryError: too long"
    heart = Path("folder/\u2764\ufe0f.x")  # errors show the second character as an escape
    assert reason_of(InputError(f"{heart}: line 3 is empty"), heart) == "line 3 is empty"
