"""Products of vectors and matrices beyond ``@``: algebra on matmul."""

from __future__ import annotations

import math
from typing import Any

from deepdive.core.operator import Operator, derive, register
from deepdive.core.tensor import Tensor
from deepdive.errors import ArgumentError, ShapeError
from deepdive.ops.creation import as_tensor
from deepdive.ops.joining import common_shape
from deepdive.ops.lengths import vector_norm
from deepdive.ops.linalg import Matmul, swap
from deepdive.ops.shape import Permute, Reshape, Roll, axis_of


def _scaled(x: Any, factor: Any) -> Any:
    return x if isinstance(factor, int) and factor == 1 else x * factor


def _sum(
    name: str,
    input: Any,
    product: Any,
    beta: Any,
    alpha: Any,
) -> Tensor:
    """``beta · input + alpha · product``; what is times 0 is not looked at, and may be NaN."""
    common_shape(name, tuple(as_tensor(input).shape), tuple(product.shape))
    product = _scaled(product, alpha)
    if not isinstance(beta, Tensor) and beta == 0:
        return product  # type: ignore[no-any-return]
    return _scaled(input, beta) + product  # type: ignore[no-any-return]


def _axes(name: str, x: Any, count: int, what: str) -> Any:
    x = as_tensor(x)
    if x.ndim != count:
        raise ShapeError(f"{name}: {what} has shape {tuple(x.shape)}", expected=f"{count} axes")
    return x


# --- a sum and a product -----------------------------------------------------------------------
@derive("addmm")
def addmm(
    input: Any,
    mat1: Any,
    mat2: Any,
    *,
    beta: Any = 1,
    alpha: Any = 1,
) -> Tensor:
    """``beta · input + alpha · mat1 @ mat2``."""
    product = Matmul()(_axes("addmm", mat1, 2, "mat1"), _axes("addmm", mat2, 2, "mat2"))
    return _sum("addmm", input, product, beta, alpha)


@derive("addmv")
def addmv(
    input: Any,
    mat: Any,
    vec: Any,
    *,
    beta: Any = 1,
    alpha: Any = 1,
) -> Tensor:
    """``beta · input + alpha · mat @ vec``."""
    product = Matmul()(_axes("addmv", mat, 2, "mat"), _axes("addmv", vec, 1, "vec"))
    return _sum("addmv", input, product, beta, alpha)


@derive("addr")
def addr(
    input: Any,
    vec1: Any,
    vec2: Any,
    *,
    beta: Any = 1,
    alpha: Any = 1,
) -> Tensor:
    """``beta · input + alpha · vec1 ⊗ vec2``."""
    first, second = _axes("addr", vec1, 1, "vec1"), _axes("addr", vec2, 1, "vec2")
    return _sum("addr", input, first.unsqueeze(1) * second, beta, alpha)


@derive("baddbmm")
def baddbmm(
    input: Any,
    batch1: Any,
    batch2: Any,
    *,
    beta: Any = 1,
    alpha: Any = 1,
) -> Tensor:
    """``beta · input + alpha · batch1 @ batch2``, for each of a batch of matrices."""
    first, second = _axes("baddbmm", batch1, 3, "batch1"), _axes("baddbmm", batch2, 3, "batch2")
    return _sum("baddbmm", input, Matmul()(first, second), beta, alpha)


@derive("addbmm")
def addbmm(
    input: Any,
    batch1: Any,
    batch2: Any,
    *,
    beta: Any = 1,
    alpha: Any = 1,
) -> Tensor:
    """``beta · input + alpha · Σ batch1 @ batch2``, summed over the batch: one product."""
    first, second = _axes("addbmm", batch1, 3, "batch1"), _axes("addbmm", batch2, 3, "batch2")
    batch, rows, inner = first.shape
    if second.shape[:2] != (batch, inner):
        raise ShapeError(
            "addbmm: the batches do not go together",
            got=f"{tuple(first.shape)} and {tuple(second.shape)}",
        )
    wide = Reshape((rows, batch * inner))(Permute((1, 0, 2))(first))
    tall = Reshape((batch * inner, second.shape[2]))(second)
    return _sum("addbmm", input, Matmul()(wide, tall), beta, alpha)


# --- vectors -----------------------------------------------------------------------------------
@derive("vdot")
def vdot(input: Any, other: Any) -> Tensor:
    """``Σ x · y`` of two vectors."""
    return Matmul()(_axes("vdot", input, 1, "input"), _axes("vdot", other, 1, "other"))


@derive("linalg_vecdot", method=False)
def linalg_vecdot(x: Any, y: Any, *, dim: int = -1) -> Tensor:
    """``Σ x · y`` along `dim`, the other axes broadcast."""
    return (x * y).sum(dim)  # type: ignore[no-any-return]


