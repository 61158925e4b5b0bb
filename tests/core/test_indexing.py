"""Reading parts of a tensor is NumPy's indexing, and its gradient counts what was read."""

import hypothesis.extra.numpy as numbers
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import deepdive as dd
from deepdive import Tensor
from deepdive.errors import DeepDiveError, DTypeError

SHAPES = numbers.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)


@st.composite
def shapes_and_indices(draw):
    """A shape and an index for it: ints, slices, None, Ellipsis, integer arrays or a mask."""
    shape = draw(SHAPES)
    kind = draw(st.sampled_from(["basic", "arrays", "mask", "mixed"]))
    if kind == "mask":
        dims = draw(st.integers(0, len(shape)))
        return shape, draw(numbers.arrays(bool, shape[:dims]))
    if kind == "arrays" and shape and 0 not in shape:
        return shape, draw(numbers.integer_array_indices(shape))
    if kind == "mixed" and len(shape) > 1 and shape[0]:
        rows = draw(
            numbers.arrays(
                np.int64, st.integers(0, 5), elements=st.integers(-shape[0], shape[0] - 1)
            )
        )
        return shape, (
            rows,
            draw(numbers.basic_indices(shape[1:2], allow_newaxis=True, allow_ellipsis=False)),
        )
    return shape, draw(numbers.basic_indices(shape, allow_newaxis=True, max_dims=8))


def flat(index):
    """A mixed index as one tuple."""
    if isinstance(index, tuple) and index and isinstance(index[-1], tuple):
        return (*index[:-1], *index[-1])
    return index


@settings(max_examples=300, deadline=None)
@given(shapes_and_indices())
def test_values_and_gradients(case):
    shape, index = case[0], flat(case[1])
    array = np.arange(1.0, 1.0 + np.prod(shape, dtype=int)).reshape(shape)
    expected = array[index]
    x = Tensor(array)
    out = x[index]
    np.testing.assert_array_equal(out.numpy(), expected)
    assert out.shape == np.shape(expected)
    weight = np.random.default_rng(0).standard_normal(np.shape(expected))
    out.backward(weight)
    slope = np.zeros(shape)
    np.add.at(slope, index, weight)
    np.testing.assert_allclose(x.grad, slope)


@settings(max_examples=100, deadline=None)
@given(shapes_and_indices())
def test_writing(case):
    shape, index = case[0], flat(case[1])
    array = np.zeros(shape)
    array[index] = 5.0
    plain, tracked = dd.zeros(shape, dtype="float64"), Tensor(np.zeros(shape)) * 1
    plain[index] = 5.0
    tracked[index] = 5.0
    np.testing.assert_array_equal(plain.numpy(), array)
    np.testing.assert_array_equal(tracked.numpy(), array)


def test_what_is_read_twice_gets_both_gradients():
    x = Tensor([1.0, 2.0, 3.0])
    x[[0, 0, 2]].backward([1.0, 10.0, 100.0])
    assert x.grad.tolist() == [11.0, 0.0, 100.0]


def test_tensors_and_lists_as_indices():
    x = dd.tensor(np.arange(12.0).reshape(3, 4))
    i = dd.tensor([2, 0])
    assert x[i].tolist() == x[[2, 0]].tolist() == x.numpy()[[2, 0]].tolist()
    assert x[i, 1].tolist() == [9.0, 1.0]
    assert x[dd.tensor(1)].tolist() == x[1].tolist()
    assert x[x > 8].tolist() == [9.0, 10.0, 11.0]
    assert x[:, dd.tensor([True, False, False, True])].shape == (3, 2)
    assert x[[]].shape == (0, 4)
    assert x[..., None, 0].shape == (3, 1)


def test_second_derivatives():
    x = Tensor(np.array([1.0, 2.0, 3.0]))
    assert dd.gradgradcheck(lambda x: x[np.array([0, 0, 2])] ** 3, x)
    assert dd.gradgradcheck(lambda x: x[::-1][1:] ** 3, x)


@pytest.mark.parametrize("index", [5, -4, (0, 0), [0, 3], (slice(None), 1), np.zeros(4, bool)])
def test_out_of_range(index):
    with pytest.raises((IndexError, DeepDiveError)) as caught:
        Tensor([1.0, 2.0, 3.0])[index]
    assert isinstance(caught.value, DeepDiveError)
    assert "getitem" in str(caught.value)


@pytest.mark.parametrize("index", [1.5, [0.5], "a", dd.tensor([1.0])])
def test_what_is_no_index(index):
    with pytest.raises(DTypeError, match="getitem"):
        Tensor([1.0, 2.0, 3.0])[index]


def test_views_share_memory_when_nothing_is_tracked():
    x = dd.zeros(3)
    x[1:].add_(1)
    assert x.tolist() == [0.0, 1.0, 1.0]
