"""Windows of NumPy arrays: padding, sliding windows, and the convolutions made of them.

A convolution is a view of all windows, copied into a matrix (im2col), and one matrix product.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

Array = Any
Shape = tuple[int, ...]


def pad(x: Array, widths: tuple[tuple[int, int], ...], value: float = 0.0) -> Array:
    """`x` set into a larger array filled with `value`; widths are (before, after) per axis."""
    shape = tuple(n + before + after for n, (before, after) in zip(x.shape, widths, strict=True))
    out = np.full(shape, value, x.dtype) if value else np.zeros(shape, x.dtype)
    out[tuple(slice(b, b + n) for n, (b, _) in zip(x.shape, widths, strict=True))] = x
    return out


def windows(x: Array, size: Shape, stride: Shape, dilation: Shape) -> Array:
    """All windows over the last axes, as a view: (B, C, *spatial) -> (B, C, *out, *size)."""
    n, lead = len(size), x.ndim - len(size)
    steps = x.strides[lead:]
    out = tuple(
        (extent - d * (k - 1) - 1) // s + 1
        for extent, k, s, d in zip(x.shape[lead:], size, stride, dilation, strict=True)
    )
    if min(out) < 1:
        raise ValueError("window larger than the input")
    strides = tuple(steps[i] * stride[i] for i in range(n))
    inner = tuple(steps[i] * dilation[i] for i in range(n))
    shape = x.shape[:lead] + out + tuple(size)
    return as_strided(x, shape, x.strides[:lead] + strides + inner, writeable=False)


def overlap_add(w: Array, shape: Shape, stride: Shape, dilation: Shape) -> Array:
    """The adjoint of :func:`windows`: every window added back where it was read."""
    n = len(stride)
    lead = len(shape) - n
    extents, size = w.shape[lead : lead + n], w.shape[lead + n :]
    out = np.zeros(shape, w.dtype)
    for offset in np.ndindex(*size):
        place = tuple(
            slice(o * d, o * d + s * e, s)
            for o, d, s, e in zip(offset, dilation, stride, extents, strict=True)
        )
        source: Any = (..., *offset)
        target: Any = (..., *place)
        out[target] += w[source]
    return out


def _columns(x: Array, size: Shape, stride: Shape, dilation: Shape, groups: int) -> Array:
    """im2col: windows copied into a matrix, (B, G, C/G * prod(size), prod(out))."""
    n = len(size)
    view = windows(x, size, stride, dilation)  # (B, C, *out, *size)
    order = (0, 1, *range(2 + n, 2 + 2 * n), *range(2, 2 + n))
    columns = view.transpose(order)  # (B, C, *size, *out)
    rows = x.shape[1] // groups * int(np.prod(size))
    return columns.reshape(x.shape[0], groups, rows, math.prod(view.shape[2 : 2 + n]))


def _pixels(grad: Array, groups: int) -> Array:
    """The gradient of a result, (B, O, *out), as (B, G, O/G, P)."""
    batch, channels, *extents = grad.shape
    return grad.reshape(batch, groups, channels // groups, math.prod(extents))


def _padded(x: Array, padding: Shape) -> Array:
    if not any(padding):
        return x
    return pad(x, ((0, 0), (0, 0), *((p, p) for p in padding)))


def convolution(
    x: Array, w: Array, stride: Shape, padding: Shape, dilation: Shape, groups: int
) -> Array:
    """Cross-correlation of x (B, C, *spatial) with w (O, C/groups, *kernel): one product."""
    x = _padded(x, padding)
    size = w.shape[2:]
    out = tuple(
        (extent - d * (k - 1) - 1) // s + 1
        for extent, k, s, d in zip(x.shape[2:], size, stride, dilation, strict=True)
    )
    if w.shape[1] * groups != x.shape[1] or min(out) < 1:
        raise ValueError("channels or sizes do not match")
    columns = _columns(x, size, stride, dilation, groups)  # (B, G, K, P)
    rows = w.reshape(groups, w.shape[0] // groups, -1)  # (G, O/G, K)
    return np.matmul(rows, columns).reshape(x.shape[0], w.shape[0], *out)


def convolution_input_grad(
    grad: Array,
    w: Array,
    x_shape: Shape,
    stride: Shape,
    padding: Shape,
    dilation: Shape,
    groups: int,
) -> Array:
    """The gradient of :func:`convolution` for its input, of shape `x_shape`."""
    size, extents = w.shape[2:], grad.shape[2:]
    batch, channels = x_shape[:2]
    rows = w.reshape(groups, w.shape[0] // groups, -1)  # (G, O/G, K)
    pixels = _pixels(grad, groups)
    columns = np.matmul(rows.transpose(0, 2, 1), pixels)  # (B, G, K, P)
    columns = columns.reshape(batch, channels, *size, *extents)
    n = len(size)
    order = (0, 1, *range(2 + n, 2 + 2 * n), *range(2, 2 + n))
    spatial = tuple(e + 2 * p for e, p in zip(x_shape[2:], padding, strict=True))
    dx = overlap_add(columns.transpose(order), (batch, channels, *spatial), stride, dilation)
    inside = tuple(slice(p, p + e) for p, e in zip(padding, x_shape[2:], strict=True))
    return dx[(..., *inside)]


def convolution_weight_grad(
    x: Array,
    grad: Array,
    w_shape: Shape,
    stride: Shape,
    padding: Shape,
    dilation: Shape,
    groups: int,
) -> Array:
    """The gradient of :func:`convolution` for its weights, of shape `w_shape`."""
    size = w_shape[2:]
    x = _padded(x, padding)
    # Windows the kernel never reached (sizes that do not divide evenly) have no gradient.
    reach = tuple(
        s * (e - 1) + d * (k - 1) + 1
        for s, e, d, k in zip(stride, grad.shape[2:], dilation, size, strict=True)
    )
    x = x[(..., *(slice(r) for r in reach))]
    columns = _columns(x, size, stride, dilation, groups)  # (B, G, K, P)
    pixels = _pixels(grad, groups)
    products = np.matmul(pixels, columns.transpose(0, 1, 3, 2))  # (B, G, O/G, K)
    return products.sum(0).reshape(w_shape)
