"""Products of matrices and vectors."""

from __future__ import annotations

from typing import Any

from deepdive.core.operator import Operator, add_method, derive, register
from deepdive.core.tensor import Tensor
from deepdive.errors import ShapeError


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
        x_vector = len(x.shape) == 1
        y_vector = len(y.shape) == 1
        # Give vectors their missing axis, so that one rule serves all cases.
        if x_vector:
            x = x[None, :]
        if y_vector:
            y = y[:, None]
            grad = grad[..., None]
        if x_vector:
            grad = grad[..., None, :]
        dx = dy = None
        if needs[0]:
            dx = xp.matmul(grad, swap(xp, y))
            dx = dx[..., 0, :] if x_vector else dx
        if needs[1]:
            dy = _shared_factor(xp, x, grad) if len(y.shape) == 2 else xp.matmul(swap(xp, x), grad)
            dy = dy[..., 0] if y_vector else dy
        return dx, dy


def _shared_factor(xp: Any, x: Any, grad: Any) -> Any:
    """Σ xᵀ grad over all leading axes, as one product: y is one matrix for the whole batch."""
    return xp.matmul(swap(xp, _rows(xp, x)), _rows(xp, grad))


def _rows(xp: Any, x: Any) -> Any:
    """All leading axes merged; counted, as -1 has no meaning for empty rows."""
    if len(x.shape) == 2:
        return x
    count = 1
    for n in x.shape[:-1]:
        count *= n
    return xp.reshape(x, (count, x.shape[-1]))


def _rmatmul(self: Tensor, other: Any) -> Tensor:
    return Matmul()(other, self)


add_method("__rmatmul__", _rmatmul)


@register("linear", method=False)
class Linear(Operator):
    """``x wᵀ + b`` with x (…, in), w (out, in), b (out,): a layer in one operator."""

    promotes = "common"

    def forward(self, xp, x, w, b=None):
        out = xp.matmul(x, swap(xp, w))  # (…, out)
        if b is not None:
            if len(b.shape) > 1:
                raise ShapeError(f"linear: b is {b.shape}", expected=f"({w.shape[0]},)")
            out += b
        return out

    def backward(self, xp, grad, x, w, b_shape, needs):
        dx = dw = db = None
        if needs[0]:
            dx = xp.matmul(grad, w)  # (…, in)
        if needs[1]:
            dw = _shared_factor(xp, grad, x)  # (out, in)
        if needs[2]:
            db = xp.sum(grad, axis=tuple(range(len(grad.shape) - 1)))
        return dx, dw, db


@derive("dot")
def dot(input: Any, tensor: Any) -> Tensor:
    """The matrix product; of two vectors, a scalar."""
    return Matmul()(input, tensor)


@derive("mm", "bmm")
def mm(input: Any, mat2: Any) -> Tensor:
    """The matrix product of two matrices (or batches of them)."""
    return Matmul()(input, mat2)


@derive("mv")
def mv(input: Any, vec: Any) -> Tensor:
    """The product of a matrix and a vector."""
    return Matmul()(input, vec)


@derive("outer", "ger")
def outer(input: Any, vec2: Any) -> Tensor:
    """``x_i y_j`` for two vectors."""
    return input.unsqueeze(1) * vec2.unsqueeze(0)  # type: ignore[no-any-return]
