"""The map of the latent space: a projection of what the model computes, class by class."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.spatial.distance import pdist

from amsf.evaluation.projection import MOST_SAMPLES, latent_map
from amsf.features.phases import SampleSet, load_phase
from amsf.model.aligner import Aligner
from amsf.model.checkpoints import load_model
from amsf.model.vae_aligner import VaeAligner
from amsf.text.features import load_text_features
from tests.support.small_report import found_in, small_reports


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> tuple[Aligner, SampleSet, np.ndarray]:
    data = small_reports(tmp_path_factory) / "data"
    samples = load_phase(data / "features/two-u3/test.safetensors").gzsl
    assert samples is not None
    text = load_text_features(data / "text_features/two-u3").features
    return load_model(data / "models/two-u3/seed0/test"), samples, text


def test_it_is_a_projection(parts: tuple[Aligner, SampleSet, np.ndarray]) -> None:
    model, samples, text = parts
    found = latent_map(model, samples, text, [6, 7, 8])
    whole = model.embed(samples.features[samples.labels >= 6]).numpy()
    assert found.samples.shape == (18, 2)
    # Distances in a plane never exceed those in the whole space.
    assert (pdist(found.samples) <= pdist(whole) + 1e-5).all()
    assert found.samples.var(0).sum() / whole.var(0).sum() == pytest.approx(found.explained)
    assert found.labels.tolist() == [6] * 6 + [7] * 6 + [8] * 6
    assert found.classes.tolist() == [6, 7, 8]


def test_with_a_flat_latent_space_nothing_is_lost(
    parts: tuple[Aligner, SampleSet, np.ndarray],
) -> None:
    model, samples, text = parts
    switches = model.config.switches.model_copy(update={"read_out": "classifier"})
    model = VaeAligner(replace(model.config, switches=switches))
    for coder in (model.vae.skeleton_encoder, model.vae.text_encoder):
        with torch.no_grad():
            coder.mu.weight[2:] = 0
            coder.mu.bias[2:] = 0
    found = latent_map(model, samples, text, [6, 7, 8])
    whole = model.embed(samples.features[samples.labels >= 6]).numpy()
    assert found.explained == pytest.approx(1)
    np.testing.assert_allclose(pdist(found.samples), pdist(whole), rtol=1e-3, atol=1e-5)


def test_equal_inputs_give_equal_maps(parts: tuple[Aligner, SampleSet, np.ndarray]) -> None:
    first, second = (latent_map(*parts, [1, 6, 7, 8]) for _ in range(2))
    np.testing.assert_array_equal(first.samples, second.samples)
    np.testing.assert_array_equal(first.prototypes, second.prototypes)


def test_of_many_samples_some_are_taken(parts: tuple[Aligner, SampleSet, np.ndarray]) -> None:
    model, samples, text = parts
    many = SampleSet(samples.features.repeat(9, 1), samples.labels.repeat(9))
    found = latent_map(model, many, text, [7, 8])
    assert np.bincount(found.labels)[7:].tolist() == [MOST_SAMPLES] * 2


def test_the_report_shows_unseen_classes_and_where_they_get_lost(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    found = found_in(tmp_path_factory, "two-u3")
    assert found.latent.classes[:3].tolist() == [6, 7, 8]
    assert found.gzsl is not None
    lost = found.gzsl[found.gzsl["label"] >= 6]["prediction"]
    assert set(found.latent.classes[3:]) <= set(lost[lost < 6])
    assert found_in(tmp_path_factory, "one-u3").latent.classes.tolist() == [6, 7, 8]
