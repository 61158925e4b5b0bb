"""bfloat16 on a GPU: which CuPy has it, and products that its tensor cores make.

CuPy has such numbers since version 14, through ml_dtypes; not all its functions do, so operators
are given float32 there as everywhere (:mod:`.widening`).  Only a product with one matrix stays in
bfloat16: cuBLAS adds it up in float32 and rounds once, which is the same and many times as fast.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any

from deepdive.backend.widening import widen
from deepdive.dtypes import NARROW, as_dtype
from deepdive.errors import DTypeError

FIRST = 14  # CuPy's major version that has bfloat16
MAKERS = ("asarray", "astype", "empty", "zeros", "ones", "full", "arange", "eye")


class Products:
    """The speaker for operators that are products: all its words but two are the GPU's."""

    def __init__(self, xp: Any) -> None:
        self.xp = xp

    def __getattr__(self, name: str) -> Any:
        return getattr(self.xp, name)

    def matmul(self, x: Any, y: Any) -> Any:
        """``x @ y``; of batches of matrices, and where there is one sum alone, in float32."""
        xp = self.xp
        if x.ndim < 2 or y.ndim != 2 or y.shape[1] == 1:
            return xp.matmul(widen(xp, x), widen(xp, y))
        count = math.prod(x.shape[:-1])
        rows = xp.reshape(x, (count, x.shape[-1]))
        out = xp.matmul(rows, y)
        return xp.reshape(out, (*x.shape[:-1], y.shape[1]))

    def sum(self, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        """The sum of the elements, in float32."""
        return self.xp.sum(widen(self.xp, x), axis, keepdims)


def has_bfloat16(cp: Any) -> bool:
    """Whether this CuPy has such numbers."""
    return int(cp.__version__.partition(".")[0]) >= FIRST


def refuse_bfloat16(speaker: Any) -> None:
    """Let the words that make arrays say clearly that this CuPy has no such numbers."""
    for name in MAKERS:
        setattr(speaker, name, partial(_checked, speaker.cp, getattr(speaker, name)))


def _checked(cp: Any, function: Any, *args: Any, **kwargs: Any) -> Any:
    for value in (*args, *kwargs.values()):
        dtype = getattr(value, "dtype", value)
        name = getattr(dtype, "name", dtype)
        if isinstance(name, str) and name == "bfloat16":
            raise DTypeError(
                f"bfloat16 on a GPU needs CuPy {FIRST} or newer",
                got=f"CuPy {cp.__version__}",
                fix="x.half(), x.float(), or pip install -U cupy-cuda12x",
            )
    return function(*args, **kwargs)


def known(x: Any) -> Any:
    """`x`, an array from elsewhere: its dtype is one of the library's from now on."""
    if x.dtype.kind == "V" and x.dtype not in NARROW:
        as_dtype(x.dtype)
    return x
