"""Names and small texts that generated programs share."""

from __future__ import annotations

import math
from collections.abc import Sequence

from deepdive.compiler import geometry
from deepdive.compiler.graph import Value

# One piece of memory per dtype, and the function that makes a pointer to it.
ARENAS = {"float32": "F", "int64": "L", "int32": "I", "uint32": "U", "bool": "B"}
POINTERS = {"float32": "floats", "int64": "longs", "int32": "ints", "uint32": "uints"}
LETTERS = "ijklmn"  # the variables of nested loops, from outside to inside

Term = int | tuple[str, int]


def total_of(terms: Sequence[Term]) -> str:
    """The text of a sum of constants and of (name, stride) pairs; zeros are left out.

    >>> total_of([3, ("i", 64), ("j", 1), ("k", 0)])
    '3 + i * 64 + j'
    >>> total_of([])
    '0'
    """
    parts = []
    for term in terms:
        if isinstance(term, int):
            parts.append(str(term))
        elif term[1] == 0:
            continue
        elif term[1] == 1:
            parts.append(term[0])
        else:
            parts.append(f"{term[0]} * {term[1]}")
    return joined(*parts)


def joined(*parts: str) -> str:
    """The text of a sum of texts; empty ones and zeros are left out.

    >>> joined("v7", "0", "i * 64"), joined("", "0")
    ('v7 + i * 64', '0')
    """
    return " + ".join(part for part in parts if part not in ("", "0")) or "0"


def times(name: str, count: int) -> str:
    """``lo``, or ``lo * 4`` where a row of the group is four of the loop."""
    return name if count == 1 else f"{name} * {count}"


def block_bounds(extent: int, rows: int) -> str:
    """The part of a loop over `extent` that belongs to rows ``lo`` to ``hi`` of a group.

    >>> block_bounds(64, 64), block_bounds(256, 64)
    ('lo, hi', 'lo * 4, hi * 4')
    """
    each = extent // rows
    return f"{times('lo', each)}, {times('hi', each)}"


def partial_size(value: Value) -> int:
    """Floats one thread sums into."""
    if value.word == "correlate":
        return geometry.room(value.arguments["shape"])["blocks"]
    return math.prod(value.shape)


def bounds_of(value: Value) -> list[tuple[int, int, int]]:
    """Where an array set among zeros lies: (axis of the loop, from, to), where that is not all.

    >>> x = Value("input", {}, (5, 2), None)
    >>> bounds_of(Value("placed", {"x": x, "starts": (0, 3)}, (5, 8), None))
    [(1, 3, 5)]
    """
    inner = value.arguments["x"].shape
    starts = value.arguments["starts"]
    loops = [axis for axis, extent in enumerate(value.shape) if extent != 1]
    return [
        (position, starts[axis], starts[axis] + inner[axis])
        for position, axis in enumerate(loops)
        if inner[axis] != value.shape[axis]
    ]
