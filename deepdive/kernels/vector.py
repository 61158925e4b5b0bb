"""The one layer over LLVM vectors: everything the other kernels know about the CPU is here.

A *vector* is ``WIDTH`` floats in one register.  Numba compiles loops well but does not keep a
block of results in registers, and that is what makes a matrix product fast; so this file writes
a few innermost loops as LLVM instructions, and the kernels call them like functions:

- ``at(x, i, j)``                 the address of ``x[i, j]``, an integer in bytes
- ``fma(x, y, z)``                ``x * y + z`` of floats, rounded once
- ``tile(rows, vectors)``         a register block of a matrix product
- ``dots(rows, columns)``         a register block of dot products
- ``transpose``, ``copy_rows``    what packing is made of

``DEEPDIVE_SIMD=avx2`` (or ``avx512``, ``neon``, ``sse``) forces another kind of vector.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from deepdive.errors import ArgumentError

# name: floats in a register, (rows, vectors) of the block a matrix product keeps in registers.
# Of 32 registers 24 hold results; of AVX2's 16, 12 do. The rest holds operands.
KINDS = {
    "avx512": (16, (12, 2), (8, 3)),
    "avx2": (8, (6, 2), (4, 3)),
    "neon": (4, (8, 3), (8, 3)),
    "sse": (4, (6, 2), (4, 3)),
}


def _detect() -> str:
    """The widest vectors of this CPU, unless DEEPDIVE_SIMD says otherwise."""
    forced = os.environ.get("DEEPDIVE_SIMD")
    if forced:
        if forced not in KINDS:
            raise ArgumentError("DEEPDIVE_SIMD", got=forced, expected=", ".join(KINDS))
        return forced
    features = binding.get_host_cpu_features()
    if features.get("avx512f"):
        return "avx512"
    if features.get("avx2") and features.get("fma"):
        return "avx2"
    return "neon" if binding.get_process_triple().startswith(("aarch64", "arm64")) else "sse"


SIMD = _detect()
WIDTH, (ROWS, VECTORS), (CHANNELS, PIXELS) = KINDS[SIMD]
FLOAT = 4  # bytes

_i1, _i32, _i64 = ir.IntType(1), ir.IntType(32), ir.IntType(64)
_float = ir.FloatType()
_vector = ir.VectorType(_float, WIDTH)
_lanes = ir.VectorType(_i32, WIDTH)
_mask = ir.VectorType(_i1, WIDTH)


class Code:
    """The few words of LLVM that register blocks are made of, spoken over one builder."""

    zero = ir.Constant(_vector, [0.0] * WIDTH)
    undefined = ir.Constant(_vector, ir.Undefined)

    def __init__(self, builder: Any) -> None:
        self.b = builder

    def floats(self, address: Any, of: Any = _float) -> Any:
        """An address as a pointer to floats."""
        return self.b.inttoptr(address, of.as_pointer())

    def move(self, pointer: Any, *steps: Any) -> Any:
        """The pointer, so many elements further."""
        for step in steps:
            step = ir.Constant(_i64, step) if isinstance(step, int) else step
            pointer = self.b.gep(pointer, [step])
        return pointer

    def times(self, x: Any, n: int) -> Any:
        return self.b.mul(x, ir.Constant(_i64, n))

    def load(self, pointer: Any) -> Any:
        return self.b.load(self.b.bitcast(pointer, _vector.as_pointer()), align=FLOAT)

    def store(self, x: Any, pointer: Any) -> None:
        self.b.store(x, self.b.bitcast(pointer, _vector.as_pointer()), align=FLOAT)

    def broadcast(self, scalar: Any) -> Any:
        """One float (or int32) in every lane."""
        kind = ir.VectorType(scalar.type, WIDTH)
        nothing = ir.Constant(kind, ir.Undefined)
        one = self.b.insert_element(nothing, scalar, ir.Constant(_i32, 0))
        return self.b.shuffle_vector(one, nothing, ir.Constant(_lanes, [0] * WIDTH))

    def call(self, name: str, result: Any, *args: Any) -> Any:
        """One of LLVM's built-in functions, such as llvm.fma.v16f32."""
        kind = ir.FunctionType(result, [x.type for x in args])
        return self.b.call(cgutils.get_or_insert_function(self.b.module, kind, name), args)

    def fma(self, x: Any, y: Any, z: Any) -> Any:
        return self.call(f"llvm.fma.v{WIDTH}f32", _vector, x, y, z)

    def first(self, n: Any) -> Any:
        """A mask of the first `n` lanes."""
        lane = ir.Constant(_lanes, list(range(WIDTH)))
        return self.b.icmp_signed("<", lane, self.broadcast(self.b.trunc(n, _i32)))

    def load_masked(self, pointer: Any, mask: Any) -> Any:
        p = self.b.bitcast(pointer, _vector.as_pointer())
        align = ir.Constant(_i32, FLOAT)
        return self.call(f"llvm.masked.load.v{WIDTH}f32.p0", _vector, p, align, mask, self.zero)

    def store_masked(self, x: Any, pointer: Any, mask: Any) -> None:
        p = self.b.bitcast(pointer, _vector.as_pointer())
        align = ir.Constant(_i32, FLOAT)
        self.call(f"llvm.masked.store.v{WIDTH}f32.p0", ir.VoidType(), x, p, align, mask)

    def sums(self, xs: list[Any]) -> list[Any]:
        """The sum of each vector's lanes, WIDTH sums to a vector, in order.

        Two vectors become one by adding the halves of every group of lanes: log2(WIDTH) times.
        """
        lanes = WIDTH
        while lanes > 1:
            half, starts = lanes // 2, range(0, 2 * WIDTH, lanes)
            left = [start + i for start in starts for i in range(half)]
            right = [lane + half for lane in left]
            xs = xs + [self.zero] * (len(xs) % 2)
            halves = [
                [
                    self.b.shuffle_vector(*pair, ir.Constant(_lanes, order))
                    for order in (left, right)
                ]
                for pair in zip(xs[::2], xs[1::2], strict=True)
            ]
            xs, lanes = [self.b.fadd(*pair) for pair in halves], half
        return xs

    def loop(self, count: Any, step: int, start: list[Any], body: Callable[..., list[Any]]) -> Any:
        """``values = start; for k in range(0, count, step): values = body(k, values)``."""
        b, zero = self.b, ir.Constant(_i64, 0)
        before = b.basic_block
        inside, after = b.append_basic_block("loop"), b.append_basic_block("done")
        b.cbranch(b.icmp_signed(">", count, zero), inside, after)
        b.position_at_end(inside)
        index, values = b.phi(_i64), [b.phi(x.type) for x in start]
        results = body(index, values)
        following, end = b.add(index, ir.Constant(_i64, step)), b.basic_block
        b.cbranch(b.icmp_signed("<", following, count), inside, after)
        sources = zip([zero, *start], [following, *results], strict=True)
        for phi, (first, later) in zip([index, *values], sources, strict=True):
            phi.add_incoming(first, before)
            phi.add_incoming(later, end)
        b.position_at_end(after)
        last = [b.phi(x.type) for x in start]
        for phi, first, later in zip(last, start, results, strict=True):
            phi.add_incoming(first, before)
            phi.add_incoming(later, end)
        return last


