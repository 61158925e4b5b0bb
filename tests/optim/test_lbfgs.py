"""L-BFGS against PyTorch's: the same losses, the same number of evaluations."""

import numpy as np
import pytest
import torch

from deepdive import compile, optim, tensor
from deepdive.errors import ArgumentError, CheckpointError, GraphError

RNG = np.random.default_rng(0)
A, B = RNG.standard_normal((20, 5)), RNG.standard_normal(20)


def rosenbrock(w, v):
    """A curved valley, the lowest place being 1 everywhere."""
    return (100 * (w[1:] - w[:-1] ** 2) ** 2 + (1 - w[:-1]) ** 2).sum() + ((v - 1) ** 4).sum()


def logistic(library):
    a, b = library(A), library(np.sign(B))

    def loss(w, v):
        return (1 + (-(a @ w) * b).exp()).log().sum() + 0.1 * (w * w).sum() + (v * v).sum()

    return loss


def run(library, module, loss, options, steps, dtype="float64"):
    """Losses at each step, and how often the loss was computed."""
    starts = [np.linspace(-1.5, 1.0, 5), np.full((2, 2), 0.3)]
    params = [library(np.asarray(s, dtype)) for s in starts]
    for p in params:
        p.requires_grad_()
    optimizer = module.LBFGS(params, **options)
    calls, losses = [], []

    def closure():
        optimizer.zero_grad()
        value = loss(*params)
        value.backward()
        calls.append(value.item())
        return value

    for _ in range(steps):
        losses.append(optimizer.step(closure).item())
    return losses, calls, [p.detach().numpy() for p in params], optimizer


@pytest.mark.parametrize("which", ["rosenbrock", "logistic"])
@pytest.mark.parametrize(
    "options",
    [
        {"line_search_fn": "strong_wolfe"},
        {"line_search_fn": "strong_wolfe", "history_size": 3, "max_iter": 7, "lr": 0.5},
        {"line_search_fn": "strong_wolfe", "max_eval": 9},
        {"lr": 0.01, "max_iter": 5},
        {"lr": 0.05, "history_size": 2, "max_iter": 4, "tolerance_grad": 1e-3},
    ],
)
def test_as_in_pytorch(which, options):
    functions = [rosenbrock] * 2 if which == "rosenbrock" else map(logistic, (tensor, torch.tensor))
    ours, theirs = functions
    got = run(tensor, optim, ours, options, 6)
    want = run(torch.tensor, torch.optim, theirs, options, 6)
    assert len(got[1]) == len(want[1])  # the same evaluations
    np.testing.assert_allclose(got[1], want[1], rtol=1e-6, atol=1e-12)
    for a, b in zip(got[2], want[2], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-8)


def test_it_finds_the_lowest_place():
    options = {"line_search_fn": "strong_wolfe", "max_iter": 50}
    _, _, (w, v), _ = run(tensor, optim, rosenbrock, options, 6)
    np.testing.assert_allclose(w, np.ones(5), atol=1e-5)
    np.testing.assert_allclose(v, np.ones((2, 2)), atol=1e-2)


def test_its_state_goes_round():
    options = {"line_search_fn": "strong_wolfe", "max_iter": 4}
    whole = run(tensor, optim, rosenbrock, options, 6)[2]
    _, _, arrays, first = run(tensor, optim, rosenbrock, options, 3)
    params = [tensor(a, requires_grad=True) for a in arrays]
    second = optim.LBFGS(params, **options)
    second.load_state_dict(first.state_dict())

    def closure():
        second.zero_grad()
        loss = rosenbrock(*params)
        loss.backward()
        return loss

    for _ in range(3):
        second.step(closure)
    for p, want in zip(params, whole, strict=True):
        assert np.array_equal(p.numpy(), want)
    other = optim.LBFGS([tensor([1.0], requires_grad=True)])
    with pytest.raises(CheckpointError, match="other parameters"):
        other.load_state_dict(first.state_dict())
    with pytest.raises(CheckpointError, match="not the state of an LBFGS"):
        other.load_state_dict({"state": {}, "param_groups": []})


def test_what_makes_no_sense_is_refused():
    w = tensor([1.0], requires_grad=True)
    with pytest.raises(ArgumentError, match="needs the function"):
        optim.LBFGS([w]).step()
    with pytest.raises(ArgumentError, match="unknown line search"):
        optim.LBFGS([w], line_search_fn="armijo")
    with pytest.raises(ArgumentError, match="one group"):
        optim.LBFGS([{"params": [w]}, {"params": [tensor([2.0], requires_grad=True)]}])
    optimizer = optim.LBFGS([w])
    with pytest.raises(GraphError, match="looks at the loss"):
        compile(lambda: optimizer.step(lambda: (w * w).sum()))()
