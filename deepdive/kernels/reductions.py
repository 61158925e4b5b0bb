"""Softmax, cross entropy, layer norm and batch norm, forward and backward, a row at a time.

Each is a function of a few rows on the calling thread (``…_rows``, to call in compiled functions),
a parallel loop over them, and a Python function that checks, makes room and runs it.  A row stays
in the first cache from its first reading to its last, so that memory is read and written once.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import float32 as f
from numba import prange

from deepdive.errors import DTypeError, ShapeError
from deepdive.kernels.jit import gate, kernel, run
from deepdive.kernels.vector import at, largest
from deepdive.kernels.vector_math import erf, exp, log

COST = 10.0  # flops that an element counts as, when threads are weighed


@kernel
def part(worker, threads, n):
    """The share of `n` tasks that a worker does: first, last + 1."""
    return worker * n // threads, (worker + 1) * n // threads


@kernel
def erf_part(x, out, first, last):
    """The error function of numbers `first` to `last`."""
    for i in range(first, last):
        out[i] = erf(x[i])


@kernel(parallel=True)
def erf_all(x, out, threads):
    if threads == 1:
        erf_part(x, out, 0, len(x))
    else:
        for worker in prange(threads):
            first, last = part(worker, threads, len(x))
            erf_part(x, out, first, last)


@kernel
def softmax_rows(x, out, first, last, logarithm):
    """``e^(x - m) / sum``, or its logarithm ``x - m - log(sum)``, for rows `first` to `last`."""
    for i in range(first, last):
        row, y = x[i], out[i]
        m, total = largest(at(row), row.size), f(0)
        if logarithm:
            for j in range(row.size):
                total += exp(row[j] - m)
            shift = log(total)
            for j in range(row.size):
                y[j] = (row[j] - m) - shift
        else:
            for j in range(row.size):
                e = exp(row[j] - m)
                y[j] = e
                total += e
            scale = f(1) / total
            for j in range(row.size):
                y[j] *= scale


@kernel(parallel=True)
def softmax_all(x, out, logarithm, threads):
    if threads == 1:
        softmax_rows(x, out, 0, len(x), logarithm)
    else:
        for worker in prange(threads):
            first, last = part(worker, threads, len(x))
            softmax_rows(x, out, first, last, logarithm)


@kernel
def softmax_grad_rows(dy, y, dx, first, last, logarithm):
    """``y (dy - sum(y dy))``; of log-softmax, ``dy - e^y sum(dy)``."""
    for i in range(first, last):
        g, out, d = dy[i], y[i], dx[i]
        total = f(0)
        if logarithm:
            for j in range(g.size):
                total += g[j]
            for j in range(g.size):
                d[j] = g[j] - exp(out[j]) * total
        else:
            for j in range(g.size):
                total += g[j] * out[j]
            for j in range(g.size):
                d[j] = out[j] * (g[j] - total)


@kernel(parallel=True)
def softmax_grad_all(dy, y, dx, logarithm, threads):
    if threads == 1:
        softmax_grad_rows(dy, y, dx, 0, len(y), logarithm)
    else:
        for worker in prange(threads):
            first, last = part(worker, threads, len(y))
            softmax_grad_rows(dy, y, dx, first, last, logarithm)


@kernel
def cross_entropy_rows(x, target, loss, dx, scale, first, last):
    """``loss = log(sum e^x) - x[target]`` and ``dx = scale (softmax(x) - one_hot)``, in one go.

    A target outside the classes counts for nothing.
    """
    for i in range(first, last):
        row, d, t = x[i], dx[i], target[i]
        if t < 0 or t >= row.size:
            loss[i] = f(0)
            d[:] = f(0)
            continue
        m, total = largest(at(row), row.size), f(0)
        for j in range(row.size):
            e = exp(row[j] - m)
            d[j] = e
            total += e
        loss[i] = log(total) - (row[t] - m)
        factor = scale / total
        for j in range(row.size):
            d[j] *= factor
        d[t] -= scale


@kernel(parallel=True)
def cross_entropy_all(x, target, loss, dx, scale, threads):
    if threads == 1:
        cross_entropy_rows(x, target, loss, dx, scale, 0, len(x))
    else:
        for worker in prange(threads):
            first, last = part(worker, threads, len(x))
            cross_entropy_rows(x, target, loss, dx, scale, first, last)


@kernel
def layer_norm_rows(x, g, b, eps, out, mean, rstd, first, last):
    """``(x - mean) rstd g + b`` a row, with ``rstd = 1 / sqrt(variance + eps)``; two passes."""
    for i in range(first, last):
        row, y = x[i], out[i]
        n, total = f(row.size), f(0)
        for j in range(row.size):
            total += row[j]
        mu, square = total / n, f(0)
        for j in range(row.size):
            d = row[j] - mu
            square += d * d
        r = f(1) / math.sqrt(square / n + eps)
        for j in range(row.size):
            y[j] = (row[j] - mu) * r * g[j] + b[j]
        mean[i], rstd[i] = mu, r


@kernel(parallel=True)
def layer_norm_all(x, g, b, eps, out, mean, rstd, threads):
    if threads == 1:
        layer_norm_rows(x, g, b, eps, out, mean, rstd, 0, len(x))
    else:
        for worker in prange(threads):
            first, last = part(worker, threads, len(x))
            layer_norm_rows(x, g, b, eps, out, mean, rstd, first, last)


@kernel
def layer_norm_grad_rows(
    dy,
    x,
    g,
    mean,
    rstd,
    dx,
    dg,
    db,
    first,
    last,
):
    """``dx = rstd (g dy - mean(g dy) - h mean(g dy h))``, h the normalised row; adds to dg, db."""
    for i in range(first, last):
        row, e, d, mu, r = x[i], dy[i], dx[i], mean[i], rstd[i]
        a, c = f(0), f(0)
        for j in range(row.size):
            h, t = (row[j] - mu) * r, e[j] * g[j]
            a += t
            c += t * h
            dg[j] += e[j] * h
            db[j] += e[j]
        a /= f(row.size)
        c /= f(row.size)
        for j in range(row.size):
            h = (row[j] - mu) * r
            d[j] = (e[j] * g[j] - a - h * c) * r


@kernel(parallel=True)
def layer_norm_grad_all(dy, x, g, mean, rstd, dx, dg, db, threads):
    if threads == 1:
        layer_norm_grad_rows(
            dy,
            x,
            g,
            mean,
            rstd,
            dx,
            dg[0],
            db[0],
            0,
            len(x),
        )
    else:
        for worker in prange(threads):
            first, last = part(worker, threads, len(x))
            layer_norm_grad_rows(
                dy,
                x,
                g,
                mean,
                rstd,
                dx,
                dg[worker],
                db[worker],
                first,
                last,
            )


@kernel
def batch_norm_channels(x, g, b, eps, out, mean, rstd, first, last):
    """Normalise channels of x (B, C, S) by their own mean and variance, found in two passes."""
    n = f(x.shape[0] * x.shape[2])
    for c in range(first, last):
        total, square = f(0), f(0)
        for i in range(x.shape[0]):
            row, part_sum = x[i, c], f(0)
            for j in range(row.size):
                part_sum += row[j]
            total += part_sum
        mu = total / n
        for i in range(x.shape[0]):
            row, part_sum = x[i, c], f(0)
            for j in range(row.size):
                d = row[j] - mu
                part_sum += d * d
            square += part_sum
        r = f(1) / math.sqrt(square / n + eps)
        mean[c], rstd[c] = mu, r
        scale = g[c] * r
        shift = b[c] - mu * scale
        for i in range(x.shape[0]):
            row, y = x[i, c], out[i, c]
            for j in range(row.size):
                y[j] = row[j] * scale + shift


@kernel(parallel=True)
def batch_norm_all(x, g, b, eps, out, mean, rstd, threads):
    if threads == 1:
        batch_norm_channels(x, g, b, eps, out, mean, rstd, 0, x.shape[1])
    else:
        for worker in prange(threads):
            first, last = part(worker, threads, x.shape[1])
            batch_norm_channels(x, g, b, eps, out, mean, rstd, first, last)


@kernel
def batch_norm_grad_channels(
    dy,
    x,
    g,
    mean,
    rstd,
    dx,
    dg,
    db,
    first,
    last,
):
    """As in layer norm, a channel being the row: ``g rstd (dy - mean(dy) - h mean(dy h))``."""
    n = f(x.shape[0] * x.shape[2])
    for c in range(first, last):
        mu, r, a, q = mean[c], rstd[c], f(0), f(0)
        for i in range(x.shape[0]):
            row, e, part_a, part_q = x[i, c], dy[i, c], f(0), f(0)
            for j in range(row.size):
                part_a += e[j]
                part_q += e[j] * (row[j] - mu)
            a += part_a
            q += part_q
        db[c], dg[c] = a, q * r
        scale = g[c] * r
        slope = scale * q * r * r / n
        shift = slope * mu - scale * a / n
        for i in range(x.shape[0]):
            row, e, d = x[i, c], dy[i, c], dx[i, c]
            for j in range(row.size):
                d[j] = e[j] * scale - row[j] * slope + shift


@kernel(parallel=True)
def batch_norm_grad_all(dy, x, g, mean, rstd, dx, dg, db, threads):
    if threads == 1:
        batch_norm_grad_channels(
            dy,
            x,
            g,
            mean,
            rstd,
            dx,
            dg,
            db,
            0,
            x.shape[1],
        )
    else:
        for worker in prange(threads):
            first, last = part(worker, threads, x.shape[1])
            batch_norm_grad_channels(
                dy,
                x,
                g,
                mean,
                rstd,
                dx,
                dg,
                db,
                first,
                last,
            )


def _rows(name: str, x: Any) -> Any:
    """`x` as contiguous float32 rows: (R, n)."""
    if x.dtype != np.float32:
        raise DTypeError(f"{name}: the kernel works on float32", got=x.dtype)
    if x.ndim < 1 or x.shape[-1] == 0:
        raise ShapeError(f"{name}: rows of at least one element", got=x.shape)
    return np.ascontiguousarray(x).reshape(-1, x.shape[-1])


def _same(name: str, x: Any, y: Any) -> None:
    if x.shape != y.shape:
        raise ShapeError(f"{name}: shapes differ", got=f"{x.shape} and {y.shape}")


def softmax(x: Any, *, logarithm: bool = False) -> Any:
    """Softmax (or its logarithm) over the last axis.

    >>> softmax(np.zeros((1, 4), "f"))
    array([[0.25, 0.25, 0.25, 0.25]], dtype=float32)
    """
    rows = _rows("softmax", x)
    out = np.empty_like(rows)
    run(softmax_all, rows, out, logarithm, work=COST * x.size)
    return out.reshape(x.shape)


def softmax_grad(dy: Any, y: Any, *, logarithm: bool = False) -> Any:
    """The gradient of :func:`softmax`'s input, from its output `y`."""
    _same("softmax_grad", dy, y)
    dy, y, shape = _rows("softmax_grad", dy), _rows("softmax_grad", y), y.shape
    dx = np.empty_like(y)
    run(softmax_grad_all, dy, y, dx, logarithm, work=COST * y.size)
    return dx.reshape(shape)