def _signature(floats: int, integers: int) -> Any:
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

    @intrinsic  # type: ignore[untyped-decorator]
    def block(context, a, b, c, K, ai, ak, bk, ci, m, n, alpha, beta):  # type: ignore[no-untyped-def]
        def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            a, b, c, K, ai, ak, bk, ci, m, n, alpha, beta = args
            code = Code(builder)
            a, b, c = code.floats(a), code.floats(b), code.floats(c)
            steps = code.floats(bk, _i64) if table else None

            def multiply(k: Any, sums: list[Any]) -> list[Any]:
                offset = builder.load(code.move(steps, k)) if table else builder.mul(k, bk)
                column, row = code.move(b, offset), code.move(a, builder.mul(k, ak))
                right = [code.load(code.move(column, WIDTH * j)) for j in range(vectors)]
                out = []
                for i in range(rows):
                    left = code.broadcast(builder.load(code.move(row, code.times(ai, i))))
                    out += [code.fma(left, y, sums[i * vectors + j]) for j, y in enumerate(right)]
                return out

            sums = code.loop(K, 1, [code.zero] * (rows * vectors), multiply)
            _write(code, sums, c, ci, (rows, vectors), (m, n), (alpha, beta))
            return context.get_dummy_value()

        return _signature(2, 10), emit

    return block


