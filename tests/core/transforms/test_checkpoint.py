"""Checkpoints: the same bits, less memory, in every way gradients are asked for."""

import tracemalloc

import numpy as np
import pytest

import deepdive as dd
from deepdive import nn
from deepdive.errors import ArgumentError, GraphError
from deepdive.utils.checkpoint import checkpoint, checkpoint_sequential


class Twice(dd.Function):
    """An operator in PyTorch's spelling, which keeps an array in its context."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 2 * x * grad


def model(static=True):
    dd.manual_seed(3)
    parts = [nn.Linear(6, 6), nn.LayerNorm(6), nn.Dropout(0.5), nn.Tanh()]
    return nn.Sequential(*parts, *([Function()] if static else []), nn.Linear(6, 2))


class Function(nn.Module):
    def forward(self, x):
        return Twice.apply(x)


def gradients(run, net, x):
    dd.manual_seed(7)
    x = x.detach().requires_grad_()
    (run(net, x) ** 2).sum().backward()
    state = dd.get_rng_state()
    found = [x.grad.numpy(), *(p.grad.numpy().copy() for p in net.parameters())]
    net.zero_grad()
    return found, state


@pytest.mark.parametrize(
    "run",
    [
        lambda net, x: checkpoint(net, x),
        lambda net, x: checkpoint(net, x, use_reentrant=False),
        lambda net, x: checkpoint_sequential(net, 3, x),
        lambda net, x: checkpoint(lambda x: checkpoint(net, x), x),
        lambda net, x: checkpoint(lambda *, given: net(given["x"]), given={"x": x}),
    ],
)
def test_the_same_bits(run):
    net, x = model(), dd.randn(5, 6)
    expected, state = gradients(lambda net, x: net(x), net, x)
    found, after = gradients(run, net, x)
    assert state == after  # the second run draws nothing more
    for a, b in zip(found, expected, strict=True):
        assert np.array_equal(a, b)


def test_gradients_by_grad_and_of_second_order():
    net = model(static=False).eval()
    x = dd.randn(4, 6, requires_grad=True)
    weight = next(net.parameters())

    def second(out):
        (slope,) = dd.grad(out.sum(), x, create_graph=True)
        return dd.grad((slope**2).sum(), [x, weight])

    for a, b in zip(second(checkpoint(net, x) ** 2), second(net(x) ** 2), strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-4, atol=1e-6)


def test_retained_twice_and_freed():
    x = dd.tensor([1.0, 2.0], requires_grad=True)
    out = checkpoint(lambda x: x.exp().sin().sum(), x)
    out.backward(retain_graph=True)
    first = x.grad.numpy().copy()
    out.backward()
    np.testing.assert_allclose(x.grad.numpy(), 2 * first)
    with pytest.raises(GraphError, match="freed"):
        out.backward()


def test_several_results_and_plain_arguments():
    x = dd.tensor([1.0, 2.0], requires_grad=True)
    a, b = checkpoint(lambda x, n, flag: (x**n, (x * 3).exp()), x, 3, flag=None)
    (a.sum() + b.sum()).backward()
    np.testing.assert_allclose(x.grad.numpy(), 3 * x.numpy() ** 2 + 3 * np.exp(3 * x.numpy()))
    with dd.no_grad():
        assert not checkpoint(lambda x: x * 2, x).requires_grad


def test_a_function_that_changes_its_mind_is_refused():
    x, runs = dd.tensor([1.0], requires_grad=True), []

    def fickle(x):
        runs.append(1)
        return x.exp().sum() if len(runs) == 1 else x.sin().exp().sum()

    with pytest.raises(GraphError, match="something else when it was run again"):
        checkpoint(fickle, x).backward()
    with pytest.raises(ArgumentError, match="every segment has a function"):
        checkpoint_sequential([lambda x: x], 2, x)


def test_memory_falls():
    """24 layers of 256 KiB each: what the graph holds after the forward pass."""
    weights = [dd.randn(64, 64, requires_grad=True) for _ in range(24)]

    def block(x, *ws):
        for w in ws:
            x = (x @ w * 0.1).tanh()
        return x

    def held(run):
        tracemalloc.start()
        x = dd.randn(1024, 64, requires_grad=True)
        out = run(x)
        found = tracemalloc.get_traced_memory()[0]
        out.sum().backward()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found, peak

    def pieces(x):
        for i in range(0, 24, 6):
            x = checkpoint(block, x, *weights[i : i + 6])
        return x

    plain, small = held(lambda x: block(x, *weights)), held(pieces)
    assert small[0] < plain[0] / 4
    assert small[1] < plain[1] * 0.6


def test_under_compile_and_anomaly_detection():
    net, x = model(static=False).eval(), dd.randn(5, 6)

    def step(x):
        net.zero_grad()
        loss = (checkpoint(net, x) ** 2).sum()
        loss.backward()
        return loss

    eager = step(x).item()
    assert dd.compile(step, dialect="numpy")(x).item() == pytest.approx(eager, rel=1e-5)
    with dd.autograd.detect_anomaly():
        assert step(x).item() == pytest.approx(eager, rel=1e-5)
