"""What generated programs need besides kernels: typed pointers, a barrier, small functions.

A program runs as one function on every thread; where a thread needs what others computed, all
wait for each other at a barrier.  That costs a fraction of starting a parallel region anew.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import float32 as f
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from deepdive.kernels.vector_math import scalar

_i64 = ir.IntType(64)


def _pointer(kind: Any, bits: ir.Type) -> Any:
    """A function from an address to Numba's pointer of one element type."""

    @intrinsic  # type: ignore[untyped-decorator]
    def at_address(context, address):  # type: ignore[no-untyped-def]
        def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return builder.inttoptr(args[0], bits.as_pointer())

        return types.CPointer(kind)(types.int64), emit

    return at_address


floats = _pointer(types.float32, ir.FloatType())
longs = _pointer(types.int64, _i64)
ints = _pointer(types.int32, ir.IntType(32))
uints = _pointer(types.uint32, ir.IntType(32))
flags = _pointer(types.uint8, ir.IntType(8))


@intrinsic  # type: ignore[untyped-decorator]
def few(context, count):  # type: ignore[no-untyped-def]
    """``few(10)`` is 10, and LLVM does not know: ``for j in range(few(10))`` becomes vectors.

    A loop with a small constant count it would write out instead, a number at a time.
    """

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        hidden = ir.InlineAsm(ir.FunctionType(_i64, [_i64]), "", "=r,0")
        return builder.call(hidden, args)

    return types.int64(types.int64), emit


PATIENCE = 20_000  # looks at the counter, about 20 µs


@intrinsic  # type: ignore[untyped-decorator]
def wait(context, address, threads):  # type: ignore[no-untyped-def]
    """``wait(address, threads)``: go on when all threads have come here.

    The int64 at `address` counts arrivals and never goes back; the barrier opens when it reaches
    the next multiple of `threads`.  Who waits long goes to sleep for a moment: the thread it
    waits for may be on the same processor, and would not run before the next tick otherwise.
    """

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        address, threads = args
        one, zero = ir.Constant(_i64, 1), ir.Constant(_i64, 0)
        counter = builder.inttoptr(address, _i64.as_pointer())
        before = builder.atomic_rmw("add", counter, one, "seq_cst")
        opens = builder.mul(builder.add(builder.sdiv(before, threads), one), threads)
        start = builder.basic_block
        spin = builder.append_basic_block("spin")
        rest = builder.append_basic_block("yield")
        again = builder.append_basic_block("again")
        done = builder.append_basic_block("open")
        builder.branch(spin)
        builder.position_at_end(spin)
        turns = builder.phi(_i64)
        turns.add_incoming(zero, start)
        arrived = builder.load_atomic(counter, "acquire", 8)
        builder.cbranch(builder.icmp_signed(">=", arrived, opens), done, again)
        builder.position_at_end(again)
        more = builder.add(turns, one)
        turns.add_incoming(more, again)
        patient = builder.icmp_signed("<", more, ir.Constant(_i64, PATIENCE))
        builder.cbranch(patient, spin, rest)
        builder.position_at_end(rest)
        word = ir.IntType(32)
        kind = ir.FunctionType(word, [word])
        sleep = cgutils.get_or_insert_function(builder.module, kind, "usleep")
        builder.call(sleep, [ir.Constant(word, 1)])
        turns.add_incoming(zero, rest)
        builder.branch(spin)
        builder.position_at_end(done)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), emit


@scalar
def larger(x, y):
    """The larger one; NaN wins."""
    return y if x < y or y != y else x


@scalar
def smaller(x, y):
    """The smaller one; NaN wins."""
    return y if x > y or y != y else x


@scalar
def sign(x):
    """-1, 0 or 1; NaN stays."""
    return f(1) if x > f(0) else (f(-1) if x < f(0) else x)


@intrinsic(prefer_literal=False)  # type: ignore[untyped-decorator]
def call(context, address, arguments):  # type: ignore[no-untyped-def]
    """``call(address, (…))``: a function of int64s in machine code, see ``kernels/entry.py``.

    Programs that call kernels so need not compile them again.
    """
    count = len(arguments)

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = ir.FunctionType(ir.VoidType(), [_i64] * count)
        function = builder.inttoptr(args[0], kind.as_pointer())
        builder.call(function, cgutils.unpack_tuple(builder, args[1], count))
        return context.get_dummy_value()

    return types.void(types.int64, types.UniTuple(types.int64, count)), emit
