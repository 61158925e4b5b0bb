"""The matrix product against float64: shapes around every block edge, strides, epilogues."""

import math
import os
import subprocess
import sys
import threading

import numba
import numpy as np
import pytest

from deepdive.errors import ArgumentError, DTypeError, ShapeError
from deepdive.kernels import gemm, jit, vector

R, C, D = gemm.ROWS, gemm.COLUMNS, gemm.DEPTH
SIZES = [
    (1, 1, 1),
    (1, 300, 70),
    (300, 1, 70),
    (R, C, 1),
    (R + 1, C + 1, D + 1),
    (R - 1, C - 1, D - 1),
    (64, 10, 128),
    (13 * R + 5, 3 * C + 7, 31),
    (2 * R, gemm.BREADTH + 40, 20),
    (gemm.HEIGHT + 9, 9 * C + 3, 2 * D + 5),
    (5, 6, 0),
    (0, 6, 5),
    (6, 0, 5),
]


def draw(*shape):
    return np.random.default_rng(math.prod(shape)).standard_normal(shape).astype(np.float32)


def close(got, want, depth):
    """Within what rounding a sum of so many products may cost."""
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=2e-6 * math.sqrt(depth + 1))


@pytest.mark.parametrize("trans_b", [False, True])
@pytest.mark.parametrize("trans_a", [False, True])
@pytest.mark.parametrize("M, N, K", SIZES)
def test_sizes_and_transposes(M, N, K, trans_a, trans_b):
    a, b = draw(*((K, M) if trans_a else (M, K))), draw(*((N, K) if trans_b else (K, N)))
    want = (a.T if trans_a else a).astype("d") @ (b.T if trans_b else b).astype("d")
    close(gemm.matmul(a, b, trans_a=trans_a, trans_b=trans_b), want, K)


def test_alpha_beta_and_out():
    a, b, out = draw(20, 30), draw(30, 40), draw(20, 40)
    want = 0.5 * a.astype("d") @ b - 2.0 * out.astype("d")
    assert gemm.matmul(a, b, out, alpha=0.5, beta=-2.0) is out
    close(out, want, 30)


def test_beta_zero_forgets_nan_and_neighbours_stay():
    frame = np.full((R + 3, 2 * C + 9), np.nan, np.float32)
    a, b = draw(R + 1, 7), draw(7, C + 3)
    gemm.matmul(a, b, frame[1:-1, 2 : C + 5])
    close(frame[1:-1, 2 : C + 5], a.astype("d") @ b, 7)
    frame[1:-1, 2 : C + 5] = np.nan
    assert np.isnan(frame).all()


def test_any_strides():
    a, b = draw(40, 60)[::2, ::3], draw(50, 80)[5:45:2, ::-4]
    out = np.zeros((20, 20), np.float32, order="F")
    gemm.matmul(a, b, out)
    close(out, a.astype("d") @ b.astype("d"), 20)


@pytest.mark.parametrize(
    "a, b", [((6, 17, 9), (6, 9, 21)), ((17, 9), (6, 9, 21)), ((1, 40, 9), (9, 5))]
)
def test_batches(a, b):
    a, b = draw(*a), draw(*b)
    close(gemm.matmul(a, b), a.astype("d") @ b.astype("d"), 9)
    turned = np.ascontiguousarray(b.mT)
    close(gemm.matmul(a, turned, trans_b=True), a.astype("d") @ b.astype("d"), 9)


SLOW = {
    None: lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "tanh": np.tanh,
    "gelu": lambda x: x / 2 * (1 + np.vectorize(math.erf)(x / math.sqrt(2))),
    "gelu_tanh": lambda x: x / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
    "silu": lambda x: x / (1 + np.exp(-x)),
}


@pytest.mark.parametrize("activation", SLOW)
def test_bias_and_activation(activation):
    a, b, bias = draw(19, 2 * D + 5), draw(2 * D + 5, C + 9), draw(C + 9)
    got = gemm.matmul(a / 16, b / 16, bias=bias, activation=activation)
    want = SLOW[activation](a.astype("d") @ b.astype("d") / 256 + bias)
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=3e-6)


