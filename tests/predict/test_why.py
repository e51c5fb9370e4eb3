"""What stands behind an answer, against cosines and single views worked out by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from amsf.evaluation.ensemble import Ensemble
from amsf.model.linear_maps import RidgeAligner
from amsf.predict.predictor import Predictor
from amsf.predict.why import explain
from tests.support.small_aligners import config_of, drawn, fitted
from tests.support.small_project import KEY

SKELETONS = "data/simulated/demo/skeletons.safetensors"
SEEN, UNSEEN = 8, 3
LABELS = [f"class {c}" for c in range(SEEN + UNSEEN)]


def unit(x: np.ndarray) -> np.ndarray:
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def small_ridge(seed: int) -> tuple[RidgeAligner, torch.Tensor, np.ndarray]:
    """A ridge, features of all classes, and all texts."""
    x, labels, text = drawn(200, 10, SEEN + UNSEEN, 7)
    x = x + 0.3 * torch.randn(x.shape, generator=torch.Generator().manual_seed(seed))
    known = labels < SEEN
    model = fitted(config_of("ridge", SEEN, UNSEEN, 10, 7), x[known], labels[known], text[:SEEN])
    model.learn_classes(text[SEEN:], torch.Generator(), again=False)
    return model, x[:40], text.numpy()


def by_hand(model: RidgeAligner, x: torch.Tensor, text: np.ndarray) -> np.ndarray:
    """Cosines (N, n) to classes by their texts (n, V, D), with the ridge's map."""
    z = np.clip((x.numpy() - model.mean.numpy()) / model.deviation.numpy(), -5, 5)
    centre = model.centre.numpy().reshape(text.shape[1:])
    places = unit(unit(text) - centre).reshape(len(text), -1) / np.sqrt(text.shape[1])
    return np.asarray(unit(z @ model.map.numpy().T) @ places.T)


def test_nearest_classes_and_views_by_hand() -> None:
    model, x, text = small_ridge(0)
    seen, unseen = text[:SEEN], text[SEEN:]
    answers = np.arange(len(x)) % (SEEN + UNSEEN)  # any: of both sides
    found = explain(model, x, answers, unseen, seen, LABELS)
    to_seen, to_unseen = by_hand(model, x, seen), by_hand(model, x, unseen)
    agreed = []
    for i, (why, answer) in enumerate(zip(found, answers, strict=True)):
        assert why.cosine == pytest.approx([*to_seen[i], *to_unseen[i]][answer], abs=1e-5)
        order = np.argsort(-to_seen[i])
        assert [near.label for near in why.nearest] == [LABELS[c] for c in order]
        cosines = [near.cosine for near in why.nearest]
        np.testing.assert_allclose(cosines, to_seen[i][order], atol=1e-5)
        first, side = (0, seen) if answer < SEEN else (SEEN, unseen)
        for v, said in enumerate(why.views):
            alone = by_hand(model, x[[i]], np.stack([side[:, v]] * text.shape[1], 1))[0]
            assert said.label == LABELS[first + alone.argmax()]
            assert said.rank == 1 + (alone > alone[answer - first]).sum()
            assert said.agrees == (said.label == LABELS[answer])
        agreed += [len(why.agreeing)]
        all_of = (to_seen if answer < SEEN else to_unseen)[i]
        assert why.together.label == LABELS[first + all_of.argmax()]
    assert {0, text.shape[1]} <= set(agreed)  # the comparison sees both


def test_several_models_are_asked_together() -> None:
    (one, x, text), (two, _, _) = small_ridge(0), small_ridge(1)
    seen, unseen = text[:SEEN], text[SEEN:]
    answers = np.full(len(x), SEEN)
    found = explain(Ensemble([one, two]), x, answers, unseen, seen, LABELS)
    each = [explain(model, x, answers, unseen, seen, LABELS) for model in (one, two)]
    mean = (by_hand(one, x, seen) + by_hand(two, x, seen)) / 2
    for i, why in enumerate(found):
        assert why.nearest[0].label == LABELS[mean[i].argmax()]
        assert why.cosine == pytest.approx((each[0][i].cosine + each[1][i].cosine) / 2, abs=1e-6)
    assert found != each[0]


def test_an_unseen_answer_is_that_of_all_views_together(demo_project: Path) -> None:
    predictor = Predictor.load(KEY)
    recordings = predictor.predict(SKELETONS)
    assert all(prediction.why is None for prediction in recordings)
    told = predictor.predict(SKELETONS, why=True)
    unseen = [p for p in told if not p.answer.seen]
    assert len(unseen) > 20
    for prediction in unseen:
        assert prediction.why is not None
        assert prediction.why.together.label == prediction.answer.label
        assert prediction.why.together.rank == 1
    for prediction, plain in zip(told, recordings, strict=True):
        assert prediction.why is not None
        assert (prediction.answer, prediction.classes) == (plain.answer, plain.classes)
        assert [one.view for one in prediction.why.views] == ["lb", "MAmd"]
        assert len(prediction.why.nearest) == len(predictor.model.config.seen)
