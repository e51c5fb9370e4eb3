"""Layouts as files: those that are shipped, a user's own, and the joints that are worked out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from amsf.backbone.motion import motion_features
from amsf.base.errors import InputError
from amsf.skeleton.bodies import Track
from amsf.skeleton.cleaning import RawRecording, clean
from amsf.skeleton.joint_names import arranged, match_layout
from amsf.skeleton.joints import LAYOUTS, PARTS, layout_of
from amsf.skeleton.recordings import SkeletonSet
from tests.support.raw_files import moving, standing

SIZES = {
    "kinect20": 20, "kinect25": 25, "openni15": 15, "coco17": 17, "halpe26": 26, "body25": 25,
    "openpose18": 18, "mediapipe33": 33, "h36m17": 17, "smpl22": 22, "smpl24": 24,
}  # fmt: skip
# As many as are in files, in which some of the joints are not: hips' and shoulders' middle, hands.
WORKED_OUT = {"coco17": 2, "openpose18": 1, "mediapipe33": 4}


@pytest.mark.parametrize("name", LAYOUTS)
def test_shipped_layouts_have_their_joints_and_all_parts_of_a_body(name: str) -> None:
    layout = layout_of(name)
    assert len(layout) == SIZES[name] + WORKED_OUT.get(name, 0)
    # What is not in the files stands at the end of the arrays.
    assert set(range(SIZES[name], len(layout))) <= set(layout.middles)
    parts = layout.parts
    assert tuple(parts) == PARTS
    assert len(set(parts.values())) == 13
    assert all(layout.path(joint, layout.root)[-1] == layout.root for joint in range(len(layout)))
    place = standing(name)  # right at larger x, y up, the front at smaller z
    for part, joint in parts.items():
        side = part.partition("_")[0]
        if side in ("left", "right"):
            assert (place[joint, 0] > 0) == (side == "right"), part
    assert place[layout.spine[1], 1] > place[layout.spine[0], 1]
    assert place[layout.top, 1] == pytest.approx(0.64, abs=0.03)


@pytest.mark.parametrize(
    ("name", "first"),
    [
        # Kinetics-skeleton's and OpenPose's own lists, COCO's categories, MediaPipe's PoseLandmark.
        ("coco17", "nose left_eye right_eye left_ear right_ear left_shoulder"),
        ("body25", "Nose Neck RShoulder RElbow RWrist LShoulder LElbow LWrist MidHip RHip"),
        ("openpose18", "Nose Neck RShoulder RElbow RWrist LShoulder LElbow LWrist RHip RKnee"),
        ("mediapipe33", "nose left_eye_inner left_eye left_eye_outer right_eye_inner right_eye"),
        ("h36m17", "Pelvis RHip RKnee RFoot LHip LKnee LFoot Spine Thorax"),
        ("smpl22", "pelvis left_hip right_hip spine1 left_knee right_knee spine2 left_ankle"),
    ],
)
def test_orders_are_those_of_the_makers(name: str, first: str) -> None:
    layout = layout_of(name)
    wanted = first.split()
    names = [*wanted, *layout.joints[len(wanted) : SIZES[name]]]
    found, order = match_layout(names)
    assert (found, order[: len(wanted)]) == (name, list(range(len(wanted))))


@pytest.mark.parametrize("name", LAYOUTS)
def test_what_is_not_measured_is_worked_out(name: str) -> None:
    layout = layout_of(name)
    whole = moving(name, 12)
    order = [i if i in layout.measured else -1 for i in range(len(layout))]
    body = Track(np.arange(12), arranged(whole, order))
    (recording,) = clean([RawRecording([body], "r")], name).recordings
    found = recording.joints[0]
    np.testing.assert_array_equal(found[:, layout.measured], whole[:, layout.measured])
    for joint, around in layout.middles.items():
        expected = np.mean([found[:, i] for i in around], axis=0)
        np.testing.assert_allclose(found[:, joint], expected, atol=1e-6)
    packed = SkeletonSet.from_recordings([recording], layout=name, dataset="mine")
    assert np.isfinite(motion_features(packed)).all()


OWN = """
source: my suit
spine: [waist, chest]
joints:
  waist:
  chest: waist
  skull: chest
  left_arm: chest
  left_fore_arm: left_arm
  left_palm: left_fore_arm
  right_arm: chest
  right_fore_arm: right_arm
  right_palm: right_fore_arm
  left_up_leg: waist
  left_leg: left_up_leg
  left_toes: left_leg
  right_up_leg: waist
  right_leg: right_up_leg
  right_toes: right_leg
