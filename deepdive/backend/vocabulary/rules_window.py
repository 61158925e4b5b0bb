"""Shape rules of windows and convolutions: ``out = (size + 2·padding − reach) // stride + 1``.

`reach` is what a kernel covers, ``dilation · (kernel − 1) + 1``.  What does not divide evenly is
left out at the end, as in PyTorch.
"""

from __future__ import annotations

from typing import Any

from deepdive.backend.vocabulary.rules import Operand, Shape, integers, shape_of
from deepdive.errors import ArgumentError, ShapeError


def _per_axis(word: str, role: str, given: Any, n: int, least: int) -> Shape:
    """One integer ≥ `least` for each of n spatial axes."""
    values = integers(word, f"a {role}", given)
    if len(values) != n:
        raise ShapeError(f"{word}: {role} {values} for {n} spatial axes", expected=f"{n} numbers")
    if values and min(values) < least:
        raise ArgumentError(f"{word}: {role} is {values}", expected=f"numbers ≥ {least}")
    return values


def counts(
    word: str, spatial: Shape, size: Any, stride: Any, dilation: Any, padding: Any = None
) -> Shape:
    """How many windows fit along each spatial axis.

    >>> counts("windows", (28, 28), size=(3, 3), stride=(2, 1), dilation=(1, 1))
    (13, 26)
    """
    n = len(spatial)
    kernel = _per_axis(word, "size", size, n, 1)
    steps = _per_axis(word, "stride", stride, n, 1)
    spread = _per_axis(word, "dilation", dilation, n, 1)
    border = _per_axis(word, "padding", (0,) * n if padding is None else padding, n, 0)
    out: list[int] = []
    for axis, (extent, k) in enumerate(zip(spatial, kernel, strict=True)):
        room, reach = extent + 2 * border[axis], spread[axis] * (k - 1) + 1
        if reach > room:
            what = f"{word}: a window of {reach} is larger than the input of {room}"
            got = f"input {spatial}, size {kernel}, padding {border}, dilation {spread}"
            fix = f"padding of {(reach - extent + 1) // 2} on spatial axis {axis}"
            raise ShapeError(f"{what} on spatial axis {axis}", got=got, fix=fix)
        out.append((room - reach) // steps[axis] + 1)
    return tuple(out)


def windows(word: str, x: Operand, size: Any, stride: Any, dilation: Any) -> Shape:
    """(B, C, *spatial) → (B, C, *out, *size)."""
    shape, kernel = shape_of(x), integers(word, "a size", size)
    if len(kernel) > len(shape):
        raise ShapeError(f"{word}: size {kernel} for x of shape {shape}, which has fewer axes")
    lead = len(shape) - len(kernel)
    out = counts(word, shape[lead:], kernel, stride, dilation)
    return (*shape[:lead], *out, *kernel)


def overlap_add(word: str, w: Operand, shape: Any, stride: Any, dilation: Any) -> Shape:
    """(B, C, *out, *size) → (B, C, *spatial), which is `shape`."""
    given, result = shape_of(w), integers(word, "a size", shape)
    n = len(integers(word, "a stride", stride))
    lead, size = len(result) - n, given[len(given) - n :]
    expected: Shape = ()
    if lead >= 0 and len(given) == lead + 2 * n:
        out = counts(word, result[lead:], size, stride, dilation)
        expected = (*result[:lead], *out, *size)
    if given != expected:
        what = f"{word}: windows {given} do not come from {result}"
        raise ShapeError(what, expected=f"windows of shape {expected}" if expected else None)
    return result


def convolution(
    word: str, x: Operand, w: Operand, stride: Any, padding: Any, dilation: Any, groups: int
) -> Shape:
    """(B, C, *spatial) with (O, C/groups, *kernel) → (B, O, *out)."""
    return _convolution(word, shape_of(x), shape_of(w), (stride, padding, dilation), groups)


def _convolution(word: str, x: Shape, w: Shape, way: Any, groups: int) -> Shape:
    if len(x) != len(w) or len(x) < 3:
        what = f"{word}: x is {x} and w is {w}"
        expected = "x (B, C, *spatial) and w (O, C/groups, *kernel), with as many axes"
        fix = f"a batch of one: reshape x to {(1, *x)}" if len(x) + 1 == len(w) else None
        raise ShapeError(what, expected=expected, fix=fix)
    if groups < 1 or w[0] % groups:
        raise ShapeError(f"{word}: {w[0]} output channels are not {groups} equal groups")
    if x[1] != w[1] * groups:
        what = f"{word}: x is {x} and w is {w}: {x[1]} channels != {w[1] * groups}"
        got = f"groups={groups}"
        raise ShapeError(what, got=got, expected=f"x with {w[1]} · {groups} channels")
    stride, padding, dilation = way
    return (x[0], w[0], *counts(word, x[2:], w[2:], stride, dilation, padding))


def input_grad(
    word: str,
    grad: Operand,
    w: Operand,
    x_shape: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: int,
) -> Shape:
    """The shape of the convolution's input, `x_shape`."""
    result = integers(word, "a size", x_shape)
    out = _convolution(word, result, shape_of(w), (stride, padding, dilation), groups)
    _check_grad(word, shape_of(grad), out)
    return result


def weight_grad(
    word: str,
    x: Operand,
    grad: Operand,
    w_shape: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: int,
) -> Shape:
    """The shape of the convolution's weights, `w_shape`."""
    result = integers(word, "a size", w_shape)
    out = _convolution(word, shape_of(x), result, (stride, padding, dilation), groups)
    _check_grad(word, shape_of(grad), out)
    return result


def _check_grad(word: str, grad: Shape, out: Shape) -> None:
    if grad != out:
        what = f"{word}: grad is {grad}, and the convolution's result is {out}"
        raise ShapeError(what, expected="equal shapes")
