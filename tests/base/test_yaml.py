"""YAML: what DVC reads is what we read, and what is wrong is told with its place."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
from dvc.utils.serialize import load_yaml, loads_yaml
from hypothesis import example, given
from hypothesis import strategies as st

from amsf.base.errors import InputError
from amsf.base.yaml import dump_yaml, parse_yaml, read_yaml

ROOT = Path(__file__).parents[2]
# As YAML 1.2 has them; 1.1 takes nearly each of these for something else.
SCALARS: dict[str, Any] = {
    "010": 10, "0o10": 8, "0x1F": 31, "1e-4": 1e-4, "1E5": 1e5, "1.": 1.0, ".5": 0.5, "+1": 1,
    "1_000": 1000, "08": 8, "yes": "yes", "no": "no", "on": "on", "Off": "Off", "y": "y",
    "true": True, "True": True, "~": None, "NULL": None, "": None, "1:30": "1:30",
    "12:30:45": "12:30:45", ".inf": float("inf"), '"1"': "1", "'1e-4'": "1e-4", "0o8": "0o8",
}  # fmt: skip


@pytest.mark.parametrize("scalar", SCALARS)
def test_a_scalar_means_what_it_means_to_dvc(scalar: str) -> None:
    content = f"section:\n  knob: {scalar}\n"
    found = parse_yaml(content, "params.yaml")["section"]["knob"]
    assert (type(found), found) == (type(SCALARS[scalar]), SCALARS[scalar])
    assert loads_yaml(content)["section"] == {"knob": found}


@given(st.text(st.characters(exclude_categories=["C"]), max_size=12))
def test_what_we_read_dvc_reads_alike(content: str) -> None:
    try:
        found = parse_yaml(content, "params.yaml")
    except InputError:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert repr(loads_yaml(content)) == repr(found)


@pytest.mark.parametrize("name", ["params.yaml", "dvc.yaml", "data/ablations/paper.yaml"])
def test_the_repositorys_files(name: str) -> None:
    assert read_yaml(ROOT / name) == load_yaml(ROOT / name)


def test_merged_sections() -> None:
    content = "a: &a {x: 1, y: 2}\nb: {<<: *a, x: 3}\n"
    assert parse_yaml(content, "f") == {"a": {"x": 1, "y": 2}, "b": {"x": 3, "y": 2}}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"a: 1\nb: 2\na: 3\n", "line 3, column 1: 'a' is there twice; keep one of them"),
        (b"s: {n: 1,\n  'n': 2}\n", "line 2, column 3: 'n' is there twice; keep one of them"),
        (b"{1: a, 0x1: b}", "line 1, column 8: '1' is there twice; keep one of them"),
        (b"a: b: c", "line 1, column 5: mapping values are not allowed here"),
        (b"a: [1, 2", "line 1, column 9: expected ',' or ']'"),
        (b"a: 1\n---\nb: 2\n", "line 2, column 1: but found another document"),
        (b"a: *b", "line 1, column 4: found undefined alias 'b'"),
        (b"a: \xff", "'utf-8' codec can't decode byte 0xff in position 3"),
        (b"a: \x00", "unacceptable character"),
        (b"a: 2026-13-45", "month must be in 1..12"),
        (b"a: !!bool perhaps", "'perhaps'"),
        (b"a: !!set {lb, MAad}", "line 1, column 4: could not determine a constructor"),
        (b'a: !!int ""', "string index out of range"),
        (b"a: " + b"[" * 5000, "nested too deeply"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_yaml(path)
    assert str(caught.value).startswith(f"{path}: not valid YAML (")
    assert told in str(caught.value)


def test_a_key_twice_beside_aliases_that_grow_without_end() -> None:
    levels = [f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 9)}]" for i in range(1, 25)]
    content = "\n".join(["l0: &l0 [x]", *levels, "twice: *l24", "twice: *l24"])
    with pytest.raises(InputError, match="'twice' is there twice"):
        parse_yaml(content, "f")


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text("01e-:yn, #"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc"), inner, max_size=3),
    max_leaves=6,
)


@example({"b": {"": ":0"}})
@given(st.dictionaries(st.sampled_from(["b", "a", "c"]), plain))
def test_what_is_written_is_read_back_in_its_order(value: dict[str, Any]) -> None:
    found = parse_yaml(dump_yaml(value), "f")
    assert found == value
    assert list(found) == list(value)
    assert loads_yaml(dump_yaml(value)) == value
