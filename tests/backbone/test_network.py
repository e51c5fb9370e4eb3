"""The skeleton encoder's network: graph, shapes, and what it must not depend on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from amsf.backbone.network import (
    EncoderShape,
    GraphConvolution,
    SkeletonEncoder,
    neighbourhoods,
)
from amsf.backbone.preprocessing import SkeletonSamples, separate_persons
from amsf.skeleton.joints import LAYOUTS, Layout


def random_batch(layout: Layout, persons: int) -> SkeletonSamples:
    generator = torch.Generator().manual_seed(0)
    joints = torch.randn(3, persons, 32, len(layout), 3, generator=generator)
    return SkeletonSamples(joints, torch.ones(3, persons, dtype=torch.bool))


def encode(encoder: SkeletonEncoder, samples: SkeletonSamples) -> torch.Tensor:
    with torch.no_grad():
        return encoder(separate_persons(samples, encoder.layout), len(samples))[0]


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("persons", [1, 2])
def test_every_layout_gives_features_and_logits(name: str, persons: int) -> None:
    encoder = SkeletonEncoder(EncoderShape(name, classes=7, frames=32)).eval()
    samples = random_batch(LAYOUTS[name], persons)
    features, logits = encoder(separate_persons(samples, LAYOUTS[name]), 3)
    assert features.shape == (3, 512)
    assert encoder.shape.features == features.shape[1]
    assert logits.shape == (3, 7)
    assert (features >= 0).all()
    assert features.std() > 0


@pytest.mark.parametrize("name", LAYOUTS)
def test_partitions_are_the_bones_in_both_directions(name: str) -> None:
    layout = LAYOUTS[name]
    own, inward, outward = neighbourhoods(layout).numpy()
    np.testing.assert_array_equal(own, np.eye(len(layout)))
    assert {(int(i), int(j)) for i, j in np.argwhere(inward)} == set(layout.edges)
    assert {(int(j), int(i)) for i, j in np.argwhere(outward)} == set(layout.edges)
    assert set(inward.sum(1).round(6)) == {0.0, 1.0}  # the root has no parent
    assert set(outward.sum(1).round(6)) == {0.0, 1.0}  # the ends have no children


def test_graph_convolution_is_a_sum_over_partitions_and_neighbours() -> None:
    torch.manual_seed(0)
    layout = LAYOUTS["openni15"]
    graph = neighbourhoods(layout)
    layer = GraphConvolution(graph, 2, 2).eval()
    with torch.no_grad():
        layer.extra += 0.1 * torch.randn_like(layer.extra)
    x = torch.randn(1, 2, 3, 15)
    weight = layer.project.weight.detach().reshape(3, 2, 2)
    expected = torch.zeros(1, 2, 3, 15)
    for k in range(3):
        for i in range(15):
            for j in range(15):
                share = graph[k, i, j] + layer.extra[k, i, j].detach()
                expected[0, :, :, i] += share * (weight[k] @ x[0, :, :, j])
    expected = torch.relu(expected / (1 + layer.norm.eps) ** 0.5 + x)
    found = layer(x.transpose(1, 2)).transpose(1, 2)
    torch.testing.assert_close(found.detach(), expected, atol=1e-5, rtol=1e-5)


def test_features_are_mean_and_deviation_of_the_gathered_joints_by_hand() -> None:
    """Two persons, then one alone: over time first, then the mean over persons."""
    encoder = SkeletonEncoder(EncoderShape("kinect25", 5, 16)).eval()
    made = torch.zeros(3, 8, 256)  # (P, T / 2, H)
    made[0, :, 7] = torch.tensor([0.0, 4.0]).repeat(4)  # mean 2, deviation 2
    made[1, :, 7] = 5.0
    made[2, 0, 0] = 8.0  # mean 1, deviation (7 + 7 * 1) / 8
    encoder.gather.register_forward_hook(lambda module, given, found: made.flatten(0, 1))
    joints = torch.zeros(2, 2, 16, 25, 3)
    samples = SkeletonSamples(joints, torch.tensor([[True, True], [True, False]]))
    features, _ = encoder(separate_persons(samples, encoder.layout), 2)
    expected = torch.zeros(2, 2, 256)  # mean, then deviation
    expected[0, :, 7] = torch.tensor([(2 + 5) / 2, (2 + 0) / 2])
    expected[1, :, 0] = torch.tensor([1.0, 1.75])
    torch.testing.assert_close(features, expected.flatten(1))
    assert not features.requires_grad


def test_the_order_of_two_persons_does_not_matter() -> None:
    encoder = SkeletonEncoder(EncoderShape("kinect25", 5, 32)).eval()
    samples = random_batch(LAYOUTS["kinect25"], 2)
    swapped = encode(encoder, replace(samples, joints=samples.joints.flip(1)))
    torch.testing.assert_close(swapped, encode(encoder, samples), atol=1e-5, rtol=1e-4)


def test_an_absent_second_person_does_not_matter() -> None:
    encoder = SkeletonEncoder(EncoderShape("kinect25", 5, 32)).eval()
    samples = random_batch(LAYOUTS["kinect25"], 2)
    samples.present[1, 1] = False
    features = encode(encoder, samples)
    samples.joints[1, 1] = 99.0
    torch.testing.assert_close(encode(encoder, samples), features)
    alone = encode(encoder, SkeletonSamples(samples.joints[1:2, :1], samples.present[1:2, :1]))
    torch.testing.assert_close(alone[0], features[1], atol=1e-5, rtol=1e-4)


def test_a_sample_does_not_depend_on_its_batch() -> None:
    encoder = SkeletonEncoder(EncoderShape("kinect20", 5, 32)).eval()
    samples = random_batch(LAYOUTS["kinect20"], 1)
    alone = encode(encoder, samples[torch.tensor([2])])
    torch.testing.assert_close(alone[0], encode(encoder, samples)[2], atol=1e-5, rtol=1e-4)
