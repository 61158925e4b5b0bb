"""Two-dimensional max and average pooling, forward and backward, a plane at a time.

Windows floor, as in PyTorch; padding is minus infinity for the maximum, and zeros that count for
the average.  A window without a stride of its own is the stride.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import float32 as f
from numba import prange

from deepdive.errors import DTypeError, ShapeError
from deepdive.kernels.jit import kernel, run
from deepdive.kernels.reductions import part


@kernel
def max_pool_planes(
    x,
    out,
    where,
    k,
    s,
    p,
    first,
    last,
):
    """The largest of each window, and where in its plane it is; a NaN is the largest there is.

    Tap by tap over a whole output row, so that the inner loop is long and has no branch.
    """
    H, W, OH, OW = x.shape[1], x.shape[2], out.shape[1], out.shape[2]
    for c in range(first, last):
        for oy in range(OH):
            best, index = out[c, oy], where[c, oy]
            best[:] = f(-np.inf)
            index[:] = -1
            for i in range(max(0, p[0] - oy * s[0]), min(k[0], H + p[0] - oy * s[0])):
                y = oy * s[0] - p[0] + i
                row = x[c, y]
                for j in range(k[1]):
                    start = max(0, (p[1] - j + s[1] - 1) // s[1])
                    for ox in range(start, min(OW, (W - 1 + p[1] - j) // s[1] + 1)):
                        column = ox * s[1] - p[1] + j
                        v = row[column]
                        new = (v > best[ox]) | (v != v) | (index[ox] < 0)
                        best[ox] = v if new else best[ox]
                        index[ox] = np.int32(y * W + column) if new else index[ox]


@kernel(parallel=True)
def max_pool_all(x, out, where, k, s, p, threads):
    if threads == 1:
        max_pool_planes(
            x,
            out,
            where,
            k,
            s,
            p,
            0,
            len(x),
        )
    else:
        for worker in prange(threads):
            first, last = part(worker, threads, len(x))
            max_pool_planes(
                x,
                out,
                where,
                k,
                s,
                p,
                first,
                last,
            )


@kernel
def max_pool_grad_planes(dy, where, dx, first, last):
    """Send each gradient to the pixel that its maximum came from."""
    for c in range(first, last):
        dx[c, :] = f(0)
        for i in range(dy.shape[1]):
            dx[c, where[c, i]] += dy[c, i]


@kernel(parallel=True)
def max_pool_grad_all(dy, where, dx, threads):
    if threads == 1:
        max_pool_grad_planes(dy, where, dx, 0, len(dx))
    else:
        for worker in prange(threads):
            first, last = part(worker, threads, len(dx))
            max_pool_grad_planes(dy, where, dx, first, last)


@kernel
def avg_pool_planes(
    x,
    y,
    k,
    s,
    p,
    backward,
    first,
    last,
):
    """``y = mean of each window of x``; backward, ``x = what each window of y spreads``."""
    H, W, OH, OW = x.shape[1], x.shape[2], y.shape[1], y.shape[2]
    scale = f(1) / f(k[0] * k[1])
    for c in range(first, last):
        if backward:
            x[c, :, :] = f(0)
        else:
            y[c, :, :] = f(0)
        for oy in range(OH):
            for i in range(max(0, p[0] - oy * s[0]), min(k[0], H + p[0] - oy * s[0])):
                row, out = x[c, oy * s[0] - p[0] + i], y[c, oy]
                for j in range(k[1]):
                    start = max(0, (p[1] - j + s[1] - 1) // s[1])
                    end = min(OW, (W - 1 + p[1] - j) // s[1] + 1)
                    shift = j - p[1]
                    if backward:
                        for ox in range(start, end):
                            row[ox * s[1] + shift] += out[ox] * scale
                    else:
                        for ox in range(start, end):
                            out[ox] += row[ox * s[1] + shift] * scale


@kernel(parallel=True)
def avg_pool_all(x, y, k, s, p, backward, threads):
    if threads == 1:
        avg_pool_planes(
            x,
            y,
            k,
            s,
            p,
            backward,
            0,
            len(x),
        )
    else:
        for worker in prange(threads):
            first, last = part(worker, threads, len(x))
            avg_pool_planes(
                x,
                y,
                k,
                s,
                p,
                backward,
                first,
                last,
            )


def _pair(value: Any) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else tuple(value)


def _planes(x: Any) -> Any:
    """`x` (B, C, H, W) as contiguous float32 (B C, H, W)."""
    if x.dtype != np.float32:
        raise DTypeError("pool2d: the kernel works on float32", got=x.dtype)
    if x.ndim != 4:
        raise ShapeError("pool2d: an input of four dimensions", got=x.shape)
    return np.ascontiguousarray(x).reshape(-1, *x.shape[2:])


def _geometry(x: Any, window: Any, stride: Any, padding: Any) -> tuple[Any, Any, Any, Any]:
    """Window, stride, padding, and the shape of what comes out of `x` of that shape."""
    k, p = _pair(window), _pair(padding)
    s = k if stride is None else _pair(stride)
    size = [(n + 2 * b - a) // c + 1 for n, a, b, c in zip(x[2:], k, p, s, strict=True)]
    if min(size) < 1 or any(2 * b > a for a, b in zip(k, p, strict=True)):
        raise ShapeError(
            "pool2d: the window is larger than the padded input, or less than twice the padding",
            got=f"{tuple(x)}, window {k}, padding {p}",
        )
    return k, s, p, (*x[:2], *size)


def max_pool2d(x: Any, window: Any, stride: Any = None, padding: Any = 0) -> tuple[Any, Any]:
    """The largest of each window, and its index in its plane (int32): (B, C, OH, OW) both.

    >>> max_pool2d(np.arange(4, dtype="f").reshape(1, 1, 2, 2), 2)[0]
    array([[[[3.]]]], dtype=float32)
    """
    planes = _planes(x)
    k, s, p, shape = _geometry(x.shape, window, stride, padding)
    out, where = np.empty((len(planes), *shape[2:]), np.float32), np.empty(shape, np.int32)
    work = float(out.size * k[0] * k[1])
    run(
        max_pool_all,
        planes,
        out,
        where.reshape(out.shape),
        k,
        s,
        p,
        work=work,
    )
    return out.reshape(shape), where


def max_pool2d_grad(dy: Any, where: Any, input_shape: Any) -> Any:
    """The gradient of :func:`max_pool2d`'s input, of the indices it gave."""
    dy = _planes(dy)
    dx = np.empty((len(dy), input_shape[2] * input_shape[3]), np.float32)
    flat = dy.reshape(len(dy), -1)
    run(max_pool_grad_all, flat, where.reshape(flat.shape), dx, work=4.0 * dx.size)
    return dx.reshape(input_shape)


def avg_pool2d(x: Any, window: Any, stride: Any = None, padding: Any = 0) -> Any:
    """The mean of each window, padding included: (B, C, OH, OW)."""
    planes = _planes(x)
    k, s, p, shape = _geometry(x.shape, window, stride, padding)
    out = np.empty((len(planes), *shape[2:]), np.float32)
    run(
        avg_pool_all,
        planes,
        out,
        k,
        s,
        p,
        False,
        work=2.0 * out.size * k[0] * k[1],
    )
    return out.reshape(shape)


def avg_pool2d_grad(
    dy: Any, input_shape: Any, window: Any, stride: Any = None, padding: Any = 0
) -> Any:
    """The gradient of :func:`avg_pool2d`'s input."""
    k, s, p, shape = _geometry(tuple(input_shape), window, stride, padding)
    if dy.shape != shape:
        raise ShapeError("avg_pool2d_grad: dy has another shape", got=dy.shape, expected=shape)
    dy = _planes(dy)
    dx = np.empty((len(dy), *input_shape[2:]), np.float32)
    run(
        avg_pool_all,
        dx,
        dy,
        k,
        s,
        p,
        True,
        work=2.0 * dy.size * k[0] * k[1],
    )
    return dx.reshape(input_shape)