middles: {waist: [left_up_leg, right_up_leg], chest: [left_arm, right_arm]}
stand_ins:
  {head: skull, shoulder: arm, elbow: fore_arm, hand: palm, hip: up_leg, knee: leg, foot: toes}
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data/layouts").mkdir(parents=True)
    path = tmp_path / "data/layouts/suit.yaml"
    path.write_text(OWN)
    return path


def test_a_layout_of_a_users_own(own: Path) -> None:
    layout = layout_of("suit")
    assert layout.parts["left_hand"] == layout.index("left_palm")
    assert layout.hips == (layout.index("left_up_leg"), layout.index("right_up_leg"))
    names = [layout.joints[i] for i in layout.measured]
    found, order = match_layout(names[::-1])
    assert (found, order[:2]) == ("suit", [-1, -1])
    assert [names[::-1][i] for i in order[2:]] == names


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (
            "left_palm: left_fore_arm",
            "left_palm: sleeve",
            "'sleeve', which is not one of the",
        ),
        ("waist:\n", "waist: left_leg\n", "0 joints have no parent"),
        ("skull: chest", "skull:", r"2 joints have no parent \(waist, skull\)"),
        ("right_leg: right_up_leg", "right_leg: right_toes", "go round; expected a tree"),
        (
            "foot: toes",
            "foot: sole",
            r"no joint 'left_foot'; .* which joint serves as foot",
        ),
        ("right_palm", "right_hand", "'left_palm' has no counterpart|no joint 'right_hand'"),
        ("source: my suit", "unit: feet", "unit is feet; expected one of metres"),
        ("source: my suit", "up: w", "up is w; expected one of x, y"),
        ("spine: [waist, chest]", "spine: waist", "spine is waist; expected a list"),
        ("source: my suit", "sauce: my suit", "it has sauce, spine.*expected joints, spine"),
        ("source: my suit", "source: [", "not valid YAML"),
    ],
)
def test_what_is_wrong_in_a_layout_is_told(
    own: Path, before: str, after: str, message: str
) -> None:
    assert before in OWN
    own.write_text(OWN.replace(before, after))
    with pytest.raises(InputError, match=rf"suit\.yaml: .*({message})"):
        layout_of("suit")


def test_a_unit_and_an_axis_of_a_layout_are_believed(own: Path) -> None:
    own.write_text(OWN.replace("source: my suit", "unit: 0.0254\nup: z"))
    place = {"waist": 0, "chest": 0.45, "skull": 0.65, "arm": 0.4, "fore_arm": 0.15, "palm": -0.1}
    place |= {"up_leg": -0.05, "leg": -0.5, "toes": -0.9}
    pose = []
    for joint in layout_of("suit").joints:
        side, _, part = joint.partition("_")
        across = {"left": -0.2, "right": 0.2}.get(side, 0.0)
        height = place[part if across else joint]
        pose.append([across, 0.1 if part in ("palm", "toes") else 0.0, height])
    bodies = np.array(pose)[None] + 0.05 * np.sin(np.arange(9))[:, None, None]
    cleaned = clean([RawRecording([Track(np.arange(9), bodies / 0.0254)], "r")], "suit")
    assert cleaned.left_out == []
    expected = bodies[..., [0, 2, 1]] * [1, 1, -1]
    np.testing.assert_allclose(cleaned.recordings[0].joints[0], expected, atol=1e-6)
    assert [what for _, what in cleaned.mended] == [
        "units of 0.0254 m turned into metres, as stated", "z up turned to y up",
    ]  # fmt: skip


def test_a_shipped_name_is_taken(own: Path) -> None:
    own.rename(own.with_name("coco17.yaml"))
    with pytest.raises(InputError, match=r"coco17\.yaml: AMSF has a layout of that name"):
        layout_of("suit")