def cross_entropy(x: Any, target: Any, scale: float | None = None) -> tuple[Any, Any]:
    """Losses (R,) of logits (R, n) for class indices (R,), and their gradient times `scale`.

    `scale` is 1 / R by default, as for the mean loss; a target outside the classes is ignored.
    """
    x = _rows("cross_entropy", x)
    target = np.ascontiguousarray(target, np.int64)
    if target.shape != (len(x),):
        raise ShapeError("cross_entropy: one class a row", got=target.shape, expected=(len(x),))
    loss, dx = np.empty(len(x), np.float32), np.empty_like(x)
    factor = np.float32(1 / max(len(x), 1) if scale is None else scale)
    run(cross_entropy_all, x, target, loss, dx, factor, work=COST * x.size)
    return loss, dx


def layer_norm(x: Any, g: Any, b: Any, eps: float = 1e-5) -> tuple[Any, Any, Any]:
    """``(x - mean) / sqrt(variance + eps) * g + b`` over the last axis; also mean and 1 / sqrt."""
    rows = _rows("layer_norm", x)
    _same("layer_norm", rows[:1].reshape(-1) if len(rows) else g, g)
    _same("layer_norm", g, b)
    out, mean = np.empty_like(rows), np.empty(len(rows), np.float32)
    rstd = np.empty_like(mean)
    run(layer_norm_all, rows, g, b, np.float32(eps), out, mean, rstd, work=COST * x.size)
    return out.reshape(x.shape), mean, rstd


