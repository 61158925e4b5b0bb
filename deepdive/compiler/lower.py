"""Lowering: extended words said in the few that loops are made of.

After this a graph holds maps (one result per element), sums, maxima and minima over axes, matrix
products, and views.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from deepdive import dtypes
from deepdive.compiler.geometry import forward_shape, room, turned_shape
from deepdive.compiler.graph import CONSTANT, INPUT, Graph, Value, replaced

BOOL = dtypes.bool_


def lowered(graph: Graph) -> Graph:
    """The same computation in primitive words."""
    new: dict[Value, Value] = {}
    for value in graph.values():
        if value.word in (INPUT, CONSTANT):
            new[value] = value
            continue
        arguments = replaced(value.arguments, lambda operand: new[operand])
        plain = Value(value.word, arguments, value.shape, value.dtype, value.array, value.origin)
        rule = RULES.get(value.word)
        new[value] = plain if rule is None else rule(plain)
    return Graph(
        graph.inputs,
        [new[value] for value in graph.outputs],
        [(target, new[value]) for target, value in graph.writes],
    )


def said(word: str, like: Value, extents: Any = None, /, **arguments: Any) -> Value:
    """A value made by `word`, with the dtype and origin of `like`, and its shape or another."""
    shape = like.shape if extents is None else extents
    return Value(word, arguments, shape, like.dtype, origin=like.origin)


def _reduced(value: Value) -> tuple[Value, Any, tuple[int, ...], int]:
    """The operand of a reduction, its axes, the shape with them kept, and how many elements."""
    x = value.arguments["x"]
    axis = value.arguments["axis"]
    rank = len(x.shape)
    axes = tuple(range(rank)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    axes = tuple(a % rank for a in axes)
    kept = tuple(1 if i in axes else n for i, n in enumerate(x.shape))
    count = 1
    for a in axes:
        count *= x.shape[a]
    return x, axes, kept, count


def mean(value: Value) -> Value:
    """Σ x / n."""
    x, axes, _, count = _reduced(value)
    total = said("sum", value, x=x, axis=axes, keepdims=value.arguments["keepdims"])
    return said("multiply", value, x=total, y=1.0 / max(count, 1))


def logsumexp(value: Value) -> Value:
    """max + log Σ exp(x - max)."""
    x, axes, kept, _ = _reduced(value)
    top = said("max", value, kept, x=x, axis=axes, keepdims=True)
    shifted = said("exp", value, x.shape, x=said("subtract", value, x.shape, x=x, y=top))
    total = said("sum", value, kept, x=shifted, axis=axes, keepdims=True)
    out = said("add", value, kept, x=said("log", value, kept, x=total), y=top)
    return said("reshape", value, x=out, shape=value.shape)


def clip(value: Value) -> Value:
    """min(max(x, low), high)."""
    out = value.arguments["x"]
    low, high = value.arguments["min"], value.arguments["max"]
    if low is not None:
        out = said("maximum", value, x=out, y=low)
    return out if high is None else said("minimum", value, x=out, y=high)


def square(value: Value) -> Value:
    """x · x."""
    x = value.arguments["x"]
    return said("multiply", value, x=x, y=x)


def zeros_like(value: Value) -> Value:
    """zeros in that shape."""
    return said("zeros", value, shape=value.shape, dtype=value.dtype)


def ones_like(value: Value) -> Value:
    """ones in that shape."""
    return said("ones", value, shape=value.shape, dtype=value.dtype)


def matmul(value: Value) -> Value:
    """A product with a vector is a sum of products; with a vector of one number, a scaled sum."""
    x, y = value.arguments["x"], value.arguments["y"]
    last = len(x.shape) - 1
    if len(y.shape) == 1:
        if y.word in ("full", "ones") and not isinstance(y.arguments.get("value"), Value):
            total = said("sum", value, x=x, axis=(last,), keepdims=False)
            return said("multiply", value, x=total, y=y.arguments.get("value", 1))
        terms = said("multiply", value, x.shape, x=x, y=y)
        return said("sum", value, x=terms, axis=(last,), keepdims=False)
    if last == 0:
        row = said("reshape", value, (1, *x.shape), x=x, shape=(1, *x.shape))
        shape = (*y.shape[:-2], 1, y.shape[-1])
        out = said("matmul", value, shape, x=row, y=y)
        return said("reshape", value, x=out, shape=value.shape)
    return value


def getitem(value: Value) -> Value:
    """An index of integer arrays for the first axes is a pick."""
    index = value.arguments["index"]
    parts = index if isinstance(index, tuple) else (index,)
    if not all(isinstance(part, Value) and part.dtype.kind == "i" for part in parts):
        return value
    return said("pick", value, x=value.arguments["x"], index=parts)


def setitem(value: Value) -> Value:
    """One element a row, ``x[arange(n), t] = v``, is a choice by column."""
    place = _one_a_row(value)
    if place is None:
        return value
    return said("where", value, condition=place[0], x=place[1], y=value.arguments["x"])


def index_add(value: Value) -> Value:
    """One element a row, ``x[arange(n), t] += v``, is a choice by column."""
    place = _one_a_row(value)
    x = value.arguments["x"]
    if place is not None:
        more = said("add", value, x=x, y=place[1])
        return said("where", value, condition=place[0], x=more, y=x)
    added = _placed(value) or _scattered(value)
    if added is None:
        return value
    return added if x.word == "zeros" else said("add", value, x=x, y=added)


def _placed(value: Value) -> Value | None:
    """Values at a place of slices and integers, zeros around them."""
    x, values = value.arguments["x"], value.arguments["values"]
    index = value.arguments["index"]
    parts = list(index) if isinstance(index, tuple) else [index]
    if any(not (part is ... or type(part) in (int, slice)) for part in parts):
        return None
    rest = len(x.shape) - sum(part is not ... for part in parts)
    at = parts.index(...) if ... in parts else len(parts)
    parts[at : at + 1] = [slice(None)] * rest
    starts, extents = [], []
    for part, extent in zip(parts, x.shape, strict=True):
        if type(part) is int:
            part = slice(part % extent, part % extent + 1)
        start, stop, step = part.indices(extent)
        if step != 1:
            return None
        starts.append(start)
        extents.append(max(stop - start, 0))
    if not isinstance(values, Value) or values.size != _size(extents):
        return None
    box = said("reshape", value, tuple(extents), x=values, shape=tuple(extents))
    return said("placed", value, x=box, starts=tuple(starts))


def _size(extents: Any) -> int:
    size = 1
    for extent in extents:
        size *= extent
    return size


def _scattered(value: Value) -> Value | None:
    """Rows added up at the rows an integer array names."""
    index, values = value.arguments["index"], value.arguments["values"]
    parts = index if isinstance(index, tuple) else (index,)
    if len(parts) != 1 or not isinstance(parts[0], Value) or parts[0].dtype.kind != "i":
        return None
    rows = parts[0]
    shape = (*rows.shape, *(1 for _ in value.shape[1:]))
    numbers = Value("reshape", {"x": rows, "shape": shape}, shape, rows.dtype)
    return said("scatter", value, x=values, index=numbers)


def convolution(value: Value) -> Value:
    """A convolution of images with a packed weight."""
    a = value.arguments
    x, w = a["x"], a["w"]
    shape = _geometry(x.shape, w.shape, a)
    if shape is None:
        return value
    packed = said("pack", value, (room(shape)["packed"],), x=w, shape=shape)
    return said("convolve", value, x=x, weight=packed, shape=shape)


def convolution_input_grad(value: Value) -> Value:
    """A convolution of the gradient with the weight turned around; strides are left to NumPy."""
    a = value.arguments
    grad, w = a["grad"], a["w"]
    forward = _geometry(a["x_shape"], w.shape, a)
    if forward is None or a["stride"] != (1, 1):
        return value
    shape = turned_shape(forward)
    packed = said("pack_turned", value, (room(shape)["packed"],), x=w, shape=shape)
    return said("convolve", value, x=grad, weight=packed, shape=shape)


def convolution_weight_grad(value: Value) -> Value:
    """Products of the input and the gradient, summed over images."""
    a = value.arguments
    shape = _geometry(a["x"].shape, a["w_shape"], a)
    if shape is None:
        return value
    return said("correlate", value, x=a["x"], grad=a["grad"], shape=shape)


def _geometry(x_shape: Any, w_shape: Any, a: Any) -> Any:
    """The kernels' description of a two-dimensional convolution; None for others."""
    if len(w_shape) != 4 or 0 in (*x_shape, *w_shape):
        return None
    return forward_shape(x_shape, w_shape, a)


