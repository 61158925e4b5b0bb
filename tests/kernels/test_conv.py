"""Convolution and its gradients against a slow twin: one float64 product a tap."""

import os
import subprocess
import sys

import numpy as np
import pytest

from deepdive.errors import DTypeError, ShapeError
from deepdive.kernels import conv, jit, vector

# B, C, H, W, O, kernel, stride, padding, dilation, groups
CASES = [
    (2, 3, 9, 11, 5, (3, 3), (1, 1), (0, 0), (1, 1), 1),
    (3, 1, 28, 28, 4, (3, 3), (1, 1), (0, 0), (1, 1), 1),
    (2, 4, 13, 17, 6, (3, 2), (2, 2), (1, 1), (1, 1), 2),
    (2, 6, 14, 14, 16, (5, 5), (1, 1), (0, 0), (1, 1), 1),
    (1, 8, 30, 30, 8, (3, 3), (2, 1), (1, 2), (1, 2), 4),
    (1, 3, 20, 31, 10, (1, 1), (2, 2), (0, 0), (1, 1), 1),
    (2, 2, 7, 7, 9, (7, 7), (1, 1), (3, 3), (1, 1), 1),
    (1, 64, 50, 70, 9, (3, 3), (1, 1), (1, 1), (1, 1), 1),  # several strips
    (5, 8, 12, 12, 8, (3, 3), (1, 1), (2, 2), (2, 2), 8),  # depthwise
    (1, 2, 5, 5, 3, (2, 2), (1, 1), (3, 3), (1, 1), 1),  # more padding than kernel
    (2, 3, 16, 16, 8, (4, 4), (4, 4), (0, 0), (1, 1), 1),  # patches
    (2, 3, 10, 11, 4, (2, 2), (3, 3), (0, 0), (1, 1), 1),  # pixels that no tap sees
    (1, 2, 12, 12, 3, (3, 3), (2, 2), (1, 1), (2, 2), 1),
    (1, 1, 3, 3, 1, (3, 3), (1, 1), (0, 0), (1, 1), 1),
]


def draw(*shape):
    return np.random.default_rng(sum(shape)).standard_normal(shape).astype(np.float32)


