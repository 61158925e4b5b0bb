"""Linear algebra under torch.linalg's names (``deepdive.linalg``)."""

from __future__ import annotations

from typing import Any

from deepdive.core.operator import REGISTRY
from deepdive.core.tensor import Tensor
from deepdive.ops import lengths, matrix_functions, products, rearranging

cholesky = matrix_functions.linalg_cholesky
cond = lengths.linalg_cond
cross = products.linalg_cross
det = REGISTRY["det"]
eigh = matrix_functions.linalg_eigh
eigvalsh = matrix_functions.linalg_eigvalsh
inv = REGISTRY["inverse"]
lstsq = matrix_functions.linalg_lstsq
matmul = REGISTRY["matmul"]
matrix_norm = lengths.linalg_matrix_norm
matrix_power = matrix_functions.matrix_power
matrix_rank = matrix_functions.linalg_matrix_rank
multi_dot = products.linalg_multi_dot
norm = lengths.linalg_norm
pinv = matrix_functions.linalg_pinv
qr = matrix_functions.linalg_qr
slogdet = matrix_functions.slogdet
solve = matrix_functions.linalg_solve
solve_triangular = matrix_functions.linalg_solve_triangular
svd = matrix_functions.linalg_svd
svdvals = matrix_functions.linalg_svdvals
vecdot = products.linalg_vecdot
vector_norm = lengths.linalg_vector_norm


def diagonal(A: Any, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """The elements with column = row + `offset`, of the matrices in the last two axes."""
    return rearranging.diagonal(A, offset, dim1, dim2)
