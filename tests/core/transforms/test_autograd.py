"""``dd.autograd``: PyTorch's older names, and hooks of tensors."""

import numpy as np
import pytest
import torch

import deepdive as dd
from deepdive.errors import ArgumentError, GraphError

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((3, 2)), RNG.standard_normal(3)
F = {"ours": dd.autograd.functional, "theirs": torch.autograd.functional}


def both(program):
    found = program(F["ours"], dd.tensor(X), dd.tensor(Y))
    expected = program(F["theirs"], torch.tensor(X), torch.tensor(Y))
    close(found, expected)


def close(found, expected):
    if isinstance(expected, torch.Tensor):
        np.testing.assert_allclose(found.numpy(), expected.detach().numpy(), rtol=1e-9, atol=1e-12)
        assert found.requires_grad == expected.requires_grad
    else:
        assert isinstance(found, tuple) and len(found) == len(expected)
        for a, b in zip(found, expected, strict=True):
            close(a, b)


def pair(x, y):
    return x.exp() * y.reshape(3, 1), (x.sum(1) * y).sin()


def number(x, y):
    return (x.sin().sum(1) * y * y).sum()


@pytest.mark.parametrize(
    "program",
    [
        lambda f, x, y: f.jacobian(lambda x: x.sin().sum(0), x),
        lambda f, x, y: f.jacobian(pair, (x, y)),
        lambda f, x, y: f.jacobian(lambda x: x.sin(), x, strategy="forward-mode", vectorize=True),
        lambda f, x, y: f.hessian(lambda x: (x**3).sum(), x),
        lambda f, x, y: f.hessian(number, (x, y)),
        lambda f, x, y: f.vjp(pair, (x, y), (x, y)),
        lambda f, x, y: f.vjp(lambda x: x.sum(), x),
        lambda f, x, y: f.jvp(pair, (x, y), (x, y)),
        lambda f, x, y: f.jvp(lambda x: x.sin(), x, x),
        lambda f, x, y: f.hvp(number, (x, y), (x, y)),
        lambda f, x, y: f.vhp(number, (x, y), (x, y)),
        lambda f, x, y: f.hvp(lambda x: (x**3).sum(), x, x),
    ],
)
def test_as_in_pytorch(program):
    both(program)


def test_create_graph():
    x = dd.tensor(X, requires_grad=True)
    tx = torch.tensor(X, requires_grad=True)
    F["ours"].jacobian(lambda x: x**3, x, create_graph=True).sum().backward()
    F["theirs"].jacobian(lambda x: x**3, tx, create_graph=True).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), tx.grad.numpy())
    assert not F["ours"].jacobian(lambda x: x**3, x).requires_grad


def test_what_does_not_fit_is_refused():
    x = dd.tensor(X)
    with pytest.raises(GraphError, match="output 0 does not depend on input 1"):
        F["ours"].jacobian(lambda x, y: x * 2, (x, x), strict=True)
    with pytest.raises(ArgumentError, match="v can be left out"):
        F["ours"].hvp(lambda x: (x**2).sum(), x)
    with pytest.raises(ArgumentError, match="unknown strategy"):
        F["ours"].jacobian(lambda x: x, x, strategy="sideways")


def test_backward_of_several():
    x, tx = dd.tensor(X, requires_grad=True), torch.tensor(X, requires_grad=True)
    dd.autograd.backward([x.exp(), x.sum()], [dd.tensor(X), None])
    torch.autograd.backward([tx.exp(), tx.sum()], [torch.tensor(X), None])
    np.testing.assert_allclose(x.grad.numpy(), tx.grad.numpy())
    with pytest.raises(GraphError, match="tracks no gradient"):
        dd.autograd.backward([dd.tensor(X)])


def test_hooks_change_gradients_and_are_removed():
    x = dd.tensor(X, requires_grad=True)
    handle = x.register_hook(lambda grad: grad * 2)
    y = x * 3
    seen = []
    y.register_hook(lambda grad: seen.append(grad.numpy().copy()))
    y.retain_grad()
    y.sum().backward()
    assert (x.grad.numpy() == 6).all() and (seen[0] == 1).all() and (y.grad.numpy() == 1).all()
    handle.remove()
    x.grad = None
    (x * 3).sum().backward()
    assert (x.grad.numpy() == 3).all()


def test_hooks_after_the_gradient_was_added_up():
    """Each weight is updated as soon as its gradient is there, which is then forgotten."""
    weights = [dd.tensor(np.full((2, 2), k + 1.0), requires_grad=True) for k in range(3)]
    calls = []

    def update(w):
        calls.append(w)
        with dd.no_grad():
            w -= 0.1 * w.grad
        w.grad = None

    handles = [w.register_post_accumulate_grad_hook(update) for w in weights]
    expected = []
    twins = [torch.tensor(w.numpy().copy(), requires_grad=True) for w in weights]
    (twins[0] @ twins[1] @ twins[2] * twins[1]).sum().backward()
    expected = [(t - 0.1 * t.grad).detach().numpy() for t in twins]
    (weights[0] @ weights[1] @ weights[2] * weights[1]).sum().backward()
    for w, want in zip(weights, expected, strict=True):
        np.testing.assert_allclose(w.numpy(), want)
        assert w.grad is None
    assert len(calls) == 3
    for handle in handles:
        handle.remove()
    (weights[0] * 2).sum().backward()
    assert len(calls) == 3 and weights[0].grad is not None
    dd.grad((weights[0] * 2).sum(), weights[0])  # touches no .grad
    with pytest.raises(GraphError, match="only leaves"):
        (weights[0] * 2).register_post_accumulate_grad_hook(update)
