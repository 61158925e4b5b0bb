"""The matrix product ``act(alpha * a @ b + beta * out + bias)``: any sizes, strides and batches.

Goto's scheme: blocks of `b` and `a` that fit the caches are copied ("packed") into panels as wide
as a register block, and register blocks sweep over them.  Where that does not pay, a matrix is
read where it lies, and only what does not fill a panel is packed and padded.

Inside compiled functions call :func:`gemm` (arrays) or :func:`gemm_block` (addresses); both run on
the calling thread, need scratch memory of ``WORK`` floats, and want rows of `c` to be contiguous.
"""

from __future__ import annotations

import functools
import threading
from typing import Any

import numpy as np
from numba import carray, prange, types

from deepdive.errors import ArgumentError, DTypeError, ShapeError, did_you_mean
from deepdive.kernels.jit import gate, kernel, run_on, threads_for
from deepdive.kernels.vector import (
    FLOAT,
    ROWS,
    VECTORS,
    WIDTH,
    at,
    copy_rows,
    pointer,
    tile,
    transpose,
)
from deepdive.kernels.vector_math import ACTIVATIONS, activate

COLUMNS = VECTORS * WIDTH  # of a register block
DEPTH = 256  # of a panel: DEPTH x COLUMNS floats stay in the first cache
HEIGHT = 16 * ROWS  # rows of `a` packed at a time: HEIGHT x DEPTH floats stay in the second cache
BREADTH = 1024  # columns of `b` packed at a time
SPARE = 2 * WIDTH  # what packing may write beyond the end
WORK = DEPTH * (HEIGHT + BREADTH) + 2 * SPARE