def layer_norm_grad(dy: Any, x: Any, g: Any, mean: Any, rstd: Any) -> tuple[Any, Any, Any]:
    """Gradients of :func:`layer_norm`: dx, dg, db."""
    _same("layer_norm_grad", dy, x)
    dy, rows = _rows("layer_norm_grad", dy), _rows("layer_norm_grad", x)
    dg = np.zeros((gate.threads(), rows.shape[1]), np.float32)
    dx, db = np.empty_like(rows), np.zeros_like(dg)
    run(
        layer_norm_grad_all,
        dy,
        rows,
        g,
        mean,
        rstd,
        dx,
        dg,
        db,
        work=COST * x.size,
    )
    return dx.reshape(x.shape), dg.sum(0), db.sum(0)


def _channels(name: str, x: Any) -> Any:
    """`x` (B, C, ...) as contiguous float32 (B, C, S)."""
    if x.dtype != np.float32:
        raise DTypeError(f"{name}: the kernel works on float32", got=x.dtype)
    if x.ndim < 2 or x.size == 0:
        raise ShapeError(f"{name}: (B, C, ...), not empty", got=x.shape)
    return np.ascontiguousarray(x).reshape(*x.shape[:2], -1)


def batch_norm(x: Any, g: Any, b: Any, eps: float = 1e-5) -> tuple[Any, Any, Any]:
    """Normalise each channel of (B, C, ...) by its batch mean and variance; also mean, 1 / sqrt."""
    planes = _channels("batch_norm", x)
    _same("batch_norm", planes[0, :, 0], g)
    _same("batch_norm", g, b)
    out, mean, rstd = np.empty_like(planes), np.empty_like(g), np.empty_like(g)
    run(batch_norm_all, planes, g, b, np.float32(eps), out, mean, rstd, work=COST * x.size)
    return out.reshape(x.shape), mean, rstd


def batch_norm_grad(dy: Any, x: Any, g: Any, mean: Any, rstd: Any) -> tuple[Any, Any, Any]:
    """Gradients of :func:`batch_norm`: dx, dg, db."""
    _same("batch_norm_grad", dy, x)
    dy, planes = _channels("batch_norm_grad", dy), _channels("batch_norm_grad", x)
    dx, dg, db = np.empty_like(planes), np.empty_like(g), np.empty_like(g)
    run(
        batch_norm_grad_all,
        dy,
        planes,
        g,
        mean,
        rstd,
        dx,
        dg,
        db,
        work=COST * x.size,
    )
    return dx.reshape(x.shape), dg, db
