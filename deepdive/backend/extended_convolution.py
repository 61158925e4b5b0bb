"""Convolutions in core words: all windows as a matrix (im2col), and one product.

For every speaker that has nothing better.  Sizes: batch B, channels C in G groups, out channels O,
L pixels of the output, K = C/G · prod(kernel) numbers in a window.
"""

from __future__ import annotations

import math
from typing import Any

Shape = tuple[int, ...]


def columns(xp: Any, x: Any, size: Shape, way: tuple[Shape, Shape, Shape], groups: int) -> Any:
    """The windows of x (B, C, *spatial) as the columns of matrices (G, K, B · L)."""
    stride, padding, dilation = way
    x = xp.pad(x, ((0, 0), (0, 0), *((p, p) for p in padding)))
    view = xp.windows(x, size, stride, dilation)  # (B, C, *out, *size)
    n = len(size)
    out = range(2, 2 + n)
    kernel = range(2 + n, 2 + 2 * n)
    view = xp.permute_dims(view, (1, *kernel, 0, *out))  # (C, *size, B, *out)
    rows = x.shape[1] // groups * math.prod(size)
    pixels = math.prod(view.shape[n + 1 :])
    return xp.reshape(view, (groups, rows, pixels))


def swapped(xp: Any, x: Any) -> Any:
    """The first two axes exchanged."""
    return xp.permute_dims(x, (1, 0, *range(2, len(x.shape))))


def transposed(xp: Any, x: Any) -> Any:
    """A stack of matrices, each transposed."""
    return xp.permute_dims(x, (0, 2, 1))


def kernels(xp: Any, w: Any, groups: int) -> Any:
    """w (O, C/G, *kernel) as the rows of matrices (G, O/G, K)."""
    reach = math.prod(w.shape[1:])
    return xp.reshape(w, (groups, w.shape[0] // groups, reach))


def pixels(xp: Any, grad: Any, groups: int) -> Any:
    """grad (B, O, *out) as matrices (G, O/G, B · L)."""
    count = grad.shape[1]
    rest = math.prod(grad.shape) // count
    return xp.reshape(swapped(xp, grad), (groups, count // groups, rest))


def convolution(
    xp: Any, x: Any, w: Any, stride: Shape, padding: Shape, dilation: Shape, groups: int
) -> Any:
    """Cross-correlation of x (B, C, *spatial) with w (O, C/G, *kernel)."""
    size = tuple(w.shape[2:])
    found = columns(xp, x, size, (stride, padding, dilation), groups)
    product = xp.matmul(kernels(xp, w, groups), found)  # (G, O/G, B · L)
    spatial = zip(x.shape[2:], size, stride, padding, dilation, strict=True)
    out = tuple((n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in spatial)
    return swapped(xp, xp.reshape(product, (w.shape[0], x.shape[0], *out)))


def convolution_input_grad(
    xp: Any,
    grad: Any,
    w: Any,
    x_shape: Shape,
    stride: Shape,
    padding: Shape,
    dilation: Shape,
    groups: int,
) -> Any:
    """The gradient of :func:`convolution` for its input: windows added back where they were."""
    size = tuple(w.shape[2:])
    n = len(size)
    batch, channels, *spatial = x_shape
    weights = transposed(xp, kernels(xp, w, groups))  # (G, K, O/G)
    found = xp.matmul(weights, pixels(xp, grad, groups))  # (G, K, B · L)
    found = xp.reshape(found, (channels, *size, batch, *grad.shape[2:]))
    order = (n + 1, 0, *range(n + 2, 2 * n + 2), *range(1, n + 1))
    view = xp.permute_dims(found, order)  # (B, C, *out, *size)
    framed = tuple(extent + 2 * p for extent, p in zip(spatial, padding, strict=True))
    dx = xp.overlap_add(view, (batch, channels, *framed), stride, dilation)
    inside = tuple(slice(p, p + extent) for p, extent in zip(padding, spatial, strict=True))
    return dx[(slice(None), slice(None), *inside)]


def convolution_weight_grad(
    xp: Any,
    x: Any,
    grad: Any,
    w_shape: Shape,
    stride: Shape,
    padding: Shape,
    dilation: Shape,
    groups: int,
) -> Any:
    """The gradient of :func:`convolution` for its weights."""
    size = tuple(w_shape[2:])
    found = columns(xp, x, size, (stride, padding, dilation), groups)  # (G, K, B · L)
    product = xp.matmul(pixels(xp, grad, groups), transposed(xp, found))  # (G, O/G, K)
    return xp.reshape(product, w_shape)
