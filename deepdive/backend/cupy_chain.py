"""What a compiled program asks of CuPy: kernels of its own, and all of its work as one launch.

The text of the kernels and the work come from :mod:`deepdive.compiler`; here is only what the
stack below must do, so this is short.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

THREADS = 256
LARGEST = np.iinfo(np.int32).max


def in_rows(array: Any) -> Any:
    """An array in row order: itself, or a copy."""
    return array if array.flags.c_contiguous else array.copy()


class Chain:
    """A chain of elementwise words as one kernel.

    Args:
        cp: CuPy, or a module that plays it.
        source: CUDA C++ of ``chain(size, reads …, outs …, numbers)``.
    """

    def __init__(self, cp: Any, source: str) -> None:
        # --fmad=false: round after each operation, as the words do one by one
        self.kernel = cp.RawKernel(source, "chain", options=("--fmad=false",))
        self.kernel.compile()  # an error now leaves everything as it was

    def __call__(self, reads: list[Any], outs: list[Any], *numbers: Any) -> None:
        """Fill `outs`; what does not lie in row order is copied before, or written after."""
        arrays = [in_rows(array) for array in reads]
        rows = [in_rows(array) for array in outs]
        size = outs[0].size
        count = np.int32(size) if size <= LARGEST else np.int64(size)
        grid = (-(-size // THREADS),)
        self.kernel(grid, (THREADS,), (count, *arrays, *rows, *numbers))
        for out, row in zip(outs, rows, strict=True):
            if row is not out:
                out[...] = row


class Captured:
    """What `work` asks of the GPU, asked again by one launch, in the same memory each time.

    Nothing is computed while it is captured.  The memory it takes comes from a pool of its own,
    so that nobody else is given it; the kernels it needs must have run before.

    Args:
        xp: the GPU's speaker.
        work: asks it for arrays, in memory that stays.

    Attributes:
        results: what `work` returned: arrays that each launch fills anew.
    """

    def __init__(self, xp: Any, work: Callable[[], Any]) -> None:
        cp = xp.cp
        cp.get_default_memory_pool().free_all_blocks()  # what the plain run took
        self.pool = cp.cuda.MemoryPool()
        stream = cp.cuda.Stream(non_blocking=True)
        with stream, cp.cuda.using_allocator(self.pool.malloc):
            stream.begin_capture()
            xp.host.capturing = True
            try:
                self.results = work()
            finally:
                xp.host.capturing = False
                self.graph = stream.end_capture()

    def launch(self) -> None:
        """Do it all, on the current stream."""
        self.graph.launch()
