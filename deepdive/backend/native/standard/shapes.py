"""The standard's functions that rearrange, search and sort."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from typing import Any, NamedTuple

from deepdive.backend.native import namespace as xp
from deepdive.backend.native.ndarray import NDArray, asarray
from deepdive.backend.vocabulary import rules
from deepdive.errors import ShapeError

Array = Any  # an NDArray
Axis = int | tuple[int, ...] | None


# --- rearranging ---------------------------------------------------------------------------------
def reshape(
    x: Array,
    /,
    shape: Any,
    *,
    copy: bool | None = None,
) -> Array:
    """The same elements in order.

    Raises:
        ValueError: for ``copy=False`` where only a copy would do.
    """
    out = x.reshape(shape)
    if copy is False and out.buffer is not x.buffer:
        raise ValueError("reshape: copy=False, and no strides show these elements in this shape")
    return out.copy() if copy and out.buffer is x.buffer else out


def permute_dims(
    x: Array,
    /,
    axes: tuple[int, ...],
) -> Array:
    return xp.permute_dims(x, axes)


def moveaxis(
    x: Array,
    source: Any,
    destination: Any,
    /,
) -> Array:
    """Axes `source` at the places `destination`, the others in their order."""
    moved = [rules.one_axis("moveaxis", i, x.shape) for i in rules.as_tuple(source)]
    places = [rules.one_axis("moveaxis", i, x.shape) for i in rules.as_tuple(destination)]
    order = [i for i in range(x.ndim) if i not in moved]
    for place, axis in sorted(zip(places, moved, strict=True)):
        order.insert(place, axis)
    return xp.permute_dims(x, tuple(order))


def broadcast_to(
    x: Array,
    /,
    shape: Any,
) -> Array:
    return xp.broadcast_to(x, shape)


def broadcast_arrays(*arrays: Array) -> list[Array]:
    """All arrays seen in their common shape."""
    shape = rules.broadcast_shapes("broadcast_arrays", *(x.shape for x in arrays))
    return [x.expand(shape) for x in arrays]


def broadcast_shapes(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    return rules.broadcast_shapes("broadcast_shapes", *shapes)


def expand_dims(
    x: Array,
    /,
    axis: int = 0,
) -> Array:
    return xp.expand_dims(x, axis)


def squeeze(
    x: Array,
    /,
    axis: int | tuple[int, ...],
) -> Array:
    return xp.squeeze(x, axis)


def flip(
    x: Array,
    /,
    *,
    axis: Axis = None,
) -> Array:
    return xp.flip(x, tuple(range(x.ndim)) if axis is None else axis)


def roll(
    x: Array,
    /,
    shift: Any,
    *,
    axis: Axis = None,
) -> Array:
    """Elements moved round and round along axes, or in row order for None."""
    if axis is None:
        return xp.roll(x.reshape(-1), shift, 0).reshape(x.shape)
    axes = rules.as_tuple(axis)
    shifts = rules.as_tuple(shift)
    for place, each in zip(axes, shifts * (len(axes) // len(shifts)), strict=True):
        x = xp.roll(x, each, place)
    return x


def concat(
    arrays: Any,
    /,
    *,
    axis: int | None = 0,
) -> Array:
    """Arrays joined along an axis, or flat for None."""
    if axis is None:
        return xp.concat([x.reshape(-1) for x in arrays], 0)
    return xp.concat(list(arrays), axis)


def stack(
    arrays: Any,
    /,
    *,
    axis: int = 0,
) -> Array:
    return xp.stack(list(arrays), axis)


def unstack(
    x: Array,
    /,
    *,
    axis: int = 0,
) -> tuple[Array, ...]:
    """The parts of `x` along an axis, which they lose."""
    return tuple(moveaxis(x, axis, 0))


def repeat(
    x: Array,
    repeats: Any,
    /,
    *,
    axis: int | None = None,
) -> Array:
    """Every element, or part along an axis, repeated in its place."""
    if axis is None:
        x, axis = x.reshape(-1), 0
    place = rules.one_axis("repeat", axis, x.shape)
    times = repeats.tolist() if isinstance(repeats, NDArray) else repeats
    each = times if isinstance(times, list) else [times]
    each = each * x.shape[place] if len(each) == 1 else each
    chosen = [i for i, count in enumerate(each) for _ in range(count)]
    return take(x, asarray(chosen, "int64"), axis=place)


def tile(
    x: Array,
    repetitions: tuple[int, ...],
    /,
) -> Array:
    """The whole of `x` side by side, so many times along each axis."""
    ndim = max(x.ndim, len(repetitions))
    times = (1,) * (ndim - len(repetitions)) + tuple(repetitions)
    out = x.reshape((1,) * (ndim - x.ndim) + x.shape)
    for axis, count in enumerate(times):
        size = out.shape[axis]
        out = take(out, asarray([i % size for i in range(size * count)], "int64"), axis=axis)
    return out


# --- indexing and searching ----------------------------------------------------------------------
def take(
    x: Array,
    indices: Array,
    /,
    *,
    axis: int | None = None,
) -> Array:
    """The parts of `x` with these numbers along an axis.

    Raises:
        ShapeError: without an axis for an array of several.
    """
    if axis is None and x.ndim != 1:
        raise ShapeError("take: an array of several axes needs an axis", got=x.shape)
    place = rules.one_axis("take", axis or 0, x.shape)
    return xp.getitem(x, (*(slice(None),) * place, indices))


def take_along_axis(
    x: Array,
    indices: Array,
    /,
    *,
    axis: int = -1,
) -> Array:
    return xp.take_along_axis(x, indices, axis)


def where(
    condition: Array,
    x1: Any,
    x2: Any,
    /,
) -> Array:
    return xp.where(condition, x1, x2)


def nonzero(
    x: Array,
    /,
) -> tuple[Array, ...]:
    return xp.nonzero(x)  # type: ignore[no-any-return]


def argmax(
    x: Array,
    /,
    *,
    axis: int | None = None,
    keepdims: bool = False,
) -> Array:
    return xp.argmax(x, axis, keepdims)


def argmin(
    x: Array,
    /,
    *,
    axis: int | None = None,
    keepdims: bool = False,
) -> Array:
    return xp.argmin(x, axis, keepdims)


def searchsorted(
    x1: Array,
    x2: Any,
    /,
    *,
    side: str = "left",
    sorter: Array | None = None,
) -> Array:
    """Where each number of x2 would be put into the sorted x1: before its equals, or behind."""
    row = (x1 if sorter is None else take(x1, sorter)).tolist()
    find = bisect_left if side == "left" else bisect_right
    wanted = asarray(x2)
    return asarray([find(row, number) for number in wanted.numbers()], "int64").reshape(
        wanted.shape
    )


# --- sorting -------------------------------------------------------------------------------------
def sort(
    x: Array,
    /,
    *,
    axis: int = -1,
    descending: bool = False,
    stable: bool = True,
) -> Array:
    return xp.sort(x, axis, descending)


def argsort(
    x: Array,
    /,
    *,
    axis: int = -1,
    descending: bool = False,
    stable: bool = True,
) -> Array:
    return xp.argsort(x, axis, descending)


# --- sets: every NaN is a number of its own ------------------------------------------------------
class UniqueAll(NamedTuple):
    """What :func:`unique_all` finds."""

    values: Array
    indices: Array
    inverse_indices: Array
    counts: Array


class UniqueCounts(NamedTuple):
    """What :func:`unique_counts` finds."""

    values: Array
    counts: Array


class UniqueInverse(NamedTuple):
    """What :func:`unique_inverse` finds."""

    values: Array
    inverse_indices: Array


def unique_all(
    x: Array,
    /,
) -> UniqueAll:
    """The different numbers in order, where each is first, which one each element is, how many."""
    numbers = x.numbers()
    places: list[int] = []  # of the first of each
    counts: list[int] = []
    inverse = [0] * len(numbers)
    for i in sorted(range(len(numbers)), key=lambda i: (numbers[i] != numbers[i], numbers[i])):
        if not places or numbers[places[-1]] != numbers[i]:
            places.append(i)
            counts.append(0)
        counts[-1] += 1
        inverse[i] = len(places) - 1
    first = asarray(places, "int64")
    flat = x.reshape(math.prod(x.shape))
    back = asarray(inverse, "int64").reshape(x.shape)
    return UniqueAll(flat[first], first, back, asarray(counts, "int64"))


def unique_counts(
    x: Array,
    /,
) -> UniqueCounts:
    found = unique_all(x)
    return UniqueCounts(found.values, found.counts)


def unique_inverse(
    x: Array,
    /,
) -> UniqueInverse:
    found = unique_all(x)
    return UniqueInverse(found.values, found.inverse_indices)


def unique_values(
    x: Array,
    /,
) -> Array:
    return unique_all(x).values


def isin(
    x1: Any,
    x2: Any,
    /,
    *,
    assume_unique: bool = False,
    invert: bool = False,
) -> Array:
    """Whether each number of x1 is in x2."""
    wanted, known = asarray(x1), set(asarray(x2).numbers())
    found = [(number in known) != invert for number in wanted.numbers()]
    return asarray(found, "bool").reshape(wanted.shape)
