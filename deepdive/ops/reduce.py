"""Operators that summarise axes: sums, means, extremes, and running sums."""

from __future__ import annotations

from typing import Any

from deepdive.core.operator import Operator, register

Dim = int | tuple[int, ...] | None


def spread(xp: Any, grad: Any, dim: Dim, keepdim: bool, shape: tuple[int, ...]) -> Any:
    """Give a reduced array its axes back, broadcast to `shape`."""
    if not keepdim and dim is not None:
        reduced = _dims(dim, len(shape))
        sizes = tuple(1 if i in reduced else n for i, n in enumerate(shape))
        grad = xp.reshape(grad, sizes)
    return xp.broadcast_to(grad, shape)


@register
class Sum(Operator):
    """``Σ x`` over the axes `dim` (all when None)."""

    dim: Dim = None
    keepdim: bool = False

    def forward(self, xp, x):
        return xp.sum(x, axis=self.dim, keepdims=self.keepdim)

    def backward(self, xp, grad, x_shape):
        return spread(xp, grad, self.dim, self.keepdim, x_shape)


@register
class Mean(Operator):
    """``Σ x / n`` over the axes `dim`."""

    promotes = "float"
    dim: Dim = None
    keepdim: bool = False

    def forward(self, xp, x):
        return xp.mean(x, axis=self.dim, keepdims=self.keepdim)

    def backward(self, xp, grad, x_shape):
        count = _size(x_shape, _dims(self.dim, len(x_shape)))
        return spread(xp, grad / max(count, 1), self.dim, self.keepdim, x_shape)


@register("amax")
class Amax(Operator):
    """The largest element along `dim`; equal ones share the gradient evenly."""

    dim: Dim = None
    keepdim: bool = False

    def forward(self, xp, x):
        return xp.max(x, axis=self.dim, keepdims=self.keepdim)

    def backward(self, xp, grad, x, out):
        return share_ties(xp, grad, x, out, self.dim, self.keepdim)


@register("amin")
class Amin(Operator):
    """The smallest element along `dim`; equal ones share the gradient evenly."""

    dim: Dim = None
    keepdim: bool = False

    def forward(self, xp, x):
        return xp.min(x, axis=self.dim, keepdims=self.keepdim)

    def backward(self, xp, grad, x, out):
        return share_ties(xp, grad, x, out, self.dim, self.keepdim)


def share_ties(xp: Any, grad: Any, x: Any, out: Any, dim: Dim, keepdim: bool) -> Any:
    """The gradient of an extreme, split among all elements that attain it."""
    top = spread(xp, out, dim, keepdim, x.shape)
    hit = xp.astype(x == top, grad.dtype)
    count = xp.sum(hit, axis=dim, keepdims=True)
    slope = spread(xp, grad, dim, keepdim, x.shape)
    return hit / count * slope


@register("argmax")
class Argmax(Operator):
    """The index of the largest element along `dim`, of the flattened array when None."""

    dim: int | None = None
    keepdim: bool = False

    def forward(self, xp, x):
        return xp.argmax(x, axis=self.dim, keepdims=self.keepdim)


@register("argmin")
class Argmin(Operator):
    """The index of the smallest element along `dim`, of the flattened array when None."""

    dim: int | None = None
    keepdim: bool = False

    def forward(self, xp, x):
        return xp.argmin(x, axis=self.dim, keepdims=self.keepdim)


@register("all")
class All(Operator):
    """Whether all elements along `dim` are non-zero."""

    dim: Dim = None
    keepdim: bool = False

    def forward(self, xp, x):
        return xp.all(x, axis=self.dim, keepdims=self.keepdim)


@register("any")
class Any_(Operator):
    """Whether some element along `dim` is non-zero."""

    dim: Dim = None
    keepdim: bool = False

    def forward(self, xp, x):
        return xp.any(x, axis=self.dim, keepdims=self.keepdim)


@register
class Prod(Operator):
    """``Π x`` over `dim`; right also where factors are zero."""

    dim: Dim = None
    keepdim: bool = False

    def forward(self, xp, x):
        return xp.prod(x, axis=self.dim, keepdims=self.keepdim)

    def backward(self, xp, grad, x):
        grad = spread(xp, grad, self.dim, self.keepdim, x.shape)
        return grad * product_of_others(xp, x, self.dim)


