"""Bad input: raw recordings, packed sets, and the lists beside them."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import scipy.io
from safetensors.numpy import save_file

from amsf.backbone.roles import assign_roles, refuse_copies
from amsf.dataset.splits import make_split
from amsf.pack.__main__ import main as pack
from amsf.pack.formats import read_file
from amsf.skeleton.partition import training_mask
from amsf.skeleton.recordings import Recording, SkeletonSet
from tests.bad_input.cases import Area, Call, Case, run_cli
from tests.pack.test_npz import arrays
from tests.support.raw_files import ntu_lines, one_body, walk, write_ntu

PREDICT, PACK = "`amsf.predict`", "`python -m amsf.pack`"
NTU = "S001C001P001R001A001.skeleton"
SET = Path("data/external/mine/skeletons.safetensors")


def _file(what: str, name: str, write: Callable[[Path], object]) -> Case:
    """One recording file, as prediction reads it."""

    def make() -> Call:
        write(Path(name))
        return lambda: read_file(name)

    return Case(what, f"{PREDICT}, {PACK}", name, make)


def _ntu(what: str, change: Callable[[list[str]], list[str]]) -> Case:
    """A ``.skeleton`` file of 4 frames: line 4 is the first body's number of joints."""

    def write(path: Path) -> None:
        path.write_text("\n".join(change(ntu_lines(one_body(walk(4, 25))))))

    return _file(what, NTU, write)


def _line(number: int, text: str) -> Callable[[list[str]], list[str]]:
    return lambda lines: [*lines[: number - 1], text, *lines[number:]]


def _mat(what: str, **content: Any) -> Case:
    return _file(what, "a1_s1_t1_skeleton.mat", lambda path: scipy.io.savemat(path, content))


def _npz(what: str, **changes: Any) -> Case:
    """The generic ``.npz`` of two recordings with some arrays replaced (None: left out)."""

    def write(path: Path) -> None:
        content = {k: v for k, v in {**arrays(), **changes}.items() if v is not None}
        np.savez(path, **content)

    return _file(what, "mine.npz", write)


def _npz_member(what: str, name: str, content: bytes) -> Case:
    """The same with one member of the archive written byte by byte."""

    def write(path: Path) -> None:
        np.savez(path, **{k: v for k, v in arrays().items() if f"{k}.npy" != name})
        with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(name, content)

    return _file(what, "mine.npz", write)


