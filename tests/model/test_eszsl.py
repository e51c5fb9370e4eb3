"""ESZSL against a direct solve of its normal equations, and against its own objective."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.preprocessing import StandardScaler

from tests.model.test_ridge import centred
from tests.support.small_aligners import config_of, drawn, fitted

N, F, S = 36, 5, 9


@pytest.fixture(params=[4, 3])
def problem(request: pytest.FixtureRequest) -> tuple[np.ndarray, ...]:
    """X (N, F), T (S, E), Y (N, S), V (F, E) as found, and both penalties."""
    x, labels, text = drawn(N, F, S, request.param)
    model = fitted(config_of("eszsl", S, 3, F, request.param), x, labels, text)
    X = StandardScaler().fit_transform(x.double().numpy()).clip(-5, 5)
    T = centred(text.double().numpy())
    Y = np.where(labels[:, None].numpy() == np.arange(S), 1.0, -1.0)
    g, h = model.penalties.double().numpy()
    return X, T, Y, model.map.double().numpy().T, g * N, h


def test_the_map_solves_the_normal_equations(problem: tuple[np.ndarray, ...]) -> None:
    """(X'X + a I) V (T'T + h I) = X'Y T, as one linear system of F·E unknowns."""
    X, T, Y, V, a, h = problem
    system = np.kron(X.T @ X + a * np.eye(F), T.T @ T + h * np.eye(T.shape[1]))
    direct = np.linalg.solve(system, (X.T @ Y @ T).ravel()).reshape(V.shape)
    np.testing.assert_allclose(V, direct, rtol=1e-4, atol=1e-6)


def test_the_map_is_where_the_objectives_gradient_is_zero(
    problem: tuple[np.ndarray, ...],
) -> None:
    X, T, Y, found, a, h = (torch.as_tensor(value) for value in problem)

    def gradient(V: torch.Tensor) -> torch.Tensor:
        V = V.clone().requires_grad_()
        loss = (X @ V @ T.T - Y).square().sum() + a * (V @ T.T).square().sum()
        loss = loss + h * (X @ V).square().sum() + a * h * V.square().sum()
        return torch.autograd.grad(loss, V)[0]

    assert gradient(found).norm() < 1e-4 * gradient(torch.zeros_like(found)).norm()


def test_its_score_orders_classes_as_the_cosine_does() -> None:
    x, labels, text = drawn(N, F, S, 4)
    model = fitted(config_of("eszsl", S, 3, F, 4), x, labels, text)
    model.learn_classes(text[:3], torch.Generator(), again=False)
    bilinear = model.standardised(x) @ model.map.T @ model.embed_text(text[:3]).T
    assert torch.equal(bilinear.argmax(1), model.scores(x).argmax(1))
