"""Vector mathematics against float64: dense inputs, every scale, and the special values."""

import math

import numba
import numpy as np
import pytest

from deepdive.kernels import vector_math

SPECIAL = [0.0, -0.0, np.inf, -np.inf, np.nan, 1e-45, -1e-45, 1e-39, 3.4e38, -3.4e38, 1.0, -1.0]


def inputs():
    rng = np.random.default_rng(1)
    dense = np.linspace(-110, 100, 40_001)
    fine = np.linspace(-6, 6, 40_001)
    scales = 2.0 ** rng.uniform(-149, 128, 20_000) * rng.choice([-1, 1], 20_000)
    return np.concatenate([dense, fine, scales, SPECIAL]).astype(np.float32)


def apply(function, x):
    @numba.njit
    def loop(x, out):
        for i in range(x.size):
            out[i] = function(x[i])

    out = np.empty_like(x)
    loop(x, out)
    return out


def exactly(name, x):
    x = x.astype(np.float64)
    with np.errstate(all="ignore"):
        if name == "erf":
            return np.array([math.erf(v) for v in x])
        if name == "sigmoid":
            return 1 / (1 + np.exp(-x))
        return getattr(np, name)(x)


def ulps(got, want):
    """The distance in units of the last place of the float32 nearest to what is right."""
    with np.errstate(all="ignore"):
        unit = np.spacing(np.abs(want.astype(np.float32))).astype(np.float64)
        return np.abs(got.astype(np.float64) - want) / unit


@pytest.mark.parametrize("name", ["exp", "log", "tanh", "sigmoid", "erf"])
def test_two_units_in_the_last_place(name):
    x = inputs()
    got, want = apply(getattr(vector_math, name), x), exactly(name, x)
    with np.errstate(over="ignore"):
        rounded = want.astype(np.float32)
    finite = np.isfinite(rounded) & np.isfinite(got)
    np.testing.assert_array_equal(got[~finite], rounded[~finite])  # inf and nan in their places
    assert ulps(got[finite], want[finite]).max() <= 2


@pytest.mark.parametrize("name", ["tanh", "erf"])
def test_odd_functions_keep_the_sign_of_zero(name):
    got = apply(getattr(vector_math, name), np.array([0.0, -0.0], np.float32))
    assert np.signbit(got).tolist() == [False, True]


def gelu(x):
    return x / 2 * (1 + np.array([math.erf(v / math.sqrt(2)) for v in x]))


def gelu_tanh(x):
    return x / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def silu(x):
    return x / (1 + np.exp(-x))


@pytest.mark.parametrize("slow", [gelu, gelu_tanh, silu], ids=lambda slow: slow.__name__)
def test_activations_are_near_in_absolute_terms(slow):
    x = np.linspace(-16, 16, 40_001).astype(np.float32)
    got = apply(getattr(vector_math, slow.__name__), x)
    near = np.abs(got - slow(x.astype(np.float64))) <= 1e-6 * np.maximum(1, np.abs(x) / 8)
    assert near.all()
    ends = np.array([np.inf, -np.inf, np.nan, 3e38, -3e38], np.float32)
    got = apply(getattr(vector_math, slow.__name__), ends)
    np.testing.assert_array_equal(got, np.array([np.inf, 0, np.nan, 3e38, 0], np.float32))


def test_loops_of_them_are_vectorised():
    @numba.njit(fastmath=vector_math._EXACT)
    def loop(x, out):
        for i in range(x.size):
            out[i] = vector_math.exp(x[i])

    x = np.ones(64, np.float32)
    loop(x, x)
    code = next(iter(loop.inspect_asm().values()))
    packed = ("vfmadd", "ps") if "vfmadd" in code else ("fmla", "s")
    assert any(packed[0] in line and packed[1] in line for line in code.splitlines())
