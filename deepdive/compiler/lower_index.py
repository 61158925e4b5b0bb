"""Lowering of indices, of padding and of joining: places of one array in another.

Three words remain.  ``pick`` reads x at indices, ``placed`` sets an array among zeros at a fixed
place, ``scatter`` adds rows up at places that numbers name::

    x[[3, 1]]                  →  pick(x, ([3, 1],))
    zeros(8)[2:5] += values    →  placed(values, starts=(2,))
    zeros(8, 4)[ids] += rows   →  scatter(rows, ids)
"""

from __future__ import annotations

import math
from operator import mul
from typing import Any

from deepdive import dtypes
from deepdive.compiler.graph import Value, said

MOST_STACKED = 8


def getitem(value: Value) -> Value:
    """An index of integer arrays for the first axes is a pick."""
    index = value.arguments["index"]
    parts = index if isinstance(index, tuple) else (index,)
    if not all(map(_is_integers, parts)):
        return value
    return said("pick", value, x=value.arguments["x"], index=parts)


def setitem(value: Value) -> Value:
    """One element a row, ``x[arange(n), t] = v``, is a choice by column."""
    place = _one_a_row(value)
    if place is None:
        return value
    mask, values = place
    return said("where", value, condition=mask, x=values, y=value.arguments["x"])


def index_add(value: Value) -> Value:
    """``x[index] += values``: a choice by column, values among zeros, or a scatter."""
    x = value.arguments["x"]
    place = _one_a_row(value)
    if place is not None:
        mask, values = place
        more = said("add", value, x=x, y=values)
        return said("where", value, condition=mask, x=more, y=x)
    added = _placed(value) or _scattered(value)
    if added is None:
        return value
    return added if x.word == "zeros" else said("add", value, x=x, y=added)


def pad(value: Value) -> Value:
    """Zeros around an array."""
    if value.arguments["value"]:
        return value
    starts = tuple(before for before, _ in value.arguments["widths"])
    return said("placed", value, x=value.arguments["x"], starts=starts)


def concat(value: Value) -> Value:
    """Each part at its place, zeros elsewhere, all added."""
    rank = len(value.shape)
    axis = value.arguments["axis"] % rank
    out: Value | None = None
    start = 0
    for part in value.arguments["arrays"]:
        if not part.size:
            continue
        starts = [0] * rank
        starts[axis] = start
        placed = said("placed", value, x=part, starts=tuple(starts))
        out = placed if out is None else said("add", value, x=out, y=placed)
        start += part.shape[axis]
    return value if out is None else out


def stack(value: Value) -> Value:
    """Joined along an axis of extent 1 in each; many are better stacked by NumPy, one by one."""
    arrays = value.arguments["arrays"]
    if len(arrays) > MOST_STACKED:  # each place asks all of them
        return value
    axis = value.arguments["axis"] % len(value.shape)
    shape = (*value.shape[:axis], 1, *value.shape[axis + 1 :])
    parts = [said("reshape", value, shape, x=x, shape=shape) for x in arrays]
    return concat(said("concat", value, arrays=parts, axis=axis))


def overlap_add(value: Value) -> Value:
    """Windows that do not overlap, stacked from one array a place: each array to its places."""
    windows = value.arguments["w"]
    stride = tuple(value.arguments["stride"])
    rank = len(stride)
    size = windows.shape[-rank:]
    if windows.word != "permute_dims" or size != stride:
        return value
    places = windows.arguments["x"]
    stacked = places.arguments["x"] if places.word == "reshape" else places
    counts = windows.shape[-2 * rank : -rank]
    covered = tuple(map(mul, counts, stride))
    if stacked.word != "stack" or covered != value.shape[-rank:]:
        return value
    return said("dealt", value, arrays=stacked.arguments["arrays"], size=size)


# --- what an index says ---------------------------------------------------------------------------
def _is_integers(part: Any) -> bool:
    return isinstance(part, Value) and part.dtype.kind == "i"


def _one_a_row(value: Value) -> tuple[Value, Any] | None:
    """The mask of the elements an index ``(arange(n), t)`` names, and the values as a column."""
    index = value.arguments["index"]
    x = value.arguments["x"]
    if not isinstance(index, tuple) or (len(index), len(x.shape)) != (2, 2):
        return None
    rows, columns = index
    if not all(isinstance(part, Value) for part in index) or rows.word != "arange":
        return None
    height, width = x.shape
    if rows.shape != (height,) or columns.shape != (height,):
        return None
    upright = (height, 1)
    numbers = said(
        "arange",
        rows,
        (width,),
        start=width,
        stop=None,
        step=1,
        dtype=None,
    )
    column = said("reshape", columns, upright, x=columns, shape=upright)
    mask = Value("equal", {"x": numbers, "y": column}, x.shape, dtypes.bool_)
    values = value.arguments["values"]
    if isinstance(values, Value) and values.shape == rows.shape:
        values = said("reshape", value, upright, x=values, shape=upright)
    return mask, values


def _placed(value: Value) -> Value | None:
    """Values at a place of slices and integers, zeros around them."""
    values = value.arguments["values"]
    box = _box(value.arguments["index"], value.arguments["x"].shape)
    if box is None:
        return None
    starts, extents = box
    if not isinstance(values, Value) or values.size != math.prod(extents):
        return None
    whole = said("reshape", value, extents, x=values, shape=extents)
    return said("placed", value, x=whole, starts=starts)


def _box(index: Any, shape: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """Where an index of slices and integers starts on each axis, and how far it reaches.

    >>> _box((slice(2, 5), -1), (8, 4))
    ((2, 3), (3, 1))
    >>> _box(slice(None, None, 2), (8,)) is None
    True
    """
    parts = list(index) if isinstance(index, tuple) else [index]
    parts = [part for part in parts if part is not None]  # an axis of extent 1
    if not all(part is ... or type(part) in (int, slice) for part in parts):
        return None
    missing = len(shape) - sum(part is not ... for part in parts)
    at = parts.index(...) if ... in parts else len(parts)
    parts[at : at + 1] = [slice(None)] * missing
    starts, extents = [], []
    for part, extent in zip(parts, shape, strict=True):
        if type(part) is int:
            first = part % extent
            part = slice(first, first + 1)
        start, stop, step = part.indices(extent)
        if step != 1:
            return None
        starts.append(start)
        extents.append(max(stop - start, 0))
    return tuple(starts), tuple(extents)


def _scattered(value: Value) -> Value | None:
    """Rows added up at the rows an integer array names."""
    index = value.arguments["index"]
    parts = index if isinstance(index, tuple) else (index,)
    if len(parts) != 1 or not _is_integers(parts[0]):
        return None
    (rows,) = parts
    shape = (*rows.shape, *(1 for _ in value.shape[1:]))
    numbers = said("reshape", rows, shape, x=rows, shape=shape)
    values = value.arguments["values"]
    full = (*rows.shape, *value.shape[1:])
    if not isinstance(values, Value):
        values = said("full", value, full, shape=full, value=values, dtype=value.dtype)
    spread = said("broadcast_to", value, full, x=values, shape=full)
    return said("scatter", value, x=spread, index=numbers)


RULES = (getitem, setitem, index_add, pad, concat, overlap_add)
