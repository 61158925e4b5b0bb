"""The words of linear algebra for NumPy arrays: LAPACK, through numpy.linalg."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from deepdive.errors import ArgumentError

Array = Any


def _worded(
    name: str,
    problem: str,
    fix: str,
    run: Callable[..., Any],
    *arrays: Array,
) -> Array:
    """``run(*arrays)``, with LAPACK's refusal in our words."""
    try:
        return run(*arrays)
    except np.linalg.LinAlgError as error:
        shapes = ", ".join(str(array.shape) for array in arrays)
        raise ArgumentError(
            f"{name}: {problem}",
            got=f"shapes {shapes}: {error}",
            fix=fix,
        ) from None


def cholesky(x: Array) -> Array:
    """L with ``L Lᵀ = x``.

    Raises:
        ArgumentError: if x is not positive definite.
    """
    fix = "add a small number to the diagonal: x + 1e-6 * eye(n)"
    return _worded(
        "cholesky",
        "the matrix is not positive definite",
        fix,
        np.linalg.cholesky,
        x,
    )


def solve(a: Array, b: Array) -> Array:
    """x with ``a x = b``.

    Raises:
        ArgumentError: if a has no inverse.
    """
    fix = "linalg.lstsq(a, b) or linalg.pinv(a) @ b"
    return _worded("solve", "the matrix is singular", fix, np.linalg.solve, a, b)


def slogdet_rows(x: Array) -> Array:
    """The sign of the determinant, and the logarithm of its size."""
    return np.stack(np.linalg.slogdet(x))


def qr_rows(x: Array) -> Array:
    """Q above Rᵀ."""
    q, r = np.linalg.qr(x)
    rt = np.swapaxes(r, -1, -2)
    return np.concatenate([q, rt], axis=-2)


def signs(u: Array) -> Array:
    """1 or -1 for each column: the sign of its largest number, of equal ones the first.

    LAPACK's builds differ in the signs they give; with these all devices give the same.
    """
    count = u.shape[-2]
    if not u.size:
        return np.ones((*u.shape[:-2], 1, u.shape[-1]), u.dtype)
    late = np.arange(count, dtype=u.dtype)
    fair = 1 - 1e-3 / count * late  # ties go to the first
    size = np.abs(u) * fair[:, None]
    place = np.argmax(size, axis=-2, keepdims=True)
    found = np.take_along_axis(u, place, axis=-2)
    sign = np.where(found < 0, -1, 1)
    return sign.astype(u.dtype)


def eigh_rows(x: Array) -> Array:
    """V above w."""
    w, v = _worded(
        "eigh",
        "no convergence",
        "are all numbers finite?",
        np.linalg.eigh,
        x,
    )
    last = w[..., None, :]
    return np.concatenate([v * signs(v), last], axis=-2)


def svd_rows(x: Array) -> Array:
    """U above s above V."""

    def thin(x: Array) -> Any:
        return np.linalg.svd(x, full_matrices=False)

    u, s, vt = _worded(
        "svd",
        "no convergence",
        "are all numbers finite?",
        thin,
        x,
    )
    v = np.swapaxes(vt, -1, -2)
    sign = signs(u)
    middle = s[..., None, :]
    return np.concatenate([u * sign, middle, v * sign], axis=-2)
