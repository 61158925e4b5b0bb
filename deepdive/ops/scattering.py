"""Scattering: values written to, or gathered up at, the places an index names along one axis."""

from __future__ import annotations

from typing import Any

from deepdive import dtypes
from deepdive.core.operator import Operator, derive, register
from deepdive.core.tensor import Tensor
from deepdive.errors import ArgumentError, ShapeError
from deepdive.ops import creation
from deepdive.ops.creation import as_tensor
from deepdive.ops.elementwise import Where
from deepdive.ops.indexing import ScatterAdd, SetItem, covered
from deepdive.ops.selecting import counted, reduction, vector, whole
from deepdive.ops.shape import BroadcastTo, ConstantPad, Reshape, axis_of


def places(xp: Any, index: Any, axis: int) -> tuple[Any, ...]:
    """The full index ``[i, .., index[i, .., j, ..], ..]``: its own place on all axes but one."""
    rank = len(index.shape)
    grid = []
    for i, n in enumerate(index.shape):
        shape = tuple(n if k == i else 1 for k in range(rank))
        grid.append(index if i == axis else xp.reshape(xp.arange(n), shape))
    return tuple(grid)


class _Words:
    """The two words :func:`places` says, on the tensors' own device."""

    def __init__(self, device: str) -> None:
        self.device = device

    def arange(self, n: int) -> Tensor:
        return creation.arange(n, device=self.device)

    def reshape(self, x: Any, shape: tuple[int, ...]) -> Tensor:
        return Reshape(shape)(x)


def _prepared(
    name: str,
    input: Tensor,
    dim: int,
    index: Any,
    src: Any,
) -> tuple[int, Any, Any]:
    """The axis, the index, and the part of `src` that the index reaches."""
    axis = axis_of(name, dim, input)
    index = as_tensor(index)
    covered(input, index, axis)
    if isinstance(src, Tensor) and src.shape != index.shape:
        sizes = zip(src.shape, index.shape, strict=False)
        if src.ndim != index.ndim or any(m < n for m, n in sizes):
            raise ShapeError(
                f"{name}: the index reaches beyond src",
                got=f"index {tuple(index.shape)}, src {tuple(src.shape)}",
            )
        part: Any = src
        src = part[tuple(slice(n) for n in index.shape)]
    return axis, index, src


@derive("scatter")
def scatter(
    input: Tensor, dim: int, index: Any, src: Any = None, *, value: Any = None, reduce: Any = None
) -> Tensor:
    """A copy of `input` with ``out[index[i][j]][j] = src[i][j]`` for dim 0; `src` may be a number.

    ``reduce="add"`` and ``"multiply"`` change what is there instead.

    >>> import deepdive as dd
    >>> scatter(dd.zeros(3), 0, dd.tensor([2, 0]), 1.0)
    tensor([1., 0., 1.])
    """
    src = value if src is None else src
    if reduce not in (None, "add", "multiply"):
        raise ArgumentError("scatter: reduce", got=repr(reduce), expected="'add' or 'multiply'")
    if input.ndim == 0:
        src = vector(src) if isinstance(src, Tensor) else src
        flat = scatter(Reshape((1,))(input), 0, vector(index), src, reduce=reduce)
        return Reshape(())(flat)
    axis, index, src = _prepared("scatter", input, dim, index, src)
    if not isinstance(src, Tensor) and reduce is not None:
        src = counted(index.shape, input, 1) * src
    if reduce is not None:
        name = "sum" if reduce == "add" else "prod"
        return scatter_reduce(input, axis, index, src, name)
    return SetItem(places(_Words(input.device), index, axis))(input, src)


