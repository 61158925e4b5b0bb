"""Special functions, written once in core words: each takes the speaker's namespace first.

No branch is taken on values: every formula is computed where it is safe, and `where` chooses.  The
accuracies stated are those in float64, against 40 digits (tests/backend/test_special_words.py);
float32 loses as many bits as any formula in float32 does.
"""

from __future__ import annotations

import math
from typing import Any

from deepdive.backend.extended import ERFC_FAR_BOTTOM, ERFC_FAR_TOP, erf, halves_widened, polynomial

INF, NAN = math.inf, math.nan

# --- the error function's relatives --------------------------------------------------------------
# S. L. Moshier, Cephes Mathematical Library, ndtr.c (1989): e^(x²) erfc(x) for x ≥ 8.
ERFC_END_TOP = (
    5.64189583547755073984e-1,
    1.27536670759978104416e0,
    5.01905042251180477414e0,
    6.16021097993053585195e0,
    7.40974269950448939160e0,
    2.97886665372100240670e0,
)
ERFC_END_BOTTOM = (
    1.0,
    2.26052863220117276590e0,
    9.39603524938001434673e0,
    1.20489539808096656605e1,
    1.70814450747565897222e1,
    9.60896809063285878198e0,
    3.36907645100081516050e0,
)
START_TOP = (0.010328, 0.802853, 2.515517)
START_BOTTOM = (0.001308, 0.189269, 1.432788, 1.0)
ROOT_PI = math.sqrt(math.pi)


def _square_exp(xp: Any, x: Any) -> Any:
    """``e^(-x²)``, x² split so that its rounding does not reach the exponent's last digits."""
    rough = xp.round(x * 32.0) / 32.0
    rest = (x - rough) * (x + rough)
    coarse = xp.exp(-rough * rough)
    return coarse * xp.exp(-rest)


def _scaled_tail(xp: Any, x: Any) -> Any:
    """``e^(x²) erfc(x)`` for x ≥ 1."""
    middle = xp.minimum(x, 8.0)
    inner = polynomial(middle, ERFC_FAR_TOP)
    inner = inner / polynomial(middle, ERFC_FAR_BOTTOM)
    far = 1.0 / xp.maximum(x, 8.0)  # its powers do not overflow
    outer = polynomial(far, ERFC_END_TOP[::-1])
    outer = outer / polynomial(far, ERFC_END_BOTTOM[::-1])
    return xp.where(x < 8.0, inner, far * outer)


@halves_widened
def erfc(xp: Any, x: Any) -> Any:
    """``1 - erf(x)`` with all its digits in the right tail; relative error below 1e-14."""
    size = xp.abs(x)
    far = xp.maximum(size, 1.0)
    far = xp.minimum(far, 40.0)  # erfc(40) is 0 in any precision
    tail = _square_exp(xp, far)
    tail = tail * _scaled_tail(xp, far)
    tail = xp.where(x < 0, 2.0 - tail, tail)
    tail = xp.where(xp.isnan(x), x, tail)
    near = 1.0 - erf(xp, x)
    return xp.where(size < 1.0, near, tail)


@halves_widened
def erfcx(xp: Any, x: Any) -> Any:
    """``e^(x²) erfc(x)``; relative error below 1e-14 for x > -5, where it is moderate."""
    near = xp.maximum(x, -26.5)
    near = xp.minimum(near, 1.0)
    inner = xp.exp(near * near)
    inner = inner * erfc(xp, near)
    inner = xp.where(x < -26.6, INF, inner)
    tail = xp.maximum(x, 1.0)
    tail = _scaled_tail(xp, tail)
    return xp.where(x < 1.0, inner, tail)


def erfc_inverse(xp: Any, c: Any) -> Any:
    """The x ≥ 0 with ``erfc(x) = c``, for c in [0, 1]; relative error below 1e-14.

    A rational start (Abramowitz & Stegun 1964, 26.2.23), then Halley's steps on ``log erfc``,
    which stay accurate for the smallest c; near c = 1 on ``erf``.
    """
    c = xp.minimum(c, 1.0)
    safe = xp.where(c > 0.0, c, 0.5)
    log_c = xp.log(safe)
    t = 2.0 * (math.log(2.0) - log_c)
    t = xp.sqrt(xp.maximum(t, 0.0))
    ratio = polynomial(t, START_TOP)
    ratio = ratio / polynomial(t, START_BOTTOM)
    start = math.sqrt(0.5) * (t - ratio)
    x = xp.maximum(start, 0.0)
    for _ in range(3):
        square = x * x
        inner = xp.minimum(x, 0.5)
        near = erf(xp, inner) - (1.0 - safe)
        near = near * xp.exp(inner * inner)
        far = xp.exp(square + log_c)
        far = far - erfcx(xp, x)
        newton = xp.where(x < 0.5, near, far)
        newton = newton * (0.5 * ROOT_PI)
        x = x - newton / (1.0 + x * newton)
    ends = xp.where(c == 0.0, INF, xp.full((), NAN, c.dtype))
    return xp.where(c > 0.0, x, ends)


