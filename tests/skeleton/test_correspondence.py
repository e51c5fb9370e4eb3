"""The map between layouts."""

from __future__ import annotations

import numpy as np
import pytest

from amsf.backbone.motion import motion_summary
from amsf.base.errors import InputError
from amsf.skeleton.correspondence import converted, correspondence
from amsf.skeleton.joints import LAYOUTS, PARTS, layout_of
from tests.support.raw_files import moving, standing

GOOD = [
    ("kinect25", "kinect20"), ("kinect25", "openni15"), ("kinect20", "openni15"),
    ("coco17", "kinect20"), ("coco17", "openni15"), ("halpe26", "coco17"), ("body25", "halpe26"),
    ("mediapipe33", "kinect20"), ("smpl24", "kinect20"), ("kinect25", "smpl22"),
    ("h36m17", "openni15"), ("openpose18", "coco17"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "wanted"), GOOD)
def test_joints_come_to_where_they_are(given: str, wanted: str) -> None:
    found = converted(standing(given), given, wanted)
    # Stand-ins are a hand's length from the joint, and the layouts' necks and spines differ.
    assert np.abs(found - standing(wanted)).max() < 0.13
    weights = correspondence(given, wanted)
    np.testing.assert_allclose(weights.sum(1), 1)
    assert (weights >= 0).all()


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_layout_is_itself(name: str) -> None:
    np.testing.assert_array_equal(correspondence(name, name), np.eye(len(layout_of(name))))


@pytest.mark.parametrize("given", LAYOUTS)
@pytest.mark.parametrize("wanted", LAYOUTS)
def test_parts_of_the_body_are_in_every_layout(given: str, wanted: str) -> None:
    layout = layout_of(wanted)
    needed = {*layout.parts.values(), *layout.hips, *layout.spine} - {layout.root}
    weights = correspondence(given, wanted, needed)
    there = layout_of(given).parts
    for part in PARTS:
        if part != "root":
            joint = layout.parts[part]  # which may be a stand-in that is there by its own name
            own = layout.joints[joint] in layout_of(given).joints and layout.joints[joint] != part
            name = layout.joints[joint] if own and part != "neck" else None
            at = there[part] if name is None else layout_of(given).index(name)
            np.testing.assert_array_equal(weights[joint], np.eye(len(layout_of(given)))[at])


def test_joints_without_a_counterpart_are_named() -> None:
    with pytest.raises(InputError, match="openni15 lack left_wrist, right_wrist, left_ankle"):
        correspondence("openni15", "kinect20")
    with pytest.raises(InputError, match="kinect20 lack left_hand_tip, left_thumb"):
        converted(standing("kinect20"), "kinect20", "kinect25")


def test_the_same_motion_gives_nearly_the_same_numbers_in_another_layout() -> None:
    joints = moving("kinect25", 64)[None]
    own = motion_summary(joints, layout_of("kinect25"))
    other = motion_summary(converted(joints, "kinect25", "kinect20"), layout_of("kinect20"))
    np.testing.assert_allclose(other, own, atol=1e-5)  # parts are those of both
