"""Sizes given in every way there is, and what is said of those that are none."""

import numpy as np
import pytest

import deepdive as dd
from deepdive.errors import ArgumentError, DTypeError, ShapeError

MAKERS = [dd.zeros, dd.ones, dd.empty, dd.rand, dd.randn]


@pytest.mark.parametrize("make", MAKERS)
def test_sizes_one_by_one_or_as_a_sequence(make):
    for size in [(2, 3), ((2, 3),), ([2, 3],), (np.array([2, 3]),), (np.int64(2), dd.tensor(3))]:
        assert make(*size).shape == (2, 3)
    for size in [(4,), (np.int64(4),), (dd.tensor(4),), ((4,),)]:
        assert make(*size).shape == (4,)
    assert make().shape == make(()).shape == ()


@pytest.mark.parametrize("make", MAKERS)
def test_what_is_no_size(make):
    name = make.__name__
    with pytest.raises(ShapeError, match=rf"^{name}: -1 is no size, in shape \(2, -1\)"):
        make(2, -1)
    with pytest.raises(DTypeError, match=rf"^{name}: a size must be an integer\n  got: 2\.5"):
        make(2.5)


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda: dd.full(-1, 0.0), ShapeError, "full: -1 is no size"),
        (lambda: dd.full((2, 0.5), 0.0), DTypeError, "full: a size must be an integer"),
        (lambda: dd.eye(-2), ShapeError, "eye: -2 is no size"),
        (lambda: dd.linspace(0, 1, -3), ShapeError, "linspace: -3 is no size"),
        (lambda: dd.randperm(-1), ShapeError, "randperm: -1 is no size"),
        (lambda: dd.randint(0, 5, (2, -2)), ShapeError, "randint: -2 is no size"),
        (lambda: dd.arange(0, 5, 0), ArgumentError, "arange: step 0 never arrives"),
    ],
)
def test_what_else_is_no_size(call, kind, words):
    with pytest.raises(kind, match=f"^{words}"):
        call()
