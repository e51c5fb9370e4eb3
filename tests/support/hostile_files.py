"""Gives files made to do harm to every reader, in a process that may take little memory.

``python hostile_files.py FOLDER`` writes them into FOLDER and prints, as JSON on the last line,
which error each met and after how long. Code in a file would make something named ``harmed`` there.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import pickle
import resource
import struct
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import scipy.io
import torch

sys.path.insert(0, str(Path(__file__).parents[2]))

from amsf.base.storage import read_array, read_json, read_metadata, read_tensors
from amsf.dataset.splits import Split, listed_split
from amsf.pack.formats import read_file
from amsf.settings.params import load_params
from amsf.skeleton.recordings import SkeletonSet
from amsf.text.clip_checkpoints import read_checkpoint
from amsf.text.clip_tokens import read_vocabulary
from amsf.text.encoders import load_encoder
from amsf.text.features import import_published
from amsf.text.published import read_published_texts
from amsf.text.record import AnswerRecord
from tests.bad_input.skeletons import NTU, npy
from tests.pack.test_npz import arrays
from tests.support.raw_files import ntu_lines, one_body, walk

SPARE = 400 << 20  # bytes of memory beyond what the imports took
HUGE = 600 << 20  # bytes that the bombs unpack to
Attack = tuple[str, Callable[[], object]]


class Harm:
    """Unpickling it makes the folder ``harmed``."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("harmed",)


def put(name: str, content: bytes | str) -> Path:
    path = Path(name)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def reading(
    read: Callable[[Path], object], name: str, content: bytes | str
) -> Callable[[], object]:
    return lambda: read(put(name, content))


def mapped(path: Path) -> np.ndarray:
    return read_array(path, mmap=True)


def safetensors(header: bytes, length: int | None = None) -> bytes:
    return struct.pack("<Q", len(header) if length is None else length) + header


def pickled_array() -> bytes:
    out = io.BytesIO()
    np.save(out, np.array([Harm()], dtype=object), allow_pickle=True)
    return out.getvalue()


def arrays_of_numbers() -> Iterator[Attack]:
    for how, read in (("read", read_array), ("mapped", mapped)):
        for what, content in {
            "10^12 numbers": npy((10**12,), bytes(64)),
            "10^18 numbers": npy((10**6, 10**6, 10**6), bytes(64)),
            "below zero": npy((-5,), bytes(64)),
            "a header of 4 GiB": b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**32 - 1) + b"{" * 99,
            "a header of brackets": b"\x93NUMPY\x01\x00\xff\xff" + b"(" * 65535,
            "code": pickled_array(),
            "a bare pickle": pickle.dumps(Harm()),
        }.items():
            yield f"npy {how}: {what}", reading(read, "a.npy", content)
    huge = json.dumps({"a": {"dtype": "F32", "shape": [10**12], "data_offsets": [0, 4 * 10**12]}})
    over = json.dumps({"a": {"dtype": "F32", "shape": [2**62, 4], "data_offsets": [0, 0]}})
    for what, content in {
        "a header of 2^60 bytes": safetensors(b"{}", 2**60),
        "a header of 90 MB that is not there": safetensors(b"{}", 90_000_000),
        "10^12 numbers": safetensors(huge.encode()),
        "sizes that overflow": safetensors(over.encode()),
        "a header nested too deeply": safetensors(b'{"a":' * 50_000),
        "a pickle": pickle.dumps(Harm()),
    }.items():
        for read in (read_tensors, read_metadata, SkeletonSet.load):
            name = f"safetensors, {read.__name__}: {what}"
            yield name, reading(read, "a.safetensors", content)


