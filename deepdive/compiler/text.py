"""Names and small texts that generated programs share."""

from __future__ import annotations

import math
from typing import Any

from deepdive.compiler import geometry
from deepdive.compiler.graph import Value

# One piece of memory per dtype, and the function that makes a pointer to it.
ARENAS = {"float32": "F", "int64": "L", "int32": "I", "uint32": "U", "bool": "B"}
POINTERS = {"float32": "floats", "int64": "longs", "int32": "ints", "uint32": "uints"}
LETTERS = "ijklmn"


def total_of(terms: list[Any]) -> str:
    """``3 + i * 64 + j`` from a constant and (name, stride) pairs; zeros left out."""
    parts = []
    for term in terms:
        if isinstance(term, tuple):
            name, stride = term
            if stride:
                parts.append(name if stride == 1 else f"{name} * {stride}")
        elif term:
            parts.append(str(term))
    return " + ".join(parts) or "0"


def partial_size(value: Value) -> int:
    """Floats one thread sums into."""
    if value.word == "correlate":
        return geometry.room(value.arguments["shape"])["blocks"]
    return math.prod(value.shape)


def bounds_of(value: Value) -> list[tuple[int, int, int]]:
    """Where a value set among zeros has its operand: (axis of the loop, from, to), if not all."""
    found, axis = [], 0
    starts = value.arguments["starts"]
    for extent, inner, start in zip(value.shape, value.arguments["x"].shape, starts, strict=True):
        if extent == 1:
            continue
        if inner != extent:
            found.append((axis, start, start + inner))
        axis += 1
    return found
