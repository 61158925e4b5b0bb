"""The words of linear algebra: extended ones, said in core words where a speaker has no better.

A word has one result.  What decomposes a matrix into several gives them as the *rows* of one: the
factors share their number of columns, and are told apart by their numbers of rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deepdive import dtypes
from deepdive.backend.vocabulary import rules
from deepdive.backend.vocabulary.rules import Shape, shape_of
from deepdive.backend.vocabulary.word import Word
from deepdive.backend.vocabulary.words import VOCABULARY as VOCABULARY
from deepdive.errors import DTypeError, ShapeError


def matrix(word: str, a: Any) -> Shape:
    """The shape of a matrix, or of many.

    Raises:
        ShapeError: for fewer than two axes.
    """
    shape = shape_of(a)
    if len(shape) < 2:
        raise ShapeError(f"{word}: a has shape {shape}", expected="(…, rows, columns)")
    return shape


def square(word: str, a: Any) -> Shape:
    """The shape of a square matrix, or of many.

    Raises:
        ShapeError: for others.
    """
    shape = matrix(word, a)
    if shape[-1] != shape[-2]:
        raise ShapeError(f"{word}: a has shape {shape}", expected="as many rows as columns")
    return shape


def solve(word: str, a: Any, b: Any) -> Shape:
    """The shape of b, its leading axes broadcast with those of a."""
    left, right = square(word, a), matrix(word, b)
    if left[-1] != right[-2]:
        raise ShapeError(
            f"{word}: a is {left} and b is {right}: {left[-1]} != {right[-2]}",
            expected=f"b (…, {left[-1]}, columns)",
        )
    return (*rules.broadcast_shapes(word, left[:-2], right[:-2]), *right[-2:])


def slogdet_rows(word: str, a: Any) -> Shape:
    """Two numbers for each matrix."""
    return (2, *square(word, a)[:-2])


def qr_rows(word: str, a: Any) -> Shape:
    """Q and the transpose of R below each other."""
    shape = matrix(word, a)
    rows, columns = shape[-2:]
    if rows < columns:
        raise ShapeError(
            f"{word}: a has shape {shape}", expected="at least as many rows as columns"
        )
    return (*shape[:-2], rows + columns, columns)


def eigh_rows(word: str, a: Any) -> Shape:
    """The eigenvectors, and the eigenvalues below them."""
    shape = square(word, a)
    return (*shape[:-2], shape[-1] + 1, shape[-1])


def svd_rows(word: str, a: Any) -> Shape:
    """U, the singular values, and V below each other."""
    shape = matrix(word, a)
    rows, columns = shape[-2:]
    return (*shape[:-2], rows + 1 + columns, min(rows, columns))


def floating(word: str, given: Mapping[str, Any]) -> Any:
    """The dtype of the matrices.

    Raises:
        DTypeError: for whole numbers, whose inverses are none.
    """
    dtype = dtypes.result_type(*given.values())
    if not dtypes.is_floating(dtype):
        raise DTypeError(f"{word}: got {dtype}", expected="floating numbers", fix="x.float()")
    return dtype


def _enter(parameters: str, shape: Any, meaning: str, example: str) -> None:
    name = example[3:].partition("(")[0]
    VOCABULARY[name] = Word(name, parameters, shape, floating, meaning, example, False)


_enter(
    "a",
    square,
    "the lower triangular L with L Lᵀ = a; only the lower triangle of a is read",
    "xp.cholesky(xp.asarray([[4.0]])) → [[2.0]]",
)
_enter(
    "a, b",
    solve,
    "the x with a x = b",
    "xp.solve(xp.asarray([[2.0]]), xp.asarray([[6.0]])) → [[3.0]]",
)
_enter(
    "a",
    slogdet_rows,
    "the sign of the determinant, and the logarithm of its size",
    "xp.slogdet_rows(xp.asarray([[-1.0]])) → [-1.0, 0.0]",
)
_enter(
    "a",
    qr_rows,
    "Q above Rᵀ, with Q R = a, Q's columns orthonormal, R upper triangular",
    "xp.qr_rows(xp.asarray([[2.0]])) → [[1.0], [2.0]]",
)
_enter(
    "a",
    eigh_rows,
    "V above w, with a V = V w for symmetric a, of which the lower triangle is read; w ascends, "
    "and of each eigenvector the largest number is positive",
    "xp.eigh_rows(xp.asarray([[2.0]])) → [[1.0], [2.0]]",
)
_enter(
    "a",
    svd_rows,
    "U above s above V, with U s Vᵀ = a; s descends, and of each column of U the largest number "
    "is positive",
    "xp.svd_rows(xp.asarray([[-2.0]])) → [[1.0], [2.0], [-1.0]]",
)
