"""What ``benchmarks.layers`` compares: layers of the encoder, pooled over time."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from amsf.backbone.network import EncoderShape, SkeletonEncoder
from amsf.backbone.preprocessing import SkeletonSamples, separate_persons
from amsf.skeleton.joints import layout_of
from benchmarks.layers import END, beside_motion, layers, score

LAYOUT = "kinect20"


def test_each_layer_is_pooled_over_its_own_time() -> None:
    generator = torch.Generator().manual_seed(0)
    joints = torch.randn(5, 1, 16, 20, 3, generator=generator)
    samples = SkeletonSamples(joints, torch.ones(5, 1, dtype=torch.bool))
    people = separate_persons(samples, layout_of(LAYOUT))
    encoder = SkeletonEncoder(EncoderShape(LAYOUT, 3, frames=16)).eval()
    found = layers(encoder, people)
    with torch.no_grad():
        features, logits = encoder(people, 5)
        torch.testing.assert_close(encoder.classify(found[END]), logits)
        channels = encoder.channels(people).flatten(2)  # (N, T, 15·J)
        plain = channels / (1 + encoder.input_norm.eps) ** 0.5
    torch.testing.assert_close(found["gather"], features)
    torch.testing.assert_close(found["input"][:, : 15 * 20], plain.mean(1), atol=1e-5, rtol=1e-4)
    widths = {"graph 1": 2 * 24 * 20, "graph 2": 2 * 24 * 20, "temporal 1": 512, "temporal 3": 512}
    for name, width in widths.items():
        assert found[name].shape == (5, width)
        torch.testing.assert_close(found[f"{name}, deviation"], found[name][:, width // 2 :])
    torch.testing.assert_close(found["temporal 3"][:, :256], found[END])


@pytest.mark.parametrize("kind", ["ridge", "prototypes"])
def test_features_that_say_all_are_right_and_those_of_chance_are_not(kind: str) -> None:
    rng = np.random.default_rng(0)
    text = rng.normal(size=(8, 1, 12)).astype(np.float32)
    label = np.repeat(np.arange(8), 20)
    told = torch.from_numpy(text[label, 0] + 0.1 * rng.normal(size=(160, 12)).astype(np.float32))
    noise = torch.from_numpy(rng.normal(size=(160, 12)).astype(np.float32))
    train, scored = torch.arange(120), torch.arange(120, 160)
    ids, vectors = torch.from_numpy(label), torch.from_numpy(text)
    seen, unseen = torch.arange(6), torch.tensor([6, 7])
    given = (ids, train, scored, vectors, seen, unseen)
    assert score(kind, told, *given) > 90
    assert score(kind, noise, *given) < 70
    both = beside_motion(noise, told.numpy(), train.numpy())
    assert both.shape == (160, 24)
    assert both[train].mean(0).abs().max() < 0.1