@halves_widened
def erfinv(xp: Any, y: Any) -> Any:
    """The x with ``erf(x) = y``; relative error below 1e-14, at the ends ±∞, beyond NaN."""
    size = xp.abs(y)
    x = erfc_inverse(xp, 1.0 - size)
    # 1 - |y| loses the digits of a small y: there one more step, on erf itself
    small = xp.where(size < 0.5, x, 0.25)
    newton = erf(xp, small) - size
    newton = newton * (0.5 * ROOT_PI)
    newton = newton * xp.exp(small * small)
    small = small - newton / (1.0 + small * newton)
    found = xp.where(size < 0.5, small, x)
    return xp.sign(y) * found


@halves_widened
def ndtri(xp: Any, p: Any) -> Any:
    """The x with ``Φ(x) = p``, Φ the normal distribution; relative error below 1e-14."""
    low = p < 0.5
    tail = xp.where(low, p, 1.0 - p)
    x = erfc_inverse(xp, 2.0 * tail)
    x = x * math.sqrt(2.0)
    return xp.where(low, -x, x)


# --- the gamma function's relatives --------------------------------------------------------------
# Cephes, gamma.c: Stirling's series, and log Γ(x + 2) / x on [0, 1]; leading 1 included.
STIRLING = (
    8.11614167470508450300e-4,
    -5.95061904284301438324e-4,
    7.93650340457716943945e-4,
    -2.77777777730099687205e-3,
    8.33333333333331927722e-2,
)
LGAMMA_TOP = (
    -1.37825152569120859100e3,
    -3.88016315134637840924e4,
    -3.31612992738871184744e5,
    -1.16237097492762307383e6,
    -1.72173700820839662146e6,
    -8.53555664245765465627e5,
)
LGAMMA_BOTTOM = (
    1.0,
    -3.51815701436523470549e2,
    -1.70642106651881159223e4,
    -2.20528590553854454839e5,
    -1.13933444367982507207e6,
    -2.53252307177582951285e6,
    -2.01889141433532773231e6,
)
HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)
START = 13  # Stirling's series serves from here on


@halves_widened
def lgamma(xp: Any, x: Any) -> Any:
    """``log |Γ(x)|``; relative error below 1e-14, absolute where it is 0 (at 1 and 2)."""
    left = x < 0.5
    right = xp.where(left, 1.0 - x, x)  # reflected: right ≥ 0.5
    out = xp.where(right < START, _log_gamma_near(xp, right), _stirling(xp, right))
    sine = xp.abs(_sine_pi(xp, x))
    pole = xp.logical_and(sine == 0.0, left)
    mirrored = math.log(math.pi) - out
    mirrored = mirrored - xp.log(xp.where(sine == 0.0, 1.0, sine))
    mirrored = xp.where(pole, INF, mirrored)
    out = xp.where(left, mirrored, out)
    return xp.where(xp.abs(x) == INF, INF, out)


def _log_gamma_near(xp: Any, x: Any) -> Any:
    """From [0.5, 13] to [2, 3] by ``Γ(x + 1) = x Γ(x)``, where a rational function serves."""
    x = xp.minimum(x, float(START))
    whole = xp.floor(x)
    rest = x - whole
    product = xp.where(whole == 1.0, 1.0 / x, 1.0 + 0.0 * x)
    below = 1.0 / (x * (x + 1.0))
    product = xp.where(whole < 1.0, below, product)
    for k in range(2, START):
        factor = xp.where(whole > k, rest + k, 1.0)
        product = product * factor
    ratio = polynomial(rest, LGAMMA_TOP)
    ratio = ratio / polynomial(rest, LGAMMA_BOTTOM)
    return xp.log(product) + rest * ratio


def _stirling(xp: Any, x: Any) -> Any:
    """For x ≥ 13."""
    x = xp.maximum(x, float(START))
    inverse = 1.0 / x
    series = polynomial(inverse * inverse, STIRLING)
    rest = HALF_LOG_2PI + series * inverse
    lead = (x - 0.5) * xp.log(x)
    return lead - x + rest


def _sine_pi(xp: Any, x: Any) -> Any:
    """``sin(πx)``, the argument reduced first; 1 for arguments that are not finite."""
    x = xp.where(xp.isfinite(x), x, 0.5)
    rest = x - 2.0 * xp.round(0.5 * x)  # in [-1, 1]
    rest = xp.where(rest > 0.5, 1.0 - rest, rest)
    rest = xp.where(rest < -0.5, -1.0 - rest, rest)
    return xp.sin(math.pi * rest)


BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510)
SHIFT = 12  # the asymptotic series serves from here on