@derive("scatter_reduce")
def scatter_reduce(
    input: Tensor, dim: int, index: Any, src: Any, reduce: str, *, include_self: bool = True
) -> Tensor:
    """All ``src[i][j]`` with the same ``index[i][j]``, and ``input[index][j]``, made one (dim 0).

    Args:
        reduce: ``"sum"``, ``"prod"``, ``"mean"``, ``"amax"`` or ``"amin"``; equal extremes share
            the gradient evenly.
        include_self: whether the input's element takes part where the index points.

    >>> import deepdive as dd
    >>> x, i = dd.tensor([1.0, 5.0]), dd.tensor([0, 0, 1])
    >>> scatter_reduce(x, 0, i, dd.tensor([2.0, 3.0, 4.0]), "amax")
    tensor([3., 5.])
    """
    reduction("scatter_reduce", reduce)
    if input.ndim == 0:
        one, place, values = Reshape((1,))(input), vector(index), vector(src)
        out = scatter_reduce(one, 0, place, values, reduce, include_self=include_self)
        return Reshape(())(out)
    axis, index, src = _prepared("scatter_reduce", input, dim, index, src)
    if reduce == "prod":
        return _product(input, axis, index, src, include_self)
    if reduce in ("amax", "amin"):
        return ScatterExtreme(axis, reduce == "amax", include_self)(input, index, src)
    grid = places(_Words(input.device), index, axis)
    start = input if include_self else SetItem(grid)(input, 0)
    total: Any = ScatterAdd(axis)(start, index, src)
    if reduce == "sum":
        return total  # type: ignore[no-any-return]
    counts: Any = counted(input.shape, input, 1)
    if not include_self:
        counts = SetItem(grid)(counts, 0)
    counts = ScatterAdd(axis)(counts, index, counted(index.shape, input, 1)).detach()
    return total // counts if whole(input) else total / counts  # type: ignore[no-any-return]


@derive("index_reduce")
def index_reduce(
    input: Tensor, dim: int, index: Any, source: Any, reduce: str, *, include_self: bool = True
) -> Tensor:
    """:func:`scatter_reduce` of whole slices: ``source[i]`` goes to ``input[index[i]]``."""
    axis = axis_of("index_reduce", dim, input)
    column = (1,) * axis + (-1,) + (1,) * (input.ndim - axis - 1)
    wide = BroadcastTo(tuple(source.shape))(Reshape(column)(vector(index)))
    return scatter_reduce(input, axis, wide, source, reduce, include_self=include_self)


def _product(
    input: Tensor,
    axis: int,
    index: Any,
    src: Any,
    include_self: bool,
) -> Tensor:
    """The product over all sources of a place: a mask (.., sources, places, ..), then one product.

    Plain algebra, so that zeros have right gradients of all orders; takes the memory of the mask.
    """
    size = input.shape[axis]
    column = (size,) + (1,) * (index.ndim - axis - 1)
    targets: Any = creation.arange(size, device=input.device).reshape(column)
    hits: Any = index.unsqueeze(axis + 1) == targets
    factors: Any = Where()(hits, src.unsqueeze(axis + 1), 1).prod(axis)
    touched: Any = hits.any(axis)
    rest = tuple((0, n - m) for n, m in zip(input.shape, factors.shape, strict=True))
    if any(after for _, after in rest):
        factors = ConstantPad(rest, 1)(factors)
        touched = ConstantPad(rest, 0)(touched)
    out: Any = factors * input if include_self else Where()(touched, factors, input)
    return out.to(input.dtype)  # type: ignore[no-any-return]


@register(None, word="scatter_extreme")
class ScatterExtreme(Operator):
    """The largest (or smallest) source of each place along an axis; ties share the gradient."""

    axis: int
    largest: bool
    include_self: bool
    signature = "x, index, src, axis, largest, include_self"

    def forward(self, xp, x, index, src):
        # Written in ascending order, so that the last of several, which stays, is the extreme.
        if self.largest or not dtypes.is_floating(src.dtype):
            order = xp.argsort(src, axis=self.axis, descending=not self.largest)
        else:
            order = xp.argsort(-src, axis=self.axis)  # a NaN comes last, and stays
        ranked = xp.take_along_axis(index, order, axis=self.axis)
        values = xp.take_along_axis(src, order, axis=self.axis)
        placed = xp.setitem(x, places(xp, ranked, self.axis), values)
        if not self.include_self:
            return placed
        return xp.maximum(x, placed) if self.largest else xp.minimum(x, placed)

    def backward(
        self,
        xp,
        grad,
        x,
        index,
        src,
        out,
    ):
        part = xp.getitem(out, covered(out, index, self.axis))
        hit = xp.astype(xp.take_along_axis(part, index, axis=self.axis) == src, grad.dtype)
        if self.include_self:
            stays = xp.astype(x == out, grad.dtype)
        else:
            ones = xp.ones(x.shape, grad.dtype)
            stays = xp.setitem(ones, places(xp, index, self.axis), 0.0)
        share = grad / xp.scatter_add(stays, index, hit, axis=self.axis)
        given = xp.getitem(share, covered(share, index, self.axis))
        return share * stays, None, xp.take_along_axis(given, index, axis=self.axis) * hit
