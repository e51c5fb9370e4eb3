"""A picture of a person, moved, through the whole path: who is found, where, and which way round.

What is expected was read off the picture by eye: she faces the camera; the ribbons are on her left
breast, as in every uniform of the US Navy, and the name tag is on her right one.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from amsf.base.errors import InputError
from amsf.pack.base import Outcome
from amsf.pack.formats import read_any
from amsf.skeleton.bodies import FILLED, Track
from amsf.skeleton.cleaning import MIRRORED, Stated
from amsf.skeleton.joints import layout_of
from amsf.video.place import FOCAL_LENGTH
from amsf.video.read import CUT_OFF, GUESSED, LAYOUT, read_video
from tests.support.pose_model import scene, write_clip

# Pixels of the portrait, from the left and from above.
NOSE, LEFT_EYE, RIGHT_EYE = (268, 225), (312, 187), (222, 188)
RIBBONS, NAME_TAG = (388, 507), (123, 500)
WIDTH, HEIGHT = 800, 640
FRAMES = 8


def joint(joints: np.ndarray, name: str) -> np.ndarray:
    return joints[..., layout_of(LAYOUT).index(name), :]


def moving(*, flip: bool = False, step: float = 8) -> list[np.ndarray]:
    """She goes to the right of the picture, or where it is mirrored to the left."""
    return [scene((60 + step * i, 90, 0.9), flip=flip) for i in range(FRAMES)]


def pixels(joints: np.ndarray) -> np.ndarray:
    """(..., 3) metres in our axes as (..., 2) places in the picture of a pinhole camera."""
    right, down, away = -joints[..., 0], -joints[..., 1], joints[..., 2]
    focal = FOCAL_LENGTH * WIDTH
    return np.stack([WIDTH / 2 + focal * right / away, HEIGHT / 2 + focal * down / away], -1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("clips")


@pytest.fixture(scope="module")
def plain(folder: Path, pose_model: Path) -> Outcome:
    path = write_clip(folder / "plain.mp4", moving())
    return read_any(path, Stated(pose_model=pose_model))


def only(outcome: Outcome) -> np.ndarray:
    """The (T, J, 3) joints of the one person of the one recording."""
    (recording,) = outcome.recordings
    (person,) = recording.joints
    return person


def test_the_set_has_one_person_in_metres(plain: Outcome) -> None:
    joints = only(plain)
    assert plain.layout == LAYOUT
    assert plain.recordings[0].name == "plain"
    assert joints.shape == (FRAMES, 37, 3)
    assert np.isfinite(joints).all()
    shoulders = joint(joints, "left_shoulder") - joint(joints, "right_shoulder")
    assert 0.2 < np.linalg.norm(shoulders, axis=1).mean() < 0.5
    assert {m.what for m in plain.mended} == {GUESSED}  # her legs


def test_up_left_right_and_front(plain: Outcome) -> None:
    joints = only(plain)
    head, hips = joint(joints, "nose"), joint(joints, "hip_center")
    shoulders = (joint(joints, "left_shoulder") + joint(joints, "right_shoulder")) / 2
    assert (head[:, 1] > shoulders[:, 1] + 0.1).all()
    assert (shoulders[:, 1] > hips[:, 1] + 0.2).all()
    # x goes to the right hand of who faces the camera, and z away from the camera.
    for part in ("eye", "ear", "shoulder", "hip"):
        left, right = joint(joints, f"left_{part}"), joint(joints, f"right_{part}")
        assert (left[:, 0] < right[:, 0] - 0.02).all(), part
    ears = (joint(joints, "left_ear") + joint(joints, "right_ear")) / 2
    assert (head[:, 2] < ears[:, 2] - 0.03).all()
    assert (joints[..., 2] > 0).all()


def test_the_joints_are_where_they_are_in_the_picture(plain: Outcome) -> None:
    """Seen through the camera, and each side on the side of what she wears there."""
    joints = only(plain)
    for frame in (0, FRAMES - 1):
        corner = np.array([60 + 8 * frame, 90])
        for name, place in {"nose": NOSE, "left_eye": LEFT_EYE, "right_eye": RIGHT_EYE}.items():
            seen = pixels(joint(joints, name)[frame])
            # An eye is 90 pixels from the other; perspective moves what is in front of the hips.
            assert np.linalg.norm(seen - corner - 0.9 * np.array(place)) < 150, name
        ribbons, tag = (corner + 0.9 * np.array(mark) for mark in (RIBBONS, NAME_TAG))
        for side, near, far in (("left", ribbons, tag), ("right", tag, ribbons)):
            seen = pixels(joint(joints, f"{side}_shoulder")[frame])
            assert np.linalg.norm(seen - near) < np.linalg.norm(seen - far), side


def test_she_moves_as_in_the_picture(plain: Outcome) -> None:
    """56 pixels, which are a known part of the width of her shoulders."""
    joints = only(plain)
    way = joints[-1].mean(0) - joints[0].mean(0)
    across = joint(joints, "right_shoulder") - joint(joints, "left_shoulder")
    # 0.9 of 350 pixels lie between the shoulders, by eye.
    expected = 8 * (FRAMES - 1) / (0.9 * 350) * np.linalg.norm(across, axis=1).mean()
    assert way[0] == pytest.approx(-expected, rel=0.3)
    assert abs(way[1]) < 0.05


def test_a_mirrored_clip_is_of_another_person(
    plain: Outcome, folder: Path, pose_model: Path
) -> None:
    """Left and right are the body's, so the mirror swaps them; --mirror yes swaps them back."""
    path = write_clip(folder / "mirrored.mp4", moving(flip=True))
    stated = Stated(pose_model=pose_model)
    taken, back = only(read_any(path, stated)), read_any(path, replace(stated, mirror=True))
    for part in ("eye", "shoulder"):
        assert (joint(taken, f"left_{part}")[:, 0] < joint(taken, f"right_{part}")[:, 0]).all()
    corner = np.array([WIDTH - 60, 90])
    ribbons, tag = (corner + 0.9 * np.array([-x, y]) for x, y in (RIBBONS, NAME_TAG))
    left = pixels(joint(taken, "left_shoulder")[0])  # on the side of the name tag now
    assert np.linalg.norm(left - tag) < np.linalg.norm(left - ribbons)
    assert MIRRORED in {m.what for m in back.mended}
    upper = [layout_of(LAYOUT).index(f"{s}_{p}") for s in ("left", "right")
             for p in ("eye", "ear", "mouth", "shoulder")]  # fmt: skip
    away = np.linalg.norm(only(back)[:, upper] - only(plain)[:, upper], axis=2)
    assert away.mean() < 0.08
    assert np.linalg.norm(taken[:, upper] - only(plain)[:, upper], axis=2).mean() > 0.15


