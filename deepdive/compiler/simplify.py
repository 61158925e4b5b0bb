"""Simplification: a table of named rules, applied to each value in order.

A rule looks at one value whose operands are simple already, and gives a simpler value, or None::

    reshape(reshape(x, (6,)), (3, 2))  →  reshape(x, (3, 2))      reshape_twice
    multiply(x, 1.0)                   →  x                       neutral
    permute_dims(permute_dims(x))      →  x                       transpose_twice
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from deepdive import dtypes
from deepdive.compiler.graph import CONSTANT, INPUT, NUMBER, Graph, Value, rewritten, said

Rule = Callable[[Value], Any]

KEPT_BY_ONE = ("multiply", "divide", "pow")
KEPT_BY_ZERO = ("add", "subtract")


def simplified(graph: Graph) -> Graph:
    """The same computation with fewer values: equal ones merged, dead ones gone."""
    known: dict[Any, Value] = {}

    def simple(value: Value) -> Any:
        for rule in RULES.values():
            found = rule(value)
            if found is not None:
                value = found
        key = _key(value)
        return value if key is None else known.setdefault(key, value)

    return rewritten(graph, simple)


def _key(value: Value) -> Any:
    """Equal keys, equal results; None where that cannot be told."""
    if value.word in (INPUT, CONSTANT):
        return value
    try:
        key = (value.word, _frozen(tuple(value.arguments.items())), value.shape, value.dtype)
        hash(key)
    except TypeError:
        return None
    return key


def _frozen(item: Any) -> Any:
    """An argument that can be hashed; 1, 1.0 and True are kept apart.

    >>> _frozen([1, 1.0])
    ((<class 'int'>, 1), (<class 'float'>, 1.0))
    """
    if isinstance(item, (tuple, list)):
        return tuple(_frozen(part) for part in item)
    if isinstance(item, slice):
        return ("slice", item.start, item.stop, item.step)
    return (type(item), item) if isinstance(item, (int, float)) else item


# --- the rules ---------------------------------------------------------------------------------
def no_copy(value: Value) -> Any:
    """A program owns its values: a copy of one is that one."""
    if value.word in ("copy", "contiguous"):
        return value.arguments["x"]
    if value.word == "asarray" and isinstance(value.arguments["x"], Value):
        return same_dtype(Value("astype", value.arguments, value.shape, value.dtype))
    return None


def same_shape(value: Value) -> Any:
    """A reshape or broadcast to the shape that is there already."""
    if value.word in ("reshape", "broadcast_to") and value.arguments["x"].shape == value.shape:
        return value.arguments["x"]
    return None


def same_dtype(value: Value) -> Any:
    """A conversion to the dtype that is there already."""
    if value.word != "astype" or not isinstance(value.arguments["x"], Value):
        return None
    return value.arguments["x"] if value.arguments["x"].dtype == value.dtype else None


def reshape_twice(value: Value) -> Any:
    """The last of several reshapes decides."""
    if value.word != "reshape":
        return None
    inner = value.arguments["x"]
    if inner.word not in ("reshape", "expand_dims", "squeeze"):
        return None
    return said("reshape", value, x=inner.arguments["x"], shape=value.shape)


def neutral(value: Value) -> Any:
    """``x * 1``, ``x / 1``, ``x ** 1``, ``x + 0``, ``x - 0``."""
    if value.word in KEPT_BY_ONE:
        number = 1
    elif value.word in KEPT_BY_ZERO:
        number = 0
    else:
        return None
    x, y = value.arguments["x"], value.arguments["y"]
    for kept, other in ((x, y), (y, x)):
        if isinstance(kept, Value) and isinstance(other, (int, float)) and other == number:
            if kept is y and value.word not in ("multiply", "add"):
                continue
            if kept.dtype == value.dtype and kept.shape == value.shape:
                return kept
    return None


def scalar_broadcast(value: Value) -> Any:
    """Ones and zeros spread over a shape are made in that shape."""
    if value.word not in ("broadcast_to", "reshape"):
        return None
    inner = value.arguments["x"]
    if inner.word in ("ones", "zeros"):
        return said(inner.word, value, shape=value.shape, dtype=value.dtype)
    return None


def times_ones(value: Value) -> Any:
    """``x * ones`` where the ones do not widen x."""
    if value.word != "multiply":
        return None
    x, y = value.arguments["x"], value.arguments["y"]
    for kept, other in ((x, y), (y, x)):
        if isinstance(other, Value) and other.word == "ones" and isinstance(kept, Value):
            if kept.shape == value.shape and kept.dtype == value.dtype:
                return kept
    return None


def constants(value: Value) -> Any:
    """Arithmetic on arrays of one number is one number."""
    if value.word not in FOLDED or value.dtype is NUMBER:
        return None
    numbers = [_number(argument) for argument in value.arguments.values()]
    if any(number is None for number in numbers):
        return None
    found = FOLDED[value.word](*numbers)
    if found is None or not dtypes.is_floating(value.dtype):
        return None
    return said("full", value, shape=value.shape, value=found, dtype=value.dtype)


def _number(argument: Any) -> Any:
    """The one number an argument holds everywhere, or None."""
    if isinstance(argument, (int, float)):
        return argument
    if isinstance(argument, Value) and argument.dtype is not NUMBER:
        if argument.word in ("ones", "zeros"):
            return int(argument.word == "ones")
        if argument.word == "full" and isinstance(argument.arguments["value"], (int, float)):
            return argument.arguments["value"]
        if argument.word in ("reshape", "broadcast_to"):
            return _number(argument.arguments["x"])
    return None


FOLDED: dict[str, Callable[..., Any]] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": lambda x, y: x / y if y else None,
    "negative": operator.neg,
}


def squeeze_is_reshape(value: Value) -> Any:
    """Axes of extent 1 that come or go are a reshape, so that one rule serves all."""
    if value.word not in ("expand_dims", "squeeze"):
        return None
    return said("reshape", value, x=value.arguments["x"], shape=value.shape)


def transpose_twice(value: Value) -> Any:
    """Two permutations of axes are one, or none."""
    if value.word != "permute_dims" or value.arguments["x"].word != "permute_dims":
        return None
    inner = value.arguments["x"]
    rank = len(value.shape)
    first, second = inner.arguments["axes"], value.arguments["axes"]
    axes = tuple(first[a % rank] % rank for a in second)
    if axes == tuple(range(rank)):
        return inner.arguments["x"]
    return said("permute_dims", value, x=inner.arguments["x"], axes=axes)


RULES: dict[str, Rule] = {
    rule.__name__: rule
    for rule in (
        no_copy,
        same_shape,
        same_dtype,
        squeeze_is_reshape,
        reshape_twice,
        scalar_broadcast,
        constants,
        neutral,
        times_ones,
        transpose_twice,
    )
}