tall = tile(ROWS, VECTORS)
low = tile(ROWS // 3, VECTORS)
slim = tile(ROWS, 1)
ONE, ZERO = np.float32(1), np.float32(0)


@kernel
def pack(x, dx, dk, count, depth, panel, out):
    """Copy `count` rows of `x` into panels, ``out[row // panel][k][row % panel]``.

    `x` and `out` are addresses; rows lie `dx`, their elements `dk` floats apart.  What the last
    panel lacks in rows is filled with anything.
    """
    for first in range(0, count, panel):
        valid = min(panel, count - first)
        source, target = x + FLOAT * first * dx, out + FLOAT * first * depth
        if dx == 1:
            copy_rows(source, dk, target, panel, depth, valid)
        elif dk == 1 and depth >= WIDTH:
            # Rows of `out` are written WIDTH floats wide, and mend what the one before spilled:
            # so k ascends, and the last block, which may overlap another, comes last.
            for i in range(0, valid, WIDTH):
                for step in range(0, depth, WIDTH):
                    k = min(step, depth - WIDTH)
                    corner = source + FLOAT * (i * dx + k)
                    transpose(corner, dx, target + FLOAT * (k * panel + i), panel, valid - i)
        else:
            rows, panels = pointer(source), pointer(target)
            for k in range(depth):
                for i in range(valid):
                    panels[k * panel + i] = rows[i * dx + k * dk]


@kernel
def finish(c, ci, m, n, bias, activation):
    """Add the bias (an address, or 0) to a block of `c`, still hot, and apply the activation."""
    for i in range(m):
        row = carray(pointer(c + FLOAT * i * ci), (n,))
        if bias != 0:
            added = carray(pointer(bias), (n,))
            for j in range(n):
                row[j] += added[j]
        activate(row, activation)


@kernel
def column(
    a,
    ai,
    ak,
    straight,
    packed,
    y,
    yk,
    c,
    ci,
    height,
    n,
    depth,
    alpha,
    beta,
):
    """A column of register blocks: rows of `a` below `straight` where they lie, the rest packed."""
    for i in range(0, height, ROWS):
        m = min(ROWS, height - i)
        x = a + FLOAT * i * ai
        xi = ai
        xk = ak
        if i >= straight:
            x = packed + FLOAT * (i - straight) * depth
            xi = 1
            xk = ROWS
        out = c + FLOAT * i * ci
        if n <= WIDTH:
            slim(x, y, out, depth, xi, xk, yk, ci, m, n, alpha, beta)
        elif m <= ROWS // 3:
            low(x, y, out, depth, xi, xk, yk, ci, m, n, alpha, beta)
        else:
            tall(x, y, out, depth, xi, xk, yk, ci, m, n, alpha, beta)


@kernel
def gemm_block(a, ai, ak, b, bk, bj, c, ci, M, N, K, alpha, beta, bias, activation, work):
    """``c = act(alpha * a @ b + beta * c + bias)`` on this thread; everything is an address.

    ``a[i * ai + k * ak]``, ``b[k * bk + j * bj]``, ``c[i * ci + j]``: any strides, in floats.
    """
    packed_b, packed_a = work, work + FLOAT * (DEPTH * BREADTH + SPARE)
    pack_a = N > 8 * COLUMNS  # each panel is then read often enough to pay for its copy
    pack_b = bj != 1 or M > 8 * ROWS
    for n0 in range(0, N, BREADTH):
        breadth = min(BREADTH, N - n0)
        bare_b = 0 if pack_b else breadth // COLUMNS * COLUMNS
        for k0 in range(0, max(K, 1), DEPTH):
            depth = min(DEPTH, K - k0)
            scale = beta if k0 == 0 else ONE
            right = b + FLOAT * (k0 * bk + n0 * bj)
            rest = right + FLOAT * bare_b * bj
            pack(rest, bj, bk, breadth - bare_b, depth, COLUMNS, packed_b)
            for m0 in range(0, M, HEIGHT):
                height = min(HEIGHT, M - m0)
                bare_a = 0 if pack_a else height // ROWS * ROWS
                left = a + FLOAT * (m0 * ai + k0 * ak)
                rest = left + FLOAT * bare_a * ai
                pack(rest, ai, ak, height - bare_a, depth, ROWS, packed_a)
                for j in range(0, breadth, COLUMNS):
                    n = min(COLUMNS, breadth - j)
                    y = right + FLOAT * j
                    yk = bk
                    if j >= bare_b:
                        y = packed_b + FLOAT * (j - bare_b) * depth
                        yk = COLUMNS
                    z = c + FLOAT * (m0 * ci + n0 + j)
                    column(
                        left, ai, ak, bare_a, packed_a, y, yk, z, ci, height, n, depth, alpha, scale
                    )
                    if k0 + depth >= K and (bias != 0 or activation != 0):
                        hot = bias + FLOAT * (n0 + j) if bias != 0 else 0
                        finish(z, ci, height, n, hot, activation)


@kernel
def gemm(a, b, c, alpha, beta, work):
    """``c = alpha * a @ b + beta * c`` for arrays, on this thread: for compiled functions."""
    M, N, K = c.shape[0], c.shape[1], a.shape[1]
    ai, ak = a.strides[0] // FLOAT, a.strides[1] // FLOAT
    bk, bj = b.strides[0] // FLOAT, b.strides[1] // FLOAT
    ci = c.strides[0] // FLOAT
    gemm_block(at(a), ai, ak, at(b), bk, bj, at(c), ci, M, N, K, alpha, beta, 0, 0, at(work))


@kernel
def split(M, N, parts):
    """How many times to cut rows and columns, so that the largest of `parts` blocks is smallest."""
    tall, wide = (M + ROWS - 1) // ROWS, (N + COLUMNS - 1) // COLUMNS
    best, rows = tall * wide + 1, 1
    for p in range(1, parts + 1):
        q = parts // p
        largest = ((tall + p - 1) // p) * ((wide + q - 1) // q)
        if p * q == parts and largest < best:
            best, rows = largest, p
    return rows, parts // rows


@kernel
def gemm_part(problem, alpha, beta, p, parts):
    """Part `p` of B products, `da`, `db`, `dc` floats apart, or of one that is cut into blocks."""
    a, da, ai, ak, b, db, bk, bj, c, dc, ci, B, M, N, K, bias, activation, work = problem
    rows, columns = split(M, N, parts) if parts > B else (1, 1)
    height = ((M + rows - 1) // rows + ROWS - 1) // ROWS * ROWS
    breadth = ((N + columns - 1) // columns + COLUMNS - 1) // COLUMNS * COLUMNS
    blocks = rows * columns
    tasks = B * blocks
    own = work + FLOAT * WORK * p
    for task in range(p * tasks // parts, (p + 1) * tasks // parts):
        t = task // blocks
        i = task % blocks // columns * height
        j = task % columns * breadth
        x = a + FLOAT * (t * da + i * ai)
        y = b + FLOAT * (t * db + j * bj)
        z = c + FLOAT * (t * dc + i * ci + j)
        m = min(height, M - i)
        n = min(breadth, N - j)
        added = bias + FLOAT * j if bias != 0 else 0
        gemm_block(x, ai, ak, y, bk, bj, z, ci, m, n, K, alpha, beta, added, activation, own)


@kernel(parallel=True)
def gemm_batch(problem, alpha, beta, threads):
    """All parts, each on its thread."""
    if threads == 1:
        gemm_part(problem, alpha, beta, 0, 1)
    else:
        for p in prange(threads):
            gemm_part(problem, alpha, beta, p, threads)


@kernel
def product_of(x, y, out, work, threads):
    """``out = x @ y`` of matrices, their places and strides read here: Python takes longer."""
    (xi, xk), (yk, yj) = x.strides, y.strides
    M, N = out.shape
    left = at(x), 0, xi // FLOAT, xk // FLOAT
    right = at(y), 0, yk // FLOAT, yj // FLOAT
    problem = (*left, *right, at(out), 0, N, 1, M, N, x.shape[1], 0, 0, work)
    gemm_batch(problem, ONE, ZERO, threads)


_own = threading.local()


def scratch(floats: int) -> int:
    """The address of so many floats, on a cache line; this Python thread keeps and reuses them."""
    if getattr(_own, "size", 0) < floats:
        _own.floats, _own.size = np.empty(floats + 16, np.float32), floats
        _own.address = -(-int(_own.floats.ctypes.data) // 64) * 64
    return int(_own.address)


def matmul(
    a: Any,
    b: Any,
    out: Any = None,
    *,
    trans_a: bool = False,
    trans_b: bool = False,
    alpha: float = 1.0,
    beta: float = 0.0,
    bias: Any = None,
    activation: str | None = None,
) -> Any:
    """``activation(alpha * a @ b + beta * out + bias)`` of float32 matrices, or of batches of them.

    Args:
        a, b: (M, K) and (K, N), or (B, M, K) and (B, K, N), in any strides; one may lack B.
        out: where the result goes; made if absent; unread where ``beta`` is 0.
        trans_a, trans_b: take ``a.mT``, ``b.mT`` instead.
        bias: (N,), added to every row.
        activation: relu, sigmoid, tanh, gelu, gelu_tanh or silu, applied at the end.

    Raises:
        ShapeError, DTypeError, ArgumentError: for what does not go together.

    >>> matmul(np.ones((2, 3), "f"), np.ones((4, 3), "f"), trans_b=True)[1]
    array([3., 3., 3., 3.], dtype=float32)
    """
    a, b = a.mT if trans_a else a, b.mT if trans_b else b
    shape = _result_shape(a, b)
    given = out if out is not None else np.empty(shape, np.float32)
    _check(a, b, given, shape, bias, activation)
    # Strides that are no multiple of a float, or rows of `out` with holes, go through a copy.
    out = given if given.strides[-1] == FLOAT and given.strides[-2] % FLOAT == 0 else given.copy()
    a, b = (x if not any(s % FLOAT for s in x.strides) else x.copy() for x in (a, b))
    bias = None if bias is None else np.ascontiguousarray(bias)
    *batch, M, N = shape
    B, K = (batch or [1])[0], a.shape[-1]
    flops = 2.0 * B * M * N * max(K, 1)
    threads = threads_for(flops)
    work = scratch(WORK * threads)
    sizes = B, M, N, K, 0 if bias is None else bias.ctypes.data, ACTIVATIONS[activation], work
    problem = *_place(a), *_place(b), *_place(out)[:3], *sizes
    run_on(threads, gemm_batch, problem, np.float32(alpha), np.float32(beta))
    if out is not given:
        given[...] = out
    return given


def product(x: Any, y: Any) -> Any:
    """``x @ y`` of float32 matrices that fit together: :func:`matmul` with few questions asked."""
    (xi, xk), (yk, yj) = x.strides, y.strides
    if (xi | xk | yk | yj) % FLOAT:
        return matmul(x, y)
    M, N = x.shape[0], y.shape[1]
    threads = threads_for(2.0 * M * N * x.shape[1])
    out = np.empty((M, N), np.float32)
    run_on(threads, _product(), x, y, out, scratch(WORK * threads))
    return out


@functools.cache
def _product() -> Any:
    """:func:`product_of`, compiled once for matrices in any strides."""
    given = types.Array(types.float32, 2, "A", readonly=True)
    made = types.Array(types.float32, 2, "C")
    with gate.lock:  # other threads may come at the same time
        if not product_of.signatures:
            product_of.compile((given, given, made, types.intp, types.intp))
            product_of.disable_compile()
    return product_of


def _place(x: Any) -> tuple[int, ...]:
    """Address and strides in floats (batch, row, column) of a matrix or a batch."""
    strides = [s // FLOAT for s in x.strides]
    return (x.ctypes.data, *([0] * (3 - x.ndim)), *strides)


def _result_shape(a: Any, b: Any) -> tuple[int, ...]:
    if not (2 <= a.ndim <= 3 and 2 <= b.ndim <= 3):
        raise ShapeError("matmul: two or three dimensions", got=f"{a.shape} @ {b.shape}")
    batches = {x.shape[0] for x in (a, b) if x.ndim == 3}
    if a.shape[-1] != b.shape[-2] or len(batches) > 1:
        raise ShapeError("matmul: sizes differ", got=f"{a.shape} @ {b.shape}")
    return (*batches, a.shape[-2], b.shape[-1])


def _check(a: Any, b: Any, out: Any, shape: Any, bias: Any, activation: Any) -> None:
    arrays = [a, b, out] if bias is None else [a, b, out, bias]
    if any(x.dtype != np.float32 for x in arrays):
        got = ", ".join(str(x.dtype) for x in arrays)
        raise DTypeError("matmul: the kernel multiplies float32", got=got)
    if out.shape != shape:
        raise ShapeError("matmul: out has another shape", got=out.shape, expected=shape)
    if bias is not None and bias.shape != shape[-1:]:
        raise ShapeError("matmul: one bias a column", got=bias.shape, expected=shape[-1:])
    if activation not in ACTIVATIONS:
        raise ArgumentError(
            f"matmul: no activation {activation!r}",
            expected=", ".join(filter(None, ACTIVATIONS)),
            fix=did_you_mean(str(activation), filter(None, ACTIVATIONS)),
        )