def taps(case, x, visit):
    """Call ``visit(i, j, view of x)`` for each tap: what it reads, per group and output pixel."""
    (kh, kw), (sh, sw), (ph, pw), (dh, dw), groups = case[5:]
    B, C, H, W = x.shape
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw))).astype("d")
    OH, OW = (H + 2 * ph - dh * (kh - 1) - 1) // sh + 1, (W + 2 * pw - dw * (kw - 1) - 1) // sw + 1
    for i in range(kh):
        for j in range(kw):
            rows = slice(i * dh, i * dh + (OH - 1) * sh + 1, sh)
            columns = slice(j * dw, j * dw + (OW - 1) * sw + 1, sw)
            visit(i, j, padded[:, :, rows, columns].reshape(B, groups, C // groups, OH, OW))


def slow_forward(case, x, w):
    w = w.reshape(case[-1], -1, *w.shape[1:]).astype("d")
    parts = []
    taps(case, x, lambda i, j, v: parts.append(np.einsum("goc,bgchw->bgohw", w[..., i, j], v)))
    total = sum(parts)
    return total.reshape(total.shape[0], -1, *total.shape[-2:])


def make(case):
    B, C, H, W, O, kernel, stride, padding, dilation, groups = case  # noqa: E741
    geometry = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    return draw(B, C, H, W), draw(O, C // groups, *kernel), geometry


def close(got, want):
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-5 * np.abs(want).max())


@pytest.mark.parametrize("case", CASES, ids=str)
def test_forward_and_gradients(case):
    x, w, geometry = make(case)
    bias = draw(w.shape[0])
    y = conv.conv2d(x, w, bias, **geometry)
    want = slow_forward(case, x, w)
    close(y, want + bias[:, None, None])
    dy = draw(*y.shape)
    dx = conv.conv2d_input_grad(dy, w, x.shape, **geometry)
    dw = conv.conv2d_weight_grad(dy, x, w.shape, **geometry)
    slow_dx, slow_dw = slow_gradients(case, x, w, dy)
    close(dx, slow_dx)
    close(dw, slow_dw)


def slow_gradients(case, x, w, dy):
    (_, _), (sh, sw), (ph, pw), (dh, dwi), groups = case[5:]
    (B, C, H, W), (OH, OW) = x.shape, dy.shape[2:]
    grad = dy.reshape(B, groups, -1, OH, OW).astype("d")
    weight = w.reshape(groups, -1, *w.shape[1:]).astype("d")
    dx = np.zeros((B, groups, C // groups, H + 2 * ph, W + 2 * pw))
    dw = np.zeros(weight.shape)

    def visit(i, j, view):
        dw[..., i, j] = np.einsum("bgohw,bgchw->goc", grad, view)
        rows = slice(i * dh, i * dh + (OH - 1) * sh + 1, sh)
        columns = slice(j * dwi, j * dwi + (OW - 1) * sw + 1, sw)
        dx[..., rows, columns] += np.einsum("goc,bgohw->bgchw", weight[..., i, j], grad)

    taps(case, x, visit)
    return dx[..., ph : ph + H, pw : pw + W].reshape(x.shape), dw.reshape(w.shape)


def test_activation_and_out():
    x, w, geometry = make(CASES[3])
    out = np.full((2, 16, 10, 10), np.nan, np.float32)
    assert conv.conv2d(x, w, out=out, activation="relu", **geometry) is out
    close(out, np.maximum(slow_forward(CASES[3], x, w), 0))
    dx = np.full(x.shape, np.nan, np.float32)
    close(conv.conv2d_input_grad(out, w, x.shape, out=dx), slow_gradients(CASES[3], x, w, out)[0])


def test_one_thread_and_several_agree(monkeypatch):
    x, w, dy = draw(7, 8, 24, 24), draw(16, 8, 3, 3), draw(7, 16, 22, 22)
    assert 2 * dy.size * 72 > jit.SERIAL

    def three():
        dw = conv.conv2d_weight_grad(dy, x, w.shape)
        return conv.conv2d(x, w), conv.conv2d_input_grad(dy, w, x.shape), dw

    several = three()
    monkeypatch.setattr(jit.gate, "threads", lambda: 1)
    for a, b in zip(three(), several, strict=True):
        close(a, b)


@pytest.mark.parametrize(
    "call, error, words",
    [
        (lambda x, w: conv.conv2d(x[0], w), ShapeError, "x has four dimensions"),
        (lambda x, w: conv.conv2d(x, w[:, :1]), ShapeError, "channels and groups do not fit"),
        (lambda x, w: conv.conv2d(x[:, :, :2], w), ShapeError, "larger than the padded input"),
        (lambda x, w: conv.conv2d(x.astype("d"), w), DTypeError, "x is float64"),
        (
            lambda x, w: conv.conv2d_input_grad(x, w, x.shape),
            ShapeError,
            r"expected: \(2, 4, 3, 3\)",
        ),
        (lambda x, w: conv.conv2d(x, w, out=x), ShapeError, "out must be contiguous"),
    ],
)
def test_errors(call, error, words):
    with pytest.raises(error, match=words):
        call(draw(2, 3, 5, 5), draw(4, 3, 3, 3))


NARROW = """
import numpy as np
from deepdive.kernels import conv, vector
assert vector.WIDTH == 8 and conv.BLOCK == 24
rng = np.random.default_rng(0)
x, w = rng.random((2, 3, 19, 21), "f"), rng.random((5, 3, 3, 3), "f")
dy = rng.random((2, 5, 17, 19), "f")
pixels = np.lib.stride_tricks.sliding_window_view(x.astype("d"), (3, 3), (2, 3))
np.testing.assert_allclose(conv.conv2d(x, w), np.einsum("bchwij,ocij->bohw", pixels, w), rtol=1e-5)
dw = conv.conv2d_weight_grad(dy, x, w.shape)
np.testing.assert_allclose(dw, np.einsum("bchwij,bohw->ocij", pixels, dy), rtol=1e-5)
wide = np.pad(dy.astype("d"), ((0, 0), (0, 0), (2, 2), (2, 2)))
pixels = np.lib.stride_tricks.sliding_window_view(wide, (3, 3), (2, 3))
dx, turned = conv.conv2d_input_grad(dy, w, x.shape), w[..., ::-1, ::-1]
np.testing.assert_allclose(dx, np.einsum("bohwij,ocij->bchw", pixels, turned), rtol=1e-5)
"""


@pytest.mark.skipif(vector.SIMD not in ("avx512", "avx2"), reason="needs an x86 CPU with AVX2")
def test_the_avx2_tile():
    env = {**os.environ, "DEEPDIVE_SIMD": "avx2"}
    subprocess.run([sys.executable, "-c", NARROW], env=env, check=True, timeout=120)
