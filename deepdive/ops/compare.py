"""Comparisons, logic and rounding: operators without a gradient (or with a zero one).

Most of them differ in one word only, so a table makes them.
"""

from __future__ import annotations

from typing import Any

from deepdive.core.operator import Operator, add_method, register
from deepdive.core.tensor import Tensor


def _binary(word: str, promotes: str | None, doc: str, *names: str) -> Any:
    def forward(self, xp, x, y):
        return getattr(xp, word)(x, y)

    title = "".join(part.capitalize() for part in word.split("_"))
    body = {"forward": forward, "promotes": promotes, "__doc__": doc, "__module__": __name__}
    cls = type(title, (Operator,), body)
    return register(*names, word=word)(cls)


def _unary(word: str, doc: str, *names: str) -> Any:
    def forward(self, xp, x):
        return getattr(xp, word)(x)

    title = "".join(part.capitalize() for part in word.split("_"))
    body = {"forward": forward, "__doc__": doc, "__module__": __name__}
    cls = type(title, (Operator,), body)
    return register(*names, word=word)(cls)


Equal = _binary("equal", "common", "``x == y``, elementwise.", "eq", "__eq__")
NotEqual = _binary("not_equal", "common", "``x != y``.", "ne", "not_equal", "__ne__")


def _with_tensors_only(function: Any) -> Any:
    """None and texts are left to Python, which finds them different from every tensor."""

    def method(self: Tensor, other: Any) -> Any:
        if other is None or isinstance(other, str):
            return NotImplemented
        return function(self, other)

    return method


add_method("__eq__", _with_tensors_only(Tensor.__eq__))
add_method("__ne__", _with_tensors_only(Tensor.__ne__))
AND = ("bitwise_and", "__and__", "__rand__")
OR = ("bitwise_or", "__or__", "__ror__")
XOR = ("bitwise_xor", "__xor__", "__rxor__")
Less = _binary("less", "common", "``x < y``.", "lt", "less", "__lt__")
LessEqual = _binary("less_equal", "common", "``x <= y``.", "le", "less_equal", "__le__")
Greater = _binary("greater", "common", "``x > y``.", "gt", "greater", "__gt__")
GreaterEqual = _binary("greater_equal", "common", "``x >= y``.", "ge", "greater_equal", "__ge__")
LogicalAnd = _binary("logical_and", None, "Both are non-zero.", "logical_and")
LogicalOr = _binary("logical_or", None, "One at least is non-zero.", "logical_or")
LogicalXor = _binary("logical_xor", None, "Exactly one is non-zero.", "logical_xor")
BitwiseAnd = _binary("bitwise_and", "common", "Bits set in both.", *AND)
BitwiseOr = _binary("bitwise_or", "common", "Bits set in one at least.", *OR)
BitwiseXor = _binary("bitwise_xor", "common", "Bits set in one.", *XOR)

LogicalNot = _unary("logical_not", "True where x is zero.", "logical_not")
BitwiseInvert = _unary("bitwise_invert", "All bits flipped.", "bitwise_not", "__invert__")
IsNan = _unary("isnan", "True where x is not a number.", "isnan")
IsInf = _unary("isinf", "True where x is infinite.", "isinf")
IsFinite = _unary("isfinite", "True where x is a finite number.", "isfinite")


class Step(Operator):
    """Base of the rounding functions: constant but for jumps, so the gradient is 0."""

    def forward(self, xp, x):
        raise NotImplementedError

    def backward(self, xp, grad):
        return grad * 0


@register
class Floor(Step):
    """The largest whole number ≤ x."""

    def forward(self, xp, x):
        return xp.floor(x)


@register
class Ceil(Step):
    """The smallest whole number ≥ x."""

    def forward(self, xp, x):
        return xp.ceil(x)


@register
class Trunc(Step):
    """x without its fractional part."""

    def forward(self, xp, x):
        return xp.trunc(x)


@register
class Round(Step):
    """The nearest whole number; halves go to the even one."""

    def forward(self, xp, x):
        return xp.round(x)