def _write(code: Code, sums: Any, c: Any, ci: Any, shape: Any, valid: Any, scale: Any) -> None:
    """``c = alpha * sums + beta * c`` for the valid part of a register block."""
    b, (rows, vectors), (m, n) = code.b, shape, valid
    alpha, beta = map(code.broadcast, scale)
    fresh = b.fcmp_ordered("==", beta, code.zero)  # 0 * NaN is not 0
    whole = b.and_(
        b.icmp_signed(">=", m, ir.Constant(_i64, rows)),
        b.icmp_signed(">=", n, ir.Constant(_i64, vectors * WIDTH)),
    )
    masks = [code.first(b.sub(n, ir.Constant(_i64, WIDTH * j))) for j in range(vectors)]

    def put(i: int, j: int, load: Any, store: Any) -> None:
        pointer = code.move(c, code.times(ci, i), WIDTH * j)
        old = b.select(fresh, code.zero, load(pointer))
        store(code.fma(alpha, sums[i * vectors + j], b.fmul(beta, old)), pointer)

    with b.if_else(whole) as (then, otherwise):
        with then:
            for i in range(rows):
                for j in range(vectors):
                    put(i, j, code.load, code.store)
        with otherwise, ExitStack() as inside:
            for i in range(rows):
                inside.enter_context(b.if_then(b.icmp_signed(">", m, ir.Constant(_i64, i))))
                for j, mask in enumerate(masks):
                    put(
                        i,
                        j,
                        lambda p, mask=mask: code.load_masked(p, mask),
                        lambda x, p, mask=mask: code.store_masked(x, p, mask),
                    )


def dots(rows: int, columns: int) -> Any:
    """A function that computes one register block of sums of products along contiguous memory:

    ``dots(a, b, table, c, P, ai, N, an, bn)``
    ``c[i * columns + j] += sum over n < N, p < P of a[n*an + i*ai + p] * b[n*bn + table[j] + p]``

    `P` is rounded up to whole vectors: what is read beyond it must be zero in `a`, finite in `b`;
    `c` has room for whole vectors, too.
    """

    @intrinsic  # type: ignore[untyped-decorator]
    def block(context, a, b, table, c, P, ai, N, an, bn):  # type: ignore[no-untyped-def]
        def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            a, b, table, c, P, ai, N, an, bn = args
            code = Code(builder)
            a, b, c = map(code.floats, (a, b, c))
            table = code.floats(table, _i64)
            shifts = [builder.load(code.move(table, j)) for j in range(columns)]

            def image(n: Any, sums: list[Any]) -> Any:
                left = [code.move(a, builder.mul(n, an), code.times(ai, i)) for i in range(rows)]
                right = [code.move(b, builder.mul(n, bn), shift) for shift in shifts]

                def multiply(p: Any, sums: list[Any]) -> list[Any]:
                    ys = [code.load(code.move(y, p)) for y in right]
                    xs = [code.load(code.move(x, p)) for x in left]
                    pairs = [(x, y) for x in xs for y in ys]
                    return [code.fma(x, y, z) for (x, y), z in zip(pairs, sums, strict=True)]

                return code.loop(P, WIDTH, sums, multiply)

            sums = code.loop(N, 1, [code.zero] * (rows * columns), image)
            for i, total in enumerate(code.sums(sums)):
                place = code.move(c, WIDTH * i)
                code.store(builder.fadd(code.load(place), total), place)
            return context.get_dummy_value()

        return _signature(0, 9), emit

    return block


@intrinsic  # type: ignore[untyped-decorator]
def transpose(context, x, dx, y, dy, valid):  # type: ignore[no-untyped-def]
    """``y[j * dy + i] = x[i * dx + j]`` for WIDTH x WIDTH floats, through registers.

    Rows of `x` from `valid` on are not read: the last valid one takes their place.
    """

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        code = Code(builder)
        x, dx, y, dy, valid = code.floats(args[0]), args[1], code.floats(args[2]), *args[3:]
        last = builder.sub(valid, ir.Constant(_i64, 1))
        rows = []
        for i in (ir.Constant(_i64, i) for i in range(WIDTH)):
            i = builder.select(builder.icmp_signed("<", i, last), i, last)
            rows.append(code.load(code.move(x, builder.mul(i, dx))))
        half = WIDTH // 2
        while half:  # swap the off-diagonal halves of ever smaller blocks
            low = [lane if not lane & half else WIDTH + lane - half for lane in range(WIDTH)]
            high = [lane + half if not lane & half else WIDTH + lane for lane in range(WIDTH)]
            for i in (i for i in range(WIDTH) if not i & half):
                pair = rows[i], rows[i + half]
                rows[i] = builder.shuffle_vector(*pair, ir.Constant(_lanes, low))
                rows[i + half] = builder.shuffle_vector(*pair, ir.Constant(_lanes, high))
            half //= 2
        for j, row in enumerate(rows):
            code.store(row, code.move(y, code.times(dy, j)))
        return context.get_dummy_value()

    return _signature(0, 5), emit


