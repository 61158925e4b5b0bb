"""``max`` and ``min`` in all their call forms, and the pair of values and indices they give."""

from __future__ import annotations

from typing import Any

from deepdive.core.operator import derive
from deepdive.core.tensor import Tensor
from deepdive.ops.reduce import Dim


class Extreme(tuple):
    """``values, indices`` of an extreme along one axis, as PyTorch returns them."""

    values = property(lambda self: self[0])
    indices = property(lambda self: self[1])

    def __new__(cls, values: Tensor, indices: Tensor) -> Extreme:
        return super().__new__(cls, (values, indices))

    def __repr__(self) -> str:
        return f"values={self[0]!r},\nindices={self[1]!r}"


@derive("max", word="max")
def max_(
    x: Any,
    dim: Any = None,
    keepdim: bool = False,
    *,
    axis: Dim = None,
    other: Any = None,
) -> Any:
    """The largest element: of all, of two tensors elementwise, or with its index along `dim`.

    ``x.max()`` and ``x.max(dim=(0, 1))`` give a Tensor, ``x.max(dim)`` gives ``values, indices``,
    ``x.max(y)`` is :func:`maximum`; NumPy's ``axis=`` gives the values alone.
    """
    pair = dim if other is None else other
    return _extreme(("amax", "argmax", "maximum"), x, pair, keepdim, axis)


@derive("min", word="min")
def min_(
    x: Any,
    dim: Any = None,
    keepdim: bool = False,
    *,
    axis: Dim = None,
    other: Any = None,
) -> Any:
    """The smallest element; the call forms are those of :func:`max`."""
    pair = dim if other is None else other
    return _extreme(("amin", "argmin", "minimum"), x, pair, keepdim, axis)


def _extreme(names: tuple[str, str, str], x: Any, dim: Any, keepdim: bool, axis: Dim) -> Any:
    whole, arg, pairwise = names
    x = x if isinstance(x, Tensor) else Tensor(x, requires_grad=False)
    if isinstance(dim, Tensor):
        return getattr(x, pairwise)(dim)
    if axis is not None:  # NumPy's way: the values alone
        return getattr(x, whole)(axis, keepdim)
    if dim is None or isinstance(dim, tuple):
        return getattr(x, whole)(dim, keepdim)
    flat = not x.ndim
    x = x.reshape(1) if flat else x
    indices = getattr(x, arg)(dim, True)
    values = x.take_along_dim(indices, dim)
    if flat or not keepdim:
        values, indices = values.squeeze(dim), indices.squeeze(dim)
    return Extreme(values, indices)
