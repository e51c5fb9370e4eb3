"""One clean-up for every reader: the same faults through each of them, a recording at a time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import scipy.io
from scipy.spatial.transform import Rotation

from amsf.base.errors import InputError
from amsf.pack.base import Outcome
from amsf.pack.formats import FORMATS, read_any
from amsf.skeleton.bodies import FILLED, STILL
from amsf.skeleton.cleaning import CUT, EMPTY, FLAT, JOINTS
from amsf.skeleton.joints import LAYOUTS
from amsf.skeleton.recordings import Recording, SkeletonSet
from tests.support.raw_files import standing, write_ntu, write_pku

# (B, T, J, 3) bodies -> a file of them; the joints of the layout that the reader has.
Writer = Callable[[Path, np.ndarray], Path]


def ntu(folder: Path, bodies: np.ndarray) -> Path:
    frames = [{str(b): bodies[b, t] for b in range(len(bodies))} for t in range(bodies.shape[1])]
    return write_ntu(folder / "S001C001P001R001A001.skeleton", frames)


def pku(folder: Path, bodies: np.ndarray) -> Path:
    two = np.concatenate([bodies, np.zeros_like(bodies)])[:2]
    write_pku(folder, "0001-M", two, ["1,0,2,1"])
    return folder / "skeletons/0001-M.txt"


def utd(folder: Path, bodies: np.ndarray) -> Path:
    path = folder / "a1_s1_t1_skeleton.mat"
    scipy.io.savemat(path, {"d_skel": bodies[0].transpose(1, 2, 0).astype(np.float64)})
    return path


def npz(folder: Path, bodies: np.ndarray, *others: np.ndarray, layout: str = "kinect20") -> Path:
    every = (bodies, *others)
    rows = [b.reshape(-1, *b.shape[2:]) for b in every]
    content = {
        "joints": np.concatenate(rows),
        "offset": np.cumsum([0, *map(len, rows)]),
        "persons": np.array([len(b) for b in every]),
        "label": np.zeros(len(every), int),
        "names": np.array([f"r{i}" for i in range(len(every))]),
        "joint_names": np.array(LAYOUTS[layout].joints),
    }
    np.savez(folder / "mine.npz", **content)
    return folder / "mine.npz"


def packed(folder: Path, bodies: np.ndarray) -> Path:
    made = [Recording(bodies.astype(np.float32), "r0")]
    path = folder / "set.safetensors"
    SkeletonSet.from_recordings(made, layout="kinect20", dataset="mine").save(path)
    return path


READERS: dict[str, tuple[Writer, int]] = {
    "ntu": (ntu, 25), "pku": (pku, 25), "utd": (utd, 20), "npz": (npz, 20), "packed": (packed, 20),
}  # fmt: skip
TEXTS = ("ntu", "pku")


def actor(joints: int, frames: int = 24, seed: int = 0) -> np.ndarray:
    """(T, J, 3) float32 joints of a person 3 m away who moves arms and legs, clear of noise."""
    rng = np.random.default_rng(seed)
    layout = {25: "kinect25", 20: "kinect20"}[joints]
    phase = np.linspace(0, 6, frames)[:, None, None] + rng.uniform(0, 6, (1, joints, 3))
    size = np.where(np.abs(standing(layout)[:, :1]) > 0.05, 0.08, 0.02)
    moved = standing(layout) + size * np.sin(phase) + rng.normal(scale=0.002, size=phase.shape)
    return (moved + np.array([0.3 * seed, -0.2, 3])).astype(np.float32)


@pytest.fixture(params=READERS)
def reader(
    request: pytest.FixtureRequest, tmp_path: Path
) -> tuple[str, int, Callable[..., Outcome]]:
    """A reader's name, its number of joints, and a call from bodies to what it gives."""
    write, joints = READERS[request.param]
    return request.param, joints, lambda bodies: read_any(write(tmp_path, bodies))


def only(outcome: Outcome) -> np.ndarray:
    """The joints of the one recording, of which nothing was left out."""
    assert outcome.left_out == []
    (recording,) = outcome.recordings
    return recording.joints


def told(outcome: Outcome) -> set[str]:
    return {item.what for item in outcome.mended}