def pad(value: Value) -> Value:
    """Zeros around an array."""
    if value.arguments["value"]:
        return value
    starts = tuple(before for before, _ in value.arguments["widths"])
    return said("placed", value, x=value.arguments["x"], starts=starts)


def concat(value: Value) -> Value:
    """Each part at its place, zeros elsewhere, all added."""
    axis = value.arguments["axis"] % len(value.shape)
    out, start = None, 0
    for part in value.arguments["arrays"]:
        starts = tuple(start if i == axis else 0 for i in range(len(value.shape)))
        placed = said("placed", value, x=part, starts=starts)
        out = placed if out is None else said("add", value, x=out, y=placed)
        start += part.shape[axis]
    return value if out is None else out


def overlap_add(value: Value) -> Value:
    """Windows that do not overlap, stacked from one array a place: each array to its places."""
    w, stride = value.arguments["w"], value.arguments["stride"]
    size = w.shape[-len(stride) :]
    stacked = w.arguments.get("x") if w.word == "reshape" else None
    fits = stacked is not None and stacked.word == "stack" and size == tuple(stride)
    lead = len(value.shape) - len(stride)
    whole = all(
        n == out * s
        for n, out, s in zip(value.shape[lead:], w.shape[lead : -len(stride)], stride, strict=True)
    )
    if not (fits and whole) or stacked is None:
        return value
    return said("dealt", value, arrays=stacked.arguments["arrays"], size=size)


