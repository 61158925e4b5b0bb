"""Windows of NumPy arrays: padding, sliding windows, and the convolutions made of them.

A convolution copies all windows into a matrix of columns (im2col) and takes one matrix product.
With stride 1 nothing has to be picked out pixel by pixel: what kernel element (i, j) meets is the
image itself from offset ``i·W + j`` on, so a row of the matrix is one run of memory.  The price are
a few pixels at the end of each line, computed in vain.
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


BLOCK = 1 << 22  # elements of columns made at a time, 16 MB of float32


class Grid:
    """How the pixels of a convolution's output lie in the rows of its columns.

    Attributes:
        out: the extents of the output.
        runs: whether rows are runs of the image (stride 1), not picked pixels.
        steps: pixel ``(i, j, …)`` of the output is element ``Σ i · step`` of a row.
        length: elements of a row for one image, L.
    """

    __slots__ = ("dilation", "length", "out", "runs", "size", "spatial", "steps", "stride")

    def __init__(self, spatial: Shape, size: Shape, stride: Shape, dilation: Shape) -> None:
        self.spatial, self.size, self.stride, self.dilation = spatial, size, stride, dilation
        self.out = tuple(
            (extent - d * (k - 1) - 1) // s + 1
            for extent, k, s, d in zip(spatial, size, stride, dilation, strict=True)
        )
        self.runs = max(stride) == 1
        self.steps = row_steps(spatial if self.runs else self.out)
        self.length = 1 + sum((n - 1) * s for n, s in zip(self.out, self.steps, strict=True))

    def blocks(self, batch: int, channels: int) -> list[slice]:
        """The batch cut into parts of at most BLOCK column elements."""
        count = max(BLOCK // (channels * math.prod(self.size) * self.length), 1)
        return [slice(start, start + count) for start in range(0, batch, count)]

    def columns(self, x: Array, groups: int) -> Array:
        """The windows of x (B, C, *spatial) as (G, C/G · prod(size), B · L)."""
        batch, channels = x.shape[:2]
        if self.runs:
            to_image, to_channel, *inner = x.strides
            to_element = (s * d for s, d in zip(inner, self.dilation, strict=True))
            strides = (to_channel, *to_element, to_image, x.itemsize)
            shape = (channels, *self.size, batch, self.length)
            view = np.ndarray(shape, x.dtype, x, 0, strides)
        else:
            n = len(self.size)
            view = windows(x, self.size, self.stride, self.dilation)  # (B, C, *out, *size)
            view = view.transpose(1, *range(2 + n, 2 + 2 * n), 0, *range(2, 2 + n))
        rows = channels // groups * math.prod(self.size)
        return view.reshape(groups, rows, batch * self.length)

    def pixels(self, rows: Array, batch: int) -> Array:
        """The output's pixels in rows (O, B, L), as a view (B, O, *out)."""
        item, length = rows.itemsize, self.length
        shape = (batch, rows.size // (batch * length), *self.out)
        strides = (length * item, batch * length * item, *(s * item for s in self.steps))
        return np.ndarray(shape, rows.dtype, rows, 0, strides)

    def rows(self, grad: Array, groups: int) -> Array:
        """Pixels (B, O, *out) set into rows (G, O/G, B · L): the inverse of :meth:`pixels`."""
        batch, channels = grad.shape[:2]
        rows = np.zeros((groups, channels // groups, batch * self.length), grad.dtype)
        self.pixels(rows, batch)[...] = grad
        return rows

    def scatter(self, columns: Array, x: Array) -> None:
        """Add columns (C, *size, B, L) to x (B, C, *spatial) where they were read from."""
        n = len(self.size)
        if not self.runs:
            view = columns.reshape(*columns.shape[: n + 2], *self.out)
            order = (n + 1, 0, *range(n + 2, 2 * n + 2), *range(1, n + 1))
            x += overlap_add(view.transpose(order), x.shape, self.stride, self.dilation)
            return
        flat = x.reshape(*x.shape[:2], -1)
        for place in np.ndindex(*self.size):
            ways = zip(place, self.dilation, self.steps, strict=True)
            start = sum(k * d * s for k, d, s in ways)
            source: Any = (slice(None), *place)
            flat[:, :, start : start + self.length] += columns[source].transpose(1, 0, 2)


def row_steps(extents: Shape) -> Shape:
    """Elements between neighbours along each axis of an array in row order.

    >>> row_steps((5, 4, 3))
    (12, 3, 1)
    """
    return tuple(math.prod(extents[i + 1 :]) for i in range(len(extents)))


def _framed(spatial: Shape, padding: Shape) -> Shape:
    return tuple(n + 2 * p for n, p in zip(spatial, padding, strict=True))


def _padded(x: Array, padding: Shape) -> Array:
    if any(padding):
        return pad(x, ((0, 0), (0, 0), *((p, p) for p in padding)))
    return np.ascontiguousarray(x)


def convolution(
    x: Array, w: Array, stride: Shape, padding: Shape, dilation: Shape, groups: int
) -> Array:
    """Cross-correlation of x (B, C, *spatial) with w (O, C/groups, *kernel)."""
    x = _padded(x, padding)
    (batch, channels), count = x.shape[:2], w.shape[0]
    grid = Grid(x.shape[2:], w.shape[2:], stride, dilation)
    if w.shape[1] * groups != channels or min(grid.out) < 1:
        raise ValueError("channels or sizes do not match")
    kernels = w.reshape(groups, count // groups, -1)  # (G, O/G, K)
    out = np.empty((batch, count, *grid.out), x.dtype)
    for part in grid.blocks(batch, channels):
        images = x[part]
        product = np.matmul(kernels, grid.columns(images, groups))  # (G, O/G, B · L)
        out[part] = grid.pixels(product, len(images))
    return out


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
    batch, channels, *spatial = x_shape
    grid = Grid(_framed(spatial, padding), w.shape[2:], stride, dilation)
    kernels = w.reshape(groups, w.shape[0] // groups, -1).transpose(0, 2, 1)  # (G, K, O/G)
    dx = np.zeros((batch, channels, *grid.spatial), grad.dtype)
    for part in grid.blocks(batch, channels):
        images = dx[part]
        columns = np.matmul(kernels, grid.rows(grad[part], groups))  # (G, K, B · L)
        columns = columns.reshape(channels, *grid.size, len(images), grid.length)
        grid.scatter(columns, images)
    if not any(padding):
        return dx
    inside = (slice(p, p + n) for p, n in zip(padding, spatial, strict=True))
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
    x = _padded(x, padding)
    grid = Grid(x.shape[2:], w_shape[2:], stride, dilation)
    rows = w_shape[1] * math.prod(grid.size)
    dw = np.zeros((groups, rows, w_shape[0] // groups), x.dtype)  # (G, K, O/G)
    for part in grid.blocks(*x.shape[:2]):
        columns = grid.columns(x[part], groups)  # (G, K, B · L)
        dw += np.matmul(columns, grid.rows(grad[part], groups).transpose(0, 2, 1))
    return dw.transpose(0, 2, 1).reshape(w_shape)
