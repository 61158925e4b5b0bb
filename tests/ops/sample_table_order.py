"""Samples of sums and norms in their further forms, of running extremes, and of sorting."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from deepdive.testing.samples import Draw, Sample, samples_for

Samples = Iterator[Sample]


@samples_for("sum", "mean", "prod")
def _with_dtype(draw: Draw) -> Samples:
    for kwargs in ({}, {"dim": 0}, {"dim": -1, "keepdim": True}):
        yield Sample((draw(2, 3, 4),), kwargs)
    yield Sample((draw(2, 3, 4), 1))
    yield Sample((draw(2, 3),), {"dim": (0, 1), "keepdim": True}, torch=False)
    yield Sample((draw(1, 3),), {"dim": 1, "dtype": "float64"}, torch=False)
    yield Sample((draw(2, 0, 3),), {"dim": 2})
    yield Sample((draw(3, 4) * np.array([1.0, 0.0, 1.0, 0.0]),), {"dim": 1})
    yield Sample((draw(),), torch=False)


@samples_for("cumsum", "cumprod")
def _running_sums(draw: Draw) -> Samples:
    for dim in (0, 1, -1):
        yield Sample((draw(2, 3, 4), dim))
    yield Sample((draw(5) * np.array([1.0, 0.0, 1.0, 0.0, 1.0]), 0))
    yield Sample((draw(2, 0), 1))
    yield Sample((draw(3),), {"dim": 0, "dtype": "float64"}, torch=False)


@samples_for("nansum", "nanmean", "count_nonzero")
def _around_nan(draw: Draw) -> Samples:
    holes = draw(3, 4)
    holes[0, 1] = holes[2] = math.nan
    yield Sample((holes,), torch=False)
    for dim in (None, 1, (0, 2)):
        yield Sample((draw(2, 3, 4), dim))
    yield Sample((draw(0, 3), 1))


@samples_for("aminmax")
def _aminmax(draw: Draw) -> Samples:
    for kwargs in ({}, {"dim": 0}, {"dim": -1, "keepdim": True}):
        yield Sample((draw(3, 4),), kwargs)


@samples_for("var", "std", "var_mean", "std_mean")
def _spread(draw: Draw) -> Samples:
    yield Sample((draw(2, 3, 4),))
    yield Sample((draw(2, 3, 4), False))
    yield Sample((draw(2, 3, 4), 1, False, True))
    for kwargs in ({"dim": (0, 2)}, {"dim": -1, "correction": 0, "keepdim": True}):
        yield Sample((draw(2, 3, 4),), kwargs)
    yield Sample((draw(5),), {"dim": 0, "correction": 2})
    yield Sample((draw(0, 3),), {"dim": 1})


@samples_for("norm")
def _norm(draw: Draw) -> Samples:
    for p in ("fro", 2, 1, 0, 3, 2.5, 0.5, -1, math.inf, -math.inf):
        yield Sample((draw(3, 4), p, 1))
    yield Sample((draw(2, 3, 4),))
    yield Sample((draw(2, 3, 4), 2, (0, 2), True))
    yield Sample((draw(0, 3), 2, 0))


@samples_for("trace")
def _trace(draw: Draw) -> Samples:
    for shape in ((3, 3), (2, 4), (3, 0)):
        yield Sample((draw(*shape),))


@samples_for("logcumsumexp", "cummax", "cummin")
def _running(draw: Draw) -> Samples:
    for dim in (0, -1):
        yield Sample((draw(2, 5), dim))
    yield Sample((draw(2, 3, 1), 1))
    yield Sample((draw(), 0))


@samples_for("sort", "argsort")
def _sort(draw: Draw) -> Samples:
    yield Sample((draw(3, 4),))
    yield Sample((draw(3, 4), 0))
    yield Sample((draw(2, 3, 4), 1, True))
    yield Sample((np.array([2, 1, 2, 0, 1]),), {"stable": True})
    yield Sample((draw(),))
    yield Sample((draw(0, 2),))


@samples_for("msort")
def _msort(draw: Draw) -> Samples:
    yield Sample((draw(4, 2),))


@samples_for("topk")
def _topk(draw: Draw) -> Samples:
    yield Sample((draw(3, 5), 2))
    yield Sample((draw(5, 3), 2, 0, False))
    yield Sample((draw(), 1))


@samples_for("kthvalue")
def _kthvalue(draw: Draw) -> Samples:
    yield Sample((draw(3, 5), 2))
    yield Sample((draw(5, 3), 4, 0, True))
    yield Sample((draw(), 1))


@samples_for("median", "nanmedian")
def _median(draw: Draw) -> Samples:
    for args in ((), (1,), (0, True)):
        yield Sample((draw(3, 4), *args))
    yield Sample((draw(5),))
    yield Sample((draw(),))


@samples_for("mode")
def _mode(draw: Draw) -> Samples:
    yield Sample((draw.indices(3, (3, 7)),))
    yield Sample((draw.indices(3, (7, 2)), 0, True))
    yield Sample((draw(3, 4),))
    yield Sample((np.array([[1.5, 0.5, 1.5], [0.5, 2.5, 2.5]]),), fixed=(0,))


@samples_for("quantile", "nanquantile")
def _quantile(draw: Draw) -> Samples:
    x: Any = draw(3, 5)
    for q in (0.0, 0.3, 1.0):
        yield Sample((x, q))
    yield Sample((x, np.array([0.2, 0.6]), 1), fixed=(1,))
    yield Sample((x, np.array([0.2, 0.6]), 0, True), fixed=(1,))
    for way in ("lower", "higher", "nearest", "midpoint"):
        yield Sample((x, 0.37, 1), {"interpolation": way})


@samples_for("searchsorted")
def _searchsorted(draw: Draw) -> Samples:
    rows, values = np.sort(draw.indices(9, (2, 6)), 1), draw.indices(10, (2, 4))
    yield Sample((rows, values))
    yield Sample((rows, values), {"right": True})
    yield Sample((rows[0], values), {"side": "right", "out_int32": True})
    yield Sample((rows[0], draw.indices(9, ())))


@samples_for("bucketize")
def _bucketize(draw: Draw) -> Samples:
    edges = np.array([-0.5, 0.0, 0.7])
    yield Sample((draw(3, 4), edges))
    yield Sample((edges, edges), {"right": True})


@samples_for("unique", "unique_consecutive")
def _unique(draw: Draw) -> Samples:
    x = draw.indices(3, (3, 4))
    yield Sample((x,))
    yield Sample((x,), {"return_inverse": True, "return_counts": True})
    yield Sample((draw.indices(2, (6, 2)),), {"dim": 0, "return_inverse": True})
    yield Sample((draw.indices(2, (2, 6)),), {"dim": 1, "return_counts": True})
