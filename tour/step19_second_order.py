"""Step 19: gradients of gradients, without one new rule.

What does backward compute with?  With whatever `xp` and `grad` it is given.  So give it *Tensors*,
and a speaker that says every word by applying the operator of that name.  Then backward itself is
recorded – its result remembers how it was made, and one can go backward through that, and again.

No operator was changed for this.  Only two are new, because backward uses words that so far had no
operator: reshape and broadcast_to.  The backward of broadcasting is to give the gradient back as
it is, for the walk sums what comes in the larger shape (step 9).

What is it good for?  Newton's method below divides the slope by the curvature, and doubles the
number of right digits with each step.

In the library: `TensorSpeaker` in `deepdive/core/operator.py`, and `create_graph=True`.
"""

from functools import partial
from types import SimpleNamespace

import numpy as np

import step04_order
from step11_contract import SPEAKERS, Operator, parts_of
from step12_operators import Sum
from step13_laws import Tensor
from verdict import Wrong, conclude, nearly


class Reshape(Operator):
    def __init__(self, shape):
        self.shape = shape

    def forward(self, xp, x):
        return xp.reshape(x, self.shape)

    def backward(self, xp, grad, x):
        return xp.reshape(grad, x.shape)


class BroadcastTo(Reshape):
    def forward(self, xp, x):
        return xp.broadcast_to(x, self.shape)

    def backward(self, xp, grad):
        return grad


SPEAKERS[Tensor] = SimpleNamespace(
    tanh=lambda x: x.tanh(),
    sum=lambda x, axis=None, keepdims=False: Sum(axis)(x),
    reshape=lambda x, shape: Reshape(shape)(x),
    broadcast_to=lambda x, shape: BroadcastTo(shape)(x),
)


def gradient(out, x):
    """d out / d x as a Tensor with a history of its own.  Of several outs: of their sum."""
    x.grad = None
    with_history = partial(parts_of, seen=lambda value: value)
    step04_order.backward(out, Tensor(np.ones(out.shape)), with_history)
    return Tensor(np.zeros(x.shape)) if x.grad is None else x.grad


def drawn(numbers):
    """A curve in one line of text."""
    low, high = numbers.min(), numbers.max()
    return "".join("▁▂▃▄▅▆▇█"[int(7.99 * (n - low) / (high - low))] for n in numbers)


def valley(x):
    """x⁴/4 - x, lowest at 1."""
    return x * x * x * x * 0.25 - x


def main():
    x = Tensor(np.linspace(-3, 3, 61))
    print("tanh and its derivatives from -3 to 3, each the gradient of the one above\n")
    curve = x.tanh()
    for order in range(5):
        print(f"  {order}  {drawn(curve.data)}  {curve.data.min():6.2f} to {curve.data.max():5.2f}")
        curve = gradient(curve, x)

    slow, fast = Tensor(2.0), Tensor(2.0)
    print("\nhow far from the lowest point of x⁴/4 - x:\n\n  step   descent   Newton")
    for step in range(7):
        print(f"  {step:4}   {abs(slow.data - 1):.1e}   {abs(fast.data - 1):.1e}")
        slow = Tensor(slow.data - 0.1 * gradient(valley(slow), slow).data)
        slope = gradient(valley(fast), fast)
        curvature = gradient(slope, fast)
        fast = Tensor(fast.data - slope.data / curvature.data)


# --- exercise ------------------------------------------------------------------------------------
def exercise(f, x, v):
    """The Hessian of f at x times v, an array: how the gradient changes when x moves along v.

    f makes a Tensor of one number from a Tensor; x and v are arrays.  The Hessian itself, n×n, is
    not needed: what is the gradient of (gradient · v)?
    """
    raise NotImplementedError


def check_exercise(solution):
    """Against the difference of two gradients."""
    functions = {
        "sum(x * x * x)": lambda x: (x * x * x).sum(),
        "sum(tanh(x) * x) + sum(x)²": lambda x: (x.tanh() * x).sum() + x.sum() * x.sum(),
    }
    x, v, h = np.array([0.5, -1.0, 2.0]), np.array([1.0, -2.0, 0.5]), 1e-5
    for name, f in functions.items():
        ends = [Tensor(x + h * v), Tensor(x - h * v)]
        up, down = (gradient(f(end), end).data for end in ends)
        tried, got = (up - down) / (2 * h), solution(f, x, v)
        if not nearly(got, tried):
            raise Wrong(f"for {name} at {x}, along {v}: nudging gives {tried}, you said {got}")


if __name__ == "__main__":
    main()
    conclude(exercise, check_exercise)
