"""A network that obeys a law of physics: heat in a rod, with derivatives inside the loss (PINN).

    python examples/pinn.py            1,500 steps, about half a minute

A rod of length 1, its ends kept cold, cools by ``u_t = κ u_xx`` from ``u(0, x) = sin πx``.  No
solution is shown to the network u(t, x): its loss says by how much it breaks the law, at points
drawn anew for each step.  The exact solution, ``e^(-κπ²t) sin πx``, is only used to judge it.

Raissi, Perdikaris, Karniadakis 2019, "Physics-informed neural networks".
"""

import argparse
import math

import deepdive as dd
from deepdive import nn, optim
from deepdive.func import functional_call, grad, vmap

KAPPA = 0.1  # how well the rod conducts


def network(width=24):
    return nn.Sequential(
        nn.Linear(2, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 1)
    )


class Rod:
    """The temperature u(t, x) as a network, and the law it has to obey."""

    def __init__(self, model):
        self.model = model
        self.weights = dict(model.named_parameters())

    def u(self, t, x):
        """The temperature at one time and place: numbers to a number.

        The factor x (1 - x) keeps the ends cold, whatever the network says, and t · … keeps the
        beginning: what is left to learn is how it goes on.
        """
        place = dd.stack([t, x])[None]  # (1, 2)
        out = functional_call(self.model, self.weights, place).reshape(())
        return (math.pi * x).sin() + t * x * (1 - x) * out

    def excess(self, t, x):
        """``u_t - κ u_xx``, by which the law is broken at one time and place."""
        u_t = grad(self.u, argnums=0)(t, x)
        u_xx = grad(grad(self.u, argnums=1), argnums=1)(t, x)
        return u_t - KAPPA * u_xx

    def loss(self, t, x):
        """The mean square over many times and places at once, (B,) each."""
        return vmap(self.excess)(t, x).square().mean()

    def error(self):
        """The relative distance from the exact solution on a grid."""
        t = dd.linspace(0, 1, 21).repeat_interleave(21)
        x = dd.cat([dd.linspace(0, 1, 21)] * 21)
        exact = (-KAPPA * math.pi**2 * t).exp() * (math.pi * x).sin()
        with dd.no_grad():
            found = vmap(self.u)(t, x)
        return ((found - exact).square().sum() / exact.square().sum()).sqrt().item()


def train(rod, steps, points=128, log=print):
    optimizer = optim.Adam(rod.model, lr=5e-3)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)

    def step(t, x):
        optimizer.zero_grad()
        loss = rod.loss(t, x)
        loss.backward()
        optimizer.step()
        return loss

    every = max(steps // 10, 1)
    for i in range(1, steps + 1):
        loss = step(dd.rand(points), dd.rand(points))
        schedule.step()
        if i % every == 0:
            log(f"step {i:5d}   loss {loss.item():.2e}   error {100 * rod.error():.2f} %")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=0)
    words = parser.parse_args()
    dd.manual_seed(words.seed)
    rod = Rod(network())
    train(rod, words.steps)
    print(f"error against the exact solution: {100 * rod.error():.2f} %")


if __name__ == "__main__":
    main()
