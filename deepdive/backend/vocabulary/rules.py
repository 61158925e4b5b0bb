"""What shape a word's result has – and the words of the error when it has none.

A shape rule takes the word's name and then the word's own arguments.  Operands may be anything
with a ``shape`` and a ``dtype`` (arrays, Specs, Tensors) or Python numbers; no values are computed.
Here are the rules for elementwise words, reductions and the matrix product; those that rearrange,
those for indices and for windows, and those for dtypes have a file each.
"""

from __future__ import annotations

import operator
from typing import Any

from deepdive import dtypes
from deepdive.errors import DTypeError, ShapeError

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
    values = values if isinstance(values, (tuple, list)) else (values,)
    return tuple(integer(word, role, value) for value in values)


def sizes(word: str, shape: Any) -> Shape:
    """A shape to create: integers ≥ 0, or one of them."""
    result = integers(word, "a size", shape)
    if result and min(result) < 0:
        raise ShapeError(f"{word}: {min(result)} is no size, in shape {result}")
    return result


def one_axis(word: str, axis: Any, shape: Shape) -> int:
    """`axis` counted from the front.

    Raises:
        ShapeError: if `shape` has no such axis.
    """
    number, ndim = integer(word, "axis", axis), len(shape)
    if -ndim <= number < ndim:
        return number % ndim
    expected = f"{-ndim} … {ndim - 1}" if ndim else "no axis: the array has one element"
    what = f"{word}: axis {number} is out of range for shape {shape}"
    raise ShapeError(what, expected=expected)


def some_axes(word: str, axis: Axis, shape: Shape) -> Shape:
    """One axis, several, or all for None, counted from the front.

    A number may be asked for its axis 0 or -1, as in NumPy and PyTorch: it has nothing there.
    """
    if axis is None:
        return tuple(range(len(shape)))
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    if not shape and axis in (0, -1):
        return ()
    result = tuple(one_axis(word, each, shape) for each in axes)
    if len(set(result)) < len(result):
        raise ShapeError(f"{word}: an axis is given twice in {tuple(axes)}, shape {shape}")
    return result


# --- elementwise -------------------------------------------------------------------------------
def broadcast_shapes(word: str, *shapes: Shape) -> Shape:
    """NumPy's broadcasting: aligned at the last axis, a size of 1 is repeated.

    >>> broadcast_shapes("add", (3, 5, 7, 5, 2), (5, 7, 1, 1))
    (3, 5, 7, 5, 2)
    >>> broadcast_shapes("add", (3, 4), (2, 4))
    Traceback (most recent call last):
    deepdive.errors.ShapeError: add: shapes (3, 4) and (2, 4) do not broadcast: axis 0 has 3 and 2
    """
    out: list[int] = []
    for axis in range(-max(map(len, shapes)), 0):
        found = [shape[axis] for shape in shapes if len(shape) >= -axis]
        different = [size for size in dict.fromkeys(found) if size != 1]
        if len(different) > 1:
            raise _not_broadcast(word, shapes, axis, different)
        out.append(different[0] if different else 1)
    return tuple(out)


def _not_broadcast(word: str, shapes: Any, axis: int, found: list[int]) -> ShapeError:
    """The error for `axis`; numbered from the front where that is the same for all operands."""
    ranks = {len(shape) for shape in shapes if shape}
    place = axis + ranks.pop() if len(ranks) == 1 else axis
    names = " and ".join(str(shape) for shape in shapes if shape)
    numbers = " and ".join(map(str, found))
    what = f"{word}: shapes {names} do not broadcast: axis {place} has {numbers}"
    return ShapeError(what, fix=_broadcast_fix(*shapes) if len(shapes) == 2 else None)


def _fits(a: Shape, b: Shape) -> bool:
    pairs = zip(reversed(a), reversed(b), strict=False)
    return all(m == n or 1 in (m, n) for m, n in pairs)


def _broadcast_fix(x: Shape, y: Shape) -> str | None:
    """A new last axis or a transpose, where that would make the two shapes fit."""
    for name, a, b in (("y", y, x), ("x", x, y)):
        if 0 < len(a) < len(b) and _fits((*a, 1), b):
            return f"give {name} a last axis of size 1, {name}[..., None]: {(*a, 1)}"
    if len(y) == 2 and _fits(x, y[::-1]):
        return f"transpose one operand, e.g. y.T: {y[::-1]}"
    return None


def unary(word: str, x: Operand) -> Shape:
    """The operand's own shape."""
    return shape_of(x)


