"""MAML and the network that obeys a law: their gradients, and that they learn."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch

import deepdive as dd

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def example(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


maml, pinn = example("maml"), example("pinn")


def torch_outer_gradient(weights, batch, rate, steps, first_order):
    """The same in PyTorch, task by task, with autograd.grad(create_graph=True)."""

    def forward(ws, x):
        w1, b1, w2, b2, w3, b3 = ws
        hidden = torch.relu(torch.relu(x @ w1.T + b1) @ w2.T + b2)
        return hidden @ w3.T + b3

    leaves = [torch.tensor(w, requires_grad=True) for w in weights]
    total = 0
    for x, y, new_x, new_y in zip(*(torch.tensor(part) for part in batch), strict=True):
        ws = leaves
        for _ in range(steps):
            loss = ((forward(ws, x) - y) ** 2).mean()
            slopes = torch.autograd.grad(loss, ws, create_graph=not first_order)
            ws = [w - rate * s for w, s in zip(ws, slopes, strict=True)]
        total = total + ((forward(ws, new_x) - new_y) ** 2).mean()
    loss = total / len(batch[0])
    loss.backward()
    return loss.item(), [leaf.grad.numpy() for leaf in leaves]


@pytest.mark.parametrize(("steps", "first_order"), [(1, False), (3, False), (1, True)])
def test_the_outer_gradient_of_maml_is_pytorchs(steps, first_order):
    dd.manual_seed(0)
    model = maml.network().double()
    learner = maml.Learner(model, rate=0.05, first_order=first_order)
    batch = [part.double() for part in maml.tasks(6, np.random.default_rng(0))]
    loss = learner.outer_loss(dict(model.named_parameters()), batch, steps)
    loss.backward()
    weights = [p.numpy() for p in model.parameters()]
    want, expected = torch_outer_gradient(
        weights, [part.numpy() for part in batch], 0.05, steps, first_order
    )
    assert loss.item() == pytest.approx(want, rel=1e-10)
    for p, slope in zip(model.parameters(), expected, strict=True):
        np.testing.assert_allclose(p.grad.numpy(), slope, rtol=1e-8, atol=1e-11)


def test_maml_learns_to_learn():
    dd.manual_seed(0)
    rng = np.random.default_rng(0)
    learner = maml.Learner(maml.network())
    weights = dict(learner.model.named_parameters())
    fresh = maml.tasks(200, np.random.default_rng(1))
    before = learner.outer_loss(weights, fresh).item()
    lines = []
    maml.train(learner, 150, 10, rng, log=lines.append)
    assert len(lines) == 10 and learner.outer_loss(weights, fresh).item() < 0.9 * before


def test_the_law_is_that_of_the_exact_solution():
    """With the exact solution for u, nothing is in excess; the network's excess is a difference
    quotient's."""
    dd.manual_seed(0)
    rod = pinn.Rod(pinn.network().double())
    t, x = dd.tensor([0.3, 0.7], dtype="float64"), dd.tensor([0.2, 0.9], dtype="float64")
    found = dd.vmap(rod.excess)(t, x).numpy()
    h = 1e-4

    def u(t, x):
        return dd.vmap(rod.u)(t, x).detach()

    u_t = (u(t + h, x) - u(t - h, x)) / (2 * h)
    u_xx = (u(t, x + h) - 2 * u(t, x) + u(t, x - h)) / h**2
    np.testing.assert_allclose(found, (u_t - pinn.KAPPA * u_xx).numpy(), rtol=1e-5, atol=1e-6)
    rate = pinn.KAPPA * np.pi**2
    rod.u = lambda t, x: (-rate * t).exp() * (np.pi * x).sin()
    assert abs(dd.vmap(rod.excess)(t, x).numpy()).max() < 1e-12 and rod.error() < 1e-6


def test_the_network_learns_to_obey():
    dd.manual_seed(0)
    rod = pinn.Rod(pinn.network())
    before = rod.error()
    pinn.train(rod, 120, points=64, log=lambda line: None)
    assert rod.error() < before / 3