def _one_a_row(value: Value) -> tuple[Value, Any] | None:
    """The mask of the elements an index ``(arange(n), t)`` names, and the values as a column."""
    index, x = value.arguments["index"], value.arguments["x"]
    if not (isinstance(index, tuple) and len(index) == 2 and len(x.shape) == 2):
        return None
    rows, columns = index
    if not all(isinstance(part, Value) for part in index) or rows.word != "arange":
        return None
    if rows.shape != (x.shape[0],) or columns.shape != rows.shape:
        return None
    numbers = Value(
        "arange",
        {"start": x.shape[1], "stop": None, "step": 1, "dtype": None},
        (x.shape[1],),
        rows.dtype,
        origin=value.origin,
    )
    column = Value(
        "reshape",
        {"x": columns, "shape": (x.shape[0], 1)},
        (x.shape[0], 1),
        columns.dtype,
        origin=value.origin,
    )
    mask = Value("equal", {"x": numbers, "y": column}, x.shape, BOOL, origin=value.origin)
    values = value.arguments["values"]
    if isinstance(values, Value) and values.shape == rows.shape:
        values = said("reshape", value, (x.shape[0], 1), x=values, shape=(x.shape[0], 1))
    return mask, values


RULES: dict[str, Callable[[Value], Value]] = {
    rule.__name__: rule
    for rule in (
        mean,
        logsumexp,
        clip,
        square,
        zeros_like,
        ones_like,
        matmul,
        getitem,
        setitem,
        index_add,
        convolution,
        convolution_input_grad,
        convolution_weight_grad,
        pad,
        concat,
        overlap_add,
    )
}