def test_what_is_right_is_not_touched(reader) -> None:
    name, joints, read = reader
    persons = np.stack([actor(joints, seed=i) for i in range(1 if name == "utd" else 2)])
    outcome = read(persons)
    assert told(outcome) == set()
    found = only(outcome)
    order = [0, 1][: len(persons)] if np.array_equal(found[0], persons[0]) else [1, 0]
    np.testing.assert_array_equal(found, persons[order])


@pytest.mark.parametrize("gone", [0.0, np.nan])
def test_lost_frames_are_filled_and_padding_is_cut(reader, gone: float) -> None:
    name, joints, read = reader
    if name == "packed" and np.isnan(gone):
        return  # a set cannot hold NaN: SkeletonSet refuses to write and to read it
    body = actor(joints)
    spoilt = body.copy()
    spoilt[[0, 9, 10, 22, 23]] = gone
    outcome = read(spoilt[None])
    (found,) = only(outcome)
    np.testing.assert_array_equal(
        found[[*range(8), *range(10, 21)]], body[[*range(1, 9), *range(11, 22)]]
    )
    np.testing.assert_allclose(found[8:10], np.linspace(body[8], body[11], 4)[1:3], atol=1e-6)
    # Zeros in PKU-MMD are how a video says that nobody is there: no frame was ever looked at.
    cut = set() if name == "pku" and gone == 0 else {CUT}
    assert told(outcome) == {FILLED} | cut


@pytest.mark.parametrize("gone", [0.0, np.nan])
def test_lost_joints_are_filled(reader, gone: float) -> None:
    name, joints, read = reader
    if name == "packed" and np.isnan(gone):
        return
    body = actor(joints)
    layout = LAYOUTS[{25: "kinect25", 20: "kinect20"}[joints]]
    hand, hip, foot = (layout.index(n) for n in ("left_hand", "right_hip", "right_foot"))
    spoilt = body.copy()
    spoilt[4:7, hand] = gone
    spoilt[6:8, hip] = gone
    spoilt[20:, foot] = gone
    outcome = read(spoilt[None])
    (found,) = only(outcome)
    assert told(outcome) == {JOINTS}
    here = ~np.isclose(spoilt, body, equal_nan=False).all(-1)
    assert here.sum() == 9
    np.testing.assert_array_equal(found[~here], body[~here])
    assert np.abs(found[here] - body[here]).max() < 0.15  # near where they were


def test_a_joint_that_never_is_there_is_told(reader) -> None:
    _, joints, read = reader
    body = actor(joints)
    body[:, joints - 1] = 0
    outcome = read(body[None])
    assert outcome.recordings == []
    layout = LAYOUTS[{25: "kinect25", 20: "kinect20"}[joints]]
    assert (
        f"{layout.joints[joints - 1]}: lost (zeros or NaN) in every" in outcome.left_out[0].reason
    )


def test_a_body_centred_on_a_joint_has_no_lost_one(reader) -> None:
    _, joints, read = reader
    body = actor(joints)
    root = LAYOUTS[{25: "kinect25", 20: "kinect20"}[joints]].root
    for centred in (body - body[:, root, None], body - body[:1, root, None]):
        outcome = read(centred[None])
        np.testing.assert_array_equal(only(outcome)[0], centred)
        assert told(outcome) == set()


def test_an_empty_person_is_taken_out(reader) -> None:
    name, joints, read = reader
    if name == "utd":
        return  # holds one person
    body = actor(joints)
    for bodies in ([body, body * 0], [body * 0, body]):
        outcome = read(np.stack(bodies))
        np.testing.assert_array_equal(only(outcome), body[None])
        assert told(outcome) == (set() if name == "pku" else {EMPTY})


def test_a_body_that_does_not_move_is_taken_out(reader) -> None:
    name, joints, read = reader
    if name == "utd":
        return
    body, chair = actor(joints), np.repeat(actor(joints, 1, seed=3), 24, 0)
    outcome = read(np.stack([body, chair]))
    np.testing.assert_array_equal(only(outcome), body[None])
    assert told(outcome) == {STILL}


def test_nobody_at_all_is_told(reader) -> None:
    _, joints, read = reader
    outcome = read(np.zeros((1, 12, joints, 3), np.float32))
    assert outcome.recordings == []
    assert "no body in any frame" in outcome.left_out[0].reason


