"""How alike vectors are: cosines, distances, and products of two vectors with a matrix."""

from __future__ import annotations

from typing import Any

from deepdive.core.operator import derive
from deepdive.core.tensor import Tensor
from deepdive.errors import ShapeError
from deepdive.ops.norm import normalize


@derive("cosine_similarity", method=False)
def cosine_similarity(x1: Any, x2: Any, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """``x₁·x₂ / (max(‖x₁‖, ε) max(‖x₂‖, ε))`` along `dim`; the shapes broadcast.

    >>> import deepdive as dd
    >>> cosine_similarity(dd.tensor([[1.0, 0.0]]), dd.tensor([[2.0, 0.0]]))
    tensor([1.])
    """
    return (_unit(x1, dim, eps) * _unit(x2, dim, eps)).sum(dim)  # type: ignore[no-any-return]


def _unit(x: Any, dim: int, eps: float) -> Any:
    return normalize(x, 2.0, dim, eps)


def length(x: Any, p: float, keepdim: bool = False) -> Any:
    """``‖x‖_p`` along the last axis; its slope where x = 0 is taken as 0."""
    size = x.abs()
    if p == float("inf"):
        return size.amax(-1, keepdim)
    if p == 0:
        return (size > 0).to(x.dtype).sum(-1, keepdim)
    if p == 1:
        return size.sum(-1, keepdim)
    total = (size * size if p == 2 else size**p).sum(-1, keepdim)
    zero = total == 0  # the root is infinitely steep there
    root = (total + zero) ** (1 / p)
    return root * (1 - zero.to(x.dtype))


@derive("pairwise_distance", method=False)
def pairwise_distance(
    x1: Any, x2: Any, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Tensor:
    """``‖x₁ - x₂ + ε‖_p`` along the last axis; the shapes broadcast.

    >>> import deepdive as dd
    >>> pairwise_distance(dd.tensor([[3.0, 0.0]]), dd.tensor([[0.0, 4.0]]), eps=0.0)
    tensor([5.])
    """
    return length(x1 - x2 + eps, p, keepdim)  # type: ignore[no-any-return]


@derive("pdist", method=False)
def pdist(x: Any, p: float = 2.0) -> Tensor:
    """``‖x_i - x_j‖_p`` for all i < j of the rows of x (N, D), as (N (N - 1) / 2,).

    Raises:
        ShapeError: unless x has two axes.
    """
    if x.ndim != 2:
        raise ShapeError(f"pdist: x is {tuple(x.shape)}", expected="(N, D)")
    N = x.shape[0]
    first = [i for i in range(N) for _ in range(i + 1, N)]
    second = [j for i in range(N) for j in range(i + 1, N)]
    if not first:
        return x[:0].sum(1)  # type: ignore[no-any-return]
    return length(x[first] - x[second], p)  # type: ignore[no-any-return]


@derive("bilinear", method=False)
def bilinear(input1: Any, input2: Any, weight: Any, bias: Any = None) -> Tensor:
    """``x₁ᵀ W_o x₂ + b_o`` for x₁ (…, I), x₂ (…, J), W (O, I, J), b (O,) → (…, O).

    Raises:
        ShapeError: for shapes that do not fit.
    """
    O, I, J = weight.shape  # noqa: E741
    shapes = tuple(input1.shape), tuple(input2.shape)
    if shapes[0][:-1] != shapes[1][:-1] or (shapes[0][-1], shapes[1][-1]) != (I, J):
        raise ShapeError(
            f"bilinear: the inputs are {shapes[0]} and {shapes[1]}, weight is {(O, I, J)}",
            expected="(…, I), (…, J) and (O, I, J)",
        )
    rows = input1.reshape(-1, I) @ weight.permute(1, 0, 2).reshape(I, O * J)  # (N, O·J)
    columns = input2.reshape(-1, J, 1)
    out = (rows.reshape(-1, O, J) @ columns).reshape(*shapes[0][:-1], O)
    return out if bias is None else out + bias  # type: ignore[no-any-return]
