"""What a word does to single numbers, with IEEE's answers where Python raises an error.

``1 / 0`` is ∞, ``log(-1)`` is NaN, integers wrap around: as in every array library, since one bad
number among thousands is no reason to stop.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from functools import cache
from math import inf, nan
from typing import Any

from deepdive.errors import DTypeError

TYPECODES = {
    "bool": "B",
    "uint8": "B",
    "int8": "b",
    "int16": "h",
    "int32": "i",
    "int64": "q",
    "uint16": "H",
    "uint32": "I",
    "uint64": "Q",
    "float32": "f",
    "float64": "d",
}


@cache
def typecode(dtype: Any) -> str:
    """The letter of ``array.array`` for a dtype.

    Raises:
        DTypeError: for float16, which Python has no buffers of.
    """
    if dtype.name not in TYPECODES:
        raise DTypeError(
            f"native arrays have no {dtype.name}", expected=", ".join(TYPECODES), fix="x.float()"
        )
    return TYPECODES[dtype.name]


# --- into a dtype --------------------------------------------------------------------------------
@cache
def fit(dtype: Any) -> Callable[[Any], Any]:
    """The function that makes a computed number one of `dtype`: integers wrap around.

    >>> from deepdive import dtypes
    >>> fit(dtypes.uint8)(257), fit(dtypes.int8)(128), fit(dtypes.bool_)(2)
    (1, -128, True)
    """
    if dtype.kind == "f":
        return float
    if dtype.kind == "b":
        return bool
    span = 1 << 8 * dtype.itemsize
    low = -(span >> 1) if dtype.kind == "i" else 0

    def wrap(number: Any) -> Any:
        return (number - low) % span + low

    wrap.machine = same  # type: ignore[attr-defined] # machine numbers do so by themselves
    return wrap


def same(x: Any) -> Any:
    """x."""
    return x


@cache
def convert(dtype: Any) -> Callable[[Any], Any]:
    """The function that makes any number one of `dtype`: fractions are cut off."""
    wrap = fit(dtype)
    if dtype.kind in "fb":
        return wrap
    undefined = lowest(dtype)

    def whole(number: Any) -> Any:
        return wrap(int(number)) if math.isfinite(number) else undefined  # C's answer to ∞ and NaN

    return whole


def ieee(
    f: Callable[[float], float], poles: dict[float, float] | None = None
) -> Callable[[Any], float]:
    """`f`, but ∞ where it overflows, the value of a pole, NaN outside its domain."""
    known = poles or {}

    def guarded(x: Any) -> float:
        try:
            return f(x)
        except OverflowError:
            return inf
        except ValueError:
            return known.get(x, nan)

    guarded.machine = f  # type: ignore[attr-defined] # which has these answers by itself
    return guarded


# --- one operand ---------------------------------------------------------------------------------
sqrt = ieee(math.sqrt)
exp = ieee(math.exp)
expm1 = ieee(math.expm1)
log = ieee(math.log, {0.0: -inf})
log1p = ieee(math.log1p, {-1.0: -inf})
log2 = ieee(math.log2, {0.0: -inf})
log10 = ieee(math.log10, {0.0: -inf})
sin = ieee(math.sin)
cos = ieee(math.cos)
tan = ieee(math.tan)
asin = ieee(math.asin)
acos = ieee(math.acos)
cosh = ieee(math.cosh)
acosh = ieee(math.acosh)
atanh = ieee(math.atanh, {1.0: inf, -1.0: -inf})


def sinh(x: Any) -> float:
    """The hyperbolic sine, ±∞ where it overflows."""
    return math.copysign(_steep(abs(x)), x)


_steep = ieee(math.sinh)


def whole(f: Callable[[float], int]) -> Callable[[Any], Any]:
    """`f`, one of floor, ceil, trunc and round, for ±0, ∞ and NaN too."""

    def rounded(x: Any) -> Any:
        if isinstance(x, int) or x - x != 0:  # ∞ - ∞ is NaN, and NaN ≠ 0
            return x
        return math.copysign(f(x), x)

    return rounded


floor = whole(math.floor)
ceil = whole(math.ceil)
trunc = whole(math.trunc)
nearest = whole(round)


def sign(x: Any) -> Any:
    """-1, 0 or 1; NaN for NaN."""
    return x if x != x else (x > 0) - (x < 0)


def square(x: Any) -> Any:
    """x · x."""
    return x * x


def reciprocal(x: Any) -> float:
    """1 / x."""
    return divide(1.0, x)


def sigmoid(x: Any) -> float:
    """``1 / (1 + e^-x)``."""
    return 1.0 / (1.0 + exp(-float(x)))


# --- two operands --------------------------------------------------------------------------------
def divide(x: Any, y: Any) -> float:
    """x / y; 0 / 0 is NaN, and x / 0 is ±∞."""
    if y != 0:
        return float(x / y)
    return nan if x == 0 or x != x else math.copysign(inf, x) * math.copysign(1.0, y)


def floor_divide(x: Any, y: Any) -> Any:
    """floor(x / y); integers by 0 are 0."""
    if y != 0:
        return x // y
    return 0 if isinstance(x, int) else divide(x, y)


def remainder(x: Any, y: Any) -> Any:
    """What floor_divide leaves, with y's sign; NaN for floats by 0."""
    if x - x != 0 or y != y:
        return (x - x) * y  # NaN: ∞ leaves nothing that could be told
    if y != 0:
        return x % y
    return 0 if isinstance(x, int) else nan


