"""BVH: forward kinematics, rigs, classes by folders, and on to a benchmark."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import numpy as np
import pytest

from amsf.base.errors import InputError
from amsf.pack.__main__ import main
from amsf.pack.bvh import read
from amsf.pack.formats import read_any
from amsf.skeleton.cleaning import Stated
from amsf.skeleton.joints import layout_of
from amsf.skeleton.recordings import FILE_NAME, SkeletonSet

# A small rig in metres: (name, parent, offset); Mixamo's names.
RIG = [
    ("Hips", None, (0, 0, 0)), ("Spine", "Hips", (0, 0.1, 0)), ("Spine1", "Spine", (0, 0.1, 0)),
    ("Spine2", "Spine1", (0, 0.12, 0)), ("Neck", "Spine2", (0, 0.12, 0)),
    ("Head", "Neck", (0, 0.12, 0.02)),
    *((f"{s}{n}", p.replace("*", s), (x * (1 if s == "Left" else -1), y, z))
      for s in ("Left", "Right")
      for n, p, (x, y, z) in (
          ("Shoulder", "Spine2", (0.05, 0.1, 0)), ("Arm", "*Shoulder", (0.12, 0, 0)),
          ("ForeArm", "*Arm", (0.28, 0, 0)), ("Hand", "*ForeArm", (0.25, 0, 0)),
          ("UpLeg", "Hips", (0.1, -0.05, 0)), ("Leg", "*UpLeg", (0, -0.42, 0)),
          ("Foot", "*Leg", (0, -0.42, -0.02)), ("ToeBase", "*Foot", (0, -0.06, 0.14)))),
]  # fmt: skip
PLAIN = {
    "UpLeg": "Hip", "Leg": "Knee", "Foot": "Ankle", "ToeBase": "Toe", "Shoulder": "Collar",
    "Arm": "Shoulder", "ForeArm": "Elbow", "Hand": "Wrist", "Spine": "Chest",
}  # fmt: skip


def plain(name: str) -> str:
    """The same rig with the names of places."""
    side = next((s for s in ("Left", "Right") if name.startswith(s)), "")
    return side + PLAIN.get(name.removeprefix(side), name.removeprefix(side))


def bvh(motion: np.ndarray, order: str = "ZXY", unit: float = 1.0, prefix: str = "") -> str:
    """A file of the rig; ``motion`` is (T, 3 + 3 x joints): the root's place, then angles."""

    def lines(name: str | None, depth: int) -> list[str]:
        found = []
        for joint, parent, offset in RIG:
            if parent != name:
                continue
            pad = "\t" * depth
            place = " ".join(f"{value * unit:.6f}" for value in offset)
            turns = " ".join(f"{axis}rotation" for axis in order)
            channels = (
                f"6 Xposition Yposition Zposition {turns}" if parent is None else f"3 {turns}"
            )
            found += [f"{pad}{'ROOT' if parent is None else 'JOINT'} {prefix}{joint}", pad + "{",
                      f"{pad}\tOFFSET {place}", f"{pad}\tCHANNELS {channels}",
                      *lines(joint, depth + 1)]  # fmt: skip
            if not any(p == joint for _, p, _ in RIG):
                found += [f"{pad}\tEnd Site", pad + "\t{", f"{pad}\t\tOFFSET 0 0.05 0", pad + "\t}"]
            found.append(pad + "}")
        return found

    rows = [" ".join(f"{value:.6f}" for value in row) for row in motion]
    head = ["MOTION", f"Frames: {len(motion)}", "Frame Time: 0.033333"]
    return "\n".join(["HIERARCHY", *lines(None, 0), *head, *rows]) + "\n"


def written_order() -> list[str]:
    """The joints in the order of the channels: each with its children behind it."""

    def below(name: str | None) -> list[str]:
        return [x for joint, parent, _ in RIG if parent == name for x in (joint, *below(joint))]

    return below(None)


def placed(motion: np.ndarray, order: str) -> dict[str, np.ndarray]:
    """Forward kinematics by 4 x 4 matrices, a frame and joint at a time, written out."""
    table = {joint: (parent, offset) for joint, parent, offset in RIG}
    found: dict[str, list[np.ndarray]] = {}
    for row in motion:
        world: dict[str | None, np.ndarray] = {None: np.eye(4)}
        for k, joint in enumerate(written_order()):
            parent, offset = table[joint]
            local = np.eye(4)
            local[:3, 3] = offset if parent is not None else row[:3]
            for axis, degrees in zip(order, row[3 + 3 * k :]):
                c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
                turn = np.eye(4)
                i, j = {"X": (1, 2), "Y": (2, 0), "Z": (0, 1)}[axis]
                turn[i, i], turn[i, j], turn[j, i], turn[j, j] = c, -s, s, c
                local = local @ turn
            world[joint] = world[parent] @ local
            found.setdefault(joint, []).append(world[joint][:3, 3])
    return {joint: np.array(places) for joint, places in found.items()}


