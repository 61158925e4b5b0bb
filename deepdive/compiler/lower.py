"""Lowering: extended words said in the few that loops are made of.

After this a graph holds maps (one result per element), sums, maxima and minima over axes, matrix
products, kernels for convolutions, and views::

    logsumexp(x)  →  m = max(x);  add(log(sum(exp(subtract(x, m)))), m)

A rule takes a value and gives the one to use in its place – itself, if it has no better one.
Rules for indices and places are in ``lower_index.py``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from deepdive.compiler import lower_index
from deepdive.compiler.expressions import VIRTUAL
from deepdive.compiler.geometry import forward_shape, room, turned_shape
from deepdive.compiler.graph import Graph, Value, reduced_axes, rewritten, said
from deepdive.compiler.settle import root


def lowered(graph: Graph) -> Graph:
    """The same computation in primitive words."""
    for rule in PASSES:
        graph = rewritten(graph, rule)
    return graph


def primitive(value: Value) -> Value:
    """One value in primitive words; its operands are in them already."""
    rule = RULES.get(value.word)
    return rule(value) if rule else value


def joined(value: Value) -> Value:
    """What is stacked still, when other rules have had a look at it, is joined along a new axis."""
    return lower_index.stack(value) if value.word == "stack" else value


PASSES = (primitive, joined)


# --- arithmetic -----------------------------------------------------------------------------------
def mean(value: Value) -> Value:
    """Σ x / n."""
    x = value.arguments["x"]
    axes = reduced_axes(value)
    count = math.prod(x.shape[axis] for axis in axes)
    total = said("sum", value, x=x, axis=axes, keepdims=value.arguments["keepdims"])
    return said("multiply", value, x=total, y=1.0 / max(count, 1))


def logsumexp(value: Value) -> Value:
    """max + log Σ exp(x - max)."""
    x = value.arguments["x"]
    axes = reduced_axes(value)
    kept = tuple(1 if axis in axes else extent for axis, extent in enumerate(x.shape))
    top = said("max", value, kept, x=x, axis=axes, keepdims=True)
    shifted = said("subtract", value, x.shape, x=x, y=top)
    terms = said("exp", value, x.shape, x=shifted)
    total = said("sum", value, kept, x=terms, axis=axes, keepdims=True)
    log = said("log", value, kept, x=total)
    out = said("add", value, kept, x=log, y=top)
    return said("reshape", value, x=out, shape=value.shape)


def clip(value: Value) -> Value:
    """min(max(x, low), high)."""
    out = value.arguments["x"]
    low = value.arguments["min"]
    high = value.arguments["max"]
    if low is not None:
        out = said("maximum", value, x=out, y=low)
    return out if high is None else said("minimum", value, x=out, y=high)


def square(value: Value) -> Value:
    """x · x."""
    x = value.arguments["x"]
    return said("multiply", value, x=x, y=x)


def bitwise_invert(value: Value) -> Value:
    """Of truth values: not."""
    if value.dtype.kind != "b":
        return value
    return said("logical_not", value, x=value.arguments["x"])


def zeros_like(value: Value) -> Value:
    """zeros in that shape."""
    return said("zeros", value, shape=value.shape, dtype=value.dtype)


def ones_like(value: Value) -> Value:
    """ones in that shape."""
    return said("ones", value, shape=value.shape, dtype=value.dtype)


# --- products -------------------------------------------------------------------------------------
def matmul(value: Value) -> Value:
    """A product with a vector is a sum of products; a vector times a matrix is one of one row."""
    x = value.arguments["x"]
    y = value.arguments["y"]
    if len(y.shape) == 1:
        return _times_vector(value, x, y)
    x, y = _in_memory(x), _in_memory(y)
    rank = len(x.shape)
    if rank == 1:
        return _as_rows(value, x, y, 1)
    if rank > 2 and len(y.shape) == 2:
        width = max(x.shape[-1], 1)
        return _as_rows(value, x, y, x.size // width)
    return said("matmul", value, x=x, y=y)


def _in_memory(factor: Value) -> Value:
    """Zeros and the like, which a recurrent layer starts with, where a product can read them."""
    if root(factor).word not in VIRTUAL:
        return factor
    return said("placed", factor, x=factor, starts=(0,) * len(factor.shape))


def _as_rows(value: Value, x: Value, y: Value, count: int) -> Value:
    """A product with x as so many rows: one for a vector, all there are for a batch."""
    shape = (count, x.shape[-1])
    rows = said("reshape", value, shape, x=x, shape=shape)
    *lead, _, columns = y.shape
    full = (*lead, count, columns)
    out = said("matmul", value, full, x=rows, y=y)
    return said("reshape", value, x=out, shape=value.shape)


def _times_vector(value: Value, x: Value, y: Value) -> Value:
    """Σ x · y over the last axis; where y is one number everywhere, a scaled sum."""
    last = (len(x.shape) - 1,)
    if y.word in ("full", "ones"):
        number = y.arguments.get("value", 1)
        if not isinstance(number, Value):
            total = said("sum", value, x=x, axis=last, keepdims=False)
            return said("multiply", value, x=total, y=number)
    terms = said("multiply", value, x.shape, x=x, y=y)
    return said("sum", value, x=terms, axis=last, keepdims=False)


def convolution(value: Value) -> Value:
    """A convolution of images with a packed weight."""
    x = value.arguments["x"]
    w = value.arguments["w"]
    shape = _sizes(value, x.shape, w.shape)
    if shape is None:
        return value
    return _convolved(value, x, w, "pack", shape)


def convolution_input_grad(value: Value) -> Value:
    """A convolution of the gradient, spread out by the stride, with the weight turned around."""
    grad = value.arguments["grad"]
    w = value.arguments["w"]
    forward = _sizes(value, value.arguments["x_shape"], w.shape)
    if forward is None:
        return value
    shape = turned_shape(forward)
    return _convolved(value, grad, w, "pack_turned", shape)


def _convolved(value: Value, x: Value, w: Value, pack: str, shape: Any) -> Value:
    floats = room(shape)["packed"]
    packed = said(pack, value, (floats,), x=w, shape=shape)
    return said("convolve", value, x=x, weight=packed, shape=shape)


def convolution_weight_grad(value: Value) -> Value:
    """Products of the input and the gradient, summed over images."""
    x = value.arguments["x"]
    grad = value.arguments["grad"]
    shape = _sizes(value, x.shape, value.arguments["w_shape"])
    if shape is None:
        return value
    return said("correlate", value, x=x, grad=grad, shape=shape)


def _sizes(value: Value, x_shape: Any, w_shape: Any) -> Any:
    """The kernels' description of a two-dimensional convolution; None for others."""
    if len(w_shape) != 4 or 0 in (*x_shape, *w_shape):
        return None
    return forward_shape(x_shape, w_shape, value.arguments)


RULES: dict[str, Callable[[Value], Value]] = {
    rule.__name__: rule
    for rule in (
        mean,
        logsumexp,
        clip,
        square,
        bitwise_invert,
        zeros_like,
        ones_like,
        matmul,
        convolution,
        convolution_input_grad,
        convolution_weight_grad,
        *lower_index.RULES,
    )
}
