"""torch.linalg's functions, and their older names: algebra on :mod:`.decompositions`."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from deepdive import dtypes
from deepdive.core.operator import Operator, derive
from deepdive.core.tensor import Tensor
from deepdive.errors import ArgumentError, DTypeError, GraphError, ShapeError
from deepdive.ops import creation
from deepdive.ops.creation import as_tensor
from deepdive.ops.decompositions import (
    Cholesky,
    Eigenvalues,
    EighRows,
    Inverse,
    Pseudoinverse,
    QRRows,
    SingularValues,
    SlogdetRows,
    Solve,
    SVDRows,
)
from deepdive.ops.elementwise import Where
from deepdive.ops.shape import BroadcastTo, Cat


class SLogDet(NamedTuple):
    """Sign and logarithm of the size of a determinant."""

    sign: Any
    logabsdet: Any


class QR(NamedTuple):
    """Orthonormal columns and an upper triangle."""

    Q: Any
    R: Any


class SVD(NamedTuple):
    """Left vectors as columns, singular values, right vectors as rows."""

    U: Any
    S: Any
    Vh: Any


class OldSVD(NamedTuple):
    """Left vectors, singular values, right vectors, both as columns."""

    U: Any
    S: Any
    V: Any


class Eigen(NamedTuple):
    """Eigenvalues in ascending order, and the eigenvectors as columns."""

    eigenvalues: Any
    eigenvectors: Any


class LeastSquares(NamedTuple):
    """What :func:`lstsq` finds."""

    solution: Any
    residuals: Any
    rank: Any
    singular_values: Any


def floating(name: str, x: Any) -> Any:
    """`x` as a Tensor, if it is a matrix (or many) of floating numbers.

    Raises:
        DTypeError, ShapeError: if it is not.
    """
    x = as_tensor(x)
    if not dtypes.is_floating(x.dtype):
        raise DTypeError(f"{name}: got {x.dtype}", expected="floating numbers", fix="x.float()")
    if x.ndim < 2:
        raise ShapeError(f"{name}: x has shape {tuple(x.shape)}", expected="(…, rows, columns)")
    return x


def square(name: str, x: Any) -> Any:
    """`x` as a Tensor, if it is a square matrix, or many.

    Raises:
        DTypeError, ShapeError: if it is not.
    """
    x = floating(name, x)
    if x.shape[-1] != x.shape[-2]:
        raise ShapeError(f"{name}: x has shape {tuple(x.shape)}", expected="square matrices")
    return x


def eye_like(x: Any, n: int) -> Any:
    """The identity of `n` rows, with the dtype and on the device of `x`."""
    return creation.eye(n, dtype=x.dtype, device=x.device)


# --- equations ---------------------------------------------------------------------------------
@derive("linalg_solve", method=False)
def linalg_solve(A: Any, B: Any, *, left: bool = True) -> Tensor:
    """X with ``A X = B`` (``X A = B`` unless `left`); B holds vectors (…, n) or columns (…, n, k).

    Raises:
        ArgumentError: if A is singular.

    >>> import deepdive as dd
    >>> linalg_solve(dd.tensor([[2.0, 0.0], [0.0, 4.0]]), dd.tensor([2.0, 2.0]))
    tensor([1.0000, 0.5000])
    """
    A, B = square("solve", A), as_tensor(B)
    vector = B.ndim == 1 or (B.ndim == A.ndim - 1 and B.shape == A.shape[:-1])
    if vector:
        if not left:
            raise ArgumentError("solve: left=False needs a matrix B", got=tuple(B.shape))
        return Solve()(A, B.unsqueeze(-1)).squeeze(-1)  # type: ignore[attr-defined]
    if left:
        return Solve()(A, B)
    return Solve()(A.mT, B.mT).mT  # type: ignore[attr-defined]


@derive("linalg_solve_triangular", method=False)
def linalg_solve_triangular(
    A: Any, B: Any, *, upper: bool, left: bool = True, unitriangular: bool = False
) -> Tensor:
    """X with ``A X = B``, only one triangle of A being read (its diagonal 1 if `unitriangular`)."""
    A = square("solve_triangular", A)
    A = A.triu() if upper else A.tril()
    if unitriangular:
        eye = eye_like(A, A.shape[-1])
        A = A * (1 - eye) + eye
    return linalg_solve(A, B, left=left)


@derive("cholesky_solve")
def cholesky_solve(B: Any, L: Any, upper: bool = False) -> Tensor:
    """X with ``L Lᵀ X = B`` (``Uᵀ U X = B`` if `upper`)."""
    half = linalg_solve_triangular(L.mT if upper else L, B, upper=False)
    return linalg_solve_triangular(L if upper else L.mT, half, upper=True)


@derive("cholesky_inverse")
def cholesky_inverse(L: Any, upper: bool = False) -> Tensor:
    """The inverse of ``L Lᵀ`` (of ``Uᵀ U`` if `upper`)."""
    return cholesky_solve(eye_like(L, L.shape[-1]), L, upper)


@derive("linalg_pinv", method=False)
def linalg_pinv(
    A: Any,
    *,
    atol: Any = None,
    rtol: Any = None,
    hermitian: bool = False,
) -> Tensor:
    """The pseudo-inverse (Moore, Penrose) of (…, m, n): (…, n, m).

    Singular values up to ``max(atol, rtol · the largest)`` count as 0; rtol is by default the
    larger extent times the precision of the dtype, or 0 where `atol` is given.
    """
    A = floating("pinv", A)
    if hermitian:
        A = A.tril() + A.tril(-1).mT
    rtol, atol = _limits(A, rtol, atol)
    return Pseudoinverse(rtol=rtol, atol=atol)(A)


@derive("pinverse")
def pinverse(input: Any, rcond: float = 1e-15) -> Tensor:
    """The pseudo-inverse, singular values up to `rcond` times the largest counted as 0."""
    return linalg_pinv(input, rtol=rcond)


def _limits(A: Any, rtol: Any, atol: Any) -> tuple[float, float]:
    if rtol is None:
        precision = 2.0**-52 if A.dtype == dtypes.float64 else 2.0**-23
        rtol = max(A.shape[-2:]) * precision if not atol else 0.0
    return float(rtol), float(atol or 0.0)


@derive("linalg_lstsq", method=False)
def linalg_lstsq(
    A: Any,
    B: Any,
    rcond: Any = None,
    *,
    driver: str | None = None,
) -> LeastSquares:
    """X that makes ``‖A X - B‖`` least, of several the shortest: ``A⁺ B``.

    As in PyTorch `residuals` are there for ``m > n``, full rank and the drivers ``"gels"``,
    ``"gelss"`` and ``"gelsd"``; `rank` for all but ``"gels"``; `singular_values` for the last two.

    Raises:
        ArgumentError: for another driver than ``"gelsy"`` (the default) or these.
    """
    A, B = floating("lstsq", A), as_tensor(B)
    driver = "gelsy" if driver is None else driver
    if driver not in ("gels", "gelsy", "gelsd", "gelss"):
        raise ArgumentError("lstsq: driver", got=repr(driver), expected="gels, gelsy, gelsd, gelss")
    m, n = A.shape[-2:]
    vector = B.ndim == A.ndim - 1 and (B.ndim == 1 or B.shape == A.shape[:-1])
    columns = B.unsqueeze(-1) if vector else B
    rtol = max(m, n) * (2.0**-52 if A.dtype == dtypes.float64 else 2.0**-23)
    inverse: Any = linalg_pinv(A, rtol=rtol if rcond is None else rcond)
    solution = inverse @ columns
    residuals = values = creation.zeros(0, dtype=A.dtype, device=A.device)
    rank: Any = creation.zeros(0, dtype="int64", device=A.device)
    if m > n and driver != "gelsy":
        residuals = (A @ solution - columns).square().sum(-2)
    if driver != "gels":
        rank = linalg_matrix_rank(A.detach(), rtol=rtol if rcond is None else rcond)
    if driver in ("gelsd", "gelss"):
        values = linalg_svdvals(A.detach())
    solution = solution.squeeze(-1) if vector else solution
    return LeastSquares(solution, residuals, rank, values)


@derive("matrix_power")
def matrix_power(input: Any, n: int) -> Tensor:
    """The product of `n` copies of square matrices, by repeated squaring; of the inverse if n < 0.

    >>> import deepdive as dd
    >>> matrix_power(dd.tensor([[1.0, 1.0], [0.0, 1.0]]), 5)
    tensor([[1., 5.],
            [0., 1.]])
    """
    if input.ndim < 2 or input.shape[-1] != input.shape[-2]:
        raise ShapeError("matrix_power: square matrices", got=tuple(input.shape))
    if n == 0:
        eye = creation.eye(input.shape[-1], dtype=input.dtype, device=input.device)
        return BroadcastTo(tuple(input.shape))(eye)
    power: Any = input if n > 0 else Inverse()(square("matrix_power", input))
    out: Any = None
    for digit in reversed(f"{abs(n):b}"):
        if digit == "1":
            out = power if out is None else out @ power
        power = power @ power if abs(n) > 1 else power
    return out  # type: ignore[no-any-return]


# --- determinants ------------------------------------------------------------------------------
@derive("slogdet")
def slogdet(A: Any) -> SLogDet:
    """The sign of the determinant and the logarithm of its size: ``det = sign · e^logabsdet``."""
    both: Any = SlogdetRows()(square("slogdet", A))
    return SLogDet(both[0].detach(), both[1])


@derive("logdet")
def logdet(input: Any) -> Tensor:
    """The logarithm of the determinant; NaN where that is negative."""
    sign, size = slogdet(input)
    return Where()(sign < 0, math.nan, size)


# --- decompositions ----------------------------------------------------------------------------
@derive("linalg_cholesky", method=False)
def linalg_cholesky(A: Any, *, upper: bool = False) -> Tensor:
    """The lower triangular L with ``L Lᵀ = A``, or its transpose if `upper`.

    Raises:
        ArgumentError: if A is not positive definite (on the CPU).
    """
    A = square("cholesky", A)
    return Cholesky()(A.mT).mT if upper else Cholesky()(A)  # type: ignore[attr-defined]


@derive("cholesky", word="cholesky_of")
def cholesky(input: Any, upper: bool = False) -> Tensor:
    """As :func:`linalg_cholesky`."""
    return linalg_cholesky(input, upper=upper)


class Completion(Operator):
    """Orthonormal columns that complete those of q (…, m, k) to a basis: (…, m, m - k)."""

    what: str

    def forward(self, xp, q):
        m, k = q.shape[-2:]
        # the reflections that make q make the rest, too: zeros call for no further ones
        nothing = xp.zeros((*q.shape[:-1], m - k), q.dtype)
        return xp.qr_rows(xp.concat([q, nothing], axis=-1))[..., :m, k:]

    def backward(self, xp, grad):
        raise GraphError(
            f"backward of {self.what}: the columns that complete the basis are no function of x",
            fix="use only the first min(m, n) columns",
        )


def _complete(what: str, q: Any) -> Any:
    """q (…, m, k) completed to a square orthogonal matrix."""
    return Cat(-1)(q, Completion(what)(q)) if q.shape[-2] > q.shape[-1] else q


@derive("linalg_qr", method=False)
def linalg_qr(A: Any, mode: str = "reduced") -> QR:
    """``A = Q R`` with orthonormal columns and an upper triangle; the signs are LAPACK's.

    Args:
        mode: ``"reduced"``: Q (…, m, k), R (…, k, n) with k = min(m, n); ``"complete"``:
            Q (…, m, m), R (…, m, n); ``"r"``: R alone, Q is empty.
    """
    A = floating("qr", A)
    if mode not in ("reduced", "complete", "r"):
        raise ArgumentError("qr: mode", got=repr(mode), expected="'reduced', 'complete' or 'r'")
    m, n = A.shape[-2:]
    head = A[..., :m] if n > m else A
    both: Any = QRRows()(head)
    Q, R = both[..., :m, :], both[..., m:, :].mT
    if n > m:
        R = Cat(-1)(R, Q.mT @ A[..., m:])
    if mode == "r":
        return QR(creation.zeros(0, dtype=A.dtype, device=A.device), R)
    if mode == "complete" and m > n:
        Q = _complete("qr(mode='complete')", Q)
        R = Cat(-2)(R, creation.zeros(*A.shape[:-2], m - n, n, dtype=A.dtype, device=A.device))
    return QR(Q, R)


@derive("qr", word="qr_of")
def qr(input: Any, some: bool = True) -> QR:
    """As :func:`linalg_qr`: reduced, or complete unless `some`."""
    return linalg_qr(input, "reduced" if some else "complete")


@derive("linalg_svd", method=False)
def linalg_svd(A: Any, full_matrices: bool = True, *, driver: str | None = None) -> SVD:
    """``A = U diag(S) Vh``, S descending; of each column of U the largest number is positive.

    Args:
        full_matrices: U (…, m, m) and Vh (…, n, n) in place of (…, m, k) and (…, k, n), with
            k = min(m, n).  What completes them has no gradient.
        driver: taken, and without effect here.

    >>> import deepdive as dd
    >>> linalg_svd(dd.tensor([[0.0, 2.0], [1.0, 0.0]])).S
    tensor([2., 1.])
    """
    A = floating("svd", A)
    m = A.shape[-2]
    both: Any = SVDRows()(A)
    U, S, V = both[..., :m, :], both[..., m, :], both[..., m + 1 :, :]
    if full_matrices:
        U, V = _complete("svd(full_matrices=True)", U), _complete("svd(full_matrices=True)", V)
    return SVD(U, S, V.mT)


@derive("svd", word="svd_of")
def svd(input: Any, some: bool = True, compute_uv: bool = True) -> OldSVD:
    """``input = U diag(S) Vᵀ`` in its older form; without `compute_uv` U and V are zeros."""
    if not compute_uv:
        m, n = floating("svd", input).shape[-2:]
        lead = input.shape[:-2]
        like = {"dtype": input.dtype, "device": input.device}
        U, V = creation.zeros(*lead, m, m, **like), creation.zeros(*lead, n, n, **like)
        return OldSVD(U, linalg_svdvals(input), V)
    U, S, Vh = linalg_svd(input, not some)
    return OldSVD(U, S, Vh.mT)


@derive("linalg_svdvals", method=False)
def linalg_svdvals(A: Any, *, driver: str | None = None) -> Tensor:
    """The singular values, in descending order."""
    return SingularValues()(floating("svdvals", A))


@derive("linalg_eigh", method=False)
def linalg_eigh(A: Any, UPLO: str = "L") -> Eigen:
    """Eigenvalues, ascending, and eigenvectors (columns) of symmetric matrices.

    Of each eigenvector the largest number is positive.  The gradient takes A to move among
    symmetric matrices.

    Args:
        UPLO: which triangle is read, ``"L"`` or ``"U"``.
    """
    A = square("eigh", A)
    both: Any = EighRows(_upper(UPLO))(A)
    n = A.shape[-1]
    return Eigen(both[..., n, :], both[..., :n, :])


@derive("linalg_eigvalsh", method=False)
def linalg_eigvalsh(A: Any, UPLO: str = "L") -> Tensor:
    """The eigenvalues of symmetric matrices, ascending."""
    return Eigenvalues(_upper(UPLO))(square("eigvalsh", A))


def _upper(UPLO: str) -> bool:
    if UPLO.upper() not in ("L", "U"):
        raise ArgumentError("eigh: UPLO", got=repr(UPLO), expected="'L' or 'U'")
    return UPLO.upper() == "U"


@derive("linalg_matrix_rank", method=False)
def linalg_matrix_rank(
    A: Any, tol: Any = None, *, atol: Any = None, rtol: Any = None, hermitian: bool = False
) -> Tensor:
    """How many singular values are larger than ``max(atol, rtol · the largest)``."""
    A = floating("matrix_rank", A)
    if hermitian:
        A = A.tril() + A.tril(-1).mT
    rtol, atol = _limits(A, rtol, atol) if tol is None else (0.0, float(tol))
    values: Any = linalg_svdvals(A.detach())
    limit = (values[..., :1] * rtol).clamp(min=atol)
    return (values > limit).sum(-1)  # type: ignore[no-any-return]
