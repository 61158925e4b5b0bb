"""Philox4x64-10 (Salmon et al. 2011, "Random numbers: as easy as 1, 2, 3") in Python's integers.

The same bits as :mod:`deepdive.backend.random_numpy` finds with NumPy's cipher.
"""

from __future__ import annotations

WORD = (1 << 64) - 1
ROUNDS = 10
MULTIPLIERS = (0xD2E7470EE14C6C93, 0xCA5A826395121157)
BUMPS = (0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B)  # the golden ratio and √3 - 1

Block = tuple[int, int, int, int]


def block(counter: Block, key: int) -> Block:
    """The cipher of four 64-bit words under a key of 128 bits: ten rounds of multiply and mix.

    >>> block((0, 0, 0, 0), 0)[0] & 0xFFFFFFFF
    3392549196
    """
    a, b, c, d = counter
    low = key & WORD
    high = key >> 64
    for _ in range(ROUNDS):
        left = a * MULTIPLIERS[0]
        right = c * MULTIPLIERS[1]
        a = right >> 64 ^ b ^ low
        c = left >> 64 ^ d ^ high
        b = right & WORD
        d = left & WORD
        low = low + BUMPS[0] & WORD
        high = high + BUMPS[1] & WORD
    return a, b, c, d


def words(key: int, counter: int, size: int) -> list[int]:
    """`size` uint32 numbers of draw `counter`: each 64-bit word's low half, then its high half."""
    out: list[int] = []
    for i in range(-(-size // 8)):
        for word in block((i, counter, 0, 0), key):
            out += (word & 0xFFFFFFFF, word >> 32)
    return out[:size]


def wide_words(key: int, counter: int, size: int) -> list[int]:
    """`size` uint64 numbers of draw `counter`."""
    out: list[int] = []
    for i in range(-(-size // 4)):
        out += block((i, counter, 0, 0), key)
    return out[:size]


def fork_stream(key: int, number: int) -> int:
    """The 64-bit name of the stream that `number` forks from `key`; no draw ever shows it."""
    return block((number, 0, 0, 1), key)[0]
