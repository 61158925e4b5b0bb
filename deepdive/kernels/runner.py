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
def run_level(at, thread, threads, plan, table, numbers, memory, scratch):
    """A thread's part of the level that begins at `at`; where the next one begins."""
    sums = floats(longs(memory)[0])
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
            call(plan[record + 3 + i], (thread, lo, hi, table, numbers, memory, scratch))
    return at + blocks


@kernel
def alone(threads, schedule, levels, table, numbers, memory, barrier, scratch):
    """Run a program made for so many threads on this one: level by level, a part at a time."""
    plan = longs(schedule)
    at = int64(0)
    for _ in range(levels):
        begin = at
        for thread in range(threads):
            at = run_level(begin, thread, threads, plan, table, numbers, memory, scratch)


@kernel
def work(thread, threads, schedule, levels, table, numbers, memory, barrier, scratch):
    """Everything one thread does: its part of each level, and waiting for the others."""
    plan = longs(schedule)
    at = int64(0)
    for _ in range(levels):
        at = run_level(at, thread, threads, plan, table, numbers, memory, scratch)
        wait(barrier, threads)


@kernel(parallel=True)
def together(threads, schedule, levels, table, numbers, memory, barrier, scratch):
    """Run a program on so many threads."""
    for thread in prange(threads):
        work(int64(thread), threads, schedule, levels, table, numbers, memory, barrier, scratch)
