"""Matrices solved, inverted and taken apart; gradients of all orders.

The engine's operators have one result.  A decomposition has several, and gives them as the rows of
one matrix (see :mod:`deepdive.backend.vocabulary.matrices`); ``outputs`` names them.  Its gradient
is algebra on them, so that derivatives of derivatives come by themselves.

Formulas: M. Giles, *An extended collection of matrix derivative results* (2008); J. Townsend,
*Differentiating the singular value decomposition* (2016); I. Murray, *Differentiation of the
Cholesky decomposition* (2016); S. Walter and L. Lehmann, *Algorithmic differentiation of linear
algebra functions* (2010), for QR; G. Golub and V. Pereyra, *The differentiation of pseudo-inverses
and nonlinear least squares problems whose variables separate* (1973).
"""

from __future__ import annotations

from typing import Any, ClassVar

from deepdive.backend.extended_linalg import transposed
from deepdive.core.operator import Operator, register
from deepdive.core.tensor import Tensor


def rows(xp: Any, x: Any, *counts: int) -> list[Any]:
    """`x` (…, Σ counts, k) cut into matrices of so many rows."""
    parts = []
    start = 0
    for count in counts:
        parts.append(xp.getitem(x, (..., slice(start, start + count), slice(None))))
        start += count
    return parts


def product(xp: Any, *factors: Any) -> Any:
    """The matrix product of the factors, from the left."""
    out = factors[0]
    for factor in factors[1:]:
        out = xp.matmul(out, factor)
    return out


def inverted(xp: Any, x: Any) -> Any:
    """``1 / x``, and 0 where x is 0: of equal values no direction is told apart from another."""
    zero = x == 0
    return xp.where(zero, 0.0, 1.0 / xp.where(zero, 1.0, x))


def gaps(xp: Any, w: Any) -> Any:
    """``1 / (w_j - w_i)`` for w (…, 1, k), 0 on the diagonal and where two are equal."""
    return inverted(xp, w - transposed(xp, w))


def identity(xp: Any, x: Any) -> Any:
    """The identity with as many rows as `x`, on its device."""
    return xp.eye(x.shape[-1], None, 0, x.dtype)


def identities(xp: Any, x: Any) -> Any:
    """The identity for each of the square matrices `x`."""
    return xp.broadcast_to(identity(xp, x), x.shape)


def skew(xp: Any, x: Any) -> Any:
    """``x - xᵀ``."""
    return x - transposed(xp, x)


# --- equations ---------------------------------------------------------------------------------
@register(None, word="solve")
class Solve(Operator):
    """``a⁻¹ b`` for square a (…, n, n) and b (…, n, k) (Giles 2008, 2.3.1)."""

    promotes = "common"

    def forward(self, xp, a, b):
        return xp.solve(a, b)

    def backward(
        self,
        xp,
        grad,
        a,
        out,
        needs,
    ):
        db = xp.solve(transposed(xp, a), grad)
        if not needs[0]:
            return None, db
        turned = transposed(xp, out)
        return -xp.matmul(db, turned), db


@register("inverse")
class Inverse(Operator):
    """The inverse of square matrices (…, n, n) (Giles 2008, 2.2.3).

    Raises:
        ArgumentError: for a singular matrix.

    >>> import deepdive as dd
    >>> dd.inverse(dd.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.2500]])
    """

    def forward(self, xp, A):
        return xp.solve(A, identities(xp, A))

    def backward(self, xp, grad, out):
        turned = transposed(xp, out)
        return -product(xp, turned, grad, turned)


@register(None, word="pseudoinverse")
class Pseudoinverse(Operator):
    """``x⁺``: singular values up to a limit count as 0 (Golub, Pereyra 1973)."""

    rtol: float
    atol: float = 0.0

    def forward(self, xp, x):
        m, n = x.shape[-2:]
        u, s, v = rows(xp, xp.svd_rows(x), m, 1, n)
        limit = xp.maximum(s[..., :1] * self.rtol, self.atol)
        scale = xp.where(s > limit, inverted(xp, s), 0.0)
        return xp.matmul(v * scale, transposed(xp, u))

    def backward(
        self,
        xp,
        grad,
        x,
        out,
    ):
        p = out  # (n, m)
        pt = transposed(xp, p)
        gt = transposed(xp, grad)
        dx = -product(xp, pt, grad, pt)
        left = product(xp, gt, p, pt)  # (m, n)
        dx = dx + left - product(xp, x, p, left)
        right = product(xp, pt, p, gt)  # (m, n)
        return dx + right - product(xp, right, p, x)


# --- determinants ------------------------------------------------------------------------------
@register(None, word="slogdet_rows")
class SlogdetRows(Operator):
    """Sign and logarithm of the size of the determinant (Giles 2008, 2.2.4)."""

    outputs: ClassVar[tuple[str, ...]] = ("sign", "logabsdet")

    def forward(self, xp, x):
        return xp.slogdet_rows(x)

    def backward(self, xp, grad, x):
        turned = transposed(xp, x)
        inverse = xp.solve(turned, identities(xp, x))
        share = xp.getitem(grad, 1)
        return share[..., None, None] * inverse


@register("det")
class Det(Operator):
    """The determinant of square matrices (…, n, n); the gradient is right for singular ones, too.

    >>> import deepdive as dd
    >>> dd.det(dd.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor(-2.)
    """

    def forward(self, xp, A):
        found = xp.slogdet_rows(A)
        sign = xp.getitem(found, 0)
        size = xp.getitem(found, 1)
        return sign * xp.exp(size)

    def backward(self, xp, grad, A, out):
        if isinstance(A, Tensor):  # differentiated again: the inverse has derivatives of all orders
            slope = out[..., None, None] * xp.solve(transposed(xp, A), identities(xp, A))
        else:
            slope = cofactors(xp, A)
        return grad[..., None, None] * slope


