"""Step 14: one operator, several speakers.

Operators touch arrays only through `xp` and arithmetic.  So they do not know what they compute
with, and whatever speaks the vocabulary will do: NumPy on the processor, CuPy on a graphics card –
or the strided array of step 7, in pure Python, once it has learned half a dozen words.

Look at `total` below: it reads a small array of zeros *as if* it had the large shape, by strides of
0, and adds each number into the place it reads: summing is broadcasting run backwards.

In the library: `deepdive/backend/vocabulary/words.py`, and the speakers in `deepdive/backend/`.
"""

import math
from functools import reduce
from operator import add, mul, sub
from time import perf_counter
from types import SimpleNamespace

import numpy as np

from step07_strides import NDArray
from step09_broadcasting import broadcast_shape, broadcast_to
from step11_contract import SPEAKERS
from step12_operators import Tensor
from verdict import conclude, expect


class Plain(NDArray):
    """Step 7's array, with arithmetic."""

    T = property(lambda self: self.permute(1, 0))

    def __add__(self, other):
        return each(add, self, other)

    def __mul__(self, other):
        return each(mul, self, other)

    def __rsub__(self, other):
        return each(sub, other, self)

    def __matmul__(self, other):  # (B, D) @ (D, H): products (B, D, H), summed over D
        B, D = self.shape
        H = other.shape[1]
        x = self.reshape((B, D, 1))
        w = other.reshape((1, D, H))
        return total(x * w, 1).reshape((B, H))


def each(function, *operands):
    arrays = [x if isinstance(x, Plain) else Plain([float(x)], ()) for x in operands]
    shapes = [x.shape for x in arrays]
    shape = reduce(broadcast_shape, shapes)
    rows = [broadcast_to(x, shape).numbers() for x in arrays]
    return Plain(list(map(function, *rows)), shape)


def total(x, axis=None, keepdims=False):
    axes = range(len(x.shape)) if axis is None else np.atleast_1d(axis)
    kept = [1 if i in axes else n for i, n in enumerate(x.shape)]
    rest = [n for i, n in enumerate(x.shape) if i not in axes]
    sums = Plain([0.0] * math.prod(kept), kept)
    places = broadcast_to(sums, x.shape).places()
    for place, number in zip(places, x.numbers(), strict=True):
        sums.buffer[place] += number
    return sums if keepdims else sums.reshape(rest)


SPEAKERS[Plain] = SimpleNamespace(
    tanh=lambda x: each(math.tanh, x),
    ones=lambda shape: Plain([1.0] * math.prod(shape), shape),
    reshape=lambda x, shape: x.reshape(shape),
    broadcast_to=broadcast_to,
    sum=total,
)


def train_once(kind, arrays):
    x, w, b = (Tensor(kind(array)) for array in arrays)
    start = perf_counter()
    y = (x @ w + b).tanh()
    (y * y).sum().backward()
    return [w.grad, b.grad], perf_counter() - start


def main():
    draw = np.random.default_rng(0)
    shapes = (32, 10), (10, 5), (5,)
    arrays = [draw.normal(size=shape) for shape in shapes]
    fast, t = train_once(np.asarray, arrays)
    slow, u = train_once(lambda a: Plain(a.ravel().tolist(), a.shape), arrays)
    print("forward and backward of sum(tanh(x @ w + b)²), by two speakers\n")
    for by_numpy, by_python in zip(fast, slow, strict=True):
        errors = np.abs(by_numpy.ravel() - by_python.numbers())
        print(f"  gradient {by_python.shape!s:8} NumPy and Python differ by {errors.max():.0e}")
    print(f"\nNumPy {1e3 * t:.2f} ms, pure Python {1e3 * u:.1f} ms: the same operators, untouched")


# --- exercise ------------------------------------------------------------------------------------
def exercise(x, axis):
    """The word `max` for Plain: the largest numbers along one axis, which stays with size 1."""
    raise NotImplementedError


def check_exercise(solution):
    """Both axes of a matrix with negative numbers, and of a transposed view."""
    table = Plain([-3.0, -1.0, -2.0, -6.0, -9.0, 4.0], (2, 3))
    for name, x in {"(2, 3)": table, "transposed": table.T}.items():
        array = np.reshape(x.numbers(), x.shape)
        for axis in (0, 1):
            wanted = array.max(axis, keepdims=True)
            got = solution(x, axis)
            where = f"{name} matrix, axis {axis}"
            expect(got.shape, wanted.shape, f"the shape for a {where}")
            expect(got.numbers(), wanted.ravel().tolist(), f"a {where}")


if __name__ == "__main__":
    main()
    conclude(exercise, check_exercise)
