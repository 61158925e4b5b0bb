"""Shape rules of the words that read and write at an index: NumPy's rules, told in full."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, NamedTuple

from deepdive import dtypes
from deepdive.backend.vocabulary.rules import (
    Operand,
    Shape,
    broadcast_shapes,
    dtype_of,
    integer,
    one_axis,
    shape_of,
    sizes,
)
from deepdive.backend.vocabulary.rules_shape import broadcast_to
from deepdive.errors import DTypeError, GraphError, IndexRangeError, ShapeError
from deepdive.host import np


def values_of(x: Any) -> Any:
    """The numbers of an index, where they are known: a Spec that is only traced has none."""
    if isinstance(x, (np.ndarray, np.generic)):
        return x
    return np.asarray(x) if isinstance(x, int) else getattr(x, "values", None)


def count_true(word: str, mask: Any) -> int:
    """How many elements of `mask` are not zero.

    Raises:
        GraphError: if the values are not known yet.
    """
    values = values_of(mask)
    if values is None:
        what = f"{word}: the size of the result depends on values that are not known yet"
        raise GraphError(what, got=f"an index of shape {shape_of(mask)}", fix="use where(...)")
    return int((values != 0).sum())


# --- x[index] ----------------------------------------------------------------------------------
def getitem(word: str, x: Operand, index: Any) -> Shape:
    """The shape of ``x[index]``.

    Integers take one element, slices a part, None adds an axis.  Index arrays are broadcast
    together; their axes stand where the first one stood if they are neighbours, else in front.

    >>> x = np.zeros((2, 3, 4))
    >>> getitem("getitem", x, (0, slice(1, None))), getitem("getitem", x, (..., None, [1, 1, 1]))
    ((2, 4), (2, 3, 1, 3))
    """
    shape = shape_of(x)
    items = _items(word, shape, index)
    out: list[int] = []
    arrays: list[IndexArray] = []
    axis = 0
    for place, item in enumerate(items):
        if item is None:
            out.append(1)
        elif isinstance(item, slice):
            out.append(_slice_length(word, item, shape[axis]))
        else:
            found = _index_shape(word, item, shape, axis)
            arrays.append(IndexArray(item, found, place, len(out), axis))
        axis += axes_taken(item)
    if not arrays:
        return (*out, *shape[axis:])
    common = _common_shape(word, arrays, shape)
    start = arrays[0].output if arrays[-1].place - arrays[0].place == len(arrays) - 1 else 0
    return (*out[:start], *common, *out[start:], *shape[axis:])


class IndexArray(NamedTuple):
    """An array or integer in an index, its shape, and its place: there, in the result, in x."""

    item: Any
    shape: Shape
    place: int
    output: int
    axis: int


def _common_shape(word: str, arrays: list[IndexArray], shape: Shape) -> Shape:
    """The index arrays broadcast together, each within its axis of `shape`."""
    try:
        common = broadcast_shapes(word, *(array.shape for array in arrays))
    except ShapeError as error:
        error.what = error.what.replace("shapes", "index arrays", 1)
        raise
    for array in arrays:
        if array.shape == () or 0 not in common:  # what is never followed may point anywhere
            _check_range(word, array.item, shape, array.axis)
    return common


def _items(word: str, shape: Shape, index: Any) -> list[Any]:
    """The index as a list, lists made arrays, the Ellipsis spelled out as slices."""
    parts = index if isinstance(index, tuple) else (index,)
    items = [_as_array(word, part) if isinstance(part, list) else part for part in parts]
    dots = [i for i, item in enumerate(items) if item is Ellipsis]
    taken = sum(map(axes_taken, items))
    if len(dots) > 1:
        raise IndexRangeError(f"{word}: an index has at most one Ellipsis", got="two of '...'")
    if taken > len(shape):
        what = f"{word}: an index for {taken} axes, and x has {len(shape)}: shape {shape}"
        raise IndexRangeError(what)
    if dots:
        items[dots[0] : dots[0] + 1] = [slice(None)] * (len(shape) - taken)
    return items


def _as_array(word: str, part: list[Any]) -> Any:
    try:
        array = np.asarray(part)
    except ValueError:
        raise ShapeError(f"{word}: rows of an index list differ in length") from None
    return array if array.size else array.astype(dtypes.int64)


def axes_taken(item: Any) -> int:
    """How many axes of x this part of an index answers for."""
    if item is None or item is Ellipsis or isinstance(item, bool):
        return 0
    if hasattr(item, "dtype") and item.dtype.kind == "b":
        return len(item.shape)
    return 1


def _slice_length(word: str, item: slice, size: int) -> int:
    if item.step is not None and item.step == 0:
        raise ShapeError(f"{word}: the step of a slice is 0")
    try:
        return len(range(*item.indices(size)))
    except TypeError:
        raise DTypeError(f"{word}: a slice has integer bounds", got=repr(item)) from None


def _index_shape(word: str, item: Any, shape: Shape, axis: int) -> Shape:
    """The shape one index array (or integer) brings to the result."""
    if isinstance(item, bool):
        return (int(item),)
    if not hasattr(item, "dtype"):
        integer(word, "an index", item)
        return ()
    if item.dtype.kind == "b":
        return _mask_shape(word, item, shape, axis)
    if dtypes.is_floating(item.dtype):
        fix = 'index.astype("int64")'
        got = f"an index of {item.dtype}"
        raise DTypeError(f"{word}: an index is integer or bool", got=got, fix=fix)
    return shape_of(item)


def _mask_shape(word: str, mask: Any, shape: Shape, axis: int) -> Shape:
    """A mask of n axes takes n axes of x and brings one, as long as it has True elements.

    An extent of 0 goes with any: such a mask picks nothing.
    """
    covered = shape[axis : axis + len(mask.shape)]
    fits = len(covered) == len(mask.shape) and all(
        size in (0, extent) for size, extent in zip(mask.shape, covered, strict=True)
    )
    if not fits:
        what = f"{word}: the mask is {tuple(mask.shape)}, and x has {covered} there"
        raise IndexRangeError(what, got=f"x of shape {shape}")
    return (count_true(word, mask),)


def _check_range(word: str, index: Any, shape: Shape, axis: int) -> None:
    """Every known index must lie within its axis."""
    values = values_of(index)
    if values is None or values.dtype.kind == "b" or values.size == 0:
        return
    size, low, high = shape[axis], int(values.min()), int(values.max())
    wrong = low if low < -size else high
    if low < -size or high >= size:
        what = f"{word}: index {wrong} is out of range for axis {axis} of shape {shape}"
        raise IndexRangeError(what, expected=f"{-size} … {size - 1}" if size else "nothing")


def index_add(word: str, x: Operand, index: Any, values: Any) -> Shape:
    """The shape of x, if `values` can be broadcast to ``x[index]``."""
    place, given = getitem(word, x, index), shape_of(values)
    try:
        broadcast_to(word, values, place)
    except ShapeError:
        what = f"{word}: values of shape {given} do not fill x[index], which is {place}"
        raise ShapeError(what, got=f"x of shape {shape_of(x)}") from None
    return shape_of(x)


def setitem(word: str, x: Operand, index: Any, values: Any) -> Shape:
    """As :func:`index_add`; leading axes of size 1 too many are dropped, as NumPy does."""
    place, given = getitem(word, x, index), shape_of(values)
    extra = max(0, len(given) - len(place))
    if given[:extra] == (1,) * extra:
        values = SimpleNamespace(shape=given[extra:])
    return index_add(word, x, index, values)


# --- along one axis ----------------------------------------------------------------------------
def _check_indices(word: str, indices: Operand, x: Shape) -> Shape:
    """The shape of `indices`: integers, as many axes as x."""
    shape = shape_of(indices)
    if dtype_of(indices).kind not in "iu":
        got = f"indices of {dtype_of(indices)}"
        raise DTypeError(f"{word}: indices are integers", got=got, fix='indices.astype("int64")')
    if len(shape) != len(x):
        what = f"{word}: x is {x} and indices are {shape}"
        raise ShapeError(what, expected="the same number of axes")
    return shape


def take_along_axis(word: str, x: Operand, indices: Operand, axis: int) -> Shape:
    """The shape of `indices`, broadcast with that of `x` on all other axes."""
    shape = shape_of(x)
    place = one_axis(word, axis, shape)
    wanted = _check_indices(word, indices, shape)
    free = (*shape[:place], 1, *shape[place + 1 :])
    held = (*wanted[:place], 1, *wanted[place + 1 :])
    common = broadcast_shapes(word, free, held)
    out = (*common[:place], wanted[place], *common[place + 1 :])
    if 0 not in out:
        _check_range(word, indices, shape, place)
    return out


def scatter_add(word: str, x: Operand, indices: Operand, values: Operand, axis: int) -> Shape:
    """The shape of x; `indices` fit into `values` everywhere, into x on all axes but `axis`."""
    shape, given = shape_of(x), shape_of(values)
    place = one_axis(word, axis, shape)
    wanted = _check_indices(word, indices, shape)
    if len(given) != len(shape):
        what = f"{word}: x is {shape} and values are {given}"
        raise ShapeError(what, expected="the same number of axes")
    if 0 in wanted:
        return shape
    _check_range(word, indices, shape, place)
    for i, size in enumerate(wanted):
        limit = given[i] if i == place else min(given[i], shape[i])
        if size > limit:
            what = f"{word}: indices {wanted} reach beyond axis {i}: x {shape}, values {given}"
            raise ShapeError(what, expected=f"at most {limit} there, not {size}")
    return shape


def nonzero(word: str, x: Operand) -> list[Shape]:
    """One list of positions per axis, as long as x has elements other than zero."""
    shape = shape_of(x)
    if not shape:
        raise ShapeError(f"{word}: x is a number, shape ()", fix="reshape(x, (1,))")
    return [(count_true(word, x),)] * len(shape)


def random_bits(word: str, key: int, counter: int, shape: Any) -> Shape:
    """The shape that was asked for."""
    return sizes(word, shape)
