"""Words that make, rearrange, join, index and multiply arrays; those of single numbers are in
``namespace``.

The vocabulary's rule has been asked before: each function gets the shape and the dtype of its
result, then the word's own arguments.
"""

from __future__ import annotations

import math
from array import array as buffer_of
from itertools import chain
from typing import Any

from deepdive.backend.native import philox, scalars
from deepdive.backend.native.kernels import add_loop, copy_loop, first_loop, matmul_loop, where_loop
from deepdive.backend.native.ndarray import NDArray, asarray, empty, reduced_places
from deepdive.backend.native.speaking import as_array, operand, word
from deepdive.backend.vocabulary import rules

Array = Any  # an NDArray
Shape = tuple[int, ...]


@word
def where(
    shape: Shape,
    dtype: Any,
    condition: Any,
    x: Any,
    y: Any,
) -> Array:
    """`x` where the condition is true, else `y`."""
    first, second = as_array(operand("where", x), dtype), as_array(operand("where", y), dtype)
    mask = as_array(operand("where", condition))
    parts = [each.expand(shape) for each in (mask, first.astype(dtype), second.astype(dtype))]
    out = empty(shape, dtype)
    where_loop(out.buffer, *chain.from_iterable((x.buffer, x.positions()) for x in parts))
    return out


# --- creation and storage ------------------------------------------------------------------------
@word
def zeros(shape: Shape, dtype: Any, *_: Any) -> Array:
    """0 everywhere."""
    return empty(shape, dtype)


@word
def ones(shape: Shape, dtype: Any, *_: Any) -> Array:
    """1 everywhere."""
    out = empty(shape, dtype)
    out.fill(1)
    return out


@word
def full(
    shape: Shape,
    dtype: Any,
    _: Any,
    value: Any,
    asked: Any,
) -> Array:
    """The value everywhere."""
    return as_array(value, dtype).astype(dtype).expand(shape).copy()


@word
def arange(
    shape: Shape,
    dtype: Any,
    start: Any,
    stop: Any,
    step: Any,
    asked: Any,
) -> Array:
    """start, start + step, …"""
    first = 0 if stop is None else start
    return asarray([first + i * step for i in range(shape[0])], dtype)


@word
def astype(
    shape: Shape,
    dtype: Any,
    x: Any,
    asked: Any,
) -> Array:
    """The values in another dtype."""
    return as_array(x).astype(dtype)


@word
def copy(shape: Shape, dtype: Any, x: Any) -> Array:
    """The values in memory of their own."""
    return as_array(x).copy()


@word
def contiguous(shape: Shape, dtype: Any, x: Any) -> Array:
    """The values in row order in memory."""
    return as_array(x).compact()


@word
def random_bits(
    shape: Shape,
    dtype: Any,
    key: int,
    counter: int,
    asked: Any,
) -> Array:
    """Philox of the counter under the key."""
    numbers = philox.words(key, counter, math.prod(shape))
    return NDArray(buffer_of(scalars.typecode(dtype), numbers), shape, dtype)


def random_words(key: int, counter: int, size: int) -> Array:
    """`size` uint64 words: those that random_bits cuts in halves."""
    return asarray(philox.wide_words(key, counter, size), "uint64")


# --- views ---------------------------------------------------------------------------------------
@word
def reshape(
    shape: Shape,
    dtype: Any,
    x: Any,
    asked: Any,
) -> Array:
    """The same elements, in order."""
    return as_array(x).reshape(shape)


@word
def permute_dims(
    shape: Shape,
    dtype: Any,
    x: Any,
    axes: Shape,
) -> Array:
    """Axis i of the result is axis axes[i] of x."""
    return as_array(x).permute(axes)


@word
def broadcast_to(
    shape: Shape,
    dtype: Any,
    x: Any,
    asked: Any,
) -> Array:
    """Axes of size 1 repeated."""
    return as_array(x).expand(shape)


@word
def flip(
    shape: Shape,
    dtype: Any,
    x: Any,
    axis: Any,
) -> Array:
    """In reverse order along axes: from the last element on, with a negative stride."""
    x = as_array(x)
    turned = rules.some_axes("flip", axis, shape)
    return x[tuple(slice(None, None, -1 if i in turned else 1) for i in range(x.ndim))]


