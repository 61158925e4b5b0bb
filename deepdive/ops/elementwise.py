"""Arithmetic, comparisons and functions that act on each element.

Every class is one operator: ``forward`` in array words, ``backward`` by the chain rule.  Operands
broadcast; the engine sums gradients back over the axes that were broadcast.
"""

from __future__ import annotations

import math
from typing import Any

from deepdive.core.operator import Operator, add_method, register
from deepdive.core.tensor import Tensor

Number = int | float | bool


def reflected(function: Any) -> Any:
    """``r - x`` for the function behind ``x - r``."""

    def swapped(self: Tensor, other: Any) -> Tensor:
        return function(other, self)  # type: ignore[no-any-return]

    return swapped


# --- arithmetic --------------------------------------------------------------------------------
@register("add", "__add__", "__radd__")
class Add(Operator):
    """``x + y``."""

    promotes = "common"

    def forward(self, xp, x, y):
        return xp.add(x, y)

    def backward(self, xp, grad):
        return grad, grad


@register("sub", "subtract", "__sub__", word="subtract")
class Sub(Operator):
    """``x - y``."""

    promotes = "common"

    def forward(self, xp, x, y):
        return xp.subtract(x, y)

    def backward(self, xp, grad, needs):
        return grad, -grad if needs[1] else None


@register("mul", "multiply", "__mul__", "__rmul__", word="multiply")
class Mul(Operator):
    """``x · y``, elementwise."""

    promotes = "common"

    def forward(self, xp, x, y):
        return xp.multiply(x, y)

    def backward(self, xp, grad, x, y, needs):
        return grad * y if needs[0] else None, grad * x if needs[1] else None


@register("true_divide", "__truediv__", word="divide")
class Div(Operator):
    """``x / y``; integers give the default float."""

    promotes = "float"

    def forward(self, xp, x, y):
        return xp.divide(x, y)

    def backward(self, xp, grad, y, out, needs):
        dx = grad / y
        return dx, -dx * out if needs[1] else None


@register("floor_divide", "__floordiv__")
class FloorDivide(Operator):
    """``⌊x / y⌋``, without a gradient."""

    promotes = "number"

    def forward(self, xp, x, y):
        return xp.floor_divide(x, y)


@register("remainder", "__mod__")
class Remainder(Operator):
    """``x - y ⌊x / y⌋``: the sign of `y`, as Python's ``%``."""

    promotes = "number"

    def forward(self, xp, x, y):
        return xp.remainder(x, y)

    def backward(self, xp, grad, x, y, needs):
        return grad, -grad * xp.floor(x / y) if needs[1] else None


@register("neg", "negative", "__neg__", word="negative")
class Neg(Operator):
    """``-x``."""

    def forward(self, xp, x):
        return xp.negative(x)

    def backward(self, xp, grad):
        return -grad


@register("pow", "__pow__")
class Pow(Operator):
    """``xʸ``; a whole number as exponent is a product, so negative bases are fine."""

    promotes = "number"

    def forward(self, xp, x, y):
        return xp.square(x) if type(y) is int and y == 2 else xp.pow(x, y)

    def backward(self, xp, grad, x, y, out, needs):
        dx = dy = None
        if needs[0]:
            if isinstance(y, (int, float)):
                dx = grad * y * (x if y == 2 else x ** (y - 1)) if y else grad * 0
            else:  # y·xʸ⁻¹ is 0 for y = 0, also where x = 0
                dx = grad * xp.where(y == 0, 0.0, y * x ** xp.where(y == 0, 1.0, y - 1))
        if needs[1]:  # 0ʸ does not grow with y: log 0 must not spoil it
            base = (x or 1) if isinstance(x, (int, float)) else xp.where(x == 0, 1.0, x)
            dy = grad * out * (math.log(base) if isinstance(x, (int, float)) else xp.log(base))
        return dx, dy


class PowerScalar(Operator):
    """``xⁿ`` for a fixed number: ``PowerScalar(3)(x)``."""

    exponent: Number
    name = "PowerScalar"

    def forward(self, xp, x):
        return xp.pow(x, self.exponent)

    def backward(self, xp, grad, x):
        return grad * self.exponent * x ** (self.exponent - 1)


def _positive(x: Tensor) -> Tensor:
    """``+x``, which is `x`."""
    return x


add_method("__pos__", _positive)
add_method("__rsub__", reflected(Sub()))
add_method("__rtruediv__", reflected(Div()))
add_method("__rfloordiv__", reflected(FloorDivide()))
add_method("__rmod__", reflected(Remainder()))
add_method("__rpow__", reflected(Pow()))


@register
class Square(Operator):
    """``x²``."""

    promotes = "number"

    def forward(self, xp, x):
        return xp.square(x)

    def backward(self, xp, grad, x):
        return 2 * grad * x


@register("atan2", "arctan2")
class Atan2(Operator):
    """The angle of the point (y, x): ``atan(x / y)`` in the right quadrant."""

    promotes = "float"

    def forward(self, xp, x, y):
        return xp.atan2(x, y)

    def backward(self, xp, grad, x, y):
        square = x * x + y * y
        scaled = grad / xp.where(square == 0, 1.0, square)  # at the origin the slope is taken as 0
        return scaled * y, -scaled * x


