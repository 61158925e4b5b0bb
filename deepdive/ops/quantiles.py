"""Medians, modes and quantiles: what is read from a sorted array.

NaN counts as larger than every number, as in PyTorch.
"""

from __future__ import annotations

import math
from typing import Any

from deepdive import dtypes
from deepdive.core.operator import Operator, derive
from deepdive.core.tensor import Tensor
from deepdive.errors import ArgumentError, ShapeError
from deepdive.ops.arithmetic import as_tensor, floating
from deepdive.ops.compare import IsNan
from deepdive.ops.elementwise import Where
from deepdive.ops.extremes import Extreme
from deepdive.ops.reduce import share_ties
from deepdive.ops.shape import axis_of
from deepdive.ops.sorting import lined, order_of, taken


# --- medians and modes -------------------------------------------------------------------------
class Chosen(Operator):
    """A value that was chosen from all of `x`: equal elements share its gradient."""

    def forward(self, xp, x, value):
        return xp.copy(value)

    def backward(self, xp, grad, x, out):
        return share_ties(xp, grad, x, out, None, False), None


@derive("median")
def median(
    x: Any,
    dim: int | None = None,
    keepdim: bool = False,
) -> Any:
    """The middle element, the lower of two: of all, or ``values, indices`` along `dim`.

    NaN if one is among them; equal ones share the gradient of the median of all.

    >>> import deepdive as dd
    >>> dd.median(dd.tensor([4.0, 1.0, 3.0, 2.0]))
    tensor(2.)
    """
    return _median("median", x, dim, keepdim, skip=False)


@derive("nanmedian")
def nanmedian(
    x: Any,
    dim: int | None = None,
    keepdim: bool = False,
) -> Any:
    """:func:`median` of what is no NaN."""
    return _median("nanmedian", x, dim, keepdim, skip=True)


