"""Reading and writing parts of a tensor."""

from __future__ import annotations

from typing import Any

from deepdive import config
from deepdive.backend import speakers
from deepdive.core import mutation
from deepdive.core.operator import Operator, add_method, apply, derive, register, tensor_words
from deepdive.core.tensor import Tensor, array_of, changing, data_of
from deepdive.errors import ShapeError
from deepdive.ops.elementwise import Where


def raw_index(index: Any) -> Any:
    """An index with arrays in place of the Tensors in it; lists of Tensors become arrays too."""
    if isinstance(index, tuple):
        return tuple(raw_index(part) for part in index)
    if isinstance(index, Tensor):
        return data_of(index)
    if isinstance(index, list):
        parts = [raw_index(part) for part in index]
        kinds = [type(part) for part in parts if type(part) in speakers.BY_TYPE]
        return speakers.BY_TYPE[kinds[0]].asarray(parts) if kinds else parts
    return index


@register(None)
class GetItem(Operator):
    """``x[index]`` by NumPy's rules; what is read twice gets both gradients."""

    index: Any

    def __init__(self, index: Any = ()) -> None:
        self.index = raw_index(index)

    def forward(self, xp, x):
        if getattr(xp, "checks_later", False) is True:
            xp.check_index(x.shape, self.index)
        return xp.getitem(x, self.index)

    def backward(self, xp, grad, x_shape):
        return xp.index_add(xp.zeros(x_shape, grad.dtype), self.index, grad)


def staged(index: Any, x: Any) -> tuple[Any, Any] | None:
    """An index with both integers and arrays as two, one after the other: ``x[first][second]``.

    NumPy counts an integer as one of the arrays, so that ``x[0, :, [1, 2]]`` has the axis of the
    list in front; PyTorch takes the integer first, and the list's axis stays in its place.  An
    Ellipsis that stands for no axis parts two arrays in NumPy, and does not in PyTorch.
    """
    if not any(map(_many, index)):
        return None
    numbers = [hasattr(part, "__index__") and not _many(part) for part in index]
    dots = any(part is Ellipsis for part in index)
    if not dots and not any(numbers):
        return None
    first: list[Any] = []
    second: list[Any] = []
    for part, number in zip(index, numbers, strict=True):
        if number and not isinstance(part, bool):
            first.append(part)
            continue
        second.append(part)
        if part is Ellipsis:
            first.append(part)
        elif part is not None and not isinstance(part, bool):
            first += [slice(None)] * _axes_of(part)
    if dots and len(first) - 1 == x.ndim:
        second = [part for part in second if part is not Ellipsis]
    return tuple(first), tuple(second)


def _many(part: Any) -> bool:
    """Whether a part of an index is an array or a list."""
    return isinstance(part, list) or bool(getattr(part, "shape", ()))


def _axes_of(part: Any) -> int:
    """How many axes a part of an index answers for: a mask for as many as it has."""
    return part.ndim if hasattr(part, "dtype") and part.dtype.kind == "b" else 1


@derive("getitem", "__getitem__", word="getitem")
def getitem(x: Any, index: Any) -> Tensor:
    """``x[index]``: integers, slices, None, Ellipsis, masks, and arrays of integers.

    What is read twice gets both gradients.

    >>> import deepdive as dd
    >>> x = dd.zeros(2, 3, 4)
    >>> x[0, :, [1, 2]].shape, x[..., None, 0].shape
    ((3, 2), (2, 3, 1))
    """
    stages = staged(index, x) if type(index) is tuple else None
    if stages is None:
        return apply(GetItem(index), (x,))
    return apply(GetItem(stages[1]), (apply(GetItem(stages[0]), (x,)),))


def put_in(x: Any, index: Any, values: Any) -> Tensor:
    """A copy of `x` with ``x[index] = values``, the index read as :func:`getitem` reads it."""
    stages = staged(index, x) if type(index) is tuple else None
    if stages is None:
        return apply(SetItem(index), (x, values))
    first, second = stages
    part = apply(SetItem(second), (apply(GetItem(first), (x,)), values))
    return apply(SetItem(first), (x, part))


@register("index_add_at", word="index_add", method=False)
class IndexAddAt(Operator):
    """A copy of `x` with `values` added at ``x[index]``, duplicates summed."""

    index: Any
    signature = "x, index, values"

    def __init__(self, index: Any = ()) -> None:
        self.index = raw_index(index)

    def forward(self, xp, x, values):
        return xp.index_add(x, self.index, values)

    def backward(self, xp, grad):
        return grad, xp.getitem(grad, self.index)


@register("setitem", word="setitem", method=False)
class SetItem(Operator):
    """A copy of `x` with ``x[index] = values``."""

    index: Any
    signature = "x, index, values"

    def __init__(self, index: Any = ()) -> None:
        self.index = raw_index(index)

    def forward(self, xp, x, values):
        return xp.setitem(x, self.index, values)

    def backward(self, xp, grad, values_shape, needs):
        dx = xp.setitem(grad, self.index, 0.0) if needs[0] else None
        return dx, xp.getitem(grad, self.index) if needs[1] else None