def texts_of_numbers() -> Iterator[Attack]:
    nested, lists = "[" * 200_000, "a: &a [x,x]\n" + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [{','.join([f'*{chr(97 + i)}'] * 9)}]\n" for i in range(9)
    )  # fmt: skip
    yield "JSON nested too deeply", reading(read_json, "a.json", nested)
    yield "JSON split nested too deeply", reading(Split.load, "a.json", nested)
    yield "JSON of a number of 5000 digits", reading(read_json, "a.json", "9" * 5000)
    yield "JSON lines nested too deeply", reading(AnswerRecord, "a.jsonl", nested + "\n")
    yield "YAML nested too deeply", reading(load_params, "p.yaml", f"model: {'[' * 1200}")
    yield "YAML of 9^9 aliases", reading(load_params, "p.yaml", lists)
    code = "benchmarks: !!python/object/apply:os.mkdir [harmed]\n"
    yield "YAML with code", reading(load_params, "p.yaml", code)
    listed: Callable[[Path], object] = lambda path: listed_split(path, "mine", 8, 2)  # noqa: E731
    yield "YAML split of 9^9 aliases", reading(listed, "s.yaml", f"{lists}dataset: mine\n")
    with gzip.open("bpe.gz", "wb", compresslevel=1) as file:
        for _ in range(HUGE >> 24):
            file.write(bytes(1 << 24))
    yield "a gzip bomb for a vocabulary", lambda: read_vocabulary(Path("bpe.gz"))
    lines = ntu_lines(one_body(walk(4, 25)))
    for what, at in (("frames", 0), ("bodies", 1), ("joints", 3)):
        for count in ("1000000000", "999999999", "9" * 6000):
            text = "\n".join([*lines[:at], count, *lines[at + 1 :]])
            yield f"NTU: {count[:10]} {what}", reading(read_file, NTU, text)


