"""Where a value lies: in memory of its own, or as a view of another value's.

A place is a base value, an offset and a stride per axis, in elements – what NumPy keeps for a
view.  Words that only look at their operand differently cost nothing in a compiled program.
What a product of the MLP reads as ``W.T``, a loop as ``b`` under each row, and the loss as the
last column, all lies where it lay::

                              base  offset  strides
    W          (128, 784)     W     0       (784, 1)
    W.T        (784, 128)     W     0       (1, 784)    permute_dims: the strides change places
    b          (128,)         b     0       (1,)
    b in a + b (64, 128)      b     0       (0, 1)      broadcast_to: a step down goes nowhere
    z[:, -1]   (64,)          z     9       (10,)       getitem, z of (64, 10): an offset

A value for which no strides can be found, like ``W.T.reshape(-1)``, is computed: copied.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from deepdive.compiler.graph import Value

Shape = tuple[int, ...]
Axis = tuple[int, int]  # extent and stride


class Place(NamedTuple):
    """Element ``index`` of the value is element ``offset + Σ index·strides`` of `base`."""

    base: Value
    offset: int
    strides: Shape


def contiguous(shape: Sequence[int]) -> Shape:
    """The strides of an array in row order.

    >>> contiguous((2, 3, 4))
    (12, 4, 1)
    """
    return tuple(_cut(1, shape))


def own(value: Value) -> Place:
    """The place of a value with memory of its own."""
    return Place(value, 0, contiguous(value.shape))


def spread(strides: Shape, shape: Sequence[int], target: Sequence[int]) -> Shape:
    """The strides of an array of `shape` read as one of shape `target`: 0 where it is repeated.

    >>> spread((1,), (3,), (2, 3)), spread((1, 1), (2, 1), (2, 3))
    ((0, 1), (1, 0))
    """
    lead = len(target) - len(shape)
    kept = tuple(0 if n == 1 else s for n, s in zip(shape, strides, strict=True))
    return (0,) * lead + kept


def view(value: Value, places: dict[Value, Place]) -> Place | None:
    """The place of a value that is a view of its operand, or None if it has to be computed."""
    make = VIEWS.get(value.word)
    if make is None:
        return None
    operand = value.arguments["x"]
    place = places[operand]
    found = make(value, operand, place)
    return None if found is None else Place(place.base, *found)


def _permuted(value: Value, operand: Value, place: Place) -> Any:
    """``permute_dims``: strides in another order."""
    rank = len(value.shape)
    return place.offset, tuple(place.strides[a % rank] for a in value.arguments["axes"])


def _broadcast(value: Value, operand: Value, place: Place) -> Any:
    """``broadcast_to``: strides of 0."""
    return place.offset, spread(place.strides, operand.shape, value.shape)


def _reshaped(value: Value, operand: Value, place: Place) -> Any:
    """``reshape``: other strides, if there are any."""
    strides = reshaped(operand.shape, place.strides, value.shape)
    return None if strides is None else (place.offset, strides)


def _indexed(value: Value, operand: Value, place: Place) -> Any:
    """Integers, slices, None and Ellipsis; other indices have to be computed."""
    index = value.arguments["index"]
    parts = list(index) if isinstance(index, tuple) else [index]
    if any(not (part is None or part is ... or type(part) in (int, slice)) for part in parts):
        return None
    taken = sum(part is not None and part is not ... for part in parts)
    rest = len(operand.shape) - taken
    if ... in parts:
        at = parts.index(...)
        parts[at : at + 1] = [slice(None)] * rest
    else:
        parts += [slice(None)] * rest
    offset, strides, axis = place.offset, [], 0
    for part in parts:
        if part is None:
            strides.append(0)
            continue
        extent, stride = operand.shape[axis], place.strides[axis]
        axis += 1
        if type(part) is int:
            offset += (part % extent) * stride
        else:
            start, _, step = part.indices(extent)
            offset += start * stride
            strides.append(stride * step)
    return offset, tuple(strides)


def _windows(value: Value, operand: Value, place: Place) -> Any:
    """(…, *spatial) as (…, *out, *size): a window starts every `stride`, its steps are dilated."""
    stride, dilation = value.arguments["stride"], value.arguments["dilation"]
    lead = len(operand.shape) - len(stride)
    steps = place.strides[lead:]
    starts = tuple(s * step for s, step in zip(stride, steps, strict=True))
    inside = tuple(d * step for d, step in zip(dilation, steps, strict=True))
    return place.offset, (*place.strides[:lead], *starts, *inside)


VIEWS = {
    "windows": _windows,
    "permute_dims": _permuted,
    "broadcast_to": _broadcast,
    "reshape": _reshaped,
    "getitem": _indexed,
}


def reshaped(shape: Shape, strides: Shape, target: Shape) -> Shape | None:
    """The strides that show the same elements in shape `target`, or None if there are none.

    Runs of axes that lie densely behind each other are cut anew.

    >>> reshaped((2, 3, 4), (12, 4, 1), (6, 4)), reshaped((2, 3), (1, 2), (6,))
    ((4, 1), None)
    """
    old = [(n, s) for n, s in zip(shape, strides, strict=True) if n != 1]
    new = [n for n in target if n != 1]
    found: list[int] = []
    for run, extents in _runs(old, new):
        if run is None or not _is_dense(run):
            return None
        found += _cut(run[-1][1] if run else 0, extents)
    filled = iter(found)
    return tuple(0 if n == 1 else next(filled) for n in target)


def _runs(old: list[Axis], new: list[int]) -> Iterator[tuple[list[Axis] | None, list[int]]]:
    """Axes of the old shape beside those of the new one that hold as many elements.

    >>> list(_runs([(6, 4), (4, 1)], [2, 3, 4]))
    [([(6, 4)], [2, 3]), ([(4, 1)], [4])]
    """
    i = j = 0
    while j < len(new):
        first, start = i, j
        span, size = 1, new[j]
        j += 1
        while span != size:  # take in more of the shorter one
            if span < size and i < len(old):
                span *= old[i][0]
                i += 1
            elif size < span and j < len(new):
                size *= new[j]
                j += 1
            else:
                yield None, []
                return
        yield old[first:i], new[start:j]


def _is_dense(run: list[Axis]) -> bool:
    """Whether each axis steps over exactly what lies inside it."""
    return all(outer == inner * extent for (_, outer), (extent, inner) in pairwise(run))


def _cut(step: int, extents: Sequence[int]) -> list[int]:
    """The strides of axes of these extents, the innermost of which goes in steps of `step`."""
    strides = []
    for extent in reversed(extents):
        strides.append(step)
        step *= extent
    return strides[::-1]
