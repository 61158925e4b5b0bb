"""Windows of arrays on the GPU: padding, sliding windows as views, and their adjoint.

As :mod:`.numpy_windows`, said with what CuPy has.
"""

from __future__ import annotations

from typing import Any

from deepdive.backend.numpy_windows import add_windows, counts

Array = Any
Shape = tuple[int, ...]


def pad(
    xp: Any,
    x: Array,
    widths: tuple[tuple[int, int], ...],
    value: float = 0.0,
) -> Array:
    """`x` set into a larger array filled with `value`; widths are (before, after) per axis."""
    shape = []
    inside = []
    for extent, (before, after) in zip(x.shape, widths, strict=True):
        shape.append(before + extent + after)
        inside.append(slice(before, before + extent))
    if tuple(shape) == x.shape:
        return x.copy()
    out = xp.full(tuple(shape), value, x.dtype)
    out[tuple(inside)] = x
    return out


def windows(
    xp: Any,
    x: Array,
    size: Shape,
    stride: Shape,
    dilation: Shape,
) -> Array:
    """All windows over the last axes, as a view: (B, C, *spatial) -> (B, C, *out, *size)."""
    lead = x.ndim - len(size)
    out = counts(x.shape[lead:], size, stride, dilation)
    steps = x.strides[lead:]
    to_window = [step * s for step, s in zip(steps, stride, strict=True)]
    to_element = [step * d for step, d in zip(steps, dilation, strict=True)]
    shape = (*x.shape[:lead], *out, *size)
    strides = (*x.strides[:lead], *to_window, *to_element)
    return xp.cp.lib.stride_tricks.as_strided(x, shape, strides)


def overlap_add(
    xp: Any,
    w: Array,
    shape: Shape,
    stride: Shape,
    dilation: Shape,
) -> Array:
    """The adjoint of :func:`windows`: every window added back where it was read."""
    out = xp.zeros(shape, w.dtype)
    add_windows(out, w, stride, dilation)
    return out
