"""Shape rules of the words that create arrays and of those that rearrange them."""

from __future__ import annotations

import math
from typing import Any

from deepdive.backend.vocabulary.rules import (
    Axis,
    Operand,
    Shape,
    as_tuple,
    integer,
    integers,
    one_axis,
    shape_of,
    sizes,
    some_axes,
)
from deepdive.errors import ArgumentError, ShapeError


# --- creation ----------------------------------------------------------------------------------
def created(word: str, shape: Any, **rest: Any) -> Shape:
    """The shape that was asked for."""
    return sizes(word, shape)


def filled(word: str, shape: Any, value: Any, **rest: Any) -> Shape:
    """The shape that was asked for; the value is broadcast to it."""
    return broadcast_to(word, value, shape)


def identity(word: str, n: int, m: Any, **rest: Any) -> Shape:
    """n rows and m columns; as many columns as rows if none are given."""
    return sizes(word, (n, n if m is None else m))


def counting(word: str, start: Any, stop: Any, step: Any, **rest: Any) -> Shape:
    """As many numbers as steps fit between start and stop.

    >>> counting("arange", 0, 1, 0.3)
    (4,)
    """
    if stop is None:
        start, stop = 0, start
    if step == 0:
        raise ArgumentError(f"{word}: the step is 0", expected="a step up or down")
    count = math.ceil((stop - start) / step)
    return (max(0, count),)


SAME_LENGTH = "give every row the same length"


def nested(word: str, x: Any, **rest: Any) -> Shape:
    """The shape of an array, or of lists in lists.

    Raises:
        ShapeError: if the parts of one level differ in shape.
    """
    out: Shape = ()
    level = [x]
    while level:
        lists = [item for item in level if isinstance(item, (list, tuple))]
        if not lists:
            return out + _common(word, {shape_of(item) for item in level})
        if len(lists) < len(level):
            raise ShapeError(f"{word}: lists and numbers stand side by side", fix=SAME_LENGTH)
        out += _common(word, {(len(item),) for item in lists})
        level = [part for item in lists for part in item]
    return out


def _common(word: str, shapes: set[Shape]) -> Shape:
    if len(shapes) > 1:
        found = " and ".join(map(str, sorted(shapes)))
        raise ShapeError(f"{word}: rows of different shapes, {found}", fix=SAME_LENGTH)
    return shapes.pop()


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
    shape, new = shape_of(x), as_tuple(axis)
    ones = (1,) * (len(shape) + len(new))
    places = some_axes(word, new, ones)
    rest = iter(shape)
    return tuple(1 if i in places else next(rest) for i in range(len(ones)))


def squeeze(word: str, x: Operand, axis: Axis) -> Shape:
    """The shape without the axes named, which must have size 1."""
    shape = shape_of(x)
    dropped = some_axes(word, axis, shape)
    if axis is None:
        dropped = tuple(i for i in dropped if shape[i] == 1)
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
    axes = integers(word, "axis", axis)
    for each in axes:
        one_axis(word, each, shape)
    counts = {len(shifts), len(axes)} - {1}
    if len(counts) > 1:
        raise ShapeError(f"{word}: {len(shifts)} shifts for {len(axes)} axes")
    return shape


def triangle(word: str, x: Operand, k: int) -> Shape:
    """The operand's own shape: a matrix or a stack of them."""
    shape = shape_of(x)
    integer(word, "k", k)
    if len(shape) < 2:
        raise ShapeError(f"{word}: x is {shape}", expected="a matrix, or a stack of matrices")
    return shape


# --- joining and padding -----------------------------------------------------------------------
def concat(word: str, arrays: Any, axis: int) -> Shape:
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
    before, after = first[:place], first[place + 1 :]
    for number, shape in enumerate(shapes):
        if len(shape) != len(first) or shape[:place] + shape[place + 1 :] != before + after:
            what = f"{word}: array {number} is {shape} and array 0 is {first}"
            raise ShapeError(what, expected=f"equal sizes on all axes but {place}")
    total = sum(shape[place] for shape in shapes)
    return (*before, total, *after)


def stack(word: str, arrays: Any, axis: int) -> Shape:
    """A new axis as long as the list, at `axis` of the result."""
    shapes = _shapes(word, arrays)
    first = shapes[0]
    for number, shape in enumerate(shapes):
        if shape != first:
            what = f"{word}: array {number} is {shape} and array 0 is {first}"
            raise ShapeError(what, expected="equal shapes", fix="concat joins along an old axis")
    place = one_axis(word, axis, (1, *first))
    return (*first[:place], len(shapes), *first[place:])


def _shapes(word: str, arrays: Any) -> list[Shape]:
    shapes = [shape_of(array) for array in arrays]
    if not shapes:
        raise ShapeError(f"{word}: no arrays to join")
    return shapes


def pad(word: str, x: Operand, widths: Any, value: float) -> Shape:
    """Every axis longer by what comes before and after it."""
    shape = shape_of(x)
    pairs = [integers(word, "a width", pair) for pair in widths]
    if [len(pair) for pair in pairs] != [2] * len(shape):
        what = f"{word}: widths {tuple(widths)} for x of shape {shape}"
        raise ShapeError(what, expected=f"{len(shape)} pairs (before, after)")
    for pair in pairs:
        if min(pair) < 0:
            what = f"{word}: a width is negative in {tuple(widths)}"
            raise ShapeError(what, fix="cut with a slice: x[1:-1]")
    return tuple(size + sum(pair) for size, pair in zip(shape, pairs, strict=True))
