"""bfloat16 recorded: lazily and compiled it gives what it gives eagerly."""

import numpy as np
import pytest

import deepdive as dd
from deepdive import nn
from deepdive.nn import functional as F
from deepdive.testing import standin

pytest.importorskip("ml_dtypes")
DEVICES = ["cpu", standin.DEVICE]


def small(device, narrow):
    dd.manual_seed(0)
    layers = [nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.LayerNorm(8), nn.Linear(8, 3)]
    model = nn.Sequential(*layers).to(device)
    return model.bfloat16() if narrow else model


def training(device, narrow, wrapped):
    """The losses of some steps and the weights after them, narrow or in mixed precision."""
    model = small(device, narrow)
    optimizer = dd.optim.Adam(model.parameters(), lr=0.01)
    x = dd.randn(5, 1, 4, 4).to(device)
    x = x.bfloat16() if narrow else x
    y = dd.tensor([0, 1, 2, 1, 0], device=device)

    def step(x, y):
        with dd.autocast(device, dd.bfloat16, enabled=not narrow):
            loss = F.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    step = wrapped(step)
    losses = [step(x, y).item() for _ in range(4)]
    return step, losses, [p.detach().cpu() for p in model.parameters()]


@pytest.mark.parametrize("narrow", [True, False], ids=["narrow", "mixed"])
@pytest.mark.parametrize("device", DEVICES)
def test_a_compiled_step_is_the_eager_one(device, narrow):
    step, losses, weights = training(device, narrow, dd.compile)
    _, expected, others = training(device, narrow, lambda step: step)
    assert losses[-1] < losses[0]
    exact = device == "cpu" and not narrow  # a GPU's product is rounded before a bias is added
    np.testing.assert_allclose(losses, expected, rtol=1e-5 if exact else 2**-7)
    for p, q in zip(weights, others, strict=True):
        assert p.dtype == q.dtype == (dd.bfloat16 if narrow else dd.float32)
        np.testing.assert_allclose(p.tolist(), q.tolist(), rtol=2**-7, atol=2**-10)
    if device == "cpu":
        story = step.explain()  # conversions are called, the rest is loops of float32
        assert "astype" in story and "the loops compute in float32" in story


def test_roundings_are_not_simplified_away():
    def rounded(x):
        return x.bfloat16().float() + x.bfloat16()

    x = dd.tensor([1 + 2.0**-10, 3.14159])
    expected = rounded(x).tolist()
    assert dd.compile(rounded)(x).tolist() == expected
    assert expected[0] == 2
    with dd.lazy():
        assert rounded(x).tolist() == expected


def test_lazily_as_eagerly():
    def work(x, w):
        out = dd.softmax(x @ w, -1).log().sum(0)
        return dd.cat([out, x.mean(1)]).reshape(2, -1)[0] * 1.5

    x, w = dd.randn(4, 3).bfloat16(), dd.randn(3, 4).bfloat16()
    with dd.lazy():
        found = work(x, w)
        assert found.dtype == dd.bfloat16
        assert "bfloat16" in repr(found)
    assert found.tolist() == work(x, w).tolist()


def test_gradients_of_a_compiled_model():
    model = small("cpu", True)
    twin = dd.compile(small("cpu", True))
    x = dd.randn(3, 1, 4, 4).bfloat16()
    for each in (model, twin):
        each(x).float().square().sum().backward()
    for p, q in zip(model.parameters(), twin.parameters(), strict=True):
        assert p.grad.dtype == q.grad.dtype == dd.bfloat16
        np.testing.assert_allclose(q.grad.tolist(), p.grad.tolist(), rtol=2**-6, atol=2**-8)
