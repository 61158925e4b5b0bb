"""Reading and writing at chosen places: index_*, masked_*, take, put, nonzero."""

from __future__ import annotations

from typing import Any

from deepdive import config, dtypes
from deepdive.backend import speakers
from deepdive.core.operator import derive
from deepdive.core.tensor import Tensor, wrap
from deepdive.errors import ArgumentError, GraphError, ShapeError
from deepdive.ops import creation
from deepdive.ops.creation import as_tensor
from deepdive.ops.elementwise import Where
from deepdive.ops.indexing import IndexAddAt, SetItem, TakeAlongDim
from deepdive.ops.joining import at, common_shape
from deepdive.ops.shape import BroadcastTo, Reshape, axis_of


def vector(index: Any) -> Any:
    """An index of one number as a vector of length 1; others as they are."""
    index = as_tensor(index)
    return Reshape((1,))(index) if index.ndim == 0 else index


# --- along an axis -----------------------------------------------------------------------------
@derive("index_add", word="index_add_along")
def index_add(
    input: Tensor,
    dim: int,
    index: Any,
    source: Any,
    *,
    alpha: Any = 1,
) -> Tensor:
    """A copy of `input` with ``out[index[i]] += alpha · source[i]`` along `dim`; duplicates add up.

    >>> import deepdive as dd
    >>> index_add(dd.zeros(2), 0, dd.tensor([1, 1]), dd.tensor([3.0, 4.0]))
    tensor([0., 7.])
    """
    axis = axis_of("index_add", dim, input)
    values = source if isinstance(alpha, int) and alpha == 1 else source * alpha
    return IndexAddAt(at(axis, vector(index)))(input, values)


@derive("index_copy")
def index_copy(
    input: Tensor,
    dim: int,
    index: Any,
    source: Any,
) -> Tensor:
    """A copy of `input` with ``out[index[i]] = source[i]`` along `dim`."""
    axis = axis_of("index_copy", dim, input)
    return SetItem(at(axis, vector(index)))(input, source)


@derive("index_fill")
def index_fill(input: Tensor, dim: int, index: Any, value: Any) -> Tensor:
    """A copy of `input` with the slices named by `index` along `dim` set to `value`."""
    axis = axis_of("index_fill", dim, input)
    size = input.shape[axis]
    # a mask, not setitem: what is named twice is filled once, also in the value's gradient
    untouched = creation.zeros(size, dtype="bool", device=input.device)
    mask = SetItem((vector(index),))(untouched, True)
    column = Reshape((size, *(1,) * (input.ndim - axis - 1)))(mask)
    filled: Any = Where()(column, value, input)
    return filled.to(input.dtype)  # type: ignore[no-any-return]


@derive("index_put")
def index_put(input: Tensor, indices: Any, values: Any, accumulate: bool = False) -> Tensor:
    """A copy of `input` with ``out[indices] = values``, or ``+=`` with duplicates added up.

    >>> import deepdive as dd
    >>> index_put(dd.zeros(2), (dd.tensor([0, 0]),), dd.tensor(1.0), accumulate=True)
    tensor([2., 0.])
    """
    where = tuple(slice(None) if index is None else index for index in indices)
    operator = IndexAddAt if accumulate else SetItem
    return operator(where)(input, values)


@derive("take_along_dim")
def take_along_dim(input: Tensor, indices: Any, dim: int | None = None) -> Tensor:
    """``out[.., i, ..] = input[.., indices[.., i, ..], ..]`` along `dim`, of all elements if None.

    The other axes are broadcast.
    """
    index = as_tensor(indices)
    if dim is None:
        input, index, dim = _flat(input), _flat(index), 0
    axis = axis_of("take_along_dim", dim, input)
    if index.ndim != input.ndim:
        raise ShapeError(
            "take_along_dim: as many axes as the input",
            got=tuple(index.shape),
            expected=f"{input.ndim} axes",
        )

    def stretched(x: Any, other: Any) -> Any:
        shape = common_shape("take_along_dim", _without(x, axis), _without(other, axis))
        wide = (*shape[:axis], x.shape[axis], *shape[axis + 1 :])
        return x if wide == tuple(x.shape) else BroadcastTo(wide)(x)

    return TakeAlongDim(axis)(stretched(input, index), stretched(index, input))


def _without(x: Any, axis: int) -> tuple[int, ...]:
    return (*x.shape[:axis], 1, *x.shape[axis + 1 :])


# --- the flat elements -------------------------------------------------------------------------
def _flat(x: Any) -> Any:
    return Reshape((x.numel(),))(x)