def _assign(self: Tensor, index: Any, values: Any) -> None:
    """``x[index] = values``: in place where nothing is tracked, else out of place with gradients.

    On a tracked tensor the name is bound to a new value in the graph; the gradient of what was
    overwritten is zero.
    """
    tracked = self._node is not None or (isinstance(values, Tensor) and values.requires_grad)
    if tracked and config.grad_mode.get():
        rebind(self, put_in(self, index, values))
        return
    array = changing(self)
    speaker = speakers.BY_TYPE[type(array)]
    stages = staged(index, self) if type(index) is tuple else None
    first, second = ((), index) if stages is None else stages
    try:
        part = array[first] if first else array
        part[raw_index(second)] = (
            values if isinstance(values, (int, float)) else array_of(values, speaker)
        )
        if first:  # not every array type gives views
            array[first] = part
    except (ValueError, IndexError) as error:
        raise ShapeError(
            f"setitem: {error}", got=f"index {index!r} of shape {tuple(self.shape)}"
        ) from None
    mutation.stamp(self._data, mutation.caller())


add_method("__setitem__", _assign)


def rebind(tensor: Tensor, result: Tensor) -> None:
    """Let `tensor` be `result` from now on, history included."""
    if tensor._node is not None:
        tensor._node.disown()
    tensor._data, tensor._node = result._data, result._node
    if tensor._node is not None:
        tensor._node.own(tensor)
    tensor._grad = tensor._seed = tensor._skeleton = None


@register(None, word="take_along_axis")
class TakeAlongDim(Operator):
    """``out[.., i, ..] = x[.., indices[.., i, ..], ..]`` along `dim`."""

    dim: int
    signature = "x, indices, dim"

    def forward(self, xp, x, indices):
        return xp.take_along_axis(x, indices, axis=self.dim)

    def backward(self, xp, grad, x_shape, indices):
        return xp.scatter_add(xp.zeros(x_shape, grad.dtype), indices, grad, axis=self.dim), None


def covered(x: Any, index: Any, dim: int) -> tuple[slice, ...]:
    """The part of `x` an index array reaches: its own extent on every axis but `dim`."""
    rank = len(x.shape)
    other = [i for i in range(rank) if i != dim % rank]
    if len(index.shape) != rank or any(index.shape[i] > x.shape[i] for i in other):
        raise ShapeError(
            "gather: the index has the axes of x, and reaches no further outside dim",
            got=f"index {tuple(index.shape)}, x {tuple(x.shape)}, dim {dim}",
        )
    return tuple(slice(index.shape[i]) if i in other else slice(None) for i in range(rank))


@register("gather")
class Gather(Operator):
    """``out[i][j] = x[index[i][j]][j]`` for dim 0: one element per index (PyTorch's gather)."""

    dim: int
    signature = "x, dim, index"

    def forward(self, xp, x, index):
        return xp.take_along_axis(xp.getitem(x, covered(x, index, self.dim)), index, axis=self.dim)

    def backward(self, xp, grad, x_shape, index):
        return xp.scatter_add(xp.zeros(x_shape, grad.dtype), index, grad, axis=self.dim), None


@register("scatter_add")
class ScatterAdd(Operator):
    """A copy of `x` with ``out[index[i][j]][j] += src[i][j]`` for dim 0."""

    dim: int
    signature = "x, dim, index, src"

    def forward(self, xp, x, index, src):
        return xp.scatter_add(x, index, src, axis=self.dim)

    def backward(
        self,
        xp,
        grad,
        index,
        src_shape,
        needs,
    ):
        if not needs[2]:
            return grad, None, None
        part = xp.getitem(grad, covered(grad, index, self.dim))
        picked = xp.take_along_axis(part, index, axis=self.dim)
        widths = tuple((0, n - m) for n, m in zip(src_shape, index.shape, strict=True))
        return grad, None, xp.pad(picked, widths)


def _scatter_add_word(x: Any, indices: Any, values: Any, axis: int) -> Tensor:
    return ScatterAdd(axis)(x, indices, values)


tensor_words.scatter_add = _scatter_add_word  # type: ignore[attr-defined]


@derive("index_select")
def index_select(x: Tensor, dim: int, index: Any) -> Tensor:
    """The slices of `x` named by a vector of indices (or one) along `dim`."""
    if not isinstance(index, (list, tuple)) and not index.shape:
        index = index.reshape(1)
    return x[(slice(None),) * (dim % x.ndim) + (index,)]  # type: ignore[index,no-any-return]


@derive("masked_fill")
def masked_fill(x: Tensor, mask: Any, value: Any) -> Tensor:
    """`x` with `value` where `mask` holds; the dtype stays that of `x`."""
    out: Any = Where()(mask, value, x)
    return out if out.dtype == x.dtype else out.to(x.dtype)  # type: ignore[no-any-return]