def test_serial_core_inside_a_compiled_function():
    @numba.njit
    def twice(a, b, c, work):
        gemm.gemm(a, b, c, np.float32(1), np.float32(0), work)
        gemm.gemm(a, b, c, np.float32(1), np.float32(1), work)

    a, b, c = draw(30, 20), draw(20, 33), draw(30, 33)
    twice(a, b, c, np.empty(gemm.WORK, np.float32))
    close(c, 2 * a.astype("d") @ b, 20)


def test_threads_agree_bit_for_bit(monkeypatch):
    a, b = draw(150, 300), draw(300, 170)
    want = gemm.matmul(a, b)
    assert jit.SERIAL < 2.0 * 150 * 170 * 300
    monkeypatch.setattr(jit.gate, "threads", lambda: 1)
    np.testing.assert_array_equal(gemm.matmul(a, b), want)


def test_several_python_threads_at_once():
    a, b = draw(200, 200), draw(200, 200)
    want, wrong = gemm.matmul(a, b), []

    def work():
        for _ in range(20):
            if not np.array_equal(gemm.matmul(a, b), want):
                wrong.append(1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize(
    "call, error, words",
    [
        (lambda x: gemm.matmul(x, x), ShapeError, r"sizes differ\n  got: \(2, 3\) @ \(2, 3\)"),
        (lambda x: gemm.matmul(x[0], x), ShapeError, "two or three dimensions"),
        (lambda x: gemm.matmul(x, x.T.astype("d")), DTypeError, "float32, float64"),
        (lambda x: gemm.matmul(x, x.T, out=x), ShapeError, "expected: \\(2, 2\\)"),
        (lambda x: gemm.matmul(x, x.T, bias=x[0]), ShapeError, "one bias a column"),
        (lambda x: gemm.matmul(x, x.T, activation="rela"), ArgumentError, "did you mean 'relu'"),
    ],
)
def test_errors(call, error, words):
    with pytest.raises(error, match=words):
        call(draw(2, 3))


NARROW = """
import numpy as np
from deepdive.kernels import gemm, vector
assert vector.WIDTH == 8 and (gemm.ROWS, gemm.COLUMNS) == (6, 16)
rng = np.random.default_rng(0)
for M, N, K in [(1, 1, 1), (6, 16, 8), (7, 17, 9), (64, 10, 128), (101, 203, 300)]:
    for a in (rng.random((M, K), "f"), rng.random((K, M), "f").T):
        for b in (rng.random((K, N), "f"), rng.random((N, K), "f").T):
            np.testing.assert_allclose(gemm.matmul(a, b), a.astype("d") @ b, rtol=1e-5)
"""


@pytest.mark.skipif(vector.SIMD not in ("avx512", "avx2"), reason="needs an x86 CPU with AVX2")
def test_the_avx2_tile():
    env = {**os.environ, "DEEPDIVE_SIMD": "avx2"}
    subprocess.run([sys.executable, "-c", NARROW], env=env, check=True, timeout=120)


def test_products_of_matrices_however_they_lie():
    """Read-only, reversed, between other fields, and beside whole floats."""
    x, y = np.float32(np.arange(12).reshape(3, 4)), np.float32(np.arange(20).reshape(4, 5))
    fixed = x.copy()
    fixed.flags.writeable = False
    fields = np.zeros((3, 4), [("number", "f4"), ("rest", "i1")])
    fields["number"] = x
    shifted = np.zeros(4 * x.size + 1, np.uint8)[1:].view(np.float32).reshape(3, 4)
    shifted[...] = x
    for left in (fixed, np.asfortranarray(x), fields["number"], shifted):
        np.testing.assert_array_equal(gemm.product(left, y), x @ y)
    np.testing.assert_array_equal(gemm.product(x[::-1], y[:, ::-2]), x[::-1] @ y[:, ::-2])