@pytest.mark.parametrize(("factor", "unit"), [(1000, "millimetres"), (100, "centimetres")])
def test_units_become_metres(reader, factor: int, unit: str) -> None:
    name, joints, read = reader
    body = actor(joints)
    if name == "packed" and factor == 1000:
        with pytest.raises(InputError, match="beyond 1000 m"):
            read(factor * body[None])
        return
    outcome = read(factor * body[None])
    np.testing.assert_allclose(only(outcome), body[None], rtol=1e-5, atol=1e-6)
    assert told(outcome) == {f"{unit} turned into metres"}


@pytest.mark.parametrize("place", [1e4, 1e30, 3e38, np.inf])
def test_a_coordinate_that_is_no_place_is_told(reader, place: float) -> None:
    name, joints, read = reader
    body = actor(joints)
    body[5, 2, 1] = place
    if name == "packed":
        with pytest.raises(InputError, match=r"r0.*(beyond 1000 m|not finite)"):
            read(body[None])
        return
    if name == "ntu" and np.isinf(place):
        with pytest.raises(InputError, match=r"line \d+: 'inf' is not a finite number"):
            read(body[None])
        return
    outcome = read(body[None])
    assert outcome.recordings == []
    assert "frame 5, joint 2: a coordinate is" in outcome.left_out[0].reason
    assert "expected metres, a finite number up to 1000" in outcome.left_out[0].reason


# What turns y-up recordings into others: proper rotations, then their mirror images.
TURNS = {
    "z": Rotation.from_euler("x", 90, degrees=True).as_matrix(),
    "-z": Rotation.from_euler("x", -90, degrees=True).as_matrix(),
    "x": Rotation.from_euler("z", -90, degrees=True).as_matrix(),
    "-y": Rotation.from_euler("x", 180, degrees=True).as_matrix(),
    "z mirrored": np.array([[1, 0, 0], [0, 0, 1], [0, 1, 0]]),
    "-z mirrored": np.array([[1, 0, 0], [0, 0, -1], [0, -1, 0]]),
    "-y mirrored": np.diag([1, -1, 1]),
}


def same_shape(found: np.ndarray, expected: np.ndarray) -> bool:
    """Whether two recordings (T, J, 3) differ by a turn about the vertical and a step alone."""
    a, b = (j.astype(float) - j.astype(float).mean((0, 1)) for j in (found, expected))
    plane_a, plane_b = (j[..., 0] + 1j * j[..., 2] for j in (a, b))
    angle = np.angle((plane_a.conj() * plane_b).sum())
    turned = plane_a * np.exp(1j * angle)
    return bool(
        np.allclose(a[..., 1], b[..., 1], atol=1e-5) and np.allclose(turned, plane_b, atol=1e-4)
    )


@pytest.mark.parametrize("turn", TURNS)
def test_axes_of_several_recordings_are_turned(tmp_path: Path, turn: str) -> None:
    bodies = [actor(20, seed=i) for i in range(4)]
    outcome = read_any(npz(tmp_path, *(b[None] @ TURNS[turn].T for b in bodies)))
    assert outcome.left_out == []
    axis, _, mirrored = turn.partition(" ")
    what = f"{axis} up{', mirrored,' if mirrored else ''} turned to y up"
    assert told(outcome) == {what}
    for recording, body in zip(outcome.recordings, bodies, strict=True):
        assert same_shape(recording.joints[0], body)
        assert not same_shape(recording.joints[0], body * [-1, 1, 1])


@pytest.mark.parametrize("turn", TURNS)
def test_axes_of_one_recording_are_told_or_turned(reader, turn: str) -> None:
    name, joints, read = reader
    body = actor(joints)
    turned = body[None] @ TURNS[turn].T
    outcome = read(turned)
    axis = turn.split()[0]
    if name == "packed":  # y is up there by what a set is
        np.testing.assert_array_equal(only(outcome), turned.astype(np.float32))
    elif axis == "-y":
        assert same_shape(only(outcome)[0], body)
    else:
        assert outcome.recordings == []
        assert f"{axis} is up, or the person lies all the time" in outcome.left_out[0].reason


def test_a_few_of_a_file_are_mended_and_told_by_name(tmp_path: Path) -> None:
    bodies = [actor(20, seed=i)[None] for i in range(6)]
    spoilt = [1000 * bodies[0], bodies[1] @ TURNS["-y"].T, bodies[2] @ TURNS["z"].T, *bodies[3:]]
    outcome = read_any(npz(tmp_path, *spoilt))
    assert {(item.recording, item.what) for item in outcome.mended} == {
        ("r0", "millimetres turned into metres"), ("r1", "-y up turned to y up"),
    }  # fmt: skip
    assert [recording.name for recording in outcome.recordings] == ["r0", "r1", "r3", "r4", "r5"]
    (left,) = outcome.left_out
    assert left.reason.startswith("recording 'r2': z is up, or the person lies all the time")
    for recording in outcome.recordings:
        assert same_shape(recording.joints[0], bodies[int(recording.name[1])][0])


