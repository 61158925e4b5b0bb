"""Step 17: an optimizer is its formula.

The gradient says which way is downhill *here*.  In a narrow valley that is mostly the way to the
other wall: plain descent zigzags, and a step small enough for the walls is too small for the floor.

*Momentum* keeps a running sum of gradients: the zigzags cancel, the way along the floor adds up.
*Adam* also keeps the size of each gradient and divides by it: every parameter gets its own step.
The divisions by 1 - beta**t make up for the zeros both averages begin with.

What differs between optimizers is one pure function, (w, g, memory) to (w, memory).  The base class
does the rest once: it walks the parameters, keeps their memory, counts the steps.

In the library: `deepdive/optim/` – the same `update`, the same letters.
"""

import numpy as np

from step12_operators import Tensor
from verdict import conclude, expect


class Optimizer:
    memories = 0  # how many arrays are kept for each parameter

    def __init__(self, parameters, lr):
        self.parameters = list(parameters)
        self.lr, self.t = lr, 0
        self.memory = [[np.zeros(p.shape)] * self.memories for p in self.parameters]

    def step(self):
        self.t += 1
        for i, p in enumerate(self.parameters):
            p.data, *self.memory[i] = self.update(p.data, p.grad, *self.memory[i])


class SGD(Optimizer):
    def update(self, w, g):
        return (w - self.lr * g,)


class Momentum(Optimizer):
    memories = 1

    def update(self, w, g, v):
        v = 0.9 * v + g
        return w - self.lr * v, v


class Adam(Optimizer):
    memories = 2  # Kingma & Ba 2015, algorithm 1

    def update(self, w, g, m, v):
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g * g
        mean = m / (1 - 0.9**self.t)
        square = v / (1 - 0.999**self.t)
        return w - self.lr * mean / (np.sqrt(square) + 1e-8), m, v


STEEPNESS = Tensor([1.0, 80.0])  # the valley: gentle along x, steep along y


def descend(kind, lr, steps=60):
    """The path of an optimizer down the valley, and its losses."""
    place = Tensor([-4.0, 1.0])
    optimizer = kind([place], lr)
    for _ in range(steps):
        loss = (place * place * STEEPNESS).sum()
        loss.backward()
        yield place.data, float(loss.data)
        optimizer.step()


def picture(path, rows=9, columns=76):
    """The valley from above; the path's places as digits: 0 for the first ten steps, then 1 …"""
    marks = {}
    for t, (x, y) in enumerate(path):
        row = round((1 - y) / 2 * (rows - 1))
        column = round((x + 4.3) / 5.2 * columns)
        marks.setdefault((row, column), str(t // 10))
    for row in range(rows):
        line = (marks.get((row, column), " ") for column in range(columns))
        print("  |" + "".join(line).rstrip())


def main():
    rates = {SGD: 0.0115, Momentum: 0.004, Adam: 0.4}
    for kind, lr in rates.items():
        places, losses = zip(*descend(kind, lr), strict=True)
        print(f"{kind.__name__}, lr {lr:g}")
        picture(places)
        print("  loss after 10, 20 … steps: ", *(f"{loss:9.2e}" for loss in losses[9::10]), "\n")


# --- exercise ------------------------------------------------------------------------------------
def exercise(w, g, v, lr):
    """One step of RMSprop: v = 0.99 v + 0.01 g², then w goes lr * g / (√v + 1e-8) downhill.

    Returns the new w and the new v.  Do not change the given arrays in place.
    """
    raise NotImplementedError


def check_exercise(solution):
    """One step worked out by hand; twenty in a row; and that nothing was changed in place."""
    w = np.array([1.0, -1.0])
    g = np.array([2.0, 0.5])
    v = np.array([0.0, 1.0])
    new_w, new_v = solution(w, g, v, 0.1)
    expect(new_v, np.array([0.04, 0.9925]), "v after one step from v = [0, 1], g = [2, 0.5]")
    expect(new_w, np.array([0.0, -1.0 - 0.05 / 0.9925**0.5]), "w after that step, lr 0.1")
    expect(v, np.array([0.0, 1.0]), "the v that was given, afterwards,")
    for _ in range(20):
        w, v = solution(w, 2 * w, v, 0.1)
    expect(bool(np.abs(w).max() < 1), True, "is w, going down w², nearer to 0 after 20 steps")


if __name__ == "__main__":
    main()
    conclude(exercise, check_exercise)