def cofactors(xp: Any, x: Any) -> Any:
    """The derivative of the determinant: ``± U diag(Π of the other singular values) Vᵀ``."""
    n = x.shape[-1]
    u, s, v = rows(xp, xp.svd_rows(x), n, 1, n)
    vt = transposed(xp, v)
    turn = xp.slogdet_rows(xp.matmul(u, vt))
    sign = xp.getitem(turn, 0)
    square = xp.broadcast_to(s, x.shape)
    same = xp.eye(n, None, 0, x.dtype) == 1
    others = xp.prod(xp.where(same, 1.0, square), axis=-1)  # (…, n)
    return sign[..., None, None] * xp.matmul(u * others[..., None, :], vt)


# --- decompositions ----------------------------------------------------------------------------
@register(None, word="cholesky")
class Cholesky(Operator):
    """L with ``L Lᵀ = x`` (Murray 2016, equation 8, made symmetric)."""

    def forward(self, xp, x):
        return xp.cholesky(x)

    def backward(self, xp, grad, out):
        turned = transposed(xp, out)
        inner = xp.tril(xp.matmul(turned, grad), 0)
        inner = inner - 0.5 * (identity(xp, out) * inner)  # half of the diagonal
        half = xp.solve(turned, inner)
        dx = xp.solve(turned, transposed(xp, half))
        return 0.5 * (dx + transposed(xp, dx))


@register(None, word="qr_rows")
class QRRows(Operator):
    """Q and R of a matrix with no more columns than rows (Walter, Lehmann 2010)."""

    outputs: ClassVar[tuple[str, ...]] = ("Q", "R")

    def forward(self, xp, x):
        return xp.qr_rows(x)

    def backward(self, xp, grad, out):
        n = out.shape[-1]
        m = out.shape[-2] - n
        q, rt = rows(xp, out, m, n)
        gq, grt = rows(xp, grad, m, n)
        qt = transposed(xp, q)
        gr = transposed(xp, grt)
        inner = xp.matmul(gr, rt) - xp.matmul(qt, gq)
        above = xp.triu(inner, 1)
        inner = xp.triu(inner, 0) + transposed(xp, above)
        left = gq + xp.matmul(q, inner)  # (m, n), to be times R⁻ᵀ
        r = transposed(xp, rt)
        dxt = xp.solve(r, transposed(xp, left))
        return transposed(xp, dxt)


@register(None, word="eigh_rows")
class EighRows(Operator):
    """Eigenvectors and -values of symmetric matrices (Giles 2008, 3.1).

    The gradient is that of PyTorch: x moves among symmetric matrices, whichever triangle is read.
    """

    outputs: ClassVar[tuple[str, ...]] = ("eigenvectors", "eigenvalues")
    upper: bool = False

    def forward(self, xp, x):
        return xp.eigh_rows(transposed(xp, x) if self.upper else x)

    def backward(self, xp, grad, out):
        n = out.shape[-1]
        v, w = rows(xp, out, n, 1)
        gv, gw = rows(xp, grad, n, 1)
        vt = transposed(xp, v)
        inner = xp.matmul(vt, gv) * gaps(xp, w)
        inner = inner + identity(xp, v) * gw
        inner = 0.5 * (inner + transposed(xp, inner))
        return product(xp, v, inner, vt)


@register(None, word="svd_rows")
class SVDRows(Operator):
    """U, s and V of a matrix (Townsend 2016, equation 23)."""

    outputs: ClassVar[tuple[str, ...]] = ("U", "S", "V")

    def forward(self, xp, x):
        return xp.svd_rows(x)

    def backward(self, xp, grad, out, x_shape):
        m, n = x_shape[-2:]
        u, s, v = rows(xp, out, m, 1, n)
        gu, gs, gv = rows(xp, grad, m, 1, n)
        ut = transposed(xp, u)
        vt = transposed(xp, v)
        utgu = xp.matmul(ut, gu)
        vtgv = xp.matmul(vt, gv)
        apart = gaps(xp, s * s)
        left = skew(xp, utgu) * apart * s
        right = skew(xp, vtgv) * apart * transposed(xp, s)
        inner = left + right + identity(xp, out) * gs
        dx = product(xp, u, inner, vt)
        small = inverted(xp, s)
        if m > n:
            outside = gu - xp.matmul(u, utgu)
            dx = dx + xp.matmul(outside * small, vt)
        if n > m:
            outside = gv - xp.matmul(v, vtgv)
            dx = dx + xp.matmul(u * small, transposed(xp, outside))
        return dx


@register(None)
class SingularValues(Operator):
    """The singular values alone: their gradient ``U diag(grad) Vᵀ`` minds no equal ones."""

    def forward(self, xp, x):
        m, n = x.shape[-2:]
        u, s, v = rows(xp, xp.svd_rows(x), m, 1, n)
        self.keep(u=u, v=v)
        return xp.getitem(s, (..., 0, slice(None)))

    def backward(self, xp, grad, u, v):
        return xp.matmul(u * grad[..., None, :], transposed(xp, v))


@register(None)
class Eigenvalues(Operator):
    """The eigenvalues of symmetric matrices alone, with the gradient ``V diag(grad) Vᵀ``."""

    upper: bool = False

    def forward(self, xp, x):
        n = x.shape[-1]
        v, w = rows(xp, xp.eigh_rows(transposed(xp, x) if self.upper else x), n, 1)
        self.keep(v=v)
        return xp.getitem(w, (..., 0, slice(None)))

    def backward(self, xp, grad, v):
        return xp.matmul(v * grad[..., None, :], transposed(xp, v))
