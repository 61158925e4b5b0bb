"""How long a program ought to take: its arithmetic and its memory against what this machine does.

For each level of a program the slower of the two, ``max(flops / peak, bytes / bandwidth)`` – the
roofline of Williams, Waterman and Patterson (2009) – and a little for each start.  What values in
the caches save, and what short loops cost, is not in it: a factor of two is a good prediction.
"""

from __future__ import annotations

import ctypes
import functools
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from deepdive.compiler import geometry
from deepdive.compiler.graph import CONSTANT, INPUT, NUMBER, Value
from deepdive.compiler.settle import VIEWS

SIZE = 384  # of the product that is timed
COPIED = 1 << 22  # floats, 16 MiB: more than most caches hold
LEVEL, LINE = 2e-6, 0.7e-6  # seconds to start a level on all threads, and to call NumPy once


class Machine(NamedTuple):
    """Measured speeds: multiplications and additions a second of one thread, bytes a second."""

    flops: float
    bandwidth: float


@functools.cache
def machine(in_loops: bool) -> Machine:
    """What one matrix product and one copy take here, the best of a few; once a process."""
    a = np.ones((SIZE, SIZE), np.float32)
    out = np.empty_like(a)
    multiply = _own_product(a, out) if in_loops else functools.partial(np.matmul, a, a, out=out)
    source = np.ones(COPIED, np.float32)
    target = np.empty_like(source)
    copied = 2.0 * source.nbytes
    return Machine(
        2.0 * SIZE**3 / _best(multiply),
        copied / _best(functools.partial(np.copyto, target, source)),
    )


def _best(action: Any) -> float:
    taken = []
    for _ in range(4):
        began = perf_counter()
        action()
        taken.append(perf_counter() - began)
    return min(taken)


def _own_product(a: Any, out: Any) -> Any:
    """The kernel that programs call, on this thread alone."""
    work = np.empty(geometry.product_room(), np.float32)
    kernel = ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * 12)(geometry.kernel_address("product"))
    x, y, z = (array.ctypes.data for array in (a, out, work))

    def multiply(held: Any = (a, out, work)) -> None:
        kernel(x, SIZE, 1, x, SIZE, 1, y, SIZE, SIZE, SIZE, SIZE, z)

    return multiply


class Cost(NamedTuple):
    """What a level, or a line of NumPy, does."""

    flops: float
    bytes: float


def predicted(code: Any, flops_of: Any) -> tuple[float, str]:
    """Seconds a call ought to take, and what that was reckoned with."""
    if hasattr(code, "parts"):
        parts = [predicted(part, flops_of) for part in code.parts]
        told = dict.fromkeys(where for _, where in parts)
        return sum(seconds for seconds, _ in parts), "; ".join(told)
    plan = getattr(code, "plan", None)
    speeds = machine(plan is not None)
    threads = 1 if plan is None else code.threads
    costs = _lines(code.graph, flops_of) if plan is None else _levels(plan, flops_of)
    start = LINE if plan is None else LEVEL
    seconds = 0.0
    for cost in costs:
        arithmetic = cost.flops / speeds.flops / threads
        seconds += start + max(arithmetic, cost.bytes / speeds.bandwidth)
    where = (
        f"{threads} x {speeds.flops / 1e9:.0f} Gflop/s"
        if plan
        else (f"NumPy's {speeds.flops / 1e9:.0f} Gflop/s")
    )
    return seconds, f"{where}, {speeds.bandwidth / 1e9:.0f} GB/s"


def _levels(plan: Any, flops_of: Any) -> list[Cost]:
    """For each level its arithmetic, and the bytes it exchanges with others or the outside."""
    found = []
    for groups in plan.levels():
        nodes = [node for group in groups for node in group.nodes]
        made = {node.value for node in nodes}
        read = {r.base for node in nodes for r in node.reads.values()} - made
        left = [v for v in made if v in plan.stored and _is_read_later(plan, v, groups)]
        moved = sum(value.nbytes for value in [*read, *left])
        flops = sum(flops_of(node.value) for node in nodes if node.kind != "total")
        found.append(Cost(flops, moved))
    return found


def _is_read_later(plan: Any, value: Value, groups: Any) -> bool:
    """Whether a value of this level is for others: of another level, or outside."""
    node = plan.nodes[value]
    return bool(plan.last_reader(node)[1] > groups[0].level)


def _lines(graph: Any, flops_of: Any) -> list[Cost]:
    """For each line of NumPy its arithmetic, and the bytes it reads and writes."""
    found = []
    for value in graph.values():
        if value.dtype is NUMBER or value.word in (INPUT, CONSTANT, *VIEWS):
            continue
        moved = value.nbytes + sum(operand.nbytes for operand in value.operands())
        found.append(Cost(flops_of(value), moved))
    return found
