"""Softmax, cross entropy and norms against their formulas in float64."""

import numpy as np
import pytest

from deepdive.errors import DTypeError, ShapeError
from deepdive.kernels import jit
from deepdive.kernels import reductions as r

SHAPES = [(1, 1), (3, 10), (7, 33), (2, 5, 64), (40, 1000), (900, 130)]


def draw(*shape, scale=1.0):
    return (scale * np.random.default_rng(sum(shape)).standard_normal(shape)).astype(np.float32)


def slow_softmax(x):
    e = np.exp(x.astype("d") - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def close(got, want, rtol=1e-5, atol=1e-6):
    np.testing.assert_allclose(got, want, rtol=rtol, atol=atol)


@pytest.mark.parametrize("shape", SHAPES)
def test_softmax(shape):
    x, dy = draw(*shape, scale=20), draw(*shape)
    p = slow_softmax(x)
    close(r.softmax(x), p)
    close(r.softmax_grad(dy, p.astype("f")), p * (dy - (p * dy).sum(-1, keepdims=True)))
    y = np.log(np.maximum(p, 1e-300))
    close(r.softmax(x, logarithm=True), y, atol=1e-5)
    got = r.softmax_grad(dy, y.astype("f"), logarithm=True)
    close(got, dy - p * dy.sum(-1, keepdims=True, dtype="d"), rtol=1e-4, atol=2e-5)


def test_softmax_of_extremes():
    inf, nan = np.inf, np.nan
    x = np.array([[3e38, -3e38, 3e38], [-inf, 0, -inf], [nan, 0, 1], [0, nan, 1]], np.float32)
    got = r.softmax(x)
    np.testing.assert_array_equal(got[:2], [[0.5, 0, 0.5], [0, 1, 0]])
    assert np.isnan(got[2:]).all()
    np.testing.assert_array_equal(r.softmax(x[1:2], logarithm=True), [[-inf, 0, -inf]])


@pytest.mark.parametrize("rows, n", [(1, 1), (5, 10), (64, 10), (300, 1000)])
def test_cross_entropy(rows, n):
    x = draw(rows, n, scale=5)
    target = np.random.default_rng(0).integers(0, n, rows)
    target[rows // 2] = target[0] if rows == 1 else -100
    counted = target >= 0
    p, hot = slow_softmax(x), np.eye(n)[np.maximum(target, 0)]
    loss, dx = r.cross_entropy(x, target)
    close(loss, np.where(counted, -np.log((p * hot).sum(1)), 0), atol=1e-5)
    close(dx, counted[:, None] * (p - hot) / rows)


@pytest.mark.parametrize("shape", SHAPES)
def test_layer_norm(shape):
    x, dy = draw(*shape) + 3, draw(*shape, scale=2)
    g, b = draw(shape[-1]) + 1, draw(shape[-1])
    xd = x.astype("d")
    rstd = 1 / np.sqrt(xd.var(-1, keepdims=True) + 1e-5)
    h = (xd - xd.mean(-1, keepdims=True)) * rstd
    out, mean, inverse = r.layer_norm(x, g, b)
    close(out, h * g + b, atol=2e-5)
    close(mean, xd.mean(-1).ravel())
    dx, dg, db = r.layer_norm_grad(dy, x, g, mean, inverse)
    t, rows = dy * g.astype("d"), tuple(range(x.ndim - 1))
    want = rstd * (t - t.mean(-1, keepdims=True) - h * (t * h).mean(-1, keepdims=True))
    close(dx, want, rtol=1e-4, atol=1e-4)
    close(dg, (dy * h).sum(rows), rtol=1e-4, atol=1e-4)
    close(db, dy.sum(rows, dtype="d"), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("shape", [(4, 3), (2, 5, 7), (3, 4, 6, 5), (16, 8, 40, 40)])
def test_batch_norm(shape):
    x, dy = draw(*shape) + 3, draw(*shape)
    g, b = draw(shape[1]) + 1, draw(shape[1])
    axes = (0, *range(2, x.ndim))
    wide = (1, -1) + (1,) * (x.ndim - 2)
    xd, gd = x.astype("d"), g.astype("d").reshape(wide)
    rstd = 1 / np.sqrt(xd.var(axes, keepdims=True) + 1e-5)
    h = (xd - xd.mean(axes, keepdims=True)) * rstd
    out, mean, inverse = r.batch_norm(x, g, b)
    close(out, h * gd + b.reshape(wide), atol=2e-5)
    dx, dg, db = r.batch_norm_grad(dy, x, g, mean, inverse)
    means = dy.mean(axes, keepdims=True, dtype="d"), (dy * h).mean(axes, keepdims=True)
    close(dx, gd * rstd * (dy - means[0] - h * means[1]), rtol=1e-4, atol=1e-4)
    close(dg, (dy * h).sum(axes), rtol=1e-4, atol=2e-3)
    close(db, dy.sum(axes, dtype="d"), rtol=1e-4, atol=2e-3)


def test_one_thread_and_several_agree(monkeypatch):
    x = draw(1000, 800)
    assert r.COST * x.size > jit.SERIAL
    several = r.softmax(x), r.softmax(x, logarithm=True)
    monkeypatch.setattr(jit.gate, "threads", lambda: 1)
    np.testing.assert_array_equal(r.softmax(x), several[0])
    np.testing.assert_array_equal(r.softmax(x, logarithm=True), several[1])


@pytest.mark.parametrize(
    "call, error, words",
    [
        (lambda x: r.softmax(x.astype("d")), DTypeError, "softmax: the kernel works on float32"),
        (lambda x: r.softmax(x[:, :0]), ShapeError, "at least one element"),
        (lambda x: r.softmax_grad(x, x[:1]), ShapeError, "shapes differ"),
        (lambda x: r.cross_entropy(x, [1]), ShapeError, "one class a row"),
        (lambda x: r.layer_norm(x, x[0, :2], x[0]), ShapeError, "layer_norm: shapes differ"),
        (lambda x: r.batch_norm(x, x[0, :2], x[0]), ShapeError, "batch_norm: shapes differ"),
        (lambda x: r.batch_norm(x[0], x[0], x[0]), ShapeError, "not empty"),
    ],
)
def test_errors(call, error, words):
    with pytest.raises(error, match=words):
        call(draw(2, 3))
