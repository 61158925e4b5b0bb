"""Sums, means, norms and running extremes in all of PyTorch's call forms; algebra on reductions."""

from __future__ import annotations

import math
from typing import Any

from deepdive.core.operator import Operator, derive, further_arguments
from deepdive.core.tensor import Tensor
from deepdive.errors import ArgumentError, ShapeError
from deepdive.ops.arithmetic import as_tensor, floating
from deepdive.ops.compare import IsNan
from deepdive.ops.convert import AsType
from deepdive.ops.elementwise import Abs, LogAddExp, Mul, Pow, Where
from deepdive.ops.extremes import Extreme
from deepdive.ops.reduce import (
    Amax,
    Amin,
    Cumprod,
    Cumsum,
    Dim,
    Mean,
    Prod,
    Sum,
    _dims,
    _size,
)
from deepdive.ops.shape import Cat, axis_of


def converted(x: Any, dtype: Any) -> Tensor:
    """`x` in another dtype, if one is given; in integers too, where no gradient passes."""
    x = as_tensor(x)
    return x if dtype is None else x.to(dtype)


def axes_of(dim: Any) -> Dim:
    """One axis or several; no axes at all mean every one, as in PyTorch."""
    if isinstance(dim, list):
        dim = tuple(dim)
    return None if dim == () else dim


# --- with a dtype to compute in ----------------------------------------------------------------
def _computed_in(dtype: Any, operator: Any, x: Any) -> Tensor:
    """The operator on `x` in `dtype`, and its result, which sums of small integers widen."""
    return converted(operator(converted(x, dtype)), dtype)


@further_arguments(Sum)
def _sum(
    x: Any, dim: Dim = None, keepdim: bool = False, *, dtype: Any = None, axis: Dim = None
) -> Tensor:
    """``Σ x`` over the axes `dim`, computed in `dtype`; NumPy's ``axis=()`` means no axis."""
    dim = axes_of(dim) if axis is None else axis
    return _computed_in(dtype, Sum(dim, keepdim), x)


@further_arguments(Mean)
def _mean(
    x: Any, dim: Dim = None, keepdim: bool = False, *, dtype: Any = None, axis: Dim = None
) -> Tensor:
    """``Σ x / n`` over the axes `dim`, computed in `dtype`; NumPy's ``axis=()`` means no axis."""
    dim = axes_of(dim) if axis is None else axis
    return _computed_in(dtype, Mean(dim, keepdim), x)


