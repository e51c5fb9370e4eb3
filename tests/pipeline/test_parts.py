"""What ``benchmarks.parts`` compares: features of parts, and answers from them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from amsf.backbone.motion import motion_summary
from amsf.backbone.network import EncoderShape, SkeletonEncoder
from amsf.backbone.preprocessing import SkeletonSamples, separate_persons
from amsf.settings.params import PART_VIEWS
from amsf.skeleton.joints import layout_of
from amsf.text.descriptions import VIEWS
from benchmarks.part_features import encoder_parts, motion_parts, part_of
from benchmarks.parts import SHARES, one_split, report

LAYOUT = "kinect20"


def test_every_joint_is_of_one_part() -> None:
    found = {joint: part_of(joint) for joint in layout_of(LAYOUT).joints}
    assert {joint for joint, part in found.items() if part == "trunk"} == {
        "hip_center", "spine", "shoulder_center", "head", "left_shoulder", "right_shoulder",
    }  # fmt: skip
    assert (found["left_hip"], found["right_foot"], found["left_wrist"]) == ("legs", "legs", "arms")


def test_a_waving_arm_moves_the_features_of_the_arms_and_of_its_third_alone() -> None:
    layout = layout_of(LAYOUT)
    rng = np.random.default_rng(0)
    still = torch.from_numpy(rng.normal(size=(1, 1, len(layout), 3)).astype(np.float32))
    still = still.expand(1, 64, -1, -1).clone()
    waving = still.clone()
    waving[:, 45:, layout.index("left_hand"), 1] += torch.sin(torch.arange(19.0))
    before, after = (motion_parts(joints, LAYOUT) for joints in (still, waving))
    changed = {part for part in before if not torch.allclose(before[part], after[part])}
    assert changed == {"whole", "arms", "end"}
    # The last third, stretched by NumPy.
    at = np.linspace(42, 63, 64)
    frames = waving[0].flatten(1).numpy()
    slow = np.stack([np.interp(at, np.arange(64), column) for column in frames.T], axis=1)
    expected = motion_summary(slow.reshape(1, 64, -1, 3), layout)
    np.testing.assert_allclose(after["end"].numpy(), expected, atol=0.01)  # float32 joints


def test_the_encoders_layers_are_pooled_joint_by_joint() -> None:
    generator = torch.Generator().manual_seed(0)
    joints = torch.randn(5, 1, 16, len(layout_of(LAYOUT)), 3, generator=generator)
    samples = SkeletonSamples(joints, torch.ones(5, 1, dtype=torch.bool))
    people = separate_persons(samples, layout_of(LAYOUT))
    encoder = SkeletonEncoder(EncoderShape(LAYOUT, 3, frames=16)).eval()
    layers: list[torch.Tensor] = []
    encoder.graph.register_forward_hook(lambda module, given, made: layers.append(made))
    found = encoder_parts(encoder, people)
    features, _ = encoder(people, 5)
    torch.testing.assert_close(found["encoder"], features.detach())
    h = layers[0]  # (N, T, W, J)
    torch.testing.assert_close(
        found["whole"], torch.cat([h.mean(1).flatten(1), h.std(1).flatten(1)], 1).detach()
    )
    assert sum(found[part].shape[1] for part in PART_VIEWS[:3]) == found["whole"].shape[1]
    # Eight frames: a third has two whole ones and two thirds of the next.
    start = (h[:, 0] + h[:, 1] + h[:, 2] * 2 / 3) * 3 / 8
    torch.testing.assert_close(found["start"], start.flatten(1).detach())
    thirds = torch.stack([found[third] for third in PART_VIEWS[3:]]).mean(0)
    torch.testing.assert_close(thirds, h.mean(1).flatten(1).detach())


@pytest.mark.parametrize("kind", ["ridge", "prototypes"])
def test_parts_that_say_all_answer_where_the_whole_says_nothing(
    kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    generator = torch.Generator().manual_seed(0)

    def drawn(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    codes, label = drawn(14, 4), torch.arange(280) % 14
    text = drawn(14, len(VIEWS), 8)
    for view in PART_VIEWS:
        text[:, VIEWS.index(view)] = codes @ drawn(4, 8)
    features = {part: codes[label] @ drawn(4, 12) + 0.1 * drawn(280, 12) for part in PART_VIEWS}
    features["whole"] = drawn(280, 12)
    train, seen, unseen = torch.arange(280) < 140, torch.arange(11), torch.arange(11, 14)
    found = one_split(kind, features, label, train, text, seen, unseen)
    assert found["100% parts"] > 90 > 70 > found["five"]
    assert set(found) - {"chosen"} == {"five", "eleven", *SHARES}
    if kind == "prototypes":
        assert found["chosen"] > 90
    report("d", "motion", [{"kind": k, **found} for k in ("ridge", "prototypes") for _ in "ab"])
    less = found["100% parts"] - found["five"]
    line = f"d motion {kind:11}100% parts  {found['100% parts']:.1f} ± 0.0, {less:+.1f} ± 0.0"
    assert line in capsys.readouterr().out
