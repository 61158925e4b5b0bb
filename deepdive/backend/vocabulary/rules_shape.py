"""Shape rules of the words that create arrays and of those that rearrange them."""

from __future__ import annotations

import math
from typing import Any

from deepdive.backend.vocabulary.rules import (
    Axis,
    Operand,
    Shape,
    integer,
    integers,
    one_axis,
    shape_of,
    sizes,
    some_axes,
)
from deepdive.errors import ArgumentError, ShapeError


# --- creation ----------------------------------------------------------------------------------
def created(word: str, shape: Any, dtype: Any = None) -> Shape:
    """The shape that was asked for."""
    return sizes(word, shape)


def filled(word: str, shape: Any, value: Any, dtype: Any = None) -> Shape:
    """The shape that was asked for; the value is broadcast to it."""
    broadcast_to(word, value, shape)
    return sizes(word, shape)


def identity(word: str, n: int, m: Any = None, k: int = 0, dtype: Any = None) -> Shape:
    """n rows and m columns; as many columns as rows if none are given."""
    return sizes(word, (n, n if m is None else m))


def counting(word: str, start: Any, stop: Any = None, step: Any = 1, dtype: Any = None) -> Shape:
    """As many numbers as steps fit between start and stop.

    >>> counting("arange", 0, 1, 0.3), counting("arange", 3, 0)
    ((4,), (0,))
    """
    start, stop = (0, start) if stop is None else (start, stop)
    if step == 0:
        raise ArgumentError(f"{word}: the step is 0", expected="a step up or down")
    return (max(0, math.ceil((stop - start) / step)),)


def nested(word: str, x: Any, dtype: Any = None) -> Shape:
    """The shape of an array, or of lists in lists.

    Raises:
        ShapeError: if the lists of one level are not of one length.
    """
    if not isinstance(x, (list, tuple)):
        return shape_of(x)
    out: list[int] = []
    level: list[Any] = [x]
    while level and all(isinstance(item, (list, tuple)) for item in level):
        out.append(_common(word, [len(item) for item in level]))
        level = [part for item in level for part in item]
    kinds = {() if isinstance(i, (list, tuple)) else shape_of(i) for i in level}
    if len(kinds) > 1 or any(isinstance(item, (list, tuple)) for item in level):
        raise ShapeError(f"{word}: lists and numbers stand side by side", fix=SAME_LENGTH)
    return (*out, *(kinds.pop() if kinds else ()))


SAME_LENGTH = "give every row the same length"


def _common(word: str, lengths: list[int]) -> int:
    if len(set(lengths)) > 1:
        found = " and ".join(map(str, dict.fromkeys(lengths)))
        raise ShapeError(f"{word}: rows of {found} elements", fix=SAME_LENGTH)
    return lengths[0]


