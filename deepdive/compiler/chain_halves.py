"""Half precision in the kernels of chains: floats in registers, 16 bits in memory.

A word of float16 numbers computes in float32 and rounds its result to the nearest float16, the even
one of two, as CuPy's do; bfloat16 is only converted.  The functions are plain C, so that a kernel
needs no header.
"""

from __future__ import annotations

HALVES = ("float16", "bfloat16")

BITS = """
__device__ unsigned int bits_of(float x) {
    union { float number; unsigned int bits; } both;
    both.number = x;
    return both.bits;
}
__device__ float number_of(unsigned int x) {
    union { float number; unsigned int bits; } both;
    both.bits = x;
    return both.number;
}
"""
# Below 2^-14 the steps are 2^-24, as those of floats between 0.5 and 1: adding 0.5 rounds to them.
FLOAT16 = """
__device__ float from_float16(unsigned short x) {
    const unsigned int sign = (x & 0x8000u) << 16, rest = x & 0x7fffu;
    if (rest >= 0x7c00u) return number_of(sign | 0x7f800000u | (rest & 0x3ffu) << 13);
    if (rest < 0x400u) return number_of(sign | bits_of((float)rest * 5.9604644775390625e-08f));
    return number_of(sign | ((rest << 13) + 0x38000000u));
}
__device__ unsigned short to_float16(float x) {
    const unsigned int sign = bits_of(x) >> 16 & 0x8000u, rest = bits_of(x) & 0x7fffffffu;
    if (rest > 0x7f800000u) return sign | 0x7e00u;
    if (rest >= 0x477ff000u) return sign | 0x7c00u;
    if (rest < 0x38800000u) return sign | (bits_of(number_of(rest) + 0.5f) - 0x3f000000u);
    return sign | (rest + 0xfffu + (rest >> 13 & 1u) - 0x38000000u) >> 13;
}
"""
BFLOAT16 = """
__device__ float from_bfloat16(unsigned short x) {
    return number_of((unsigned int)x << 16);
}
__device__ unsigned short to_bfloat16(float x) {
    const unsigned int bits = bits_of(x);
    if ((bits & 0x7fffffffu) > 0x7f800000u) return bits >> 16 | 0x40u;
    return (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;
}
"""


def functions(kinds: set[str]) -> str:
    """The conversions a kernel with these dtypes needs."""
    text = ""
    if "float16" in kinds:
        text += FLOAT16
    if "bfloat16" in kinds:
        text += BFLOAT16
    return BITS + text if text else ""


def rounded(text: str, kind: str) -> str:
    """A float rounded to what the dtype can hold."""
    return f"from_{kind}(to_{kind}({text}))" if kind in HALVES else text
