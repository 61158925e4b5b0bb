"""Norms of vectors and matrices (torch.linalg)."""

from __future__ import annotations

import math
from typing import Any

from deepdive import dtypes
from deepdive.core.operator import Operator, derive
from deepdive.core.tensor import Tensor
from deepdive.errors import ArgumentError, DTypeError, ShapeError
from deepdive.ops.creation import as_tensor
from deepdive.ops.decompositions import Inverse
from deepdive.ops.matrix_functions import linalg_svdvals, square
from deepdive.ops.rearranging import to_end
from deepdive.ops.reduce import spread
from deepdive.ops.shape import Reshape, axis_of


class Length(Operator):
    """``√(Σ x²)`` over the axes `dim`; the gradient at 0 is 0."""

    dim: Any
    keepdim: bool = False

    def forward(self, xp, x):
        return xp.sqrt(xp.sum(x * x, axis=self.dim, keepdims=self.keepdim))

    def backward(self, xp, grad, x, out):
        zero = out == 0
        share = xp.where(zero, 0.0, grad / xp.where(zero, 1.0, out))
        return x * spread(xp, share, self.dim, self.keepdim, x.shape)


class PowerSum(Operator):
    """``(Σ |x|^p)^(1/p)`` over the axes `dim`; where the sum is 0 the gradient is 0."""

    p: float
    dim: Any
    keepdim: bool = False

    def forward(self, xp, x):
        total = xp.sum(xp.pow(xp.abs(x), self.p), axis=self.dim, keepdims=self.keepdim)
        return xp.pow(total, 1.0 / self.p)

    def backward(self, xp, grad, x, out):
        p = self.p
        zero = out == 0
        share = xp.where(zero, 0.0, grad * xp.pow(xp.where(zero, 1.0, out), 1.0 - p))
        size = xp.abs(x)
        if p < 1:  # steep at 0: no share of the gradient, as in PyTorch
            nothing = size == 0
            slope = xp.where(nothing, 0.0, xp.pow(xp.where(nothing, 1.0, size), p - 1.0))
        else:
            slope = xp.pow(size, p - 1.0)
        return xp.sign(x) * slope * spread(xp, share, self.dim, self.keepdim, x.shape)


def vector_norm(x: Any, p: float, dim: Any, keepdim: bool = False) -> Any:
    """The p-norm over the axes `dim`, a number or a tuple."""
    if p == 2:
        return Length(dim, keepdim)(x)
    if p == 0:
        return (x != 0).sum(dim, keepdim).to(x.dtype)
    if p == 1:
        return x.abs().sum(dim, keepdim)
    if p == math.inf:
        return x.abs().amax(dim, keepdim)
    if p == -math.inf:
        return x.abs().amin(dim, keepdim)
    return PowerSum(float(p), dim, keepdim)(x)


def _prepared(name: str, x: Any, dtype: Any) -> Any:
    x = as_tensor(x)
    x = x if dtype is None else x.to(dtype)
    if not dtypes.is_floating(x.dtype):
        raise DTypeError(f"{name}: got {x.dtype}", expected="floating numbers", fix="x.float()")
    return x


@derive("linalg_vector_norm", method=False)
def linalg_vector_norm(
    x: Any, ord: float = 2, dim: Any = None, keepdim: bool = False, *, dtype: Any = None
) -> Tensor:
    """``(Σ |x|^ord)^(1/ord)`` over the axes `dim`, all if None; ±inf: the largest, the smallest.

    >>> import deepdive as dd
    >>> linalg_vector_norm(dd.tensor([3.0, 4.0]))
    tensor(5.)
    """
    x = _prepared("vector_norm", x, dtype)
    dims = range(x.ndim) if dim is None or dim == () else (dim,) if isinstance(dim, int) else dim
    axes = tuple(axis_of("vector_norm", d, x) for d in dims)
    if not axes:  # a number is its own norm
        return vector_norm(Reshape((1,))(x), ord, 0)
    return vector_norm(x, ord, axes, keepdim)


@derive("linalg_matrix_norm", method=False)
def linalg_matrix_norm(
    A: Any,
    ord: Any = "fro",
    dim: Any = (-2, -1),
    keepdim: bool = False,
    *,
    dtype: Any = None,
) -> Tensor:
    """A norm of the matrices in the axes `dim`.

    Args:
        ord: ``"fro"`` √(Σ x²), ``"nuc"`` the sum of the singular values, 2 and -2 their largest
            and smallest, 1 and -1 the largest and smallest column sum of ``|x|``, ±inf row sum.
    """
    A = _prepared("matrix_norm", A, dtype)
    if A.ndim < 2 or not isinstance(dim, (tuple, list)) or len(dim) != 2:
        raise ShapeError("matrix_norm: a matrix, and two axes", got=f"{tuple(A.shape)}, dim={dim}")
    first, second = (axis_of("matrix_norm", d, A) for d in dim)
    if ord == "fro":
        return vector_norm(A, 2, (first, second), keepdim)
    if ord in ("nuc", 2, -2):
        values: Any = linalg_svdvals(to_end(A, first, second))
        out = values.sum(-1) if ord == "nuc" else values.amax(-1) if ord == 2 else values.amin(-1)
    elif ord in (1, -1, math.inf, -math.inf):
        sums = to_end(A.abs(), first, second).sum(-2 if abs(ord) == 1 else -1)
        out = sums.amax(-1) if ord > 0 else sums.amin(-1)
    else:
        expected = "'fro', 'nuc', ±1, ±2, ±inf"
        raise ArgumentError("matrix_norm: ord", got=repr(ord), expected=expected)
    if not keepdim:
        return out  # type: ignore[no-any-return]
    for axis in sorted((first, second)):
        out = out.unsqueeze(axis)
    return out  # type: ignore[no-any-return]


@derive("linalg_norm", method=False)
def linalg_norm(
    A: Any,
    ord: Any = None,
    dim: Any = None,
    keepdim: bool = False,
    *,
    dtype: Any = None,
) -> Tensor:
    """The 2-norm of all elements, the vector norm along one axis, or the matrix norm in two.

    >>> import deepdive as dd
    >>> linalg_norm(dd.tensor([[3.0, 0.0], [0.0, 4.0]]), "nuc")
    tensor(7.)
    """
    A = as_tensor(A)
    if ord is None:
        return linalg_vector_norm(A, 2, dim, keepdim, dtype=dtype)
    matrix = (isinstance(dim, (tuple, list)) and len(dim) == 2) or (dim is None and A.ndim == 2)
    if matrix:
        return linalg_matrix_norm(A, ord, (-2, -1) if dim is None else dim, keepdim, dtype=dtype)
    if isinstance(ord, str) or (dim is None and A.ndim != 1):
        raise ShapeError(
            f"linalg.norm: ord={ord!r} is for a matrix or a vector",
            got=f"shape {tuple(A.shape)}, dim={dim}",
        )
    return linalg_vector_norm(A, ord, dim, keepdim, dtype=dtype)


@derive("linalg_cond", method=False)
def linalg_cond(A: Any, p: Any = None) -> Tensor:
    """The condition number: ``‖A‖ · ‖A⁻¹‖``, in the 2-norm (the default) the ratio of the largest
    and the smallest singular value."""
    if p in (None, 2, -2):
        values: Any = linalg_svdvals(A)
        largest, smallest = values[..., 0], values[..., -1]
        return smallest / largest if p == -2 else largest / smallest  # type: ignore[no-any-return]
    A = square("cond", A)
    inverse = Inverse()(A)
    return linalg_matrix_norm(A, p) * linalg_matrix_norm(inverse, p)  # type: ignore
