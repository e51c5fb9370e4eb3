"""Readers of the formats that people have, on files written to the formats' descriptions."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from amsf.base.errors import InputError
from amsf.base.pickles import read_pickle
from amsf.pack.base import SDK_ORDER, Outcome
from amsf.pack.formats import find_source, read_any, read_source
from amsf.skeleton.cleaning import MIRRORED, NOTHING, TWO_D, UNSEEN, Stated
from amsf.skeleton.joints import LAYOUTS, layout_of
from tests.support.raw_files import moving

FLAT = Stated(flat=True)


def outcomes(source: Path, form: str, stated: Stated = NOTHING) -> list[Outcome]:
    tasks, _ = find_source(source, form)
    found = [outcome for _, outcome in read_source(tasks, form, 1, stated)]
    assert all(isinstance(outcome, Outcome) for outcome in found), found
    return [outcome for outcome in found if isinstance(outcome, Outcome)]


def by_name(source: Path, form: str, stated: Stated = NOTHING) -> dict[str, tuple[int, np.ndarray]]:
    found = outcomes(source, form, stated)
    assert all(not outcome.left_out for outcome in found), found
    return {r.name: (r.label, r.joints) for outcome in found for r in outcome.recordings}


def picture(joints: np.ndarray) -> np.ndarray:
    """(T, J, 3) metres as (T, J, 2) places in a picture: the person's right is on the left."""
    return np.stack([320 - 200 * joints[..., 0], 240 - 200 * joints[..., 1]], -1)


def same_picture(found: np.ndarray, joints: np.ndarray) -> None:
    """Whether (T, J, 3) joints are those of someone up to place and size, without depth."""
    assert np.abs(found[..., 2]).max() == 0
    a, b = (j[..., :2] - j[..., :2].mean((0, 1)) for j in (found, joints.astype(float)))
    np.testing.assert_allclose(a / a.std(), b / b.std(), atol=2e-3)


# A plain table


def table(path: Path, joints: np.ndarray, names: list[str], **columns: object) -> list[str]:
    lines = [",".join(["frame", "joint", *"xyz"[: joints.shape[2]], *columns])]
    for frame, pose in enumerate(joints):
        for name, place in zip(names, pose):
            lines.append(",".join([f"{frame}", name, *map(repr, place.tolist()),
                                   *map(str, columns.values())]))  # fmt: skip
    path.write_text("\n".join(lines) + "\n")
    return lines


def test_a_plain_table(tmp_path: Path) -> None:
    joints = moving("kinect20", 6)
    names = [name.title().replace("_", "") for name in layout_of("kinect20").joints]
    table(tmp_path / "wave.csv", joints, names, label=3, subject=2)
    (outcome,) = outcomes(tmp_path, "csv")
    (recording,) = outcome.recordings
    assert (outcome.layout, recording.name) == ("kinect20", "wave")
    assert (recording.label, recording.subject) == (3, 2)
    np.testing.assert_array_equal(recording.joints[0], joints)
    assert outcome.mended == []


