"""Windows of NumPy arrays: padding, sliding windows as views, and their adjoint."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

Array = Any
Shape = tuple[int, ...]


def pad(x: Array, widths: tuple[tuple[int, int], ...], value: float = 0.0) -> Array:
    """`x` set into a larger array filled with `value`; widths are (before, after) per axis."""
    shape = []
    inside = []
    for extent, (before, after) in zip(x.shape, widths, strict=True):
        shape.append(before + extent + after)
        inside.append(slice(before, before + extent))
    out = np.full(shape, value, x.dtype) if value else np.zeros(shape, x.dtype)
    out[tuple(inside)] = x
    return out


def counts(
    spatial: Shape,
    size: Shape,
    stride: Shape,
    dilation: Shape,
) -> Shape:
    """How many windows fit along each axis.

    Raises:
        ValueError: if along some axis none does.
    """
    out = []
    axes = zip(spatial, size, stride, dilation, strict=True)
    for extent, k, step, spread in axes:
        room = extent - spread * (k - 1) - 1
        out.append(room // step + 1)
    if min(out) < 1:
        raise ValueError("window larger than the input")
    return tuple(out)


def windows(
    x: Array,
    size: Shape,
    stride: Shape,
    dilation: Shape,
) -> Array:
    """All windows over the last axes, as a view: (B, C, *spatial) -> (B, C, *out, *size)."""
    lead = x.ndim - len(size)
    out = counts(x.shape[lead:], size, stride, dilation)
    to_pixel = x.strides[lead:]
    to_window = [step * s for step, s in zip(to_pixel, stride, strict=True)]
    to_element = [step * d for step, d in zip(to_pixel, dilation, strict=True)]
    shape = (*x.shape[:lead], *out, *size)
    strides = (*x.strides[:lead], *to_window, *to_element)
    return as_strided(x, shape, strides, writeable=False)


def overlap_add(
    w: Array,
    shape: Shape,
    stride: Shape,
    dilation: Shape,
) -> Array:
    """The adjoint of :func:`windows`: every window added back where it was read."""
    out = np.zeros(shape, w.dtype)
    add_windows(out, w, stride, dilation)
    return out


def add_windows(out: Array, w: Array, stride: Shape, dilation: Shape) -> None:
    """Add every window to its place in zeros `out`: a strided addition per place in a window."""
    n = len(stride)
    lead = out.ndim - n
    extents, size = w.shape[lead : lead + n], w.shape[lead + n :]
    apart = all(s > (k - 1) * d for k, s, d in zip(size, stride, dilation, strict=True))
    for place in np.ndindex(*size):
        target: list[Any] = [...]
        for k, spread, step, extent in zip(place, dilation, stride, extents, strict=True):
            start = k * spread
            target.append(slice(start, start + step * extent, step))
        part = out[tuple(target)]
        if apart:
            part[...] = w[(..., *place)]
        else:
            part += w[(..., *place)]
