"""The word ``random_bits`` in NumPy: Philox4x64-10 (Salmon et al. 2011, "Random numbers: as easy
as 1, 2, 3"), a block cipher run on a counter.

Block `i` of draw `counter` is the cipher of the four words ``(i, counter, 0, 0)`` under the key
words ``(seed, stream)``: any speaker, on any device, finds the same bits from the same numbers.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

_COUNTERS = 1 << 256
_FORKED = 1 << 192  # the fourth counter word: 0 for draws, 1 for the names of forked streams


def random_bits(key: int, counter: int, shape: tuple[int, ...]) -> Any:
    """Uniform uint32 words of `shape`: the low half of each 64-bit output, then its high half.

    Args:
        key: 128 bits, ``stream << 64 | seed``.
        counter: the draw number, 64 bits.

    >>> random_bits(0, 0, (2,))
    array([3392549196,  374689182], dtype=uint32)
    """
    size = math.prod(shape)
    # NumPy counts up before it enciphers, so it starts one below block 0.
    before = ((counter << 64) - 1) % _COUNTERS
    cipher = np.random.Philox(key=key, counter=before)
    wide = cipher.random_raw((size + 1) // 2)
    words = wide.astype("<u8", copy=False).view("<u4")
    return words[:size].reshape(shape)


def random_words(key: int, counter: int, size: int) -> Any:
    """`size` uint64 words: those that :func:`random_bits` cuts in halves."""
    return random_bits(key, counter, (2 * size,)).view("<u8")


def fork_stream(key: int, number: int) -> int:
    """The 64-bit name of the stream that `number` forks from `key`; no draw ever shows it."""
    before = _FORKED + number - 1
    cipher = np.random.Philox(key=key, counter=before)
    return int(cipher.random_raw())
