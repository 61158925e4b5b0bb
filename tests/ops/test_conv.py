"""Convolutions against PyTorch, to the second order, and against the definition."""

import itertools

import numpy as np
import pytest
import torch.nn.functional as F

import deepdive as dd
from deepdive.backend import numpy_convolution
from deepdive.errors import ArgumentError, ShapeError

WAYS = [
    {},
    {"stride": 2},
    {"padding": 1},
    {"dilation": 2},
    {"stride": 2, "padding": 1, "dilation": 2},
    {"stride": (1, 3), "padding": (2, 0)},
    {"padding": "same"},
    {"padding": "same", "dilation": 2},
    {"padding": "valid"},
]


def slow_conv2d(x, w, stride=1):
    """The definition, one output pixel at a time."""
    (batch, _, h, width), (count, _, k, m) = x.shape, w.shape
    out = np.zeros((batch, count, (h - k) // stride + 1, (width - m) // stride + 1))
    for b, o, i, j in itertools.product(*map(range, out.shape)):
        window = x[b, :, i * stride : i * stride + k, j * stride : j * stride + m]
        out[b, o, i, j] = (window * w[o]).sum()
    return out


@pytest.mark.parametrize("stride", [1, 2])
def test_the_definition(stride):
    x, w = np.random.randn(2, 3, 6, 5), np.random.randn(4, 3, 3, 2)
    out = dd.conv2d(dd.tensor(x), dd.tensor(w), stride=stride)
    np.testing.assert_allclose(out.numpy(), slow_conv2d(x, w, stride))


@pytest.mark.filterwarnings("ignore:Using padding='same'")
@pytest.mark.parametrize("way", WAYS, ids=str)
def test_conv2d(agrees, way):
    agrees(
        lambda x, w, b: dd.conv2d(x, w, b, **way),
        lambda x, w, b: F.conv2d(x, w, b, **way),
        (2, 3, 7, 8),
        (4, 3, 3, 2),
        (4,),
    )


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize(("groups", "weight"), [(2, (6, 2, 3, 3)), (4, (4, 1, 3, 3))])
def test_groups(agrees, groups, weight, stride):
    agrees(
        lambda x, w: dd.conv2d(x, w, stride=stride, groups=groups),
        lambda x, w: F.conv2d(x, w, stride=stride, groups=groups),
        (2, 4, 5, 5),
        weight,
    )


@pytest.mark.parametrize("stride", [1, 2])
def test_other_numbers_of_axes(agrees, stride):
    agrees(
        lambda x, w, b: dd.conv1d(x, w, b, stride, 1),
        lambda x, w, b: F.conv1d(x, w, b, stride, 1),
        (2, 3, 7),
        (4, 3, 3),
        (4,),
    )
    agrees(
        lambda x, w: dd.conv3d(x, w, None, stride),
        lambda x, w: F.conv3d(x, w, None, stride),
        (1, 2, 4, 3, 4),
        (2, 2, 3, 2, 2),
    )


def test_one_sample_without_a_batch(agrees):
    agrees(dd.conv2d, F.conv2d, (3, 5, 5), (4, 3, 3, 3), (4,))


def test_one_pixel_and_no_sample(agrees):
    agrees(dd.conv2d, F.conv2d, (2, 3, 3, 3), (4, 3, 3, 3))
    agrees(dd.conv2d, F.conv2d, (2, 3, 4, 4), (4, 3, 1, 1))
    x, w = dd.zeros(0, 3, 5, 5, requires_grad=True), dd.ones(4, 3, 3, 3, requires_grad=True)
    out = dd.conv2d(x, w)
    out.sum().backward()
    assert out.shape == (0, 4, 3, 3)
    assert not w.grad.numpy().any()


def test_non_contiguous_input(agrees):
    agrees(
        lambda x, w: dd.conv2d(x.transpose(1, 3), w.transpose(2, 3)),
        lambda x, w: F.conv2d(x.transpose(1, 3), w.transpose(2, 3)),
        (2, 5, 6, 3),
        (4, 3, 2, 3),
    )


def test_large_batches_are_cut_into_blocks(agrees, monkeypatch):
    monkeypatch.setattr(numpy_convolution, "BLOCK", 300)
    for stride in (1, 2):
        agrees(
            lambda x, w, s=stride: dd.conv2d(x, w, stride=s),
            lambda x, w, s=stride: F.conv2d(x, w, stride=s),
            (5, 2, 5, 5),
            (3, 2, 3, 3),
        )


def test_the_method_takes_the_padding_first():
    x, w = dd.randn(2, 3, 7, 7), dd.randn(4, 3, 3, 3)
    expected = dd.conv2d(x, w, padding=1, stride=2)
    np.testing.assert_array_equal(x.conv2d(w, 1, 2).numpy(), expected.numpy())


def test_refusals():
    x, w = dd.ones(2, 3, 5, 5), dd.ones(4, 3, 3, 3)
    with pytest.raises(ShapeError, match=r"conv2d.*3 channels != 2"):
        dd.conv2d(x, dd.ones(4, 2, 3, 3))
    with pytest.raises(ShapeError, match=r"(?s)a window of 6 is larger than the input of 5"):
        dd.conv2d(x, dd.ones(4, 3, 6, 6))
    with pytest.raises(ShapeError, match=r"input is \(5, 5\)"):
        dd.conv2d(dd.ones(5, 5), w)
    with pytest.raises(ShapeError, match=r"(?s)stride has 3 numbers.*1 or 2"):
        dd.conv2d(x, w, stride=(1, 1, 1))
    with pytest.raises(ArgumentError, match="'same' needs a stride of 1"):
        dd.conv2d(x, w, stride=2, padding="same")
    with pytest.raises(ArgumentError, match="padding 'full'"):
        dd.conv2d(x, w, padding="full")
