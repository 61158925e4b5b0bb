"""Elementwise functions beyond the first dozen: PyTorch's further arguments, and algebra.

``add(x, y, alpha=2)`` and its like are forms of operators in :mod:`deepdive.ops.elementwise`; most
other functions here are said in those operators, and have their derivatives from them.
"""

from __future__ import annotations

import math
from typing import Any

from deepdive import dtypes
from deepdive.core.operator import Operator, add_method, derive, further_arguments, register
from deepdive.core.tensor import Tensor
from deepdive.dtypes import is_floating
from deepdive.errors import ArgumentError, DTypeError
from deepdive.ops.compare import IsNan, Round, Trunc
from deepdive.ops.convert import AsType
from deepdive.ops.elementwise import (
    Add,
    Clamp,
    Div,
    FloorDivide,
    LogAddExp,
    Mul,
    Pow,
    Sign,
    Sub,
    Where,
)

Number = int | float | bool


def as_tensor(x: Any) -> Tensor:
    """`x` itself, or a Tensor of an array or a number that tracks nothing."""
    return x if isinstance(x, Tensor) else Tensor(x, requires_grad=False)


def floating(x: Any) -> Tensor:
    """`x` as a Tensor of floats: integers and booleans become the default float."""
    x = as_tensor(x)
    return x if x.is_floating_point() else AsType(dtypes.default_float())(x)


# --- PyTorch's further arguments ---------------------------------------------------------------
@further_arguments(Add)
def _add(x: Any, other: Any, *, alpha: Number = 1) -> Tensor:
    """``x + α · other``."""
    return Add()(x, _times(other, alpha, x))


@further_arguments(Sub)
def _sub(x: Any, other: Any, *, alpha: Number = 1) -> Tensor:
    """``x - α · other``."""
    return Sub()(x, _times(other, alpha, x))


def _times(other: Any, alpha: Number, x: Any) -> Any:
    if alpha == 1:
        return other
    whole = all(not is_floating(as_tensor(t).dtype) for t in (x, other))
    if whole and isinstance(alpha, float):
        raise DTypeError("add: integers take a whole alpha", got=alpha, expected="an int")
    return alpha * other


@derive("rsub", method=False)
def rsub(x: Any, other: Any, *, alpha: Number = 1) -> Tensor:
    """``other - α · x``."""
    return Sub()(other, _times(x, alpha, other))


@further_arguments(Round)
def _round(x: Any, *, decimals: int = 0) -> Tensor:
    """The nearest number with so many decimals; negative ones round to tens, hundreds …"""
    if decimals == 0 or not is_floating(as_tensor(x).dtype):
        return Round()(x)
    scale = 10.0 ** abs(decimals)
    if decimals > 0:
        return Div()(Round()(Mul()(x, scale)), scale)
    return Mul()(Round()(Div()(x, scale)), scale)


@derive("div", "divide", word="div")
def div(x: Any, other: Any, *, rounding_mode: str | None = None) -> Tensor:
    """``x / other``, optionally rounded: ``rounding_mode`` is None, ``"trunc"`` or ``"floor"``.

    Raises:
        ArgumentError: for another mode.
    """
    if rounding_mode is None:
        return Div()(x, other)
    if rounding_mode == "floor":
        return FloorDivide()(x, other)
    if rounding_mode != "trunc":
        raise ArgumentError(
            "div: unknown rounding_mode",
            got=repr(rounding_mode),
            expected="None, 'trunc' or 'floor'",
        )
    rest = Fmod()(x, other)
    if rest.is_floating_point():
        return Trunc()(Div()(x, other))
    return FloorDivide()(Sub()(x, rest), other)  # exact, however large


