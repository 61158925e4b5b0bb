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

from deepdive.errors import DTypeError, ShapeError
from deepdive.kernels.conv_blocks import (
    BLOCK,
    DOTS,
    TAPS,
    correlate,
    pack_weight,
    reduce_images,
)
from deepdive.kernels.gemm import scratch
from deepdive.kernels.jit import gate, run
from deepdive.kernels.vector import CHANNELS, FLOAT, WIDTH
from deepdive.kernels.vector_math import ACTIVATIONS

BUFFER = 96 * 1024  # floats of image that stay in the second cache


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

    K: int  # taps: C * kh * kw
    padded: int  # O, rounded up to whole blocks
    strips: int  # of an image
    size: int  # of an image's buffer, in floats; blocks may read a little beyond its planes
    plane: int  # of a flat output plane, in floats
    blocks: int  # of TAPS taps

    @property
    def flops(self) -> float:
        return 2.0 * self.B * self.groups * self.O * self.K * self.OH * self.OW


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
    height = rows + halo
    K = C * kh * kw
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
        up[0],
        up[1],
        padding[0],
        padding[1],
        dh,
        dw,
        groups,
        rows,
        width,
        height,
        K,
        padded=_up(O, CHANNELS),
        strips=-(-OH // rows),
        size=_up(C * sh * sw * height * width + BLOCK + WIDTH, WIDTH),
        plane=_up(rows * width, BLOCK),
        blocks=-(-K // TAPS),
    )


@functools.lru_cache(256)
def _table(s: Shape) -> Any:
    """Where in the buffer each tap reads, relative to its output pixel, in floats: (K,) int64."""
    c, i, j = np.ogrid[: s.C, : s.kh, : s.kw]
    (down, row), (right, column) = divmod(i * s.dh, s.sh), divmod(j * s.dw, s.sw)
    plane = (c * s.sh + row) * s.sw + column
    return (plane * (s.height * s.width) + down * s.width + right).astype(np.int64).ravel()


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
    packed = _up(s.groups * s.padded * s.K + WIDTH, WIDTH)  # and what packing may spill
    work = scratch(packed + gate.threads() * (s.size + CHANNELS * s.plane) + BLOCK)
    pack_weight(s, w.ctypes.data, work)
    added = 0 if bias is None else bias.ctypes.data
    places = x.ctypes.data, work, _table(s).ctypes.data, out.ctypes.data
    act = ACTIVATIONS[activation]
    own = work + FLOAT * packed
    run(correlate, s, *places, added, act, own, work=s.flops)
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
    table = np.pad(_table(s), (0, s.blocks * TAPS - s.K))
    grads = s.padded * s.plane
    threads = gate.threads()
    fit = BUFFER // (s.size + grads) if s.strips == 1 else 1
    images = max(1, min(fit, -(-s.B // threads)))
    work = scratch(threads * images * (s.size + grads) + BLOCK)
    blocks = groups, s.padded // CHANNELS, s.blocks
    dw = np.zeros((threads, *blocks, DOTS), np.float32)
    places = x.ctypes.data, dy.ctypes.data, table.ctypes.data, dw.ctypes.data
    run(reduce_images, s, images, *places, work, work=s.flops)
    dw = dw.sum(0)[..., : CHANNELS * TAPS].reshape(*blocks, CHANNELS, TAPS).swapaxes(2, 3)
    dw = dw.reshape(groups, s.padded, -1)[:, : s.O, : s.K]
    return np.ascontiguousarray(dw).reshape(weight_shape)
