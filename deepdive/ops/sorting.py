"""Order: sorting, the largest few, places in a sorted sequence, what is there once.

NaN counts as larger than every number, as in PyTorch.  Values are taken from `x` at indices, so
their gradients go back to where they came from.
"""

from __future__ import annotations

from typing import Any

from deepdive import dtypes
from deepdive.backend import speakers
from deepdive.core.operator import Operator, derive
from deepdive.core.tensor import Tensor, wrap
from deepdive.errors import ArgumentError, ShapeError
from deepdive.ops.arithmetic import as_tensor
from deepdive.ops.extremes import Extreme
from deepdive.ops.selecting import looked_at
from deepdive.ops.shape import axis_of


class Argsort(Operator):
    """Where each element of the sorted array was; equal ones keep their order."""

    dim: int = -1
    descending: bool = False

    def forward(self, xp, x):
        return xp.argsort(x, self.dim, self.descending)


def lined(x: Any) -> tuple[Tensor, bool]:
    """`x` with an axis at least, and whether it had none."""
    x = as_tensor(x)
    return (x, False) if x.ndim else (x.reshape(1), True)


def order_of(
    x: Tensor,
    dim: int,
    descending: bool = False,
) -> Tensor:
    """The indices that sort `x` along `dim`."""
    return Argsort(dim, descending)(x.detach())


def taken(
    x: Tensor,
    indices: Any,
    dim: int,
    keepdim: bool = True,
    flat: bool = False,
) -> Extreme:
    """Values and indices; without `dim` unless `keepdim`, without any axis if `flat`."""
    values: Any = x.take_along_dim(indices, dim)
    if not keepdim or flat:
        values, indices = values.squeeze(dim), indices.squeeze(dim)
    return Extreme(values, indices)


@derive("sort")
def sort(
    x: Any,
    dim: int = -1,
    descending: bool = False,
    stable: bool = False,
) -> Extreme:
    """``values, indices`` in ascending order along `dim`; always stable.

    >>> import deepdive as dd
    >>> dd.sort(dd.tensor([3, 1, 2])).values
    tensor([1, 2, 3])
    """
    if isinstance(dim, bool):  # PyTorch's second form: sort(x, stable, dim, descending)
        raise ArgumentError("sort: stable is given by name", fix="sort(x, stable=True, dim=…)")
    x, flat = lined(x)
    d = axis_of("sort", dim, x)
    return taken(x, order_of(x, d, descending), d, flat=flat)


@derive("argsort")
def argsort(
    x: Any,
    dim: int = -1,
    descending: bool = False,
    stable: bool = False,
) -> Tensor:
    """The indices that sort `x` along `dim`; always stable."""
    x, flat = lined(x)
    indices: Any = order_of(x, axis_of("argsort", dim, x), descending)
    return indices.reshape(()) if flat else indices


@derive("msort")
def msort(x: Any) -> Tensor:
    """`x` sorted along its first axis."""
    return sort(x, 0)[0]


@derive("topk")
def topk(
    x: Any,
    k: int,
    dim: int = -1,
    largest: bool = True,
    sorted: bool = True,
) -> Extreme:
    """The `k` largest elements along `dim` (the smallest if not `largest`): ``values, indices``.

    They come in order, also where `sorted` is False.

    Raises:
        ShapeError: if there are fewer than `k`.
    """
    x, flat = lined(x)
    d = axis_of("topk", dim, x)
    if not 0 <= k <= x.shape[d]:
        raise ShapeError("topk: k is out of range", got=k, expected=f"0 … {x.shape[d]}")
    indices: Any = order_of(x, d, largest)
    return taken(x, indices[(*(slice(None),) * d, slice(k))], d, flat=flat and k == 1)


@derive("kthvalue")
def kthvalue(
    x: Any,
    k: int,
    dim: int = -1,
    keepdim: bool = False,
) -> Extreme:
    """The k-th smallest element along `dim`, counted from 1: ``values, indices``.

    Raises:
        ShapeError: if there is none.
    """
    x, flat = lined(x)
    d = axis_of("kthvalue", dim, x)
    if not 1 <= k <= x.shape[d]:
        raise ShapeError("kthvalue: k is out of range", got=k, expected=f"1 … {x.shape[d]}")
    indices: Any = order_of(x, d)
    return taken(x, indices[(*(slice(None),) * d, slice(k - 1, k))], d, keepdim, flat)


