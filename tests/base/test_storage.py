"""Writers that are atomic and byte-stable, readers that never unpickle."""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save

from amsf.base.errors import InputError
from amsf.base.storage import (
    atomic_path,
    check_writable,
    open_tensors,
    read_array,
    read_json,
    read_metadata,
    read_tensors,
    sha256,
    write_array,
    write_json,
    write_tensors,
    write_text,
)

ROOT = Path(__file__).parents[2]
ARRAY = np.arange(6, dtype=np.float32).reshape(2, 3)

Writer = Callable[[Path], None]
WRITERS: dict[str, Writer] = {
    "text": lambda path: write_text(path, "one\ntwo\n"),
    "json": lambda path: write_json(path, {"b": 1, "a": [1.5, None]}),
    "array": lambda path: write_array(path, ARRAY),
    "tensors": lambda path: write_tensors(path, {"b": ARRAY, "a": ARRAY[0]}, {"y": 1, "x": 2}),
}
each_writer = pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS.keys())


def npy(array: np.ndarray, *, pickled: bool = False) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=pickled)
    return buffer.getvalue()


# --- atomic -------------------------------------------------------------------------------------


@each_writer
def test_writers_make_the_folder_and_leave_nothing_beside_the_file(
    tmp_path: Path, write: Writer
) -> None:
    path = tmp_path / "new" / "folder" / "file"
    write(path)
    write(path)
    assert list(path.parent.iterdir()) == [path]