def test_a_body_without_depth_hides_its_sides(tmp_path: Path) -> None:
    body = actor(20)
    body[..., 2] = 3 + 0.01 * np.random.default_rng(0).normal(size=body.shape[:2])
    outcome = read_any(npz(tmp_path, *[(body * [1, -1, 1])[None]] * 3))
    assert outcome.recordings == []
    assert "-y is up, and the body does not show whether left and right" in (
        outcome.left_out[0].reason
    )


def test_persons_who_bend_sit_or_fall_are_upright(reader) -> None:
    _, joints, read = reader
    body = actor(joints, 40).astype(float)
    away = np.array([0, 0, 3])
    fallen = body - away
    for t in range(40):  # stands for a quarter of the time, then lies along x
        angle = min(max(t - 10, 0) * 15, 90)
        fallen[t] = Rotation.from_euler("z", -angle, degrees=True).apply(fallen[t])
    outcome = read(fallen[None] + away)
    np.testing.assert_allclose(only(outcome)[0], fallen + away, atol=1e-5)
    assert told(outcome) == set()


@pytest.mark.parametrize("kind", ["zero depth", "pixels", "score", "shares"])
def test_flat_poses_are_told(reader, kind: str) -> None:
    _, joints, read = reader
    body = actor(joints).astype(float)
    score = np.random.default_rng(0).uniform(0.2, 1, body.shape[:2])
    pixels = np.stack([320 + 200 * body[..., 0], 240 - 200 * body[..., 1], score], -1)
    flat = {
        "zero depth": body * [1, 1, 0],
        "pixels": pixels * [1, 1, 0],
        "score": pixels,
        "shares": pixels / [640, 640, 1],
    }[kind]
    outcome = read(flat[None])
    assert outcome.recordings == []
    assert "the poses are flat, as places in a picture are" in outcome.left_out[0].reason


def test_flat_poses_at_a_distance_are_taken_and_told(reader) -> None:
    _, joints, read = reader
    body = actor(joints)
    body[..., 2] = 2.5
    outcome = read(body[None])
    np.testing.assert_array_equal(only(outcome), body[None])
    assert told(outcome) == {FLAT}


def test_every_format_is_among_the_readers() -> None:
    elsewhere = {"csv", "bvh", "pyskl", "ctrgcn", "stgcn", "openpose", "kinetics", "ucla"}
    elsewhere |= {"mediapipe", "utkinect", "msr"}  # test_readers.py and test_bvh.py
    elsewhere |= {"video"}  # tests/video
    written = {"ntu60": "ntu", "ntu120": "ntu", "pku51": "pku", "utd27": "utd", "npz": "npz"}
    assert set(written) | elsewhere == set(FORMATS)
    assert set(written.values()) | {"packed"} == set(READERS)


def test_a_layout_without_head_and_feet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = [n for n in LAYOUTS["kinect20"].joints if n != "head" and not n.endswith("_foot")]
    chosen = [LAYOUTS["kinect20"].index(name) for name in kept]
    renamed = ["nose" if name == "shoulder_center" else name for name in kept]
    parents = [LAYOUTS["kinect20"].parents[i] for i in chosen]
    smaller = type(LAYOUTS["kinect20"])(
        tuple(renamed), tuple(chosen.index(p) if p in chosen else chosen.index(1) for p in parents),
        (renamed.index("hip_center"), renamed.index("nose")), "for this test",
    )  # fmt: skip
    monkeypatch.setitem(LAYOUTS, "mine", smaller)
    bodies = [actor(20, seed=i)[None][:, :, chosen] for i in range(3)]
    for turn in (np.eye(3), TURNS["z"]):
        outcome = read_any(npz(tmp_path, *(b @ turn.T for b in bodies), layout="mine"))
        assert outcome.layout == "mine"
        for recording, body in zip(outcome.recordings, bodies, strict=True):
            assert same_shape(recording.joints[0], body[0])
