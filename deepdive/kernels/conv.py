"""Two-dimensional convolution and its two gradients, as register blocks that pack nothing.

An image is copied once into a cache-sized buffer of flat planes, padded (and, for a stride s, cut
into s * s planes of every s-th pixel).  There, output pixel ``p = row * width + column`` reads
``x[p + table[k]]`` for each of the K = C * kh * kw taps: contiguous loads at fixed offsets, so a
convolution is a matrix product whose right side has a table for a stride.  The price is that the
last few columns of each buffer row are computed and dropped.

- forward: :func:`correlate`
- gradient of the input: :func:`correlate` of `dy`, spread out by the stride, with the kernel turned
- gradient of the weight: dot products of `dy` and shifted images, along p (:func:`reduce_images`)
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import carray, prange

from deepdive.errors import DTypeError, ShapeError
from deepdive.kernels.gemm import ONE, ZERO, pack, scratch
from deepdive.kernels.jit import gate, kernel, run
from deepdive.kernels.vector import (
    CHANNELS,
    FLOAT,
    PIXELS,
    WIDTH,
    copy_rows,
    dots,
    pointer,
    tile,
)
from deepdive.kernels.vector_math import ACTIVATIONS, activate

BLOCK = PIXELS * WIDTH  # pixels of a register block
BUFFER = 96 * 1024  # floats of image that stay in the second cache
TAPS = 3  # columns of a block of dot products

block = tile(CHANNELS, PIXELS, table=True)
half_block = tile(CHANNELS // 2, PIXELS, table=True)
dot_block = dots(CHANNELS, TAPS)


class Shape(NamedTuple):
    """All sizes of one convolution; `top` and `left` are padding, which may be negative."""

    B: int
    C: int  # of one group, as O
    H: int
    W: int
    O: int  # noqa: E741
    OH: int
    OW: int
    kh: int
    kw: int
    sh: int  # stride
    sw: int
    up_h: int  # zeros are put between the input's rows, so that they lie up_h apart
    up_w: int
    top: int
    left: int
    dh: int  # dilation
    dw: int
    groups: int
    rows: int  # output rows computed at a time
    width: int  # of a buffer row
    height: int  # of a buffer plane, in rows, for `rows` rows of output

    @property
    def taps(self) -> int:
        return self.C * self.kh * self.kw

    @property
    def flops(self) -> float:
        return 2.0 * self.B * self.groups * self.O * self.taps * self.OH * self.OW


def _up(n: int, unit: int) -> int:
    return -(-n // unit) * unit


def _shape(sizes: Any, kernel: Any, stride: Any, up: Any, padding: Any, dilation: Any) -> Shape:
    """Choose buffer sizes: whole images if they fit the second cache, strips of rows otherwise."""
    B, C, H, W, O, OH, OW, groups = sizes  # noqa: E741
    (kh, kw), (sh, sw), (dh, dw) = kernel, stride, dilation
    width = -(-((OW - 1) * sw + (kw - 1) * dw + 1) // sw)
    halo = ((kh - 1) * dh) // sh + 1
    rows = max(1, min(OH, BUFFER // max(1, C * sh * sw * width) - halo))
    rows = -(-OH // -(-OH // rows)) if OH else 1  # strips of equal height
    return Shape(
        B, C, H, W, O, OH, OW, kh, kw, sh, sw, *up, *padding, dh, dw, groups, rows, width, rows + halo
    )  # fmt: skip


def _table(s: Shape) -> Any:
    """Where in the buffer each tap reads, relative to its output pixel, in floats: (K,) int64."""
    c, i, j = np.ogrid[: s.C, : s.kh, : s.kw]
    (down, row), (right, column) = divmod(i * s.dh, s.sh), divmod(j * s.dw, s.sw)
    plane = (c * s.sh + row) * s.sw + column
    return (plane * (s.height * s.width) + down * s.width + right).astype(np.int64).ravel()


def _buffer(s: Shape) -> int:
    """Floats of one image's buffer; blocks may read a little beyond its planes."""
    return _up(s.C * s.sh * s.sw * s.height * s.width + BLOCK + WIDTH, WIDTH)


def _plane(s: Shape) -> int:
    """Floats of one output plane in the buffer, its rows as wide as the input's."""
    return _up(s.rows * s.width, BLOCK)