@word
def windows(
    shape: Shape,
    dtype: Any,
    x: Any,
    size: Shape,
    stride: Shape,
    dilation: Shape,
) -> Array:
    """All windows over the last axes: a view that overlaps itself."""
    lead = x.ndim - len(size)
    along = x.strides[lead:]
    between = [step * s for step, s in zip(along, stride, strict=True)]
    within = [step * d for step, d in zip(along, dilation, strict=True)]
    return x.as_strided(shape, (*x.strides[:lead], *between, *within))


# --- joining, padding, sorting -------------------------------------------------------------------
@word
def concat(
    shape: Shape,
    dtype: Any,
    arrays: Any,
    axis: int,
) -> Array:
    """Arrays joined along an axis: each is written into its part of the result."""
    out = empty(shape, dtype)
    place = rules.one_axis("concat", axis, shape)
    before = (slice(None),) * place
    start = 0
    for each in arrays:
        stop = start + each.shape[place]
        out[(*before, slice(start, stop))] = each
        start = stop
    return out


@word
def pad(
    shape: Shape,
    dtype: Any,
    x: Any,
    widths: Any,
    value: Any,
) -> Array:
    """`x` with the value around it."""
    x = as_array(x)
    out = full(shape, value, dtype)
    inside = zip(widths, x.shape, strict=True)
    out[tuple(slice(before, before + size) for (before, _), size in inside)] = x
    return out


@word
def argsort(
    shape: Shape,
    dtype: Any,
    x: Any,
    axis: int,
    descending: bool,
) -> Array:
    """Where sort takes each element from: equal ones keep their order, NaN is the largest."""
    out = empty(shape, dtype)
    axes = rules.some_axes("argsort", axis, shape)
    rows, steps = reduced_places(x, axes)
    starts, into = reduced_places(out, axes)
    for row, start in zip(rows, starts, strict=True):
        numbers = [x.buffer[row + step] for step in steps]
        keys = [(number != number, number) for number in numbers]
        order = sorted(range(len(keys)), key=keys.__getitem__, reverse=descending)
        for step, chosen in zip(into, order, strict=True):
            out.buffer[start + step] = chosen
    return out


@word
def sort(
    shape: Shape,
    dtype: Any,
    x: Any,
    axis: int,
    descending: bool,
) -> Array:
    """The elements in order along an axis."""
    return take_along_axis(x, argsort(x, axis, descending), axis)


# --- positions -----------------------------------------------------------------------------------
def _first(name: str, better: Any) -> Any:
    """The word that finds the first element no other is better than."""

    def locate(
        shape: Shape,
        dtype: Any,
        x: Any,
        axis: Any,
        keepdims: bool,
    ) -> Array:
        out = empty(shape, dtype)
        rows, steps = reduced_places(x, rules.some_axes(name, axis, x.shape))
        first_loop(out.buffer, better, x.buffer, rows, steps)
        return out

    locate.__name__ = name
    locate.__doc__ = f"Where the first {better.__name__[:-1]}st element is."
    return word(locate)


argmax = _first("argmax", scalars.larger)
argmin = _first("argmin", scalars.smaller)


@word
def nonzero(shape: Any, dtype: Any, x: Any) -> tuple[Array, ...]:
    """The positions of all elements but zeros, one list per axis."""
    return tuple(asarray(positions, dtype) for positions in x.nonzero())


# --- indexing ------------------------------------------------------------------------------------
@word
def getitem(
    shape: Shape,
    dtype: Any,
    x: Any,
    index: Any,
) -> Array:
    """``x[index]``."""
    return x[index]


@word
def setitem(
    shape: Shape,
    dtype: Any,
    x: Any,
    index: Any,
    values: Any,
) -> Array:
    """A copy with ``x[index] = values``."""
    out = x.copy()
    out[index] = values
    return out


