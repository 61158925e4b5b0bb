"""What kind of vectors this CPU has, and how large a block of results its registers hold."""

from __future__ import annotations

import os

from llvmlite import binding

from deepdive.errors import ArgumentError

# name: floats in a register, (rows, vectors) of the block a matrix product keeps in registers.
# Of 32 registers 24 hold results; of AVX2's 16, 12 do. The rest holds operands.
KINDS = {
    "avx512": (16, (12, 2), (8, 3)),
    "avx2": (8, (6, 2), (4, 3)),
    "neon": (4, (8, 3), (8, 3)),
    "sse": (4, (6, 2), (4, 3)),
}


def _detect() -> str:
    """The widest vectors of this CPU, unless DEEPDIVE_SIMD says otherwise."""
    forced = os.environ.get("DEEPDIVE_SIMD")
    if forced:
        if forced not in KINDS:
            raise ArgumentError("DEEPDIVE_SIMD", got=forced, expected=", ".join(KINDS))
        return forced
    features = binding.get_host_cpu_features()
    if features.get("avx512f"):
        return "avx512"
    if features.get("avx2") and features.get("fma"):
        return "avx2"
    return "neon" if binding.get_process_triple().startswith(("aarch64", "arm64")) else "sse"


SIMD = _detect()
WIDTH, (ROWS, VECTORS), (CHANNELS, PIXELS) = KINDS[SIMD]
FLOAT = 4  # bytes
