"""Dropout: shares, scale, one mask forward and backward, the seed."""

import numpy as np
import pytest

import deepdive as dd
from deepdive.errors import ArgumentError, ShapeError


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_the_share_of_zeros_and_the_scale_of_the_rest(p):
    out = dd.dropout(dd.ones(200, 200), p).numpy()
    assert (out == 0).mean() == pytest.approx(p, abs=0.01)
    np.testing.assert_allclose(out[out != 0], 1 / (1 - p), rtol=1e-6)
    assert out.mean() == pytest.approx(1, abs=0.05)


def test_the_gradient_has_the_mask_of_the_values():
    x = dd.ones(1000, requires_grad=True)
    out = dd.dropout(x, 0.3)
    out.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), out.detach().numpy())


def test_second_order_sees_the_same_mask():
    x = dd.ones(1000, requires_grad=True)
    out = dd.dropout(x * x, 0.5)
    (slope,) = dd.grad(out.sum(), [x], create_graph=True)
    slope.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), 2 * out.detach().numpy())


def test_the_seed_decides():
    x = dd.ones(100)
    dd.manual_seed(3)
    first, second = dd.dropout(x), dd.dropout(x)
    dd.manual_seed(3)
    again = dd.dropout(x)
    assert first.tolist() == again.tolist()
    assert first.tolist() != second.tolist()


def test_nothing_and_everything():
    x = dd.randn(3, 4, requires_grad=True)
    assert dd.dropout(x, 0.0) is x
    assert dd.dropout(x, 0.7, training=False) is x
    gone = dd.dropout(x, 1.0)
    gone.sum().backward()
    assert not gone.detach().numpy().any()
    assert not x.grad.numpy().any()


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_whole_channels_go(axes):
    function = getattr(dd, f"dropout{axes}d")
    out = function(dd.ones(20, 30, *(2,) * axes), 0.5).numpy().reshape(20, 30, -1)
    assert ((out == 0).all(-1) | (out == 2).all(-1)).all()
    assert 0.4 < (out == 0).mean() < 0.6
    with pytest.raises(ShapeError, match=rf"dropout{axes}d: x is \(3,\)"):
        function(dd.ones(3))


def test_p_is_a_probability():
    with pytest.raises(ArgumentError, match=r"(?s)dropout.*1.5.*0 <= p <= 1"):
        dd.dropout(dd.ones(3), 1.5)
