"""The word ``random_bits`` on the GPU: the bits of :mod:`.random_numpy`, block by block.

One kernel, generated from Python: a thread enciphers one block, Philox4x64-10 of the four words
``(i, counter, 0, 0)`` under the key words ``(seed, stream)``, and writes its eight uint32 numbers.
Where there is no compiler for kernels the same is computed with whole arrays.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from deepdive.backend.native.philox import BUMPS, MULTIPLIERS, ROUNDS, WORD

THREADS = 128  # in a block of the grid
HALF = 32  # bits of half a word
LOW = (1 << HALF) - 1


def kernel_source() -> str:
    """The kernel in CUDA C++; its numbers are those of :mod:`.native.philox`.

    >>> "__umul64hi" in kernel_source()
    True
    """
    left, right = (f"{number:#x}ull" for number in MULTIPLIERS)
    bump_low, bump_high = (f"{number:#x}ull" for number in BUMPS)
    return f"""
extern "C" __global__ void philox(unsigned int* out, long long size, unsigned long long counter,
                                  unsigned long long low, unsigned long long high) {{
    long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (i * 8 >= size) return;
    unsigned long long a = i, b = counter, c = 0, d = 0;
    for (int round = 0; round < {ROUNDS}; ++round) {{
        unsigned long long left = a * {left}, left_high = __umul64hi(a, {left});
        unsigned long long right = c * {right}, right_high = __umul64hi(c, {right});
        a = right_high ^ b ^ low;
        c = left_high ^ d ^ high;
        b = right;
        d = left;
        low += {bump_low};
        high += {bump_high};
    }}
    unsigned long long words[4] = {{a, b, c, d}};
    for (int k = 0; k < 8 && i * 8 + k < size; ++k)
        out[i * 8 + k] = (unsigned int)(words[k / 2] >> (k % 2 * {HALF}));
}}
"""


def random_bits(cp: Any, key: int, counter: Any, shape: tuple[int, ...]) -> Any:
    """Uniform uint32 words of `shape`; see :func:`.random_numpy.random_bits`.

    A compiled program keeps the counter on the device: two float64 numbers, its lower 32 bits and
    the rest.
    """
    size = math.prod(shape)
    if not hasattr(cp, "RawKernel"):
        return _by_arrays(cp, key, counter, size).reshape(shape)
    out = cp.empty((size,), np.uint32)
    if size:
        grid = -(-size // (8 * THREADS))
        there = isinstance(counter, cp.ndarray)
        words = (counter if there else np.uint64(counter), *map(np.uint64, (key & WORD, key >> 64)))
        _kernel(cp, there)((grid,), (THREADS,), (out, np.int64(size), *words))
    return out.reshape(shape)


def _kernel(cp: Any, there: bool) -> Any:
    """The compiled kernel; CuPy keeps the machine code, also on disk."""
    name = f"_deepdive_philox_{there}"
    if not hasattr(cp, name):
        source = kernel_source()
        if there:
            whole = "(unsigned long long)counter[0] | (unsigned long long)counter[1] << 32"
            source = source.replace("unsigned long long counter", "const double* counter")
            source = source.replace("b = counter", f"b = {whole}")
        setattr(cp, name, cp.RawKernel(source, "philox"))
    return getattr(cp, name)


def _by_arrays(cp: Any, key: int, counter: int, size: int) -> Any:
    """The same with uint64 arrays, one per word of the block."""
    count = -(-size // 8)
    a = cp.arange(count).astype(np.uint64)
    b = cp.full(count, counter, np.uint64)
    c = cp.zeros(count, np.uint64)
    d = cp.zeros(count, np.uint64)
    low, high = key & WORD, key >> 64
    for _ in range(ROUNDS):
        left, left_high = _product(cp, a, MULTIPLIERS[0])
        right, right_high = _product(cp, c, MULTIPLIERS[1])
        a = right_high ^ b ^ cp.full((), low, np.uint64)
        c = left_high ^ d ^ cp.full((), high, np.uint64)
        b, d = right, left
        low, high = low + BUMPS[0] & WORD, high + BUMPS[1] & WORD
    halves = [
        part
        for word in (a, b, c, d)
        for part in (word & cp.full((), LOW, np.uint64), word // cp.full((), 1 << HALF, np.uint64))
    ]
    return cp.stack(halves, 1).reshape(-1)[:size].astype(np.uint32)


def _product(cp: Any, x: Any, number: int) -> tuple[Any, Any]:
    """The low and the high word of ``x · number``, by halves."""
    unit = cp.full((), 1 << HALF, np.uint64)
    below, above = (cp.full((), part, np.uint64) for part in (number & LOW, number >> HALF))
    x_below, x_above = x % unit, x // unit
    carried = x_below * below // unit + x_above * below % unit + x_below * above % unit
    high = x_above * above + x_above * below // unit + x_below * above // unit + carried // unit
    return x * cp.full((), number, np.uint64), high
