"""Activations against PyTorch, at their edges and far out."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import deepdive as dd

ELEMENTWISE = ("relu", "leaky_relu", "elu", "gelu", "silu", "softplus", "logsigmoid", "hardtanh")
EDGES = np.array([-3.0, -1.0, 0.0, 1.0, 2.5, 6.0])


@pytest.mark.parametrize("name", [*ELEMENTWISE, "relu6"])
def test_values_and_gradients_are_pytorchs(agrees, name):
    agrees(getattr(dd, name), getattr(F, name), (3, 4))
    agrees(getattr(dd, name), getattr(F, name), EDGES, second=False)
    agrees(getattr(dd, name), getattr(F, name), np.zeros((0, 2)), second=False)


def test_sigmoid(agrees):
    agrees(dd.sigmoid, torch.sigmoid, (3, 4))


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("leaky_relu", {"negative_slope": 0.3}),
        ("leaky_relu", {"negative_slope": 2.0}),
        ("elu", {"alpha": 0.7}),
        ("gelu", {"approximate": "tanh"}),
        ("softplus", {"beta": 3.0, "threshold": 2.0}),
        ("hardtanh", {"min_val": -0.5, "max_val": 0.25}),
    ],
)
def test_parameters(agrees, name, parameters):
    agrees(
        lambda x: getattr(dd, name)(x, **parameters),
        lambda x: getattr(F, name)(x, **parameters),
        (4, 5),
    )


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "softmin"])
@pytest.mark.parametrize("dim", [0, 1, -1])
def test_softmax_family(agrees, name, dim):
    agrees(lambda x: getattr(dd, name)(x, dim), lambda x: getattr(F, name)(x, dim), (3, 4, 2))


def test_softmax_methods_act_on_the_last_axis():
    x = dd.tensor(np.random.randn(2, 3, 4))
    np.testing.assert_allclose(x.softmax().numpy().sum(-1), 1)
    np.testing.assert_allclose(x.logsoftmax().numpy(), np.log(x.softmax().numpy()))


def test_softmax_of_one_and_of_none():
    assert dd.softmax(dd.tensor([[5.0]])).tolist() == [[1.0]]
    assert dd.softmax(dd.zeros(0, 3)).shape == (0, 3)


@pytest.mark.parametrize("name", [*ELEMENTWISE, "sigmoid", "softmax", "log_softmax"])
def test_far_out_nothing_overflows(name):
    x = dd.tensor([-1e4, -200.0, -90.0, 90.0, 200.0, 1e4], requires_grad=True)
    out = getattr(dd, name)(x)
    out.sum().backward()
    assert out.dtype == dd.float32
    assert np.isfinite(out.numpy()).all()
    assert np.isfinite(x.grad.numpy()).all()
    theirs = torch.tensor(x.tolist())
    expected = torch.sigmoid(theirs) if name == "sigmoid" else _of(name, theirs)
    np.testing.assert_allclose(out.numpy(), expected.numpy(), rtol=1e-6, atol=1e-7)


def _of(name, x):
    return getattr(F, name)(x, -1) if "softmax" in name else getattr(F, name)(x)


def test_small_probabilities_keep_their_digits():
    x = dd.tensor([-20.0, -50.0, -80.0])
    np.testing.assert_allclose(x.sigmoid().numpy(), np.exp(x.numpy()), rtol=1e-5)


def test_non_contiguous_input(agrees):
    agrees(lambda x: dd.gelu(x.T).softmax(0), lambda x: F.softmax(F.gelu(x.T), 0), (3, 4))


def test_gelu_refuses_other_approximations():
    with pytest.raises(dd.errors.ArgumentError, match=r"(?s)gelu.*'fast'.*'none' or 'tanh'"):
        dd.gelu(dd.ones(2), approximate="fast")