def power(x: Any, y: Any) -> Any:
    """x to the power of y, exact for integers."""
    if isinstance(x, int) and isinstance(y, int) and y >= 0:
        return x**y
    return _raised(x, y)


def _raised(x: Any, y: Any) -> float:
    flips = x < 0 or (x == 0 and math.copysign(1.0, x) < 0)
    huge = -inf if flips and y % 2 == 1 else inf
    try:
        return math.pow(x, y)
    except OverflowError:
        return huge
    except ValueError:
        return huge if x == 0 else nan


_raised.machine = math.pow  # type: ignore[attr-defined] # which has these answers by itself


def shifted(x: Any, y: Any) -> Any:
    """The bits of x, y places up."""
    return x << y if y < 64 else 0


def signbit(x: Any) -> bool:
    """Whether the sign is a minus: that of zero and of NaN count."""
    return math.copysign(1.0, x) < 0


def next_single(x: Any, y: Any) -> float:
    """The float32 after x on the way to y: floats of one sign follow each other as integers do."""
    if x != x or y != y or x == y:
        return float(x + y if x != y else y)
    if x == 0:
        return math.copysign(2.0**-149, y)
    (number,) = struct.unpack("<i", struct.pack("<f", x))
    number += 1 if (y > x) == (x > 0) else -1
    return float(struct.unpack("<f", struct.pack("<i", number))[0])


def maximum(x: Any, y: Any) -> Any:
    """The larger one; NaN if one is."""
    return x if x > y or x != x else y


def minimum(x: Any, y: Any) -> Any:
    """The smaller one; NaN if one is."""
    return x if x < y or x != x else y


def logaddexp(x: Any, y: Any) -> float:
    """``log(e^x + e^y)``, nothing overflows on the way."""
    if x == y:
        return float(x + math.log(2))
    top, low = float(maximum(x, y)), float(minimum(x, y))
    return top + math.log1p(exp(low - top))


def larger(x: Any, y: Any) -> bool:
    """Whether x stands before y among the largest: NaN does before all."""
    return bool(x > y or (x != x and y == y))


def smaller(x: Any, y: Any) -> bool:
    """Whether x stands before y among the smallest: NaN does before all."""
    return bool(x < y or (x != x and y == y))


def both(x: Any, y: Any) -> bool:
    """Whether neither is 0."""
    return bool(x) and bool(y)


def one(x: Any, y: Any) -> bool:
    """Whether one is not 0."""
    return bool(x) or bool(y)


def exactly_one(x: Any, y: Any) -> bool:
    """Whether one is 0 and the other is not."""
    return bool(x) != bool(y)


# --- where reductions start ----------------------------------------------------------------------
def lowest(dtype: Any) -> Any:
    """The number no other of `dtype` is below."""
    if dtype.kind in "fb":
        return -inf if dtype.kind == "f" else False
    return -(1 << 8 * dtype.itemsize - 1) if dtype.kind == "i" else 0


def highest(dtype: Any) -> Any:
    """The number no other of `dtype` is above."""
    if dtype.kind in "fb":
        return inf if dtype.kind == "f" else True
    return lowest(dtype) + (1 << 8 * dtype.itemsize) - 1