@register("maximum")
class Maximum(Operator):
    """The larger of two; equal ones share the gradient."""

    promotes = "common"

    def forward(self, xp, x, y):
        return xp.maximum(x, y)

    def backward(self, xp, grad, x, y):
        share = xp.astype(x > y, grad.dtype) + 0.5 * xp.astype(x == y, grad.dtype)
        return grad * share, grad * (1 - share)


@register("minimum")
class Minimum(Operator):
    """The smaller of two; equal ones share the gradient."""

    promotes = "common"

    def forward(self, xp, x, y):
        return xp.minimum(x, y)

    def backward(self, xp, grad, x, y):
        share = xp.astype(x < y, grad.dtype) + 0.5 * xp.astype(x == y, grad.dtype)
        return grad * share, grad * (1 - share)


@register("logaddexp")
class LogAddExp(Operator):
    """``log(eˣ + eʸ)``."""

    promotes = "float"

    def forward(self, xp, x, y):
        return xp.logaddexp(x, y)

    def backward(self, xp, grad, x, y):
        share = xp.sigmoid(x - y)
        return grad * share, grad * (1 - share)


# --- functions of one operand ------------------------------------------------------------------
@register("abs", "absolute", "__abs__")
class Abs(Operator):
    """``|x|``; its slope at 0 is taken as 0."""

    def forward(self, xp, x):
        return xp.abs(x)

    def backward(self, xp, grad, x):
        return grad * xp.sign(x)


@register
class Sign(Operator):
    """-1, 0 or 1; 0 for a NaN, as in PyTorch; the gradient is 0."""

    def forward(self, xp, x):
        return xp.where(x == x, xp.sign(x), 0) if x.dtype.kind == "f" else xp.sign(x)

    def backward(self, xp, grad):
        return grad * 0


@register
class Sqrt(Operator):
    """``√x``."""

    promotes = "float"
    domain = (0.0, math.inf)

    def forward(self, xp, x):
        return xp.sqrt(x)

    def backward(self, xp, grad, out):
        return grad / (2 * out)


@register
class Rsqrt(Operator):
    """``1 / √x``."""

    promotes = "float"
    domain = (0.0, math.inf)

    def forward(self, xp, x):
        return 1 / xp.sqrt(x)

    def backward(self, xp, grad, out):
        return -0.5 * grad * out * out * out


@register
class Reciprocal(Operator):
    """``1 / x``."""

    promotes = "float"

    def forward(self, xp, x):
        return xp.reciprocal(x)

    def backward(self, xp, grad, out):
        return -grad * out * out


@register
class Exp(Operator):
    """``eˣ``."""

    promotes = "float"

    def forward(self, xp, x):
        return xp.exp(x)

    def backward(self, xp, grad, out):
        return grad * out


@register
class Expm1(Operator):
    """``eˣ - 1``, accurate near 0."""

    promotes = "float"

    def forward(self, xp, x):
        return xp.expm1(x)

    def backward(self, xp, grad, out):
        return grad * (out + 1)


@register
class Log(Operator):
    """The natural logarithm."""

    promotes = "float"
    domain = (0.0, math.inf)

    def forward(self, xp, x):
        return xp.log(x)

    def backward(self, xp, grad, x):
        return grad / x


@register
class Log1p(Operator):
    """``log(1 + x)``, accurate near 0."""

    promotes = "float"
    domain = (-1.0, math.inf)

    def forward(self, xp, x):
        return xp.log1p(x)

    def backward(self, xp, grad, x):
        return grad / (1 + x)


@register
class Log2(Operator):
    """The logarithm to base 2."""

    promotes = "float"
    domain = (0.0, math.inf)

    def forward(self, xp, x):
        return xp.log2(x)

    def backward(self, xp, grad, x):
        return grad / (x * math.log(2))


@register
class Log10(Operator):
    """The logarithm to base 10."""

    promotes = "float"
    domain = (0.0, math.inf)

    def forward(self, xp, x):
        return xp.log10(x)

    def backward(self, xp, grad, x):
        return grad / (x * math.log(10))


@register
class Erf(Operator):
    """The error function ``2/√π ∫₀ˣ e^(-t²) dt``."""

    promotes = "float"

    def forward(self, xp, x):
        return xp.erf(x)

    def backward(self, xp, grad, x):
        return grad * (2 / math.sqrt(math.pi)) * xp.exp(-x * x)


# --- selection ---------------------------------------------------------------------------------
@register("where")
class Where(Operator):
    """``x`` where `condition` holds, ``y`` elsewhere."""

    promotes = "rest"

    def forward(self, xp, condition, x, y):
        return xp.where(condition, x, y)

    def backward(self, xp, grad, condition):
        return None, xp.where(condition, grad, 0.0), xp.where(condition, 0.0, grad)


@register("clamp", "clip", word="clip")
class Clamp(Operator):
    """``x`` limited to [min, max]; outside the gradient is 0."""

    min: Number | None = None
    max: Number | None = None

    def forward(self, xp, x):
        return xp.clip(x, self.min, self.max)

    def backward(self, xp, grad, x):
        inside = x == x if self.min is None else x >= self.min
        if self.max is not None:
            inside = xp.logical_and(inside, x <= self.max)
        return xp.where(inside, grad, 0.0)
