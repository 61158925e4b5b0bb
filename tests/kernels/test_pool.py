"""Pooling against windows taken with NumPy."""

import numpy as np
import pytest

from deepdive.errors import DTypeError, ShapeError
from deepdive.kernels import pool

# shape, window, stride, padding
CASES = [
    ((2, 3, 8, 8), 2, None, 0),
    ((1, 2, 24, 27), 2, 2, 0),
    ((2, 2, 9, 11), (3, 2), (2, 1), (1, 0)),
    ((1, 1, 5, 5), 5, 1, 2),
    ((3, 1, 7, 40), 3, 2, 1),
    ((1, 2, 10, 10), 2, 3, 0),
    ((32, 64, 24, 24), 2, None, 0),  # on several threads
]


def draw(*shape):
    return np.random.default_rng(sum(shape)).standard_normal(shape).astype(np.float32)


def windows(x, window, stride, padding, fill):
    """(B, C, OH, OW, kh, kw) in float64."""
    k = np.broadcast_to(window, 2)
    s = k if stride is None else np.broadcast_to(stride, 2)
    p = np.broadcast_to(padding, 2)
    edges = ((0, 0), (0, 0), (p[0], p[0]), (p[1], p[1]))
    padded = np.pad(x.astype("d"), edges, constant_values=fill)
    return np.lib.stride_tricks.sliding_window_view(padded, k, (2, 3))[:, :, :: s[0], :: s[1]]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_max(case):
    x = draw(*case[0])
    out, where = pool.max_pool2d(x, *case[1:])
    np.testing.assert_array_equal(out, windows(x, *case[1:], -np.inf).max((-2, -1)))
    flat = x.reshape(*x.shape[:2], -1)
    picked = np.take_along_axis(flat, where.reshape(*where.shape[:2], -1), -1)
    np.testing.assert_array_equal(picked.reshape(out.shape), out)
    dy, want = draw(*out.shape), np.zeros(flat.shape, "d")
    images, channels = np.ogrid[: x.shape[0], : x.shape[1]]
    np.add.at(want, (images[..., None, None], channels[..., None, None], where), dy)
    got = pool.max_pool2d_grad(dy, where, x.shape)
    np.testing.assert_allclose(got, want.reshape(x.shape), atol=1e-5)


def test_max_takes_the_first_of_equals_and_shows_nan():
    x = np.zeros((1, 1, 2, 4), np.float32)
    x[0, 0, 1, 3] = np.nan
    out, where = pool.max_pool2d(x, 2)
    np.testing.assert_array_equal(out, [[[[0, np.nan]]]])
    assert where.ravel().tolist() == [0, 7]
    out, where = pool.max_pool2d(np.full((1, 1, 2, 2), -np.inf, np.float32), 2)
    assert out.item() == -np.inf and where.item() == 0


@pytest.mark.parametrize("case", CASES, ids=str)
def test_average(case):
    x = draw(*case[0])
    out = pool.avg_pool2d(x, *case[1:])
    np.testing.assert_allclose(out, windows(x, *case[1:], 0).mean((-2, -1)), atol=1e-6)
    dy, other = draw(*out.shape), draw(*x.shape)
    dx = pool.avg_pool2d_grad(dy, x.shape, *case[1:])
    # the gradient of a linear function is its transpose: <dy, pool(z)> = <dx, z> for every z
    slow = windows(other, *case[1:], 0).mean((-2, -1))
    np.testing.assert_allclose(
        (dx.astype("d") * other).sum(), (dy * slow).sum(), rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize(
    "call, error, words",
    [
        (lambda x: pool.max_pool2d(x, 5), ShapeError, "larger than the padded input"),
        (lambda x: pool.max_pool2d(x, 2, padding=2), ShapeError, "twice the padding"),
        (lambda x: pool.avg_pool2d(x[0], 2), ShapeError, "four dimensions"),
        (lambda x: pool.avg_pool2d(x.astype("d"), 2), DTypeError, "float32"),
        (
            lambda x: pool.avg_pool2d_grad(x, (1, 1, 11, 11), 2),
            ShapeError,
            r"expected: \(1, 1, 5, 5\)",
        ),
    ],
)
def test_errors(call, error, words):
    with pytest.raises(error, match=words):
        call(draw(1, 1, 4, 4))