def binary(word: str, x: Operand, y: Operand) -> Shape:
    """Two operands broadcast together."""
    return broadcast_shapes(word, shape_of(x), shape_of(y))


def where(word: str, condition: Operand, x: Operand, y: Operand) -> Shape:
    """Three operands broadcast together."""
    return broadcast_shapes(word, shape_of(condition), shape_of(x), shape_of(y))


def clip(word: str, x: Operand, min: Any = None, max: Any = None) -> Shape:
    """The operand and the bounds that are given, broadcast together."""
    return broadcast_shapes(word, shape_of(x), shape_of(min), shape_of(max))


def astype(word: str, x: Operand, dtype: Any) -> Shape:
    """The operand's own shape."""
    return shape_of(x)


# --- reductions --------------------------------------------------------------------------------
def reduced(word: str, x: Operand, axis: Axis = None, keepdims: bool = False) -> Shape:
    """The shape without the reduced axes, or with size 1 there.

    >>> import numpy as np
    >>> reduced("sum", np.zeros((2, 3, 4)), axis=(0, -1)), reduced("sum", np.zeros(3), 0, True)
    ((3,), (1,))
    """
    shape = shape_of(x)
    axes = some_axes(word, axis, shape)
    if keepdims:
        return tuple(1 if i in axes else size for i, size in enumerate(shape))
    return tuple(size for i, size in enumerate(shape) if i not in axes)


def chosen(word: str, x: Operand, axis: Axis = None, keepdims: bool = False) -> Shape:
    """As :func:`reduced`, for words that choose an element: there has to be one.

    Raises:
        ShapeError: if a reduced axis is empty.
    """
    shape = shape_of(x)
    for i in some_axes(word, axis, shape):
        if shape[i] == 0:
            raise ShapeError(f"{word}: nothing to choose from: axis {i} of {shape} is empty")
    return reduced(word, x, axis, keepdims)


def located(word: str, x: Operand, axis: Any = None, keepdims: bool = False) -> Shape:
    """As :func:`chosen`, along one axis or all."""
    if axis is not None:
        integer(word, "axis", axis)
    return chosen(word, x, axis, keepdims)


def along(word: str, x: Operand, axis: Any) -> Shape:
    """The operand's own shape, if it has the axis."""
    shape = shape_of(x)
    one_axis(word, axis, shape)
    return shape


def sorted_along(word: str, x: Operand, axis: Any = -1, descending: bool = False) -> Shape:
    """The operand's own shape, if it has the axis."""
    return along(word, x, axis)


# --- the matrix product ------------------------------------------------------------------------
def matmul(word: str, x: Operand, y: Operand) -> Shape:
    """Rows of `x` by columns of `y`: (*B, n, k) @ (*B, k, m) → (*B, n, m); vectors lose their axis.

    >>> import numpy as np
    >>> matmul("matmul", np.zeros((5, 1, 2, 3)), np.zeros((4, 3, 6)))
    (5, 4, 2, 6)
    """
    a, b = shape_of(x), shape_of(y)
    for name, shape in (("x", a), ("y", b)):
        if not shape:
            raise ShapeError(f"{word}: {name} is a number, shape ()", fix="multiply: x * y")
    k, rows = a[-1], b[-2] if len(b) > 1 else b[0]
    if k != rows:
        what = f"{word}: x is {a} and y is {b}: {k} != {rows}"
        raise ShapeError(what, fix=_matmul_fix(a, b))
    try:
        batch = broadcast_shapes(word, a[:-2], b[:-2])
    except ShapeError as error:
        what = f"{word}: x is {a} and y is {b}: the batch axes {a[:-2]} and {b[:-2]} differ"
        raise ShapeError(what, fix=error.fix) from None
    return (*batch, *a[-2:-1], *(b[-1:] if len(b) > 1 else ()))


def _matmul_fix(a: Shape, b: Shape) -> str | None:
    """The transpose or the exchange that would make the inner sizes equal."""
    flat = len(a) < 3 and len(b) < 3
    if len(b) > 1 and a[-1] == b[-1]:
        return "transpose one operand, e.g. x @ y.T" if flat else "transpose y's last two axes"
    if len(a) > 1 and a[-2] == b[-2:][0]:
        return "transpose one operand, e.g. x.T @ y" if flat else "transpose x's last two axes"
    if len(a) > 1 and b[-1] == a[-2]:
        return "exchange the operands: y @ x"
    return None