@derive("clamp", "clip", word="clamp")
def clamp(x: Any, min: Any = None, max: Any = None) -> Tensor:
    """``x`` limited to [min, max]: numbers, or Tensors that broadcast; outside the gradient is the
    bound's.

    Raises:
        ArgumentError: without any bound.

    >>> import deepdive as dd
    >>> dd.clamp(dd.tensor([1.0, 5.0]), max=dd.tensor([3.0, 4.0]))
    tensor([1., 4.])
    """
    if min is None and max is None:
        raise ArgumentError("clamp: neither min nor max", fix="give one of them")
    if isinstance(min, Tensor) or isinstance(max, Tensor):
        return ClampBetween()(x, min, max)
    x = as_tensor(x)
    if not is_floating(x.dtype):
        bounds = [bound for bound in (min, max) if bound is not None]
        x = AsType(dtypes.result_type(x._data, *bounds))(x)
    return Clamp(min, max)(x)


class ClampBetween(Operator):
    """``minimum(maximum(x, low), high)``, the bounds arrays; each gradient goes where its value
    came from."""

    promotes = "common"

    def forward(self, xp, x, low=None, high=None):
        x = x if low is None else xp.maximum(x, low)
        return x if high is None else xp.minimum(x, high)

    def backward(self, xp, grad, x, low, high):
        dx, dlow, dhigh = grad, None, None
        if low is not None:
            below = x < low if high is None else xp.logical_and(x < low, low < high)
            dx, dlow = xp.where(x < low, 0.0, dx), xp.where(below, grad, 0.0)
        if high is not None:
            above = x > high if low is None else xp.logical_or(x > high, high < low)
            dx, dhigh = xp.where(x > high, 0.0, dx), xp.where(above, grad, 0.0)
        return dx, dlow, dhigh


@derive("clamp_min")
def clamp_min(x: Any, min: Any) -> Tensor:
    """``x``, but at least `min`."""
    return clamp(x, min)


@derive("clamp_max")
def clamp_max(x: Any, max: Any) -> Tensor:
    """``x``, but at most `max`."""
    return clamp(x, None, max)


# --- remainders, rounding and signs ------------------------------------------------------------
@register
class Fmod(Operator):
    """``x - y · trunc(x / y)``: the sign of `x`, as C's ``fmod``; exact."""

    promotes = "number"

    def forward(self, xp, x, y):
        rest = xp.remainder(xp.abs(x), abs(y) if isinstance(y, (int, float)) else xp.abs(y))
        return xp.where(x < 0, -rest, rest)

    def backward(self, xp, grad, x, y, needs):
        return grad, -grad * xp.trunc(x / y) if needs[1] else None


@derive("frac")
def frac(x: Any) -> Tensor:
    """``x - trunc(x)``: the part behind the point, with the sign of `x`."""
    return Sub()(x, Trunc()(x))


@derive("fix")
def fix(x: Any) -> Tensor:
    """:func:`trunc` by another name."""
    return Trunc()(x)


@derive("positive")
def positive(x: Tensor) -> Tensor:
    """``+x``, which is `x`.

    Raises:
        DTypeError: for booleans, which have no sign.
    """
    if x.dtype.kind == "b":
        raise DTypeError("positive: a bool has no sign", fix="make it int64")
    return x


@derive("sgn")
def sgn(x: Any) -> Tensor:
    """:func:`sign`, by the name it has for complex numbers too."""
    return Sign()(x)


@register
class Signbit(Operator):
    """Whether the sign is minus, of -0.0 too."""

    def forward(self, xp, x):
        return xp.atan2(x, -1.0) < 0 if is_floating(x.dtype) else x < 0


@register
class Copysign(Operator):
    """``|x|`` with the sign of `y`, that of -0.0 too."""

    promotes = "float"

    def forward(self, xp, x, y):
        size = xp.abs(x) if hasattr(x, "dtype") else xp.full((), abs(x), y.dtype)
        if isinstance(y, (int, float)):
            return size if math.copysign(1, y) > 0 else -size
        minus = xp.atan2(y, -1.0) < 0
        return xp.where(minus, -size, size)

    def backward(self, xp, grad, x, out):
        return grad * xp.sign(x) * xp.sign(out), None


@register
class Heaviside(Operator):
    """0 where ``x < 0``, 1 where ``x > 0``, and `values` between; without a gradient."""

    promotes = "common"
    signature = "x, values"

    def forward(self, xp, x, values):
        return xp.where(x == 0, values, xp.astype(x > 0, x.dtype))


