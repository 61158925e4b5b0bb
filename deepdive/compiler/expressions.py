"""What each map is in a loop: one expression per element, in Numba's Python.

``f`` is float32.  Every literal and every operand of another dtype goes through the dtype of the
operation, since Numba would otherwise compute in double precision.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from deepdive.compiler.graph import NUMBER, Value

CASTS = {"float32": "f", "int64": "int64", "int32": "int32", "bool": "bool_", "uint32": "uint32"}
STARTS = {"sum": "0", "max": "-inf", "min": "inf"}
REDUCTIONS = ("sum", "max", "min")
VIRTUAL = ("arange", "zeros", "ones", "full")

# What Python and C write alike; generated kernels of a GPU say it so, too
ARITHMETIC = {
    "add": "{0} + {1}",
    "subtract": "{0} - {1}",
    "multiply": "{0} * {1}",
}
COMPARED = {
    "equal": "{0} == {1}",
    "not_equal": "{0} != {1}",
    "less": "{0} < {1}",
    "less_equal": "{0} <= {1}",
    "greater": "{0} > {1}",
    "greater_equal": "{0} >= {1}",
}
BINARY = {
    **ARITHMETIC,
    "divide": "{0} / {1}",
    **COMPARED,
    "maximum": "larger({0}, {1})",
    "minimum": "smaller({0}, {1})",
    "logical_and": "({0} != 0) & ({1} != 0)",
    "logical_or": "({0} != 0) | ({1} != 0)",
    "logical_xor": "({0} != 0) ^ ({1} != 0)",
    "bitwise_and": "{0} & {1}",
    "bitwise_or": "{0} | {1}",
    "atan2": "f(math.atan2({0}, {1}))",
}
UNARY = {
    "negative": "-{0}",
    "copy": "{0}",
    "abs": "abs({0})",
    "sqrt": "f(math.sqrt({0}))",
    "exp": "exp({0})",
    "log": "log({0})",
    "tanh": "tanh({0})",
    "sigmoid": "sigmoid({0})",
    "erf": "erf({0})",
    "reciprocal": "f(1) / {0}",
    "sign": "sign({0})",
    "log1p": "f(math.log1p({0}))",
    "expm1": "f(math.expm1({0}))",
    "sin": "f(math.sin({0}))",
    "cos": "f(math.cos({0}))",
    "floor": "f(math.floor({0}))",
    "ceil": "f(math.ceil({0}))",
    "isnan": "{0} != {0}",
    "isfinite": "abs({0}) < f(inf)",
    "logical_not": "{0} == 0",
}
COMPARE = ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal")
OTHERS = ("where", "astype", "pow", "pick", "placed")
MAPS = frozenset((*BINARY, *UNARY, *OTHERS))


def literal(number: Any, dtype: str) -> str:
    """A Python number as text of the operation's dtype.

    >>> literal(0.5, "float32"), literal(3, "int64")
    ('f(0.5)', '3')
    """
    if dtype == "float32":
        if isinstance(number, float) and not math.isfinite(number):
            return "f(nan)" if number != number else "f(inf)" if number > 0 else "f(-inf)"
        return f"f({number!r})"
    return repr(number)


def operation_dtype(value: Value) -> str:
    """The dtype a map computes in: of its result, or of what it compares."""
    if value.word in COMPARE or value.dtype.name == "bool":
        kinds = [v.dtype.name for v in value.operands() if v.dtype is not NUMBER]
        numbers = [a for a in value.arguments.values() if isinstance(a, float)]
        if "float32" in kinds or numbers or any(v.dtype is NUMBER for v in value.operands()):
            return "float32"
        return next((k for k in kinds if k != "bool"), "bool")
    return str(value.dtype.name)


def expression(value: Value, read: Callable[[Any], tuple[str, str]]) -> str:
    """The text of one element of `value`; ``read(argument)`` gives an operand's text and dtype."""
    dtype = operation_dtype(value)

    def operand(argument: Any, wanted: str = dtype) -> str:
        if not isinstance(argument, Value):
            return literal(argument, wanted)
        text, found = read(argument)
        return text if found == wanted else f"{CASTS[wanted]}({text})"

    arguments = value.arguments
    if value.word in BINARY:
        if value.word in ("maximum", "minimum"):
            return _extreme(value, operand)
        return BINARY[value.word].format(operand(arguments["x"]), operand(arguments["y"]))
    if value.word in UNARY:
        return UNARY[value.word].format(operand(arguments["x"]))
    if value.word == "where":
        condition = read(arguments["condition"])[0]
        return f"{operand(arguments['x'])} if {condition} else {operand(arguments['y'])}"
    if value.word == "astype":
        text, found = read(arguments["x"])
        if found == "bool" and dtype == "float32":
            return f"f(1) if {text} else f(0)"
        return f"{CASTS[dtype]}({text})"
    return _power(value, operand)


def _extreme(value: Value, operand: Callable[[Any], str]) -> str:
    """A NaN wins; against a number one comparison is enough."""
    x, y = value.arguments["x"], value.arguments["y"]
    if isinstance(x, Value) and not isinstance(y, Value):
        sign = "<" if value.word == "maximum" else ">"
        return f"{operand(y)} if {operand(x)} {sign} {operand(y)} else {operand(x)}"
    return BINARY[value.word].format(operand(x), operand(y))


def _power(value: Value, operand: Callable[[Any], str]) -> str:
    """Whole and half exponents are products and roots."""
    x, y = value.arguments["x"], value.arguments["y"]
    if not isinstance(y, Value):
        if y == 2:
            return f"{operand(x)} * {operand(x)}"
        if y == 3:
            return f"{operand(x)} * {operand(x)} * {operand(x)}"
        if y == 0.5:
            return f"f(math.sqrt({operand(x)}))"
        if y == -1:
            return f"f(1) / {operand(x)}"
    return f"f(math.pow({operand(x)}, {operand(y)}))"
