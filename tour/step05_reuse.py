"""Step 5: what is used several times gets several gradients, and they add up.

Why a sum?  Take x * x * x and give each x a name of its own: u * v * w.  Nudge all three by h, and
the result grows by the three single growths together (the mixed ones have h * h in them, which is
nothing).  Since u, v and w *are* x, the slope in x is the sum of the three.

The same sum has a second life.  A loss over many examples is a sum of losses, its gradient is the
sum of their gradients: so they may be computed one after the other and added up.  That is why
PyTorch's `.grad` accumulates until `zero_grad()`, and how a large batch fits a small memory.

And reuse makes operators: minus, division and roots are *algebra* on what we have, not new rules.

In the library: `pending[parent] + part` in the engine; `sub = x + (-y)`-style derived operators.
"""

import math

from step01_remember import COMPUTE, Value, apply
from step02_slopes import SLOPE, nudged
from step04_order import backward
from verdict import conclude, expect

COMPUTE["log"] = math.log
SLOPE["log"] = lambda out, x: (1 / x,)

Value.__neg__ = lambda self: self * -1.0
Value.__sub__ = lambda self, other: self + -other
Value.__rsub__ = lambda self, other: -self + other
Value.tanh = lambda self: apply("tanh", self)
Value.exp = lambda self: apply("exp", self)
Value.log = lambda self: apply("log", self)


def power(x, exponent):
    """x to any fixed power, for x > 0: e to the (exponent * log x)."""
    return (x.log() * exponent).exp()


Value.__pow__ = power
Value.__truediv__ = lambda self, other: self * other**-1.0


def accumulate(losses_of, w):
    """Backward through one loss after the other; no two graphs exist at the same time."""
    total = 0.0
    for loss_of in losses_of:
        backward(loss_of(w))
        total += w.grad
    return total


def main():
    print("cube = u * v * w at 2, where all three are x:\n")
    for which, name in enumerate("uvw"):
        slope = nudged(lambda u, v, w: u * v * w, (2.0, 2.0, 2.0), which)
        print(f"  nudging {name} alone: {slope:6.3f}")
    x = Value(2.0)
    backward(x * x * x)
    print(f"  backward through x * x * x: {x.grad:g} = 4 + 4 + 4 = 3 x²\n")

    x, y = Value(3.0), Value(4.0)
    backward(x / y)
    print(f"x / y from algebra:  d/dx = {x.grad:g} (1/y)   d/dy = {y.grad:g} (-x/y²)")
    losses = [lambda w, t=target: (w - t) * (w - t) for target in (1.0, 2.0, 6.0)]
    print(f"three losses, three small graphs: dw = {accumulate(losses, Value(0.0)):g}")


# --- exercise ------------------------------------------------------------------------------------
def exercise(loss_of, w, batches):
    """The gradient in w of the mean loss over *all* examples, in a graph of one batch at a time.

    `loss_of(w, batch)` is the mean loss of one batch, a Value.  The batches are lists, and the
    last one is often shorter than the others: that is the catch.  Returns a float.
    """
    raise NotImplementedError


def check_exercise(solution):
    """Against one graph over all examples together."""

    def loss_of(w, batch):
        return sum((w * x - 1) * (w * x - 1) for x in batch) * (1 / len(batch))

    for batches in ([[1.0, 2.0]], [[1.0, 2.0], [3.0, 4.0]], [[1.0, 2.0, 3.0], [7.0]]):
        w = Value(0.5)
        backward(loss_of(w, [x for batch in batches for x in batch]))
        expect(solution(loss_of, Value(0.5), batches), w.grad, f"dw over the batches {batches}")


if __name__ == "__main__":
    main()
    conclude(exercise, check_exercise)
