"""Step 12: a family of operators.

Now an operator takes eight lines, and `register` makes it a method of Tensor.

Minus and mean are still algebra, not classes.  And `Sum` keeps the axis it sums over, with size 1:
then its backward is plain broadcasting.  The two are the same thing read in two directions.

In the library: `deepdive/ops/elementwise.py`, `reduce.py`, `linalg.py`.
"""

from math import prod

import numpy as np

from step11_contract import Operator, Tensor
from verdict import Wrong, conclude, nearly, nudge_all

OPERATORS = []


def register(*names):
    """Make an operator a method of Tensor, under these names."""

    def attach(cls):
        OPERATORS.append(cls)
        for name in names:
            setattr(Tensor, name, lambda self, *others, **fields: cls(**fields)(self, *others))
        return cls

    return attach


@register("__add__", "__radd__")
class Add(Operator):
    def forward(self, xp, x, y):
        return x + y

    def backward(self, xp, grad):
        return grad, grad


@register("__mul__", "__rmul__")
class Mul(Operator):
    def forward(self, xp, x, y):
        return x * y

    def backward(self, xp, grad, x, y):
        return grad * y, grad * x


@register("tanh")
class Tanh(Operator):
    def forward(self, xp, x):
        return xp.tanh(x)

    def backward(self, xp, grad, out):
        return grad * (1.0 - out * out)


@register("sum")
class Sum(Operator):
    def __init__(self, axis=None):  # over all axes; or over one, which stays, with size 1
        self.axis = axis

    def forward(self, xp, x):
        return xp.sum(x, axis=self.axis, keepdims=self.axis is not None)

    def backward(self, xp, grad, x):
        return xp.broadcast_to(grad, x.shape)


@register("__matmul__")
class MatMul(Operator):
    def forward(self, xp, x, w):
        return x @ w  # (B, D) @ (D, H)

    def backward(self, xp, grad, x, w):
        return grad @ w.T, x.T @ grad


Tensor.__neg__ = lambda self: self * -1.0
Tensor.__sub__ = lambda self, other: self + -other
Tensor.__rsub__ = lambda self, other: -self + other
Tensor.mean = lambda self: self.sum() * (1 / prod(self.shape))


def main():
    draw = np.random.default_rng(0)
    x, w, b = (Tensor(draw.normal(size=shape)) for shape in ((4, 3), (3, 2), (2,)))
    y = (x @ w + b).tanh()
    loss = (1 - y).mean()
    loss.backward()
    print("loss = mean(1 - tanh(x @ w + b)), as it was made, the youngest first:\n")
    value = loss
    while value.parents:
        asks = ", ".join(value.operation.asks) or "nothing"
        print(f"  {type(value.operation).__name__:8} {value.shape!s:7} backward asks for {asks}")
        value = value.parents[0]
    print("\ndw has the shape of w:", *w.grad.round(3), sep="\n  ")


# --- exercise ------------------------------------------------------------------------------------
def exercise(xp, grad, out):
    """Backward of softmax, out = exp(x) / sum(exp(x)) along the last axis, from `out` alone: it is
    out * (grad - …), where … is one number per row."""
    raise NotImplementedError


def check_exercise(solution):
    softmax = lambda x: np.exp(x) / np.exp(x).sum(-1, keepdims=True)
    x, grad = np.array([[1.0, 2.0, 0.5], [0.0, -1.0, 0.3]]), np.arange(6.0).reshape(2, 3)
    [tried] = nudge_all(lambda x: (softmax(x) * grad).sum(), x)
    dx = solution(np, grad, softmax(x))
    if not nearly(dx, tried):
        raise Wrong(f"for the rows {x.tolist()}: nudging gives {tried}, you said {dx}")


if __name__ == "__main__":
    main()
    conclude(exercise, check_exercise)
