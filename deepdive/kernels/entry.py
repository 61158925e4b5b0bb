"""Kernels with an address of their own, compiled once a machine and called by generated programs.

A program that called the Numba functions themselves would compile them into itself each time.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from numba import float32 as f
from numba import types
from numba.core.ccallback import CFunc

from deepdive.kernels.conv import BUFFER, Shape
from deepdive.kernels.conv_blocks import (
    BLOCK,
    DOTS,
    TAPS,
    correlate_task,
    pack_weight,
    reduce_task,
)
from deepdive.kernels.gemm import gemm_block
from deepdive.kernels.jit import FAST, cached, kernel
from deepdive.kernels.spmd import longs
from deepdive.kernels.vector import CHANNELS, FLOAT, pointer

# Dividing by zero gives infinity, as in NumPy: a check in a loop would keep it from vectors.
OPTIONS = {"fastmath": FAST, "error_model": "numpy"}

_held: list[Any] = []  # the code lives as long as these


def entry_point(function: Callable[..., Any]) -> Callable[[], int]:
    """Turn a function of int64s into one that gives the address of its machine code.

    It is compiled when the address is asked for, without Python around it.
    """

    @functools.cache
    def address() -> int:
        integers = (types.int64,) * function.__code__.co_argcount
        signature = (integers, types.void)
        compiled: Any = CFunc(function, signature, locals={}, options=OPTIONS)
        cached(compiled, function)
        compiled.compile()
        _held.append(compiled)
        return int(compiled.address)

    return functools.update_wrapper(address, function)


@entry_point
def product(a, ai, ak, b, bk, bj, c, ci, M, N, K, work):
    """``c = a @ b`` on this thread, see :func:`deepdive.kernels.gemm.gemm_block`."""
    gemm_block(a, ai, ak, b, bk, bj, c, ci, M, N, K, f(1), f(0), 0, 0, work)


# --- convolutions: sizes come as the address of a Shape's numbers ---------------------------------
@kernel
def shape_at(address, images):
    """The :class:`Shape` whose numbers lie at `address`, for so many images."""
    n = longs(address)
    return Shape(
        B=images,
        C=n[1],
        H=n[2],
        W=n[3],
        O=n[4],
        OH=n[5],
        OW=n[6],
        kh=n[7],
        kw=n[8],
        sh=n[9],
        sw=n[10],
        up_h=n[11],
        up_w=n[12],
        top=n[13],
        left=n[14],
        dh=n[15],
        dw=n[16],
        groups=n[17],
        rows=n[18],
        width=n[19],
        height=n[20],
        K=n[21],
        padded=n[22],
        strips=n[23],
        size=n[24],
        plane=n[25],
        blocks=n[26],
    )


@entry_point
def pack(shape, weight, out):
    """The weight (O, C / groups, kh, kw) in panels."""
    pack_weight(shape_at(shape, 0), weight, out)


@entry_point
def pack_turned(shape, weight, room, out):
    """The weight for the input's gradient: channels exchanged, taps turned around, in panels.

    `room` is memory for the turned weight.
    """
    s = shape_at(shape, 0)
    source, target = pointer(weight), pointer(room)
    taps = s.kh * s.kw
    for g in range(s.groups):
        for o in range(s.O):
            for c in range(s.C):
                old = ((g * s.C + c) * s.O + o) * taps
                new = ((g * s.O + o) * s.C + c) * taps
                for t in range(taps):
                    target[new + t] = source[old + taps - 1 - t]
    pack_weight(s, room, out)


@entry_point
def convolve(shape, first, last, x, weight, table, y, work):
    """Images first … last of ``y = x * weight``."""
    s = shape_at(shape, last)
    each = s.groups * s.strips
    for task in range(first * each, last * each):
        correlate_task(s, task, x, weight, table, y, 0, 0, work)


@entry_point
def correlate(shape, first, last, x, dy, table, dw, work):
    """Add what images first … last say about the weight to `dw`, in blocks (see collect)."""
    s = shape_at(shape, last - first)
    grads = s.padded * s.plane
    images = 1
    if s.strips == 1:
        images = max(1, min(s.B, BUFFER // (s.size + grads)))
    left = x + FLOAT * first * s.groups * s.C * s.H * s.W
    right = dy + FLOAT * first * s.groups * s.O * s.OH * s.OW
    tasks = (s.B + images - 1) // images * s.groups * s.strips
    for task in range(tasks):
        reduce_task(s, task, images, left, right, table, dw, work)


@entry_point
def collect(shape, first, last, dw, threads, out):
    """Rows first … last of the weight's gradient, from the blocks of all threads."""
    s = shape_at(shape, 0)
    blocks, to = pointer(dw), pointer(out)
    share = s.groups * (s.padded // CHANNELS) * s.blocks * DOTS
    for row in range(first, last):
        g, o = row // s.O, row % s.O
        panel = (g * s.padded + o) // CHANNELS
        for k in range(s.K):
            place = (panel * s.blocks + k // TAPS) * DOTS + o % CHANNELS * TAPS + k % TAPS
            total = f(0)
            for thread in range(threads):
                total += blocks[thread * share + place]
            to[row * s.K + k] = total


def room(s: Shape) -> dict[str, int]:
    """Floats of memory these need: packed and turned weight, blocks of dw, scratch a thread."""
    grads = s.padded * s.plane
    images = 1
    if s.strips == 1:
        images = max(1, min(s.B, BUFFER // (s.size + grads)))
    forward = s.size + CHANNELS * s.plane
    backward = images * (s.size + grads)
    panels = s.groups * (s.padded // CHANNELS)
    return {
        "packed": s.groups * s.padded * s.K + CHANNELS * 4 + BLOCK,
        "turned": s.groups * s.O * s.K,
        "blocks": panels * s.blocks * DOTS,
        "work": max(forward, backward) + 2 * BLOCK,
    }
