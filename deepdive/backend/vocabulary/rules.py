"""What shape a word's result has – and the words of the error when it has none.

A shape rule takes the word's name and then all the word's arguments, by name.  Operands may be
anything with a ``shape`` and a ``dtype`` (arrays, Specs, Tensors) or Python numbers; no values are
computed.  Here are the rules for elementwise words, reductions and the matrix product; those that
rearrange, those for indices and for windows, and those for dtypes have a file each.
"""

from __future__ import annotations

import math
import operator
from typing import Any

from deepdive import dtypes
from deepdive.errors import DTypeError, IndexRangeError, ShapeError

Operand = Any  # an array, a Spec, a Tensor or a Python number
Axis = Any  # an int, a tuple of ints, or None for all axes
Shape = tuple[int, ...]


# --- operands ----------------------------------------------------------------------------------
def shape_of(x: Operand) -> Shape:
    """The shape of an array; a Python number has none.

    >>> import numpy as np
    >>> shape_of(2.0), shape_of(np.zeros((2, 3)))
    ((), (2, 3))
    """
    return tuple(getattr(x, "shape", ()))


def dtype_of(x: Operand) -> Any:
    """The dtype of an array, or the one a Python number has when it stands alone."""
    return x.dtype if hasattr(x, "dtype") else dtypes.number_dtype(x)


def integer(word: str, role: str, value: Any) -> int:
    """`value` as a Python int; `role` is what the error calls it."""
    try:
        return operator.index(value)
    except TypeError:
        raise DTypeError(f"{word}: {role} must be an integer", got=repr(value)) from None


def integers(word: str, role: str, values: Any) -> Shape:
    """One integer or several, as a tuple."""
    return tuple(integer(word, role, value) for value in as_tuple(values))


def as_tuple(values: Any) -> tuple[Any, ...]:
    """One value or a sequence of them, as a tuple."""
    return tuple(values) if isinstance(values, (tuple, list)) else (values,)


def sizes(word: str, shape: Any) -> Shape:
    """A shape to create: integers ≥ 0, or one of them."""
    result = integers(word, "a size", shape)
    if result and min(result) < 0:
        raise ShapeError(f"{word}: {min(result)} is no size, in shape {result}")
    return result


def one_axis(word: str, axis: Any, shape: Shape) -> int:
    """`axis` counted from the front.

    Raises:
        IndexRangeError: if `shape` has no such axis.
    """
    number, ndim = integer(word, "axis", axis), len(shape)
    if -ndim <= number < ndim:
        return number % ndim
    expected = f"{-ndim} … {ndim - 1}" if ndim else "no axis: the array has one element"
    what = f"{word}: axis {number} is out of range for shape {shape}"
    raise IndexRangeError(what, expected=expected)


def some_axes(word: str, axis: Axis, shape: Shape) -> Shape:
    """One axis, several, or all for None, counted from the front.

    A number may be asked for its axis 0 or -1, as in NumPy and PyTorch: it has nothing there.
    """
    if axis is None:
        return tuple(range(len(shape)))
    axes = as_tuple(axis)
    if not shape and axis in (0, -1):
        return ()
    result = tuple(one_axis(word, each, shape) for each in axes)
    if len(set(result)) < len(result):
        raise ShapeError(f"{word}: an axis is given twice in {axes}, shape {shape}")
    return result


# --- elementwise -------------------------------------------------------------------------------
def broadcast_shapes(word: str, *shapes: Shape) -> Shape:
    """NumPy's broadcasting: aligned at the last axis, a size of 1 is repeated.

    >>> broadcast_shapes("add", (3, 5, 7, 5, 2), (5, 7, 1, 1))
    (3, 5, 7, 5, 2)
    >>> broadcast_shapes("add", (3, 4), (2, 4))
    Traceback (most recent call last):
    deepdive.errors.ShapeError: add: shapes (3, 4) and (2, 4) do not broadcast: axis 0 has 3 and 2
      expected: equal sizes, or 1, on each axis
    """
    ndim = max(map(len, shapes))
    return tuple(_common_size(word, shapes, axis) for axis in range(-ndim, 0))


def _common_size(word: str, shapes: tuple[Shape, ...], axis: int) -> int:
    """The size all shapes that have the axis agree on, those of size 1 aside."""
    found = [shape[axis] for shape in shapes if len(shape) >= -axis]
    different = [size for size in dict.fromkeys(found) if size != 1]
    if len(different) > 1:
        raise _not_broadcast(word, shapes, axis, different)
    return different[0] if different else 1


def _not_broadcast(word: str, shapes: tuple[Shape, ...], axis: int, found: list[int]) -> ShapeError:
    """The error for `axis`, which is numbered from the front if that is the same for all."""
    shapes = tuple(filter(None, shapes))
    ndim = len(shapes[0])
    if all(len(shape) == ndim for shape in shapes):
        axis += ndim
    names = " and ".join(map(str, shapes))
    sizes = " and ".join(map(str, found))
    what = f"{word}: shapes {names} do not broadcast: axis {axis} has {sizes}"
    fix = _broadcast_fix(*shapes) if len(shapes) == 2 else None
    return ShapeError(what, expected=None if fix else "equal sizes, or 1, on each axis", fix=fix)