def npy(shape: tuple[int, ...], data: bytes, dtype: str = "<f4") -> bytes:
    """A ``.npy`` file whose header claims a shape, whatever data follow."""
    out = io.BytesIO()
    header = {"descr": dtype, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(out, header)
    return out.getvalue() + data


SET_NOTE = {"names": ["a", "b"], "layout": "kinect20", "simulated": False, "dataset": "mine"}


def _columns() -> dict[str, Any]:
    return {
        "joints": walk(10, 20),
        "offset": np.array([0, 4, 10]),
        "persons": np.ones(2, np.int8),
        **{name: np.zeros(2, np.int64) for name in ("label", "subject", "camera", "setup")},
    }


def _far(path: Path) -> None:
    columns = _columns()
    columns["joints"][3, 2, 1] = 3e38
    save_file(columns, path, {"amsf": json.dumps(SET_NOTE)})


def _set(what: str, note: Mapping[str, Any] | None = None, **columns: np.ndarray | None) -> Case:
    """A packed set of two recordings with some arrays or notes replaced (None: left out)."""

    def make() -> Call:
        SET.parent.mkdir(parents=True)
        kept = {k: v for k, v in {**_columns(), **columns}.items() if v is not None}
        save_file(kept, SET, {"amsf": json.dumps({**SET_NOTE, **(note or {})})})
        return lambda: SkeletonSet.load(SET)

    return Case(what, "`stages.backbone`, `amsf.predict`", str(SET), make)


def _pack(what: str, names: str, prepare: Callable[[], object], *words: str) -> Case:
    def make() -> Call:
        Path("raw").mkdir()
        prepare()
        return run_cli(pack, "raw", "--out", "packed", "--jobs", 1, *words)

    return Case(what, PACK, names, make)


def _raw(name: str, content: str = "") -> Callable[[], object]:
    return lambda: Path("raw", name).write_text(content)


def _listed(content: bytes) -> Callable[[], object]:
    def prepare() -> None:
        write_ntu(Path("raw", NTU), one_body(walk(4, 25)))
        Path("missing.txt").write_bytes(content)

    return prepare


def _from_1() -> None:
    np.savez("raw/mine.npz", **(arrays() | {"label": np.array([1, 2])}))
    Path("data/classes").mkdir(parents=True)
    Path("data/classes/packed.csv").write_text("id,label,persons\n0,hop,1\n1,wave,1\n")


def _file_for_folder() -> None:
    np.savez("raw/mine.npz", **arrays())
    Path("packed").touch()


def _recordings(dataset: str = "mine", **numbers: list[int]) -> SkeletonSet:
    rows = [dict(zip(numbers, values)) for values in zip(*numbers.values())]
    made = [Recording(walk(3, 25, seed=i)[None], f"r{i}", **row) for i, row in enumerate(rows)]
    return SkeletonSet.from_recordings(made, layout="kinect25", dataset=dataset)


def _own_layout() -> None:
    Path("data/layouts").mkdir(parents=True)
    text = "joints: {hip: neck, neck: hip}\nspine: [hip, neck]\n"
    Path("data/layouts/mine.yaml").write_text(text)


def _partition(what: str, names: str, content: str | None, partition: str = "subject") -> Case:
    """Two recordings of subjects 1 and 2, and a list of the training subjects."""

    def make() -> Call:
        if content is not None:
            Path("train_subjects.txt").write_text(content)
        recordings = _recordings(label=[0, 1], subject=[1, 2])
        return lambda: training_mask(recordings, partition, Path())

    return Case(what, "`stages.backbone`", names, make)


def _roles(what: str, names: str, labels: list[int], dataset: str = "mine") -> Case:
    """Recordings for a split of 4 classes, 3 unseen; all of them train."""

    def make() -> Call:
        split = make_split("mine", 4, [3], [2], kind="listed", where="")
        recordings = _recordings(dataset, label=labels, subject=[1] * len(labels))
        return lambda: assign_roles(recordings, np.ones(len(labels), bool), split, 0)

    return Case(what, "`stages.backbone`", names, make)


def _copies() -> Call:
    twice = [Recording(walk(3, 25)[None], name, 0) for name in ("a", "b")]
    recordings = SkeletonSet.from_recordings(twice, layout="kinect25", dataset="mine")
    return lambda: refuse_copies(recordings, np.array([True, False]))


ONES = np.ones((20, 3, 4))
BOMB = npy((2_000_000, 20, 3), bytes(480_000_000 // 4))
FILES = Area(
    "Recordings",
    [
        _file("no such file", "gone.mat", lambda path: None),
        _file("a folder for a file", "folder.npz", lambda path: path.mkdir()),
        _file("a kind of file that no reader takes", "clip.c3d", lambda path: path.touch()),
        _file("a video without a pose model", "clip.mp4", lambda path: path.touch()),
        _ntu("NTU: empty", lambda lines: []),
        _ntu("NTU: cut short", lambda lines: lines[:50]),
        _ntu("NTU: more lines than frames", lambda lines: [*lines, "1"]),
        _ntu("NTU: a word for a count", _line(1, "four")),
        _ntu("NTU: 10^9 frames claimed", _line(1, "1000000000")),
        _ntu("NTU: 99999999 frames claimed", _line(1, "99999999")),
        _ntu("NTU: 10^9 bodies claimed", _line(2, "1000000000")),
        _ntu("NTU: 24 joints", _line(4, "24")),
        _ntu("NTU: a count of 5000 digits", _line(1, "9" * 5000)),
        _ntu("NTU: a coordinate that is no number", _line(7, "0.1 x.2 3 0 0 0 0 0 0 0 0 2")),
        _ntu("NTU: infinity", _line(7, "0.1 inf 3 0 0 0 0 0 0 0 0 2")),
        _file("NTU: text of two bytes a character", NTU,
              lambda path: path.write_text("1\n1\n", encoding="utf-16-le")),
        _ntu("NTU: a coordinate beyond any room", _line(7, "0.1 1e30 3 0 0 0 0 0 0 0 0 2")),
        _ntu("NTU: a value missing", _line(8, "0.1 0.2 3 0 0 0 0 0 0 0 2")),
        _ntu("NTU: no body in any frame", lambda lines: ["2", "0", "0"]),
        _file("UTD: not a .mat file", "a1_s1_t1_skeleton.mat",
              lambda path: path.write_bytes(pickle.dumps([1]))),
        _file("UTD: MATLAB 7.3", "a1_s1_t1_skeleton.mat",
              lambda path: path.write_bytes(
                  b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM" + bytes(400))),
        _mat("UTD: another array", other=ONES),
        _mat("UTD: 25 joints", d_skel=np.ones((25, 3, 4))),
        _mat("UTD: cells for numbers", d_skel=np.array([[{}]], dtype=object)),
        _mat("UTD: complex numbers", d_skel=ONES * 1j),
        _mat("UTD: NaN", d_skel=ONES * np.nan),
        _mat("UTD: zeros alone", d_skel=ONES * 0),
        _mat("UTD: a coordinate beyond float32", d_skel=ONES * 1e300),
        _file("PKU: empty", "0001-L.txt", lambda path: path.touch()),
        _file("PKU: another number of columns", "0001-L.txt",
              lambda path: path.write_text("1 2 3\n")),
        _file("PKU: words", "0001-L.txt", lambda path: path.write_text("a " * 150)),
        _file("PKU: NaN", "0001-L.txt", lambda path: path.write_text("nan " * 150)),
        _file("npz: not an archive", "mine.npz", lambda path: path.write_bytes(b"PK")),
        _file("npz: a single array", "mine.npz",
              lambda path: path.write_bytes(npy((1,), bytes(4)))),
        _npz("npz: an array missing", joints=None),
        _npz("npz: Python objects", names=np.array(["a", 3], dtype=object)),
        _npz("npz: numbers for names", names=np.array([1, 2])),
        _npz("npz: an empty name", names=np.array(["a", " "])),
        _npz("npz: control characters in a name", names=np.array(["a", "b\x1b[2J\n"])),
        _npz("npz: unknown joints", joint_names=np.array(["nose"] * 20)),
        _npz("npz: offsets beyond the rows", offset=np.array([0, 4, 11])),
        _npz("npz: offsets that fall", offset=np.array([0, 12, 10])),
        _npz("npz: offsets that are fractions", offset=np.array([0.0, 4, 10])),
        _npz("npz: labels of another number", label=np.array([1])),
        _npz("npz: a label below -1", label=np.array([0, -2])),
        _npz("npz: a label beyond 2^31", label=np.array([2**63 + 1, 0], np.uint64)),
        _npz("npz: three persons", persons=np.array([1, 3])),
        _npz("npz: z up in a recording or two", joints=arrays()["joints"][..., [0, 2, 1]]),
        _npz("npz: upside down, in poses that do not show their sides",
             joints=arrays()["joints"] * [1, -1, 0] + [0, 0, 3]),
        _npz("npz: kilometres", joints=arrays()["joints"] / 1000),
        _npz("npz: flat poses", joints=arrays()["joints"] * [1, 1, 0]),
        _npz("npz: a coordinate beyond any room",
             joints=np.where(np.arange(10)[:, None, None] == 2, 1e30, arrays()["joints"])),
        _npz("npz: a joint that is nowhere",
             joints=np.where(np.arange(20)[None, :, None] == 7, np.nan, arrays()["joints"])),
        _npz("npz: nobody in a recording",
             joints=np.where(np.arange(10)[:, None, None] < 4, 0, arrays()["joints"])),
        _npz("npz: infinity", joints=np.where(np.arange(10)[:, None, None] == 2, np.inf,
                                              arrays()["joints"])),
        _file("a packed set: a coordinate beyond any room", "far.safetensors", _far),
        _file("pickle: a program", "mine.pkl",
              lambda path: path.write_bytes(b"cos\nsystem\n(S'true'\ntR.")),
        _file("pickle: an array without persons", "mine.pkl", lambda path: path.write_bytes(
            pickle.dumps([{"frame_dir": "wave", "label": 0, "keypoint": ONES}]))),
        _file("CTR-GCN: another number of values", "mine.npz",
              lambda path: np.savez(path, x_train=np.ones((2, 300, 149)), y_train=np.ones(2))),
        _file("ST-GCN: another number of axes", "val_data.npy", lambda path: np.save(path, ONES)),
        _file("BVH: cut short", "walk.bvh", lambda path: path.write_text(
            "HIERARCHY\nROOT Hips\n{\nOFFSET 0 0 0\nCHANNELS 3 Zrotation Xrotation Yrotation\n}\n"
            "MOTION\nFrames: 2\nFrame Time: 0.03\n0 0 0\n0 0\n")),
        _file("BVH: joints of no known rig", "walk.bvh", lambda path: path.write_text(
            "HIERARCHY\nROOT Box\n{\nOFFSET 0 0 0\nCHANNELS 3 Zrotation Xrotation Yrotation\n}\n"
            "MOTION\nFrames: 1\nFrame Time: 0.03\n0 0 0\n")),
        _file("CSV: other columns", "mine.csv", lambda path: path.write_text("time,x,y\n0,1,2\n")),
        _file("CSV: a word for a number", "mine.csv",
              lambda path: path.write_text("frame,joint,x,y,z\n0,head,1,two,3\n")),
        _file("JSON: of no known form", "mine.json", lambda path: path.write_text("{}")),
        _file("OpenPose: no joints", "clip_000000000000_keypoints.json",
              lambda path: path.write_text('{"people": [{}]}')),
        _file("MSR-Action3D: cut short", "a01_s01_e01_skeleton3D.txt",
              lambda path: path.write_text("1 2 3 1\n" * 19)),
        _npz_member("npz: a header that claims 10^12 rows", "joints.npy",
                    npy((10**12, 20, 3), bytes(64))),
        _npz_member("npz: 114 MiB out of 0.1 MiB", "joints.npy", BOMB),
        _npz_member("npz: a member that is no array", "label.npy", b"hello"),
    ],
)  # fmt: skip

SETS = Area(
    "Packed recordings, and who trains",
    [
        _pack("a folder without recordings", "raw", _raw("readme.md"), "--format", "utd27"),
        _pack("no file that can be used", "raw", _raw(NTU), "--format", "ntu60"),
        _pack("a dataset's name that leads elsewhere", "'../x'", _raw("a.npz"), "--format",
              "npz", "--dataset", "../x"),
        _pack("a dataset's name for a dataset's format", "utd27", _raw("a.mat"), "--format",
              "utd27", "--dataset", "mine"),
        _pack("no list of samples to leave out", "missing.txt", _raw(NTU), "--format", "ntu60",
              "--missing", "missing.txt"),
        _pack("a list of samples that are not there", "missing.txt",
              _listed(b"S009C001P001R001A001\n"), "--format", "ntu60", "--missing",
              "missing.txt"),
        _pack("a list of samples in UTF-16", "missing.txt", _listed("S001".encode("utf-16")),
              "--format", "ntu60", "--missing", "missing.txt"),
        _pack("labels that count from 1", "label 2", _from_1, "--format", "npz"),
        _pack("a file where the set's folder would be", "packed", _file_for_folder, "--format",
              "npz"),
        _pack("a video without its labels", "raw", _raw("0001-L.txt"), "--format", "pku51"),
        _pack("a unit that is none", "--unit", _raw("a.npz"), "--format", "npz", "--unit", "miles"),
        _pack("a layout that is not there", "kinect99", _raw("a.npz"), "--format", "npz",
              "--layout", "kinect99"),
        _pack("a layout whose joints are no tree", "data/layouts/mine.yaml", _own_layout,
              "--format", "npz", "--layout", "mine"),
        _set("a set without an array", label=None),
        _set("another safetensors file", note={"size": 3}),
        _set("an unknown layout", note={"layout": "kinect99"}),
        _set("joints of another layout", note={"layout": "kinect25"}),
        _set("names of another number", note={"names": ["a"]}),
        _set("a name twice", note={"names": ["a", "a"]}),
        _set("names that are no text", note={"names": ["a", 3]}),
        _set("a number for the dataset's name", note={"dataset": 3}),
        _set("words for a truth value", note={"simulated": "no"}),
        _set("joints of double precision", joints=walk(10, 20).astype(np.float64)),
        _set("offsets that do not end with the rows", offset=np.array([0, 4, 9])),
        _set("offsets that fall", offset=np.array([0, 12, 10])),
        _set("three persons", persons=np.array([1, 3], np.int8)),
        _set("a label below -1", label=np.array([0, -2])),
        _partition("no list of training subjects", "train_subjects.txt", None),
        _partition("an empty list of training subjects", "train_subjects.txt", "# none\n"),
        _partition("subjects and names in one list", "train_subjects.txt", "1 r0\n"),
        _partition("a list that leaves no test recording", "train_subjects.txt", "1 2\n"),
        _partition("a partition that the dataset has not", "partition 'setup'", None, "setup"),
        _roles("recordings of another dataset", "'utd27'", [0, 1, 2, 3], "utd27"),
        _roles("a recording without a label", "'r1'", [0, -1, 2, 3]),
        _roles("a label beyond the dataset", "'r3'", [0, 1, 2, 4]),
        _roles("a seen class without a training recording", "classes 1", [0, 0, 2, 3]),
        Case("a training recording among those of the test", "`stages.backbone`", "'a' and 'b'",
             _copies),
    ],
)  # fmt: skip
