"""Step 20: a speaker that writes everything down.

Eager computation looks at one operator at a time.  Who wants to improve a *program* has to see it
whole.

So here is one more speaker.  Its arrays hold no numbers, only a shape and a note of how they would
be computed.  Operators notice nothing: forward and backward run once, and what is left is a list of
lines, with all bookkeeping gone – no tensors, no walk, no wishes.

The price: an array without numbers cannot answer `if loss > 1`.  Therefore `dd.compile` refuses to
look at values, and names the line.

In the library: `deepdive/compiler/trace.py`, `lazyarray.py`.
"""

from functools import reduce
from itertools import count

import numpy as np

from step09_broadcasting import broadcast_shape
from step11_contract import SPEAKERS
from step13_laws import Tensor
from verdict import conclude, expect

ages = count()


class LazyArray:
    """A shape, and a note: the word, what it was said to, and its settings."""

    def __init__(self, shape, word="input", inputs=(), settings=None):
        self.shape, self.word = tuple(shape), word
        self.inputs, self.settings = inputs, settings or {}
        self.age = next(ages)

    T = property(lambda self: record("transpose", self))
    __add__ = __radd__ = lambda self, other: record("add", self, other)
    __mul__ = __rmul__ = lambda self, other: record("multiply", self, other)
    __sub__ = lambda self, other: record("subtract", self, other)
    __rsub__ = lambda self, other: record("subtract", other, self)
    __gt__ = lambda self, other: record("greater", self, other)
    __matmul__ = lambda self, other: record("matmul", self, other)


def reduced(x, axis, keepdims):
    """The shape after a sum or a maximum."""
    axes = range(len(x.shape)) if axis is None else np.atleast_1d(axis) % len(x.shape)
    return tuple(1 if i in axes else n for i, n in enumerate(x.shape) if keepdims or i not in axes)


SHAPES = {  # the shape each word makes; all others broadcast
    "matmul": lambda x, w: (x.shape[0], w.shape[1]),
    "transpose": lambda x: x.shape[::-1],
    "sum": reduced,
    "max": reduced,
    "reshape": lambda x, shape: shape,
    "broadcast_to": lambda x, shape: shape,
    "ones": lambda shape: shape,
}


def record(word, *inputs, **settings):
    if word in SHAPES:
        return LazyArray(SHAPES[word](*inputs, **settings), word, inputs, settings)
    shape = reduce(broadcast_shape, (getattr(x, "shape", ()) for x in inputs))
    return LazyArray(shape, word, inputs, settings)


class Recorder:
    """Speaks every word there is, by writing it down."""

    def __getattr__(self, word):
        return lambda *inputs, **settings: record(word, *inputs, **settings)


SPEAKERS[LazyArray] = Recorder()


def notes_of(*arrays):
    found, waiting = set(), list(arrays)
    while waiting:
        x = waiting.pop()
        if isinstance(x, LazyArray) and x not in found:
            found.add(x)
            waiting += x.inputs
    return sorted(found, key=lambda x: x.age)


def main():
    x, w, b = (Tensor(LazyArray(shape)) for shape in ((50, 64), (64, 10), (10,)))
    y = (x @ w + b).tanh()
    (y * y).sum().backward()
    print("forward and backward of (tanh(x @ w + b)²).sum(): nothing was computed, but noted is\n")
    for note in notes_of(w.grad, b.grad):
        takes = ", ".join(str(getattr(i, "shape", i)) for i in note.inputs)
        print(f"  {note.word:13}{takes:20} gives {note.shape}")


# --- exercise ------------------------------------------------------------------------------------
def exercise(array):
    """How many multiplications all matrix products together need that `array` depends on: B * D * H
    for (B, D) @ (D, H).  A product that is used twice is computed once."""
    raise NotImplementedError


def check_exercise(solution):
    """No product, one, a chain, one used twice."""
    x, w = LazyArray((5, 3)), LazyArray((3, 4))
    expect(solution(x + 1.0), 0, "multiplications in x + 1")
    expect(solution(x @ w), 60, "multiplications in (5, 3) @ (3, 4)")
    expect(solution((x @ w) @ w.T), 120, "multiplications in (x @ w) @ w.T")
    y = x @ w
    expect(solution(y * y + y), 60, "multiplications of products in y * y + y, where y = x @ w")


if __name__ == "__main__":
    main()
    conclude(exercise, check_exercise)