@halves_widened
def polygamma(xp: Any, n: int, x: Any) -> Any:
    """The n-th derivative of ``ψ = (log Γ)'``; relative error below 1e-13 (absolute near ψ = 0).

    ``x < 0`` is reflected; then the recurrence moves to ``x + 12``, where Euler's and Maclaurin's
    sum serves (Abramowitz & Stegun 1964, 6.4.7, 6.4.6 and 6.4.11).
    """
    left = x < 0
    right = xp.where(left, 1.0 - x, x)
    value = _polygamma_right(xp, n, right)
    rest = x - xp.round(x)  # exact, so also beside a pole
    rest = xp.where(xp.isfinite(x), rest, 0.0 * x)
    whole = rest == 0.0
    pole = xp.logical_and(whole, x <= 0)
    slope = _cotangent_slope(xp, n, xp.where(whole, 0.5, rest))
    mirrored = (-1.0) ** n * value - slope
    value = xp.where(left, mirrored, value)
    ends: Any = (-1.0) ** (n + 1) * INF
    if n == 0:  # ψ(-0) = ∞, ψ(0) = -∞
        infinite = xp.full((), INF, x.dtype)
        ends = xp.where(xp.atan2(x, -1.0) < 0, infinite, -infinite)
        ends = xp.where(x == 0, ends, NAN)
    return xp.where(pole, ends, value)


def _polygamma_right(xp: Any, n: int, x: Any) -> Any:
    """For x ≥ 0: ``(-1)^(n+1) n! Σ_k (x + k)^-(n+1)``; for n = 0 less the logarithm's growth."""
    total: Any = 0.0
    for k in range(SHIFT):
        inverse = 1.0 / (x + float(k))
        total = total + _power(xp, inverse, n + 1)
    far = x + float(SHIFT)
    inverse = 1.0 / far
    if n == 0:
        total = total - xp.log(far)
    else:
        total = total + _power(xp, inverse, n) * (1.0 / n)
    total = total + 0.5 * _power(xp, inverse, n + 1)
    term = _power(xp, inverse, n + 2)
    square = inverse * inverse
    factor = float(n + 1)
    for j, number in enumerate(BERNOULLI, 1):
        weight = number * factor / math.factorial(2 * j)
        total = total + weight * term
        term = term * square
        factor *= n + 2 * j
        factor *= n + 2 * j + 1
    scale = (-1.0) ** (n + 1) * math.factorial(n)
    return total * float(scale)


def _power(xp: Any, x: Any, n: int) -> Any:
    """``xⁿ`` for a small whole n."""
    return x if n == 1 else xp.pow(x, float(n))


def _cotangent_slope(xp: Any, n: int, x: Any) -> Any:
    """``π dⁿ/dxⁿ cot(πx)``: a polynomial in the cotangent, whose slope is ``-π (1 + cot²)``."""
    coefficients = [0.0, 1.0]  # of cot, lowest power first
    for _ in range(n):
        slopes = [k * a for k, a in enumerate(coefficients)][1:]
        coefficients = [-math.pi * a for a in (*slopes, 0.0, 0.0)]
        for k, a in enumerate(slopes):
            coefficients[k + 2] -= math.pi * a
    cotangent = xp.cos(math.pi * x) / xp.sin(math.pi * x)
    return math.pi * polynomial(cotangent, tuple(coefficients[::-1]))


# --- modified Bessel functions -------------------------------------------------------------------
BESSEL_NEAR = 18.0  # the power series up to here, the asymptotic one beyond
BESSEL_TERMS, BESSEL_END = 44, 28


@halves_widened
def bessel_scaled(xp: Any, order: int, x: Any) -> Any:
    """``e^-|x| I_ν(x)`` for ν = 0 or 1; relative error below 1e-14.

    ``Σ (x/2)^(2k+ν) / (k! (k+ν)!)`` near 0 and Hankel's series ``e^x/√(2πx) (1 - (4ν²-1)/(8x) …)``
    further out, both nested (Abramowitz & Stegun 1964, 9.6.10 and 9.7.1).
    """
    size = xp.abs(x)
    near = xp.minimum(size, BESSEL_NEAR)
    quarter = 0.25 * near * near
    series = xp.ones(x.shape, x.dtype)
    for k in range(BESSEL_TERMS, 0, -1):
        weight = 1.0 / (k * (k + order))
        series = 1.0 + series * quarter * weight
    series = series * xp.exp(-near)
    inverse = 0.125 / xp.maximum(size, BESSEL_NEAR)
    tail = xp.ones(x.shape, x.dtype)
    for k in range(BESSEL_END, 0, -1):
        weight = (4 * order**2 - (2 * k - 1) ** 2) / k
        tail = 1.0 - tail * inverse * weight
    tail = tail * xp.sqrt(inverse * (4.0 / math.pi))
    if order == 0:
        return xp.where(size < BESSEL_NEAR, series, tail)
    out = xp.where(size < BESSEL_NEAR, 0.5 * near * series, tail)
    return xp.where(x < 0, -out, out)


@halves_widened
def bessel(xp: Any, order: int, x: Any) -> Any:
    """``I_ν(x)`` for ν = 0 or 1, by :func:`bessel_scaled`; a square root of e^|x| on either side
    keeps the largest finite values finite."""
    half = xp.exp(0.5 * xp.abs(x))
    return bessel_scaled(xp, order, x) * half * half