@further_arguments(Prod)
def _prod(x: Any, dim: Dim = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """``Π x`` over the axes `dim`, computed in `dtype`."""
    return _computed_in(dtype, Prod(dim, keepdim), x)


@further_arguments(Cumsum)
def _cumsum(x: Any, dim: int, *, dtype: Any = None) -> Tensor:
    """Running sums along `dim`, computed in `dtype`."""
    return _computed_in(dtype, Cumsum(dim), x)


@further_arguments(Cumprod)
def _cumprod(x: Any, dim: int, *, dtype: Any = None) -> Tensor:
    """Running products along `dim`, computed in `dtype`."""
    return _computed_in(dtype, Cumprod(dim), x)


# --- passing over NaN, counting ----------------------------------------------------------------
@derive("nansum")
def nansum(x: Any, dim: Dim = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The sum over `dim` with 0 for NaN."""
    x = as_tensor(x)
    return _computed_in(dtype, Sum(axes_of(dim), keepdim), Where()(IsNan()(x), 0, x))


@derive("nanmean")
def nanmean(x: Any, dim: Dim = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The mean over `dim` of what is no NaN."""
    x = floating(converted(x, dtype))
    count: Any = Sum(axes_of(dim), keepdim)(x == x)
    return nansum(x, dim, keepdim) / count


@derive("count_nonzero")
def count_nonzero(x: Any, dim: Dim = None) -> Tensor:
    """How many elements are not 0, along `dim` or altogether."""
    return Sum(axes_of(dim))(as_tensor(x) != 0)


class MinMax(tuple):
    """``min, max``, as :func:`aminmax` returns them."""

    min = property(lambda self: self[0])
    max = property(lambda self: self[1])

    def __repr__(self) -> str:
        return f"min={self[0]!r},\nmax={self[1]!r}"


@derive("aminmax")
def aminmax(x: Any, *, dim: int | None = None, keepdim: bool = False) -> MinMax:
    """The smallest and the largest element along `dim`."""
    return MinMax((Amin(dim, keepdim)(x), Amax(dim, keepdim)(x)))


# --- the spread --------------------------------------------------------------------------------
@derive("var")
def var(
    x: Any,
    dim: Any = None,
    unbiased: bool = True,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Tensor:
    """``Σ (x - mean)² / (n - correction)``; correction 1, or 0 if `unbiased` is False.

    The forms are PyTorch's: ``var(x, False)``, ``var(x, dim, unbiased, keepdim)`` and
    ``var(x, dim, correction=…)``.
    """
    return _moments(x, dim, unbiased, keepdim, correction)[0]


@derive("std")
def std(
    x: Any,
    dim: Any = None,
    unbiased: bool = True,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Tensor:
    """The square root of :func:`var`, with the same arguments."""
    return Deviation()(_moments(x, dim, unbiased, keepdim, correction)[0])


@derive("var_mean", method=False)
def var_mean(
    x: Any,
    dim: Any = None,
    unbiased: bool = True,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> tuple[Tensor, Tensor]:
    """:func:`var` and the mean, with the same arguments."""
    return _moments(x, dim, unbiased, keepdim, correction)


@derive("std_mean", method=False)
def std_mean(
    x: Any,
    dim: Any = None,
    unbiased: bool = True,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> tuple[Tensor, Tensor]:
    """:func:`std` and the mean, with the same arguments."""
    spread, mean = _moments(x, dim, unbiased, keepdim, correction)
    return Deviation()(spread), mean


def _moments(
    x: Any, dim: Any, unbiased: bool, keepdim: bool, correction: float | None
) -> tuple[Tensor, Tensor]:
    """The variance and the mean."""
    x = floating(x)
    if isinstance(dim, bool):  # var(x, unbiased)
        dim, unbiased = None, dim
    dim = axes_of(dim)
    correction = int(unbiased) if correction is None else correction
    mean: Any = Mean(dim, True)(x)
    centred: Any = x - mean
    total: Any = Sum(dim, keepdim)(centred * centred)
    rest = _size(x.shape, _dims(dim, x.ndim)) - correction
    out = total / rest if rest > 0 else total * math.inf  # 0 · ∞ is NaN
    return out, mean if keepdim else Mean(dim)(x)


class Deviation(Operator):
    """``√x`` for a variance; its slope where all values were equal is taken as 0."""

    def forward(self, xp, x):
        return xp.sqrt(x)

    def backward(self, xp, grad, out):
        flat = out == 0
        safe = xp.where(flat, 1.0, out)
        slope = 0.5 * grad / safe
        return xp.where(flat, 0.0, slope)


# --- lengths -----------------------------------------------------------------------------------
@derive("norm")
def norm(
    x: Any, p: Any = "fro", dim: Any = None, keepdim: bool = False, dtype: Any = None
) -> Tensor:
    """``(Σ |x|^p)^(1/p)`` over the axes `dim`: the length of a vector, however it is arranged.

    ``p`` is a number, ±∞ for the largest and smallest size, 0 for the count of non-zeros,
    ``"fro"`` for 2; the slope at a length of 0 is taken as 0.

    Raises:
        ArgumentError: for another `p`; that of singular values is ``linalg.matrix_norm(x, "nuc")``.

    >>> import deepdive as dd
    >>> dd.norm(dd.tensor([3.0, 4.0]))
    tensor(5.)
    """
    x = floating(converted(x, dtype))
    dim = axes_of(dim)
    if p is None or p == "fro":
        p = 2
    if isinstance(p, str):
        raise ArgumentError(
            "norm: unknown p", got=repr(p), expected="a number, 'fro', inf", fix=NUCLEAR
        )
    if p == 0:
        return AsType(x.dtype)(Sum(dim, keepdim)(x != 0))
    size = Abs()(x)
    if p == math.inf:
        return Amax(dim, keepdim)(size)
    if p == -math.inf:
        return Amin(dim, keepdim)(size)
    if p == 1:
        return Sum(dim, keepdim)(size)
    if p == 2:
        return Deviation()(Sum(dim, keepdim)(Mul()(x, x)))
    return _power_norm(size, float(p), dim, keepdim)


NUCLEAR = "for the sum of singular values use deepdive.linalg.matrix_norm(x, 'nuc')"


def _power_norm(size: Tensor, p: float, dim: Dim, keepdim: bool) -> Tensor:
    """Zeros stand aside, where a power's slope may be infinite: theirs is taken as 0."""
    zero: Any = size == 0
    powers = Where()(zero, 0.0 if p > 0 else math.inf, Pow()(Where()(zero, 1.0, size), p))
    total: Any = Sum(dim, keepdim)(powers)
    none = total == 0
    return Where()(none, 0.0, Pow()(Where()(none, 1.0, total), 1 / p))


@derive("trace")
def trace(x: Tensor) -> Tensor:
    """``Σ x[i, i]`` of a matrix.

    Raises:
        ShapeError: unless x has two axes.
    """
    if x.ndim != 2:
        raise ShapeError("trace: of a matrix", got=tuple(x.shape), expected="two axes")
    return Sum()(x.diagonal())


# --- running along an axis ---------------------------------------------------------------------
@derive("logcumsumexp")
def logcumsumexp(x: Any, dim: int) -> Tensor:
    """``log Σ_{j≤i} e^(x_j)`` along `dim`, without overflow.

    Each round adds to every element what stands 1, 2, 4, … places before it.
    """
    x = floating(x)
    if not x.ndim and dim in (0, -1):
        return x.clone()
    d = axis_of("logcumsumexp", dim, x)
    lead = (slice(None),) * d
    step = 1
    while step < x.shape[d]:
        ahead = LogAddExp()(x[(*lead, slice(step, None))], x[(*lead, slice(-step))])
        x = Cat(d)(x[(*lead, slice(step))], ahead)
        step *= 2
    return x


class RunningExtreme(Operator):
    """Where the largest (or smallest) element up to each place along `dim` stands.

    Of equal ones the last; a NaN stays.  In rounds, as :func:`logcumsumexp`.
    """

    dim: int
    largest: bool = True

    def forward(self, xp, x):
        places = xp.arange(x.shape[self.dim])
        places = xp.reshape(places, (-1,) + (1,) * (len(x.shape) - 1 - self.dim))
        places = xp.broadcast_to(places, x.shape)
        step = 1
        while step < x.shape[self.dim]:
            x, places = self._round(xp, x, places, step)
            step *= 2
        return places

    def _round(self, xp, x, places, step):
        lead = (slice(None),) * self.dim
        head, here, back = (
            (*lead, part) for part in (slice(step), slice(step, None), slice(-step))
        )
        new, old = x[here], x[back]
        stays = new >= old if self.largest else new <= old
        stays = xp.logical_or(stays, new != new)  # a NaN goes before all,
        values, at = xp.where(stays, new, old), xp.where(stays, places[here], places[back])
        return xp.concat((x[head], values), self.dim), xp.concat((places[head], at), self.dim)


@derive("cummax")
def cummax(x: Any, dim: int) -> Extreme:
    """The largest element up to each place along `dim`, and its index: ``values, indices``."""
    return _running("cummax", x, dim, True)


@derive("cummin")
def cummin(x: Any, dim: int) -> Extreme:
    """The smallest element up to each place along `dim`, and its index: ``values, indices``."""
    return _running("cummin", x, dim, False)


def _running(name: str, x: Any, dim: int, largest: bool) -> Extreme:
    x = as_tensor(x)
    if not x.ndim and dim in (0, -1):
        return Extreme(x.clone(), (x != x).long() * 0)
    d = axis_of(name, dim, x)
    indices = RunningExtreme(d, largest)(x.detach())
    return Extreme(x.take_along_dim(indices, d), indices)
