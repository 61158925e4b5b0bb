"""Special functions keep the accuracy they state, against 40 digits."""

import numpy as np
import pytest

from deepdive.backend import extended_special as words
from deepdive.backend import numpy_cpu as xp

mp = pytest.importorskip("mpmath", reason="the reference computes with 40 digits")
DRAW = np.random.default_rng(0)


def between(low, high, n=60):
    return DRAW.uniform(low, high, n)


def powers(low, high, n=30):
    return 10.0 ** between(low, high, n)


WIDE = np.concatenate([between(-3, 3), between(3, 26)])
CASES = {
    "erfc": (words.erfc, mp.erfc, WIDE, 1e-14),
    "erfcx": (
        words.erfcx,
        lambda x: mp.exp(x * x) * mp.erfc(x),
        np.concatenate([between(-5, 3), between(3, 26), powers(0, 30)]),
        1e-14,
    ),
    "erfinv": (
        words.erfinv,
        mp.erfinv,
        np.concatenate([between(-1, 1), 1 - powers(-15, 0), powers(-30, 0)]),
        1e-14,
    ),
    "ndtri": (
        words.ndtri,
        lambda p: -mp.sqrt(2) * mp.erfinv(1 - 2 * p),
        np.concatenate([between(0, 1), powers(-18, 0)]),
        1e-14,
    ),
    "lgamma": (
        words.lgamma,
        lambda x: mp.log(abs(mp.gamma(x))),
        np.concatenate([between(2.2, 20), between(0, 0.9), powers(1, 8), between(-5, -4.1)]),
        2e-14,
    ),
    "digamma": (
        lambda xp, x: words.polygamma(xp, 0, x),
        lambda x: mp.psi(0, x),
        np.concatenate([between(1.6, 30), between(0, 1.3), powers(1, 8), between(-5, 0)]),
        1e-13,
    ),
    "erfc_inverse": (
        words.erfc_inverse,
        lambda c: mp.erfinv(1 - c),
        np.concatenate([between(0, 1), powers(-18, 0)]),
        1e-14,
    ),
}
for _n in (1, 2, 3, 5):
    CASES[f"polygamma {_n}"] = (
        lambda xp, x, n=_n: words.polygamma(xp, n, x),
        lambda x, n=_n: mp.psi(n, x),
        np.concatenate([between(0, 30), powers(1, 8), between(-5, 0)]),
        1e-13,
    )
for _n in (0, 1):
    CASES[f"i{_n}e"] = (
        lambda xp, x, n=_n: words.bessel_scaled(xp, n, x),
        lambda x, n=_n: mp.besseli(n, x) * mp.exp(-abs(x)),
        np.concatenate([between(-30, 30), between(15, 25), powers(1, 6)]),
        1e-14,
    )


NEAR_ZERO = {"lgamma": 0.1, "digamma": 0.1}  # sizes below count as this: the error is absolute


@pytest.mark.parametrize("name", CASES)
def test_accuracy(name):
    function, reference, x, allowed = CASES[name]
    found = function(xp, x)
    with mp.workdps(60):
        for at, value in zip(x, found, strict=True):
            true = reference(mp.mpf(float(at)))
            size = max(abs(true), NEAR_ZERO.get(name, 0.0))
            assert abs(mp.mpf(float(value)) - true) <= allowed * size, (name, at, value, true)


@pytest.mark.parametrize("name", CASES)
def test_single_precision(name):
    """float32 stays float32, and loses no more than single precision does."""
    function, _, x, _ = CASES[name]
    x = x[(np.abs(x) > 1e-6) & (np.abs(x) < 1e4)]
    single = x.astype("float32")
    found, expected = function(xp, single), function(xp, single.astype("float64"))
    assert found.dtype == "float32"
    known = np.isfinite(expected) & (np.abs(expected) < 1e30) & (np.abs(expected) > 1e-30)
    np.testing.assert_allclose(found[known], expected[known], rtol=2e-4, atol=1e-5)


def test_no_branch_warns():
    """Ordinary numbers raise no warning, whatever branch they do not take."""
    x = np.array([-20.5, -3.3, -0.5, 0.0, 1e-3, 0.7, 1.0, 5.5, 60.0])
    for function in (words.erfc, words.erfcx, words.lgamma):
        with np.errstate(all="raise", under="ignore"):
            function(xp, x)
    with np.errstate(all="raise", under="ignore"):
        words.erfinv(xp, np.array([-0.99, -0.3, 0.0, 0.5]))
        words.polygamma(xp, 1, np.array([-2.5, 0.5, 3.0]))
        words.bessel(xp, 0, x)


def test_erf_of_half_precision_does_not_overflow():
    x = np.array([-np.inf, -30, -2.5, 0.5, 30, np.inf, np.nan], np.float16)
    exact = [float(mp.erf(float(v))) for v in x]
    np.testing.assert_allclose(xp.erf(x), np.float16(exact))
    assert xp.erf(x).dtype == np.float16


HALVES = {  # where powers of the formulas overflow in half precision, or their steps underflow
    "erf": (words.erf, mp.erf, [-30, -4.5, -2.5, 0.5, 30]),
    "erfc": (words.erfc, mp.erfc, [-30, -4.5, -0.3, 2.5]),
    "erfcx": (words.erfcx, CASES["erfcx"][1], [-2.5, 0.1, 3, 30, 3000]),
    "ndtri": (words.ndtri, CASES["ndtri"][1], [1.2e-6, 4.5e-4, 0.3, 0.7]),
    "lgamma": (words.lgamma, CASES["lgamma"][1], [-4.5, -0.3, 0.1, 3.5, 300]),
    "bessel": (lambda xp, x: words.bessel(xp, 0, x), lambda x: mp.besseli(0, x), [-9, 0.3, 11]),
}


@pytest.mark.parametrize("name", HALVES)
def test_half_precision_neither_overflows_nor_underflows(name):
    word, exact, values = HALVES[name]
    x = np.array(values, np.float16)
    found = word(xp, x)
    assert found.dtype == np.float16
    expected = np.float16([float(exact(mp.mpf(float(v)))) for v in x])
    np.testing.assert_allclose(found.astype(float), expected.astype(float), rtol=1e-3)
