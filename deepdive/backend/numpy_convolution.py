"""Convolutions of NumPy arrays: all windows copied into a matrix (im2col), and one product.

With stride 1 nothing has to be picked out pixel by pixel: what kernel element (i, j) meets is the
image itself from offset ``i·W + j`` on, so a row of the matrix is one run of memory.  The price is
a few pixels at the end of each line, computed in vain.
"""

from __future__ import annotations

import math
from operator import mul
from typing import Any

import numpy as np

from deepdive.backend.numpy_windows import Array, Shape, counts, overlap_add, pad, windows

BLOCK = 1 << 22  # elements of columns made at a time, 16 MB of float32


def row_steps(extents: Shape) -> Shape:
    """Elements between neighbours along each axis of an array in row order.

    >>> row_steps((5, 4, 3))
    (12, 3, 1)
    """
    steps = [1]
    for extent in reversed(extents[1:]):
        steps.append(steps[-1] * extent)
    return tuple(reversed(steps))


class Grid:
    """How the pixels of a convolution's output lie in the rows of its columns.

    Attributes:
        out: the extents of the output.
        runs: whether rows are runs of the image (stride 1), not picked pixels.
        steps: pixel ``(i, j, …)`` of the output is element ``Σ i · step`` of a row.
        length: elements of a row for one image, L.
    """

    __slots__ = (
        "dilation",
        "length",
        "out",
        "runs",
        "size",
        "spatial",
        "steps",
        "stride",
    )

    def __init__(
        self,
        spatial: Shape,
        size: Shape,
        stride: Shape,
        dilation: Shape,
    ) -> None:
        self.spatial = spatial
        self.size = size
        self.stride = stride
        self.dilation = dilation
        self.out = counts(spatial, size, stride, dilation)
        self.runs = max(stride) == 1
        self.steps = row_steps(spatial if self.runs else self.out)
        last = [extent - 1 for extent in self.out]
        self.length = sum(map(mul, last, self.steps)) + 1

    def blocks(self, batch: int, channels: int) -> list[slice]:
        """The batch cut into parts of at most BLOCK column elements."""
        each = channels * math.prod(self.size) * self.length
        count = max(BLOCK // max(each, 1), 1)
        starts = range(0, batch, count)
        return [slice(start, start + count) for start in starts]

    def columns(self, x: Array, groups: int) -> Array:
        """The windows of x (B, C, *spatial) as (G, C/G · prod(size), B · L)."""
        batch, channels = x.shape[:2]
        view = self._runs(x) if self.runs else self._picked(x)
        rows = channels // groups * math.prod(self.size)
        return view.reshape(groups, rows, batch * self.length)

    def _runs(self, x: Array) -> Array:
        """For each element of the kernel the run it meets, a view (C, *size, B, L)."""
        batch, channels = x.shape[:2]
        to_image, to_channel, *to_pixel = x.strides
        to_element = map(mul, to_pixel, self.dilation)
        shape = (channels, *self.size, batch, self.length)
        strides = (to_channel, *to_element, to_image, x.itemsize)
        return np.ndarray(shape, x.dtype, x, 0, strides)

    def _picked(self, x: Array) -> Array:
        """For each element of the kernel the pixels it meets, a view (C, *size, B, *out)."""
        n = len(self.size)
        view = windows(x, self.size, self.stride, self.dilation)  # (B, C, *out, *size)
        out = range(2, 2 + n)
        size = range(2 + n, 2 + 2 * n)
        return view.transpose(1, *size, 0, *out)

    def pixels(self, rows: Array, batch: int) -> Array:
        """The output's pixels in rows (O, B, L), as a view (B, O, *out)."""
        item = rows.itemsize
        to_image = self.length * item
        to_channel = to_image * batch
        channels = rows.size // (batch * self.length)
        shape = (batch, channels, *self.out)
        to_pixel = [step * item for step in self.steps]
        strides = (to_image, to_channel, *to_pixel)
        return np.ndarray(shape, rows.dtype, rows, 0, strides)

    def rows(self, grad: Array, groups: int) -> Array:
        """Pixels (B, O, *out) set into rows (G, O/G, B · L): the inverse of :meth:`pixels`."""
        batch, channels = grad.shape[:2]
        shape = (groups, channels // groups, batch * self.length)
        rows = np.zeros(shape, grad.dtype)
        self.pixels(rows, batch)[...] = grad
        return rows

    def scatter(self, columns: Array, x: Array) -> None:
        """Add columns (C, *size, B, L) to x (B, C, *spatial) where they were read from."""
        if self.runs:
            self._scatter_runs(columns, x)
            return
        n = len(self.size)
        view = columns.reshape(*columns.shape[:-1], *self.out)
        out = range(n + 2, 2 * n + 2)
        size = range(1, n + 1)
        view = view.transpose(n + 1, 0, *out, *size)  # (B, C, *out, *size)
        x += overlap_add(view, x.shape, self.stride, self.dilation)

    def _scatter_runs(self, columns: Array, x: Array) -> None:
        flat = x.reshape(*x.shape[:2], math.prod(x.shape[2:]))
        for place in np.ndindex(*self.size):
            pixel = map(mul, place, self.dilation)
            start = sum(map(mul, pixel, self.steps))
            source: Any = (slice(None), *place)
            run = columns[source].swapaxes(0, 1)  # (B, C, L)
            flat[:, :, start : start + self.length] += run


def _padded(x: Array, padding: Shape) -> Array:
    if not any(padding):
        return np.ascontiguousarray(x)
    widths = [(p, p) for p in padding]
    return pad(x, ((0, 0), (0, 0), *widths))


def convolution(
    x: Array,
    w: Array,
    stride: Shape,
    padding: Shape,
    dilation: Shape,
    groups: int,
) -> Array:
    """Cross-correlation of x (B, C, *spatial) with w (O, C/groups, *kernel)."""
    x = _padded(x, padding)
    batch, channels, *spatial = x.shape
    count, depth, *size = w.shape
    if depth * groups != channels:
        raise ValueError("channels do not match")
    grid = Grid(tuple(spatial), tuple(size), stride, dilation)
    kernels = w.reshape(groups, count // groups, math.prod(w.shape[1:]))  # (G, O/G, K)
    out = np.empty((batch, count, *grid.out), x.dtype)
    for part in grid.blocks(batch, channels):
        images = x[part]
        columns = grid.columns(images, groups)  # (G, K, B · L)
        product = np.matmul(kernels, columns)  # (G, O/G, B · L)
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
    count, _, *size = w.shape
    framed = tuple(n + 2 * p for n, p in zip(spatial, padding, strict=True))
    grid = Grid(framed, tuple(size), stride, dilation)
    kernels = w.reshape(groups, count // groups, math.prod(w.shape[1:]))
    kernels = kernels.swapaxes(1, 2)  # (G, K, O/G)
    dx = np.zeros((batch, channels, *framed), grad.dtype)
    for part in grid.blocks(batch, channels):
        images = dx[part]
        rows = grid.rows(grad[part], groups)  # (G, O/G, B · L)
        columns = np.matmul(kernels, rows)  # (G, K, B · L)
        shape = (channels, *size, len(images), grid.length)
        grid.scatter(columns.reshape(shape), images)
    if not any(padding):
        return dx
    inside = [slice(p, p + n) for p, n in zip(padding, spatial, strict=True)]
    return dx[:, :, *inside]


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
    batch, channels, *spatial = x.shape
    count, depth, *size = w_shape
    grid = Grid(tuple(spatial), tuple(size), stride, dilation)
    reach = depth * math.prod(size)
    dw = np.zeros((groups, reach, count // groups), x.dtype)  # (G, K, O/G)
    for part in grid.blocks(batch, channels):
        columns = grid.columns(x[part], groups)  # (G, K, B · L)
        rows = grid.rows(grad[part], groups)  # (G, O/G, B · L)
        dw += np.matmul(columns, rows.swapaxes(1, 2))
    return dw.swapaxes(1, 2).reshape(w_shape)