def product_of_others(xp: Any, x: Any, dim: Dim) -> Any:
    """For each element the product of all others along `dim`: prefix times suffix products."""
    rank = len(x.shape)
    dims = _dims(dim, rank)
    rest = tuple(i for i in range(rank) if i not in dims)
    order = (*rest, *dims)
    moved = xp.permute_dims(x, order)
    lead = tuple(x.shape[i] for i in rest)
    count = _size(x.shape, dims)
    flat = xp.reshape(moved, (*lead, count))
    reverse = xp.flip(flat, axis=-1)
    before = _products_before(xp, flat)
    behind = _products_before(xp, reverse)
    after = xp.flip(behind, axis=-1)
    others = xp.reshape(before * after, moved.shape)
    back = tuple(order.index(i) for i in range(rank))
    return xp.permute_dims(others, back)


def _products_before(xp: Any, flat: Any) -> Any:
    """For each element the product of those before it along the last axis."""
    first = flat[..., :1]
    ones = xp.ones(first.shape, flat.dtype)
    shifted = xp.concat((ones, flat[..., :-1]), axis=-1)
    return xp.cumulative_prod(shifted, axis=-1)


def _dims(dim: Dim, rank: int) -> tuple[int, ...]:
    """The axes `dim` means, counted from the front; all of them for None."""
    if dim is None:
        return tuple(range(rank))
    dims = dim if isinstance(dim, tuple) else (dim,)
    return tuple(d % rank for d in dims) if rank else ()


def _size(shape: tuple[int, ...], dims: tuple[int, ...]) -> int:
    out = 1
    for d in dims:
        out *= shape[d]
    return out


@register("cumsum", word="cumulative_sum")
class Cumsum(Operator):
    """Running sums ``Σ_{j≤i} x_j`` along `dim`."""

    dim: int

    def forward(self, xp, x):
        return xp.cumulative_sum(x, axis=self.dim)

    def backward(self, xp, grad):
        if not grad.shape:
            return grad
        reverse = xp.flip(grad, axis=self.dim)
        return xp.flip(xp.cumulative_sum(reverse, axis=self.dim), axis=self.dim)


@register("cumprod", word="cumulative_prod")
class Cumprod(Operator):
    """Running products ``Π_{j≤i} x_j`` along `dim`; right also where factors are zero."""

    dim: int

    def forward(self, xp, x):
        return xp.cumulative_prod(x, axis=self.dim)

    def backward(self, xp, grad, x):
        # dL/dx_k = Σ_{i≥k} g_i Π_{j≤i, j≠k} x_j, built one k at a time: zeros need no division
        d = self.dim % max(len(x.shape), 1)
        lead = (slice(None),) * d
        before = None
        slopes = []
        count = x.shape[d] if x.shape else 0
        for k in range(count):
            here, beyond, onward = slice(k, k + 1), slice(k + 1, None), slice(k, None)
            factor = x[(*lead, here)]
            rest = x[(*lead, beyond)]
            run = xp.concat((factor * 0 + 1, rest), axis=d)
            run = xp.cumulative_prod(run, axis=d)
            part = grad[(*lead, onward)] * run
            if before is not None:
                part = part * before
            slopes.append(xp.sum(part, axis=d, keepdims=True))
            before = factor if before is None else before * factor
        return xp.concat(slopes, axis=d) if slopes else grad


@register("logsumexp")
class LogSumExp(Operator):
    """``log Σ eˣ`` over `dim`, without overflow; its slope is the softmax."""

    promotes = "float"
    dim: Dim
    keepdim: bool = False

    def forward(self, xp, x):
        return xp.logsumexp(x, axis=self.dim, keepdims=self.keepdim)

    def backward(self, xp, grad, x, out):
        total = spread(xp, out, self.dim, self.keepdim, x.shape)
        slope = spread(xp, grad, self.dim, self.keepdim, x.shape)
        return slope * xp.exp(x - total)