def recordings() -> Iterator[Attack]:
    good = {k: v for k, v in arrays().items() if k != "joints"}
    members = {
        "10^12 rows": npy((10**12, 20, 3), bytes(64)),
        "7 GB": npy((15_000_000, 20, 3), bytes(64), "<f8"),
        "code": pickled_array(),
        "a pickle": pickle.dumps(Harm()),
    }
    for what, content in members.items():
        np.savez(f"{what}.npz", **good)  # type: ignore[arg-type]
        with zipfile.ZipFile(f"{what}.npz", "a", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("joints.npy", content)
        yield f"npz: {what}", lambda name=f"{what}.npz": read_file(name)  # type: ignore[misc]
    np.savez("bomb.npz", **good)  # type: ignore[arg-type]
    with (
        zipfile.ZipFile("bomb.npz", "a", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("joints.npy", "w", force_zip64=True) as file,
    ):
        file.write(npy((HUGE // 240, 20, 3), b""))
        for _ in range(HUGE >> 24):
            file.write(bytes(1 << 24))
    yield "npz: 600 MiB out of little", lambda: read_file("bomb.npz")
    scipy.io.savemat("objects.mat", {"d_skel": np.array([[{"a": 1}]], dtype=object)})
    yield "mat: cells", lambda: read_file("objects.mat")
    yield "mat: a pickle", reading(read_file, "p.mat", pickle.dumps(Harm()))
    head = b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM"
    array = struct.pack("<IIII", 6, 8, 6, 0) + struct.pack("<IIiii", 5, 12, 20, 3, 10**8)
    array += bytes(4) + struct.pack("<II6s2x", 1, 6, b"d_skel") + struct.pack("<II", 9, 2**31 - 99)
    claims = head + struct.pack("<II", 14, 2**31 - 8) + array
    yield "mat: 10^8 frames", reading(read_file, "c.mat", claims)


def pickles() -> Iterator[Attack]:
    def read(path: Path) -> object:
        return read_published_texts(path, 3)

    contents = {f"code, protocol {p}": pickle.dumps(["a", Harm()], p) for p in range(6)}
    contents |= {
        "code by INST": b"(S'mkdir harmed'\nios\nsystem\n.",
        "code by STACK_GLOBAL": b"\x80\x04\x8c\x05posix\x8c\x05mkdir\x93\x8c\x06harmed\x85R.",
        "a nested global": pickle.dumps([getattr]),
        "a persistent object": b"\x80\x02U\x01aQ.",
        "a memo of 2^31": b"]r\xff\xff\xff\x7f.",
        "a text of 2^60 bytes": b"\x80\x04\x8d" + struct.pack("<Q", 2**60) + b".",
        "a frame of 2^60 bytes": b"\x80\x04\x95" + struct.pack("<Q", 2**60) + b".",
        "an extension": b"\x80\x02\x82\x01.",
    }
    for what, content in contents.items():
        yield f"pkl: {what}", reading(read, "lb_3.pkl", content)
    yield (
        "published vectors with code",
        reading(
            lambda path: import_published(path.parent, {"lb": "lb"}, 3), "lb_3.npy", pickled_array()
        ),
    )


def checkpoints() -> Iterator[Attack]:
    torch.save({"weight": torch.zeros(3)}, "good.pt")
    torch.save({"weight": Harm()}, "code.pt")
    yield "pt: code", lambda: read_checkpoint(Path("code.pt"))
    yield "pt: a bare pickle", reading(read_checkpoint, "bare.pt", pickle.dumps(Harm(), 2))
    yield "pt: a deep pickle", reading(read_checkpoint, "d.pt", b"\x80\x02" + b"(" * 99999 + b".")
    with zipfile.ZipFile("good.pt") as good:
        records = {name: good.read(name) for name in good.namelist()}
    inner = next(name for name in records if name.endswith("/data.pkl"))
    top = inner.split("/")[0]
    for what, changes in {
        "code in the archive": {inner: pickle.dumps(Harm(), 2)},
        "code in a TorchScript archive": {inner: pickle.dumps(Harm(), 2), f"{top}/code/a.py": b""},
        "names that lead out": {f"../../harmed/{name}": c for name, c in records.items()},
        "2^31 numbers claimed": {inner: records[inner].replace(b"K\x03", b"J\xff\xff\xff\x7f")},
    }.items():
        kept = changes if "../" in next(iter(changes)) else {**records, **changes}
        with zipfile.ZipFile(f"{what}.pt", "w") as archive:
            for name, content in kept.items():
                archive.writestr(name, content)
        yield f"pt: {what}", lambda name=f"{what}.pt": read_checkpoint(Path(name))  # type: ignore[misc]
    with zipfile.ZipFile("bomb.pt", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in records.items():
            if not name.endswith("data/0"):
                archive.writestr(name, content)
        with archive.open(f"{top}/data/0", "w", force_zip64=True) as file:
            for _ in range(HUGE >> 24):
                file.write(bytes(1 << 24))
    yield "pt: 600 MiB out of little", lambda: read_checkpoint(Path("bomb.pt"))
    yield from model_folders()


def model_folders() -> Iterator[Attack]:
    from transformers import CLIPTextConfig

    from amsf.settings.params import Text

    sizes = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1}
    config = CLIPTextConfig(vocab_size=49408, num_attention_heads=2, projection_dim=4, **sizes)

    def attack(what: str, name: str, content: bytes | str) -> Attack:
        folder = Path(what)
        config.save_pretrained(folder)
        (folder / "vocab.json").write_text('{"<|startoftext|>": 0, "<|endoftext|>": 1, "a</w>": 2}')
        (folder / "merges.txt").write_text("#version: 0.2\n")
        put(str(folder / name), content)
        return f"model folder: {what}", lambda: load_encoder(
            Text(encoder="path", checkpoint=str(folder))
        )

    out = io.BytesIO()
    torch.save({"weight": Harm()}, out)
    yield attack("code in the weights", "pytorch_model.bin", out.getvalue())
    yield attack("a header of 2^60", "model.safetensors", safetensors(b"{}", 2**60))
    own = [{"idx": 0, "name": "0", "path": "", "type": "own_code.Evil"}]
    yield attack("code of its own", "modules.json", json.dumps(own))
    put("code of its own/own_code.py", "import os\nos.mkdir('harmed')\n")


def main(folder: Path) -> None:
    os.chdir(folder)
    os.environ["HF_HUB_OFFLINE"] = "1"
    attacks = [
        attack
        for make in (arrays_of_numbers, texts_of_numbers, recordings, pickles, checkpoints)
        for attack in make()
    ]
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + SPARE, taken + SPARE))
    told = {}
    for name, attempt in attacks:
        start, error = time.process_time(), "none: it was accepted"
        try:
            attempt()
        except Exception as caught:
            error = type(caught).__name__
        told[name] = {"error": error, "seconds": round(time.process_time() - start, 2)}
    print(json.dumps(told))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
