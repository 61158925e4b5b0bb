"""Memory of large arrays, which the process keeps instead of giving it back at every step.

glibc takes a block of 128 KB or more from the system and gives it back when it is freed; each step
then faults every page in anew, which takes longer than computing with it.  It stops doing so once a
program has freed a larger block (its M_MMAP_THRESHOLD is dynamic, see mallopt(3)).  So one of the
largest size that counts is freed here, first of all; nobody touched it, so it cost nothing.  Up to
64 MB at the end of the heap stay with the process afterwards.  ``DEEPDIVE_KEEP_MEMORY=0`` leaves
everything as it was; on other systems this does nothing.
"""

from __future__ import annotations

import os

import numpy as np

LARGEST = 1 << 25  # bytes of a block that changes the threshold, with the allocator's own
PAGE = 1 << 12


def keep_memory() -> None:
    """Let glibc serve blocks below 32 MB from memory that the process has."""
    np.empty(LARGEST - 2 * PAGE, np.uint8)


if os.environ.get("DEEPDIVE_KEEP_MEMORY") != "0":
    keep_memory()