def some_motion(frames: int = 8, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    motion = rng.uniform(-40, 40, (1, 3 + 3 * len(RIG))) * np.sin(np.arange(frames) / 3)[:, None]
    motion[:, :3] = [0.2, 0.9, 0.1] + 0.01 * np.arange(frames)[:, None]
    motion[:, 3:6] /= 8
    return motion


TOLD = {
    "left_shoulder": "LeftArm", "right_wrist": "RightHand", "left_foot": "LeftToeBase",
    "right_knee": "RightLeg", "left_collar": "LeftShoulder", "spine1": "Spine", "spine3": "Spine2",
    "head": "Head", "pelvis": "Hips",
}  # fmt: skip


@pytest.mark.parametrize("order", ["".join(p) for p in itertools.permutations("XYZ")])
def test_forward_kinematics_and_the_order_of_channels(tmp_path: Path, order: str) -> None:
    motion = some_motion()
    (tmp_path / "a.bvh").write_text(bvh(motion, order, prefix="mixamorig:"))
    outcome = read_any(tmp_path / "a.bvh")
    assert (outcome.layout, outcome.mended) == ("smpl22", [])
    (recording,) = outcome.recordings
    expected = placed(motion, order)
    for joint, name in TOLD.items():
        found = recording.joints[0][:, layout_of("smpl22").index(joint)]
        np.testing.assert_allclose(found, expected[name], atol=2e-6)


def test_an_elbow_bent_by_hand(tmp_path: Path) -> None:
    motion = np.zeros((2, 3 + 3 * len(RIG)))
    motion[:, 3 + 3 * written_order().index("LeftForeArm")] = [0, 90]  # about z
    (tmp_path / "a.bvh").write_text(bvh(motion))
    joints = read((tmp_path / "a.bvh",)).recordings[0].bodies[0].joints
    wrist = joints[:, layout_of("smpl22").index("left_wrist")]
    np.testing.assert_allclose(wrist[0], [0.17 + 0.28 + 0.25, 0.42, 0], atol=1e-9)
    np.testing.assert_allclose(wrist[1], [0.17 + 0.28, 0.42 + 0.25, 0], atol=1e-9)


def test_other_names_units_and_axes(tmp_path: Path) -> None:
    motion = some_motion()
    text = bvh(motion)
    for name in sorted((joint for joint, _, _ in RIG), key=len, reverse=True):
        text = text.replace(f" {name}\n", f" {plain(name)}\n")
    assert "JOINT LeftKnee" in text
    (tmp_path / "a.bvh").write_text(bvh(motion))
    (tmp_path / "b.bvh").write_text(text)
    first, second = (read_any(tmp_path / f"{n}.bvh").recordings[0].joints for n in "ab")
    np.testing.assert_array_equal(first, second)
    motion[:, :3] *= 100
    (tmp_path / "c.bvh").write_text(bvh(motion, unit=100))
    outcome = read_any(tmp_path / "c.bvh")
    assert {item.what for item in outcome.mended} == {"centimetres turned into metres"}
    np.testing.assert_allclose(outcome.recordings[0].joints, first, atol=1e-5)
    (tmp_path / "d.bvh").write_text(bvh(motion, unit=1 / 0.056444))  # CMU's
    outcome = read_any(tmp_path / "d.bvh")
    assert "give the unit in metres" in outcome.left_out[0].reason
    assert read_any(tmp_path / "d.bvh", Stated(unit=0.056444)).recordings


def test_z_up_is_what_the_pose_at_rest_says(tmp_path: Path, monkeypatch) -> None:
    turned = [(joint, parent, (x, -z, y)) for joint, parent, (x, y, z) in RIG]
    motion = np.zeros((6, 3 + 3 * len(RIG)))
    motion[:, 3 + 3 * written_order().index("LeftForeArm")] = np.arange(6) * 10
    (tmp_path / "y.bvh").write_text(bvh(motion))
    monkeypatch.setattr("tests.pack.test_bvh.RIG", turned)
    # About z in the first file is about -y here.
    column = 3 + 3 * written_order().index("LeftForeArm")
    motion[:, column + 2], motion[:, column] = -motion[:, column], 0
    (tmp_path / "z.bvh").write_text(bvh(motion))
    outcome = read_any(tmp_path / "z.bvh")
    assert {item.what for item in outcome.mended} == {"z up turned to y up"}
    upright = read_any(tmp_path / "y.bvh").recordings[0].joints
    np.testing.assert_allclose(outcome.recordings[0].joints, upright, atol=1e-6)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("Frames: 8", "Frames: 9", r"MOTION holds 552 numbers; expected 9 frames of 69 channels"),
        ("Frames: 8", "Frames: none", "MOTION is not followed by Frames and Frame Time"),
        ("JOINT LeftArm", "JOINT LeftWing", "are those of no known rig: no left_hip"),
        ("Xrotation", "Wrotation", r"HIERARCHY cannot be read \(channels"),
        ("}\nMOTION", "\nMOTION", "braces of the HIERARCHY do not match"),
        ("0.900000", "high", "something that is no number"),
        ("0.900000", "nan", "a number that is not finite"),
    ],
)
def test_a_damaged_file_is_told(tmp_path: Path, before: str, after: str, message: str) -> None:
    text = bvh(some_motion())
    assert before in text
    (tmp_path / "a.bvh").write_text(text.replace(before, after))
    with pytest.raises(InputError, match=rf"a\.bvh: .*{message}"):
        read_any(tmp_path / "a.bvh")


def test_classes_are_those_of_the_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("data/classes").mkdir(parents=True)
    Path("data/classes/mine.csv").write_text("id,label,persons\n0,wave hands,1\n1,hop,1\n")
    for i, folder in enumerate(("Wave_Hands", "hop/anna", "1", "other")):
        (tmp_path / "clips" / folder).mkdir(parents=True)
        name = "c2" if i == 0 else f"c{i}"  # twice, in two folders
        (tmp_path / "clips" / folder / f"{name}.bvh").write_text(bvh(some_motion(seed=i)))
    main(["--format", "bvh", "clips", "--out", "data/external/mine", "--jobs", "1"])
    packed = SkeletonSet.load(Path("data/external/mine") / FILE_NAME)
    assert dict(zip(packed.names, packed.label.tolist())) == {"c2": 1, "Wave_Hands_c2": 0, "c1": 1}
    report = Path("data/external/mine/skeletons.report.csv").read_text()
    assert "other/c3.bvh,left out" in report
    assert "a folder above it with the name or id of a class of data/classes/mine.csv" in report
