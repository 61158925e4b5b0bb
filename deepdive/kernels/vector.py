"""The one layer over LLVM vectors: everything the other kernels know about the CPU is here.

A *vector* is ``WIDTH`` floats in one register.  Numba compiles loops well but does not keep a
block of results in registers, and that is what makes a matrix product fast; so this file writes
a few innermost loops as LLVM instructions, and the kernels call them like functions:

- ``at(x, i, j)``                 the address of ``x[i, j]``, an integer in bytes
- ``fma(x, y, z)``                ``x * y + z`` of floats, rounded once
- ``tile(rows, vectors)``         a register block of a matrix product
- ``dots(rows, columns)``         a register block of dot products
- ``transpose``, ``copy_rows``    what packing is made of
- ``largest(x, n)``               the maximum of a row

The words of LLVM are in ``llvm.py``, the kinds of CPU in ``cpu.py``; ``DEEPDIVE_SIMD=avx2`` (or
``avx512``, ``neon``, ``sse``) forces another kind of vector.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from deepdive.kernels.cpu import CHANNELS, FLOAT, PIXELS, ROWS, SIMD, VECTORS, WIDTH
from deepdive.kernels.llvm import F32, I32, I64, VECTOR, Code

__all__ = [
    "CHANNELS",
    "FLOAT",
    "PIXELS",
    "ROWS",
    "SIMD",
    "VECTORS",
    "WIDTH",
    "at",
    "copy_rows",
    "dots",
    "exponent",
    "fma",
    "largest",
    "pointer",
    "power_of_two",
    "tile",
    "transpose",
]


def _signature(floats, integers):
    return types.void(*[types.int64] * integers, *[types.float32] * floats)


def tile(rows: int, vectors: int, table: bool = False) -> Any:
    """A function that computes one register block of a matrix product:

    ``tile(a, b, c, K, ai, ak, bk, ci, m, n, alpha, beta)``
    ``c[i, j] = alpha * sum over k of a[i * ai + k * ak] * b[k * bk + j] + beta * c[i * ci + j]``

    for ``rows`` rows and ``vectors * WIDTH`` columns, of which the first `m` and `n` are stored.
    `a`, `b`, `c` are addresses, strides are in floats; what is multiplied is read whole, so pad
    it; ``beta = 0`` forgets what was in `c`, NaN included.  With ``table=True``, `bk` is the
    address of a table of int64, and ``b[bk[k] + j]`` is read: a convolution is that.
    """

    @intrinsic
    def block(context, a, b, c, K, ai, ak, bk, ci, m, n, alpha, beta):
        def emit(context, builder, signature, args):
            a, b, c, K, ai, ak, bk, ci, m, n, alpha, beta = args
            code = Code(builder)
            a, b, c = map(code.floats, (a, b, c))
            steps = code.floats(bk, I64) if table else None

            def multiply(k, sums):
                offset = builder.load(code.move(steps, k)) if table else (k, bk)
                right = [code.load(code.move(b, offset, WIDTH * j)) for j in range(vectors)]
                row = code.move(a, (k, ak))
                products = []
                for i in range(rows):
                    left = builder.load(code.move(row, (i, ai)))
                    left = code.broadcast(left)
                    for y, z in zip(right, sums[i * vectors :], strict=False):
                        products.append(code.fma(left, y, z))
                return products

            start = [code.zero] * (rows * vectors)
            sums = code.loop(K, 1, start, multiply)
            grid = [sums[i * vectors : (i + 1) * vectors] for i in range(rows)]
            _write(code, grid, (c, ci), (m, n), (alpha, beta))
            return context.get_dummy_value()

        return _signature(2, 10), emit

    return block


def _write(code, grid, target, valid, scale):
    """``c = alpha * sums + beta * c`` for the valid part of a register block."""
    b = code.b
    c, ci = target
    m, n = valid
    rows = len(grid)
    vectors = len(grid[0])
    alpha, beta = map(code.broadcast, scale)
    fresh = b.fcmp_ordered("==", beta, code.zero)  # 0 * NaN is not 0

    def new(total, old):
        old = b.select(fresh, code.zero, old)
        return code.fma(alpha, total, b.fmul(beta, old))

    tall = code.less(rows - 1, m)
    wide = code.less(vectors * WIDTH - 1, n)
    masks = [code.first(b.sub(n, code.int(WIDTH * j))) for j in range(vectors)]
    with b.if_else(b.and_(tall, wide)) as (whole, part):
        with whole:
            for i, row in enumerate(grid):
                for j, total in enumerate(row):
                    place = code.move(c, (i, ci), WIDTH * j)
                    code.store(new(total, code.load(place)), place)
        with part, ExitStack() as within:
            for i, row in enumerate(grid):
                within.enter_context(b.if_then(code.less(i, m)))
                for j, total in enumerate(row):
                    place = code.move(c, (i, ci), WIDTH * j)
                    old = code.load_masked(place, masks[j])
                    code.store_masked(new(total, old), place, masks[j])


def dots(rows: int, columns: int) -> Any:
    """A function that computes one register block of sums of products along contiguous memory:

    ``dots(a, b, table, c, P, ai, N, an, bn)``
    ``c[i * columns + j] += sum over n < N, p < P of a[n*an + i*ai + p] * b[n*bn + table[j] + p]``

    `P` is rounded up to whole vectors: what is read beyond it must be zero in `a`, finite in `b`;
    `c` has room for whole vectors, too.
    """

    @intrinsic
    def block(context, a, b, table, c, P, ai, N, an, bn):
        def emit(context, builder, signature, args):
            a, b, table, c, P, ai, N, an, bn = args
            code = Code(builder)
            a, b, c = map(code.floats, (a, b, c))
            table = code.floats(table, I64)
            shifts = [builder.load(code.move(table, j)) for j in range(columns)]

            def image(n, sums):
                left = [code.move(a, (n, an), (i, ai)) for i in range(rows)]
                right = [code.move(b, (n, bn), shift) for shift in shifts]

                def multiply(p, sums):
                    ys = [code.load(code.move(y, p)) for y in right]
                    products, sums = [], iter(sums)
                    for x in left:
                        x = code.load(code.move(x, p))
                        products += [code.fma(x, y, next(sums)) for y in ys]
                    return products

                return code.loop(P, WIDTH, sums, multiply)

            start = [code.zero] * (rows * columns)
            sums = code.loop(N, 1, start, image)
            for i, total in enumerate(code.sums(sums)):
                place = code.move(c, WIDTH * i)
                total = builder.fadd(code.load(place), total)
                code.store(total, place)
            return context.get_dummy_value()

        return _signature(0, 9), emit

    return block


@intrinsic
def transpose(context, x, dx, y, dy, valid):
    """``y[j * dy + i] = x[i * dx + j]`` for WIDTH x WIDTH floats, through registers.

    Rows of `x` from `valid` on are not read: the last valid one takes their place.
    """

    def emit(context, builder, signature, args):
        x, dx, y, dy, valid = args
        code = Code(builder)
        x = code.floats(x)
        y = code.floats(y)
        last = builder.sub(valid, code.int(1))
        rows = []
        for i in range(WIDTH):
            i = builder.select(code.less(i, last), code.int(i), last)
            rows.append(code.load(code.move(x, (i, dx))))
        half = WIDTH // 2
        while half:  # swap the off-diagonal halves of ever smaller blocks
            low, high = _swap(half)
            for i in range(WIDTH):
                if not i & half:
                    pair = rows[i], rows[i + half]
                    rows[i] = code.shuffle(*pair, low)
                    rows[i + half] = code.shuffle(*pair, high)
            half //= 2
        for j, row in enumerate(rows):
            code.store(row, code.move(y, (j, dy)))
        return context.get_dummy_value()

    return _signature(0, 5), emit


def _swap(half):
    """Of two vectors: the lower halves of their blocks of ``2 * half`` lanes; the upper halves."""
    low, high = [], []
    for lane in range(WIDTH):
        upper = lane & half
        low.append(WIDTH + lane - half if upper else lane)
        high.append(WIDTH + lane if upper else lane + half)
    return low, high


@intrinsic
def copy_rows(context, x, dx, y, dy, count, n):
    """``y[i * dy + j] = x[i * dx + j]`` for `count` rows of `n` floats, first row first.

    Whole vectors are written: what a row spills beyond `n` (zeros) the next one may overwrite;
    nothing is spilled beyond the end of the last one.
    """

    def emit(context, builder, signature, args):
        x, dx, y, dy, count, n = args
        code = Code(builder)
        x = code.floats(x)
        y = code.floats(y)
        whole = builder.and_(n, code.int(-WIDTH))
        rest = builder.sub(n, whole)
        mask = code.first(rest)
        any_rest = code.less(0, rest)
        last = builder.sub(count, code.int(1))

        def row(i, _):
            source = code.move(x, (i, dx))
            target = code.move(y, (i, dy))

            def chunk(j, _):
                x = code.load(code.move(source, j))
                code.store(x, code.move(target, j))
                return []

            code.loop(whole, WIDTH, [], chunk)
            with builder.if_then(any_rest):
                tail = code.load_masked(code.move(source, whole), mask)
                end = code.move(target, whole)
                ahead = code.times(builder.sub(last, i), dy)
                room = code.less(WIDTH - 1, builder.add(ahead, rest))
                with builder.if_else(room) as (spill, exact):
                    with spill:
                        code.store(tail, end)
                    with exact:
                        code.store_masked(tail, end, mask)
            return []

        code.loop(count, 1, [], row)
        return context.get_dummy_value()

    return _signature(0, 6), emit


@intrinsic
def largest(context, x, n):
    """The largest of `n` floats from the address `x` on; NaN is passed over."""

    def emit(context, builder, signature, args):
        x, n = args
        code = Code(builder)
        x = code.floats(x)
        lowest = ir.Constant(VECTOR, [float("-inf")] * WIDTH)
        whole = builder.and_(n, code.int(-WIDTH))

        def larger(x, y):
            return builder.select(builder.fcmp_ordered(">", x, y), x, y)

        def step(k, best):
            return [larger(code.load(code.move(x, k)), best[0])]

        best = code.loop(whole, WIDTH, [lowest], step)[0]
        mask = code.first(builder.sub(n, whole))
        tail = code.load_masked(code.move(x, whole), mask, lowest)
        best = larger(tail, best)
        half = WIDTH // 2
        while half:
            turned = [lane ^ half for lane in range(WIDTH)]
            best = larger(best, code.shuffle(best, best, turned))
            half //= 2
        return builder.extract_element(best, ir.Constant(I32, 0))

    return types.float32(types.int64, types.int64), emit


@intrinsic
def fma(context, x, y, z):
    """``x * y + z`` of three float32, rounded once; no compiler flag reorders it."""

    def emit(context, builder, signature, args):
        return Code(builder).call("llvm.fma.f32", F32, *args)

    return types.float32(types.float32, types.float32, types.float32), emit


@intrinsic
def power_of_two(context, n):
    """``2 ** n`` for a float32 `n` that is whole, from -126 to 127: its exponent bits, written."""

    def emit(context, builder, signature, args):
        whole = builder.fptosi(args[0], I32)
        biased = builder.add(whole, ir.Constant(I32, 127))
        bits = builder.shl(biased, ir.Constant(I32, 23))
        return builder.bitcast(bits, F32)

    return types.float32(types.float32), emit


@intrinsic
def exponent(context, x):
    """The whole float32 `n` for which ``x / 2 ** n`` is in [0.707, 1.414), of a normal x > 0."""

    def emit(context, builder, signature, args):
        root_half = ir.Constant(I32, 0x3F3504F3)  # the bits of sqrt(1/2)
        bits = builder.bitcast(args[0], I32)
        bits = builder.sub(bits, root_half)
        bits = builder.ashr(bits, ir.Constant(I32, 23))
        return builder.sitofp(bits, F32)

    return types.float32(types.float32), emit


@intrinsic
def at(context, array, *index):
    """The address of ``array[index]``; of ``array[0, 0, ...]`` where indices are left out."""
    if index and isinstance(index[0], types.BaseTuple):
        index = index[0]

    def emit(context, builder, signature, args):
        view = context.make_array(array)(context, builder, args[0])
        address = builder.ptrtoint(view.data, I64)
        strides = cgutils.unpack_tuple(builder, view.strides, array.ndim)
        steps = cgutils.unpack_tuple(builder, args[1])
        for i, stride in zip(steps, strides, strict=False):
            address = builder.add(address, builder.mul(i, stride))
        return address

    return types.int64(array, types.UniTuple(types.int64, len(index))), emit


@intrinsic
def pointer(context, address):
    """An address as Numba's pointer to float32: ``pointer(x)[i]``, or for ``numba.carray``."""

    def emit(context, builder, signature, args):
        return Code(builder).floats(args[0])

    return types.CPointer(types.float32)(types.int64), emit
