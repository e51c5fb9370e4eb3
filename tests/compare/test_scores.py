"""Scores and components: against amsf.evaluation.metrics, scikit-learn and a bootstrap."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from amsf.compare.scores import gzsl_scores, zsl_score
from amsf.compare.statistics import sampling_covariance
from amsf.evaluation.metrics import accuracy, harmonic_mean, seen_unseen_curve
from tests.support.small_evaluation import UNSEEN, answers


def by_metrics(gzsl: pd.DataFrame, per_class: bool) -> dict[str, float]:
    columns = {name: gzsl[name].to_numpy() for name in gzsl}
    labels, prediction = columns["labels"], columns["prediction"]
    unseen = np.isin(labels, UNSEEN)
    S, U = (accuracy(labels[m], prediction[m], per_class=per_class) for m in (~unseen, unseen))
    curve = seen_unseen_curve(
        labels,
        columns["seen_prediction"],
        columns["unseen_prediction"],
        columns["probability"],
        unseen,
        per_class=per_class,
    )
    return {"seen": S, "unseen": U, "H": harmonic_mean(S, U), "ausuc": curve.area}


@given(st.integers(0, 10**6), st.floats(0, 1), st.integers(0, 3), st.booleans())
def test_values_are_those_of_the_pipeline(
    seed: int, quality: float, digits: int, per_class: bool
) -> None:
    zsl, gzsl = answers(seed, quality)
    gzsl = gzsl.assign(probability=gzsl["probability"].round(digits)).sample(
        frac=0.7, random_state=1
    )
    is_unseen = gzsl["labels"].isin(UNSEEN).to_numpy()
    found = {k: s.value for k, s in gzsl_scores(gzsl, is_unseen, per_class=per_class).items()}
    assert found == pytest.approx(by_metrics(gzsl, per_class), abs=1e-12)
    label, prediction = zsl["label"].to_numpy(), zsl["prediction"].to_numpy()
    own = zsl_score(label, prediction, per_class=per_class)
    assert own.value == pytest.approx(accuracy(label, prediction, per_class=per_class))


def test_the_area_is_that_under_the_roc_where_both_classifiers_are_right() -> None:
    _, gzsl = answers(3, 1.0, spread=0)
    is_unseen = gzsl["labels"].isin(UNSEEN).to_numpy()
    found = gzsl_scores(gzsl, is_unseen, per_class=False)["ausuc"].value
    assert found == pytest.approx(roc_auc_score(is_unseen, gzsl["probability"]))


def test_all_wrong_is_zero_without_a_warning() -> None:
    _, gzsl = answers(0, 0.0, spread=0)
    is_unseen = gzsl["labels"].isin(UNSEEN).to_numpy()
    found = gzsl_scores(gzsl, is_unseen, per_class=False)
    assert [score.value for score in found.values()] == [0, 0, 0, 0]
    assert not any(score.components.any() for score in found.values())


@pytest.mark.parametrize("per_class", [False, True])
def test_variances_of_differences_are_those_of_a_bootstrap(per_class: bool) -> None:
    one, two = answers(0, 0.8)[1], answers(1, 0.6)[1]
    labels = one["labels"].to_numpy()
    is_unseen = np.isin(labels, UNSEEN)
    scores = [gzsl_scores(table, is_unseen, per_class=per_class) for table in (one, two)]
    rng = np.random.default_rng(0)
    members = [np.flatnonzero(labels == c) for c in np.unique(labels)]
    drawn = []
    for _ in range(400):
        rows = np.concatenate([rng.choice(own, len(own)) for own in members])
        values = [by_metrics(table.iloc[rows], per_class) for table in (one, two)]
        drawn.append({name: values[1][name] - values[0][name] for name in values[0]})
    spread = pd.DataFrame(drawn).std(ddof=1)
    for name in scores[0]:
        components = scores[1][name].components - scores[0][name].components
        error = float(np.sqrt(sampling_covariance(components[None], labels)[0, 0]))
        # A bootstrap of n samples a class misses the factor n / (n - 1) = 20 / 19.
        assert error == pytest.approx(spread[name] * np.sqrt(20 / 19), rel=0.12), name