# --- rearranging -------------------------------------------------------------------------------
def reshape(word: str, x: Operand, shape: Any) -> Shape:
    """The new shape; a size of -1 is what is left over.

    >>> import numpy as np
    >>> reshape("reshape", np.zeros((3, 4)), (2, -1))
    (2, 6)
    """
    old, new = shape_of(x), integers(word, "a size", shape)
    count = math.prod(old)
    if new and (min(new) < -1 or new.count(-1) > 1):
        rule = "only one size may be -1" if min(new) == -1 else f"{min(new)} is no size"
        raise ShapeError(f"{word}: {rule}, in {new}", got=f"x of shape {old}")
    known = math.prod(size for size in new if size != -1)
    if -1 in new and known and count % known == 0:
        return tuple(count // known if size == -1 else size for size in new)
    if -1 in new or count != known:
        got = f"x of shape {old}"
        raise ShapeError(f"{word}: {count} elements do not fill {new}", got=got)
    return new


def permute_dims(word: str, x: Operand, axes: Any) -> Shape:
    """The sizes in the order of `axes`, which name every axis once."""
    shape = shape_of(x)
    if not isinstance(axes, (tuple, list)) or len(axes) != len(shape):
        what = f"{word}: {axes} does not name every axis of shape {shape} once"
        raise ShapeError(what, expected=f"an order of {tuple(range(len(shape)))}")
    return tuple(shape[axis] for axis in some_axes(word, axes, shape))


def broadcast_to(word: str, x: Operand, shape: Any) -> Shape:
    """The new shape; axes of size 1 are repeated, new axes come in front."""
    old, new = shape_of(x), sizes(word, shape)
    aligned = new[max(0, len(new) - len(old)) :]
    if len(old) > len(new):
        raise ShapeError(f"{word}: {old} has more axes than {new}")
    for axis, (a, b) in enumerate(zip(old, aligned, strict=True)):
        if a not in (1, b):
            what = f"{word}: {old} does not broadcast to {new}: axis {axis} has {a}, not 1 or {b}"
            raise ShapeError(what, fix="only axes of size 1 are repeated")
    return new


def expand_dims(word: str, x: Operand, axis: Axis) -> Shape:
    """The shape with a 1 at each place `axis` names in the result."""
    shape = shape_of(x)
    count = len(axis) if isinstance(axis, (tuple, list)) else 1
    places = some_axes(word, () if axis is None else axis, (1,) * (len(shape) + count))
    rest = iter(shape)
    return tuple(1 if i in places else next(rest) for i in range(len(shape) + count))


def squeeze(word: str, x: Operand, axis: Axis) -> Shape:
    """The shape without the axes named, which must have size 1."""
    shape = shape_of(x)
    dropped = some_axes(word, axis, shape)
    if axis is None:
        dropped = tuple(i for i, size in enumerate(shape) if size == 1)
    for i in dropped:
        if shape[i] != 1:
            raise ShapeError(f"{word}: axis {i} of shape {shape} has {shape[i]} elements, not 1")
    return tuple(size for i, size in enumerate(shape) if i not in dropped)


def flip(word: str, x: Operand, axis: Axis) -> Shape:
    """The operand's own shape, if it has the axes."""
    some_axes(word, axis, shape_of(x))
    return shape_of(x)


def roll(word: str, x: Operand, shift: Any, axis: Axis) -> Shape:
    """The operand's own shape, if it has the axes; a shift for each of them."""
    shape, shifts = shape_of(x), integers(word, "shift", shift)
    if axis is None:
        return shape
    axes = [one_axis(word, each, shape) for each in integers(word, "axis", axis)]
    if len(shifts) != len(axes) and 1 not in (len(shifts), len(axes)):
        raise ShapeError(f"{word}: {len(shifts)} shifts for {len(axes)} axes")
    return shape


def triangle(word: str, x: Operand, k: int = 0) -> Shape:
    """The operand's own shape: a matrix or a stack of them."""
    shape = shape_of(x)
    integer(word, "k", k)
    if len(shape) < 2:
        raise ShapeError(f"{word}: x is {shape}", expected="a matrix, or a stack of matrices")
    return shape


def concat(word: str, arrays: Any, axis: int = 0) -> Shape:
    """Sizes add up along `axis` and agree elsewhere.

    >>> import numpy as np
    >>> concat("concat", [np.zeros((2, 3)), np.zeros((2, 1))], axis=1)
    (2, 4)
    """
    shapes = _shapes(word, arrays)
    first = shapes[0]
    if not first:
        raise ShapeError(f"{word}: arrays of shape () have no axis to join", fix="use stack")
    place = one_axis(word, axis, first)
    for number, shape in enumerate(shapes):
        if len(shape) != len(first):
            what = f"{word}: array {number} is {shape} and array 0 is {first}"
            raise ShapeError(what, expected="the same number of axes")
        _agree(word, number, shape, first, place)
    return (*first[:place], sum(shape[place] for shape in shapes), *first[place + 1 :])


def _agree(word: str, number: int, shape: Shape, first: Shape, free: int) -> None:
    for i, (a, b) in enumerate(zip(shape, first, strict=True)):
        if a != b and i != free:
            what = f"{word}: array {number} is {shape} and array 0 is {first}: {a} != {b}"
            raise ShapeError(what, expected=f"equal sizes on all axes but {free}")


def _shapes(word: str, arrays: Any) -> list[Shape]:
    shapes = [shape_of(array) for array in arrays]
    if not shapes:
        raise ShapeError(f"{word}: no arrays to join")
    return shapes


def stack(word: str, arrays: Any, axis: int = 0) -> Shape:
    """A new axis as long as the list, at `axis` of the result."""
    shapes = _shapes(word, arrays)
    for number, shape in enumerate(shapes):
        if shape != shapes[0]:
            what = f"{word}: array {number} is {shape} and array 0 is {shapes[0]}"
            raise ShapeError(what, expected="equal shapes", fix="concat joins along an old axis")
    place = one_axis(word, axis, (1, *shapes[0]))
    return (*shapes[0][:place], len(shapes), *shapes[0][place:])


def pad(word: str, x: Operand, widths: Any, value: float = 0.0) -> Shape:
    """Every axis longer by what comes before and after it."""
    shape = shape_of(x)
    pairs = [integers(word, "a width", pair) for pair in widths]
    if len(pairs) != len(shape) or any(len(pair) != 2 for pair in pairs):
        what = f"{word}: widths {tuple(widths)} for x of shape {shape}"
        raise ShapeError(what, expected=f"{len(shape)} pairs (before, after)")
    if any(min(pair) < 0 for pair in pairs):
        fix = "cut with a slice: x[1:-1]"
        raise ShapeError(f"{word}: a width is negative in {tuple(widths)}", fix=fix)
    return tuple(size + sum(pair) for size, pair in zip(shape, pairs, strict=True))
