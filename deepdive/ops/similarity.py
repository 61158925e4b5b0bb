"""How alike vectors are: cosines, distances, and products of two vectors with a matrix."""

from __future__ import annotations

from itertools import combinations
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
        size = (size > 0).to(x.dtype)
    if p in (0, 1):
        return size.sum(-1, keepdim)
    powers = size * size if p == 2 else size**p
    total = powers.sum(-1, keepdim)
    zero = total == 0  # the root is infinitely steep there
    safe = total + zero
    root = safe ** (1 / p)
    away = 1 - zero.to(x.dtype)
    return root * away


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
    pairs = [*combinations(range(x.shape[0]), 2)]
    if not pairs:
        return x[:0].sum(1)  # type: ignore[no-any-return]
    first = [i for i, _ in pairs]
    second = [j for _, j in pairs]
    difference = x[first] - x[second]
    return length(difference, p)  # type: ignore[no-any-return]


@derive("bilinear", method=False)
def bilinear(input1: Any, input2: Any, weight: Any, bias: Any = None) -> Tensor:
    """``x₁ᵀ W_o x₂ + b_o`` for x₁ (…, I), x₂ (…, J), W (O, I, J), b (O,) → (…, O).

    Raises:
        ShapeError: for shapes that do not fit.
    """
    outs, n, m = weight.shape
    lead, first = input1.shape[:-1], tuple(input1.shape)
    second = tuple(input2.shape)
    if first != (*lead, n) or second != (*lead, m):
        raise ShapeError(
            f"bilinear: the inputs are {first} and {second}, weight is {tuple(weight.shape)}",
            expected="(…, I), (…, J) and (O, I, J)",
        )
    matrix = weight.permute(1, 0, 2)
    flat = matrix.reshape(n, outs * m)
    rows = input1.reshape(-1, n) @ flat  # (N, O·J)
    rows = rows.reshape(-1, outs, m)
    columns = input2.reshape(-1, m, 1)
    out = rows @ columns  # (N, O, 1)
    out = out.reshape(*lead, outs)
    return out if bias is None else out + bias  # type: ignore[no-any-return]
