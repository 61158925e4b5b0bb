"""Reductions and sorting at the edge: wrong axes, wrong arguments, what cannot be chosen."""

import inspect

import numpy as np
import pytest

import deepdive as dd
from deepdive.errors import ArgumentError, DeepDiveError, DTypeError, ShapeError

NAMES = """
    sum mean prod amax amin argmax argmin all any max min std var std_mean var_mean median nanmedian
    mode cumsum cumprod cummax cummin logcumsumexp logsumexp norm nansum nanmean count_nonzero
    aminmax sort argsort unique unique_consecutive
"""
ALONG: dict[str, tuple[float, ...]] = dict.fromkeys(NAMES.split(), ())
ALONG |= {"topk": (1,), "kthvalue": (1,), "quantile": (0.5,), "nanquantile": (0.5,)}


@pytest.mark.parametrize("shape", [(2, 3), (), (0, 3)])
@pytest.mark.parametrize("name", ALONG)
def test_an_axis_that_is_not_there(name, shape):
    x = dd.tensor(np.zeros(shape))
    for dim in (5, -4):
        with pytest.raises(DeepDiveError) as caught:
            getattr(dd, name)(x, *ALONG[name], dim=dim)
        assert str(dim) in str(caught.value) and "axis" in str(caught.value)


@pytest.mark.parametrize("name", ALONG)
def test_an_argument_that_is_not_there(name):
    with pytest.raises(DeepDiveError, match=f"{name}: unknown argument 'dimm'"):
        getattr(dd, name)(dd.ones(2, 3), *ALONG[name], dimm=1)


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda x: x.topk(9), ShapeError, "topk: k is out of range"),
        (lambda x: x.kthvalue(0), ShapeError, "kthvalue: k is out of range"),
        (lambda x: x.quantile(1.5), ArgumentError, "q is a share"),
        (lambda x: x.quantile(0.5, interpolation="cubic"), ArgumentError, "unknown interpolation"),
        (lambda x: x.quantile(dd.ones(2, 2)), ShapeError, "q is a number or a vector"),
        (lambda x: x[:0].median(0), ShapeError, "nothing to choose from"),
        (lambda x: x[:0].mode(0), ShapeError, "nothing to choose from"),
        (lambda x: x[:0].max(), ShapeError, "nothing to choose from"),
        (lambda x: dd.searchsorted(x, x[0]), ShapeError, "leading axes"),
        (lambda x: dd.searchsorted(x[0], x, side="up"), ArgumentError, "unknown side"),
        (lambda x: x[0].trace(), ShapeError, "trace: of a matrix"),
        (lambda x: x.norm("nuc"), ArgumentError, "matrix_norm"),
        (lambda x: x.clamp(), ArgumentError, "neither min nor max"),
        (lambda x: x.div(x, rounding_mode="up"), ArgumentError, "unknown rounding_mode"),
        (lambda x: x << 1, DTypeError, "no bits to move"),
        (lambda x: dd.polygamma(-1, x), ArgumentError, "n counts derivatives"),
        (lambda x: dd.mvlgamma(x, 0), ArgumentError, "p is a size"),
        (lambda x: x.bool().positive(), DTypeError, "no sign"),
        (lambda x: x.long().add(1, alpha=0.5), DTypeError, "whole alpha"),
        (lambda x: x.sort(True), ArgumentError, "by name"),
        (lambda x: x + dd.ones(4), ShapeError, "do not broadcast"),
    ],
)
def test_wrong_arguments(call, kind, words):
    with pytest.raises(kind, match=words):
        call(dd.ones(2, 3))


def test_pairs_have_names():
    x = dd.tensor([3.0, 1.0, 2.0])
    assert x.sort().values.tolist() == [1.0, 2.0, 3.0] and x.sort().indices.tolist() == [1, 2, 0]
    values, indices = x.topk(2)
    assert values.tolist() == [3.0, 2.0] and indices.tolist() == [0, 2]
    assert dd.aminmax(x).min.item() == 1.0 and dd.aminmax(x).max.item() == 3.0


def test_python_answers():
    x = dd.tensor([1.0, 2.0])
    assert dd.allclose(x, x + 1e-9) is True and x.equal(x + 1e-3) is False
    assert dd.equal(x, dd.ones(3)) is False


def test_third_derivatives():
    """Special functions differentiate on and on: d³/dx³ log Γ = ψ''."""
    x = dd.tensor([0.7, 2.5], dtype="float64", requires_grad=True)
    [first] = dd.grad(dd.lgamma(x).sum(), [x], create_graph=True)
    [second] = dd.grad(first.sum(), [x], create_graph=True)
    [third] = dd.grad(second.sum(), [x])
    np.testing.assert_allclose(third.numpy(), dd.polygamma(2, x.detach()).numpy(), rtol=1e-12)


def test_special_is_complete_and_says_what_it_has_not():
    from deepdive import special

    for name in dir(special):
        assert callable(getattr(special, name))
    with pytest.raises(AttributeError, match="no attribute 'bessel_j0'"):
        _ = special.bessel_j0
    assert inspect.getdoc(special.erfinv)