def _median(
    name: str,
    x: Any,
    dim: int | None,
    keepdim: bool,
    skip: bool,
) -> Any:
    x = as_tensor(x)
    if dim is None:
        flat: Any = x.detach().reshape(-1)
        if not flat.shape[0] and x.is_floating_point():
            return flat.sum() * math.nan
        return Chosen()(x, _median(name, flat, 0, False, skip)[0].reshape(()))
    x, number = lined(x)
    d = axis_of(name, dim, x)
    if not x.shape[d]:
        raise ShapeError(f"{name}: nothing to choose from", got=f"axis {d} of {tuple(x.shape)}")
    order: Any = order_of(x, d)
    odd: Any = IsNan()(x.detach()).sum(d, True)
    last = x.shape[d] - 1
    if skip:  # the middle of the others; of NaN alone the first
        place = (last - odd).clamp(0) // 2
    else:  # the first NaN stands behind all numbers
        place = Where()(odd > 0, last + 1 - odd, last // 2)
    return taken(x, order.take_along_dim(place, d), d, keepdim, number)


@derive("mode")
def mode(
    x: Any,
    dim: int = -1,
    keepdim: bool = False,
) -> Extreme:
    """The most frequent element along `dim`, the smallest of several: ``values, indices``."""
    x, number = lined(x)
    d = axis_of("mode", dim, x)
    if not x.shape[d]:
        raise ShapeError("mode: nothing to choose from", got=f"axis {d} of {tuple(x.shape)}")
    order = order_of(x, d)
    ordered: Any = x.detach().take_along_dim(order, d)
    best = LongestRun(d)(ordered)
    return taken(x, order.take_along_dim(best, d), d, keepdim, number)


class LongestRun(Operator):
    """Where the first of the longest runs of equal elements along `dim` ends."""

    dim: int

    def forward(self, xp, x):
        n, lead = x.shape[self.dim], (slice(None),) * self.dim
        length = xp.ones(x.shape, dtypes.int64)
        step = 1
        while step < n:  # a run as long as the step goes on by the run that ends before it
            equal = x[(*lead, slice(step, None))] == x[(*lead, slice(-step))]
            here, back = length[(*lead, slice(step, None))], length[(*lead, slice(-step))]
            longer = xp.where(xp.logical_and(equal, here == step), here + back, here)
            length = xp.concat((length[(*lead, slice(step))], longer), self.dim)
            step *= 2
        return xp.argmax(length, self.dim, True)


# --- quantiles ---------------------------------------------------------------------------------
@derive("quantile")
def quantile(
    x: Any,
    q: Any,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
) -> Tensor:
    """The value below which the share `q` of the elements lies, along `dim` or of all.

    Between two elements `interpolation` decides: ``"linear"``, ``"lower"``, ``"higher"``,
    ``"nearest"`` or ``"midpoint"``.  A vector of shares gives a leading axis.  NaN gives NaN.

    >>> import deepdive as dd
    >>> dd.quantile(dd.tensor([0.0, 1.0, 2.0, 3.0]), 0.5)
    tensor(1.5000)
    """
    return _quantile("quantile", x, q, dim, keepdim, interpolation, skip=False)


@derive("nanquantile")
def nanquantile(
    x: Any,
    q: Any,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
) -> Tensor:
    """:func:`quantile` of what is no NaN."""
    return _quantile("nanquantile", x, q, dim, keepdim, interpolation, skip=True)


WAYS = ("linear", "lower", "higher", "nearest", "midpoint")


def _quantile(
    name: str, x: Any, q: Any, dim: int | None, keepdim: bool, way: str, skip: bool
) -> Tensor:
    x = floating(x)
    if way not in WAYS:
        wanted = ", ".join(WAYS)
        raise ArgumentError(f"{name}: unknown interpolation", got=repr(way), expected=wanted)
    q = _shares(name, q, x)
    shape = (1,) * x.ndim if dim is None else None
    x = x.reshape(-1) if dim is None or not x.ndim else x
    d = 0 if dim is None else axis_of(name, dim, x)
    if not x.shape[d]:
        raise ShapeError(f"{name}: nothing to choose from", got=f"axis {d} of {tuple(x.shape)}")
    found = _between(x, _ranks(x, q.reshape(-1, *(1,) * (x.ndim - 1 - d)), d, skip), d, way)
    found = found.movedim(d, 0)  # (Q, the other axes)
    if keepdim:
        found = found.reshape(-1, *shape) if shape else found.unsqueeze(d + 1)
    return found if q.ndim else found[0]


def _shares(
    name: str,
    q: Any,
    x: Tensor,
) -> Any:
    """`q` as a tensor of x's dtype, on its device."""
    if not isinstance(q, Tensor):
        if isinstance(q, (int, float)) and not 0 <= q <= 1:
            raise ArgumentError(f"{name}: q is a share", got=q, expected="0 … 1")
        q = Tensor(q, device=x.device, dtype=x.dtype, requires_grad=False)
    if q.ndim > 1:
        raise ShapeError(f"{name}: q is a number or a vector", got=tuple(q.shape))
    return q


def _ranks(
    x: Any,
    q: Any,
    d: int,
    skip: bool,
) -> Any:
    """Where in the sorted array the shares are; NaN are sorted behind, and found first."""
    known = (x == x).sum(d, True)
    if skip:
        return q * (known - 1).clamp(0).to(x.dtype)
    last = x.shape[d] - 1
    return Where()(known > last, q * last, float(last))


def _between(
    x: Any,
    ranks: Any,
    d: int,
    way: str,
) -> Any:
    ordered = x.take_along_dim(order_of(x, d), d)
    if way in ("lower", "higher", "nearest"):
        place = {"lower": ranks.floor, "higher": ranks.ceil, "nearest": ranks.round}[way]()
        return ordered.take_along_dim(place.detach().long(), d)
    low = ranks.detach().floor()
    below = ordered.take_along_dim(low.long(), d)
    above = ordered.take_along_dim(ranks.detach().ceil().long(), d)
    return below.lerp(above, 0.5 if way == "midpoint" else ranks - low)