def _fit(x: Shape, y: Shape) -> bool:
    """Whether two shapes broadcast."""
    for a, b in zip(reversed(x), reversed(y), strict=False):
        if a != b and 1 not in (a, b):
            return False
    return True


def _broadcast_fix(x: Shape, y: Shape) -> str | None:
    """A new last axis or a transpose, where that would make the two shapes fit."""
    short, long, name = x, y, "x"
    if len(y) < len(x):
        short, long, name = y, x, "y"
    grown = (*short, 1)
    if len(grown) <= len(long) and _fit(grown, long):
        return f"give {name} a last axis of size 1, {name}[..., None]: {grown}"
    turned = y[::-1]
    if len(y) == 2 and _fit(x, turned):
        return f"transpose one operand, e.g. y.T: {turned}"
    return None


def elementwise(word: str, **operands: Operand) -> Shape:
    """All operands broadcast together; one that is None has no say."""
    return broadcast_shapes(word, *map(shape_of, operands.values()))


def unchanged(word: str, x: Operand, **rest: Any) -> Shape:
    """The operand's own shape."""
    return shape_of(x)


# --- reductions --------------------------------------------------------------------------------
def reduced(word: str, x: Operand, axis: Axis, keepdims: bool) -> Shape:
    """The shape without the reduced axes, or with size 1 there.

    >>> import numpy as np
    >>> reduced("sum", np.zeros((2, 3, 4)), (0, -1), keepdims=False)
    (3,)
    """
    shape = shape_of(x)
    axes = some_axes(word, axis, shape)
    if keepdims:
        return tuple(1 if i in axes else size for i, size in enumerate(shape))
    return tuple(size for i, size in enumerate(shape) if i not in axes)


def chosen(word: str, x: Operand, axis: Axis, keepdims: bool) -> Shape:
    """As :func:`reduced`, for words that choose an element: there has to be one.

    Raises:
        ShapeError: if a reduced axis is empty.
    """
    shape = shape_of(x)
    for i in some_axes(word, axis, shape):
        if shape[i] == 0:
            raise ShapeError(f"{word}: nothing to choose from: axis {i} of {shape} is empty")
    return reduced(word, x, axis, keepdims)


def located(word: str, x: Operand, axis: Any, keepdims: bool) -> Shape:
    """As :func:`chosen`, along one axis or all."""
    if axis is not None:
        integer(word, "axis", axis)
    return chosen(word, x, axis, keepdims)


def along(word: str, x: Operand, axis: Any, **rest: Any) -> Shape:
    """The operand's own shape, if it has the axis."""
    shape = shape_of(x)
    one_axis(word, axis, shape)
    return shape


# --- the matrix product ------------------------------------------------------------------------
def matmul(word: str, x: Operand, y: Operand) -> Shape:
    """Rows of `x` by columns of `y`: (*B, n, k) @ (*B, k, m) → (*B, n, m); vectors lose their axis.

    >>> import numpy as np
    >>> matmul("matmul", np.zeros((5, 1, 2, 3)), np.zeros((4, 3, 6)))
    (5, 4, 2, 6)
    """
    a, b = shape_of(x), shape_of(y)
    if not a or not b:
        what = f"{word}: {'y' if a else 'x'} is a number, shape ()"
        raise ShapeError(what, fix="multiply: x * y")
    both = f"{word}: x is {a} and y is {b}"
    k, rows = a[-1], b[-2:][0]
    if k != rows:
        what, expected = f"{both}: {k} != {rows}", f"x (…, {rows}), as y has {rows} rows"
        raise ShapeError(what, expected=expected, fix=_matmul_fix(a, b))
    stack_a, stack_b = a[:-2], b[:-2]
    try:
        batch = broadcast_shapes(word, stack_a, stack_b)
    except ShapeError as error:
        what = f"{both}: the batch axes {stack_a} and {stack_b} do not broadcast"
        raise ShapeError(what, fix=error.fix) from None
    columns = b[-1:] if len(b) > 1 else ()
    return batch + a[-2:-1] + columns


def _matmul_fix(x: Shape, y: Shape) -> str:
    """The transpose, exchange or flattening that would make the inner sizes equal."""
    flat = len(x) < 3 and len(y) < 3
    k, rows = x[-1], y[-2:][0]
    if len(y) > 1 and y[-1] == k:
        return "transpose one operand, e.g. x @ y.T" if flat else "transpose y's last two axes"
    if len(x) > 1 and x[-2] == rows:
        return "transpose one operand, e.g. x.T @ y" if flat else "transpose x's last two axes"
    if len(x) > 1 and x[-2] == y[-1]:
        return "exchange the operands: y @ x"
    for i in range(len(x) - 1):
        if math.prod(x[i:]) == rows:
            return f"flatten x, x.flatten({i}): {(*x[:i], rows)}"
    return f"give x {rows} columns, or y {k} rows"