# --- two operands ------------------------------------------------------------------------------
class _SkipNan(Operator):
    """Base of ``fmax`` and ``fmin``: a NaN is passed over for the other operand."""

    promotes = "common"

    def forward(self, xp, x, y):
        return xp.where(self._first(xp, x, y), x, y)

    def backward(self, xp, grad, x, y):
        first = self._first(xp, x, y)
        return xp.where(first, grad, 0.0), xp.where(first, 0.0, grad)

    def _first(self, xp, x, y):
        raise NotImplementedError


@register
class Fmax(_SkipNan):
    """The larger of two, a NaN only if both are; of equal ones the first has the gradient."""

    def forward(self, xp, x, y):
        return super().forward(xp, x, y)

    def _first(self, xp, x, y):
        return xp.logical_or(x >= y, y != y)


@register
class Fmin(_SkipNan):
    """The smaller of two, a NaN only if both are; of equal ones the first has the gradient."""

    def forward(self, xp, x, y):
        return super().forward(xp, x, y)

    def _first(self, xp, x, y):
        return xp.logical_or(x <= y, y != y)


@register
class Hypot(Operator):
    """``√(x² + y²)``, without overflow on the way."""

    promotes = "float"

    def forward(self, xp, x, y):
        x, y = xp.abs(x), xp.abs(y)
        top, low = xp.maximum(x, y), xp.minimum(x, y)
        ratio = low / xp.where(top == 0, 1.0, xp.where(xp.isinf(top), 1.0, top))
        out = top * xp.sqrt(1.0 + ratio * ratio)
        return xp.where(xp.logical_or(xp.isinf(x), xp.isinf(y)), math.inf, out)

    def backward(self, xp, grad, x, y, out):
        scaled = grad / out
        return scaled * x, scaled * y


@derive("logaddexp2")
def logaddexp2(x: Any, other: Any) -> Tensor:
    """``log₂(2ˣ + 2ʸ)``."""
    two = math.log(2)
    return Div()(LogAddExp()(Mul()(x, two), Mul()(other, two)), two)


@derive("lerp")
def lerp(x: Any, end: Any, weight: Any) -> Tensor:
    """``x + weight · (end - x)``, exact at both ends."""
    ahead = Sub()(end, x)
    if not isinstance(weight, Tensor):
        return Add()(x, ahead * weight) if abs(weight) < 0.5 else Sub()(end, ahead * (1 - weight))
    near: Any = abs(weight.detach()) < 0.5
    return Where()(near, x + weight * ahead, end - ahead * (1 - weight))


@derive("addcmul")
def addcmul(x: Any, tensor1: Any, tensor2: Any, *, value: Number = 1) -> Tensor:
    """``x + value · tensor1 · tensor2``."""
    return Add()(x, _times(Mul()(tensor1, tensor2), value, x))


@derive("addcdiv")
def addcdiv(x: Any, tensor1: Any, tensor2: Any, *, value: Number = 1) -> Tensor:
    """``x + value · tensor1 / tensor2``."""
    return Add()(x, _times(Div()(tensor1, tensor2), value, x))


@derive("float_power")
def float_power(x: Any, exponent: Any) -> Tensor:
    """``x`` to the power of `exponent`, in float64 whatever came."""
    return Pow()(_double(x), _double(exponent))


def _double(x: Any) -> Any:
    return AsType("float64")(x) if isinstance(x, Tensor) else float(x)


@derive("exp2")
def exp2(x: Any) -> Tensor:
    """``2ˣ``."""
    return Pow()(2.0, floating(x))


@derive("ldexp")
def ldexp(x: Any, other: Any) -> Tensor:
    """``x · 2ʸ`` with ``y = other``."""
    return Mul()(x, exp2(other))


@derive("bitwise_left_shift", "__lshift__")
def bitwise_left_shift(x: Any, other: Any) -> Tensor:
    """``x · 2ʸ``: the bits of whole numbers moved `other` places up.

    Raises:
        DTypeError: for floats.
    """
    return _shifted("bitwise_left_shift", Mul(), x, other)


