"""Samples of elementwise functions beyond the first dozen, and of special functions."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from deepdive.testing.samples import Draw, Sample, samples_for

Samples = Iterator[Sample]
POSITIVE = (0.0, math.inf)


def _one(draw: Draw, domain: tuple[float, float] | None = None) -> Samples:
    for shape in ((3, 4), (), (0, 3)):
        yield Sample((draw(*shape, domain=domain),))


def _two(draw: Draw, *domains: tuple[float, float] | None) -> Samples:
    first, second = domains or (None, None)
    for x, y in (((3, 4), (3, 4)), ((3, 1), (4,)), ((), (2,)), ((0, 3), (1, 3))):
        yield Sample((draw(*x, domain=first), draw(*y, domain=second)))


@samples_for("frac", "fix", "sgn", "positive", "deg2rad", "rad2deg", "exp2", "sinc")
def _plain(draw: Draw) -> Samples:
    yield from _one(draw)


@samples_for("signbit", "isposinf", "isneginf")
def _asked(draw: Draw) -> Samples:
    yield from _one(draw)
    yield Sample((np.array([0.0, -0.0, math.inf, -math.inf, math.nan]),))
    yield Sample((draw.indices(9, (3,)),))


@samples_for("nan_to_num")
def _nan_to_num(draw: Draw) -> Samples:
    holes = np.array([0.5, math.inf, -math.inf, math.nan])
    yield Sample((holes, 1.0, 2.0, 3.0))
    yield Sample((draw(3),))
    yield Sample((draw.indices(3, (2,)),))


@samples_for("rsub")
def _rsub(draw: Draw) -> Samples:
    yield from _two(draw)
    yield Sample((draw(3), 1.5), {"alpha": 2})


@samples_for("clamp")
def _clamp(draw: Draw) -> Samples:
    for limits in ({"min": -0.5}, {"max": 0.6}, {"min": -0.5, "max": 0.6}):
        yield Sample((draw(3, 4),), limits)
    yield Sample((draw(), 0.1, 0.6))
    yield Sample((draw(0, 2), 0.1))
    yield Sample((draw(3, 4), draw(4)))
    yield Sample((draw(3, 4),), {"max": draw(3, 1)})
    yield Sample((draw(3, 4), draw(3, 4), draw(4)))


@samples_for("clamp_min", "clamp_max")
def _bound(draw: Draw) -> Samples:
    yield Sample((draw(3, 4), 0.3))
    yield Sample((draw(3, 4), draw(4)))


@samples_for("copysign", "heaviside", "logaddexp2", "ldexp", "hypot", "fmax", "fmin")
def _pairs(draw: Draw) -> Samples:
    yield from _two(draw)


@samples_for("fmod")
def _fmod(draw: Draw) -> Samples:
    yield from _two(draw, (-9, 9), None)
    yield Sample((draw(5, domain=(-9, 9)), 2.5))
    yield Sample((draw(5, domain=(-9, 9)), -2.5))


@samples_for("float_power")
def _float_power(draw: Draw) -> Samples:
    yield from _two(draw, POSITIVE, None)
    yield Sample((draw.positive(3), 2))
    yield Sample((2.0, draw(3)))


@samples_for("isclose")
def _isclose(draw: Draw) -> Samples:
    x = draw(3, 4)
    yield Sample((x, x + 1e-9))
    yield Sample((x, draw(4)), {"rtol": 0.5, "atol": 0.1})


@samples_for("lerp")
def _lerp(draw: Draw) -> Samples:
    for weight in (0.25, 0.75, 1.5):
        yield Sample((draw(3, 4), draw(4), weight))
    yield Sample((draw(3, 4), draw(4), draw(3, 1)))


@samples_for("addcmul", "addcdiv")
def _add_of_two(draw: Draw) -> Samples:
    yield Sample((draw(3, 4), draw(4), draw(3, 1)))
    yield Sample((draw(2), draw(2), draw(2)), {"value": 0.5})


@samples_for("bitwise_left_shift", "bitwise_right_shift")
def _shifts(draw: Draw) -> Samples:
    yield Sample((draw.indices(9, (3, 1)) - 4, draw.indices(4, (4,))))
    yield Sample((draw.indices(9, (3,)), 2))


# --- special functions -------------------------------------------------------------------------
@samples_for("lgamma", "digamma", "i0", "i1", "i0e", "i1e", "erfc", "erfcx", "ndtr", "log_ndtr")
def _special(draw: Draw) -> Samples:
    yield from _one(draw)
    yield Sample((draw(7, domain=(-5, 25)) + 0.01,))


@samples_for("polygamma")
def _polygamma(draw: Draw) -> Samples:
    for n in range(4):
        yield Sample((n, draw(2, 3)))
    yield Sample((1, draw(4, domain=(3, 30))))


@samples_for("mvlgamma")
def _mvlgamma(draw: Draw) -> Samples:
    yield Sample((draw(2, 3, domain=(2, 5)), 3))
    yield Sample((draw(2, domain=(2, 5)), 1))


@samples_for("erfinv")
def _erfinv(draw: Draw) -> Samples:
    yield from _one(draw, (-1, 1))


@samples_for("ndtri", "logit")
def _of_shares(draw: Draw) -> Samples:
    yield from _one(draw, (0, 1))


@samples_for("entr")
def _entr(draw: Draw) -> Samples:
    yield from _one(draw, POSITIVE)


@samples_for("xlogy", "xlog1py")
def _weighted_logs(draw: Draw) -> Samples:
    yield from _two(draw, None, POSITIVE)
    yield Sample((2.5, draw.positive(3)))
    yield Sample((draw(3), 2.5))
