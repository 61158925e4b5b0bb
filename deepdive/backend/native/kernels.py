"""All computation on native arrays: loops over a buffer, in three shapes, and the matrix product.

An array is a flat ``buffer`` and the places of its elements in it, in row order.  A loop never
knows about axes: strides have been turned into places by :func:`positions`.  So one loop serves
contiguous arrays, transposed ones, slices with a step and broadcast ones alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

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


def spread(starts: Places, steps: Places) -> list[int]:
    """Every start with every step added: one more axis.

    >>> spread([0, 10], [0, 1, 2])
    [0, 1, 2, 10, 11, 12]
    """
    return [start + step for start in starts for step in steps]


def axis_steps(size: int, stride: int) -> list[int]:
    """How far the elements of one axis lie from its first."""
    return [i * stride for i in range(size)]


def positions(shape: Shape, strides: Shape, offset: int = 0) -> Places:
    """The places ``offset + Σ index · stride`` of all elements, in row order.

    >>> positions((2, 3), (1, 2))  # a (3, 2) array, transposed
    [0, 2, 4, 1, 3, 5]
    """
    if in_row_order(shape, strides):
        return range(offset, offset + math.prod(shape))
    found = [offset]
    for extent, stride in zip(shape, strides, strict=True):
        found = spread(found, axis_steps(extent, stride))
    return found


# --- the three shapes ----------------------------------------------------------------------------
def map_loop(f: Callable[..., Any], out: Buffer, x: Buffer, at: Places) -> None:
    """``out[k] = f(x[at[k]])``."""
    for k, i in enumerate(at):
        out[k] = f(x[i])


def zip_loop(
    f: Callable[..., Any], out: Buffer, x: Buffer, at_x: Places, y: Buffer, at_y: Places
) -> None:
    """``out[k] = f(x[at_x[k]], y[at_y[k]])``."""
    for k, i in enumerate(at_x):
        out[k] = f(x[i], y[at_y[k]])


def reduce_loop(
    f: Callable[..., Any], start: Any, out: Buffer, x: Buffer, rows: Places, steps: Places
) -> None:
    """``out[k] = f(… f(f(start, a), b) …, z)`` over the elements a … z at ``rows[k] + steps``.

    The intermediate result is a Python number: float32 is summed in double precision.
    """
    for k, row in enumerate(rows):
        total = start
        for step in steps:
            total = f(total, x[row + step])
        out[k] = total


def scan_loop(
    f: Callable[..., Any], start: Any, out: Buffer, x: Buffer, rows: Places, steps: Places
) -> None:
    """As :func:`reduce_loop`, keeping every intermediate result where its element was."""
    for row in rows:
        total = start
        for step in steps:
            total = f(total, x[row + step])
            out[row + step] = total


def first_loop(
    better: Callable[..., bool], out: Buffer, x: Buffer, rows: Places, steps: Places
) -> None:
    """``out[k]`` is the number of the first element in a row that no other is better than."""
    for k, row in enumerate(rows):
        best = 0
        for i, step in enumerate(steps):
            if better(x[row + step], x[row + steps[best]]):
                best = i
        out[k] = best


def add_loop(out: Buffer, at: Places, x: Buffer, at_x: Places, fit: Callable[..., Any]) -> None:
    """``out[at[k]] += x[at_x[k]]``: a place that occurs twice is added to twice."""
    for i, j in zip(at, at_x, strict=True):
        out[i] = fit(out[i] + x[j])


# --- the matrix product --------------------------------------------------------------------------
def dot(x: Sequence[Any], y: Sequence[Any], zero: Any) -> Any:
    """``Σ x[i] · y[i]``."""
    total = zero
    for a, b in zip(x, y, strict=True):
        total += a * b
    return total


def line(
    x: Buffer,
    start: int,
    stride: int,
    size: int,
) -> list[Any]:
    """A row or a column of a matrix, copied out of its buffer."""
    return [x[start + i * stride] for i in range(size)]


class Matrix:
    """A matrix in a buffer: element (i, j) at ``start + i · down + j · right``."""

    __slots__ = ("buffer", "down", "right", "start")

    def __init__(
        self,
        buffer: Buffer,
        start: int,
        down: int,
        right: int,
    ) -> None:
        self.buffer, self.start, self.down, self.right = buffer, start, down, right

    def rows(self, n: int, k: int) -> list[list[Any]]:
        """All rows, n of k elements."""
        return [line(self.buffer, self.start + i * self.down, self.right, k) for i in range(n)]

    def columns(self, k: int, m: int) -> list[list[Any]]:
        """All columns, m of k elements."""
        return [line(self.buffer, self.start + j * self.right, self.down, k) for j in range(m)]


def matmul_loop(
    x: Matrix, y: Matrix, sizes: tuple[int, int, int], out: Buffer, at: int, fit: Any
) -> None:
    """Every row of x (n, k) times every column of y (k, m), written from ``out[at]`` on."""
    n, k, m = sizes
    zero = 0.0 if out.typecode in "fd" else 0
    columns = y.columns(k, m)
    for row in x.rows(n, k):
        for column in columns:
            out[at] = fit(dot(row, column, zero))
            at += 1
