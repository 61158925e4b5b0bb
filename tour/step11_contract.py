"""Step 11: an operator is two short functions over an array vocabulary.

Now the idea that carries the whole library.  An operator is a class of two functions:

    forward(self, xp, x, ...)        computes, with the words of `xp`
    backward(self, xp, grad, ...)    gradients, asking *by name* for what it needs

`xp` is whoever speaks for the arrays at hand; today it is NumPy itself.  What nobody asks for need
not be kept, and a misspelt wish is noticed when the class is made, not an hour into the training.

In the library: `deepdive/core/operator.py`, and `contract.py` for the wish list.
"""

from inspect import signature

import numpy as np

import step04_order
from step01_remember import Value
from step09_broadcasting import unbroadcast
from verdict import Wrong, conclude, nearly, nudge_all

SPEAKERS = {np.ndarray: np}  # type of array → who speaks for it


def speaker_of(array):
    return SPEAKERS.get(type(array), np)


def array_of(x):
    return x.data if isinstance(x, Tensor) else x


class Tensor(Value):
    """An array, the operator that made it, and its operands: tensors and plain numbers."""

    __array_ufunc__ = None  # so that `array * tensor` is the tensor's affair, not NumPy's

    def __init__(self, data, operator="", operands=()):
        if type(data) not in SPEAKERS:
            data = np.asarray(data, dtype=float)
        parents = tuple(x for x in operands if isinstance(x, Tensor))
        super().__init__(data, operator, parents)
        self.operands = operands

    shape = property(lambda self: self.data.shape)

    def backward(self):
        ones = speaker_of(self.data).ones(self.shape)
        step04_order.backward(self, ones, parts_of)


class Operator:
    """Base of all operators: what they take and ask for, and how they are applied."""

    def __init_subclass__(cls):
        cls.takes = tuple(signature(cls.forward).parameters)[2:]  # after self, xp
        cls.asks = tuple(signature(cls.backward).parameters)[3:]  # after self, xp, grad
        for name in cls.asks:
            if name not in (*cls.takes, "out"):
                raise TypeError(f"{cls.__name__}.backward asks for {name!r}, which there is not")

    def __call__(self, *operands):
        xp = next(speaker_of(x.data) for x in operands if isinstance(x, Tensor))
        return Tensor(self.forward(xp, *map(array_of, operands)), self, operands)


def parts_of(value, grad, seen=array_of):
    """Each parent's gradient.  `seen`: how backward is shown values (until step 19: as arrays)."""
    if not value.parents:
        return []
    operator, xp = value.operation, speaker_of(grad)
    known = dict(zip(operator.takes, map(seen, value.operands), strict=True), out=seen(value))
    parts = operator.backward(xp, grad, *(known[name] for name in operator.asks))
    parts = parts if isinstance(parts, tuple) else (parts,)
    pairs = zip(value.operands, parts, strict=True)
    return [unbroadcast(p, x.shape, xp) for x, p in pairs if isinstance(x, Tensor)]


class SoftPlus(Operator):
    def forward(self, xp, x):
        return xp.logaddexp(x, 0.0)  # log(eˣ + e⁰), a ramp with a smooth bend

    def backward(self, xp, grad, x):
        return grad / (1 + xp.exp(-x))


def main():
    x = Tensor([-2.0, 0.0, 2.0])
    y = SoftPlus()(x)
    y.backward()
    print("SoftPlus takes", SoftPlus.takes, "and its backward asks for", SoftPlus.asks)
    print(f"  x    {x.data}\n  y    {y.data.round(4)}\n  grad {x.grad.round(4)}")
    try:
        type("Typo", (SoftPlus,), {"backward": lambda self, xp, grad, y: grad * y})
    except TypeError as error:
        print("\na wish that cannot come true is noticed at once:\n  TypeError:", error)


# --- exercise ------------------------------------------------------------------------------------
def exercise(xp, grad, x):
    """Backward of x / (1 + |x|), a step with soft edges.  xp.abs and xp.sign are words."""
    raise NotImplementedError


def check_exercise(solution):
    """In a class made for the occasion, against nudging."""
    x = np.array([-3.0, -0.2, 0.4, 5.0])
    soft = {"forward": lambda self, xp, x: x / (1 + xp.abs(x))}
    soft["backward"] = lambda self, xp, grad, x: solution(xp, grad, x)
    tensor, step = Tensor(x), type("SoftStep", (Operator,), soft)()
    step(step(tensor)).backward()  # twice, so that grad is not 1 everywhere
    [tried] = nudge_all(lambda x: step(step(Tensor(x))).data.sum(), x)
    if not nearly(tensor.grad, tried):
        raise Wrong(f"the slopes of two steps in a row at {x}: {tried}, not {tensor.grad}")


if __name__ == "__main__":
    main()
    conclude(exercise, check_exercise)
