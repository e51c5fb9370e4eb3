"""Lists of recordings to leave out, as people write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from amsf.base.errors import InputError
from amsf.pack.name_list import NameList

NAME = "S001C001P001R001A001"


def listed(tmp_path: Path, content: bytes | str) -> NameList:
    path = tmp_path / "missing.txt"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return NameList(path)


@pytest.mark.parametrize(
    "line",
    [
        NAME, f"\ufeff{NAME}", NAME.lower(), f'"{NAME}"', f"'{NAME}',", f"\u201c{NAME}\u201d",
        f"{NAME}.skeleton", f"{NAME}.SKELETON", f"{NAME}_rgb.avi", f"{NAME}_depth", f"[{NAME}]",
        f"nturgb+d_skeletons/{NAME}.skeleton", f"D:\\ntu\\{NAME}.skeleton\r", f"{NAME}\r",
        f"the samples\nare missing:\n{NAME}", f"x,{NAME};y",
    ],
)  # fmt: skip
def test_a_name_is_found_however_it_is_written(tmp_path: Path, line: str) -> None:
    names = listed(tmp_path, line + "\n")
    names.refuse_others(["a", NAME])
    assert not names.has(["S001C001P001R001A002"])
    assert names.has([NAME])
    assert ": found and left out: 1 of " in names.outcome()


def test_other_8_bit_characters_are_read(tmp_path: Path) -> None:
    assert listed(tmp_path, "b\xf6w\n".encode("latin-1")).has(["böw"])


def test_names_with_dots_spaces_and_folders_stay_apart(tmp_path: Path) -> None:
    names = listed(tmp_path, "take.a\nmy take 2\nanna/wave\n")
    assert [n for n in ("take.a", "take.b", "my take 2", "my take 3", "anna/wave")
            if names.has([n])] == ["take.a", "my take 2", "anna/wave"]  # fmt: skip


def test_names_in_part_are_counted(tmp_path: Path) -> None:
    names = listed(tmp_path, "two samples are missing\na1_s1_t1\na2_s1_t1\na3_s1_t1\n")
    assert names.has(["a1_s1_t1", "a1_s1_t1_skeleton"])
    assert names.has(["b", "a2_s1_t1"])
    assert names.outcome() == (
        f"{names.path}: found and left out: 2 of 3 names; not found: a3_s1_t1"
    )


def test_names_that_match_nothing_are_an_error(tmp_path: Path) -> None:
    names = listed(tmp_path, "a1_s1_t1\na2_s1_t1\n")
    with pytest.raises(InputError, match=r"none of its names \(a1_s1_t1, a2_s1_t1\) is that of"):
        names.outcome()
    with pytest.raises(InputError, match="none of its names"):
        names.refuse_others(["S001C001P001R001A001"])
    names.refuse_others(["a1_s1"])  # files of several recordings: a1_s1_t1, ...


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_other_encodings_are_named(tmp_path: Path, encoding: str) -> None:
    with pytest.raises(
        InputError, match=rf"missing.txt: the text is UTF-{encoding[4:6]}; expected"
    ):
        listed(tmp_path, f"{NAME}\n".encode(encoding))


def test_a_list_that_is_empty_or_not_there_is_an_error(tmp_path: Path) -> None:
    for content in ("", " \n", "\ufeff\n"):
        with pytest.raises(InputError, match="is empty"):
            listed(tmp_path, content)
    with pytest.raises(InputError, match="no such list"):
        NameList(tmp_path / "none.txt")
    with pytest.raises(InputError, match="no such list"):
        NameList(tmp_path)