@each_writer
def test_writing_twice_gives_the_same_bytes(tmp_path: Path, write: Writer) -> None:
    for name in ("one", "two"):
        write(tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@each_writer
@pytest.mark.parametrize("umask", [0o022, 0o002, 0o077])
def test_files_have_the_mode_that_the_umask_gives(
    tmp_path: Path, write: Writer, umask: int
) -> None:
    before = os.umask(umask)
    try:
        write(tmp_path / "file")
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o666 & ~umask


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_exception_leaves_the_old_file_and_no_temporary(
    tmp_path: Path, error: type[BaseException]
) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def fail() -> None:
        with atomic_path(path) as temporary:
            temporary.write_text("half of the n")
            assert path.read_text() == "old"
            raise error

    with pytest.raises(error):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


NO_FILES = [
    pytest.param(
        place, marks=pytest.mark.skipif(not Path("/proc/self").exists(), reason="no /proc here")
    )
    for place in ("/proc/out.csv", "/proc/new/out.csv", "/proc/self/out.csv")
]


@pytest.mark.parametrize("place", NO_FILES)
def test_a_place_that_takes_no_files_is_told_before_and_when_it_is_written_to(place: str) -> None:
    told = f"^{place}: could not be written: "
    with pytest.raises(InputError, match=told + ".*name another place$"):
        check_writable(Path(place))
    with pytest.raises(InputError, match=told):
        write_text(place, "text")


def test_a_place_that_can_be_written_is_left_as_it_is(tmp_path: Path) -> None:
    check_writable(tmp_path / "new/folder/out.csv")
    (tmp_path / "there.csv").write_text("old")
    check_writable(tmp_path / "there.csv")
    assert [p.name for p in tmp_path.iterdir()] == ["there.csv"]
    assert (tmp_path / "there.csv").read_text() == "old"
    (tmp_path / "file").touch()
    for other, reason in [
        ("file/out.csv", "a file is where a folder would be"),
        (f"{'n' * 240}.csv", "the name is too long"),  # with what its temporary name has more
        ("", "a folder is there"),
    ]:
        with pytest.raises(InputError, match=reason):
            check_writable(tmp_path / other)


def test_stopped_between_the_two_renames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "folder"
    path.mkdir()
    (path / "old").touch()
    replace = Path.replace

    def stopped(self: Path, target: Path) -> Path:
        if target == path and self.name.endswith(".tmp") and (self / "new").exists():
            raise KeyboardInterrupt
        return replace(self, target)

    def fill() -> None:
        with atomic_path(path) as temporary:
            temporary.mkdir()
            (temporary / "new").touch()

    monkeypatch.setattr(Path, "replace", stopped)
    with pytest.raises(KeyboardInterrupt):
        fill()
    assert [p.name for p in path.iterdir()] == ["old"]
    assert list(tmp_path.iterdir()) == [path]


def test_an_exception_leaves_the_old_folder_and_no_temporary(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    path.mkdir()
    (path / "old").touch()

    def fill(fail: bool) -> None:
        with atomic_path(path) as temporary:
            temporary.mkdir()
            (temporary / "new").touch()
            if fail:
                raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        fill(fail=True)
    assert [p.name for p in path.iterdir()] == ["old"]
    assert list(tmp_path.iterdir()) == [path]
    fill(fail=False)
    assert [p.name for p in path.iterdir()] == ["new"], "the old folder is replaced as a whole"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("write", "error"),
    [
        (lambda path: write_json(path, {"a": float("nan")}), ValueError),
        (lambda path: write_json(path, [float("inf")]), ValueError),
        (lambda path: write_array(path, np.array([{}], dtype=object)), ValueError),
        (lambda path: write_tensors(path, {"a": np.array([{}], dtype=object)}), Exception),
    ],
    ids=["NaN in JSON", "infinity in JSON", "objects in npy", "objects in safetensors"],
)
def test_what_cannot_be_written_leaves_the_old_file(
    tmp_path: Path, write: Writer, error: type[Exception]
) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(error):
        write(path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


# --- byte-stable --------------------------------------------------------------------------------


def test_bytes_do_not_depend_on_the_order_of_names(tmp_path: Path) -> None:
    for name, order in (("one", (1, -1)), ("two", (-1, 1))):
        keys = ["a", "b", "c"][:: order[0]]
        write_json(tmp_path / f"{name}.json", {k: {"x": 1} for k in keys})
        tensors = {k: np.full(2, ord(k), np.float32) for k in keys}
        metadata = dict.fromkeys(["p", "q"][:: order[1]], 1)
        write_tensors(tmp_path / f"{name}.safetensors", tensors, metadata)
    for suffix in ("json", "safetensors"):
        one, two = tmp_path / f"one.{suffix}", tmp_path / f"two.{suffix}"
        assert one.read_bytes() == two.read_bytes()


def test_bytes_do_not_depend_on_the_process(tmp_path: Path) -> None:
    code = (
        "import sys, numpy as np; from amsf.base.storage import write_tensors;"
        "names = {'train', 'zsl', 'gzsl', 'labels'};"
        "write_tensors(sys.argv[1], {n: np.zeros(len(n)) for n in names}, {n: 1 for n in names})"
    )
    for seed in ("1", "2"):
        command = [sys.executable, "-c", code, str(tmp_path / seed)]
        subprocess.run(command, check=True, cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": seed})
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()


def test_text_and_json_as_bytes(tmp_path: Path) -> None:
    write_text(tmp_path / "file", "é\nb\n")
    assert (tmp_path / "file").read_bytes() == "é\nb\n".encode()
    write_json(tmp_path / "file", {"b": [1], "a": 0.1})
    assert (tmp_path / "file").read_bytes() == b'{\n "a": 0.1,\n "b": [\n  1\n ]\n}\n'


# --- there and back -----------------------------------------------------------------------------

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(json_values)
@settings(max_examples=30, deadline=None)
def test_json_and_metadata_read_back(tmp_path_factory: pytest.TempPathFactory, value: Any) -> None:
    folder = tmp_path_factory.getbasetemp()
    write_json(folder / "value.json", value)
    assert read_json(folder / "value.json") == value
    write_tensors(folder / "value.safetensors", {"a": ARRAY}, value)
    assert read_metadata(folder / "value.safetensors") == value


@pytest.mark.parametrize(
    "array",
    [
        ARRAY,
        ARRAY.T,
        ARRAY[:, ::2],
        ARRAY.astype(">f4"),
        np.arange(4),
        np.array([True, False]),
        np.zeros((0, 3), np.float16),
        np.array(2.5),
    ],
    ids=["plain", "Fortran", "strided", "big-endian", "int64", "bool", "empty", "scalar"],
)
def test_arrays_read_back(tmp_path: Path, array: np.ndarray) -> None:
    write_array(tmp_path / "a.npy", array)
    write_tensors(tmp_path / "a.safetensors", {"a": array})
    found = (
        read_array(tmp_path / "a.npy"),
        read_array(tmp_path / "a.npy", mmap=True),
        read_tensors(tmp_path / "a.safetensors")["a"],
    )
    for back in found:
        assert back.shape == array.shape
        assert back.dtype.newbyteorder("=") == array.dtype.newbyteorder("=")
        assert np.array_equal(back, array)


def test_mmap_reads_lazily_and_cannot_write(tmp_path: Path) -> None:
    write_array(tmp_path / "a.npy", ARRAY)
    mapped = read_array(tmp_path / "a.npy", mmap=True)
    assert isinstance(mapped, np.memmap)
    assert not mapped.flags.writeable
    assert not isinstance(read_array(tmp_path / "a.npy"), np.memmap)


def test_memory_maps_are_written_to_safetensors(tmp_path: Path) -> None:
    write_array(tmp_path / "a.npy", ARRAY)
    mapped = read_array(tmp_path / "a.npy", mmap=True)
    write_tensors(tmp_path / "one", {"a": mapped})
    write_tensors(tmp_path / "two", {"a": ARRAY})
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_metadata_is_none_where_there_is_none(tmp_path: Path) -> None:
    write_tensors(tmp_path / "a", {"a": ARRAY})
    assert read_metadata(tmp_path / "a") is None


@given(st.binary(max_size=300))
@settings(max_examples=10, deadline=None)
def test_sha256(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "content"
    path.write_bytes(content)
    assert sha256(path) == hashlib.sha256(content).hexdigest()


# --- bad files ----------------------------------------------------------------------------------


class Bomb:
    """Unpickling it would raise: a file that holds it must never be unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (pytest.fail, ("unpickled a user's file",))


def npz() -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, a=ARRAY)
    return buffer.getvalue()


NPY_ERRORS = {
    "empty": b"",
    "text": b"0 1 2\n",
    "cut in the header": npy(ARRAY)[:40],
    "cut in the data": npy(ARRAY)[:-5],
    "objects": npy(np.array([Bomb()], dtype=object), pickled=True),
    "pickle": pickle.dumps(Bomb()),
    "npz": npz(),
    "npz cut short": npz()[:60],
    "broken bracket in the header": npy(ARRAY).replace(b"(2, 3), }", b"(2, 3, }}"),
    "unclosed bracket in the header": npy(ARRAY).replace(b"(2, 3), }", b"(2, 3, (("),
    "mixed keys in the header": npy(ARRAY).replace(b" 'shape'", b"b'shape'"),
    "unknown dtype": npy(ARRAY).replace(b"'<f4'", b"'<q4'"),
}


@pytest.mark.parametrize("mmap", [False, True], ids=["read", "mapped"])
@pytest.mark.parametrize("content", NPY_ERRORS.values(), ids=NPY_ERRORS.keys())
def test_damaged_npy_files(tmp_path: Path, content: bytes, mmap: bool) -> None:
    path = tmp_path / "a.npy"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"a\.npy: not a readable \.npy array \("):
        read_array(path, mmap=mmap)


def tensors_bytes() -> bytes:
    return save({"a": ARRAY}, {"amsf": "{}"})


TENSOR_ERRORS = {
    "empty": b"",
    "text": b"not safetensors at all",
    "cut in the header": tensors_bytes()[:20],
    "cut in the data": tensors_bytes()[:-1],
    "more than the header says": tensors_bytes() + b"\0",
    "pickle": pickle.dumps(Bomb()),
}


@pytest.mark.parametrize("read", [read_tensors, read_metadata])
@pytest.mark.parametrize("content", TENSOR_ERRORS.values(), ids=TENSOR_ERRORS.keys())
def test_damaged_safetensors_files(
    tmp_path: Path, read: Callable[[Path], Any], content: bytes
) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"a\.safetensors: not a readable safetensors file"):
        read(path)


def test_metadata_that_is_not_json(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(save({"a": ARRAY}, {"amsf": "{'single': quotes}"}))
    with pytest.raises(InputError, match=r"a\.safetensors"):
        read_metadata(path)


@pytest.mark.parametrize("content", [b"", b"{", b"{'a': 1}", b"\xff\xfe"])
def test_damaged_json(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.json: not valid JSON \("):
        read_json(tmp_path / "a.json")


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_json_does_not_have_are_refused(tmp_path: Path, constant: str) -> None:
    (tmp_path / "a.json").write_text(f'{{"threshold": {constant}}}')
    assert json.loads(f"[{constant}]"), "Python's own reader takes it"
    with pytest.raises(InputError, match=rf"a\.json: not valid JSON \(.*{constant}"):
        read_json(tmp_path / "a.json")


@pytest.mark.parametrize(
    "read",
    [read_json, read_array, read_tensors, read_metadata, lambda p: open_tensors(p).__enter__()],
)
@pytest.mark.parametrize("name", ["absent", "folder"])
def test_missing_files(tmp_path: Path, read: Callable[[Path], Any], name: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match=f"{name}: no such file"):
        read(tmp_path / name)


WRITES = """
import sys
from pathlib import Path
import numpy as np
from amsf.base.errors import InputError
from amsf.base.storage import write_array, write_json, write_tensors

folder = Path(sys.argv[1])
big = np.zeros(2**20)
for write, name in (
    (lambda p: write_array(p, big), "a.npy"),
    (lambda p: write_tensors(p, {"x": big}), "t.safetensors"),
    (lambda p: write_json(p, [0] * 2**20), "j.json"),
):
    try:
        write(folder / name)
    except InputError as error:
        print(error)
    else:
        print("written")
print(sorted(p.name for p in folder.iterdir()))
"""
EXPECTED = ("a.npy", "t.safetensors", "j.json")


def refused(before: str, folder: Path, reason: str) -> None:
    """Run the writes after a shell command; each is refused for that reason, leaving nothing."""
    code = [sys.executable, "-c", WRITES, str(folder)]
    script = f'{before} && exec "$0" "$@"'
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = ["bash", "-c", script, *code]
    if "mount" in before:
        command = ["unshare", "--map-root-user", "--mount", *command]
        if subprocess.run([*command[:3], "true"], capture_output=True).returncode:
            pytest.skip("no user namespaces here, so no small or read-only disk can be mounted")
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    *messages, left = done.stdout.splitlines()
    assert left == "[]"
    for name, message in zip(EXPECTED, messages, strict=True):
        assert message.startswith(f"{folder / name}: could not be written: {reason}")
        assert "run the same command again" in message


def test_a_full_disk(tmp_path: Path) -> None:
    refused(f"mount -t tmpfs -o size=64k tmpfs {tmp_path}", tmp_path, "the disk is full")


def test_a_read_only_disk(tmp_path: Path) -> None:
    mount = f"mount -t tmpfs -o ro tmpfs {tmp_path}"
    refused(mount, tmp_path, "the file system is read-only")


def test_a_limit_of_file_size(tmp_path: Path) -> None:
    limit = "trap '' XFSZ; ulimit -f 64"
    refused(limit, tmp_path, "the file is larger than the system allows")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    with pytest.raises(InputError, match=r"new/x\.json: could not be written.*not allowed"):
        write_json(tmp_path / "new/x.json", 1)


def test_a_refusal_elsewhere_is_not_blamed_on_the_file(tmp_path: Path) -> None:
    with pytest.raises(PermissionError), atomic_path(tmp_path / "a" / "b"):
        raise PermissionError(13, "Permission denied", "/elsewhere/data.npy")


def test_an_old_folder_is_replaced_as_a_whole(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/old").touch()
    with atomic_path(tmp_path / "out") as folder:
        folder.mkdir()
        (folder / "new").touch()
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["new"]
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
