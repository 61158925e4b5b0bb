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

import functools
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
thin_block = tile(CHANNELS, 1, table=True)
dot_block = dots(CHANNELS, TAPS)
DOTS = -(-CHANNELS * TAPS // WIDTH) * WIDTH  # floats that a block of dot products is stored in


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
        B,
        C,
        H,
        W,
        O,
        OH,
        OW,
        kh,
        kw,
        sh,
        sw,
        *up,
        *padding,
        dh,
        dw,
        groups,
        rows,
        width,
        rows + halo,
    )


@functools.lru_cache(256)
def _table(s: Shape) -> Any:
    """Where in the buffer each tap reads, relative to its output pixel, in floats: (K,) int64."""
    c, i, j = np.ogrid[: s.C, : s.kh, : s.kw]
    (down, row), (right, column) = divmod(i * s.dh, s.sh), divmod(j * s.dw, s.sw)
    plane = (c * s.sh + row) * s.sw + column
    return (plane * (s.height * s.width) + down * s.width + right).astype(np.int64).ravel()


def _buffer(s: Shape) -> int:
    """Floats of one image's buffer; blocks may read a little beyond its planes."""
    return _up(s.C * s.sh * s.sw * s.height * s.width + BLOCK + WIDTH, WIDTH)


def _packed(s: Shape) -> int:
    """Floats of the packed weight, and what packing may spill."""
    return _up(s.groups * _up(s.O, CHANNELS) * s.taps + WIDTH, WIDTH)


def _plane(s: Shape) -> int:
    """Floats of one output plane in the buffer, its rows as wide as the input's."""
    return _up(s.rows * s.width, BLOCK)