def test_a_clip_on_its_head_is_turned(folder: Path, pose_model: Path) -> None:
    """So which way is up comes from the body in the picture, not from a rule about it."""
    frames = [np.ascontiguousarray(frame[::-1, ::-1]) for frame in moving()[:3]]
    outcome = read_any(write_clip(folder / "head.mp4", frames), Stated(pose_model=pose_model))
    assert "-y up turned to y up" in {m.what for m in outcome.mended}
    joints = only(outcome)
    assert (joint(joints, "nose")[:, 1] > joint(joints, "left_shoulder")[:, 1]).all()


def test_frames_without_her_are_filled_or_cut(
    plain: Outcome, folder: Path, pose_model: Path
) -> None:
    empty = (0, 3, 4, 7)
    frames = [frame * 0 + 200 if i in empty else frame for i, frame in enumerate(moving())]
    path = write_clip(folder / "gap.mp4", frames)
    (track,) = read_video(path, pose_model).bodies
    assert track.frames.tolist() == [i for i in range(FRAMES) if i not in empty]
    outcome = read_any(path, Stated(pose_model=pose_model))
    joints = only(outcome)
    assert len(joints) == FRAMES - 2
    assert FILLED in {m.what for m in outcome.mended}
    np.testing.assert_allclose(joints[2], (2 * joints[1] + joints[4]) / 3, atol=1e-5)
    # The others are where they were, within the model's noise.
    nose = joint(only(plain), "nose")[1:7] - joint(joints, "nose")
    assert np.abs(nose).mean() < 0.06


def test_two_people_keep_apart_and_stand_where_they_stand(folder: Path, pose_model: Path) -> None:
    """Real detections: a person and a smaller copy, each on a way of its own."""
    frames = [scene((20 + 6 * i, 40, 0.75), (500 - 5 * i, 160, 0.5), height=490) for i in range(14)]
    raw = read_video(write_clip(folder / "two.mp4", frames), pose_model)
    tracks = sorted(raw.bodies, key=lambda t: -len(t.frames))
    assert len(tracks[0].frames) > 10
    assert len(tracks[1].frames) > 7
    assert sum(len(t.frames) for t in tracks[2:]) <= 2
    near, far = sorted(tracks[:2], key=lambda t: t.joints[..., 2].mean())
    hips = {name: (t.joints[:, 23] + t.joints[:, 24]) / 2 for name, t in (("n", near), ("f", far))}
    for places in hips.values():  # nobody takes the other's place, from frame to frame
        assert np.abs(np.diff(places, axis=0)).max() < 0.3
    # Half as far is twice as large; the near one goes to the right of the picture, -x.
    assert hips["f"][:, 2].mean() / hips["n"][:, 2].mean() == pytest.approx(0.75 / 0.5, rel=0.2)
    assert hips["f"][0, 0] < hips["n"][-1, 0] < hips["n"][0, 0] - 0.02


def test_the_same_video_gives_the_same_bytes(folder: Path, pose_model: Path) -> None:
    path = write_clip(folder / "twice.mp4", moving()[:3])
    first, second = (read_video(path, pose_model).bodies for _ in range(2))
    assert [t.joints.tobytes() for t in first] == [t.joints.tobytes() for t in second]


def test_nobody_in_any_frame_is_told(folder: Path, pose_model: Path) -> None:
    path = write_clip(folder / "nobody.mp4", [scene()] * 2)
    with pytest.raises(InputError, match=r"nobody\.mp4: no person found in its 2 frames"):
        read_any(path, Stated(pose_model=pose_model))


def test_a_video_that_ends_early_is_told(folder: Path, pose_model: Path) -> None:
    whole = write_clip(folder / "whole.avi", moving())
    cut = folder / "cut.avi"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 3])
    raw = read_video(cut, pose_model)
    assert CUT_OFF in raw.notes
    (track,) = raw.bodies
    assert isinstance(track, Track)
    assert len(track.frames) < FRAMES - 1
