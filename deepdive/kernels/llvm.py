"""The words of LLVM that ``vector.py`` builds its register blocks from."""

from __future__ import annotations

from llvmlite import ir
from numba.core import cgutils

from deepdive.kernels.cpu import FLOAT, WIDTH

I32 = ir.IntType(32)
I64 = ir.IntType(64)
F32 = ir.FloatType()
VECTOR = ir.VectorType(F32, WIDTH)
LANES = ir.VectorType(I32, WIDTH)


class Code:
    """The few words of LLVM that register blocks are made of, spoken over one builder.

    Where an integer is wanted, a Python int will do.
    """

    zero = ir.Constant(VECTOR, [0.0] * WIDTH)

    def __init__(self, builder):
        self.b = builder

    def int(self, n):
        return ir.Constant(I64, n) if isinstance(n, int) else n

    def times(self, x, y):
        return self.b.mul(self.int(x), self.int(y))

    def less(self, x, y):
        return self.b.icmp_signed("<", self.int(x), self.int(y))

    def floats(self, address, of=F32):
        """An address as a pointer to floats."""
        return self.b.inttoptr(address, of.as_pointer())

    def move(self, pointer, *steps):
        """The pointer, so many elements further; a step may be a pair, to be multiplied."""
        for step in steps:
            if isinstance(step, tuple):
                step = self.times(*step)
            pointer = self.b.gep(pointer, [self.int(step)])
        return pointer

    def vector(self, pointer):
        return self.b.bitcast(pointer, VECTOR.as_pointer())

    def load(self, pointer):
        return self.b.load(self.vector(pointer), align=FLOAT)

    def store(self, x, pointer):
        self.b.store(x, self.vector(pointer), align=FLOAT)

    def shuffle(self, x, y, order):
        """Lanes of `x`, then of `y`, in a new order."""
        return self.b.shuffle_vector(x, y, ir.Constant(LANES, order))

    def broadcast(self, scalar):
        """One float (or int32) in every lane."""
        kind = ir.VectorType(scalar.type, WIDTH)
        nothing = ir.Constant(kind, ir.Undefined)
        one = self.b.insert_element(nothing, scalar, ir.Constant(I32, 0))
        return self.shuffle(one, nothing, [0] * WIDTH)

    def call(self, name, result, *args):
        """One of LLVM's built-in functions, such as llvm.fma.v16f32."""
        kind = ir.FunctionType(result, [x.type for x in args])
        function = cgutils.get_or_insert_function(self.b.module, kind, name)
        return self.b.call(function, args)

    def fma(self, x, y, z):
        return self.call(f"llvm.fma.v{WIDTH}f32", VECTOR, x, y, z)

    def first(self, n):
        """A mask of the first `n` lanes."""
        lane = ir.Constant(LANES, list(range(WIDTH)))
        n = self.b.trunc(n, I32)
        return self.b.icmp_signed("<", lane, self.broadcast(n))

    def load_masked(self, pointer, mask, rest=None):
        """The masked lanes, and zeros or the `rest`."""
        name = f"llvm.masked.load.v{WIDTH}f32.p0"
        align = ir.Constant(I32, FLOAT)
        rest = rest or self.zero
        return self.call(name, VECTOR, self.vector(pointer), align, mask, rest)

    def store_masked(self, x, pointer, mask):
        name = f"llvm.masked.store.v{WIDTH}f32.p0"
        align = ir.Constant(I32, FLOAT)
        self.call(name, ir.VoidType(), x, self.vector(pointer), align, mask)

    def sums(self, xs):
        """The sum of each vector's lanes, WIDTH sums to a vector, in order.

        Two vectors become one by adding the halves of every group of lanes: log2(WIDTH) times.
        """
        lanes = WIDTH
        while lanes > 1:
            half = lanes // 2
            left = [i for i in range(2 * WIDTH) if i % lanes < half]
            right = [i + half for i in left]
            if len(xs) % 2:
                xs = [*xs, self.zero]
            added = []
            for x, y in zip(xs[::2], xs[1::2], strict=True):
                lower = self.shuffle(x, y, left)
                upper = self.shuffle(x, y, right)
                added.append(self.b.fadd(lower, upper))
            xs = added
            lanes = half
        return xs

    def loop(self, count, step, start, body):
        """``values = start; for k in range(0, count, step): values = body(k, values)``."""
        b = self.b
        zero = self.int(0)
        before = b.basic_block
        inside = b.append_basic_block("loop")
        after = b.append_basic_block("done")
        b.cbranch(self.less(zero, count), inside, after)
        b.position_at_end(inside)
        index = b.phi(I64)
        values = [b.phi(x.type) for x in start]
        results = body(index, values)
        following = b.add(index, self.int(step))
        end = b.basic_block
        b.cbranch(self.less(following, count), inside, after)
        index.add_incoming(zero, before)
        index.add_incoming(following, end)
        b.position_at_end(after)
        last = [b.phi(x.type) for x in start]
        for phis in values, last:
            for phi, first, later in zip(phis, start, results, strict=True):
                phi.add_incoming(first, before)
                phi.add_incoming(later, end)
        return last
