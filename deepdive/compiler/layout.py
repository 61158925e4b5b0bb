"""Where a value lies: in memory of its own, or as a view of another value's.

A place is a base value, an offset and a stride per axis, in elements – what NumPy keeps for a
view.  Words that only look at their operand differently cost nothing in a compiled program.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from deepdive.compiler.graph import Value

Shape = tuple[int, ...]


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
    strides = []
    step = 1
    for extent in reversed(shape):
        strides.append(step)
        step *= extent
    return tuple(reversed(strides))


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
    rank = len(value.shape)
    return place.offset, tuple(place.strides[a % rank] for a in value.arguments["axes"])


def _broadcast(value: Value, operand: Value, place: Place) -> Any:
    return place.offset, spread(place.strides, operand.shape, value.shape)


def _reshaped(value: Value, operand: Value, place: Place) -> Any:
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
    out: list[int] = []
    position = 0
    axes = [n for n in target if n != 1]
    i = 0
    while i < len(axes):
        size, span, start = axes[i], 1, position
        while span < size and position < len(old):
            span *= old[position][0]
            position += 1
        j = i + 1
        while size < span and j < len(axes):
            size *= axes[j]
            j += 1
        while size != span:  # the runs end at different places: take in more of either
            if size < span and j < len(axes):
                size *= axes[j]
                j += 1
            elif span < size and position < len(old):
                span *= old[position][0]
                position += 1
            else:
                return None
        run = old[start:position]
        for (_, outer), (extent, inner) in pairwise(run):
            if outer != inner * extent:
                return None
        step = run[-1][1] if run else 0
        cut = []
        for extent in reversed(axes[i:j]):
            cut.append(step)
            step *= extent
        out += reversed(cut)
        i = j
    filled = iter(out)
    return tuple(0 if n == 1 else next(filled) for n in target)
