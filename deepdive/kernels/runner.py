"""Running a generated program: levels of blocks, shared out among threads.

A program is a *schedule*, a row of int64s: for each level how many partial sums to clear and how
many blocks to run, the sums (offset, floats a thread, start), and where each block's record is.
A record has the rows, and the addresses of the functions to call on them, one after the other.
These functions are compiled; what runs them is here and compiled once a machine.
"""

from __future__ import annotations

from numba import float32 as f
from numba import int64, prange

from deepdive.kernels.jit import kernel
from deepdive.kernels.spmd import call, floats, longs, wait

STARTS = {"0": 0, "-inf": 1, "inf": 2}  # what sums, maxima and minima start from, by number


@kernel
def clear(sums, offset, size, start):
    """Set the partial sums of one thread to where they start."""
    first = f(0)
    if start == 1:
        first = f(-float("inf"))
    elif start == 2:
        first = f(float("inf"))
    for i in range(size):
        sums[offset + i] = first


@kernel
def work(thread, threads, schedule, levels, table, numbers, memory, barrier, scratch):
    """Everything one thread does: its blocks of each level, and waiting for the others."""
    plan = longs(schedule)
    sums = floats(longs(memory)[0])
    at = 0
    for _ in range(levels):
        clears, blocks = plan[at], plan[at + 1]
        at += 2
        for _ in range(clears):
            size = plan[at + 1]
            clear(sums, plan[at] + thread * size, size, plan[at + 2])
            at += 3
        for block in range(thread, blocks, threads):
            record = plan[at + block]
            lo, hi = plan[record], plan[record + 1]
            for i in range(plan[record + 2]):
                function = plan[record + 3 + i]
                call(function, (thread, lo, hi, table, numbers, memory, scratch))
        at += blocks
        if threads > 1:
            wait(barrier, threads)


@kernel
def alone(schedule, levels, table, numbers, memory, barrier, scratch):
    """Run a program on the calling thread."""
    work(int64(0), int64(1), schedule, levels, table, numbers, memory, barrier, scratch)


@kernel(parallel=True)
def together(threads, schedule, levels, table, numbers, memory, barrier, scratch):
    """Run a program on so many threads."""
    for thread in prange(threads):
        work(int64(thread), threads, schedule, levels, table, numbers, memory, barrier, scratch)
