"""Normalisation against PyTorch; running moments; refusals."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import deepdive as dd
from deepdive.errors import ArgumentError, ShapeError


@pytest.mark.parametrize("shape", [(4,), (3, 4), (2, 3, 4)])
def test_layer_norm(agrees, shape):
    x = (5, *shape) if len(shape) < 3 else shape
    agrees(
        lambda x, w, b: dd.layer_norm(x, shape, w, b),
        lambda x, w, b: F.layer_norm(x, shape, w, b),
        x,
        shape,
        shape,
    )
    agrees(lambda x: dd.layer_norm(x, shape), lambda x: F.layer_norm(x, shape), x)


def test_layer_norm_with_one_parameter(agrees):
    agrees(lambda x, w: dd.layer_norm(x, 4, w), lambda x, w: F.layer_norm(x, (4,), w), (3, 4), (4,))
    agrees(
        lambda x, b: dd.layer_norm(x, 4, None, b),
        lambda x, b: F.layer_norm(x, (4,), None, b),
        (3, 4),
        (4,),
        second=False,  # PyTorch's second derivative fails without a weight
    )


def test_layernorm_method_is_over_the_last_axis(agrees):
    agrees(
        lambda x, g, b: x.layernorm(g, b, 1e-3),
        lambda x, g, b: F.layer_norm(x, (4,), g, b, 1e-3),
        (2, 3, 4),
        (4,),
        (4,),
    )
    agrees(lambda x: x.T.layernorm(), lambda x: F.layer_norm(x.T, (2,)), (2, 3))


def test_layer_norm_edges():
    assert dd.layer_norm(dd.zeros(0, 3), 3).shape == (0, 3)
    assert dd.layer_norm(dd.tensor([[5.0]]), 1).tolist() == [[0.0]]
    constant = dd.full((2, 3), 1e4).requires_grad_()
    dd.layer_norm(constant, 3).sum().backward()
    assert np.isfinite(constant.grad.numpy()).all()


def test_layer_norm_names_what_does_not_fit():
    with pytest.raises(ShapeError, match=r"input is \(2, 3\) and normalized_shape is \(4,\)"):
        dd.layer_norm(dd.ones(2, 3), 4)
    with pytest.raises(ShapeError, match=r"bias is \(2,\)"):
        dd.layer_norm(dd.ones(2, 3), 3, dd.ones(3), dd.ones(2))


@pytest.mark.parametrize("shape", [(5, 3), (4, 3, 6), (2, 3, 4, 5), (2, 3, 2, 2, 2)])
def test_batch_norm(agrees, shape):
    agrees(
        lambda x, w, b: dd.batch_norm(x, None, None, w, b, training=True),
        lambda x, w, b: F.batch_norm(x, None, None, w, b, training=True),
        shape,
        (3,),
        (3,),
    )
    agrees(
        lambda x: dd.batch_norm(x, None, None, training=True),
        lambda x: F.batch_norm(x, None, None, training=True),
        shape,
    )


def test_running_moments_move_as_pytorchs():
    x = np.random.randn(6, 4, 3).astype("float32")
    mine = [dd.zeros(4), dd.ones(4)]
    theirs = [torch.zeros(4), torch.ones(4)]
    buffers = [t._data for t in mine]
    for momentum in (0.1, 0.5):
        dd.batch_norm(dd.tensor(x), *mine, training=True, momentum=momentum)
        F.batch_norm(torch.tensor(x), *theirs, training=True, momentum=momentum)
    for m, t, buffer in zip(mine, theirs, buffers, strict=True):
        np.testing.assert_allclose(m.numpy(), t.numpy(), rtol=1e-5)
        assert m._data is buffer  # in place: who holds the buffer sees it
    before = mine[0].tolist()
    out = dd.batch_norm(dd.tensor(x), *mine)
    expected = F.batch_norm(torch.tensor(x), *theirs)
    np.testing.assert_allclose(out.numpy(), expected.numpy(), rtol=1e-4, atol=1e-6)
    assert mine[0].tolist() == before


def test_evaluation_has_gradients(agrees):
    mean, var = np.array([0.5, -1.0, 2.0]), np.array([1.0, 0.3, 4.0])
    agrees(
        lambda x, w, b: dd.batch_norm(x, dd.tensor(mean), dd.tensor(var), w, b),
        lambda x, w, b: F.batch_norm(x, torch.tensor(mean), torch.tensor(var), w, b),
        (2, 3, 4),
        (3,),
        (3,),
    )


def test_batch_norm_refusals():
    with pytest.raises(ShapeError, match=r"\(1, 3\) has 1 values per channel"):
        dd.batch_norm(dd.ones(1, 3), None, None, training=True)
    with pytest.raises(ArgumentError, match="no running moments"):
        dd.batch_norm(dd.ones(2, 3), None, None)
    with pytest.raises(ShapeError, match=r"running_var is \(2,\)"):
        dd.batch_norm(dd.ones(2, 3), dd.zeros(3), dd.ones(2))
    with pytest.raises(ShapeError, match=r"input is \(3,\)"):
        dd.batch_norm(dd.ones(3), None, None)


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0])
def test_normalize(agrees, p):
    agrees(lambda x: dd.normalize(x, p), lambda x: F.normalize(x, p), (3, 4))


def test_normalize_of_zeros_has_a_finite_gradient():
    x = dd.zeros(2, 3, requires_grad=True)
    dd.normalize(x).sum().backward()
    assert np.isfinite(x.grad.numpy()).all()
