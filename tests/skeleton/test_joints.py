"""The joint layouts: trees with matching sides."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from amsf.base.errors import InputError
from amsf.skeleton.joint_names import match_layout
from amsf.skeleton.joints import LAYOUTS, PARTS, layout_of


@pytest.mark.parametrize(("name", "joints"), [("kinect25", 25), ("kinect20", 20), ("openni15", 15)])
def test_a_layout_is_one_tree_that_is_the_same_on_both_sides(name: str, joints: int) -> None:
    layout = layout_of(name)
    assert len(layout) == len(set(layout.joints)) == joints
    assert len(layout.edges) == joints - 1
    rows, columns = zip(*layout.edges)
    graph = coo_array((np.ones(joints - 1), (rows, columns)), shape=(joints, joints))
    assert connected_components(graph, directed=False)[0] == 1
    assert layout.root not in rows
    mirror = np.arange(joints)
    for left, right in layout.pairs:
        mirror[[left, right]] = right, left
    mirrored = {(int(mirror[child]), int(mirror[parent])) for child, parent in layout.edges}
    assert mirrored == set(layout.edges)
    assert set(map(tuple, (layout.hips, layout.shoulders))) <= set(layout.pairs)
    assert not set(layout.spine) & {joint for pair in layout.pairs for joint in pair}


def test_kinect_v2_is_in_the_order_of_ntu() -> None:
    # Shahroudy et al. 2016, figure 1, less one: the joints of NTU RGB+D by number.
    layout = LAYOUTS["kinect25"]
    order = {0: "spine_base", 3: "head", 7: "left_hand", 11: "right_hand", 12: "left_hip"}
    order |= {19: "right_foot", 20: "spine_shoulder", 21: "left_hand_tip", 24: "right_thumb"}
    assert {i: layout.joints[i] for i in order} == order
    assert layout.joints[layout.root] == "spine_base"


def test_kinect_v1_is_in_the_order_of_utd(data_dir) -> None:
    text = (data_dir / "utd-mhad/Skeleton/Skeleton_joint_order.txt").read_text()
    listed = [line.split(".")[1].strip(" ;") for line in text.splitlines() if line[:1].isdigit()]
    assert tuple(listed) == LAYOUTS["kinect20"].joints


@given(st.sampled_from(sorted(LAYOUTS)), st.randoms(use_true_random=False))
def test_joints_are_found_in_any_order(name: str, random) -> None:
    wanted = LAYOUTS[name].joints
    shuffled = random.sample(wanted, len(wanted))
    found, order = match_layout(shuffled)
    assert found == name
    assert tuple(shuffled[i] for i in order) == wanted


def test_joints_are_found_in_the_sensors_own_spelling() -> None:
    names = """SpineBase SpineMid Neck Head ShoulderLeft ElbowLeft WristLeft HandLeft ShoulderRight
        ElbowRight WristRight HandRight HipLeft KneeLeft AnkleLeft FootLeft HipRight KneeRight
        AnkleRight FootRight SpineShoulder HandTipLeft ThumbLeft HandTipRight ThumbRight"""
    assert match_layout(names.split()) == ("kinect25", list(range(25)))


NTU_PAPER = """base of the spine, middle of the spine, neck, head, left shoulder, left elbow,
left wrist, left hand, right shoulder, right elbow, right wrist, right hand, left hip, left knee,
left ankle, left foot, right hip, right knee, right ankle, right foot, spine, tip of the left hand,
left thumb, tip of the right hand, right thumb"""


def test_joints_are_found_in_the_spelling_of_ntus_paper() -> None:
    names = re.split(r",\s", NTU_PAPER)
    numbered = [f"{i}-{name}" for i, name in enumerate(names, start=1)]
    for given_names in (names, numbered, [name.title() for name in names]):
        assert match_layout(given_names) == ("kinect25", list(range(25)))
    order = np.random.default_rng(0).permutation(25)
    _, back = match_layout([names[i] for i in order])
    assert [order[i] for i in back] == list(range(25))


@pytest.mark.parametrize("name", sorted(LAYOUTS))
@pytest.mark.parametrize(
    "form",
    ["JointType_{part}{side}", "JOINT_{SIDE}_{PART}", "XN_SKEL_{SIDE}_{PART}", "{S}{part}",
     "{s}{part}", "{s}{lower}", "{S}_{part}", "{s}_{lower}", "{part}{S}", "{part}.{S}",
     "{lower}_{s}", "{side} {lower}", "{S} {part}"],
)  # fmt: skip
def test_joints_are_found_with_prefixes_and_letters_for_sides(name: str, form: str) -> None:
    names = []
    for joint in LAYOUTS[name].joints:
        side, _, rest = joint.partition("_")
        if side not in ("left", "right"):
            names.append(form.split("{")[0] + joint.title())
            continue
        part = "".join(word.title() for word in rest.split("_"))
        names.append(
            form.format(part=part, PART=rest.upper(), lower=part.lower(), side=side.title(),
                        SIDE=side.upper(), S=side[0].upper(), s=side[0])
        )  # fmt: skip
    assert match_layout(names) == (name, list(range(len(names))))


def test_unknown_joints_are_named() -> None:
    names = ["nose" if name == "head" else name for name in LAYOUTS["kinect20"].joints]
    with pytest.raises(InputError, match="kinect20, head is missing, nose is unknown"):
        match_layout(names)
    names = ["neck", *LAYOUTS["openni15"].joints[1:]]
    with pytest.raises(InputError, match=r"openni15, head is missing, .* neck is repeated"):
        match_layout(names)
    with pytest.raises(InputError, match="'kinect3' is not known; there are kinect20"):
        layout_of("kinect3")


@pytest.mark.parametrize("name", sorted(LAYOUTS))
def test_every_layout_has_the_parts_of_the_body(name: str) -> None:
    layout = layout_of(name)
    assert tuple(layout.parts) == PARTS
    assert len(set(layout.parts.values())) == len(PARTS) == 13
    assert (layout.parts["neck"], layout.parts["root"]) == layout.spine[::-1]
    left = [layout.parts[part] for part in PARTS if part.startswith("left_")]
    right = [layout.parts[part] for part in PARTS if part.startswith("right_")]
    assert set(zip(left, right)) <= set(layout.pairs)
