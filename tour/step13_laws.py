"""Step 13: laws, not examples.

A test that says "tanh of 0.5 has this slope" checks one number.  A *law* says what is true of every
operator: its gradient is what nudging finds, and its inputs are as they were before.  `register`
keeps a list – so the law can be put to all operators, also to those nobody has written yet.

Two tricks of the trade.  The results are weighed differently before they are added up, or errors
that cancel out would go unnoticed.  And we test at random places, for at 0 and 1 many wrong
formulas are right by accident: there x * x, x and x ** 3 all agree.

In the library: `tests/ops/test_laws.py`, and `deepdive.testing.check_operator` for your own.
"""

import numpy as np

from step11_contract import Operator, SoftPlus, Tensor
from step12_operators import OPERATORS, Mul, Tanh, register
from verdict import conclude, expect, nudge_all


def weighed(out):
    """One number in which no two results count alike."""
    weights = np.cos(np.arange(out.data.size)).reshape(out.shape)
    return (out * weights).sum()


def worst_error(function, *arrays):
    """How far backward is from nudging, over every number of every operand."""
    tensors = [Tensor(array.copy()) for array in arrays]
    weighed(function(*tensors)).backward()

    def by_numbers(*arrays):
        return weighed(function(*map(Tensor, arrays))).data

    tried = nudge_all(by_numbers, *arrays)
    pairs = zip(tensors, tried, strict=True)
    return max(np.abs(tensor.grad - slopes).max() for tensor, slopes in pairs)


def sample(cls, draw):
    """Random operands for an operator: tables for x and y, a matrix that fits for w."""
    shapes = {"x": (3, 4), "y": (3, 4), "w": (4, 2)}
    return [draw.normal(size=shapes[name]) for name in cls.takes]


@register("transpose")
class Transpose(Operator):
    def forward(self, xp, x):
        return x.T

    def backward(self, xp, grad):
        return grad.T


Tensor.T = property(lambda self: self.transpose())


class Cube(Operator):
    """Another newcomer, with a mistake in its backward."""

    def forward(self, xp, x):
        return x * x * x

    def backward(self, xp, grad, x):
        return grad * x * x


def main():
    draw = np.random.default_rng(0)
    print("operator   takes     asks for    worst error against nudging")
    for cls in (*OPERATORS, SoftPlus, Cube):
        error = worst_error(cls(), *sample(cls, draw))
        takes, asks = ", ".join(cls.takes), ", ".join(cls.asks) or "nothing"
        alarm = "" if error < 1e-6 else "   <- breaks the law: a factor of 3 is missing"
        print(f"{cls.__name__:10} {takes:9} {asks:11} {error:.0e}{alarm}")
    x = draw.normal(size=(3, 4))
    w = draw.normal(size=(4, 2))
    error = worst_error(lambda x, w: (x @ w).tanh() - (x @ w).mean(), x, w)
    print(f"\ntanh(x @ w) - mean(x @ w), made of them: {error:.0e}")
    print("\nthe wrong Cube at 0:", worst_error(Cube(), np.zeros(1)), "- looks perfect there")


# --- exercise ------------------------------------------------------------------------------------
def exercise(classes):
    """The names of those operator classes that break the law, in the order given.

    Backward may be wrong – or forward may change the arrays it was given, which is as bad.
    `sample(cls, draw)` makes operands.
    """
    raise NotImplementedError


class Careless(Mul):
    """Forgets that the second operand has a gradient of its own."""

    def backward(self, xp, grad, x, y):
        return grad * y, grad * y


class Greedy(Tanh):
    """Computes in an array that is not its own."""

    def forward(self, xp, x):
        x[...] = xp.tanh(x)
        return xp.asarray(x)


def check_exercise(solution):
    """Operators with and without faults, in two orders."""
    expect(solution([Tanh, Mul]), [], "the suspects among Tanh and Mul")
    expect(solution([Cube, Mul, Careless]), ["Cube", "Careless"], "among Cube, Mul, Careless")
    expect(solution([Transpose, Greedy]), ["Greedy"], "among Transpose and Greedy")
    expect(solution([Greedy, Careless, Transpose]), ["Greedy", "Careless"], "among three more")


if __name__ == "__main__":
    main()
    conclude(exercise, check_exercise)