@kernel
def lay_out(s, x, first_row, buffer, size):
    """Copy the strip of image `x` that output rows from `first_row` on need into the buffer."""
    to = carray(pointer(buffer), (size,))
    to[:] = ZERO
    for c in range(s.C):
        image = x + FLOAT * c * s.H * s.W
        if s.sw == 1 and s.sh == 1 and s.up_h == 1 and s.up_w == 1:
            plane = buffer + FLOAT * c * s.height * s.width
            top, left, skip = max(0, s.top - first_row), max(0, s.left), max(0, -s.left)
            source = first_row + top - s.top
            count, n = min(s.H - source, s.height - top), min(s.W - skip, s.width - left)
            corner = plane + FLOAT * (top * s.width + left)
            copy_rows(image + FLOAT * (source * s.W + skip), s.W, corner, s.width, count, n)
        elif s.up_h == 1 and s.up_w == 1:
            for a in range(s.sh * s.sw):
                plane = buffer + FLOAT * (c * s.sh * s.sw + a) * s.height * s.width
                thin_out(s, image, first_row, a // s.sw - s.top, a % s.sw - s.left, plane)
        else:
            spread(s, image, first_row, buffer + FLOAT * c * s.height * s.width)


@kernel
def thin_out(s, image, first_row, row_shift, column_shift, plane):
    """Copy every s-th pixel of every s-th row of a channel, from the shifts on, into its plane."""
    source, out = pointer(image), pointer(plane)
    first = max(0, (s.sw - 1 - column_shift) // s.sw)
    end = min(s.width, (s.W - 1 - column_shift) // s.sw + 1)
    for i in range(s.height):
        row = (first_row + i) * s.sh + row_shift
        if row >= 0 and row < s.H:
            for j in range(first, end):
                out[i * s.width + j] = source[row * s.W + j * s.sw + column_shift]


@kernel
def spread(s, image, first_row, plane):
    """Copy a channel into its plane, its pixels `up_h` rows and `up_w` columns apart."""
    source, out = pointer(image), pointer(plane)
    for row in range(s.H):
        i = row * s.up_h + s.top - first_row
        if i >= 0 and i < s.height:
            for column in range(s.W):
                j = column * s.up_w + s.left
                if j >= 0 and j < s.width:
                    out[i * s.width + j] = source[row * s.W + column]


@kernel
def correlate_strip(s, buffer, weight, table, y, first_row, rows, bias, activation, planes, plane):
    """Output rows of all channels of one group; `planes` is room for CHANNELS flat planes."""
    K, m = s.C * s.kh * s.kw, CHANNELS
    pixels = (rows - 1) * s.width + s.OW
    for o in range(0, s.O, CHANNELS):
        channels = min(CHANNELS, s.O - o)
        left = weight + FLOAT * o * K
        for p in range(0, pixels, BLOCK):
            right, out = buffer + FLOAT * p, planes + FLOAT * p
            if pixels - p <= WIDTH:
                thin_block(left, right, out, K, 1, m, table, plane, m, WIDTH, ONE, ZERO)
            elif channels <= CHANNELS // 2:
                half_block(left, right, out, K, 1, m, table, plane, m, BLOCK, ONE, ZERO)
            else:
                block(left, right, out, K, 1, m, table, plane, m, BLOCK, ONE, ZERO)
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
        s,
        work,
        weight + FLOAT * g * padded * s.C * s.kh * s.kw,
        table,
        y + FLOAT * (n * s.groups + g) * s.O * s.OH * s.OW,
        first_row,
        min(s.rows, s.OH - first_row),
        bias + FLOAT * g * s.O if bias != 0 else 0,
        activation,
        work + FLOAT * size,
        plane,
    )


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
    """(groups, O, K) into panels: ``out[group][o // CHANNELS][k][o % CHANNELS]``."""
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
    for o in range(0, s.O, CHANNELS):  # these rows of `dy` stay in the first cache
        for k in range(0, K, TAPS):
            target = dw + FLOAT * ((g * padded + o) // CHANNELS * pitch + k // TAPS * DOTS)
            dot_block(
                grads + FLOAT * o * plane,
                work,
                table + 8 * k,
                target,
                pixels,
                plane,
                count,
                padded * plane,
                size,
            )


@kernel(parallel=True)
def reduce_images(s, images, x, dy, table, dw, pitch, work, size, plane, threads):
    """``dw[o, k] = sum over n, p of dy[n, o, p] * x[n, table[k] + p]``, one `dw` a thread.

    `dw` is (thread, group, o // CHANNELS, k // TAPS, DOTS); `pitch` floats are a row of blocks.
    """
    padded = (s.O + CHANNELS - 1) // CHANNELS * CHANNELS
    tasks = (s.B + images - 1) // images * s.groups * ((s.OH + s.rows - 1) // s.rows)
    if threads == 1:
        for task in range(tasks):
            reduce_task(s, task, images, x, dy, table, dw, pitch, work, size, plane)
    else:
        for worker in prange(threads):
            own = work + FLOAT * worker * images * (size + padded * plane)
            mine = dw + FLOAT * worker * s.groups * (padded // CHANNELS) * pitch
            for task in range(worker * tasks // threads, (worker + 1) * tasks // threads):
                reduce_task(s, task, images, x, dy, table, mine, pitch, own, size, plane)


def _pair(value: Any) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else tuple(value)


def _f32(name: str, x: Any, shape: Any = None) -> Any:
    """`x` as a contiguous float32 array; with a `shape`, `x` itself, which must be so."""
    if x.dtype != np.float32:
        raise DTypeError("conv2d: the kernel works on float32", got=f"{name} is {x.dtype}")
    if x.ndim != 4:
        raise ShapeError(f"conv2d: {name} has four dimensions", got=x.shape)
    if shape is not None and (x.shape != tuple(shape) or not x.flags.c_contiguous):
        raise ShapeError(f"conv2d: {name} must be contiguous", got=x.shape, expected=tuple(shape))
    return np.ascontiguousarray(x)


def _dy(f: Shape, dy: Any) -> Any:
    """`dy`, contiguous, of the shape that the forward pass gives."""
    return _f32("dy", _f32("dy", dy), (f.B, f.groups * f.O, f.OH, f.OW))


def _output_size(n: int, k: int, stride: int, padding: int, dilation: int) -> int:
    return (n + 2 * padding - dilation * (k - 1) - 1) // stride + 1


@functools.lru_cache(256)
def _forward_shape(x: Any, w: Any, stride: Any, padding: Any, dilation: Any, groups: int) -> Shape:
    """Sizes of the forward pass of an input of shape `x` and a weight of shape `w`."""
    (B, C, H, W), (O, Cg, kh, kw) = x, w  # noqa: E741
    (sh, sw), (ph, pw), (dh, dw) = stride, padding, dilation
    if Cg * groups != C or O % groups:
        raise ShapeError("conv2d: channels and groups do not fit", got=f"{x}, {w}, groups={groups}")
    OH, OW = _output_size(H, kh, sh, ph, dh), _output_size(W, kw, sw, pw, dw)
    if OH < 1 or OW < 1:
        raise ShapeError("conv2d: the kernel is larger than the padded input", got=f"{x}, {w}")
    sizes = (B, Cg, H, W, O // groups, OH, OW, groups)
    return _shape(sizes, (kh, kw), stride, (1, 1), padding, dilation)


def _run_correlate(s: Shape, x: Any, w: Any, out: Any, bias: Any, activation: str | None) -> Any:
    """Pack the weight (groups, O, C, kh, kw), make room, and go."""
    shape = (s.B, s.groups * s.O, s.OH, s.OW)
    out = np.empty(shape, np.float32) if out is None else _f32("out", out, shape)
    table, size, plane, packed = _table(s), _buffer(s), _plane(s), _packed(s)
    threads = gate.threads()
    work = scratch(packed + threads * (size + CHANNELS * plane) + BLOCK)
    pack_weight(w.ctypes.data, s.O, s.taps, s.groups, work)
    run(
        correlate,
        s,
        x.ctypes.data,
        work,
        table.ctypes.data,
        out.ctypes.data,
        0 if bias is None else bias.ctypes.data,
        ACTIVATIONS[activation],
        work + FLOAT * packed,
        size,
        plane,
        work=s.flops,
    )
    return out


def conv2d(
    x: Any,
    w: Any,
    bias: Any = None,
    *,
    out: Any = None,
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
    return _run_correlate(s, x, w, out, bias, activation)


def conv2d_input_grad(
    dy: Any,
    w: Any,
    input_shape: Any,
    *,
    out: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """The gradient of :func:`conv2d`'s input, from `dy` (B, O, OH, OW): (B, C, H, W)."""
    stride, padding, dilation = _pair(stride), _pair(padding), _pair(dilation)
    f = _forward_shape(tuple(input_shape), w.shape, stride, padding, dilation, groups)
    dy, w = _dy(f, dy), _f32("w", w)
    w = w.reshape(groups, f.O, f.C, f.kh, f.kw)
    if stride == (1, 1):
        return _full_correlate(f, dy, w, (f.H, f.W), padding, out)
    out = np.empty(input_shape, np.float32) if out is None else _f32("out", out, input_shape)
    if dilation != (1, 1):  # rare: with zeros between, every tap reads where it would
        out[...] = _full_correlate(f, dy, w, (f.H, f.W), padding, None, up=stride)
        return out
    # Every s-th pixel sees only every s-th tap: s * s small convolutions without a stride.
    for a in range(f.sh):
        for b in range(f.sw):
            y, x = (a - f.top) % f.sh, (b - f.left) % f.sw  # the first pixel of this kind
            part, taps = out[:, :, y :: f.sh, x :: f.sw], w[..., a :: f.sh, b :: f.sw]
            if 0 in taps.shape:
                part[...] = 0
            elif part.size:
                start = (y + f.top) // f.sh, (x + f.left) // f.sw
                part[...] = _full_correlate(f, dy, taps, part.shape[2:], start, None)
    return out


def _full_correlate(
    f: Shape, dy: Any, w: Any, size: Any, start: Any, out: Any, up: Any = (1, 1)
) -> Any:
    """Spread `dy` by the taps `w`; return `size` pixels, from `start` in the padded image on."""
    kh, kw = w.shape[-2:]
    padding = (kh - 1) * f.dh - start[0], (kw - 1) * f.dw - start[1]
    sizes = (f.B, f.O, f.OH, f.OW, f.C, *size, f.groups)
    s = _shape(sizes, (kh, kw), (1, 1), up, padding, (f.dh, f.dw))
    turned = np.ascontiguousarray(w[..., ::-1, ::-1].swapaxes(1, 2))
    return _run_correlate(s, dy, turned, out, None, None)


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
    x, geometry = _f32("x", x), (_pair(stride), _pair(padding), _pair(dilation))
    s = _forward_shape(x.shape, tuple(weight_shape), *geometry, groups)
    dy = _dy(s, dy)
    padded, taps = _up(s.O, CHANNELS), _up(s.taps, TAPS)
    blocks = (s.groups, padded // CHANNELS, taps // TAPS)
    table = np.pad(_table(s), (0, taps - s.taps))
    size, plane = _buffer(s), _up(s.rows * s.width, WIDTH)
    threads = gate.threads()
    fit = BUFFER // (size + padded * plane) if s.rows == s.OH else 1
    images = max(1, min(fit, -(-s.B // threads)))
    work = scratch(threads * images * (size + padded * plane) + BLOCK)
    dw = np.zeros((threads, *blocks, DOTS), np.float32)
    run(
        reduce_images,
        s,
        images,
        x.ctypes.data,
        dy.ctypes.data,
        table.ctypes.data,
        dw.ctypes.data,
        blocks[-1] * DOTS,
        work,
        size,
        plane,
        work=s.flops,
    )
    dw = dw.sum(0)[..., : CHANNELS * TAPS].reshape(*blocks, CHANNELS, TAPS).swapaxes(2, 3)
    dw = dw.reshape(groups, padded, taps)[:, : s.O, : s.taps]
    return np.ascontiguousarray(dw).reshape(weight_shape)