@intrinsic  # type: ignore[untyped-decorator]
def copy_rows(context, x, dx, y, dy, count, n):  # type: ignore[no-untyped-def]
    """``y[i * dy + j] = x[i * dx + j]`` for `count` rows of `n` floats, first row first.

    Whole vectors are written: what a row spills beyond `n` (zeros) the next one may overwrite;
    nothing is spilled beyond the end of the last one.
    """

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        code = Code(builder)
        x, dx, y, dy, count, n = code.floats(args[0]), args[1], code.floats(args[2]), *args[3:]
        whole = builder.and_(n, ir.Constant(_i64, -WIDTH))
        rest = builder.sub(n, whole)
        mask, any_rest = code.first(rest), builder.icmp_signed(">", rest, ir.Constant(_i64, 0))
        last = builder.sub(count, ir.Constant(_i64, 1))

        def row(i: Any, _: Any) -> list[Any]:
            source, target = code.move(x, builder.mul(i, dx)), code.move(y, builder.mul(i, dy))

            def chunk(j: Any, _: Any) -> list[Any]:
                code.store(code.load(code.move(source, j)), code.move(target, j))
                return []

            code.loop(whole, WIDTH, [], chunk)
            with builder.if_then(any_rest):
                tail, end = (
                    code.load_masked(code.move(source, whole), mask),
                    code.move(target, whole),
                )
                room = builder.add(builder.mul(builder.sub(last, i), dy), rest)
                wide = builder.icmp_signed(">=", room, ir.Constant(_i64, WIDTH))
                with builder.if_else(wide) as (inner, final):
                    with inner:
                        code.store(tail, end)
                    with final:
                        code.store_masked(tail, end, mask)
            return []

        code.loop(count, 1, [], row)
        return context.get_dummy_value()

    return _signature(0, 6), emit


@intrinsic  # type: ignore[untyped-decorator]
def fma(context, x, y, z):  # type: ignore[no-untyped-def]
    """``x * y + z`` of three float32, rounded once; no compiler flag reorders it."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return Code(builder).call("llvm.fma.f32", _float, *args)

    return types.float32(types.float32, types.float32, types.float32), emit


@intrinsic  # type: ignore[untyped-decorator]
def power_of_two(context, n):  # type: ignore[no-untyped-def]
    """``2 ** n`` for a float32 `n` that is whole, from -126 to 127: its exponent bits, written."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        exponent = builder.add(builder.fptosi(args[0], _i32), ir.Constant(_i32, 127))
        return builder.bitcast(builder.shl(exponent, ir.Constant(_i32, 23)), _float)

    return types.float32(types.float32), emit


@intrinsic  # type: ignore[untyped-decorator]
def exponent(context, x):  # type: ignore[no-untyped-def]
    """The whole float32 `n` for which ``x / 2 ** n`` is in [0.707, 1.414), of a normal x > 0."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        root_half = ir.Constant(_i32, 0x3F3504F3)  # the bits of sqrt(1/2)
        bits = builder.sub(builder.bitcast(args[0], _i32), root_half)
        return builder.sitofp(builder.ashr(bits, ir.Constant(_i32, 23)), _float)

    return types.float32(types.float32), emit


@intrinsic  # type: ignore[untyped-decorator]
def at(context, array, *index):  # type: ignore[no-untyped-def]
    """The address of ``array[index]``; of ``array[0, 0, ...]`` where indices are left out."""
    index = index[0] if index and isinstance(index[0], types.BaseTuple) else index

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        view = context.make_array(array)(context, builder, args[0])
        address = builder.ptrtoint(view.data, _i64)
        strides = cgutils.unpack_tuple(builder, view.strides, array.ndim)
        for i, stride in zip(cgutils.unpack_tuple(builder, args[1]), strides, strict=False):
            address = builder.add(address, builder.mul(i, stride))
        return address

    return types.int64(array, types.UniTuple(types.int64, len(index))), emit


@intrinsic  # type: ignore[untyped-decorator]
def pointer(context, address):  # type: ignore[no-untyped-def]
    """An address as Numba's pointer to float32: ``pointer(x)[i]``, or for ``numba.carray``."""
    kind = types.CPointer(types.float32)
    return kind(types.int64), lambda _, builder, __, args: Code(builder).floats(args[0])
