"""Derivatives of functions against PyTorch's, alone and inside one another."""

import numpy as np
import pytest
import torch

import deepdive as dd
from deepdive import func
from deepdive.errors import ArgumentError, DTypeError, ShapeError

RNG = np.random.default_rng(0)
X, W, U = (RNG.standard_normal(shape) for shape in ((4, 3), (3, 2), (4, 3)))


def close(found, expected):
    if isinstance(expected, torch.Tensor):
        np.testing.assert_allclose(found.numpy(), expected.detach().numpy(), rtol=1e-8, atol=1e-10)
        assert tuple(found.shape) == tuple(expected.shape)
    elif isinstance(expected, dict):
        assert list(found) == list(expected)
        close(list(found.values()), list(expected.values()))
    else:
        assert len(found) == len(expected)
        for a, b in zip(found, expected, strict=True):
            close(a, b)


def number(x, w):
    return ((x @ w).tanh().sum() * x.sum()).exp()


def matrix(x, w):
    return x.sin() @ w


def nested(state):
    return {"a": state["x"] * state["w"].sum(), "b": (state["w"] ** 2,)}


# What both libraries can do, as a function of the module, the function to differentiate, x and w
PROGRAMS = {
    "grad": lambda m, x, w: m.grad(number)(x, w),
    "grad of both": lambda m, x, w: m.grad(number, (0, 1))(x, w),
    "grad and value": lambda m, x, w: m.grad_and_value(number)(x, w),
    "aux": lambda m, x, w: m.grad(lambda x: ((x**2).sum(), x * 2), has_aux=True)(x),
    "grad of nested": lambda m, x, w: m.grad(lambda s: number(s["x"], s["w"]))({"x": x, "w": w}),
    "third": lambda m, x, w: m.grad(m.grad(m.grad(lambda t: t**5 + t.sin())))(x[0, 0]),
    "vjp": lambda m, x, w: m.vjp(matrix, x, w)[1](matrix(x, w)),
    "vjp of nested": lambda m, x, w: m.vjp(nested, {"x": x, "w": w})[1]({"a": x, "b": (w,)}),
    "jvp": lambda m, x, w: m.jvp(matrix, (x, w), (x * 2, w + 1)),
    "jvp of nested": lambda m, x, w: m.jvp(nested, ({"x": x, "w": w},), ({"x": x, "w": w},)),
    "jvp of jvp": lambda m, x, w: m.jvp(
        lambda x: m.jvp(lambda y: matrix(y, w), (x,), (x,))[1], (x,), (x,)
    ),
    "jacrev": lambda m, x, w: m.jacrev(matrix)(x, w),
    "jacrev of both": lambda m, x, w: m.jacrev(matrix, (0, 1))(x, w),
    "jacrev of nested": lambda m, x, w: m.jacrev(nested)({"x": x, "w": w}),
    "jacfwd": lambda m, x, w: m.jacfwd(matrix)(x, w),
    "jacfwd of both": lambda m, x, w: m.jacfwd(matrix, (0, 1))(x, w),
    "jacfwd of nested": lambda m, x, w: m.jacfwd(nested)({"x": x, "w": w}),
    "jacobian in chunks": lambda m, x, w: m.jacrev(matrix, chunk_size=3)(x, w),
    "hessian": lambda m, x, w: m.hessian(number)(x, w),
    "hessian of both": lambda m, x, w: m.hessian(number, (0, 1))(x, w),
    "vmap of grad": lambda m, x, w: m.vmap(m.grad(number, 1), (0, None))(x, w),
    "vmap of hessian": lambda m, x, w: m.vmap(m.hessian(number), (0, None))(x, w),
    "vmap of jvp": lambda m, x, w: m.vmap(lambda a: m.jvp(matrix, (a, w), (a, w))[1])(x),
    "grad of vmap of grad": lambda m, x, w: m.grad(
        lambda w: (m.vmap(m.grad(number, 1), (0, None))(x, w) ** 2).sum()
    )(w),
    "jacfwd of vmap of grad": lambda m, x, w: m.jacfwd(
        lambda w: m.vmap(m.grad(number), (0, None))(x, w)
    )(w),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_as_in_pytorch(name):
    found = PROGRAMS[name](func, dd.tensor(X), dd.tensor(W))
    close(found, PROGRAMS[name](torch.func, torch.tensor(X), torch.tensor(W)))


@pytest.mark.parametrize("name", ["grad", "vjp", "jvp", "jacrev", "hessian", "vmap of grad"])
def test_results_have_a_history_where_the_arguments_have_one(name):
    x, w = (dd.tensor(a, requires_grad=True) for a in (X, W))
    tx, tw = (torch.tensor(a, requires_grad=True) for a in (X, W))

    def total(out):
        parts = out if isinstance(out, (tuple, list)) else [out]
        return sum((total(p) if isinstance(p, tuple) else (p**2).sum()) for p in parts)

    total(PROGRAMS[name](func, x, w)).backward()
    total(PROGRAMS[name](torch.func, tx, tw)).backward()
    close([x.grad, w.grad], [tx.grad, tw.grad])


def test_without_recording_results_have_no_history():
    x = dd.tensor(X, requires_grad=True)
    with dd.no_grad():
        found = func.grad(lambda x: (x**3).sum())(x)
    np.testing.assert_allclose(found.numpy(), 3 * X**2)
    assert not found.requires_grad and x.grad is None
    assert not func.grad(lambda x: (x**3).sum())(dd.tensor(X)).requires_grad


def test_closures_keep_their_history():
    w = dd.tensor(2.0, requires_grad=True)
    slope = func.grad(lambda x: x**3 * w)(dd.tensor(5.0))
    slope.backward()
    assert slope.item() == 150 and w.grad.item() == 75


def test_jvp_is_the_finite_difference():
    step, x, u = 1e-6, dd.tensor(X), dd.tensor(U)
    w = dd.tensor(W)
    found = func.jvp(lambda x: matrix(x, w).exp(), (x,), (u,))[1].numpy()
    ahead, behind = (matrix(x + s * u, w).exp().numpy() for s in (step, -step))
    np.testing.assert_allclose(found, (ahead - behind) / (2 * step), rtol=1e-7, atol=1e-8)


def test_value_and_grad_has_the_value_first():
    value, slope = func.value_and_grad(lambda x: x**2)(dd.tensor(3.0))
    assert (value.item(), slope.item()) == (9, 6)


def test_hvp_of_the_mnist_mlp_is_pytorchs():
    """784-128-10 with softmax cross-entropy: H·v over all 101,770 parameters."""
    sizes = [(128, 784), (128,), (10, 128), (10,)]
    weights = [RNG.standard_normal(s) * 0.05 for s in sizes]
    tangents = [RNG.standard_normal(s) for s in sizes]
    x, y = RNG.standard_normal((16, 784)), RNG.integers(0, 10, 16)

    def loss_in(functional, x, y):
        def loss(w1, b1, w2, b2):
            hidden = (x @ w1.T + b1).relu()
            return functional.cross_entropy(hidden @ w2.T + b2, y)

        return loss

    ours = loss_in(dd.nn.functional, dd.tensor(x), dd.tensor(y))
    theirs = loss_in(torch.nn.functional, torch.tensor(x), torch.tensor(y))
    value, found = func.hvp(ours, tuple(map(dd.tensor, weights)), tuple(map(dd.tensor, tangents)))
    want, expected = torch.autograd.functional.hvp(
        theirs, tuple(map(torch.tensor, weights)), tuple(map(torch.tensor, tangents))
    )
    close(value, want)
    close(found, expected)


@pytest.mark.parametrize(
    ("run", "error", "words"),
    [
        (lambda x: func.grad(lambda x: x * 2)(x), ShapeError, "gives a number"),
        (lambda x: func.grad(lambda x: x.sum(), argnums=1)(x), ArgumentError, "argnums"),
        (lambda x: func.grad(lambda x: x.sum())(x.long()), DTypeError, "floating"),
        (lambda x: func.grad(lambda x: x.sum(), has_aux=True)(x), ArgumentError, "has_aux"),
        (lambda x: func.grad(lambda x: 3.0)(x), ArgumentError, "one Tensor"),
        (lambda x: func.jvp(lambda x: x, (x,), (x[0],)), ArgumentError, "shaped alike"),
        (lambda x: func.vjp(lambda x: x, x)[1](x, x), ArgumentError, "one cotangent"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(run, error, words):
    with pytest.raises(error, match=words):
        run(dd.tensor(X))


def test_functional_call():
    dd.manual_seed(0)
    model = dd.nn.Sequential(dd.nn.Linear(3, 3), dd.nn.ReLU(), dd.nn.Linear(3, 3))
    model[2].weight = model[0].weight  # shared
    before = dict(model.named_parameters())
    state = {name: p.detach() * 0 + 1 for name, p in model.named_parameters()}
    out = func.functional_call(model, state, dd.ones(2, 3), strict=True)
    np.testing.assert_allclose(out.numpy(), np.full((2, 3), 13.0))
    assert all(p is before[name] for name, p in model.named_parameters())
    with pytest.raises(ArgumentError, match=r"no parameter or buffer '0\.weigth'"):
        func.functional_call(model, {"0.weigth": state["0.weight"]}, dd.ones(2, 3))
    with pytest.raises(ArgumentError, match="left out"):
        func.functional_call(model, {"0.bias": state["0.bias"]}, dd.ones(2, 3), strict=True)
    slope = func.grad(lambda s: func.functional_call(model, s, dd.ones(2, 3)).sum())(state)
    assert slope["0.weight"].numpy().any()