# --- places in a sorted sequence ---------------------------------------------------------------
class Searched(Operator):
    """How many elements of each sorted row stand before a value: bisection, all at once."""

    right: bool = False

    def forward(self, xp, rows, values):
        n = rows.shape[-1]
        low = xp.zeros(values.shape, dtypes.int64)
        high = low + n
        for _ in range(n.bit_length()):
            middle = xp.minimum((low + high) // 2, n - 1)
            if len(rows.shape) == 1:
                found = xp.getitem(rows, middle)
            else:
                found = xp.take_along_axis(rows, middle, -1)
            behind = found > values if self.right else found >= values  # never for a NaN
            before = xp.logical_and(xp.logical_not(behind), low < high)
            high = xp.where(before, high, xp.minimum(high, middle))
            low = xp.where(before, middle + 1, low)
        return low


@derive("searchsorted", method=False)
def searchsorted(
    sorted_sequence: Any,
    x: Any,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: Any = None,
) -> Tensor:
    """Where each value of `x` belongs in a sorted sequence so that it stays sorted.

    Before equal elements, or behind them with ``right`` or ``side="right"``.  Rows of several
    sequences are searched by the rows of `x`.

    Args:
        sorter: the indices that sort the sequence, where it is not sorted.

    Raises:
        ShapeError: if neither is the sequence a vector nor do the leading axes agree.

    >>> import deepdive as dd
    >>> dd.searchsorted(dd.tensor([1, 3, 5]), dd.tensor([3, 6]))
    tensor([1, 3])
    """
    rows: Any = as_tensor(sorted_sequence).detach()
    number = isinstance(x, (int, float))
    values: Any = (
        Tensor(x, device=rows.device, requires_grad=False) if number else as_tensor(x).detach()
    )
    if side not in (None, "left", "right"):
        raise ArgumentError("searchsorted: unknown side", got=repr(side), expected="left, right")
    if right and side == "left":
        raise ArgumentError("searchsorted: side='left' and right=True disagree")
    if sorter is not None:
        rows = rows.take_along_dim(sorter, -1)
    if rows.ndim != 1 and (rows.ndim != values.ndim or rows.shape[:-1] != values.shape[:-1]):
        raise ShapeError(
            "searchsorted: the sequence is a vector, or has the leading axes of the values",
            got=f"{tuple(rows.shape)} and {tuple(values.shape)}",
        )
    found: Any = Searched(right or side == "right")(rows, values)
    return found.int() if out_int32 else found


@derive("bucketize", method=False)
def bucketize(
    x: Any,
    boundaries: Any,
    *,
    out_int32: bool = False,
    right: bool = False,
) -> Tensor:
    """The number of the bucket each value of `x` falls into, between sorted `boundaries`."""
    return searchsorted(boundaries, x, out_int32=out_int32, right=right)


# --- what is there, once -----------------------------------------------------------------------
@derive("unique")
def unique(
    x: Any,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """The different elements (or slices along `dim`), in ascending order.

    Then, where asked for, which of them each element is, and how often each occurs.  They come in
    order, also where `sorted` is False.

    >>> import deepdive as dd
    >>> dd.unique(dd.tensor([3, 1, 3]))
    tensor([1, 3])
    """
    return _distinct(as_tensor(x), dim, return_inverse, return_counts, ordered=True)


@derive("unique_consecutive")
def unique_consecutive(
    x: Any, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """`x` without elements (or slices along `dim`) that are equal to the one before."""
    return _distinct(as_tensor(x), dim, return_inverse, return_counts, ordered=False)


def _distinct(
    x: Tensor,
    dim: int | None,
    inverse: bool,
    counts: bool,
    ordered: bool,
) -> Any:
    array = looked_at("unique", x)
    xp: Any = speakers.BY_TYPE[type(array)]
    shape = tuple(array.shape)
    d = 0 if dim is None else axis_of("unique", dim, x)
    if dim is None:
        array = xp.reshape(array, (-1,) if array.size else (0,))
    moved = _to_front(xp, array, d)
    rows = xp.reshape(moved, (moved.shape[0], moved.size // max(moved.shape[0], 1)))
    n = rows.shape[0]
    order = xp.arange(n)
    if ordered:  # by the last column first: each sort keeps what the one before found
        for column in range(rows.shape[1] - 1, -1, -1):
            order = order[xp.argsort(rows[order, column], 0, False)]
    rows = rows[order]
    new = xp.any(rows[1:] != rows[:-1], 1) if n > 1 else xp.zeros((0,), "bool")
    starts = xp.concat((xp.ones((min(n, 1),), "bool"), new), 0)
    places = xp.nonzero(starts)[0]
    taken = moved[order[places]]
    out = [wrap(_from_front(xp, taken, d))]
    if inverse:
        ranks = xp.cumulative_sum(starts, 0) - 1
        back = ranks[xp.argsort(order, 0, False)]
        out.append(wrap(xp.reshape(back, shape if dim is None else (n,))))
    if counts:
        ends = xp.concat((places[1:], xp.full((min(n, 1),), n)), 0)
        out.append(wrap(ends - places))
    return tuple(out) if len(out) > 1 else out[0]


def _to_front(
    xp: Any,
    x: Any,
    d: int,
) -> Any:
    rest = [i for i in range(len(x.shape)) if i != d]
    return xp.permute_dims(x, (d, *rest))


def _from_front(
    xp: Any,
    x: Any,
    d: int,
) -> Any:
    return xp.permute_dims(x, (*range(1, d + 1), 0, *range(d + 1, len(x.shape))))
