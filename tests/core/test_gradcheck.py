"""gradcheck and gradgradcheck find what is wrong, at numbers too."""

import pytest

import deepdive as dd
from deepdive.errors import GraphError


class Slanted(dd.Function):
    """x³ with a gradient that is wrong by `off`."""

    @staticmethod
    def forward(ctx, x, off):
        ctx.save_for_backward(x)
        ctx.off = off
        return x**3

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * (3 * x**2 + ctx.off), None


@pytest.mark.parametrize("data", [2.0, [2.0], [[1.0, -3.0]]])
def test_right_and_wrong_gradients(data):
    x = dd.Tensor(data, dtype="float64")
    assert dd.gradcheck(lambda x: Slanted.apply(x, 0.0), x)
    with pytest.raises(GraphError, match="input 0 is wrong at element"):
        dd.gradcheck(lambda x: Slanted.apply(x, 0.1), x)


@pytest.mark.parametrize("data", [2.0, [2.0], [[1.0, -3.0]]])
@pytest.mark.parametrize("function", [lambda x: x**3, lambda x: (x**3).sum()])
def test_second_derivatives_of_numbers_and_sums(function, data):
    assert dd.gradgradcheck(function, dd.Tensor(data, dtype="float64"))
