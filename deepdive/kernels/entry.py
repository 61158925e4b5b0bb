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


def _address_of(function: Callable[..., Any], integers: int) -> int:
    """Compile `function` of so many int64 for callers in machine code; its address."""
    arguments = (types.int64,) * integers
    entry = CFunc(function, (arguments, types.void), locals={}, options={"fastmath": FAST})
    cached(entry, function)
    entry.compile()
    _held.append(entry)
    return int(entry.address)


_held: list[Any] = []  # the code lives as long as these


def _product(a, ai, ak, b, bk, bj, c, ci, M, N, K, work):
    """``c = a @ b`` on this thread, see :func:`deepdive.kernels.gemm.gemm_block`."""
    gemm_block(a, ai, ak, b, bk, bj, c, ci, M, N, K, f(1), f(0), 0, 0, work)


@functools.cache
def product() -> int:
    """The address of ``product(a, ai, ak, b, bk, bj, c, ci, M, N, K, work)``."""
    return _address_of(_product, 12)


# --- convolutions: sizes come as the address of a Shape's numbers ---------------------------------
@kernel
def shape_at(address, images):
    """The :class:`Shape` whose numbers lie at `address`, for so many images."""
    n = longs(address)
    return Shape(
        images, n[1], n[2], n[3], n[4], n[5], n[6], n[7], n[8], n[9], n[10], n[11], n[12], n[13],
        n[14], n[15], n[16], n[17], n[18], n[19], n[20], n[21], n[22], n[23], n[24], n[25], n[26],
    )  # fmt: skip


def _pack(shape, weight, out):
    """The weight (O, C / groups, kh, kw) in panels."""
    pack_weight(shape_at(shape, 0), weight, out)


def _pack_turned(shape, weight, room, out):
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


def _convolve(shape, first, last, x, weight, table, y, work):
    """Images first … last of ``y = x * weight``."""
    s = shape_at(shape, last)
    each = s.groups * s.strips
    for task in range(first * each, last * each):
        correlate_task(s, task, x, weight, table, y, 0, 0, work)


def _correlate(shape, first, last, x, dy, table, dw, work):
    """Add what images first … last say about the weight to `dw`, in blocks (see collect)."""
    s = shape_at(shape, last - first)
    images = 1
    if s.strips == 1:
        images = max(1, min(last - first, BUFFER // (s.size + s.padded * s.plane)))
    left = x + FLOAT * first * s.groups * s.C * s.H * s.W
    right = dy + FLOAT * first * s.groups * s.O * s.OH * s.OW
    tasks = (s.B + images - 1) // images * s.groups * s.strips
    for task in range(tasks):
        reduce_task(s, task, images, left, right, table, dw, work)


def _collect(shape, first, last, dw, threads, out):
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


@functools.cache
def pack() -> int:
    """The address of ``pack(shape, weight, out)``."""
    return _address_of(_pack, 3)


@functools.cache
def pack_turned() -> int:
    """The address of ``pack_turned(shape, weight, room, out)``."""
    return _address_of(_pack_turned, 4)


@functools.cache
def convolve() -> int:
    """The address of ``convolve(shape, first, last, x, weight, table, y, work)``."""
    return _address_of(_convolve, 8)


@functools.cache
def correlate() -> int:
    """The address of ``correlate(shape, first, last, x, dy, table, dw, work)``."""
    return _address_of(_correlate, 8)


@functools.cache
def collect() -> int:
    """The address of ``collect(shape, first, last, dw, threads, out)``."""
    return _address_of(_collect, 6)


def room(s: Shape) -> dict[str, int]:
    """Floats of memory these need: packed and turned weight, blocks of dw, scratch a thread."""
    grads = s.padded * s.plane
    images = max(1, min(s.B, BUFFER // (s.size + grads))) if s.strips == 1 else 1
    return {
        "packed": s.groups * s.padded * s.K + CHANNELS * 4 + BLOCK,
        "turned": s.groups * s.O * s.K,
        "blocks": s.groups * (s.padded // CHANNELS) * s.blocks * DOTS,
        "work": max(s.size + CHANNELS * s.plane, images * (s.size + grads)) + 2 * BLOCK,
    }
