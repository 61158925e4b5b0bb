"""Kernels with an address of their own, compiled once a machine and called by generated programs.

A program that called the Numba functions themselves would compile them into itself each time.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from numba import float32 as f
from numba import types
from numba.core.ccallback import CFunc

from deepdive.kernels.gemm import gemm_block
from deepdive.kernels.jit import FAST, cached


def _address_of(function: Callable[..., Any], integers: int) -> int:
    """Compile `function` of so many int64 for callers in machine code; its address."""
    arguments = (types.int64,) * integers
    entry = CFunc(function, (arguments, types.void), locals={}, options={"fastmath": FAST})
    cached(entry, function)
    entry.compile()
    _held.append(entry)
    return int(entry.address)


_held: list[Any] = []  # the code lives as long as these


def _product(a, ai, ak, b, bk, bj, c, ci, M, N, K, work):
    """``c = a @ b`` on this thread, see :func:`deepdive.kernels.gemm.gemm_block`."""
    gemm_block(a, ai, ak, b, bk, bj, c, ci, M, N, K, f(1), f(0), 0, 0, work)


@functools.cache
def product() -> int:
    """The address of ``product(a, ai, ak, b, bk, bj, c, ci, M, N, K, work)``."""
    return _address_of(_product, 12)
