"""Learning to learn: a network that fits a new sine wave after one gradient step (MAML).

    python examples/maml.py                   2,000 rounds, about a minute
    python examples/maml.py --first-order     without the second derivatives, to compare

Every task is a sine wave of its own amplitude and phase, known at ten points.  From the shared
weights θ a task takes one gradient step, θ' = θ - α ∇L(θ), and is judged by its loss at θ'.  The
shared weights follow the gradient of that loss *through the step*: a gradient of a gradient.

Finn, Abbeel, Levine 2017, "Model-agnostic meta-learning for fast adaptation of deep networks".
"""

import argparse
import math

import numpy as np

import deepdive as dd
from deepdive import nn, optim
from deepdive.func import functional_call, grad, vmap

POINTS = 10  # of each task, to learn from; as many to be judged by


def tasks(count, rng):
    """Sine waves: points to learn from and points to be judged by, each (count, POINTS, 1)."""
    waves = (count, 1, 1)
    amplitude = rng.uniform(0.1, 5.0, waves)
    phase = rng.uniform(0, math.pi, waves)
    places = rng.uniform(-5, 5, (count, 2 * POINTS, 1))
    heights = amplitude * np.sin(places - phase)
    x = dd.tensor(places).float()
    y = dd.tensor(heights).float()
    known_x, new_x = x.chunk(2, dim=1)
    known_y, new_y = y.chunk(2, dim=1)
    return known_x, known_y, new_x, new_y


def network():
    return nn.Sequential(
        nn.Linear(1, 40),
        nn.ReLU(),
        nn.Linear(40, 40),
        nn.ReLU(),
        nn.Linear(40, 1),
    )


class Learner:
    """A model, and what one task makes of its weights."""

    def __init__(self, model, rate=0.01, first_order=False):
        self.model, self.rate, self.first_order = model, rate, first_order

    def loss(self, weights, x, y):
        """How far a model with these weights is from the wave: a number."""
        out = functional_call(self.model, weights, x)
        return nn.functional.mse_loss(out, y)

    def adapted(self, weights, x, y, steps=1):
        """The weights after some gradient steps on one task."""
        for _ in range(steps):
            slopes = grad(self.loss)(weights, x, y)
            if self.first_order:  # the step counts as a constant: no gradient of a gradient
                slopes = {name: slope.detach() for name, slope in slopes.items()}
            moved = {}
            for name, w in weights.items():
                moved[name] = w - self.rate * slopes[name]
            weights = moved
        return weights

    def judged(self, weights, x, y, new_x, new_y, steps=1):
        """The loss at new points of the same wave, after the steps."""
        own = self.adapted(weights, x, y, steps)
        return self.loss(own, new_x, new_y)

    def outer_loss(self, weights, batch, steps=1):
        """The mean over a batch of tasks, all computed at once."""

        def of_one(*task):
            return self.judged(weights, *task, steps=steps)

        return vmap(of_one)(*batch).mean()


def train(learner, rounds, batch, rng, log=print):
    """Follow the outer gradient; what is printed is the mean over the last rounds."""
    weights = dict(learner.model.named_parameters())
    optimizer = optim.Adam(learner.model, lr=1e-3)
    every, total = max(rounds // 10, 1), 0.0
    for i in range(1, rounds + 1):
        optimizer.zero_grad()
        loss = learner.outer_loss(weights, tasks(batch, rng))
        loss.backward()
        optimizer.step()
        total += loss.item()
        if i % every == 0:
            log(f"round {i:5d}   loss after one step {total / every:.3f}")
            total = 0.0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=2000)
    parser.add_argument("--batch", type=int, default=25, help="tasks per round")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first-order", action="store_true", help="no second derivatives")
    words = parser.parse_args()
    dd.manual_seed(words.seed)
    rng = np.random.default_rng(words.seed)
    learner = Learner(network(), first_order=words.first_order)
    train(learner, words.rounds, words.batch, rng)
    weights = {name: p.detach() for name, p in learner.model.named_parameters()}
    fresh = tasks(600, np.random.default_rng(words.seed + 1))
    for steps in (0, 1, 5):
        loss = learner.outer_loss(weights, fresh, steps).item()
        print(f"600 new waves, {steps} gradient steps: loss {loss:.3f}")


if __name__ == "__main__":
    main()
