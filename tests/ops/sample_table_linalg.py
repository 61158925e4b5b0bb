"""Sample calls of the operators of linear algebra."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from deepdive.testing.samples import Draw, Sample, samples_for

Samples = Iterator[Sample]


def regular(draw: Draw, *lead: int, n: int = 3) -> Any:
    """Matrices far from singular, with singular values apart."""
    return draw(*lead, n, n) * 0.3 + np.diag(1.0 + np.arange(n))


def definite(draw: Draw, *lead: int, n: int = 3) -> Any:
    """Symmetric positive definite matrices with eigenvalues apart."""
    x = regular(draw, *lead, n=n)
    return x @ np.swapaxes(x, -1, -2)


# --- products ------------------------------------------------------------------------------------
@samples_for("addmm")
def _addmm(draw: Draw) -> Samples:
    yield Sample((draw(2, 4), draw(2, 3), draw(3, 4)))
    yield Sample((draw(4), draw(2, 3), draw(3, 4)), {"beta": 0.5, "alpha": 2.0})


@samples_for("addmv")
def _addmv(draw: Draw) -> Samples:
    yield Sample((draw(2), draw(2, 3), draw(3)))
    yield Sample((draw(1), draw(2, 3), draw(3)), {"beta": -1, "alpha": 0.5})


@samples_for("addr")
def _addr(draw: Draw) -> Samples:
    yield Sample((draw(2, 3), draw(2), draw(3)))
    yield Sample((draw(3), draw(2), draw(3)), {"beta": 2, "alpha": -1})


@samples_for("baddbmm")
def _baddbmm(draw: Draw) -> Samples:
    yield Sample((draw(2, 3, 4), draw(2, 3, 2), draw(2, 2, 4)))
    yield Sample((draw(3, 1), draw(2, 3, 2), draw(2, 2, 4)), {"beta": 0.5, "alpha": 2})


@samples_for("addbmm")
def _addbmm(draw: Draw) -> Samples:
    yield Sample((draw(3, 4), draw(2, 3, 2), draw(2, 2, 4)))
    yield Sample((draw(4), draw(2, 3, 2), draw(2, 2, 4)), {"beta": 0.5, "alpha": 2})


@samples_for("mv")
def _mv(draw: Draw) -> Samples:
    yield Sample((draw(3, 4), draw(4)))


@samples_for("vdot")
def _two_vectors(draw: Draw) -> Samples:
    yield Sample((draw(3), draw(3)))


@samples_for("linalg_vecdot")
def _vecdot(draw: Draw) -> Samples:
    yield Sample((draw(2, 3), draw(2, 3)))
    yield Sample((draw(3, 1, 2), draw(4, 2)), {"dim": 0}, torch=False, optional=True)
    yield Sample((draw(2, 3), draw(2, 3)), {"dim": 0})


@samples_for("inner")
def _inner(draw: Draw) -> Samples:
    yield Sample((draw(3), draw(3)))
    yield Sample((draw(2, 3), draw(4, 5, 3)))
    yield Sample((draw(), draw(2, 3)))


@samples_for("cross", "linalg_cross")
def _cross(draw: Draw) -> Samples:
    yield Sample((draw(3), draw(3)))
    yield Sample((draw(2, 3), draw(2, 3)))
    yield Sample((draw(3, 2), draw(3, 2)), {"dim": 0})
    yield Sample((draw(4, 1, 3), draw(2, 3)))


@samples_for("tensordot")
def _tensordot(draw: Draw) -> Samples:
    yield Sample((draw(2, 3, 4), draw(3, 4, 5)))
    yield Sample((draw(2, 3), draw(3, 2)), {"dims": 1})
    yield Sample((draw(2), draw(3)), {"dims": 0})
    yield Sample((draw(2, 3, 4), draw(4, 5, 2)), {"dims": ([0, -1], [2, 0])})


@samples_for("kron")
def _kron(draw: Draw) -> Samples:
    yield Sample((draw(2, 3), draw(2, 2)))
    yield Sample((draw(2), draw(3, 2)))
    yield Sample((draw(2, 1, 2), draw(2)))


@samples_for("linalg_multi_dot")
def _multi_dot(draw: Draw) -> Samples:
    yield Sample(([draw(2, 5), draw(5, 3), draw(3, 4), draw(4, 1)],))
    yield Sample(([draw(3), draw(3, 2), draw(2)],))
    yield Sample(([draw(2, 3), draw(3)],))


@samples_for("einsum")
def _einsum(draw: Draw) -> Samples:
    calls = [
        ("ij,jk->ik", (2, 3), (3, 4)),
        ("ij,jk", (2, 3), (3, 4)),
        ("bij,bjk->bik", (2, 3, 4), (2, 4, 2)),
        ("b h i d, b h j d -> b h i j", (2, 2, 3, 4), (2, 2, 3, 4)),
        ("ii->i", (3, 3)),
        ("ii", (3, 3)),
        ("iji->j", (3, 2, 3)),
        ("ij->ji", (2, 3)),
        ("ij->", (2, 3)),
        ("i,j->ij", (2,), (3,)),
        ("i,i", (3,), (3,)),
        ("...ij,...jk->...ik", (2, 1, 3, 4), (5, 4, 2)),
        ("...ij->...", (2, 3, 4)),
        ("i...->...", (2, 3)),
        ("...i,...i", (2, 3), (3,)),
        ("bn,anm,bm->ba", (2, 3), (5, 3, 4), (2, 4)),
        ("ij,ij,ij->j", (2, 3), (2, 3), (2, 3)),
        ("ij,j->i", (2, 3), (1,)),
        ("iij,j->ij", (2, 2, 3), (3,)),
        ("Ab,bA", (2, 3), (3, 2)),
        (",i->i", (), (3,)),
    ]
    for equation, *shapes in calls:
        yield Sample((equation, *(draw(*shape) for shape in shapes)))
    yield Sample(("ij,jk->ik", [draw(2, 3), draw(3, 2)]))
    yield Sample((draw(2, 3), [0, 1], draw(3, 2), [1, 2], [0, 2]))
    yield Sample((draw(2, 3), [..., 1], draw(3), [1]), torch=False)


@samples_for("cdist")
def _cdist(draw: Draw) -> Samples:
    for p in (2.0, 1.0, 3.0, 0.5, math.inf):
        yield Sample((draw(3, 4), draw(2, 4)), {"p": p})
    yield Sample((draw(3, 4), draw(2, 4)), {"p": 0.0})
    yield Sample((draw(2, 1, 3, 4), draw(3, 2, 4)))
    mode = "use_mm_for_euclid_dist"
    yield Sample((draw(3, 2), draw(30, 2)))
    yield Sample((draw(3, 2), draw(4, 2)), {"compute_mode": mode})


# --- equations -----------------------------------------------------------------------------------
@samples_for("linalg_solve")
def _solve(draw: Draw) -> Samples:
    yield Sample((regular(draw), draw(3, 2)))
    yield Sample((regular(draw), draw(3)))
    yield Sample((regular(draw, 2), draw(2, 3)))
    yield Sample((regular(draw, 2, 1), draw(4, 3, 2)))
    yield Sample((regular(draw), draw(2, 3)), {"left": False})
    yield Sample((regular(draw, n=1), draw(1, 0)))


@samples_for("linalg_solve_triangular")
def _solve_triangular(draw: Draw) -> Samples:
    yield Sample((regular(draw), draw(3, 2)), {"upper": True})
    yield Sample((regular(draw, 2), draw(3, 2)), {"upper": False, "unitriangular": True})
    yield Sample((regular(draw), draw(2, 3)), {"upper": False, "left": False})


@samples_for("cholesky_solve")
def _cholesky_solve(draw: Draw) -> Samples:
    yield Sample((draw(3, 2), np.tril(regular(draw))), torch=False)
    yield Sample((draw(3, 2), np.triu(regular(draw)), True), torch=False)
    yield Sample((draw(3, 2), np.tril(regular(draw))), fixed=(1,))


@samples_for("cholesky_inverse")
def _cholesky_inverse(draw: Draw) -> Samples:
    yield Sample((np.tril(regular(draw)),), torch=False)
    yield Sample((np.tril(regular(draw)),), fixed=(0,))


@samples_for("inverse", "det", "slogdet")
def _inverse(draw: Draw) -> Samples:
    yield Sample((regular(draw),))
    yield Sample((regular(draw, 2, n=2),))
    yield Sample((draw(1, 1),))
    yield Sample((-regular(draw),))


@samples_for("logdet")
def _logdet(draw: Draw) -> Samples:
    yield Sample((regular(draw),))
    yield Sample((regular(draw, 2, n=2),))


@samples_for("linalg_pinv")
def _pinv(draw: Draw) -> Samples:
    yield Sample((draw(4, 3),))
    yield Sample((draw(2, 3, 4),))
    yield Sample((regular(draw),), {"rtol": 1e-10})
    yield Sample((definite(draw),), {"hermitian": True, "atol": 1e-9}, symmetric=(0,), torch=False)


@samples_for("pinverse")
def _pinverse(draw: Draw) -> Samples:
    yield Sample((draw(4, 3),))


@samples_for("linalg_lstsq")
def _lstsq(draw: Draw) -> Samples:
    for driver in (None, "gels", "gelsd"):
        yield Sample((draw(5, 3), draw(5, 2)), {"driver": driver})
    yield Sample((draw(3, 5), draw(3, 2)))
    yield Sample((regular(draw, 2), draw(2, 3, 1)))


@samples_for("matrix_power")
def _matrix_power(draw: Draw) -> Samples:
    for n in (0, 1, 2, 5, -1, -3):
        yield Sample((regular(draw), n))
    yield Sample((regular(draw, 2, n=2), 3))


# --- decompositions ------------------------------------------------------------------------------
@samples_for("cholesky")
def _cholesky(draw: Draw) -> Samples:
    yield Sample((definite(draw),), symmetric=(0,))
    yield Sample((definite(draw, 2), True), symmetric=(0,))


@samples_for("linalg_cholesky")
def _linalg_cholesky(draw: Draw) -> Samples:
    yield Sample((definite(draw),), symmetric=(0,))
    yield Sample((definite(draw, 2, n=2),), {"upper": True}, symmetric=(0,))


@samples_for("linalg_qr")
def _linalg_qr(draw: Draw) -> Samples:
    for shape in ((4, 3), (3, 3), (3, 5), (2, 4, 2)):
        yield Sample((draw(*shape),))
    yield Sample((draw(3, 3), "complete"))
    yield Sample((draw(4, 2), "complete"), fixed=(0,))
    yield Sample((draw(4, 2), "r"), torch=False)


@samples_for("qr")
def _qr(draw: Draw) -> Samples:
    yield Sample((draw(4, 3),))
    yield Sample((draw(3, 3), False))


@samples_for("linalg_svd")
def _linalg_svd(draw: Draw) -> Samples:
    # Other builds of LAPACK differ in signs; tests/ops/test_decompositions.py compares the rest.
    for shape in ((4, 3), (3, 3), (2, 3), (2, 3, 2)):
        yield Sample((draw(*shape), False), torch=False)
    yield Sample((draw(3, 3),), torch=False)
    yield Sample((draw(4, 2),), torch=False, fixed=(0,))


@samples_for("svd")
def _svd(draw: Draw) -> Samples:
    yield Sample((draw(4, 3),), torch=False)
    yield Sample((draw(4, 3), True, False))


@samples_for("linalg_svdvals")
def _svdvals(draw: Draw) -> Samples:
    for shape in ((4, 3), (3, 3), (2, 2, 4)):
        yield Sample((draw(*shape),))


@samples_for("linalg_eigh")
def _eigh(draw: Draw) -> Samples:
    yield Sample((definite(draw),), torch=False, symmetric=(0,))
    yield Sample((definite(draw, 2), "U"), torch=False, symmetric=(0,))


@samples_for("linalg_eigvalsh")
def _eigvalsh(draw: Draw) -> Samples:
    yield Sample((definite(draw),), symmetric=(0,))
    yield Sample((definite(draw, 2), "U"), symmetric=(0,))


@samples_for("linalg_matrix_rank")
def _matrix_rank(draw: Draw) -> Samples:
    yield Sample((draw(4, 3),))
    yield Sample((draw(4, 1) @ draw(1, 3),))
    yield Sample((np.stack([np.eye(3), np.zeros((3, 3))]),))
    yield Sample((definite(draw),), {"hermitian": True, "atol": 3.0})


# --- norms ---------------------------------------------------------------------------------------
@samples_for("linalg_vector_norm")
def _vector_norm(draw: Draw) -> Samples:
    for p in (2, 1, 0, 3, 0.5, -1, math.inf, -math.inf):
        yield Sample((draw(3, 4), p))
        yield Sample((draw(2, 3, 2), p), {"dim": (0, -1), "keepdim": True})
    yield Sample((draw(),))
    yield Sample((draw(3, 4), 2.5, 1))
    yield Sample((np.zeros(3),), torch=False, fixed=(0,))


@samples_for("linalg_matrix_norm")
def _matrix_norm(draw: Draw) -> Samples:
    for name in ("fro", "nuc", 2, -2, 1, -1, math.inf, -math.inf):
        yield Sample((draw(2, 3, 4), name))
        yield Sample((draw(3, 2, 3), name), {"dim": (2, 0), "keepdim": True})


@samples_for("linalg_norm")
def _norm(draw: Draw) -> Samples:
    for order in (None, "fro", "nuc", 2, 1, -math.inf):
        yield Sample((draw(3, 4), order))
    yield Sample((draw(5), 3))
    yield Sample((draw(2, 3, 4),))
    yield Sample((draw(2, 3, 4), 1, 1))
    yield Sample((draw(2, 3, 4),), {"dim": (0, 1)})
    yield Sample((draw(2, 3, 4), "nuc", (0, 2)), {"keepdim": True})


@samples_for("linalg_cond")
def _cond(draw: Draw) -> Samples:
    for p in (None, 2, -2, "fro", 1, -math.inf, "nuc"):
        yield Sample((regular(draw), p))