@derive("inner")
def inner(input: Any, other: Any) -> Tensor:
    """``Σ x · y`` over the last axes, for all pairs of the others."""
    if input.ndim == 0 or other.ndim == 0:
        return input * other  # type: ignore[no-any-return]
    return tensordot(input, other, ([-1], [-1]))


@derive("linalg_cross", method=False)
def linalg_cross(input: Any, other: Any, *, dim: int = -1) -> Tensor:
    """The vector product along `dim`, which has extent 3: orthogonal to both.

    >>> import deepdive as dd
    >>> linalg_cross(dd.tensor([1.0, 0.0, 0.0]), dd.tensor([0.0, 1.0, 0.0]))
    tensor([0., 0., 1.])
    """
    axis = axis_of("cross", dim, input)
    if input.shape[axis] != 3 or other.shape[dim] != 3:
        raise ShapeError(
            f"cross: axis {dim} has extent 3", got=f"{tuple(input.shape)}, {tuple(other.shape)}"
        )
    back, ahead = Roll(-1, (dim,)), Roll(-2, (dim,))
    first: Any = back(input) * ahead(other)  # type: ignore[operator]
    return first - ahead(input) * back(other)  # type: ignore[operator,no-any-return]


@derive("cross")
def cross(input: Any, other: Any, dim: int | None = None) -> Tensor:
    """The vector product along `dim`, by default along the first axis of extent 3."""
    if dim is None:
        shape = common_shape("cross", tuple(input.shape), tuple(other.shape))
        if 3 not in shape:
            raise ShapeError("cross: no axis has extent 3", got=shape)
        dim = shape.index(3) - len(shape)
    return linalg_cross(input, other, dim=dim)


# --- tensors -----------------------------------------------------------------------------------
@derive("tensordot", method=False)
def tensordot(a: Any, b: Any, dims: Any = 2) -> Tensor:
    """Products summed over axes: the last `dims` of a with the first of b, or the axes listed.

    >>> import deepdive as dd
    >>> tensordot(dd.ones(2, 3, 4), dd.ones(4, 3, 5), ([1, 2], [1, 0])).shape
    (2, 5)
    """
    if isinstance(dims, Tensor):
        dims = dims.tolist()
    if isinstance(dims, int):
        dims = [*range(a.ndim - dims, a.ndim)], [*range(dims)]
    left, right = ([d] if isinstance(d, int) else [*d] for d in dims)
    left = [axis_of("tensordot", d, a) for d in left]
    right = [axis_of("tensordot", d, b) for d in right]
    shared = [[x.shape[d] for d in axes] for x, axes in ((a, left), (b, right))]
    if shared[0] != shared[1]:
        raise ShapeError("tensordot: the axes differ in extent", got=f"{shared[0]}, {shared[1]}")
    rows = [d for d in range(a.ndim) if d not in left]
    columns = [d for d in range(b.ndim) if d not in right]
    size = math.prod(shared[0])
    height = [a.shape[d] for d in rows]
    width = [b.shape[d] for d in columns]
    x = Reshape((math.prod(height), size))(Permute((*rows, *left))(a))
    y = Reshape((size, math.prod(width)))(Permute((*right, *columns))(b))
    return Reshape((*height, *width))(Matmul()(x, y))


@derive("kron")
def kron(input: Any, other: Any) -> Tensor:
    """Kronecker's product: every element of `input` times all of `other`, in blocks.

    >>> import deepdive as dd
    >>> kron(dd.tensor([1.0, 2.0]), dd.tensor([1.0, 10.0]))
    tensor([ 1., 10.,  2., 20.])
    """
    input, other = as_tensor(input), as_tensor(other)
    rank = max(input.ndim, other.ndim)
    first, second = ((*(1,) * (rank - x.ndim), *x.shape) for x in (input, other))
    apart: list[int] = []
    inside: list[int] = []
    for n, m in zip(first, second, strict=True):
        apart += [n, 1]
        inside += [1, m]
    product: Any = Reshape(tuple(apart))(input) * Reshape(tuple(inside))(other)  # type: ignore
    return Reshape(tuple(n * m for n, m in zip(first, second, strict=True)))(product)


@derive("linalg_multi_dot", "chain_matmul", method=False)
def linalg_multi_dot(tensors: Any, *more: Any) -> Tensor:
    """The product of many matrices in the order that takes the fewest multiplications.

    The first and the last may be vectors.  Dynamic programming over the extents (Cormen et al.,
    *Introduction to Algorithms*, 14.2).
    """
    chain = [as_tensor(x) for x in ((tensors, *more) if more else tensors)]
    if len(chain) == 1 and not more:
        raise ArgumentError("multi_dot: at least two tensors", got=1)
    row, column = chain[0].ndim == 1, chain[-1].ndim == 1
    if row:
        chain[0] = chain[0].unsqueeze(0)  # type: ignore[attr-defined]
    if column:
        chain[-1] = chain[-1].unsqueeze(1)  # type: ignore[attr-defined]
    chain = [_axes("multi_dot", x, 2, "a tensor") for x in chain]
    out: Any = _chained(chain, _cuts(chain), 0, len(chain) - 1)
    out = out.squeeze(0) if row else out
    return out.squeeze(-1) if column else out  # type: ignore[no-any-return]


