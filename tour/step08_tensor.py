"""Step 8: the same numbers, a million at a time.

Python needs some 50 nanoseconds to add two numbers and most of them are spent on finding out that
they *are* numbers.  An array asks once and adds a million.  So we put arrays into our values – and
look how little changes: the graph, the table of slopes and the walk do not care what they carry.

The only new operation makes one number of many: the sum.  Each number moves it one to one, so its
slope is an array of ones.  A loss must be *one* number, for "downhill" has no meaning for several.

In the library: `deepdive/core/tensor.py` holds the arrays, `deepdive/backend/` does the arithmetic.
"""

from timeit import timeit

import numpy as np

from step01_remember import COMPUTE, apply
from step02_slopes import SLOPE
from step04_order import backward
from step05_reuse import Value
from verdict import Wrong, conclude, nearly

COMPUTE.update(tanh=np.tanh, exp=np.exp, log=np.log, sum=np.sum)
SLOPE["sum"] = lambda out, x: (np.ones_like(x),)


class Tensor(Value):
    """A Value that carries an array."""

    __array_ufunc__ = None  # so that `array * tensor` is the tensor's affair, not NumPy's

    def __init__(self, data, operation="", parents=()):
        super().__init__(np.asarray(data, dtype=float), operation, parents)

    @property
    def shape(self):
        return self.data.shape

    def sum(self):
        return apply("sum", self)

    def mean(self):
        return self.sum() * (1 / self.data.size)

    def __repr__(self):
        return f"Tensor({self.data})"


def roots_by_descent(y, steps=30, lr=0.1):
    """All square roots at once: make (x * x - y)² small; yields x and the mean error."""
    x = Tensor(np.ones(y.shape))
    for _ in range(steps):
        error = x * x - y
        loss = (error * error).sum()
        backward(loss)
        x.data = x.data - lr * x.grad
        yield x, float(np.sqrt(loss.data / y.data.size))


def main():
    y = Tensor(np.linspace(0.5, 2, 10_000))
    print("10,000 square roots, learned side by side\n")
    steps = list(roots_by_descent(y))
    for step, (_, error) in enumerate(steps):
        if step % 5 == 0:
            bar = "#" * max(0, round(4 * (9 + np.log10(error))))
            print(f"  step {step:2}   error {error:.0e}  {bar}")
    x, _ = steps[-1]
    print(f"  the root of {y.data[-1]:g} is {x.data[-1]:.8f}\n")

    def of_values():
        backward(sum(x * x for x in [Value(1.5)] * 10_000))

    def of_a_tensor():
        x = Tensor(np.full(10_000, 1.5))
        backward((x * x).sum())

    slow, fast = timeit(of_values, number=1), timeit(of_a_tensor, number=100) / 100
    print("forward and backward through 10,000 squares")
    print(f"  10,000 values: {1e3 * slow:8.2f} ms")
    print(f"  one tensor:    {1e3 * fast:8.2f} ms, {slow / fast:.0f} times as fast")


# --- exercise ------------------------------------------------------------------------------------
def exercise(out, x):
    """The slope of out = log(1 + exp(x)), a smooth bend called softplus.  `x` is an array.

    It is 1 / (1 + exp(-x)), or exp(x) / (1 + exp(x)) – or something that survives x = ±1000.
    """
    raise NotImplementedError


def check_exercise(solution):
    """Against nudging where that is easy; at ±1000 no overflow is allowed."""
    x = np.array([-3.0, -0.5, 0.0, 2.0])
    h = 1e-6
    tried = (np.logaddexp(0, x + h) - np.logaddexp(0, x - h)) / (2 * h)
    slope = solution(np.logaddexp(0, x), x)
    if not nearly(slope, tried):
        raise Wrong(f"the slopes at {x}: nudging gives {tried}, you said {slope}")
    far = np.array([-1000.0, 1000.0])
    with np.errstate(all="raise", under="ignore"):
        try:
            slope = solution(np.logaddexp(0, far), far)
        except FloatingPointError as error:
            raise Wrong(f"at x = ±1000: {error}") from None
    if not nearly(slope, np.array([0.0, 1.0])):
        raise Wrong(f"at x = ±1000 the slopes are 0 and 1, you said {slope}")


if __name__ == "__main__":
    main()
    conclude(exercise, check_exercise)
