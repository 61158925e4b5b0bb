"""Simplification: a table of named rules, applied to each value in order.

A rule looks at one value whose operands are simple already, and gives a simpler value, or None.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from deepdive.compiler.graph import CONSTANT, INPUT, NUMBER, Graph, Value, replaced

Rule = Callable[[Value], Any]

ONE = ("multiply", "divide", "pow")


def simplified(graph: Graph) -> Graph:
    """The same computation with fewer values: equal ones merged, dead ones gone."""
    new: dict[Value, Any] = {}
    known: dict[Any, Value] = {}
    for value in graph.values():
        if value.word in (INPUT, CONSTANT):
            new[value] = value
            continue
        arguments = replaced(value.arguments, lambda operand: new[operand])
        simple: Any = Value(
            value.word, arguments, value.shape, value.dtype, value.array, value.origin
        )
        for rule in RULES.values():
            found = rule(simple)
            if found is not None:
                simple = found
        key = _key(simple)
        new[value] = known.setdefault(key, simple) if key is not None else simple
    return Graph(
        graph.inputs,
        [new[value] for value in graph.outputs],
        [(target, new[value]) for target, value in graph.writes],
    )


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
    arguments = {"x": inner.arguments["x"], "shape": value.shape}
    return Value("reshape", arguments, value.shape, value.dtype, origin=value.origin)


def neutral(value: Value) -> Any:
    """``x * 1``, ``x / 1``, ``x ** 1``, ``x + 0``, ``x - 0``."""
    if value.word in ONE:
        number: Any = 1
    elif value.word in ("add", "subtract"):
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
        arguments = {"shape": value.shape, "dtype": value.dtype}
        return Value(inner.word, arguments, value.shape, value.dtype, origin=value.origin)
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
    if found is None or value.dtype.kind != "f":
        return None
    arguments = {"shape": value.shape, "value": found, "dtype": value.dtype}
    return Value("full", arguments, value.shape, value.dtype, origin=value.origin)


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
    arguments = {"x": value.arguments["x"], "shape": value.shape}
    return Value("reshape", arguments, value.shape, value.dtype, origin=value.origin)


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
    arguments = {"x": inner.arguments["x"], "axes": axes}
    return Value("permute_dims", arguments, value.shape, value.dtype, origin=value.origin)


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
