"""First values against PyTorch's formulas, by their moments and bounds."""

import math

import numpy as np
import pytest
import torch

import deepdive as dd
from deepdive.errors import ArgumentError, ShapeError
from deepdive.nn import init

SHAPE = (60, 40, 3, 2)  # fan in 240, fan out 360
FAN_IN, FAN_OUT = 240, 360


@pytest.mark.parametrize(
    ("fill", "std", "uniform"),
    [
        (lambda w: init.xavier_uniform_(w, gain=2), 2 * math.sqrt(2 / 600), True),
        (init.xavier_normal_, math.sqrt(2 / 600), False),
        (init.xavier_fan_in_uniform_, math.sqrt(1 / FAN_IN), True),
        (init.xavier_fan_in_normal_, math.sqrt(1 / FAN_IN), False),
        (init.kaiming_uniform_, math.sqrt(2 / FAN_IN), True),
        (lambda w: init.kaiming_uniform_(w, a=math.sqrt(5)), math.sqrt(1 / 3 / FAN_IN), True),
        (
            lambda w: init.kaiming_normal_(w, mode="fan_out", nonlinearity="relu"),
            math.sqrt(2 / FAN_OUT),
            False,
        ),
        (lambda w: init.uniform_(w, -1, 1), math.sqrt(1 / 3), True),
        (lambda w: init.normal_(w, 0, 3), 3.0, False),
    ],
)
def test_moments(fill, std, uniform):
    w = dd.empty(*SHAPE, requires_grad=True)
    assert fill(w) is w and w.is_leaf and w.requires_grad
    values = w.numpy()
    assert abs(values.std() / std - 1) < 0.02 and abs(values.mean()) < 0.03 * std
    reach = np.abs(values).max() / std
    assert (reach <= math.sqrt(3) * 1.0001) if uniform else (3.5 < reach < 6)


@pytest.mark.parametrize(
    "name",
    ["linear", "sigmoid", "tanh", "relu", "leaky_relu", "selu", "conv2d", "conv_transpose1d"],
)
def test_gains_are_pytorchs(name):
    assert init.calculate_gain(name) == pytest.approx(torch.nn.init.calculate_gain(name))
    assert init.calculate_gain("leaky_relu", 0.3) == pytest.approx(
        torch.nn.init.calculate_gain("leaky_relu", 0.3)
    )


def test_constants():
    w = dd.empty(3, 4)
    assert (init.constant_(w, 2.5).numpy() == 2.5).all()
    assert not init.zeros_(w).numpy().any() and init.ones_(w).numpy().all()
    np.testing.assert_array_equal(init.eye_(w).numpy(), np.eye(3, 4))


@pytest.mark.parametrize("shape", [(4, 9), (9, 4), (5, 5), (4, 2, 3)])
def test_orthogonal(shape):
    w = init.orthogonal_(dd.empty(*shape), gain=2.0).numpy().reshape(shape[0], -1) / 2
    small = w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w
    np.testing.assert_allclose(small, np.eye(min(w.shape)), atol=1e-6)


def test_trunc_normal_and_sparse():
    values = init.trunc_normal_(dd.empty(100, 100), std=2.0, a=-1.0, b=3.0).numpy()
    assert values.min() >= -1 and values.max() <= 3 and 0.5 < values.mean() < 1
    zeros = (init.sparse_(dd.empty(10, 7), 0.35).numpy() == 0).sum(axis=0)
    assert (zeros == 4).all()


def test_a_generator_of_ones_own():
    a = init.normal_(dd.empty(5), generator=dd.Generator(3))
    assert a.tolist() == init.normal_(dd.empty(5), generator=dd.Generator(3)).tolist()


def test_graphs_notice_the_change():
    w = dd.Tensor(np.ones((2, 2), "float32"))
    loss = (w * w).sum()
    init.zeros_(w)
    with pytest.raises(dd.errors.GraphError, match="an initialisation"):
        loss.backward()


@pytest.mark.parametrize(
    ("fill", "kind", "words"),
    [
        (lambda: init.xavier_uniform_(dd.empty(3)), ShapeError, "two axes or more"),
        (lambda: init.eye_(dd.empty(3)), ShapeError, "eye_: a matrix is needed"),
        (lambda: init.sparse_(dd.empty(3), 0.1), ShapeError, "sparse_: a matrix"),
        (lambda: init.kaiming_uniform_(dd.empty(3, 3), mode="fan"), ArgumentError, "mode 'fan'"),
        (lambda: init.calculate_gain("rel"), ArgumentError, "did you mean 'relu'"),
        (lambda: init.by_name("xavir"), ArgumentError, "did you mean 'xavier'"),
        (
            lambda: init.trunc_normal_(dd.empty(3), a=50, b=60),
            ArgumentError,
            "nothing lies between",
        ),
    ],
)
def test_errors(fill, kind, words):
    with pytest.raises(kind, match=words):
        fill()