@word
def index_add(
    shape: Shape,
    dtype: Any,
    x: Any,
    index: Any,
    values: Any,
) -> Array:
    """A copy with `values` added at ``x[index]``."""
    out = x.copy()
    chosen = out.select(index)
    values = as_array(values, dtype).astype(dtype).expand(chosen.shape)
    add_loop(out.buffer, scalars.fit(dtype), chosen.places(), values.buffer, values.positions())
    return out


def _along(
    x: NDArray,
    indices: NDArray,
    axis: int,
    shape: Shape,
) -> list[int]:
    """Where ``x[.., indices[.., i, ..], ..]`` lies for every place of an index array of `shape`."""
    place = rules.one_axis("take_along_axis", axis, x.shape)
    size, stride = x.shape[place], x.strides[place]
    reach = zip(x.shape, x.strides, strict=True)
    others = [0 if i == place or n == 1 else s for i, (n, s) in enumerate(reach)]
    starts = NDArray(x.buffer, shape, x.dtype, tuple(others), x.offset).positions()
    numbers = indices.expand(shape).numbers()
    return [start + i % size * stride for start, i in zip(starts, numbers, strict=True)]


@word
def take_along_axis(
    shape: Shape,
    dtype: Any,
    x: Any,
    indices: Any,
    axis: int,
) -> Array:
    """``out[.., i, ..] = x[.., indices[.., i, ..], ..]``."""
    out = empty(shape, dtype)
    along = _along(x, indices, axis, shape)
    copy_loop(out.buffer, range(len(along)), x.buffer, along)
    return out


@word
def scatter_add(
    shape: Shape,
    dtype: Any,
    x: Any,
    indices: Any,
    values: Any,
    axis: int,
) -> Array:
    """A copy of `x` with ``out[.., indices[.., i, ..], ..] += values[.., i, ..]``."""
    out = x.copy()
    part = values[tuple(map(slice, indices.shape))]
    at = _along(out, indices, axis, indices.shape)
    add_loop(out.buffer, scalars.fit(dtype), at, part.buffer, part.positions())
    return out


@word
def overlap_add(
    shape: Shape,
    dtype: Any,
    w: Any,
    asked: Any,
    stride: Shape,
    dilation: Shape,
) -> Array:
    """The adjoint of windows: every element added back where it was read."""
    out = empty(shape, dtype)
    size = w.shape[w.ndim - len(stride) :]
    at = windows(out, size, stride, dilation).positions()
    add_loop(out.buffer, scalars.fit(dtype), at, w.buffer, w.positions())
    return out


# --- the matrix product --------------------------------------------------------------------------
@word
def matmul(
    shape: Shape,
    dtype: Any,
    x: Any,
    y: Any,
) -> Array:
    """Rows by columns, for each pair of matrices of two stacks; a vector is one row or column."""
    x = x if x.ndim > 1 else x.reshape((1, -1))
    y = y if y.ndim > 1 else y.reshape((-1, 1))
    sizes = (*x.shape[-2:], y.shape[-1])
    stack = rules.broadcast_shapes("matmul", x.shape[:-2], y.shape[:-2])
    out = empty(shape, dtype)
    wide = {"f": "d", "u": "Q"}.get(dtype.kind, "q")
    zero = 0.0 if wide == "d" else 0
    fit = scalars.fit(dtype)
    pairs = zip(_matrices(x, stack), _matrices(y.mT, stack), strict=True)
    for number, (left, right) in enumerate(pairs):
        at = number * sizes[0] * sizes[2]
        rows, columns = _packed(left, wide), _packed(right, wide)
        matmul_loop(out.buffer, fit, at, rows, columns, sizes, zero)
    return out


def _matrices(x: NDArray, stack: Shape) -> list[NDArray]:
    """The matrices of a stack, broadcast to `stack`."""
    rows = x.expand((*stack, *x.shape[-2:]))
    starts = NDArray(x.buffer, stack, x.dtype, rows.strides[:-2], x.offset).positions()
    return [x.view(x.shape[-2:], x.strides[-2:], start) for start in starts]


def _packed(x: NDArray, typecode: str) -> Any:
    """The numbers of a matrix, row after row, as wide as sums of products need them."""
    buffer = buffer_of(typecode, bytes(8)) * x.size
    copy_loop(buffer, range(x.size), x.buffer, x.positions())
    return buffer
