"""A NaN planted in any operator of the MNIST CNN is reported at that operator, with the line."""

import functools
import re

import numpy as np
import pytest

import deepdive as dd
from deepdive import nn
from deepdive.autograd import detect_anomaly
from deepdive.errors import NonFiniteError


@functools.cache
def network():
    """That of examples/mnist_cnn.py."""
    dd.manual_seed(0)
    layers = [nn.ReShape((1, 28, 28)), nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 8, 3)]
    layers += [nn.ReLU(), nn.ReShape(8 * 24 * 24), nn.Linear(8 * 24 * 24, 1024), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(1024, 10), nn.LogSoftmax())


def step(x, y):
    loss = nn.NLLLoss()(network()(x), y)
    loss.backward()
    return loss


X, Y = np.random.default_rng(0).random((2, 28, 28), np.float32), np.array([3, 5])


def operators():
    """The operators of a step in order, each with how many of its kind came before."""
    node = nn.NLLLoss()(network()(dd.tensor(X, requires_grad=True)), dd.tensor(Y))._node
    kinds = []
    while node is not None and node.operator is not None:
        kinds.append(type(node.operator))
        node = next((parent for parent in node.parents if parent is not None), None)
    kinds.reverse()
    return [(kind, kinds[:i].count(kind)) for i, kind in enumerate(kinds)]


RUNS = [step, dd.compile(step, dialect="numpy")]
CASES = [pytest.param(kind, nth, id=f"{kind.__name__}-{nth}") for kind, nth in operators()]


def test_every_operator_has_its_turn():
    names = " ".join(case.id.split("-")[0] for case in CASES)
    assert names == (
        "Reshape Convolution Relu Convolution Relu Reshape Linear Relu Linear LogSoftmax PickedMean"
    )


def poison(monkeypatch, kind, method, nth):
    """Let the `nth` call of an operator's method give NaN."""
    right, calls = getattr(kind, method), iter(range(1000))

    @functools.wraps(right)
    def wrong(self, xp, *args, **kwargs):
        out = right(self, xp, *args, **kwargs)
        if next(calls) != nth:
            return out
        if isinstance(out, tuple):
            return tuple(part if part is None else part * np.float32("nan") for part in out)
        return out * np.float32("nan")

    monkeypatch.setattr(kind, method, wrong)


@pytest.mark.parametrize(
    "run", [step, dd.compile(step, dialect="numpy")], ids=["eager", "compiled"]
)
@pytest.mark.parametrize(("kind", "nth"), CASES)
@pytest.mark.parametrize("where", ["forward", "backward"])
def test_it_is_found_there(monkeypatch, where, kind, nth, run):
    same = sum(case.values[0] is kind for case in CASES)
    poison(monkeypatch, kind, where, nth if where == "forward" else same - 1 - nth)
    x = dd.tensor(X, requires_grad=True)
    with detect_anomaly(), pytest.raises(NonFiniteError) as caught:
        run(x, dd.tensor(Y))
    text = str(caught.value)
    name = {"Convolution": "conv2d"}.get(kind.__name__, kind.__name__).lower()
    first = text.splitlines()[0]
    assert name in re.sub("_", "", first.lower())
    assert ("backward" in first) == (where == "backward")
    assert "test_anomaly_mnist.py" in text
