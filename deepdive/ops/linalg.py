"""Products of matrices and vectors."""

from __future__ import annotations

from typing import Any

from deepdive.core.operator import Operator, derive, register
from deepdive.core.tensor import Tensor


def swap(xp: Any, x: Any) -> Any:
    """The last two axes exchanged."""
    n = len(x.shape)
    return xp.permute_dims(x, (*range(n - 2), n - 1, n - 2))


@register("matmul", "__matmul__")
class Matmul(Operator):
    """``x @ y``: vectors, matrices, or batches of matrices, whose leading axes broadcast."""

    promotes = "common"

    def forward(self, xp, x, y):
        return xp.matmul(x, y)

    def backward(self, xp, grad, x, y, needs):
        x_rows, y_columns = len(x.shape) > 1, len(y.shape) > 1
        # Give vectors their missing axis, so that one rule serves all cases.
        g = grad if y_columns else grad[..., None]
        g = g if x_rows else g[..., None, :]
        dx = dy = None
        if needs[0]:
            dx = xp.matmul(g, swap(xp, y if y_columns else y[:, None]))
            dx = dx if x_rows else dx[..., 0, :]
        if needs[1]:
            if len(y.shape) == 2 and len(x.shape) > 2:  # weights shared by the batch: one product
                rows = xp.reshape(x, (-1, x.shape[-1]))
                dy = xp.matmul(swap(xp, rows), xp.reshape(g, (-1, g.shape[-1])))
            else:
                dy = xp.matmul(swap(xp, x if x_rows else x[None, :]), g)
            dy = dy if y_columns else dy[..., 0]
        return dx, dy


def _rmatmul(self: Tensor, other: Any) -> Tensor:
    return Matmul()(other, self)


Tensor.__rmatmul__ = _rmatmul  # type: ignore[attr-defined]


@register("linear", method=False)
class Linear(Operator):
    """``x wᵀ + b`` with x (…, in), w (out, in), b (out,): a layer in one operator."""

    promotes = "common"

    def forward(self, xp, x, w, b=None):
        out = xp.matmul(x, swap(xp, w))  # (…, out)
        if b is not None:
            out += b
        return out

    def backward(self, xp, grad, x, w, b_shape, needs):
        dx = xp.matmul(grad, w) if needs[0] else None  # (…, in)
        dw = db = None
        rows = grad if len(grad.shape) == 2 else xp.reshape(grad, (-1, grad.shape[-1]))
        if needs[1]:
            inputs = x if len(x.shape) == 2 else xp.reshape(x, (-1, x.shape[-1]))
            dw = xp.matmul(swap(xp, rows), inputs)  # (out, in)
        if needs[2]:
            db = xp.sum(rows, axis=0)
        return dx, dw, db


@derive("dot")
def dot(x: Tensor, other: Any) -> Tensor:
    """The matrix product; of two vectors, a scalar."""
    return Matmul()(x, other)


@derive("mm", "bmm", "mv")
def mm(x: Tensor, other: Any) -> Tensor:
    """The matrix product of two matrices (or batches of them)."""
    return Matmul()(x, other)


@derive("outer")
def outer(x: Tensor, other: Any) -> Tensor:
    """``x_i y_j`` for two vectors."""
    return x.unsqueeze(1) * other.unsqueeze(0)  # type: ignore[attr-defined,no-any-return]