def test_a_table_of_several_recordings_persons_and_lost_joints(tmp_path: Path) -> None:
    joints, other = moving("kinect25", 6), moving("kinect25", 6, seed=2)
    numbers = [str(i) for i in range(25)]
    first = table(tmp_path / "a.csv", joints, numbers, recording="one", person="A")
    second = table(tmp_path / "a.csv", other, numbers, recording="one", person="B")
    third = table(tmp_path / "a.csv", joints, numbers, recording="two", person="A")
    third[1 + 2 * 25 + 7] = "2,7,,,,two,A"  # a lost left hand
    (tmp_path / "a.csv").write_text("\n".join(first + second[1:] + third[1:]))
    found = by_name(tmp_path, "csv")
    assert {name: joints.shape[0] for name, (_, joints) in found.items()} == {"one": 2, "two": 1}
    np.testing.assert_array_equal(found["two"][1][0, :2], joints[:2])
    assert 0 < np.abs(found["two"][1][0, 2, 7] - joints[2, 7]).max() < 0.1


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("0,head,1,2,nothing", "line 2: z is 'nothing', no number"),
        ("half,head,1,2,3", "line 2: frame is 'half', no number"),
        ("0.5,head,1,2,3", "line 2: frame is '0.5', no whole number"),
        ("0,trunk,1,2,3", "no known layout has these 21 joint names"),
        ("0,neck,1,2", "line 2 has 4 cells, the header 5"),
        ("1,head,1,2,3", "frame 1 has joint head twice"),
    ],
)
def test_what_is_wrong_in_a_table_is_told(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "a.csv"
    lines = table(path, moving("kinect20", 3), list(layout_of("kinect20").joints))
    path.write_text("\n".join([lines[0], line, *lines[2:]]))
    with pytest.raises(InputError, match=rf"a\.csv: .*{message}"):
        read_any(path)


# Pickles


def annotation(name: str, label: int, keypoint: np.ndarray, **more: object) -> dict[str, object]:
    shape = {"img_shape": (480, 640), "original_shape": (480, 640)}
    frames = {"total_frames": keypoint.shape[1], "frame_dir": name, "label": label}
    return {**frames, **shape, "keypoint": keypoint, **more}


@pytest.mark.parametrize("protocol", range(6))
def test_a_pickle_of_pyskl(tmp_path: Path, protocol: int) -> None:
    bodies = np.stack([moving("kinect25", 8, seed=i) for i in range(2)])
    padded = np.concatenate([bodies[:1], np.zeros_like(bodies[:1])])
    items = [
        annotation("S001C002P003R001A005", 4, bodies),
        annotation("S001C002P004R001A006", np.int64(5), padded.astype(np.float16)),
    ]
    split = {"xsub_train": ["S001C002P003R001A005"], "xsub_val": ["S001C002P004R001A006"]}
    path = tmp_path / "ntu60_3d.pkl"
    path.write_bytes(pickle.dumps({"split": split, "annotations": items}, protocol))
    (outcome,) = outcomes(tmp_path, "pyskl")
    assert (outcome.layout, outcome.train) == ("kinect25", ("S001C002P003R001A005",))
    first, second = outcome.recordings
    assert (first.label, first.subject, first.camera, second.label) == (4, 3, 2, 5)
    assert sorted(map(tuple, first.joints[:, 0, 0])) == sorted(map(tuple, bodies[:, 0, 0]))
    np.testing.assert_array_equal(second.joints[0], bodies[0].astype(np.float16))


def test_a_pickle_of_2d_poses_is_taken_if_asked(tmp_path: Path) -> None:
    joints = moving("coco17", 10)
    flat = picture(joints[:, :17])[None].astype(np.float32)
    score = np.ones(flat.shape[:3], np.float32)
    score[0, 4, 9] = 0  # a left wrist that was not found
    path = tmp_path / "clips.pkl"
    path.write_bytes(pickle.dumps([annotation("a", 0, flat, keypoint_score=score)]))
    (left,) = read_any(path).left_out
    assert "the poses are flat" in left.reason
    assert "take them without depth (--flat)" in left.reason
    outcome = read_any(path, FLAT)
    assert outcome.layout == "coco17"
    assert TWO_D in {item.what for item in outcome.mended}
    found = outcome.recordings[0].joints[0]
    keep = np.ones(10, bool)
    keep[4] = False
    same_picture(found[keep], joints[keep])
    spine = np.linalg.norm(found[:, 18] - found[:, 17], axis=-1)
    assert np.median(spine) == pytest.approx(0.5, abs=0.01)


class Calls:
    def __reduce__(self):
        return (print, ("run",))


class Opens:
    def __reduce__(self):
        return (open, ("made-by-a-pickle", "w"))


@pytest.mark.parametrize("hostile", [Calls(), Opens(), np.array([Calls()]), Path("a"), np.ndarray])
def test_a_pickle_runs_nothing(tmp_path: Path, hostile: object, capsys, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "hostile.pkl"
    for protocol in range(6):
        path.write_bytes(pickle.dumps({"annotations": [hostile]}, protocol))
        with pytest.raises(
            InputError, match=r"hostile\.pkl: (the pickle names |not a readable|no l)"
        ):
            read_any(path)
    assert capsys.readouterr().out == ""
    assert [p.name for p in tmp_path.iterdir()] == ["hostile.pkl"]


@pytest.mark.parametrize("protocol", range(6))
def test_arrays_of_a_pickle_are_as_they_were(tmp_path: Path, protocol: int) -> None:
    rng = np.random.default_rng(0)
    content = {
        "floats": rng.normal(size=(2, 3, 4)).astype(">f4"),
        "columns": np.asfortranarray(rng.normal(size=(3, 5))),
        "halves": rng.normal(size=7).astype(np.float16),
        "texts": np.array(["a", "bcd"]),
        "number": np.int64(7),
        "plain": [1, 2.5, "x", None, True, (1, b"2"), {"a": [1]}],
    }
    path = tmp_path / "a.pkl"
    path.write_bytes(pickle.dumps(content, protocol))
    found = read_pickle(path)
    assert found["plain"] == content["plain"]
    for key in ("floats", "columns", "halves", "texts", "number"):
        np.testing.assert_array_equal(found[key], content[key])
        assert found[key].dtype.newbyteorder("=") == content[key].dtype.newbyteorder("=")


@pytest.mark.parametrize("content", [b"", b"\x80\x05", b"cos\nsystem\n(S'true'\ntR.", b"text"])
def test_a_damaged_pickle_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.pkl"
    path.write_bytes(content)
    with pytest.raises(
        InputError, match=r"a\.pkl: (not a readable pickle|the pickle names os\.sys)"
    ):
        read_any(path)


# Arrays of training scripts


def test_arrays_of_ctr_gcn(tmp_path: Path) -> None:
    bodies = np.stack([moving("kinect25", 40, seed=i) for i in range(3)])
    x = np.zeros((3, 300, 2, 25, 3), np.float32)
    x[:, :40, 0] = bodies
    x[2, :40, 1] = moving("kinect25", 40, seed=7)
    x = x.reshape(3, 300, 150)
    y = np.eye(60)[[5, 0, 59]]
    np.savez(tmp_path / "NTU60_CS.npz", x_train=x[:2], y_train=y[:2], x_test=x[2:], y_test=y[2:])
    found = by_name(tmp_path, "ctrgcn")
    assert {name: label for name, (label, _) in found.items()} == {
        "train_000000": 5, "train_000001": 0, "test_000000": 59,
    }  # fmt: skip
    np.testing.assert_array_equal(found["train_000001"][1], bodies[1:2])
    assert found["test_000000"][1].shape == (2, 40, 25, 3)
    assert read_any(tmp_path / "NTU60_CS.npz").train == ("train_000000", "train_000001")


@pytest.mark.parametrize("kind", ["pkl", "json"])
def test_arrays_of_st_gcn(tmp_path: Path, kind: str) -> None:
    bodies = np.stack([moving("kinect25", 30, seed=i) for i in range(2)])
    data = np.zeros((2, 3, 300, 25, 2), np.float32)
    data[:, :, :30, :, 0] = bodies.transpose(0, 3, 1, 2)
    np.save(tmp_path / "val_data_joint.npy", data)
    labels = (["S001C001P001R001A009.skeleton", "b.skeleton"], [8, 2])
    content = pickle.dumps(labels) if kind == "pkl" else json.dumps(labels).encode()
    (tmp_path / f"val_label.{kind}").write_bytes(content)
    found = by_name(tmp_path, "stgcn")
    assert {name: label for name, (label, _) in found.items()} == {
        "S001C001P001R001A009": 8, "b": 2,
    }  # fmt: skip
    np.testing.assert_array_equal(found["b"][1], bodies[1:])
    (tmp_path / f"val_label.{kind}").write_bytes(
        pickle.dumps((["a"], [1])) if kind == "pkl" else b'[["a"], [1]]'
    )
    tasks, _ = find_source(tmp_path, "stgcn")
    ((_, outcome),) = read_source(tasks, "stgcn", 1)
    assert "1 name and 1 label; expected 2 of each" in str(outcome)


def test_an_array_of_objects_is_not_unpickled(tmp_path: Path) -> None:
    np.save(tmp_path / "val_data.npy", np.array([Calls()], object), allow_pickle=True)
    with pytest.raises(InputError, match=r"val_data\.npy: not a readable \.npy file"):
        read_any(tmp_path / "val_data.npy")


# Frames in JSON


def people(*poses: np.ndarray) -> dict[str, Any]:
    rows = [np.column_stack([pose, np.full(len(pose), 0.9)]).ravel().tolist() for pose in poses]
    return {
        "version": 1.3,
        "people": [{"person_id": [-1], "pose_keypoints_2d": row} for row in rows],
    }


def test_frames_of_openpose(tmp_path: Path) -> None:
    first, second = moving("body25", 12), moving("body25", 12, seed=3)
    second[..., 0] += 1.5
    folder = tmp_path / "wave/clip"
    folder.mkdir(parents=True)
    for t in range(12):
        pair = [picture(first[t]), picture(second[t])]
        content = people(*(pair if t % 2 else pair[::-1]))  # in any order
        (folder / f"clip_{t:012d}_keypoints.json").write_text(json.dumps(content))
    ((name, (label, joints)),) = by_name(tmp_path, "openpose", FLAT).items()
    assert (name, label, joints.shape) == ("clip", -1, (2, 12, 25, 3))
    assert read_any(folder, FLAT).layout == "body25"
    left, right = sorted(joints, key=lambda body: body[..., 0].mean())
    same_picture(left, first)
    same_picture(right, second)


def test_ears_and_toes_that_a_camera_never_saw(tmp_path: Path) -> None:
    joints = moving("body25", 6)
    layout = layout_of("body25")
    hidden = [layout.index(name) for name in ("right_eye", "right_ear", "left_small_toe")]
    for t in range(6):
        content = people(picture(joints[t]))
        for at in hidden:
            content["people"][0]["pose_keypoints_2d"][3 * at + 2] = 0.0
        (tmp_path / f"c_{t:012d}_keypoints.json").write_text(json.dumps(content))
    outcome = read_any(tmp_path, FLAT)
    assert {item.what for item in outcome.mended} == {TWO_D, UNSEEN, "-y up turned to y up"}
    found = outcome.recordings[0].joints[0]
    parents = [layout.index(name) for name in ("nose", "nose", "left_ankle")]
    np.testing.assert_array_equal(found[:, hidden], found[:, parents])
    seen = [i for i in range(25) if i not in hidden]
    same_picture(found[:, seen], joints[:, seen])


def test_a_recording_of_kinetics_skeleton(tmp_path: Path) -> None:
    joints = moving("openpose18", 9)
    places = picture(joints[:, :18]) / [340, 256] * 0.5
    data = []
    for t, place in enumerate(places):
        one = {"pose": place.ravel().tolist(), "score": [0.8] * 18}
        data.append({"frame_index": t + 1, "skeleton": [one] if t != 4 else []})
    content = {"data": data, "label": "abseiling", "label_index": 7}
    (tmp_path / "-3nJ2.json").write_text(json.dumps(content))
    ((name, (label, found)),) = by_name(tmp_path, "kinetics", FLAT).items()
    assert (name, label) == ("-3nJ2", 7)
    keep = np.arange(9) != 4
    same_picture(found[0, keep], joints[keep])


def world(joints: np.ndarray) -> np.ndarray:
    """Metres from the hips, y down, x to the picture's right, z away: MediaPipe's world."""
    return (joints[:, :33] - joints[:, -4:-3]) * [-1, -1, 1]


@pytest.mark.parametrize("kind", ["csv", "csv with header", "json", "json of dicts"])
def test_landmarks_of_mediapipe(tmp_path: Path, kind: str) -> None:
    joints = moving("mediapipe33", 10)
    landmarks = world(joints)
    seen = np.concatenate([landmarks, np.full((10, 33, 1), 0.9)], -1)
    path = tmp_path / f"clip.{kind[:4].strip()}"
    if kind.startswith("csv"):
        rows = [f"frame{t}," + ",".join(map(repr, seen[t].ravel().tolist())) for t in range(10)]
        header = ["name," + ",".join(f"{a}{i}" for i in range(33) for a in "xyzv")]
        path.write_text("\n".join((header if "header" in kind else []) + rows))
    elif kind == "json":
        path.write_text(json.dumps(landmarks.tolist()))
    else:
        entry = [[dict(zip("xyz", place)) for place in pose] for pose in landmarks.tolist()]
        path.write_text(json.dumps({"frames": [{"pose_world_landmarks": [e]} for e in entry]}))
    outcome = read_any(path)
    (recording,) = outcome.recordings
    assert outcome.layout == "mediapipe33"
    assert {item.what for item in outcome.mended} == {"-y up turned to y up"}
    # A half turn about the vertical, without a mirror.
    expected = (joints - joints[:, -4:-3]) * [-1, 1, -1]
    np.testing.assert_allclose(recording.joints[0], expected, atol=1e-6)


# Datasets of Kinect v1


def sdk(joints: np.ndarray) -> np.ndarray:
    return joints[:, [layout_of("kinect20").index(name) for name in SDK_ORDER]]


def test_files_of_utkinect(tmp_path: Path) -> None:
    joints = moving("kinect20", 30)
    rows = [[i + 100, *pose.ravel()] for i, pose in enumerate(sdk(joints))]
    rows.insert(5, rows[5])  # frames may stand there twice
    (tmp_path / "joints").mkdir()
    np.savetxt(tmp_path / "joints/joints_s03_e02.txt", rows, fmt="%.9g")
    (tmp_path / "actionLabel.txt").write_text(
        "s01_e01\nwalk: 1 2\ns03_e02\nwalk: 100 109\nsitDown: 110 119\ncarry: NaN NaN\n"
        "clapHands: 125 140\n"
    )
    found = by_name(tmp_path, "utkinect")
    assert {name: label for name, (label, _) in found.items()} == {
        "walk_s03_e02": 0, "sitDown_s03_e02": 1, "clapHands_s03_e02": 9,
    }  # fmt: skip
    np.testing.assert_allclose(found["walk_s03_e02"][1][0], joints[:10], atol=1e-6)
    np.testing.assert_allclose(found["clapHands_s03_e02"][1][0], joints[25:], atol=1e-6)
    assert read_any(tmp_path / "joints/joints_s03_e02.txt").recordings[0].subject == 3


# Wanqing Li et al. 2010 draw joints by number, from 1: head 20, hip centre 7, right hand 12.
MSR = {"head": 20, "hip_center": 7, "right_hand": 12, "left_hand": 13, "shoulder_center": 3,
       "spine": 4, "right_shoulder": 1, "left_shoulder": 2, "right_foot": 18, "left_knee": 15,
       "right_hip": 5, "left_hip": 6, "right_elbow": 8, "left_elbow": 9, "right_wrist": 10,
       "left_wrist": 11, "right_knee": 14, "right_ankle": 16, "left_ankle": 17,
       "left_foot": 19}  # fmt: skip


def test_files_of_msr_action3d(tmp_path: Path) -> None:
    joints = moving("kinect20", 7)
    order = sorted(MSR, key=MSR.__getitem__)
    rows = joints[:, [layout_of("kinect20").index(name) for name in order]]
    table = np.concatenate([rows, np.ones((7, 20, 1))], -1).reshape(-1, 4)
    np.savetxt(tmp_path / "a07_s03_e01_skeleton3D.txt", table, fmt="%.9g")
    (tmp_path / "a07_s03_e01_skeleton.txt").write_text("1 2 3 4\n")
    tasks, left_out = find_source(tmp_path, "msr")
    assert [item.file.name for item in left_out] == ["a07_s03_e01_skeleton.txt"]
    (outcome,) = outcomes(tmp_path, "msr")
    (recording,) = outcome.recordings
    assert (recording.name, recording.label, recording.subject) == ("a07_s03_e01", 6, 3)
    np.testing.assert_allclose(recording.joints[0], joints, atol=1e-6)
    assert len(tasks) == 1


def test_files_of_nw_ucla(tmp_path: Path) -> None:
    joints = moving("kinect20", 7)
    content = {"file_name": "a01_s02_e03_v03", "skeletons": sdk(joints).tolist(), "label": 10}
    (tmp_path / "a12_s02_e03_v03.json").write_text(json.dumps(content))
    (outcome,) = outcomes(tmp_path, "ucla")
    (recording,) = outcome.recordings
    assert (recording.label, recording.subject, recording.camera) == (9, 2, 3)
    np.testing.assert_array_equal(recording.joints[0], joints)


# What files do not say


def test_what_files_do_not_say_can_be_stated(tmp_path: Path) -> None:
    joints = moving("kinect20", 6).astype(np.float64)
    names = list(layout_of("kinect20").joints)
    table(tmp_path / "a.csv", joints / 0.0254, names)
    inches = read_any(tmp_path / "a.csv", Stated(unit=0.0254))
    np.testing.assert_allclose(inches.recordings[0].joints[0], joints, atol=1e-5)
    assert {item.what for item in inches.mended} == {
        "units of 0.0254 m turned into metres, as stated"
    }
    table(tmp_path / "a.csv", joints, [str(i) for i in range(20)])
    own_order = read_any(tmp_path / "a.csv", Stated(layout="kinect20"))
    np.testing.assert_allclose(own_order.recordings[0].joints[0], joints, atol=1e-6)
    swapped = read_any(tmp_path / "a.csv", Stated(layout="kinect20", mirror=True))
    np.testing.assert_allclose(swapped.recordings[0].joints[0], joints * [-1, 1, 1], atol=1e-6)
    assert {item.what for item in swapped.mended} == {MIRRORED}


def test_swapped_sides_are_seen_in_several_recordings(tmp_path: Path) -> None:
    names = list(layout_of("kinect20").joints)
    lines: list[str] = []
    for i in range(3):
        body = moving("kinect20", 6, seed=i) * np.array([-1, 1, 1], np.float32)
        lines += table(tmp_path / "a.csv", body, names, recording=f"r{i}")[bool(i) :]
    (tmp_path / "a.csv").write_text("\n".join(lines))
    outcome = read_any(tmp_path / "a.csv")
    assert {item.what for item in outcome.mended} == {MIRRORED}
    for i, recording in enumerate(outcome.recordings):
        np.testing.assert_array_equal(recording.joints[0], moving("kinect20", 6, seed=i))
    assert read_any(tmp_path / "a.csv", Stated(mirror=False)).mended == []


def test_joints_without_names_and_a_usual_number_are_told(tmp_path: Path) -> None:
    np.save(tmp_path / "val_data.npy", np.ones((1, 3, 5, 14, 1)))
    with pytest.raises(InputError, match=r"14 joints of 3 coordinates without names.*--layout"):
        read_any(tmp_path / "val_data.npy")
    assert 14 not in {len(layout) for layout in LAYOUTS.values()}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.json", "{}", "what is in it is of no known form; expected VIDEO_"),
        ("a.json", "[1", "not valid JSON"),
        ("a.csv", "a,b\n1,2\n", "of no known form; expected NAME.csv with the columns frame,joint"),
        ("a.bvh", "HIERARCHY", "no HIERARCHY with a MOTION behind it"),
        ("c_000000000001_keypoints.json", '{"bodies": []}', "no list of people"),
        ("c_000000000001_keypoints.json", '{"people": [{}]}', "without pose_keypoints_2d"),
        ("a1_s1_e1_v1.json", '{"skeletons": [[1]], "label": 1}', r"\(frames, 20, 3\)"),
        ("a1_s1_e1_skeleton3D.txt", "1 2 3 4\n", "1 line; expected 20 a frame"),
        ("joints_s01_e01.txt", "1 2 3\n", "3 values in each line; expected 61"),
    ],
)
def test_files_of_no_known_form_are_told(
    tmp_path: Path, name: str, content: str, message: str
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=rf"{name}: .*{message}"):
        read_any(tmp_path / name)
