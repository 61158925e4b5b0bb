"""exp, log, tanh, erf, sigmoid, gelu of one float32, written so that LLVM vectorises loops of them.

No table, no branch, no library call: a range reduction, a polynomial, a choice at the end.  Every
multiply-add that accuracy hangs on is an explicit ``fma``, which no compiler flag reorders.
Errors are at most 2 units in the last place; gelu is within 1e-6 absolutely (see the tests).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import float32 as f
from numba import njit

from deepdive.kernels.jit import kernel
from deepdive.kernels.vector import exponent, fma, power_of_two

_EXACT = {"contract", "nsz"}


def floats(*values: float) -> tuple[Any, ...]:
    return tuple(map(np.float32, values))


# Coefficients of polynomials, from the highest power down.
EXP_TERMS = floats(
    1.9875691500e-4,
    1.3981999507e-3,
    8.3334519073e-3,
    4.1665795894e-2,
    1.6666665459e-1,
    5.0000001201e-1,
)
LOG_TERMS = floats(
    7.0376836292e-2,
    -1.1514610310e-1,
    1.1676998740e-1,
    -1.2420140846e-1,
    1.4249322787e-1,
    -1.6668057665e-1,
    2.0000714765e-1,
    -2.4999993993e-1,
    3.3333331174e-1,
)
TANH_TERMS = floats(
    -5.70498872745e-3,
    2.06390887954e-2,
    -5.37397155531e-2,
    1.33314422036e-1,
    -3.33332819422e-1,
)
ERF_NEAR_TERMS = floats(
    -5.96761703e-4,
    4.99119423e-3,
    -2.67681349e-2,
    1.12819925e-1,
    -3.76125336e-1,
    1.28379166e-1,
)
ERF_FAR_TERMS = floats(
    -1.72853470e-5,
    3.83197126e-4,
    -3.88396438e-3,
    2.42546219e-2,
    -1.06777877e-1,
    -6.34846687e-1,
    -1.28717512e-1,
)


def scalar(function: Any) -> Any:
    """A small function of float32s that LLVM inlines; cached with the kernels that call it."""
    return njit(fastmath=_EXACT, forceinline=True, error_model="numpy")(function)


@scalar
def horner(x, coefficients):
    """The polynomial with these coefficients, at x."""
    p = coefficients[0]
    for i in range(1, len(coefficients)):
        p = fma(p, x, coefficients[i])
    return p


@scalar
def exp(x):
    """``e ** x``: x = n ln 2 + r with |r| <= ln 2 / 2, and a polynomial for e ** r (Cephes)."""
    t = x if x > f(-104) else f(-104)  # below, the result is 0; NaN comes here, too
    t = t if t < f(89) else f(89)  # above, infinity
    n = np.floor(fma(t, f(1.44269504), f(0.5)))
    r = fma(n, f(2.12194440e-4), fma(n, f(-0.693359375), t))  # ln 2 in two parts
    y = fma(horner(r, EXP_TERMS), r * r, r) + f(1)
    half = np.floor(n * f(0.5))  # in two steps, for results near overflow or underflow
    y = y * power_of_two(half) * power_of_two(n - half)
    return y if x == x else x


@scalar
def log(x):
    """Natural logarithm: x = 2 ** n m with m in [0.707, 1.414), and a polynomial of m - 1."""
    tiny = x < f(1.17549435e-38)
    y = x * f(8388608) if tiny else x  # denormals, made normal
    n = exponent(y)
    half = np.floor(n * f(-0.5))
    r = y * power_of_two(half) * power_of_two(-n - half) - f(1)
    n = n - f(23) if tiny else n
    rr = r * r
    p = fma(n, f(-2.12194440e-4), horner(r, LOG_TERMS) * r * rr)
    y = fma(n, f(0.693359375), fma(f(-0.5), rr, p) + r)
    y = y if x < f(np.inf) else x  # infinity and NaN as they are
    y = y if x != f(0) else f(-np.inf)
    return y if not x < f(0) else f(np.nan)


@scalar
def tanh(x):
    """Hyperbolic tangent: an odd polynomial near 0, ``1 - 2 / (e ** 2x + 1)`` elsewhere."""
    a, s = abs(x), x * x
    near = fma(horner(s, TANH_TERMS) * s, a, a)
    far = f(1) - f(2) / (exp(a + a) + f(1))
    return math.copysign(near if a < f(0.625) else far, x)


@scalar
def sigmoid(x):
    """``1 / (1 + e ** -x)``, from e ** -|x|, so that neither end overflows."""
    e = exp(-abs(x))
    d = f(1) + e
    inverse, numerator = f(1) / d, e if x < f(0) else f(1)
    y = numerator * inverse
    error = fma(-y, e - (d - f(1)), fma(-y, d, numerator))  # of the quotient and of 1 + e
    return fma(error, inverse, y)


@scalar
def erf(x):
    """The error function: polynomials after Juffa, the outer one of log(1 - erf)."""
    a, s = abs(x), x * x
    near = fma(horner(s, ERF_NEAR_TERMS), x, x)
    t = a if a < f(4) else f(4)  # erf(4) is 1; so is what lies beyond
    far = math.copysign(f(1) - exp(fma(horner(t, ERF_FAR_TERMS), t, -t)), x)
    y = near if a < f(0.927734375) else far
    return y if x == x else x


@scalar
def gelu(x):
    """``x / 2 (1 + erf(x / sqrt 2))``, the exact form."""
    y = f(0.5) * x * (f(1) + erf(x * f(0.70710678)))
    return y if x > f(-14) else (f(-0.0) if x == x else x)


@scalar
def gelu_tanh(x):
    """The form of GELU that GPT-2 uses: ``x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))``."""
    u = f(0.7978845608) * fma(f(0.044715) * x * x, x, x)
    return x * sigmoid(u + u) if x > f(-1e6) else (f(-0.0) if x == x else x)


@scalar
def silu(x):
    """``x * sigmoid(x)``."""
    return x * sigmoid(x) if x > f(-1e6) else (f(-0.0) if x == x else x)


# What a product can do to its result before it leaves the cache. 0 is nothing.
RELU, SIGMOID, TANH, GELU, GELU_TANH, SILU = range(1, 7)
ACTIVATIONS = {
    None: 0,
    "relu": RELU,
    "sigmoid": SIGMOID,
    "tanh": TANH,
    "gelu": GELU,
    "gelu_tanh": GELU_TANH,
    "silu": SILU,
}


@kernel
def activate(x, activation):
    """Apply the activation of that number to a row, in place."""
    if activation == RELU:
        for i in range(x.size):
            x[i] = x[i] if not x[i] < f(0) else f(0)
    elif activation == SIGMOID:
        for i in range(x.size):
            x[i] = sigmoid(x[i])
    elif activation == TANH:
        for i in range(x.size):
            x[i] = tanh(x[i])
    elif activation == GELU:
        for i in range(x.size):
            x[i] = gelu(x[i])
    elif activation == GELU_TANH:
        for i in range(x.size):
            x[i] = gelu_tanh(x[i])
    elif activation == SILU:
        for i in range(x.size):
            x[i] = silu(x[i])