@derive("take")
def take(input: Tensor, index: Any) -> Tensor:
    """``input.flatten()[index]``, in the shape of `index`."""
    return _flat(input)[as_tensor(index)]  # type: ignore[no-any-return]


@derive("put")
def put(input: Tensor, index: Any, source: Any, accumulate: bool = False) -> Tensor:
    """A copy of `input` with its flat elements at `index` set to `source`, or it added to them."""
    values = _flat(as_tensor(source))
    changed = index_put(_flat(input), (_flat(as_tensor(index)),), values, accumulate)
    return Reshape(tuple(input.shape))(changed)


# --- masks -------------------------------------------------------------------------------------
@derive("masked_select")
def masked_select(input: Tensor, mask: Any) -> Tensor:
    """The elements of `input` where `mask` holds, as a vector; the two are broadcast.

    >>> import deepdive as dd
    >>> x = dd.tensor([1, 2, 3])
    >>> masked_select(x, x > 1)
    tensor([2, 3])
    """
    shape = common_shape("masked_select", tuple(input.shape), tuple(mask.shape))
    wide: Any = BroadcastTo(shape)(input)
    where = looked_at("masked_select", BroadcastTo(shape)(mask))
    return wide[wrap(where)]  # type: ignore[no-any-return]


@derive("masked_scatter")
def masked_scatter(input: Tensor, mask: Any, source: Any) -> Tensor:
    """A copy of `input`, the elements where `mask` holds taken from `source` one after another."""
    shape = common_shape("masked_scatter", tuple(input.shape), tuple(mask.shape))
    mask = BroadcastTo(shape)(mask)
    numbers: Any = _flat(mask).cumsum(0) - 1  # which element of the source comes here
    last = max(as_tensor(source).numel() - 1, 0)
    values = _flat(as_tensor(source))
    if values.shape[0] == 0:
        return BroadcastTo(shape)(input)
    chosen = values[numbers.clamp(0, last)]
    return Where()(mask, Reshape(shape)(chosen), input)


# --- positions ---------------------------------------------------------------------------------
def looked_at(name: str, x: Tensor) -> Any:
    """The array of `x` with its values there, for results whose size depends on them.

    Raises:
        GraphError: while a function is being compiled.
    """
    if config.tracing.get() is not None:
        raise GraphError(
            f"{name}: the size of the result depends on values that are not known yet",
            fix="use where(condition, x, y), or a mask of fixed size",
        )
    speaker: Any = speakers.BY_TYPE[type(x._data)]
    recorded = hasattr(speaker, "adopt")  # lazily: it is computed now
    return speaker.readable(x._data) if recorded else x._data


@derive("nonzero", word="nonzero")
def nonzero(input: Tensor, *, as_tuple: bool = False) -> Any:
    """The positions of all elements that are not 0: a row for each, or a vector for each axis.

    >>> import deepdive as dd
    >>> nonzero(dd.tensor([0, 5, 6]))
    tensor([[1],
            [2]])
    """
    array = looked_at("nonzero", input)
    speaker: Any = speakers.BY_TYPE[type(array)]
    if not array.shape:
        found = speaker.nonzero(speaker.reshape(array, (1,)))
        if not as_tuple:
            return wrap(speaker.reshape(found[0], (found[0].shape[0], 1)))[:, :0]  # type: ignore
        return tuple(wrap(axis) for axis in found)
    found = speaker.nonzero(array)
    if as_tuple:
        return tuple(wrap(axis) for axis in found)
    return wrap(speaker.stack(list(found), 1))


@derive("argwhere")
def argwhere(input: Tensor) -> Any:
    """The positions of all elements that are not 0, a row for each."""
    return nonzero(input)


# --- checks the operators above share ----------------------------------------------------------
def reduction(name: str, reduce: str) -> str:
    """One of PyTorch's names for a reduction.

    Raises:
        ArgumentError: for another.
    """
    known = ("sum", "prod", "mean", "amax", "amin")
    if reduce not in known:
        raise ArgumentError(f"{name}: reduce", got=repr(reduce), expected=", ".join(known))
    return reduce


def whole(x: Any) -> bool:
    """Whether the numbers have no fractional part."""
    return not dtypes.is_floating(x.dtype)


def counted(shape: Any, x: Any, value: int) -> Any:
    """`value` in every place of `shape`, with the dtype and on the device of `x`."""
    return creation.full(tuple(shape), value, dtype=x.dtype, device=x.device)