@kernel
def lay_out(s, x, first_row, buffer, size):
    """Copy the strip of image `x` that output rows from `first_row` on need into the buffer."""
    to = carray(pointer(buffer), (size,))
    to[:] = ZERO
    for c in range(s.C):
        for a in range(s.sh * s.sw):  # the planes of every s-th pixel
            plane = buffer + FLOAT * (c * s.sh * s.sw + a) * s.height * s.width
            row_shift, column_shift = a // s.sw - s.top, a % s.sw - s.left
            if s.sw == 1 and s.sh == 1 and s.up_h == 1 and s.up_w == 1:
                top = max(0, s.top - first_row)
                source = first_row + top - s.top
                left, skip = max(0, s.left), max(0, -s.left)
                count = min(s.H - source, s.height - top)
                corner = plane + FLOAT * (top * s.width + left)
                n = min(s.W - skip, s.width - left)
                copy_rows(
                    x + FLOAT * ((c * s.H + source) * s.W + skip), s.W, corner, s.width, count, n
                )
            else:
                image, out = pointer(x + FLOAT * c * s.H * s.W), pointer(plane)
                for i in range(s.height):
                    row = (first_row + i) * s.sh + row_shift
                    if row >= 0 and row % s.up_h == 0 and row // s.up_h < s.H:
                        start = (row // s.up_h) * s.W
                        for j in range(s.width):
                            column = j * s.sw + column_shift
                            if column >= 0 and column % s.up_w == 0 and column // s.up_w < s.W:
                                out[i * s.width + j] = image[start + column // s.up_w]


@kernel
def correlate_strip(s, buffer, weight, table, y, first_row, rows, bias, activation, planes, plane):
    """Output rows of all channels of one group; `planes` is room for CHANNELS flat planes."""
    K = s.C * s.kh * s.kw
    pixels = (rows - 1) * s.width + s.OW
    for o in range(0, s.O, CHANNELS):
        channels = min(CHANNELS, s.O - o)
        left = weight + FLOAT * o * K
        for p in range(0, pixels, BLOCK):
            right, out = buffer + FLOAT * p, planes + FLOAT * p
            if channels <= CHANNELS // 2:
                half_block(
                    left, right, out, K, 1, CHANNELS, table, plane, CHANNELS, BLOCK, ONE, ZERO
                )
            else:
                block(left, right, out, K, 1, CHANNELS, table, plane, CHANNELS, BLOCK, ONE, ZERO)
        for i in range(channels):
            result = planes + FLOAT * i * plane
            if bias != 0 or activation != 0:
                row = carray(pointer(result), (pixels,))
                if bias != 0:
                    added = pointer(bias)[o + i]
                    for p in range(pixels):
                        row[p] += added
                activate(row, activation)
            target = y + FLOAT * ((o + i) * s.OH + first_row) * s.OW
            copy_rows(result, s.width, target, s.OW, rows, s.OW)


@kernel
def correlate_task(s, task, x, weight, table, y, bias, activation, work, size, plane):
    """One strip of one group of one image."""
    strips = (s.OH + s.rows - 1) // s.rows
    first_row = task % strips * s.rows
    n, g = task // strips // s.groups, task // strips % s.groups
    padded = (s.O + CHANNELS - 1) // CHANNELS * CHANNELS
    lay_out(s, x + FLOAT * (n * s.groups + g) * s.C * s.H * s.W, first_row, work, size)
    correlate_strip(
        s, work, weight + FLOAT * g * padded * s.C * s.kh * s.kw, table,
        y + FLOAT * (n * s.groups + g) * s.O * s.OH * s.OW,
        first_row, min(s.rows, s.OH - first_row),
        bias + FLOAT * g * s.O if bias != 0 else 0, activation, work + FLOAT * size, plane,
    )  # fmt: skip


@kernel(parallel=True)
def correlate(s, x, weight, table, y, bias, activation, work, size, plane, threads):
    """``y[n, o] = activation(sum over k of weight[o, k] * x[n, table[k] + ...] + bias[o])``."""
    tasks = s.B * s.groups * ((s.OH + s.rows - 1) // s.rows)
    if threads == 1:
        for task in range(tasks):
            correlate_task(s, task, x, weight, table, y, bias, activation, work, size, plane)
    else:
        for worker in prange(threads):
            own = work + FLOAT * worker * (size + CHANNELS * plane)
            for task in range(worker * tasks // threads, (worker + 1) * tasks // threads):
                correlate_task(s, task, x, weight, table, y, bias, activation, own, size, plane)


@kernel
def pack_weight(weight, O, K, groups, out):  # noqa: E741
    """(groups, O, K) into panels of CHANNELS rows, ``out[group][o // CHANNELS][k][o % CHANNELS]``."""
    padded = (O + CHANNELS - 1) // CHANNELS * CHANNELS
    for g in range(groups):
        pack(weight + FLOAT * g * O * K, K, 1, O, K, CHANNELS, out + FLOAT * g * padded * K)


@kernel
def reduce_task(s, task, images, x, dy, table, dw, pitch, work, size, plane):
    """Add what one strip of some images, one group, has to say about the weight."""
    strips = (s.OH + s.rows - 1) // s.rows
    first_row, g = task % strips * s.rows, task // strips % s.groups
    first = task // strips // s.groups * images
    count, rows = min(images, s.B - first), min(s.rows, s.OH - first_row)
    grads, K = work + FLOAT * images * size, s.C * s.kh * s.kw
    padded = (s.O + CHANNELS - 1) // CHANNELS * CHANNELS
    for n in range(count):
        image = (first + n) * s.groups + g
        lay_out(s, x + FLOAT * image * s.C * s.H * s.W, first_row, work + FLOAT * n * size, size)
        to = carray(pointer(grads + FLOAT * n * padded * plane), (padded * plane,))
        to[:] = ZERO  # dropped columns of the last rows must count for nothing
        for o in range(s.O):
            source = dy + FLOAT * ((image * s.O + o) * s.OH + first_row) * s.OW
            target = grads + FLOAT * (n * padded + o) * plane
            copy_rows(source, s.OW, target, s.width, rows, s.OW)
            if s.width > s.OW:  # clear what the rows have spilled
                out = pointer(target)
                for i in range(rows):
                    for j in range(i * s.width + s.OW, (i + 1) * s.width):
                        out[j] = ZERO
    pixels = (rows - 1) * s.width + s.OW
    for k in range(0, K, TAPS):
        for o in range(0, s.O, CHANNELS):
            dot_block(
                grads + FLOAT * o * plane, work, table + 8 * k, dw + FLOAT * ((g * padded + o) * pitch + k),
                pixels, plane, pitch, count, padded * plane, size,
            )  # fmt: skip


@kernel(parallel=True)
def reduce_images(s, images, x, dy, table, dw, pitch, work, size, plane, threads):
    """``dw[o, k] = sum over n, p of dy[n, o, p] * x[n, table[k] + p]``, one `dw` a thread."""
    padded = (s.O + CHANNELS - 1) // CHANNELS * CHANNELS
    tasks = (s.B + images - 1) // images * s.groups * ((s.OH + s.rows - 1) // s.rows)
    if threads == 1:
        for task in range(tasks):
            reduce_task(s, task, images, x, dy, table, dw, pitch, work, size, plane)
    else:
        for worker in prange(threads):
            own = work + FLOAT * worker * images * (size + padded * plane)
            mine = dw + FLOAT * worker * s.groups * padded * pitch
            for task in range(worker * tasks // threads, (worker + 1) * tasks // threads):
                reduce_task(s, task, images, x, dy, table, mine, pitch, own, size, plane)


def _pair(value: Any) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else tuple(value)


def _f32(name: str, x: Any) -> Any:
    """`x` as a contiguous float32 array."""
    if x.dtype != np.float32:
        raise DTypeError("conv2d: the kernel works on float32", got=f"{name} is {x.dtype}")
    if x.ndim != 4:
        raise ShapeError(f"conv2d: {name} has four dimensions", got=x.shape)
    return np.ascontiguousarray(x)


def _output_size(n: int, k: int, stride: int, padding: int, dilation: int) -> int:
    return (n + 2 * padding - dilation * (k - 1) - 1) // stride + 1


def _forward_shape(x: Any, w: Any, stride: Any, padding: Any, dilation: Any, groups: int) -> Shape:
    """Sizes of the forward pass of an input of shape `x` and a weight of shape `w`."""
    (B, C, H, W), (O, Cg, kh, kw) = x, w  # noqa: E741
    (sh, sw), (ph, pw), (dh, dw) = stride, padding, dilation
    if C != Cg * groups or O % groups:
        raise ShapeError("conv2d: channels and groups do not fit", got=f"{x}, {w}, groups={groups}")
    OH, OW = _output_size(H, kh, sh, ph, dh), _output_size(W, kw, sw, pw, dw)
    if OH < 1 or OW < 1:
        raise ShapeError("conv2d: the kernel is larger than the padded input", got=f"{x}, {w}")
    sizes = (B, Cg, H, W, O // groups, OH, OW, groups)
    return _shape(sizes, (kh, kw), stride, (1, 1), padding, dilation)


def _run_correlate(s: Shape, x: Any, w: Any, bias: Any, activation: str | None) -> Any:
    """Pack the weight (groups, O, C, kh, kw), make room, and go."""
    padded, K = _up(s.O, CHANNELS), s.taps
    packed = np.empty(s.groups * padded * K + 2 * WIDTH, np.float32)
    pack_weight(w.ctypes.data, s.O, K, s.groups, packed.ctypes.data)
    y = np.empty((s.B, s.groups * s.O, s.OH, s.OW), np.float32)
    table, size, plane = _table(s), _buffer(s), _plane(s)
    work = scratch(gate.threads() * (size + CHANNELS * plane) + BLOCK)
    run(
        correlate, s, x.ctypes.data, packed.ctypes.data, table.ctypes.data, y.ctypes.data,
        0 if bias is None else bias.ctypes.data, ACTIVATIONS[activation],
        work.ctypes.data, size, plane, work=s.flops,
    )  # fmt: skip
    return y


def conv2d(
    x: Any,
    w: Any,
    bias: Any = None,
    *,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
    activation: str | None = None,
) -> Any:
    """``activation(x * w + bias)``: (B, C, H, W) with (O, C / groups, kh, kw) to (B, O, OH, OW).

    Raises:
        ShapeError, DTypeError: for arrays that do not fit or are not float32.
    """
    x, w = _f32("x", x), _f32("w", w)
    geometry = _pair(stride), _pair(padding), _pair(dilation)
    s = _forward_shape(x.shape, w.shape, *geometry, groups)
    if bias is not None:
        bias = np.ascontiguousarray(bias, np.float32)
    return _run_correlate(s, x, w, bias, activation)


def conv2d_input_grad(
    dy: Any,
    w: Any,
    input_shape: Any,
    *,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """The gradient of :func:`conv2d`'s input, from `dy` (B, O, OH, OW): (B, C, H, W)."""
    dy, w = _f32("dy", dy), _f32("w", w)
    stride, (ph, pw), (dh, dw) = _pair(stride), _pair(padding), _pair(dilation)
    f = _forward_shape(tuple(input_shape), w.shape, stride, (ph, pw), (dh, dw), groups)
    turned = w.reshape(groups, f.O, f.C, f.kh, f.kw)[..., ::-1, ::-1].swapaxes(1, 2)
    sizes = (f.B, f.O, f.OH, f.OW, f.C, f.H, f.W, groups)
    padding = ((f.kh - 1) * dh - ph, (f.kw - 1) * dw - pw)
    s = _shape(sizes, (f.kh, f.kw), (1, 1), stride, padding, (dh, dw))
    return _run_correlate(s, dy, np.ascontiguousarray(turned), None, None)


def conv2d_weight_grad(
    dy: Any,
    x: Any,
    weight_shape: Any,
    *,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """The gradient of :func:`conv2d`'s weight, from `dy` and `x`: (O, C / groups, kh, kw)."""
    dy, x = _f32("dy", dy), _f32("x", x)
    geometry = _pair(stride), _pair(padding), _pair(dilation)
    s = _forward_shape(x.shape, tuple(weight_shape), *geometry, groups)
    padded, pitch = _up(s.O, CHANNELS), _up(s.taps, TAPS)
    table = np.pad(_table(s), (0, pitch - s.taps))
    size, plane = _buffer(s), _up(s.rows * s.width, WIDTH)
    threads = gate.threads()
    fit = BUFFER // (size + padded * plane) if s.rows == s.OH else 1
    images = max(1, min(fit, -(-s.B // threads)))
    work = scratch(threads * images * (size + padded * plane) + BLOCK)
    dw = np.zeros((threads, groups, padded, pitch), np.float32)
    run(
        reduce_images, s, images, x.ctypes.data, dy.ctypes.data, table.ctypes.data,
        dw.ctypes.data, pitch, work.ctypes.data, size, plane, work=s.flops,
    )  # fmt: skip
    dw = dw.sum(0) if threads > 1 else dw[0]
    return np.ascontiguousarray(dw[:, : s.O, : s.taps]).reshape(weight_shape)
