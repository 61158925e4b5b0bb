"""All computation on native arrays: loops over a buffer, in three shapes, and the matrix product.

An array is a flat ``buffer`` and the places of its elements in it, in row order.  A loop never
knows about axes: strides have been turned into places by :func:`positions`.  So one loop serves
contiguous arrays, transposed ones, slices with a step and broadcast ones alike.  Each is marked
as a ``loop``: where Numba is installed, ``machine`` has the same function compiled.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from deepdive.backend.native.machine import KEPT, loop, product_loop

Shape = tuple[int, ...]
Buffer = Any  # an array.array
Places = Sequence[int]


# --- from strides to places ----------------------------------------------------------------------
def row_strides(shape: Shape) -> Shape:
    """Elements between neighbours along each axis of an array in row order.

    >>> row_strides((5, 4, 3))
    (12, 3, 1)
    """
    strides: list[int] = []
    step = 1
    for size in reversed(shape):
        strides.append(step)
        step *= max(size, 1)
    return tuple(reversed(strides))


def in_row_order(shape: Shape, strides: Shape) -> bool:
    """Whether the elements lie one after another; the stride of an axis of size 1 has no say."""
    step = 1
    for size, stride in zip(reversed(shape), reversed(strides), strict=True):
        if size == 0:
            return True
        if size != 1 and stride != step:
            return False
        step *= size
    return True


def spread(starts: Places, size: int, stride: int) -> Places:
    """Every start with each of ``0, stride, …, (size - 1) · stride`` added: one more axis.

    >>> spread([0, 10], 3, 1).tolist(), spread(range(0, 12, 4), 4, 1)
    ([0, 1, 2, 10, 11, 12], range(0, 12))
    """
    if size == 1:
        return starts
    if stride == 0 and len(starts) == 1:
        return array("q", starts) * size
    if len(starts) == 1 and size:
        return range(starts[0], starts[0] + size * stride, stride)
    if isinstance(starts, range) and stride and starts.step == size * stride:
        return range(starts.start, starts.start + len(starts) * starts.step, stride)
    steps: Places = range(0, size * stride, stride) if stride else array("q", [0]) * size
    return crossed(starts, steps)


def crossed(starts: Places, steps: Places) -> Places:
    """Every start with every step added."""
    out = array("q", bytes(8 * len(starts) * len(steps)))
    spread_loop(out, starts, steps)
    return out


@loop
def spread_loop(out: Buffer, starts: Places, steps: Places) -> None:
    """``out = [start + step for start in starts for step in steps]``."""
    k = 0
    for start in starts:
        for step in steps:
            out[k] = start + step
            k += 1


def positions(shape: Shape, strides: Shape, offset: int = 0) -> Places:
    """The places ``offset + Σ index · stride`` of all elements, in row order.

    >>> positions((2, 3), (1, 2)).tolist()  # a (3, 2) array, transposed
    [0, 2, 4, 1, 3, 5]
    """
    if in_row_order(shape, strides):
        return range(offset, offset + math.prod(shape))
    kept = math.prod(shape) <= KEPT
    return (_kept_positions if kept else _positions)(shape, strides, offset)


def _positions(shape: Shape, strides: Shape, offset: int) -> Places:
    found: Places = [offset]
    for size, stride in zip(shape, strides, strict=True):
        found = spread(found, size, stride)
    return found


_kept_positions = lru_cache(512)(_positions)  # a training asks for the same ones at every step


# --- the three shapes ----------------------------------------------------------------------------
@loop
def map_loop(out: Buffer, f: Callable[..., Any], x: Buffer, at: Places) -> None:
    """``out[k] = f(x[at[k]])``."""
    for k, i in enumerate(at):
        out[k] = f(x[i])


@loop
def zip_loop(
    out: Buffer, f: Callable[..., Any], x: Buffer, at_x: Places, y: Buffer, at_y: Places
) -> None:
    """``out[k] = f(x[at_x[k]], y[at_y[k]])``."""
    for k, i in enumerate(at_x):
        out[k] = f(x[i], y[at_y[k]])


@loop
def reduce_loop(
    out: Buffer, f: Callable[..., Any], start: Any, x: Buffer, rows: Places, steps: Places
) -> None:
    """``out[k] = f(… f(f(start, a), b) …, z)`` over the elements a … z at ``rows[k] + steps``.

    The intermediate result is a Python number: float32 is summed in double precision.
    """
    for k, row in enumerate(rows):
        total = start
        for step in steps:
            total = f(total, x[row + step])
        out[k] = total


@loop
def scan_loop(
    out: Buffer, f: Callable[..., Any], start: Any, x: Buffer, rows: Places, steps: Places
) -> None:
    """As :func:`reduce_loop`, keeping every intermediate result where its element was."""
    for row in rows:
        total = start
        for step in steps:
            total = f(total, x[row + step])
            out[row + step] = total


@loop
def first_loop(
    out: Buffer, better: Callable[..., bool], x: Buffer, rows: Places, steps: Places
) -> None:
    """``out[k]`` is the number of the first element in a row that no other is better than."""
    for k, row in enumerate(rows):
        best = 0
        for i, step in enumerate(steps):
            if better(x[row + step], x[row + steps[best]]):
                best = i
        out[k] = best


@loop
def add_loop(out: Buffer, fit: Callable[..., Any], at: Places, x: Buffer, at_x: Places) -> None:
    """``out[at[k]] += x[at_x[k]]``: a place that occurs twice is added to twice."""
    for k, i in enumerate(at):
        out[i] = fit(out[i] + x[at_x[k]])


@loop
def copy_loop(out: Buffer, at: Places, x: Buffer, at_x: Places) -> None:
    """``out[at[k]] = x[at_x[k]]``."""
    for k, i in enumerate(at):
        out[i] = x[at_x[k]]


@loop
def where_loop(
    out: Buffer,
    mask: Buffer,
    at_mask: Places,
    x: Buffer,
    at_x: Places,
    y: Buffer,
    at_y: Places,
) -> None:
    """``out[k] = x[at_x[k]] if mask[at_mask[k]] else y[at_y[k]]``."""
    for k, i in enumerate(at_mask):
        if mask[i]:
            out[k] = x[at_x[k]]
        else:
            out[k] = y[at_y[k]]


# --- the matrix product --------------------------------------------------------------------------
def dot(x: Sequence[Any], y: Sequence[Any], zero: Any) -> Any:
    """``Σ x[i] · y[i]``."""
    total = zero
    for i in range(len(x)):
        total += x[i] * y[i]
    return total


@product_loop
def matmul_loop(
    out: Buffer,
    fit: Callable[..., Any],
    at: int,
    rows: Buffer,
    columns: Buffer,
    sizes: tuple[int, int, int],
    zero: Any,
) -> None:
    """Every row (n of k numbers) times every column (m of k), written from ``out[at]`` on."""
    n, k, m = sizes
    for i in range(n):
        row = rows[i * k : i * k + k]
        for j in range(m):
            out[at] = fit(dot(row, columns[j * k : j * k + k], zero))
            at += 1
