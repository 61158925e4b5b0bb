"""The table of samples: how operators with special inputs are called."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from deepdive.testing.samples import Draw, Sample, samples_for

Samples = Iterator[Sample]


# --- elementwise -------------------------------------------------------------------------------
@samples_for("add", "sub", "mul", "true_divide", "div", "maximum", "minimum", "eq", "lt")
def _arithmetic(draw: Draw) -> Samples:
    for x, y in (((3, 4), (3, 4)), ((3, 1), (4,)), ((3, 2, 4, 3, 2), (4, 1, 1)), ((4,), (2, 3, 1))):
        yield Sample((draw(*x), draw(*y)))
    for x, y in (
        ((2, 3), ()),
        ((), (2,)),
        ((), ()),
        ((1, 1), (3, 2)),
        ((0, 3), (1, 3)),
        ((1,), (0,)),
    ):
        yield Sample((draw(*x), draw(*y)))
    yield Sample((draw(3), 0.7))
    yield Sample((draw(3), -2))
    yield Sample((draw(3), np.array([1, 2, 3])))


@samples_for("floor_divide", "remainder")
def _division(draw: Draw) -> Samples:
    for x, y in (((3, 4), (3, 4)), ((3, 1), (4,)), ((), (2,)), ((0, 3), (1, 3))):
        yield Sample((draw(*x, domain=(-9, 9)), draw(*y)))
    yield Sample((draw(5, domain=(-9, 9)), 2.5))


@samples_for("pow")
def _pow(draw: Draw) -> Samples:
    for x, y in (((3, 4), (3, 4)), ((3, 1), (4,)), ((), (2,)), ((2,), ()), ((0, 3), (1, 3))):
        yield Sample((draw.positive(*x), draw(*y)))
    for exponent in (0, 1, 2, 3, -1, 0.5, 2.0, -1.5):
        yield Sample((draw.positive(4), exponent))
    for exponent in (0, 1, 2, 3, -2):  # whole exponents: negative bases are fine
        yield Sample((draw(4), exponent))


@samples_for("where")
def _where(draw: Draw) -> Samples:
    yield Sample((draw.flags(3, 4), draw(3, 4), draw(3, 4)))
    yield Sample((draw.flags(3, 1), draw(4), draw()))
    yield Sample((draw.flags(3), draw(2, 3), 0.5))
    yield Sample((draw.flags(3), -1.0, draw(3)))
    yield Sample((draw.flags(0), draw(0), draw(1)))


@samples_for("masked_fill")
def _masked_fill(draw: Draw) -> Samples:
    yield Sample((draw(3, 4), draw.flags(3, 4), 2.0))
    yield Sample((draw(3, 4), draw.flags(4), -1e9))


@samples_for("logical_and", "logical_or", "logical_xor", "bitwise_and", "bitwise_or", "bitwise_xor")
def _logic(draw: Draw) -> Samples:
    yield Sample((draw.flags(3, 4), draw.flags(4)))
    yield Sample((draw.flags(), draw.flags(0)))
    yield Sample((draw.indices(9, (3, 1)), draw.indices(9, 4)))


@samples_for("logical_not", "bitwise_not")
def _not(draw: Draw) -> Samples:
    yield Sample((draw.flags(3, 4),))
    yield Sample((draw.indices(9, (3,)),))


# --- reductions --------------------------------------------------------------------------------
WHOLE: tuple[dict[str, Any], ...] = (
    {},
    {"dim": 0},
    {"dim": -1, "keepdim": True},
    {"dim": (0, 2)},
    {"dim": (-1, 1), "keepdim": True},
)


@samples_for("sum", "mean", "amax", "amin", "all", "any", "var", "std")
def _reduce(draw: Draw) -> Samples:
    for kwargs in WHOLE:
        yield Sample((draw(2, 3, 4),), kwargs)
    yield Sample((draw(5),), {"dim": 0})
    yield Sample((draw(1, 3),), {"dim": 1})
    yield Sample((draw(2, 0, 3),), {"dim": 2})
    yield Sample((draw(),), torch=False)


@samples_for("logsumexp")
def _logsumexp(draw: Draw) -> Samples:
    for kwargs in WHOLE[1:]:
        yield Sample((draw(2, 3, 4),), kwargs)
    yield Sample((draw(3) * 500,), {"dim": 0})


@samples_for("prod")
def _prod(draw: Draw) -> Samples:
    yield Sample((draw(2, 3),))
    yield Sample((draw(2, 3, 4),), {"dim": 1})
    yield Sample((draw(2, 3, 4),), {"dim": -1, "keepdim": True})
    yield Sample((draw(2, 3, 2),), {"dim": (0, 2)}, torch=False)
    yield Sample((draw(3, 4) * np.array([1.0, 0.0, 1.0, 0.0]),), {"dim": 1})
    yield Sample((draw(3, 4) * np.array([1.0, 0.0, 1.0, 1.0]),), {"dim": 1})
    yield Sample((draw(),))
    yield Sample((draw(0, 3),), {"dim": 0})


@samples_for("argmax", "argmin")
def _arg(draw: Draw) -> Samples:
    for kwargs in ({}, {"dim": 0}, {"dim": -1, "keepdim": True}):
        yield Sample((draw(3, 4),), kwargs)
    yield Sample((draw(),))


@samples_for("max", "min")
def _extremes(draw: Draw) -> Samples:
    yield Sample((draw(3, 4),))
    yield Sample((draw(3, 4), draw(4)))
    for kwargs in ({"dim": 0}, {"dim": -1, "keepdim": True}):
        yield Sample((draw(3, 4),), kwargs)
    yield Sample((draw(2, 3, 4),), {"dim": (0, 2)}, torch=False)
    yield Sample((draw(3, 4),), {"axis": 1}, torch=False)
    yield Sample((draw(),))


@samples_for("cumsum", "cumprod")
def _running(draw: Draw) -> Samples:
    for dim in (0, 1, -1):
        yield Sample((draw(2, 3, 4), dim))
    yield Sample((draw(5) * np.array([1.0, 0.0, 1.0, 0.0, 1.0]), 0))
    yield Sample((draw(2, 0), 1))
    yield Sample((draw(1), 0))


# --- shape -------------------------------------------------------------------------------------
@samples_for("reshape")
def _reshape(draw: Draw) -> Samples:
    for shape, wanted in (
        ((3, 4), (2, 6)),
        ((3, 4), (-1,)),
        ((), (1, 1)),
        ((1,), ()),
        ((0, 3), (3, 0)),
    ):
        yield Sample((draw(*shape), wanted))


@samples_for("permute")
def _permute(draw: Draw) -> Samples:
    for order in ((0, 1, 2), (2, 0, 1), (-1, 0, 1)):
        yield Sample((draw(2, 3, 4), order))
    yield Sample((draw(), ()))


@samples_for("transpose", "swapaxes", "swapdims")
def _transpose(draw: Draw) -> Samples:
    yield Sample((draw(2, 3, 4), 0, 2))
    yield Sample((draw(2, 3), -1, -2))


@samples_for("t")
def _t(draw: Draw) -> Samples:
    for shape in ((2, 3), (3,), ()):
        yield Sample((draw(*shape),))


@samples_for("broadcast_to")
def _broadcast(draw: Draw) -> Samples:
    for shape, wanted in (
        ((3, 1), (3, 4)),
        ((4,), (2, 3, 4)),
        ((), (2,)),
        ((1,), (0,)),
        ((1, 9), (900, 9)),
    ):
        yield Sample((draw(*shape), wanted))


@samples_for("expand")
def _expand(draw: Draw) -> Samples:
    yield Sample((draw(3, 1), 3, 4), torch=False)
    yield Sample((draw(3, 1), (2, -1, 4)), torch=False)
    yield Sample((draw(), 2), torch=False)


@samples_for("expand_as", "type_as")
def _as_other(draw: Draw) -> Samples:
    yield Sample((draw(3, 1), np.zeros((3, 4))))
    yield Sample((draw(2, 3), np.zeros((2, 3))))


@samples_for("unsqueeze")
def _unsqueeze(draw: Draw) -> Samples:
    for dim in (0, 1, -1):
        yield Sample((draw(3, 4), dim))
    yield Sample((draw(), 0))


@samples_for("squeeze")
def _squeeze(draw: Draw) -> Samples:
    yield Sample((draw(1, 3, 1),))
    for dim in (0, -1, (0, 2), 1):
        yield Sample((draw(1, 3, 1), dim))
    yield Sample((draw(),))


@samples_for("flatten")
def _flatten(draw: Draw) -> Samples:
    for args in ((), (1,), (0, 1), (-2, -1)):
        yield Sample((draw(2, 3, 4), *args))
    yield Sample((draw(),))


@samples_for("unflatten")
def _unflatten(draw: Draw) -> Samples:
    yield Sample((draw(2, 12), 1, (3, 4)))
    yield Sample((draw(12, 2), 0, (3, -1)))


@samples_for("flip")
def _flip(draw: Draw) -> Samples:
    for dims in ((0,), (1, 0), (-1,)):
        yield Sample((draw(3, 4), dims))
    yield Sample((draw(3), 0), torch=False)


@samples_for("roll")
def _roll(draw: Draw) -> Samples:
    yield Sample((draw(3, 4), 1, 0))
    yield Sample((draw(3, 4), (1, -2), (0, 1)))
    yield Sample((draw(3, 4), 5))
    yield Sample((draw(0, 2), 1, 0))


@samples_for("tril", "triu")
def _triangle(draw: Draw) -> Samples:
    for diagonal in (0, 1, -1):
        yield Sample((draw(3, 4), diagonal))
    yield Sample((draw(2, 4, 3),))
    yield Sample((draw(0, 3),))


@samples_for("cat")
def _cat(draw: Draw) -> Samples:
    yield Sample(([draw(2, 3), draw(1, 3), draw(0, 3)], 0))
    yield Sample(([draw(2, 3), draw(2, 4)], -1))
    yield Sample(([draw(2)],))
    shared = draw(3)
    yield Sample(([shared, shared],))


@samples_for("stack")
def _stack(draw: Draw) -> Samples:
    for dim in (0, 1, -1):
        yield Sample(([draw(2, 3), draw(2, 3)], dim))
    yield Sample(([draw(), draw(), draw()],))


@samples_for("split")
def _split(draw: Draw) -> Samples:
    yield Sample((draw(5, 3), 2))
    yield Sample((draw(2, 5), [1, 4], 1))
    yield Sample((draw(2, 5), 2, -1))


@samples_for("chunk")
def _chunk(draw: Draw) -> Samples:
    for n in (1, 2, 3, 7):
        yield Sample((draw(5, 3), n))
    yield Sample((draw(2, 6), 3, -1))


@samples_for("unbind")
def _unbind(draw: Draw) -> Samples:
    yield Sample((draw(3, 2),))
    yield Sample((draw(3, 2), -1))


@samples_for("constant_pad")
def _constant_pad(draw: Draw) -> Samples:
    yield Sample((draw(2, 3), ((1, 0), (0, 2))))
    yield Sample((draw(2), ((1, 1),), 5.0))


@samples_for("astype")
def _astype(draw: Draw) -> Samples:
    for dtype in ("float64", "float32"):
        yield Sample((draw(3, 4), dtype), torch=False)


@samples_for("to")
def _to(draw: Draw) -> Samples:
    for args in (("cpu",), ("float64",)):
        yield Sample((draw(3, 4), *args), torch=False)


# --- indexing ----------------------------------------------------------------------------------
@samples_for("getitem")
def _getitem(draw: Draw) -> Samples:
    x = draw(4, 5, 3)
    rows, mask = np.array([0, 2, 2]), draw.flags(4, 5)
    indices: list[Any] = [0, -1, (1, 2), slice(None, None, 2), (Ellipsis, 0), None]
    indices += [(slice(3, 0, -1), None, [1, 1]), rows, (rows, rows), mask, (slice(None), rows)]
    indices += [slice(0, 0), ()]
    for index in indices:
        yield Sample((x, index), torch=False)


@samples_for("index_add_at", "setitem")
def _setitem(draw: Draw) -> Samples:
    yield Sample((draw(4, 3), 1, draw(3)), torch=False)
    yield Sample((draw(4, 3), (slice(None), slice(0, 2)), draw(4, 2)), torch=False)
    yield Sample((draw(4, 3), np.array([0, 2]), draw(2, 3)), torch=False)
    yield Sample((draw(4, 3), slice(1, 3), draw(3)), torch=False)
    yield Sample((draw(4, 3), 0, draw()), torch=False)


@samples_for("take_along_dim")
def _take(draw: Draw) -> Samples:
    yield Sample((draw(3, 4), draw.indices(3, (2, 4)), 0))
    yield Sample((draw(3, 4), draw.indices(4, (3, 6)), -1))


@samples_for("gather")
def _gather(draw: Draw) -> Samples:
    yield Sample((draw(3, 4), 0, draw.indices(3, (2, 4))))
    yield Sample((draw(3, 4), -1, draw.indices(4, (3, 6))))
    yield Sample((draw(3, 4), 1, draw.indices(4, (2, 1))))
    yield Sample((draw(3, 4, 2), 1, draw.indices(4, (3, 0, 2))))


@samples_for("scatter_add")
def _scatter_add(draw: Draw) -> Samples:
    yield Sample((draw(3, 4), 0, draw.indices(3, (2, 4)), draw(2, 4)))
    yield Sample((draw(3, 4), 1, draw.indices(4, (2, 6)), draw(3, 7)), torch=False)


@samples_for("index_select")
def _index_select(draw: Draw) -> Samples:
    yield Sample((draw(3, 4), 0, np.array([2, 0, 2])))
    yield Sample((draw(3, 4), -1, np.array([1])))


# --- products ----------------------------------------------------------------------------------
@samples_for("matmul")
def _matmul(draw: Draw) -> Samples:
    shapes: tuple[Any, ...] = (((3, 4), (4, 2)), ((4,), (4,)), ((3, 4), (4,)), ((4,), (4, 2)))
    shapes += (
        ((2, 3, 4), (4, 5)),
        ((2, 3, 4), (2, 4, 5)),
        ((5, 1, 3, 4), (2, 4, 2)),
        ((2, 3, 4), (4,)),
    )
    shapes += (
        ((4,), (2, 4, 3)),
        ((3, 0), (0, 2)),
        ((0, 4), (4, 2)),
        ((3, 4), (5, 4, 2)),
        ((1, 1), (1, 1)),
    )
    for x, y in shapes:
        yield Sample((draw(*x), draw(*y)))


@samples_for("linear")
def _linear(draw: Draw) -> Samples:
    for lead in ((3,), (2, 3), (0,)):
        yield Sample((draw(*lead, 4), draw(5, 4), draw(5)))
        yield Sample((draw(*lead, 4), draw(5, 4)))
    yield Sample((draw(4), draw(5, 4), draw(5)))


@samples_for("dot", "outer")
def _vectors(draw: Draw) -> Samples:
    yield Sample((draw(3), draw(3)))


@samples_for("mm", "bmm")
def _matrices(draw: Draw) -> Samples:
    yield Sample((draw(3, 4), draw(4, 2)))


# --- Needle's names ----------------------------------------------------------------------------
@samples_for("power_scalar", "add_scalar", "mul_scalar")
def _with_scalar(draw: Draw) -> Samples:
    for scalar in (3, 2.0, -1, 0.5):
        yield Sample((draw.positive(3, 4), scalar))


@samples_for("summation")
def _summation(draw: Draw) -> Samples:
    for axes in (None, 0, (0, 2)):
        yield Sample((draw(2, 3, 4), axes))


@samples_for("dilate")
def _dilate(draw: Draw) -> Samples:
    yield Sample((draw(3), 0, 2))
    yield Sample((draw(2, 3), (0, 1), 1))
    yield Sample((draw(2, 3, 2), (-1,), 0))


@samples_for("rsqrt", "sqrt", "log")
def _positive(draw: Draw) -> Samples:
    for shape in ((3, 4), (1,), (), (0, 3)):
        yield Sample((draw(*shape, domain=(0.0, math.inf)),))