def _cuts(chain: list[Any]) -> dict[tuple[int, int], int]:
    """Where to cut the product of matrices i … j, for all of them."""
    sizes = [chain[0].shape[0], *(x.shape[1] for x in chain)]
    cost = {(i, i): 0 for i in range(len(chain))}
    cuts: dict[tuple[int, int], int] = {}
    for length in range(1, len(chain)):
        for i in range(len(chain) - length):
            j = i + length
            costs = {}
            for k in range(i, j):
                last = sizes[i] * sizes[k + 1] * sizes[j + 1]
                costs[k] = cost[i, k] + cost[k + 1, j] + last
            cuts[i, j] = min(costs, key=costs.__getitem__)
            cost[i, j] = costs[cuts[i, j]]
    return cuts


def _chained(
    chain: list[Any],
    cuts: dict[tuple[int, int], int],
    i: int,
    j: int,
) -> Any:
    if i == j:
        return chain[i]
    k = cuts[i, j]
    return Matmul()(_chained(chain, cuts, i, k), _chained(chain, cuts, k + 1, j))


# --- distances ---------------------------------------------------------------------------------
MANY = 25  # rows, from which on distances are found by a matrix product, as in PyTorch


@register(None, word="euclidean_distances")
class EuclideanDistances(Operator):
    """``‖x_i - y_j‖`` for the rows of x (…, P, M) and y (…, R, M): (…, P, R).

    By ``|x|² - 2 x y + |y|²`` if `by_product`, which is quicker and a little less exact.  The
    gradient needs no (P, R, M) array; where the distance is 0 it is 0.
    """

    promotes = "common"
    by_product: bool

    def forward(self, xp, x, y):
        if not self.by_product:
            apart = x[..., :, None, :] - y[..., None, :, :]
            return xp.sqrt(xp.sum(apart * apart, axis=-1))
        squares = xp.sum(x * x, axis=-1, keepdims=True)  # (…, P, 1)
        others = xp.sum(y * y, axis=-1)[..., None, :]  # (…, 1, R)
        found = squares + others - 2.0 * xp.matmul(x, swap(xp, y))
        return xp.sqrt(xp.maximum(found, 0.0))

    def backward(
        self,
        xp,
        grad,
        x,
        y,
        out,
    ):
        same = out == 0
        share = xp.where(same, 0.0, grad / xp.where(same, 1.0, out))
        turned = swap(xp, share)
        dx = x * xp.sum(share, axis=-1, keepdims=True) - xp.matmul(share, y)
        dy = y * xp.sum(turned, axis=-1, keepdims=True) - xp.matmul(turned, x)
        return dx, dy


@derive("cdist", method=False)
def cdist(
    x1: Any, x2: Any, p: float = 2.0, compute_mode: str = "use_mm_for_euclid_dist_if_necessary"
) -> Tensor:
    """The p-norm distance of every row of x1 (…, P, M) to every row of x2 (…, R, M): (…, P, R).

    Args:
        p: 0 (how many numbers differ) … ∞ (the largest difference).
        compute_mode: whether Euclidean distances come from a matrix product: if there are more
            than 25 rows, ``"use_mm_for_euclid_dist"`` or ``"donot_use_mm_for_euclid_dist"``.

    >>> import deepdive as dd
    >>> cdist(dd.tensor([[0.0, 0.0]]), dd.tensor([[3.0, 4.0]]))
    tensor([[5.]])
    """
    x1, x2 = as_tensor(x1), as_tensor(x2)
    if x1.ndim < 2 or x2.ndim < 2 or x1.shape[-1] != x2.shape[-1]:
        raise ShapeError(
            "cdist: rows of equal length", got=f"{tuple(x1.shape)} and {tuple(x2.shape)}"
        )
    if p < 0:
        raise ArgumentError("cdist: p", got=p, expected="p ≥ 0")
    if p == 2:
        many = x1.shape[-2] > MANY or x2.shape[-2] > MANY
        by_product = many if "necessary" in compute_mode else compute_mode.startswith("use")
        return EuclideanDistances(by_product)(x1, x2)
    apart: Any = x1.unsqueeze(-2) - x2.unsqueeze(-3)  # type: ignore[attr-defined]
    return vector_norm(apart, p, -1)
