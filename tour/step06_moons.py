"""Step 6: neurons learn to tell two moons apart.

A *neuron* weighs its inputs, adds them up and bends the sum: tanh(w1*x1 + w2*x2 + b).  Bending is
what matters: without it a whole network would be one big weighted sum, a straight line.

*Training* is a loop of four lines, here and everywhere: compute the loss (how wrong are we?), go
backward (which way is up?), take every parameter a small step downhill, again.  Nobody tells the
neurons what to look for.

This is all of deep learning, in pure Python, with nothing behind it.  What follows in steps 7 to
20 is the same once more, a million times faster.

In the library: the loop on the first screen of README.md.
"""

import math
import random

from step04_order import backward
from step05_reuse import Value
from verdict import Wrong, conclude, expect, nearly


def moons(count, draw):
    """Points on two half circles that reach into each other, and their sides: -1 or 1."""
    points = []
    for i in range(count):
        angle = math.pi * draw.random()
        x, y = math.cos(angle), math.sin(angle)
        point = (x, y) if i % 2 else (1 - x, 0.5 - y)
        points.append((point, 1.0 if i % 2 else -1.0))
    return points


def random_values(count, scale, draw):
    """Different starts, or all neurons would learn the same."""
    return [Value(draw.gauss(0, scale)) for _ in range(count)]


class Network:
    """Two inputs, a layer of neurons, one output: positive means "the upper moon"."""

    def __init__(self, neurons, draw):
        self.layer = [random_values(3, 1.0, draw) for _ in range(neurons)]
        self.out = random_values(neurons, 0.3, draw)

    def parameters(self):
        return [w for neuron in self.layer for w in neuron] + self.out

    def __call__(self, x, y):
        bent = [(w1 * x + w2 * y + b).tanh() for w1, w2, b in self.layer]
        return sum(w * h for w, h in zip(self.out, bent, strict=True))


def loss_of(network, points):
    """The mean of (score - side)²."""
    errors = [network(*point) - side for point, side in points]
    return sum(error * error for error in errors) * (1 / len(points))


def train(network, points, steps=60, lr=0.35):
    """Gradient descent; yields the loss of each step."""
    for _ in range(steps):
        loss = loss_of(network, points)
        backward(loss)
        for w in network.parameters():
            w.data -= lr * w.grad
        yield loss.data


def picture(network, points, rows=15, columns=60):
    """The plane as the network sees it: dots where it says "upper", and the points themselves."""
    width, height = 3.6 / columns, 2.1 / rows
    marks = {}
    for (x, y), side in points:
        cell = round((1.3 - y) / height), round((x + 1.3) / width)
        marks[cell] = "O" if side > 0 else "X"
    for row in range(rows):
        line = ""
        for column in range(columns):
            score = network(column * width - 1.3, 1.3 - row * height)
            ground = "." if score.data > 0 else " "
            line += marks.get((row, column), ground)
        yield line


def main():
    draw = random.Random(7)
    points = moons(40, draw)
    network = Network(6, draw)
    for step, loss in enumerate(train(network, points)):
        if step % 10 == 0 or step == 59:
            print(f"  step {step:2}   loss {loss:.3f}  {'#' * round(40 * loss)}")
    print("", *picture(network, points), sep="\n")
    right = sum(network(*point).data * side > 0 for point, side in points)
    print(f"\n{right} of {len(points)} points on the right side")


# --- exercise ------------------------------------------------------------------------------------
def exercise(loss, parameters, strength):
    """`loss` plus strength times the sum of all squared parameters: *weight decay*, as a Value."""
    raise NotImplementedError


def check_exercise(solution):
    """The new loss, and that its gradient pulls each weight towards zero."""
    u, v = Value(3.0), Value(-2.0)
    total = solution(u * v, [u, v], 0.1)
    if not isinstance(total, Value):
        raise Wrong(f"a Value is wanted, so that backward works; got {type(total).__name__}")
    expect(total.data, -6 + 0.1 * 13, "the loss for weights 3 and -2, strength 0.1")
    backward(total)
    if not nearly([u.grad, v.grad], [-2 + 0.6, 3 - 0.4]):
        raise Wrong(f"gradients: expected [-1.4, 2.6], got {[u.grad, v.grad]}")


if __name__ == "__main__":
    main()
    conclude(exercise, check_exercise)