@derive("bitwise_right_shift", "__rshift__")
def bitwise_right_shift(x: Any, other: Any) -> Tensor:
    """``⌊x / 2ʸ⌋``: the bits of whole numbers moved `other` places down.

    Raises:
        DTypeError: for floats.
    """
    return _shifted("bitwise_right_shift", FloorDivide(), x, other)


def _shifted(name: str, operator: Any, x: Any, places: Any) -> Tensor:
    """The operator with a power of two, in two steps: ``2ʸ`` itself may be beyond the dtype."""
    dtype = dtypes.result_type(x, places)
    if is_floating(dtype):
        raise DTypeError(f"{name}: floats have no bits to move", expected="integers")
    bits = 8 * dtype.itemsize  # beyond them there is nothing left to move
    if not isinstance(places, Tensor):
        places = min(places, bits)
        half = places // 2
        out = operator(x, 2**half)
        return operator(out, 2 ** (places - half))
    places = AsType(dtype)(Clamp(max=bits)(places))
    half = FloorDivide()(places, 2)
    out = operator(x, Pow()(2, half))
    return operator(out, Pow()(2, places - half))


def _left_shifted(self: Tensor, other: Any) -> Tensor:
    return bitwise_left_shift(other, self)


def _right_shifted(self: Tensor, other: Any) -> Tensor:
    return bitwise_right_shift(other, self)


add_method("__rlshift__", _left_shifted)
add_method("__rrshift__", _right_shifted)


# --- one operand -------------------------------------------------------------------------------
@derive("deg2rad")
def deg2rad(x: Any) -> Tensor:
    """Degrees as radians: ``x π / 180``."""
    return Mul()(x, math.pi / 180)


@derive("rad2deg")
def rad2deg(x: Any) -> Tensor:
    """Radians as degrees: ``x 180 / π``."""
    return Mul()(x, 180 / math.pi)


@derive("sinc")
def sinc(x: Any) -> Tensor:
    """``sin(πx) / (πx)``, and 1 at 0."""
    z: Any = Mul()(x, math.pi)
    zero = z == 0
    safe = Where()(zero, 1.0, z)
    return Where()(zero, 1.0, safe.sin() / safe)


LARGEST = {"float16": 65504.0, "float32": (2 - 2.0**-23) * 2.0**127}
LARGEST["bfloat16"] = (2 - 2.0**-7) * 2.0**127
LARGEST["float64"] = (2 - 2.0**-52) * 2.0**1023


@derive("nan_to_num")
def nan_to_num(
    x: Any,
    nan: float | None = None,
    posinf: float | None = None,
    neginf: float | None = None,
) -> Tensor:
    """`x` with NaN, ∞ and -∞ replaced: by 0, and by the largest numbers of the dtype, unless given.

    What is replaced has no gradient.
    """
    x = as_tensor(x)
    if not is_floating(x.dtype):
        return x
    largest = LARGEST[x.dtype.name]
    high = largest if posinf is None else posinf
    low = -largest if neginf is None else neginf
    out = Where()(IsNan()(x), 0.0 if nan is None else nan, x)
    out = Where()(x == math.inf, high, out)
    return Where()(x == -math.inf, low, out)


@derive("where", word="chosen", method=False)
def where(condition: Any, x: Any = None, other: Any = None) -> Any:
    """``x`` where `condition` holds, ``other`` elsewhere; ``where(condition)`` are the places.

    As a method ``x.where(condition, other)``.

    >>> import deepdive as dd
    >>> dd.where(dd.tensor([True, False]), 1.0, 2.0)
    tensor([1., 2.])
    """
    if x is None and other is None:
        return as_tensor(condition).nonzero(as_tuple=True)
    return Where()(condition, x, other)


def _where(self: Tensor, condition: Any, other: Any) -> Tensor:
    """`self` where `condition` holds, ``other`` elsewhere."""
    return Where()(condition, self, other)


add_method("where", _where)
