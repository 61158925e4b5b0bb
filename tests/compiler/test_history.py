"""A compiled model in an ordinary training loop: its results have the history eager ones have."""

import numpy as np
import pytest

import deepdive as dd
from deepdive import nn, optim
from deepdive.errors import GraphError
from deepdive.nn import functional as F


def net():
    dd.manual_seed(3)
    return nn.Sequential(
        nn.Linear(6, 16, bias=False),
        nn.BatchNorm1d(16),
        nn.ReLU(),
        nn.Dropout(0.3),
        nn.Linear(16, 3),
    )


def pictures():
    dd.manual_seed(3)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, stride=2, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(64, 3)
    )


X = {net: (40, 6), pictures: (40, 1, 8, 8)}


def close(found, expected):
    np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("make", [net, pictures])
def test_training_is_training(make, compiled):
    eager, inner = make(), make()
    model = compiled(inner)
    x, y = dd.randn(*X[make]), dd.tensor(np.arange(40) % 3)
    rows = []
    for each in (eager, model):
        optimizer = optim.Adam(each.parameters(), lr=1e-3)
        dd.manual_seed(7)
        row = []
        for i in range(12):
            each.train(i % 4 != 3)  # evaluation mode has a program of its own
            loss = F.cross_entropy(each(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            row.append(loss.item())
        rows.append(row)
    np.testing.assert_allclose(rows[1], rows[0], rtol=1e-4)
    for name, tensor in eager.state_dict().items():
        close(inner.state_dict()[name], tensor)
    assert len(model.pairs) == 1 and len(next(iter(model.pairs.values()))) == 2


def test_gradients_reach_what_comes_before_and_after(compiled):
    layer, before = nn.Linear(4, 4), nn.Linear(3, 4)
    model = compiled(layer)
    x = dd.randn(5, 3)
    grads = []
    for middle in (layer, model):
        for p in (*layer.parameters(), *before.parameters()):
            p.grad = None
        (middle(before(x).tanh()) ** 2).sum().backward()
        grads.append([p.grad for p in (*layer.parameters(), *before.parameters())])
    for found, expected in zip(grads[1], grads[0], strict=True):
        close(found, expected)


def test_a_leaf_argument_and_a_second_call_before_backward(compiled):
    model = compiled(nn.Linear(3, 2))
    x = dd.randn(4, 3).requires_grad_()
    one, two = model(x), model(x * 2)
    (one.sum() + (two * two).sum()).backward()
    found, grads = x.grad, [p.grad for p in model.parameters()]
    x.grad = None
    for p in model.parameters():
        p.grad = None
    inner = model.function
    (inner(x).sum() + (inner(x * 2) ** 2).sum()).backward()
    close(found, x.grad)
    for mine, p in zip(grads, model.parameters(), strict=True):
        close(mine, p.grad)


class Two(nn.Module):
    def __init__(self):
        self.a, self.b = nn.Linear(3, 2), nn.Linear(3, 2)

    def forward(self, x):
        return {"a": self.a(x), "b": (self.b(x).tanh(), x.detach() + 1)}


def test_several_results(compiled):
    model = compiled(Two())
    x = dd.randn(4, 3)
    out = model(x)
    assert not out["b"][1].requires_grad
    (out["a"] * out["b"][0]).sum().backward()
    found = [p.grad for p in model.parameters()]
    for p in model.parameters():
        p.grad = None
    out = model.function(x)
    (out["a"] * out["b"][0]).sum().backward()
    for mine, p in zip(found, model.parameters(), strict=True):
        close(mine, p.grad)


def test_frozen_parameters_and_no_grad(compiled):
    model = compiled(nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2)))
    x = dd.randn(5, 3)
    first, last = model.function
    first.requires_grad_(False)
    model(x).sum().backward()
    assert first.weight.grad is None and last.weight.grad is not None
    with dd.no_grad():
        assert not model(x).requires_grad
    first.requires_grad_(True)
    model(x).sum().backward()
    assert first.weight.grad is not None


def test_it_is_like_the_module():
    inner = net()
    model = dd.compile(inner, dialect="numpy")
    assert model.train() is model and inner.training
    assert model.eval() is model and not inner.training
    assert list(model.state_dict()) == list(inner.state_dict())
    with pytest.raises(AttributeError):
        _ = model.no_such_thing


def test_explain_tells_of_both_programs(compiled):
    model = compiled(net())
    model(dd.randn(40, 6)).sum().backward()
    text = model.explain()
    assert "1 calls, the first" in text and "backward: a program of " in text
    assert "1.weight" in model.draw()


def test_both_programs_are_in_the_list_of_the_cache():
    pytest.importorskip("numba")
    from deepdive.compiler import store

    layer = nn.Linear(5, 7)
    model = dd.compile(layer, dialect="numba")
    model(dd.randn(9, 5)).sum().backward()
    sources = {program.source.read_text(): program.facts.get("what") for program in store.kept()}
    assert sources[model.source].startswith("forward (")
    assert sources[model.source].endswith(" of (9, 5) float32")
    assert sources[model.latest.backward.source].startswith("backward of forward")


def test_inside_a_compiled_step():
    model = dd.compile(nn.Linear(3, 2), dialect="numpy")
    optimizer = optim.SGD(model.parameters(), lr=0.1)

    @dd.compile(dialect="numpy")
    def step(x):
        optimizer.zero_grad()
        loss = (model(x) ** 2).mean()
        loss.backward()
        optimizer.step()
        return loss

    x = dd.randn(8, 3)
    losses = [step(x).item() for _ in range(5)]
    assert losses == sorted(losses, reverse=True)


def test_second_derivatives_are_refused():
    model = dd.compile(nn.Linear(3, 1), dialect="numpy")
    x = dd.randn(2, 3).requires_grad_()
    with pytest.raises(GraphError, match="no second derivative"):
        dd.grad(model(x).sum(), x, create_graph=True)
