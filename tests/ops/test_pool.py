"""Pooling against PyTorch, to the second order."""

import numpy as np
import pytest
import torch.nn.functional as F

import deepdive as dd
from deepdive.errors import ArgumentError, ShapeError

WAYS = [
    (2, {}),
    (3, {"stride": 2}),
    (3, {"stride": 1, "padding": 1}),
    (3, {"stride": 2, "ceil_mode": True}),
    ((2, 3), {"stride": (1, 2), "padding": (1, 1), "ceil_mode": True}),
    (2, {"stride": 3, "padding": 1, "ceil_mode": True}),
    (1, {"stride": 2}),
]


@pytest.mark.parametrize(("size", "way"), WAYS, ids=str)
def test_max_pool2d(agrees, size, way):
    agrees(
        lambda x: dd.max_pool2d(x, size, **way),
        lambda x: F.max_pool2d(x, size, **way),
        (2, 3, 7, 6),
    )


def test_dilation(agrees):
    agrees(
        lambda x: dd.max_pool2d(x, 2, 1, 0, 2), lambda x: F.max_pool2d(x, 2, 1, 0, 2), (1, 2, 6, 5)
    )


@pytest.mark.parametrize("include", [True, False])
@pytest.mark.parametrize(("size", "way"), WAYS, ids=str)
def test_avg_pool2d(agrees, size, way, include):
    agrees(
        lambda x: dd.avg_pool2d(x, size, count_include_pad=include, **way),
        lambda x: F.avg_pool2d(x, size, count_include_pad=include, **way),
        (2, 3, 7, 6),
    )


def test_divisor(agrees):
    agrees(
        lambda x: dd.avg_pool2d(x, 2, divisor_override=3),
        lambda x: F.avg_pool2d(x, 2, divisor_override=3),
        (1, 2, 4, 4),
    )


def test_one_axis(agrees):
    agrees(lambda x: dd.max_pool1d(x, 3, 2, 1), lambda x: F.max_pool1d(x, 3, 2, 1), (2, 3, 8))
    agrees(lambda x: dd.avg_pool1d(x, 3, 2, 1), lambda x: F.avg_pool1d(x, 3, 2, 1), (2, 3, 8))
    agrees(lambda x: dd.adaptive_avg_pool1d(x, 3), lambda x: F.adaptive_avg_pool1d(x, 3), (2, 3, 8))


def test_one_sample_without_a_batch(agrees):
    agrees(lambda x: dd.max_pool2d(x, 2), lambda x: F.max_pool2d(x, 2), (3, 4, 4))
    agrees(lambda x: dd.avg_pool2d(x, 2), lambda x: F.avg_pool2d(x, 2), (3, 4, 4))
    agrees(
        lambda x: dd.adaptive_avg_pool2d(x, (2, 3)),
        lambda x: F.adaptive_avg_pool2d(x, (2, 3)),
        (3, 5, 4),
    )


def test_of_equal_ones_the_first_gets_the_gradient(agrees):
    ties = np.array([[1.0, 1.0, 0.0, 2.0], [1.0, 1.0, 2.0, 2.0]]).reshape(1, 1, 2, 4)
    agrees(lambda x: dd.max_pool2d(x, 2), lambda x: F.max_pool2d(x, 2), ties, second=False)
    x = dd.tensor(ties, requires_grad=True)
    dd.max_pool2d(x, 2).sum().backward()
    assert x.grad.tolist() == [[[[1.0, 0.0, 0.0, 1.0], [0.0, 0.0, 0.0, 0.0]]]]


def test_padding_is_never_the_largest(agrees):
    agrees(
        lambda x: dd.max_pool2d(x, 3, 1, 1),
        lambda x: F.max_pool2d(x, 3, 1, 1),
        -1 - np.random.rand(1, 1, 4, 4),
    )


@pytest.mark.parametrize("size", [1, 2, (3, 5), (7, 3), (None, 2), 9])
def test_adaptive(agrees, size):
    agrees(
        lambda x: dd.adaptive_avg_pool2d(x, size),
        lambda x: F.adaptive_avg_pool2d(x, size),
        (2, 3, 7, 6),
    )


def test_empty_batch_and_non_contiguous_input(agrees):
    x = dd.zeros(0, 3, 4, 4, requires_grad=True)
    out = dd.max_pool2d(x, 2)
    out.sum().backward()
    assert out.shape == (0, 3, 2, 2)
    assert dd.avg_pool2d(x, 2).shape == (0, 3, 2, 2)
    agrees(
        lambda x: dd.max_pool2d(x.transpose(1, 3), 2),
        lambda x: F.max_pool2d(x.transpose(1, 3), 2),
        (2, 4, 5, 3),
    )


def test_refusals():
    x = dd.ones(2, 3, 4, 4)
    with pytest.raises(ShapeError, match=r"max_pool2d: input is \(4, 4\)"):
        dd.max_pool2d(dd.ones(4, 4), 2)
    with pytest.raises(ArgumentError, match="padding is at most half the window"):
        dd.avg_pool2d(x, 2, padding=2)
    with pytest.raises(
        ShapeError, match=r"max_pool2d.*a window of 5 is larger than the input of 4"
    ):
        dd.max_pool2d(x, 5)
    with pytest.raises(ShapeError, match="kernel_size has 3 numbers"):
        dd.max_pool2d(x, (2, 2, 2))
