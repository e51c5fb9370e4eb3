"""Ridge against scikit-learn's, in both forms, and its choice of the penalty redone plainly."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

from amsf.model.closed_form import left_out_groups, side_by_side
from amsf.model.linear_maps import RidgeAligner
from tests.support.small_aligners import config_of, drawn, fitted


def prepared(samples: int, features: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Standardised features, classes, centred texts, by scikit-learn and numpy."""
    x, labels, text = (a.double().numpy() for a in drawn(samples, features, 12, 5))
    scaled = StandardScaler().fit_transform(x).clip(-5, 5)
    return scaled, labels.astype(int), centred(text)


def centred(text: np.ndarray, over: list[int] | slice = slice(None)) -> np.ndarray:
    views = []
    for view in text.transpose(1, 0, 2):
        unit = view / np.linalg.norm(view, axis=1, keepdims=True)
        less = unit - unit[over].mean(0)
        views.append(less / np.linalg.norm(less, axis=1, keepdims=True))
    return np.concatenate(views, 1) / np.sqrt(len(views))


@pytest.mark.parametrize(("samples", "features"), [(60, 8), (40, 90)])
def test_the_map_is_that_of_scikit_learn(samples: int, features: int) -> None:
    """Fewer and more features than samples: both forms equal both of scikit-learn's."""
    x, labels, texts = prepared(samples, features)
    model = fitted(config_of("ridge", 12, 3, features, 5), *drawn(samples, features, 12, 5))
    penalty = float(model.penalties[0]) * samples
    new = np.random.default_rng(0).normal(size=(7, features))
    primal = Ridge(alpha=penalty, fit_intercept=False).fit(x, texts[labels])
    dual = KernelRidge(alpha=penalty).fit(x, texts[labels])
    np.testing.assert_allclose(model.map, primal.coef_, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(new @ model.map.double().numpy().T, dual.predict(new), atol=1e-5)


def test_the_penalty_is_the_best_on_left_out_classes() -> None:
    given = drawn(60, 8, 12, 5)
    model = fitted(config_of("ridge", 12, 3, 8, 5), *given)
    x, labels, _ = prepared(60, 8)
    text = given[2].double()
    groups = left_out_groups(side_by_side(text), 3, 0)
    assert len(groups) == 12
    assert all(len(group) == 3 for group in groups)
    found = {}
    for penalty in RidgeAligner.FEATURE_PENALTIES:
        right = []
        for group in groups:
            out = np.isin(labels, group)
            rest = [c for c in range(12) if c not in group.tolist()]
            t = centred(text.numpy(), rest)
            fit = Ridge(alpha=penalty * (~out).sum(), fit_intercept=False)
            answers = fit.fit(x[~out], t[labels[~out]]).predict(x[out]) @ t[group].T
            right.append((group.numpy()[answers.argmax(1)] == labels[out]).mean())
        found[penalty] = np.mean(right)
    chosen = min(found, key=lambda penalty: abs(penalty - float(model.penalties[0])))
    assert found[chosen] == pytest.approx(max(found.values()))


def test_groups_know_nothing_of_how_classes_are_numbered() -> None:
    texts = torch.randn(10, 6)
    order = torch.randperm(10)
    plain = [{tuple(texts[c].tolist()) for c in group} for group in left_out_groups(texts, 2, 5)]
    moved = texts[order]
    other = [{tuple(moved[c].tolist()) for c in group} for group in left_out_groups(moved, 2, 5)]
    assert plain == other
    assert all(len(group) == 4 for group in left_out_groups(torch.randn(9, 6), 7, 0))


def test_too_few_classes_to_leave_some_out() -> None:
    x, labels, text = drawn(30, 4, 3, 5)
    model = fitted(config_of("ridge", 3, 2, 4, 5), x, labels, text)
    assert (*model.penalties.tolist(), float(model.log_sharpness.exp())) == pytest.approx(
        RidgeAligner.START
    )


def test_a_constant_feature_and_an_outlier_do_no_harm() -> None:
    x, labels, text = drawn(60, 8, 12, 5)
    x[:, 3] = 7.0
    x[0, 5] = 1e6
    model = fitted(config_of("ridge", 12, 3, 8, 5), x, labels, text)
    assert model.map.isfinite().all()
    assert model.map[:, 3].abs().max() < 1e-12
    assert model.standardised(x).abs().max() <= 5


def test_the_answer_is_the_largest_cosine_and_rows_sum_to_one() -> None:
    x, labels, text = drawn(60, 8, 12, 5)
    model = fitted(config_of("ridge", 12, 3, 8, 5), x, labels, text)
    model.learn_classes(text[:3], torch.Generator(), again=False)
    scores = model.scores(x)
    torch.testing.assert_close(scores.sum(1), torch.ones(60))
    cosines = model.embed(x) @ torch.from_numpy(centred(text.numpy())[:3]).float().T
    assert torch.equal(scores.argmax(1), cosines.argmax(1))


def test_another_datasets_recordings_do_not_move_the_scale() -> None:
    """Of 12 classes, the last five are another dataset's."""
    x, labels, text = drawn(96, 8, 12, 5)
    config = replace(config_of("ridge", 7, 3, 8, 5), joined=tuple(range(20, 25)))
    model = fitted(config, x, labels, text)
    scaler = StandardScaler().fit(x[labels < 7].double().numpy())
    z = scaler.transform(x.double().numpy()).clip(-5, 5)
    penalty = float(model.penalties[0]) * len(z)
    expected = Ridge(alpha=penalty, fit_intercept=False).fit(
        z, centred(text.double().numpy())[labels]
    )
    np.testing.assert_allclose(model.map, expected.coef_, rtol=1e-4, atol=1e-6)
