"""Square matrix products, beside the multiply-add peak measured in the same rounds.

DEEPDIVE_SIMD=avx2 python benchmarks/products.py 512      GFLOP/s of ours alone, as JSON
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from time import perf_counter
from typing import Any

import kernels
import numba
import numpy as np
import torch
from contest import Step, race

from deepdive.kernels import gemm

TIMES = 400  # register blocks a call of the peak's loop works through
OURS, AVX2, PEAK = "DeepDive", "DeepDive, AVX2", "peak"


def product(n: int, with_jax: bool) -> dict[str, Step]:
    rng = np.random.default_rng(n)
    a, b = rng.standard_normal((2, n, n)).astype("f")
    room = np.empty_like(a)
    out = np.empty_like(a)
    x = torch.from_numpy(a)
    y = torch.from_numpy(b)
    z = torch.empty(n, n)
    found: dict[str, Step] = {
        "NumPy": lambda: np.matmul(a, b, out=room),
        "PyTorch": lambda: torch.matmul(x, y, out=z),
        OURS: lambda: gemm.matmul(a, b, out),
    }
    if with_jax:
        found["JAX"] = with_jax_product(a, b)
    return found


def with_jax_product(a: Any, b: Any) -> Step:
    import jax

    x, y = jax.device_put((a, b))
    multiply = jax.jit(jax.numpy.matmul)
    return lambda: multiply(x, y)


def peak(threads: int = 2) -> tuple[Step, float]:
    """A loop of multiply-adds on registers and the first cache, and its flops."""
    panel = gemm.DEPTH * (gemm.ROWS + gemm.COLUMNS)
    block = gemm.ROWS * gemm.COLUMNS
    panels = np.ones((threads, panel), np.float32)
    out = np.empty((threads, block), np.float32)
    flops = 2.0 * block * gemm.DEPTH * TIMES * threads
    return lambda: kernels.multiply_adds_all(panels, out, TIMES, threads), flops


def measured(n: int, with_jax: bool, seconds: float, rounds: int) -> dict[str, float]:
    """GFLOP/s of everybody, and of the peak."""
    torch.set_num_threads(2)
    numba.set_num_threads(2)
    contestants = product(n, with_jax)
    check(contestants)
    contestants[PEAK], flops = peak()
    times = race(contestants, seconds, rounds)
    rates = {name: 2.0 * n**3 / time / 1e9 for name, time in times.items()}
    rates[PEAK] = flops / times[PEAK] / 1e9
    if has_avx2():
        rates[AVX2] = forced("avx2", n)
    return rates


def has_avx2() -> bool:
    """Whether this processor has AVX2, so that its narrower registers can be tried."""
    info = Path("/proc/cpuinfo")
    return info.exists() and " avx2 " in info.read_text()


def forced(kind: str, n: int) -> float:
    """GFLOP/s of ours with the register block of another kind of vectors, in a process."""
    command = [sys.executable, __file__, str(n)]
    facts = {**os.environ, "DEEPDIVE_SIMD": kind}
    done = subprocess.run(command, env=facts, capture_output=True, text=True, check=True)
    return float(json.loads(done.stdout.splitlines()[-1]))


def alone(n: int, rounds: int = 15) -> float:
    """GFLOP/s of ours, nobody else racing: the median of some rounds."""
    numba.set_num_threads(2)
    ours = product(n, with_jax=False)
    check(ours)
    taken = []
    for _ in range(rounds):
        began = perf_counter()
        ours[OURS]()
        taken.append(perf_counter() - began)
    return 2.0 * n**3 / statistics.median(taken) / 1e9


def check(contestants: dict[str, Step]) -> None:
    """All results are NumPy's, to 1e-4 of the largest."""
    want = np.asarray(contestants["NumPy"]())
    room = 1e-4 * np.abs(want).max()
    for name, step in contestants.items():
        off = np.abs(np.asarray(step()) - want).max()
        assert off <= room, f"{name}: off by {off}"


if __name__ == "__main__":
    print(json.dumps(alone(int(sys.argv[1]))))
