"""Convolutions in core words: all windows as a matrix (im2col), and one product.

For every speaker that has nothing better.  Sizes: batch B, channels C in G groups, out channels O,
L pixels of the output, K = C/G · prod(kernel) numbers in a window.
"""

from __future__ import annotations

import math
from typing import Any

from deepdive.backend.vocabulary import rules_window

Shape = tuple[int, ...]


def columns(xp: Any, x: Any, size: Shape, way: tuple[Shape, Shape, Shape], groups: int) -> Any:
    """The windows of x (B, C, *spatial) as the columns of matrices (G, K, B · L)."""
    stride, padding, dilation = way
    if any(padding):
        widths = [(p, p) for p in padding]
        x = xp.pad(x, ((0, 0), (0, 0), *widths))
    view = xp.windows(x, size, stride, dilation)  # (B, C, *out, *size)
    n = len(size)
    out = range(2, 2 + n)
    kernel = range(2 + n, 2 + 2 * n)
    view = xp.permute_dims(view, (1, *kernel, 0, *out))  # (C, *size, B, *out)
    batch, channels = x.shape[:2]
    rows = channels // groups * math.prod(size)
    pixels = batch * math.prod(view.shape[n + 2 :])
    return xp.reshape(view, (groups, rows, pixels))


def swapped(xp: Any, x: Any) -> Any:
    """The first two axes exchanged."""
    rest = range(2, x.ndim)
    return xp.permute_dims(x, (1, 0, *rest))


def transposed(xp: Any, x: Any) -> Any:
    """A stack of matrices, each transposed."""
    return xp.permute_dims(x, (0, 2, 1))


def kernels(xp: Any, w: Any, groups: int) -> Any:
    """w (O, C/G, *kernel) as the rows of matrices (G, O/G, K)."""
    count, *reach = w.shape
    shape = (groups, count // groups, math.prod(reach))
    return xp.reshape(w, shape)


def pixels(xp: Any, grad: Any, groups: int) -> Any:
    """grad (B, O, *out) as matrices (G, O/G, B · L)."""
    batch, count, *out = grad.shape
    rest = batch * math.prod(out)
    shape = (groups, count // groups, rest)
    return xp.reshape(swapped(xp, grad), shape)


def convolution(
    xp: Any,
    x: Any,
    w: Any,
    stride: Shape,
    padding: Shape,
    dilation: Shape,
    groups: int,
) -> Any:
    """Cross-correlation of x (B, C, *spatial) with w (O, C/G, *kernel)."""
    size = tuple(w.shape[2:])
    found = columns(xp, x, size, (stride, padding, dilation), groups)
    weights = kernels(xp, w, groups)
    product = xp.matmul(weights, found)  # (G, O/G, B · L)
    shape = rules_window.convolution("convolution", x, w, stride, padding, dilation, groups)
    batch, count, *out = shape
    product = xp.reshape(product, (count, batch, *out))
    return swapped(xp, product)


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
    kernel = range(1, n + 1)
    out = range(n + 2, 2 * n + 2)
    view = xp.permute_dims(found, (n + 1, 0, *out, *kernel))  # (B, C, *out, *size)
    framed = [batch, channels]
    inside = [slice(None), slice(None)]
    for extent, p in zip(spatial, padding, strict=True):
        framed.append(extent + 2 * p)
        inside.append(slice(p, p + extent))
    dx = xp.overlap_add(view, tuple(framed), stride, dilation)
    return dx[tuple(inside)]


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
    rows = pixels(xp, grad, groups)
    product = xp.matmul(rows, transposed(xp, found))  # (G, O/G, K)
    return xp.reshape(product, w_shape)
